//! Functions that the kernel finds while it runs: after a rescan, or in a slot where a card was put.

use super::*;
use crate::pci::bars::Resource;
use crate::pci::capability::express::PortType;
use crate::simulate::machine::resources::{range_name, range_text};

/// How the kernel came to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Discovery {
    /// A bus was scanned again; the functions kept what their registers held.
    Rescan,
    /// A card was put into a slot: its registers are as after power-on.
    PluggedIn,
}

/// The kernel looks for functions that it removed and finds those that answer and whose bridge is there.
pub fn rescan(machine: &mut Machine) -> Result<(), Mistake> {
    let mut found = Vec::new();
    let waiting = std::mem::take(&mut machine.removed);
    // Bridges were removed after what is below them.
    for removed in waiting.into_iter().rev() {
        let above: Option<Bdf> =
            removed.function.folder.rsplit('/').nth(1).and_then(|name| name.parse().ok());
        let reachable = above.is_none_or(|bridge| {
            machine.functions.get(&bridge).is_some_and(|f| f.answer == Answer::Registers)
        });
        if removed.function.answer != Answer::Registers || !reachable {
            machine.removed.push(removed);
            continue;
        }
        let Removed { function, files, interrupts } = removed;
        let address = function.address;
        machine.files.extend(files);
        add_interrupts(machine, &interrupts);
        machine.functions.insert(address, function);
        count_active_child(machine, address, true);
        found.push(address);
    }
    machine.removed.reverse();
    introduce(machine, &found, Discovery::Rescan)
}

/// Puts lines back into `/proc/interrupts`, where they belong by their numbers.
fn add_interrupts(machine: &mut Machine, lines: &[String]) {
    let number = |line: &str| line.split(':').next().and_then(|text| text.trim().parse::<u64>().ok());
    let Some(Content::Bytes(bytes)) = machine.files.get("proc/interrupts") else { return };
    let text = String::from_utf8_lossy(bytes).into_owned();
    let mut all: Vec<&str> = text.lines().collect();
    for line in lines {
        // Behind the header, before the next number and before those that have none (`NMI`).
        let place =
            all.iter().skip(1).position(|other| number(other) > number(line) || number(other).is_none());
        all.insert(place.map_or(all.len(), |place| place + 1), line);
    }
    machine.file("proc/interrupts", format!("{}\n", all.join("\n")));
}

/// What the kernel says of functions that it finds, in the order of a card that Linux 6.12 found in a hot-plug slot: what
/// they are, their ranges, their IOMMU groups, where the ranges lie, and what the drivers say. Their error counters are
/// new: they belong to the kernel's object (pci_aer_init in drivers/pci/pcie/aer.c).
pub fn introduce(machine: &mut Machine, found: &[Bdf], how: Discovery) -> Result<(), Mistake> {
    let mut ranges: Vec<(Bdf, usize, Resource)> = Vec::new();
    for address in found {
        forget_counters(machine, *address);
        let own = lines_of(machine, *address);
        say_found(machine, *address, &own, how);
        ranges.extend(own.into_iter().map(|(line, range)| (*address, line, range)));
    }
    // The largest first (pdev_sort_resources in drivers/pci/setup-bus.c).
    ranges.retain(|(_, line, _)| *line <= 6);
    ranges.sort_by_key(|(_, _, range)| std::cmp::Reverse(range.size()));
    for (address, line, range) in ranges {
        let text = machine.kernel.range_assigned(line, &range_text(range));
        machine.say(format!("pci {address}: {text}"));
    }
    let above: std::collections::BTreeSet<Bdf> = found
        .iter()
        .filter_map(|address| machine.parent(*address))
        .filter(|port| !found.contains(port))
        .collect();
    if how == Discovery::PluggedIn {
        for port in above {
            say_bridge(machine, port);
        }
    }
    for address in found {
        say_driver(machine, *address, how);
    }
    Ok(())
}

