//! Machines from trees that somebody captured: what the kernel showed there is what it shows here.

use std::collections::BTreeMap;
use std::path::Path;

use nix::errno::Errno;

use super::config::Config;
use super::document::Mistake;
use super::folder::{is_inside, leads_out};
use super::kernel::{KERNELS, Kernel};
use super::machine;
use super::state::{Content, Line, Machine};
use crate::pci::Bdf;
use crate::tree::{errno_by_name, join_link, manifest};

/// Most files of a tree that are taken.
const FILES_LIMIT: usize = 1_000_000;
/// Most bytes of one of them.
const BYTES_LIMIT: u64 = 64 << 20;
/// Most bytes of all of them: the whole machine is kept in memory, and files with holes cost nothing on the disk.
const TOTAL_LIMIT: u64 = 512 << 20;

/// Loads a folder shaped like `/`. Without `kernel`, lines that are added are in the words of the captured one.
pub fn load(folder: &Path, kernel: Option<Kernel>, seed: u64) -> Result<Machine, Mistake> {
    let failed = |path: &Path, error: std::io::Error| Mistake::new(0, format!("{}: {error}", path.display()));
    let mut files = BTreeMap::new();
    let mut total: u64 = 0;
    let mut folders = vec![folder.to_owned()];
    while let Some(here) = folders.pop() {
        for entry in here.read_dir().map_err(|e| failed(&here, e))? {
            let path = entry.map_err(|e| failed(&here, e))?.path();
            let data = path.symlink_metadata().map_err(|e| failed(&path, e))?;
            let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().into_owned();
            if data.is_symlink() {
                let target = std::fs::read_link(&path).map_err(|e| failed(&path, e))?;
                files.insert(name, Content::Link(target.to_string_lossy().into_owned()));
            } else if data.is_dir() {
                folders.push(path);
            } else if data.is_file() && data.len() <= BYTES_LIMIT {
                let bytes = std::fs::read(&path).map_err(|e| failed(&path, e))?;
                total += bytes.len() as u64;
                files.insert(name, Content::Bytes(bytes));
            } else if data.is_file() {
                // It was there and is not kept.
                files.insert(name, Content::Error(Errno::ENODATA, data.len()));
            }
            if total > TOTAL_LIMIT {
                let text = format!(
                    "{}: the files have more than {} MiB together; take away what no command reads",
                    folder.display(),
                    TOTAL_LIMIT >> 20
                );
                return Err(Mistake::new(0, text));
            }
            if files.len() > FILES_LIMIT {
                let text = format!("{}: more than {FILES_LIMIT} files", folder.display());
                return Err(Mistake::new(0, text));
            }
        }
    }
    if !files.keys().any(|path| path.starts_with("sys/bus/pci/devices/")) {
        let text = format!("{}: expected a folder with sys/bus/pci/devices in it", folder.display());
        return Err(Mistake::new(0, text));
    }
    let inside = |mistake: Mistake| Mistake::new(0, mistake.in_file(&folder.display().to_string()));
    let manifest = manifest_errors(&mut files)
        .map_err(|m| Mistake::new(0, m.in_file(&folder.join(manifest::PATH).display().to_string())))?;
    let mut machine = Machine::new(kernel.unwrap_or_else(|| kernel_of(&files)), seed);
    machine.log = log_of(&files);
    machine.booted = machine.log.iter().map(|line| line.time).max().unwrap_or(0);
    files.retain(|path, _| path != "capture" && !path.starts_with("capture/"));
    machine.files = files;
    machine.files.extend(manifest);
    functions(&mut machine).map_err(inside)?;
    Ok(machine)
}

/// Files that could not be read when the tree was captured.
fn manifest_errors(files: &mut BTreeMap<String, Content>) -> Result<BTreeMap<String, Content>, Mistake> {
    let mut errors = BTreeMap::new();
    let Some(Content::Bytes(bytes)) = files.remove(manifest::PATH) else { return Ok(errors) };
    for (number, line) in (1..).zip(String::from_utf8_lossy(&bytes).lines()).skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [_, _, size, path, note] = columns[..] else { continue };
        let path = path.trim_matches('/');
        if !is_inside(path) && columns[0] != "d" {
            return Err(Mistake::new(
                number,
                format!("the path {path:?} leads out: expected one without `..`"),
            ));
        }
        let size = size.parse().unwrap_or(4096);
        if let Some(errno) = note.strip_prefix("read:").and_then(errno_by_name) {
            errors.insert(path.to_owned(), Content::Error(errno, size));
        } else if columns[0] == "f" && !files.contains_key(path) {
            // It was there and was not kept: reading it must not look as if the machine lacked it.
            errors.insert(path.to_owned(), Content::Error(Errno::ENODATA, size));
        }
    }
    Ok(errors)
}

