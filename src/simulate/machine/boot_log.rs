//! What the kernel says of PCI while it boots, in its own words and order.
//!
//! Wording of the kernel's drivers/acpi/pci_root.c, drivers/pci/probe.c, pcie/portdrv.c and hotplug/pciehp_hpc.c;
//! the order is that of a log which Linux 6.12 wrote on a q35 machine.

use super::description::{Description, FunctionDescription, HostBridge, OSC_CONTROLS};
use super::interrupts::Interrupt;
use super::registers::Places;
use super::{acpi, resources, services};
use crate::pci::Bdf;
use crate::simulate::kernel::Kernel;
use crate::simulate::state::Machine;

/// Writes the log of the boot.
pub fn write(
    machine: &mut Machine,
    description: &Description,
    places: &std::collections::BTreeMap<Bdf, Places>,
    interrupts: &[Interrupt],
) {
    machine.lag = 0;
    for text in [version(description), format!("Command line: {}", description.command_line)] {
        let line = crate::simulate::state::Line { time: 0, since: 0, text };
        machine.log.push(line);
    }
    machine.wait(11_000);
    let [vendor, product, firmware] = &description.board;
    machine.say(format!("DMI: {vendor} {product}, BIOS {firmware} 01/02/2025"));
    let length = acpi::mcfg(description.ecam, description.domains()).len();
    machine.say("ACPI: FACP 0x000000008F9A1000 000114 (v06 EXAMPL 2SGPUSRV 00000001 EXMP 00000000)");
    machine.say(format!(
        "ACPI: MCFG 0x000000008F9A0000 {length:06X} (v01 EXAMPL 2SGPUSRV 00000001 EXMP 00000000)"
    ));
    if description.fadt.0 {
        machine.say("ACPI FADT declares the system doesn't support MSI, so disable it");
    }
    if description.fadt.1 {
        machine.say("ACPI FADT declares the system doesn't support PCIe ASPM, so disable it");
    }
    if description.command_line.split_whitespace().any(|word| word == "pcie_aspm=off") {
        machine.say("PCIe ASPM is disabled");
    }
    machine.wait(500_000);
    let nodes =
        description.processors.iter().map(|(_, node)| node).collect::<std::collections::BTreeSet<_>>();
    let (nodes, processors) = (nodes.len(), description.processors.len());
    let plural = if nodes == 1 { "" } else { "s" };
    machine.say(format!("smp: Brought up {nodes} node{plural}, {processors} CPUs"));
    machine.wait(200_000);
    let base = description.ecam;
    let last = base + (256 << 20) - 1;
    match description.kernel >= Kernel::V6_8 {
        true => machine
            .say(format!("PCI: ECAM [mem {base:#x}-{last:#x}] (base {base:#x}) for domain 0000 [bus 00-ff]")),
        false => machine.say(format!(
            "PCI: MMCONFIG for domain 0000 [bus 00-ff] at [mem {base:#x}-{last:#x}] (base {base:#x})"
        )),
    }
    machine.wait(100_000);
    for (number, host) in description.host_bridges.iter().enumerate() {
        host_bridge(machine, description, host, number);
        let root = u64::from(host.buses.0);
        bus(machine, description, host.domain, root, places);
        machine.wait(15_000);
    }
    machine.wait(200_000);
    for function in &description.functions {
        if let Some(group) = function.group {
            let address = function.address.to_string();
            let text = description.kernel.iommu_group(&format!("pci {address}"), &address, group, true);
            machine.say(text);
        }
    }
    machine.wait(150_000);
    for function in &description.functions {
        port_services(machine, description, function, interrupts);
    }
    machine.wait(700_000);
    for function in &description.functions {
        for message in &function.messages {
            machine.wait(200_000);
            machine.say(message.replace("{address}", &function.address.to_string()));
        }
    }
    machine.lag = 0;
    machine.booted = machine.log.iter().map(|line| line.time).max().unwrap_or(0);
}

/// First line of the log, which is `/proc/version` as well.
pub fn version(description: &Description) -> String {
    format!(
        "Linux version {} (buildd@example) (x86_64-linux-gnu-gcc-13 (Ubuntu 13.3.0-6ubuntu2~24.04) 13.3.0, GNU ld \
         (GNU Binutils for Ubuntu) 2.42) #88-Ubuntu SMP PREEMPT_DYNAMIC",
        description.release
    )
}

fn host_bridge(machine: &mut Machine, description: &Description, host: &HostBridge, number: usize) {
    let (domain, (first, last)) = (host.domain, host.buses);
    machine.say(format!(
        "ACPI: PCI Root Bridge [PC{number:02X}] (domain {domain:04x} [bus {first:02x}-{last:02x}])"
    ));
    for text in osc_lines(description, host) {
        machine.say(format!("acpi {}: {text}", host.acpi));
    }
    if description.fadt.1 {
        machine
            .say(format!("acpi {}: FADT indicates ASPM is unsupported, using BIOS configuration", host.acpi));
    }
    let bus = format!("{domain:04x}:{first:02x}");
    machine.say(format!("PCI host bridge to bus {bus}"));
    if let Some((start, end)) = host.io {
        machine.say(format!("pci_bus {bus}: root bus resource [io  {start:#06x}-{end:#06x} window]"));
    }
    for (start, end) in host.memory.into_iter().chain(host.high_memory) {
        machine.say(format!("pci_bus {bus}: root bus resource [mem {start:#010x}-{end:#010x} window]"));
    }
    machine.say(format!("pci_bus {bus}: root bus resource [bus {first:02x}-{last:02x}]"));
}

