//! What an expectation compares besides functions: what firmware says of the machine, versions of drivers, firmware of
//! devices as their drivers tell it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::machine::{Function, Machine, files};
use crate::pci::Bdf;
use crate::tree::{Cause, Directory, Tree, printable, read, read_text};

/// Keys of `[machine]` and the files that tell them (kernel: drivers/firmware/dmi-id.c; init/version-timestamp.c).
pub const MACHINE: [(&str, &str); 8] = [
    ("sys_vendor", "sys/class/dmi/id/sys_vendor"),
    ("product_name", "sys/class/dmi/id/product_name"),
    ("board_vendor", "sys/class/dmi/id/board_vendor"),
    ("board_name", "sys/class/dmi/id/board_name"),
    ("bios_vendor", "sys/class/dmi/id/bios_vendor"),
    ("bios_version", "sys/class/dmi/id/bios_version"),
    ("bios_date", "sys/class/dmi/id/bios_date"),
    ("kernel_release", "proc/sys/kernel/osrelease"),
];

/// A text, or why there is none: a clause.
pub type Fact = Result<String, String>;

/// What was read.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// By key of [`MACHINE`].
    pub machine: BTreeMap<&'static str, Fact>,
    /// Version of a driver's module, by the name of the driver.
    pub driver_versions: BTreeMap<String, Fact>,
    /// Firmware of a device, by its address: `Video BIOS` in what NVIDIA's driver says of a GPU.
    pub firmware: BTreeMap<Bdf, Fact>,
}

/// Reads all of it. Of the live machine, what a driver answers is read by a process of its own, which is given up after
/// `deadline`; to be called while this process has one thread.
pub fn read_facts(tree: &dyn Tree, live: bool, machine: &Machine, deadline: Duration) -> Facts {
    let mut facts = Facts::default();
    for (key, path) in MACHINE {
        facts.machine.insert(key, machine_fact(tree, key, path));
    }
    let mut drivers: Vec<&str> = machine.functions.iter().filter_map(Function::driver).collect();
    drivers.sort_unstable();
    drivers.dedup();
    for driver in drivers {
        facts.driver_versions.insert(driver.to_owned(), driver_version(tree, driver));
    }
    let gpus: Vec<Bdf> = machine
        .functions
        .iter()
        .filter(|f| f.driver() == Some("nvidia") && f.answers())
        .filter(|f| f.reading.text("power/runtime_status") != Some("suspended"))
        .map(|f| f.address)
        .collect();
    let paths: Vec<String> =
        gpus.iter().map(|gpu| format!("proc/driver/nvidia/gpus/{gpu}/information")).collect();
    let answers: Vec<files::Answer> = match live {
        true => {
            let open = || Ok(Box::new(Directory::live()?) as Box<dyn Tree>);
            let failed = |errno| paths.iter().map(|_| Err(Cause::Errno(errno))).collect();
            files::read_all(&paths, deadline, &open).unwrap_or_else(failed)
        }
        false => paths.iter().map(|path| read(tree, path, files::LIMIT).map_err(|e| e.cause)).collect(),
    };
    for ((gpu, path), answer) in gpus.into_iter().zip(paths).zip(answers) {
        facts.firmware.insert(gpu, video_bios(&path, answer));
    }
    facts
}

fn machine_fact(tree: &dyn Tree, key: &str, path: &str) -> Fact {
    match read_text(tree, path) {
        Ok(text) if !text.is_empty() => Ok(text),
        Ok(_) => Err(format!("{path} is empty")),
        // The third word of /proc/version is the same release, and older captures have only that.
        Err(error) if key == "kernel_release" => {
            let version = read_text(tree, "proc/version").ok();
            let release = version.as_deref().and_then(|text| text.split_whitespace().nth(2));
            release.map(str::to_owned).ok_or_else(|| error.to_string())
        }
        Err(error) => Err(error.to_string()),
    }
}

/// `sys/module/NAME/version`, by way of the driver's link `module`.
fn driver_version(tree: &dyn Tree, driver: &str) -> Fact {
    let link = tree.read_link(&format!("sys/bus/pci/drivers/{driver}/module")).map_err(|e| e.to_string())?;
    let module = link.rsplit('/').next().unwrap_or_default();
    let path = format!("sys/module/{module}/version");
    read_text(tree, &path).map_err(|error| match error.is_absent() {
        true => format!("the module {module} has no version of its own"),
        false => error.to_string(),
    })
}

/// The line `Video BIOS: 98.02.2e.00.af` of what NVIDIA's driver says of a GPU.
fn video_bios(path: &str, answer: files::Answer) -> Fact {
    let text = printable(answer.map_err(|cause| format!("{path}: {cause}"))?);
    let line = text.lines().find_map(|line| line.strip_prefix("Video BIOS:")).map(str::trim);
    match line {
        // The driver writes question marks while it has not started the GPU.
        Some(version) if !version.is_empty() && !version.contains('?') => Ok(version.to_owned()),
        _ => Err(format!("{path} does not tell the Video BIOS")),
    }
}
