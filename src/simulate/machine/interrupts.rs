//! Who interrupts whom: Linux's numbers, the messages in the devices, `/proc/interrupts`.

use super::description::{Description, FunctionDescription};
use super::services;
use crate::pci::Bdf;
use crate::simulate::clock::Random;
use crate::simulate::config::Config;
use crate::simulate::document::Mistake;
use crate::simulate::kernel::Kernel;
use crate::simulate::state::Machine;

/// One message interrupt, or one of another device.
#[derive(Debug, Clone)]
pub struct Interrupt {
    /// Linux's number.
    pub number: u64,
    /// The function; `None` for what is not PCI.
    pub owner: Option<Bdf>,
    chip: String,
    hardware: String,
    action: String,
    processor: usize,
    vector: u64,
    count: u64,
    allowed: String,
}

/// Whether the function has MSI-X (otherwise it uses MSI).
fn uses_msix(function: &FunctionDescription) -> bool {
    function.capabilities.iter().any(|(key, ..)| key == "msix")
}

/// How many message interrupts a function has.
fn vectors(description: &Description, function: &FunctionDescription) -> u64 {
    let has = |name: &str| function.capabilities.iter().any(|(key, ..)| key == name);
    if function.driver.is_none() || description.fadt.0 || !(has("msi") || has("msix")) {
        return 0;
    }
    if function.driver.as_deref() == Some("pcieport") {
        return u64::from(!services::of(description, function).is_empty());
    }
    match has("msix") {
        true => function.vectors,
        false => function.vectors.min(1),
    }
}

/// Gives every function its interrupts, in the order in which drivers start: ports first.
pub fn assign(description: &Description) -> Vec<Interrupt> {
    let mut random = Random::new(0x1517);
    let mut all =
        vec![board(description, 0, "2-edge", "timer", 112), board(description, 9, "9-fasteoi", "acpi", 0)];
    let mut number = 24;
    let mut used = vec![0u64; description.processors.len()];
    let is_port = |f: &&FunctionDescription| f.driver.as_deref() == Some("pcieport");
    let ports = description.functions.iter().filter(is_port);
    let others = description.functions.iter().filter(|f| !is_port(f));
    for function in ports.chain(others) {
        let node = description.node(function);
        let near: Vec<usize> = (0..description.processors.len())
            .filter(|p| node.is_none_or(|node| description.processors[*p].1 == node))
            .collect();
        let near = if near.is_empty() { vec![0] } else { near };
        for index in 0..vectors(description, function) {
            let processor = near[index as usize % near.len()];
            used[processor] += 1;
            all.push(Interrupt {
                number,
                owner: Some(function.address),
                chip: chip(description, function),
                hardware: hardware(description, function, index),
                action: action(description, function, index),
                processor,
                // From 21h on, as the kernel's vector allocator gives them to devices.
                vector: 0x20 + used[processor],
                count: if is_port(&function) { 0 } else { 1 + random.below(60_000) },
                allowed: list(&near),
            });
            number += 1;
        }
    }
    all
}

fn board(description: &Description, number: u64, hardware: &str, action: &str, count: u64) -> Interrupt {
    let prefix = if description.interrupt_remapping { "IR-" } else { "" };
    Interrupt {
        number,
        owner: None,
        chip: format!("{prefix}IO-APIC"),
        hardware: hardware.to_owned(),
        action: action.to_owned(),
        processor: 0,
        vector: 0x30,
        count,
        allowed: list(&(0..description.processors.len()).collect::<Vec<_>>()),
    }
}

/// Name of the interrupt chip: with the device since 6.2 (msi_create_device_irq_domain in kernel/irq/msi.c).
fn chip(description: &Description, function: &FunctionDescription) -> String {
    let prefix = if description.interrupt_remapping { "IR-" } else { "" };
    let kind = if uses_msix(function) { "MSIX" } else { "MSI" };
    match description.kernel >= Kernel::V6_8 {
        true => format!("{prefix}PCI-{kind}-{}", function.address),
        false => format!("{prefix}PCI-MSI"),
    }
}

/// Hardware interrupt: the vector since 6.2, before that with the function's address in it
/// (pci_msi_domain_calc_hwirq).
fn hardware(description: &Description, function: &FunctionDescription, index: u64) -> String {
    match description.kernel >= Kernel::V6_8 {
        true => format!("{index}-edge"),
        false => {
            let function_bits = u64::from(function.address.requester_id()) << 11;
            format!("{}-edge", index | function_bits | u64::from(function.address.domain) << 27)
        }
    }
}

fn action(description: &Description, function: &FunctionDescription, index: u64) -> String {
    if function.driver.as_deref() == Some("pcieport") {
        let services = services::of(description, function);
        let names: Vec<&str> = services.iter().filter_map(|s| s.handler).collect();
        return names.join(", ");
    }
    match &function.interrupt_name {
        Some(name) => {
            name.replace("{}", &index.to_string()).replace("{address}", &function.address.to_string())
        }
        None => function.driver.clone().unwrap_or_default(),
    }
}

