//! What a capture keeps beside what the commands read: what a person asks for who was not there. Versions of drivers,
//! what firmware says of the board and its slots (DMI, SMBIOS), address windows, memory-mapped configuration space.

use std::time::Duration;

use crate::machine::files::{self, LIMIT};
use crate::machine::{Function, Machine};
use crate::tree::{Directory, Tree, read};

use super::recorder::Recorder;
use super::recording::Kept;

/// Files of the machine as a whole. DMI attributes: drivers/firmware/dmi-id.c of the kernel.
const FILES: &[&str] = &[
    "proc/iomem",
    "proc/modules",
    "proc/stat",
    "sys/devices/system/node/online",
    "sys/devices/system/node/possible",
    "sys/firmware/acpi/tables/HEST",
    "sys/firmware/acpi/tables/MCFG",
    "sys/firmware/acpi/tables/data/BERT",
    "sys/firmware/dmi/tables/DMI",
    "sys/firmware/dmi/tables/smbios_entry_point",
    "sys/class/dmi/id/bios_date",
    "sys/class/dmi/id/bios_release",
    "sys/class/dmi/id/bios_vendor",
    "sys/class/dmi/id/bios_version",
    "sys/class/dmi/id/board_asset_tag",
    "sys/class/dmi/id/board_name",
    "sys/class/dmi/id/board_serial",
    "sys/class/dmi/id/board_vendor",
    "sys/class/dmi/id/board_version",
    "sys/class/dmi/id/chassis_asset_tag",
    "sys/class/dmi/id/chassis_serial",
    "sys/class/dmi/id/chassis_type",
    "sys/class/dmi/id/chassis_vendor",
    "sys/class/dmi/id/chassis_version",
    "sys/class/dmi/id/ec_firmware_release",
    "sys/class/dmi/id/product_family",
    "sys/class/dmi/id/product_name",
    "sys/class/dmi/id/product_serial",
    "sys/class/dmi/id/product_sku",
    "sys/class/dmi/id/product_uuid",
    "sys/class/dmi/id/product_version",
    "sys/class/dmi/id/sys_vendor",
];

/// NVIDIA's driver: files of the driver, and of each GPU.
const NVIDIA: &str = "proc/driver/nvidia";
const NVIDIA_FILES: &[&str] = &["version", "params", "registry"];
const NVIDIA_GPU_FILES: &[&str] = &["information", "power", "registry"];

/// Reads all of it through the recorder. Of the live machine, what a driver answers is read by a process of its own,
/// which is given up after `deadline`.
pub fn read_surroundings(recorder: &Recorder, live: bool, machine: &Machine, deadline: Duration) {
    let mut paths: Vec<String> = FILES.iter().map(|path| (*path).to_owned()).collect();
    paths.extend(driver_files(recorder, machine));
    paths.extend(nvidia_files(recorder, machine));
    // Whether a table is absent or the machine has no ACPI at all; the recorder notes what there is.
    let _ = recorder.list("sys/firmware/acpi/tables");
    if !live {
        for path in paths {
            // The recorder notes what was read, and why not.
            let _ = read(recorder, &path, LIMIT);
        }
        return;
    }
    let open = || Ok(Box::new(Directory::live()?) as Box<dyn Tree>);
    let Ok(answers) = files::read_all(&paths, deadline, &open) else { return };
    for (path, answer) in paths.iter().zip(answers) {
        recorder.keep(
            path,
            match answer {
                Ok(bytes) => Kept::File { bytes, size: None },
                Err(cause) => Kept::Failed(cause),
            },
        );
    }
    nvidia_nodes(recorder);
}

/// Versions of the drivers in use: `sys/module/NAME/version`, by way of the driver's link `module`.
fn driver_files(recorder: &Recorder, machine: &Machine) -> Vec<String> {
    let mut drivers: Vec<&str> = machine.functions.iter().filter_map(Function::driver).collect();
    drivers.sort_unstable();
    drivers.dedup();
    let module = |driver: &&str| recorder.read_link(&format!("sys/bus/pci/drivers/{driver}/module")).ok();
    let modules = drivers.iter().filter_map(module);
    modules
        .filter_map(|target| {
            let name = target.rsplit('/').next().filter(|name| !name.is_empty())?.to_owned();
            Some(["version", "srcversion"].map(|file| format!("sys/module/{name}/{file}")))
        })
        .flatten()
        .collect()
}

/// Files of NVIDIA's driver. Those of a GPU ask the GPU: only of GPUs that answer, and never of one that sleeps.
fn nvidia_files(recorder: &Recorder, machine: &Machine) -> Vec<String> {
    let mut paths: Vec<String> = NVIDIA_FILES.iter().map(|file| format!("{NVIDIA}/{file}")).collect();
    let gpus = recorder.list(&format!("{NVIDIA}/gpus")).unwrap_or_default();
    let answers = |name: &String| {
        let function = name.parse().ok().and_then(|address| machine.get(address));
        let suspended = |f: &Function| f.reading.text("power/runtime_status") == Some("suspended");
        function.is_some_and(|function| function.answers() && !suspended(function))
    };
    for gpu in gpus.iter().filter(|gpu| answers(gpu)) {
        paths.extend(NVIDIA_GPU_FILES.iter().map(|file| format!("{NVIDIA}/gpus/{gpu}/{file}")));
    }
    paths
}

/// Which of NVIDIA's device nodes there are. They are not opened: that wakes the GPU.
fn nvidia_nodes(recorder: &Recorder) {
    let Ok(entries) = std::fs::read_dir("/dev") else { return };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    for name in names.filter(|name| name.starts_with("nvidia")) {
        recorder.keep(&format!("dev/{name}"), Kept::Listed);
    }
}
