//! The simulated machine as a tree in memory.

use std::collections::BTreeMap;
use std::time::Duration;

use nix::errno::Errno;

use super::state::{Answer, Content, Function, Machine};
use crate::pci::capability::express::PortType;
use crate::tree::MemoryTree;

/// Every file of the machine at this moment.
pub fn files(machine: &Machine) -> BTreeMap<String, Content> {
    let mut files = machine.files.clone();
    for function in machine.functions.values().filter(|f| f.touched) {
        live_attributes(machine, function, &mut files);
        registers_behind_bars(function, &mut files);
    }
    files.insert("var/log/dmesg".to_owned(), Content::Bytes(log(machine).into_bytes()));
    files
}

/// The kernel log as `dmesg` prints it, as far as it has been written by now ([`Line::since`]).
///
/// [`Line::since`]: super::state::Line::since
pub fn log(machine: &Machine) -> String {
    let mut lines: Vec<_> = machine.log.iter().filter(|line| line.since <= machine.now).collect();
    lines.sort_by_key(|line| line.time);
    lines
        .iter()
        .map(|l| format!("[{:5}.{:06}] {}\n", l.time / 1_000_000, l.time % 1_000_000, l.text))
        .collect()
}

/// What a read of configuration space gives.
pub fn config_bytes(function: &Function) -> Vec<u8> {
    let length = function.config.bytes().len();
    let mut bytes = match function.answer {
        Answer::Registers => function.config.bytes().to_vec(),
        Answer::AllOnes => vec![0xff; length],
        Answer::NotReady => {
            let mut bytes = vec![0xff; length];
            bytes[..4.min(length)].copy_from_slice(&[0x01, 0x00, 0xff, 0xff][..4.min(length)]);
            bytes
        }
    };
    bytes.truncate(function.readable.unwrap_or(length));
    bytes
}

/// The attributes that the kernel reads from the function each time (drivers/pci/pci-sysfs.c).
fn live_attributes(machine: &Machine, function: &Function, files: &mut BTreeMap<String, Content>) {
    let kernel = machine.kernel;
    let path = |name: &str| format!("{}/{name}", function.folder);
    let bytes = config_bytes(function);
    // `config` of a user without privileges says what `stat` gives and ends after 64 bytes.
    let content = match function.delay {
        0 => Content::Bytes(bytes),
        delay => Content::Slow(bytes, delay),
    };
    files.insert(path("config"), content);
    let mut put = |name: &str, content: Content| {
        if let Some(file) = files.get_mut(&path(name)) {
            *file = content;
        }
    };
    let line = |text: &str| Content::Bytes(format!("{text}\n").into_bytes());
    let register = |field: &str| match (function.answer, function.enumerated.find(field)) {
        (_, None) => None,
        (Answer::Registers, Some(place)) => {
            let raw = function.config.number(place.offset, place.width);
            Some(place.field.map_or(raw, |f| f.extract(raw)))
        }
        (_, Some(place)) => Some(place.field.map_or(u64::MAX, |f| f.extract(u64::MAX))),
    };
    for (name, field) in [
        ("secondary_bus_number", "header.secondary_bus.number"),
        ("subordinate_bus_number", "header.subordinate_bus.number"),
    ] {
        if let Some(number) = register(field) {
            let content =
                if function.marked { Content::Error(Errno::EINVAL, 4096) } else { line(&number.to_string()) };
            put(name, content);
        }
    }
    let (Some(speed), Some(width)) = (
        register("express.link_status.current_link_speed"),
        register("express.link_status.negotiated_link_width"),
    ) else {
        return;
    };
    if is_integrated(function) {
        // The kernel knows that there is no link and asks nothing (pcie_capability_reg_implemented).
        return;
    }
    // A function that the kernel marked gives no registers: the accessors fail (pcie_capability_read_word).
    if function.marked {
        put("current_link_speed", Content::Error(Errno::EINVAL, 4096));
        put("current_link_width", Content::Error(Errno::EINVAL, 4096));
        put("max_link_width", line("255"));
        if !kernel.caches_maximum_speed() {
            put("max_link_speed", line(kernel.speed(0)));
        }
        return;
    }
    if function.flapping.is_empty() || function.answer != Answer::Registers {
        put("current_link_speed", line(kernel.speed(speed)));
        put("current_link_width", line(&width.to_string()));
    } else {
        let each = |text: &dyn Fn(&(u64, u64)) -> String| {
            Content::Changing(
                function.flapping.iter().map(|s| format!("{}\n", text(s)).into_bytes()).collect(),
            )
        };
        put("current_link_speed", each(&|(speed, _)| kernel.speed(*speed).to_owned()));
        put("current_link_width", each(&|(_, width)| width.to_string()));
    }
    if let Some(width) = register("express.link_capabilities.maximum_link_width") {
        put("max_link_width", line(&width.to_string()));
    }
    if let Some(vector) = register("express.link_capabilities_2.supported_link_speeds_vector")
        && !kernel.caches_maximum_speed()
    {
        put("max_link_speed", line(kernel.maximum_speed(vector)));
    }
}

/// Root complex integrated endpoints have no link.
fn is_integrated(function: &Function) -> bool {
    let kind = function.enumerated.value("express.capabilities.device_port_type");
    kind == PortType::RootComplexIntegratedEndpoint as u64
}

/// Memory of a function that does not answer reads all-ones on x86, and its Resizable BAR has no sizes: the kernel looks
/// for the BAR in registers that are all-ones and finds none (seen on Linux 6.12).
fn registers_behind_bars(function: &Function, files: &mut BTreeMap<String, Content>) {
    if function.answer == Answer::Registers {
        return;
    }
    let prefix = format!("{}/resource", function.folder);
    for (path, content) in files.range_mut(prefix.clone()..).take_while(|(path, _)| path.starts_with(&prefix))
    {
        let is_numbered = path[prefix.len()..].starts_with(|c: char| c.is_ascii_digit());
        if !is_numbered {
            continue;
        }
        if path.ends_with("_resize") {
            *content = Content::Bytes(format!("{:016x}\n", 0).into_bytes());
        } else if let Content::Bytes(bytes) = content {
            bytes.fill(0xff);
        }
    }
}

/// The tree in memory. Unlike a folder it can fail, take time and change between two reads.
pub fn tree(machine: &Machine) -> MemoryTree {
    let sizes: BTreeMap<String, u64> = shorter_than_stat(machine).into_iter().collect();
    files(machine).into_iter().fold(MemoryTree::complete(), |tree, (path, content)| match content {
        Content::Bytes(bytes) => match sizes.get(&path) {
            Some(size) => tree.short_file(path, bytes, *size),
            None => tree.file(path, bytes),
        },
        Content::Link(target) => tree.link(path, target),
        Content::Error(errno, size) => tree.failing(path, errno, size),
        Content::Slow(bytes, microseconds) => tree.slow(path, bytes, Duration::from_micros(microseconds)),
        Content::Changing(versions) => tree.changing(path, versions),
    })
}

/// `config` files that end before the size that `stat` gives.
pub(super) fn shorter_than_stat(machine: &Machine) -> Vec<(String, u64)> {
    machine
        .functions
        .values()
        .filter(|f| f.readable.is_some())
        .map(|f| (format!("{}/config", f.folder), f.config.bytes().len() as u64))
        .collect()
}