/// The known kernel that is nearest below the captured one.
fn kernel_of(files: &BTreeMap<String, Content>) -> Kernel {
    let number = |text: &str| -> Option<(u32, u32)> {
        let (major, rest) = text.split_once('.')?;
        let minor: String = rest.chars().take_while(char::is_ascii_digit).collect();
        Some((major.parse().ok()?, minor.parse().ok()?))
    };
    let version = match files.get("proc/version") {
        Some(Content::Bytes(bytes)) => {
            String::from_utf8_lossy(bytes).split_whitespace().nth(2).and_then(number)
        }
        _ => None,
    };
    let Some(version) = version else { return Kernel::V6_8 };
    let below = KERNELS.iter().rev().find(|(name, _)| number(name).is_some_and(|known| known <= version));
    below.map_or(Kernel::V4_19, |(_, kernel)| *kernel)
}

/// The captured log, with the time stamps that `dmesg` prints (`[ seconds.microseconds]`). A line without one happened
/// when the one before it did.
fn log_of(files: &BTreeMap<String, Content>) -> Vec<Line> {
    let Some(Content::Bytes(bytes)) = files.get("var/log/dmesg") else { return Vec::new() };
    let mut time = 0;
    let mut lines = Vec::new();
    for line in crate::tree::printable(bytes.clone()).lines() {
        let text = match stamped(line) {
            Some((stamp, text)) => {
                time = stamp;
                text
            }
            None => line,
        };
        lines.push(Line { time, since: 0, text: text.to_owned() });
    }
    lines
}

fn stamped(line: &str) -> Option<(u64, &str)> {
    let (stamp, text) = line.strip_prefix('[')?.split_once(']')?;
    let (seconds, fraction) = stamp.trim().split_once('.')?;
    let microseconds: u64 = if fraction.len() == 6 { fraction.parse().ok()? } else { return None };
    let seconds = seconds.parse::<u64>().ok()?.checked_mul(1_000_000)?;
    Some((seconds.checked_add(microseconds)?, text.strip_prefix(' ').unwrap_or(text)))
}

/// The functions of which `sys/bus/pci/devices` has links.
fn functions(machine: &mut Machine) -> Result<(), Mistake> {
    const DEVICES: &str = "sys/bus/pci/devices/";
    let mut found: Vec<(Bdf, String)> = Vec::new();
    for (path, content) in machine.files.range(DEVICES.to_owned()..) {
        let (Some(name), Content::Link(target)) = (path.strip_prefix(DEVICES), content) else { continue };
        let Ok(address) = name.parse() else { continue };
        found.push((address, folder_of(&machine.files, path, target)?));
    }
    for (address, folder) in found {
        let bytes = match machine.files.get(&format!("{folder}/config")) {
            Some(Content::Bytes(bytes)) => bytes.clone(),
            _ => Vec::new(),
        };
        let function = machine::found(address, folder, Config::from_bytes(&bytes));
        machine.functions.insert(address, function);
    }
    Ok(())
}

/// The folder that the link of a function leads to. The kernel's are relative, end in the address and lie below
/// `sys/devices` (bus_add_device in drivers/base/bus.c); whatever a fault does to the function is stored there, so that
/// no other is taken.
fn folder_of(files: &BTreeMap<String, Content>, path: &str, target: &str) -> Result<String, Mistake> {
    let folder = join_link(path, target);
    let name = path.rsplit('/').next().unwrap_or(path);
    if leads_out(path, target)
        || !folder.starts_with("sys/devices/")
        || folder.rsplit('/').next() != Some(name)
    {
        let text =
            format!("{path}: the link leads to {target:?}: expected a folder {name} below sys/devices");
        return Err(Mistake::new(0, text));
    }
    let ends = folder.match_indices('/').map(|(end, _)| end).chain([folder.len()]);
    match ends.map(|end| &folder[..end]).find(|part| files.contains_key(*part)).map(str::to_owned) {
        None => Ok(folder),
        Some(part) => {
            let text = format!(
                "{path}: {part}, to which or through which it leads, is no folder but a link or a file"
            );
            Err(Mistake::new(0, text))
        }
    }
}