/// Numbers as Linux writes lists of processors: `0-3,8`.
pub fn list(numbers: &[usize]) -> String {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for number in numbers {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == *number => *last = *number,
            _ => ranges.push((*number, *number)),
        }
    }
    let text = |(first, last): &(usize, usize)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    };
    ranges.iter().map(text).collect::<Vec<_>>().join(",")
}

impl Interrupt {
    /// What the processor is sent (Intel SDM volume 3, 11.11): physical destination, fixed delivery, edge. With
    /// remapping the index of the table entry instead (Intel VT-d 4.1, 5.1.2.2; AMD IOMMU 3.09, 2.2.5).
    fn message(&self, description: &Description) -> (u64, u64) {
        match (description.interrupt_remapping, description.iommu) {
            (true, super::description::Iommu::Intel) => (0xfee0_0018 | (self.number & 0x7fff) << 5, 0),
            (true, _) => (0xfee0_0000, self.number & 0x7ff),
            _ => (0xfee0_0000 | description.processors[self.processor].0 << 12, self.vector),
        }
    }
}

/// Writes what a function's interrupts leave: registers, the vector table, `msi_irqs`.
pub fn write(
    machine: &mut Machine,
    description: &Description,
    function: &FunctionDescription,
    config: &mut Config,
    all: &[Interrupt],
) -> Result<(), Mistake> {
    let own: Vec<&Interrupt> = all.iter().filter(|i| i.owner == Some(function.address)).collect();
    let folder = super::files::folder(description, function.address);
    let kind = if uses_msix(function) { "msix" } else { "msi" };
    for interrupt in &own {
        machine.line(format!("{folder}/msi_irqs/{}", interrupt.number), kind);
    }
    // With MSI, `irq` is the first message; with MSI-X it stays the pin (irq_show in drivers/pci/pci-sysfs.c).
    let irq = match own.first() {
        Some(first) if kind == "msi" => first.number,
        _ => function.pin_interrupt,
    };
    machine.line(format!("{folder}/irq"), irq);
    if let (Some(msix), true) = (function.msix, uses_msix(function)) {
        if !own.is_empty() {
            config.set("msix.control.enable", 1)?;
        }
        tables(machine, description, &folder, msix, &own);
    } else if let Some(first) = own.first() {
        let (address, data) = first.message(description);
        config.set("msi.control.enable", 1)?;
        config.set_all(&[("msi.address.address", address >> 2), ("msi.data.data", data)])?;
    }
    Ok(())
}

/// Vector table and pending bits as they lie in the BAR. Entries that the kernel gave nobody are masked and empty
/// (msix_mask_all in drivers/pci/msi/msi.c).
fn tables(
    machine: &mut Machine,
    description: &Description,
    folder: &str,
    msix: super::description::Msix,
    own: &[&Interrupt],
) {
    let mut table = Vec::new();
    for index in 0..msix.vectors {
        let interrupt = own.get(index as usize);
        let (address, data) = interrupt.map_or((0, 0), |i| i.message(description));
        for doubleword in [address as u32, (address >> 32) as u32, data as u32, interrupt.is_none().into()] {
            table.extend(doubleword.to_le_bytes());
        }
    }
    let bits = vec![0; msix.vectors.div_ceil(64) as usize * 8];
    machine.file(format!("{folder}/resource{}@0x{:x}", msix.bar, msix.table), table);
    machine.file(format!("{folder}/resource{}@0x{:x}", msix.bar, msix.pending), bits);
}

/// `/proc/interrupts` and `/proc/irq`.
pub fn proc_files(machine: &mut Machine, description: &Description, all: &[Interrupt]) {
    let processors = description.processors.len();
    let head: Vec<String> = (0..processors).map(|n| format!("{:>10}", format!("CPU{n}"))).collect();
    let mut text = format!("     {}\n", head.join(" "));
    for interrupt in all {
        let count = |n| if n == interrupt.processor { interrupt.count } else { 0 };
        let counts: Vec<String> = (0..processors).map(|n| format!("{:>10}", count(n))).collect();
        let (number, chip) = (interrupt.number, &interrupt.chip);
        let (hardware, action) = (&interrupt.hardware, &interrupt.action);
        text += &format!("{number:>4}: {}  {chip} {hardware:>11}      {action}\n", counts.join(" "));
        machine.line(format!("proc/irq/{number}/smp_affinity_list"), &interrupt.allowed);
        machine.line(format!("proc/irq/{number}/effective_affinity_list"), interrupt.processor);
    }
    let zeros = vec![format!("{:>10}", 0); processors].join(" ");
    text += &format!(" NMI: {zeros}   Non-maskable interrupts\n ERR:          0\n MIS:          0\n");
    machine.file("proc/interrupts", text);
}