/// Every error counter of a function is zero.
fn forget_counters(machine: &mut Machine, address: Bdf) {
    for name in ["aer_dev_correctable", "aer_dev_nonfatal", "aer_dev_fatal"] {
        let path = machine.attribute(address, name);
        let Some(text) = machine.text(&path) else { continue };
        let zeros: Vec<String> = text
            .lines()
            .map(|line| line.rsplit_once(' ').map_or(line.to_owned(), |(row, _)| format!("{row} 0")))
            .collect();
        machine.line(path, zeros.join("\n"));
    }
    for kind in ["cor", "nonfatal", "fatal"] {
        machine.set_attribute(address, &format!("aer_rootport_total_err_{kind}"), 0);
    }
}

/// Lines of `resource` that are used, with their places.
fn lines_of(machine: &Machine, address: Bdf) -> Vec<(usize, Resource)> {
    let text = machine.text(&machine.attribute(address, "resource")).unwrap_or_default();
    let all = crate::pci::bars::resources(&text).unwrap_or_default();
    all.into_iter()
        .enumerate()
        .filter_map(|(place, line)| Some((place, line?)))
        .filter(|(_, range)| range.size() != 0)
        .collect()
}

/// pci_setup_device, pci_read_bases and pci_read_bridge_bases in drivers/pci/probe.c.
fn say_found(machine: &mut Machine, address: Bdf, ranges: &[(usize, Resource)], how: Discovery) {
    let Some(function) = machine.functions.get(&address) else { return };
    let (kernel, config) = (machine.kernel, &function.enumerated);
    let number = |offset, width| config.number(offset, width);
    let class = number(9, 2) | number(11, 1) << 16;
    let layout = config.layout();
    let port = config
        .has("express.capabilities")
        .then(|| PortType::from_raw(config.value("express.capabilities.device_port_type") as u8))
        .flatten();
    let text = kernel.function_found((number(0, 2), number(2, 2)), layout, class, port);
    machine.say(format!("pci {address}: {text}"));
    for (line, range) in ranges.iter().filter(|(line, _)| *line <= 6) {
        let range = match how {
            Discovery::Rescan => *range,
            Discovery::PluggedIn => Resource { start: 0, end: range.size() - 1, flags: range.flags },
        };
        let offset = if *line == 6 { 0x30 } else { 0x10 + 4 * *line as u16 };
        let text = kernel.bar_found(&range_name(*line), offset, &range_text(range));
        machine.say(format!("pci {address}: {text}"));
    }
    if layout == 1 {
        say_bridge_as(machine, address, "pci");
    }
    if let Some(group) = group(machine, address) {
        let name = address.to_string();
        machine.say(kernel.iommu_group(&format!("pci {name}"), &name, group, true));
    }
}

/// pci_setup_bridge in drivers/pci/setup-bus.c.
fn say_bridge(machine: &mut Machine, port: Bdf) {
    let driver = machine.driver(port).unwrap_or_else(|| "pci".to_owned());
    say_bridge_as(machine, port, &driver);
}

fn say_bridge_as(machine: &mut Machine, port: Bdf, driver: &str) {
    let number = |name: &str| get(machine, port, &format!("header.{name}.number"));
    let (secondary, subordinate) = (number("secondary_bus"), number("subordinate_bus"));
    let range = match secondary == subordinate {
        true => format!("{secondary:02x}"),
        false => format!("{secondary:02x}-{subordinate:02x}"),
    };
    machine.say(format!("{driver} {port}: PCI bridge to [bus {range}]"));
    for (_, window) in lines_of(machine, port).into_iter().filter(|(line, _)| *line >= 13) {
        machine.say(format!("{driver} {port}:   bridge window {}", range_text(window)));
    }
}

/// The driver is bound: memory decode is switched on where power-on left it off (pci_enable_resources), and the driver says
/// what it said when the machine started.
fn say_driver(machine: &mut Machine, address: Bdf, how: Discovery) {
    let Some(driver) = machine.driver(address) else { return };
    let decoded = get(machine, address, "header.command") & 3;
    if how == Discovery::PluggedIn && decoded != 0 {
        machine.say_of(address, format!("enabling device (0000 -> {decoded:04x})"));
    }
    let (prefix, name) = (format!("{driver} "), address.to_string());
    let said: Vec<String> = machine
        .log
        .iter()
        .filter(|line| line.since == 0 && line.text.starts_with(&prefix) && line.text.contains(&name))
        .filter(|line| !line.text.contains("enabling device"))
        .map(|line| line.text.clone())
        .collect();
    for text in said {
        machine.say(text);
    }
}