/// What the kernel says of its negotiation with firmware (negotiate_os_control in drivers/acpi/pci_root.c).
fn osc_lines(description: &Description, host: &HostBridge) -> Vec<String> {
    let kernel = description.kernel;
    let supports = match kernel {
        Kernel::V4_19 | Kernel::V5_4 => "ExtendedConfig ASPM ClockPM Segments MSI",
        Kernel::V5_15 => "ExtendedConfig ASPM ClockPM Segments MSI HPX-Type3",
        _ => "ExtendedConfig ASPM ClockPM Segments MSI EDR HPX-Type3",
    };
    let known = OSC_CONTROLS.iter().filter(|name| **name != "DPC" || kernel >= Kernel::V5_15);
    let (granted, refused): (Vec<&str>, Vec<&str>) =
        known.partition(|name| services::granted(description, host, name));
    let mut lines = vec![format!("_OSC: OS supports [{supports}]")];
    if granted.is_empty() {
        lines.push(
            "_OSC: not requesting OS control; OS requires [ExtendedConfig ASPM ClockPM MSI]".to_owned(),
        );
        return lines;
    }
    if !refused.is_empty() {
        lines.push(format!("_OSC: platform does not support [{}]", refused.join(" ")));
    }
    lines.push(format!("_OSC: OS now controls [{}]", granted.join(" ")));
    lines
}

/// Functions of a bus, then the buses below its bridges.
fn bus(
    machine: &mut Machine,
    description: &Description,
    domain: u32,
    number: u64,
    places: &std::collections::BTreeMap<Bdf, Places>,
) {
    let here: Vec<&FunctionDescription> = description
        .functions
        .iter()
        .filter(|f| f.address.domain == domain && u64::from(f.address.bus) == number)
        .collect();
    for function in &here {
        found(machine, function, places.get(&function.address));
    }
    for function in here {
        if let Some((secondary, _)) = function.buses {
            bus(machine, description, domain, secondary, places);
        }
    }
}

fn found(machine: &mut Machine, function: &FunctionDescription, places: Option<&Places>) {
    let kernel = machine.kernel;
    let name = format!("pci {}", function.address);
    let (vendor, device) = function.ids;
    let layout = u8::from(function.buses.is_some());
    let class = function.class;
    machine.say(format!("{name}: {}", kernel.function_found((vendor, device), layout, class, function.port)));
    let Some(places) = places else { return };
    let lines = resources::lines(function, places);
    for (line, resource) in lines.iter().enumerate().take(7).filter(|(_, r)| r.size() != 0) {
        let offset = if line == 6 { 0x30 } else { 0x10 + 4 * line as u16 };
        let range = resources::range_text(*resource);
        machine.say(format!("{name}: {}", kernel.bar_found(&resources::range_name(line), offset, &range)));
    }
    if let Some((secondary, subordinate)) = function.buses {
        let range = match secondary == subordinate {
            true => format!("{secondary:02x}"),
            false => format!("{secondary:02x}-{subordinate:02x}"),
        };
        machine.say(format!("{name}: PCI bridge to [bus {range}]"));
        for resource in lines[13..].iter().filter(|r| r.size() != 0) {
            machine.say(format!("{name}:   bridge window {}", resources::range_text(*resource)));
        }
    }
    if function.capabilities.iter().any(|(key, ..)| key == "power") {
        let states = if function.buses.is_some() { "D0 D3hot D3cold" } else { "D0 D3hot" };
        machine.say(format!("{name}: PME# supported from {states}"));
    }
}

fn port_services(
    machine: &mut Machine,
    description: &Description,
    function: &FunctionDescription,
    interrupts: &[Interrupt],
) {
    let Some(interrupt) = interrupts.iter().find(|i| i.owner == Some(function.address)) else { return };
    let (port, irq) = (function.address, interrupt.number);
    let old = machine.kernel == Kernel::V4_19;
    for service in services::of(description, function) {
        let name = services::device_name(function, service);
        match service.driver {
            "pcie_pme" if old => machine.say(format!("pcieport {port}: Signaling PME with IRQ {irq}")),
            "pcie_pme" => machine.say(format!("pcieport {port}: PME: Signaling with IRQ {irq}")),
            "aer" if old => machine.say(format!("aer {name}: AER enabled with IRQ {irq}")),
            "aer" => machine.say(format!("pcieport {port}: AER: enabled with IRQ {irq}")),
            "pciehp" => {
                let number = function.slot.map_or(0, |slot| slot.number);
                let prefix = match old {
                    true => format!("pciehp {name}: Slot #{number}"),
                    false => format!("pcieport {port}: pciehp: Slot #{number}"),
                };
                let features =
                    "AttnBtn- PwrCtrl- MRL- AttnInd- PwrInd- HotPlug+ Surprise+ Interlock- NoCompl+";
                let more = match machine.kernel {
                    Kernel::V4_19 => " LLActRep+",
                    _ => " IbPresDis- LLActRep+",
                };
                machine.say(format!("{prefix} {features}{more}"));
            }
            // Earlier ones print its capabilities only.
            "dpc" if machine.kernel >= Kernel::V5_15 => {
                machine.say(format!("pcieport {port}: DPC: enabled with IRQ {irq}"))
            }
            _ => {}
        }
    }
}
