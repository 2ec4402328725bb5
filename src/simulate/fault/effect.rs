//! What several faults do.

use crate::pci::Bdf;
use crate::simulate::document::Mistake;
use crate::simulate::kernel::{Kernel, Severity};
use crate::simulate::machine::registers::{EQUALIZATION, EQUALIZATION_8GT};
use crate::simulate::state::{Answer, Content, Machine, Removed};

/// The port at the other end of a function's link.
pub fn port_above(machine: &Machine, address: Bdf) -> Option<Bdf> {
    let has_link =
        |of: Bdf| machine.functions.get(&of).is_some_and(|f| f.enumerated.has("express.link_status"));
    let parent = machine.parent(address)?;
    (has_link(address) && has_link(parent)).then_some(parent)
}

/// The port at the other end, which must be there.
pub fn port(machine: &Machine, address: Bdf) -> Result<Bdf, Mistake> {
    port_above(machine, address)
        .ok_or_else(|| Mistake::new(0, format!("{address} has no link to a port above it")))
}

/// Everything that a port's link leads to: the functions directly below a port, by address.
pub fn below_port(machine: &Machine, port: Bdf) -> Vec<Bdf> {
    machine.functions.keys().copied().filter(|f| machine.parent(*f) == Some(port)).collect()
}

/// The functions of a device and everything below them.
pub fn device_and_below(machine: &Machine, address: Bdf) -> Vec<Bdf> {
    let mut all = Vec::new();
    for function in machine.siblings(address) {
        // Functions of a root complex share a device number and no link.
        if machine.parent(function) != machine.parent(address) {
            continue;
        }
        all.push(function);
        all.extend(machine.below(function));
    }
    all
}

/// Sets a register of a function, if it has it.
pub fn set(machine: &mut Machine, address: Bdf, path: &str, value: u64) -> Result<(), Mistake> {
    machine.change(address)?.config.set(path, value)
}

/// Sets registers of a function that may lack them.
pub fn set_if_there(machine: &mut Machine, address: Bdf, values: &[(&str, u64)]) -> Result<(), Mistake> {
    let function = machine.change(address)?;
    for (path, value) in values {
        function.config.set_if_there(path, *value);
    }
    Ok(())
}

/// A register of a function; 0 if it lacks it.
pub fn get(machine: &Machine, address: Bdf, path: &str) -> u64 {
    machine.functions.get(&address).map_or(0, |f| f.config.value(path))
}

/// The functions answer nothing any more.
pub fn silence(machine: &mut Machine, functions: &[Bdf]) -> Result<(), Mistake> {
    for address in functions {
        machine.change(*address)?.answer = Answer::AllOnes;
    }
    Ok(())
}

/// The link below a port goes down (PCIe 6.2, 7.5.3.8). Width 0 and 2.5 GT/s are what most hardware shows then; the
/// specification leaves both undefined.
pub fn link_down(machine: &mut Machine, port: Bdf, card_seen: bool) -> Result<(), Mistake> {
    set_if_there(
        machine,
        port,
        &[
            ("express.link_status.current_link_speed", 1),
            ("express.link_status.negotiated_link_width", 0),
            ("express.link_status.data_link_layer_link_active", 0),
            ("express.slot_status.presence_detect_state", card_seen.into()),
            ("express.slot_status.data_link_layer_state_changed", 1),
        ],
    )?;
    if !card_seen {
        set_if_there(machine, port, &[("express.slot_status.presence_detect_changed", 1)])?;
    }
    unequalize(machine, port)?;
    let bus_speed = machine.kernel.speed(1).to_owned();
    slot_attribute(machine, port, "cur_bus_speed", &bus_speed);
    if !card_seen {
        slot_attribute(machine, port, "adapter", "0");
    }
    Ok(())
}

/// What equalization reached is forgotten with the link.
pub fn unequalize(machine: &mut Machine, port: Bdf) -> Result<(), Mistake> {
    for flag in EQUALIZATION_8GT {
        set_if_there(machine, port, &[(&format!("express.link_status_2.{flag}"), 0)])?;
    }
    for flag in EQUALIZATION {
        for register in ["physical_16gt.status", "physical_32gt.status"] {
            set_if_there(machine, port, &[(&format!("{register}.{flag}"), 0)])?;
        }
    }
    Ok(())
}

/// Folder of the slot below a port in `sys/bus/pci/slots`.
pub fn slot_folder(machine: &Machine, port: Bdf) -> Option<String> {
    let bus = machine.functions.get(&port)?.enumerated.get("header.secondary_bus.number").ok()?;
    let address = format!("{:04x}:{bus:02x}:00", port.domain);
    machine.files.iter().find_map(|(path, content)| {
        let folder = path.strip_suffix("/address").filter(|p| p.starts_with("sys/bus/pci/slots/"))?;
        let Content::Bytes(bytes) = content else { return None };
        (String::from_utf8_lossy(bytes).trim() == address).then(|| folder.to_owned())
    })
}

/// Name of the slot below a port; its number where sysfs has none.
pub fn slot_name(machine: &Machine, port: Bdf) -> String {
    match slot_folder(machine, port) {
        Some(folder) => folder.rsplit('/').next().unwrap_or("0").to_owned(),
        None => get(machine, port, "express.slot_capabilities.physical_slot_number").to_string(),
    }
}

/// Sets an attribute of the slot below a port, if it has it.
pub fn slot_attribute(machine: &mut Machine, port: Bdf, name: &str, text: &str) {
    if let Some(folder) = slot_folder(machine, port) {
        let path = format!("{folder}/{name}");
        if machine.files.contains_key(&path) {
            machine.line(path, text);
        }
    }
}

/// Whether the kernel runs a port service: `pcie002` AER, `pcie004` hot-plug, `pcie008` DPC.
pub fn runs_service(machine: &Machine, port: Bdf, bit: u8) -> bool {
    let Some(function) = machine.functions.get(&port) else { return false };
    let prefix = format!("{}/{port}:pcie", function.folder);
    machine
        .files
        .range(prefix.clone()..)
        .map_while(|(path, _)| path.strip_prefix(&prefix))
        .any(|rest| rest.get(1..3).and_then(|d| u8::from_str_radix(d, 16).ok()) == Some(bit))
}

/// Whether the kernel handles the errors that arrive at the root port above.
pub fn kernel_owns_errors(machine: &Machine, address: Bdf) -> bool {
    machine.root_port(address).is_some_and(|port| runs_service(machine, port, 2))
        || machine.parent(address).is_none() && runs_service(machine, address, 2)
}

/// Adds to a row of an error table such as `aer_dev_correctable`, and to its total.
pub fn count_error(machine: &mut Machine, address: Bdf, table: &str, row: &str, times: u64) {
    let path = machine.attribute(address, table);
    let Some(text) = machine.text(&path) else { return };
    let counted: Vec<String> = text
        .lines()
        .map(|line| match line.rsplit_once(' ') {
            Some((name, count)) if name == row || name.starts_with("TOTAL_ERR") => {
                format!("{name} {}", count.parse::<u64>().unwrap_or(0) + times)
            }
            _ => line.to_owned(),
        })
        .collect();
    machine.line(path, counted.join("\n"));
}

/// Adds to a counter that stands alone, such as `aer_rootport_total_err_cor`.
pub fn count(machine: &mut Machine, address: Bdf, name: &str, times: u64) {
    let path = machine.attribute(address, name);
    if let Some(value) = machine.text(&path) {
        machine.line(path, value.parse::<u64>().unwrap_or(0) + times);
    }
}

/// An error that a function detects and reports.
#[derive(Debug, Clone)]
pub struct Report {
    /// The function that detects it.
    pub source: Bdf,
    /// How bad it is.
    pub severity: Severity,
    /// Bits of the status register; the first is the one that came first.
    pub bits: Vec<u8>,
    /// Header of the packet that it is about.
    pub header: Option<[u32; 4]>,
    /// Messages, one after the other.
    pub times: u64,
    /// Microseconds from one to the next.
    pub every: u64,
}

/// Reports an error the way hardware and kernel do: status bits at the source and at the root port; lines and counters
/// if the kernel handles errors there (drivers/pci/pcie/aer.c), and then the bits are cleared again.
pub fn report(machine: &mut Machine, report: &Report) -> Result<(), Mistake> {
    let Report { source, severity, bits, .. } = report;
    let root = machine.root_port(*source).unwrap_or(*source);
    let owned = kernel_owns_errors(machine, *source);
    let (status, devsta, table) = match severity {
        Severity::Correctable => {
            ("aer.correctable_status", "correctable_error_detected", "aer_dev_correctable")
        }
        Severity::NonFatal => ("aer.uncorrectable_status", "non_fatal_error_detected", "aer_dev_nonfatal"),
        Severity::Fatal => ("aer.uncorrectable_status", "fatal_error_detected", "aer_dev_fatal"),
    };
    let raw = bits.iter().fold(0u64, |raw, bit| raw | 1 << bit);
    let latched = get(machine, *source, status) | raw;
    set_if_there(machine, *source, &[(status, latched), (&format!("express.device_status.{devsta}"), 1)])?;
    if let (Some(header), Some(first)) = (report.header, bits.first()) {
        set_if_there(
            machine,
            *source,
            &[("aer.capabilities_and_control.first_error_pointer", u64::from(*first))],
        )?;
        for (place, word) in header.iter().enumerate() {
            set_if_there(
                machine,
                *source,
                &[(&format!("aer.header_log[{place}].header"), u64::from(*word))],
            )?;
        }
    }
    root_status(machine, root, report)?;
    if !owned {
        return Ok(());
    }
    for _ in 0..report.times {
        say_error(machine, root, report);
        machine.wait(report.every);
    }
    count_report(machine, root, report, table);
    // The kernel clears what it has read (pci_aer_clear_nonfatal_status, pcie_clear_device_status, aer_irq).
    let kept = get(machine, *source, status) & !raw;
    set_if_there(machine, *source, &[(status, kept), (&format!("express.device_status.{devsta}"), 0)])?;
    set_if_there(machine, root, &[("aer.root_error_status", 0)])
}

fn count_report(machine: &mut Machine, root: Bdf, report: &Report, table: &str) {
    let rows = match report.severity {
        Severity::Correctable => machine.kernel.correctable_rows(),
        _ => machine.kernel.uncorrectable_rows(),
    };
    // Before 6.16 a fatal error of an endpoint is counted at the root port only: the kernel does not read the device.
    let skipped =
        report.severity == Severity::Fatal && machine.kernel < Kernel::V7_2 && report.source != root;
    if !skipped {
        let mut total = true;
        for bit in &report.bits {
            if let Some((row, _)) = rows.iter().find(|(_, b)| b == bit) {
                count_rows(machine, report.source, table, row, report.times, total);
                total = false;
            }
        }
    }
    let kind = match report.severity {
        Severity::Correctable => "aer_rootport_total_err_cor",
        Severity::NonFatal => "aer_rootport_total_err_nonfatal",
        Severity::Fatal => "aer_rootport_total_err_fatal",
    };
    count(machine, root, kind, report.times);
}

/// One message counts once in the total, however many bits it has.
fn count_rows(machine: &mut Machine, address: Bdf, table: &str, row: &str, times: u64, total: bool) {
    let path = machine.attribute(address, table);
    let before = machine.text(&path);
    count_error(machine, address, table, row, times);
    if let (false, Some(before), Some(after)) = (total, before, machine.text(&path)) {
        let total = before.lines().last().unwrap_or_default().to_owned();
        let mut lines: Vec<&str> = after.lines().collect();
        if let Some(last) = lines.last_mut() {
            *last = &total;
        }
        machine.line(path, lines.join("\n"));
    }
}

/// Root Error Status and the source (PCIe 6.2, 7.8.4.10).
fn root_status(machine: &mut Machine, root: Bdf, report: &Report) -> Result<(), Mistake> {
    let source = u64::from(report.source.requester_id());
    let several = u64::from(report.times > 1);
    let values: Vec<(&str, u64)> = match report.severity {
        Severity::Correctable => vec![
            ("aer.root_error_status.err_cor_received", 1),
            ("aer.root_error_status.multiple_err_cor_received", several),
            ("aer.error_source_identification.err_cor_source_identification", source),
        ],
        severity => {
            let fatal = u64::from(severity == Severity::Fatal);
            vec![
                ("aer.root_error_status.err_fatal_nonfatal_received", 1),
                ("aer.root_error_status.multiple_err_fatal_nonfatal_received", several),
                ("aer.root_error_status.first_uncorrectable_fatal", fatal),
                ("aer.root_error_status.non_fatal_error_messages_received", 1 - fatal),
                ("aer.root_error_status.fatal_error_messages_received", fatal),
                ("aer.error_source_identification.err_fatal_nonfatal_source_identification", source),
            ]
        }
    };
    set_if_there(machine, root, &values)
}

/// The lines of one error (aer_print_port_info, aer_print_error).
fn say_error(machine: &mut Machine, root: Bdf, report: &Report) {
    let (kernel, source, severity) = (machine.kernel, report.source, report.severity);
    machine.say_of(root, kernel.aer_source(severity, &source.to_string()));
    let answers = machine.functions.get(&source).is_some_and(|f| f.answer == Answer::Registers);
    let words = kernel.severity(severity);
    // The link of a fatal error is not trusted: the kernel reads ports only (aer_get_device_error_info).
    let is_port = machine.functions.get(&source).is_some_and(|f| f.enumerated.layout() == 1);
    if severity == Severity::Fatal && !is_port {
        let prefix = kernel.aer_error_prefix();
        let text =
            format!("{prefix}PCIe Bus Error: severity={words}, type=Inaccessible, (Unregistered Agent ID)");
        machine.say_of(source, text);
        return;
    }
    if !answers {
        // Status and mask read all-ones: nothing is left to print.
        return;
    }
    let prefix = kernel.aer_block_prefix();
    let correctable = severity == Severity::Correctable;
    let status = report.bits.iter().fold(0u32, |raw, bit| raw | 1 << bit);
    let mask =
        get(machine, source, if correctable { "aer.correctable_mask" } else { "aer.uncorrectable_mask" });
    let (layer, agent) = layer_and_agent(correctable, status);
    machine.say_of(source, format!("{prefix}PCIe Bus Error: severity={words}, type={layer}, ({agent})"));
    let ids = machine
        .functions
        .get(&source)
        .map_or((0, 0), |f| (f.enumerated.number(0, 2), f.enumerated.number(2, 2)));
    machine.say_of(
        source,
        format!("{prefix}  device [{:04x}:{:04x}] error status/mask={status:08x}/{mask:08x}", ids.0, ids.1),
    );
    let rows = if correctable { kernel.correctable_rows() } else { kernel.uncorrectable_rows() };
    let mut bits = report.bits.clone();
    bits.sort_unstable();
    let first = report.bits.first();
    for bit in bits {
        let name = rows.iter().find(|(_, b)| *b == bit).map_or("Unknown Error Bit", |(name, _)| name);
        // Correctable errors have no first error pointer; the kernel compares with that of the last one.
        let mark = if Some(&bit) == first { " (First)" } else { "" };
        machine.say_of(source, format!("{prefix}   [{bit:2}] {name:<22}{mark}"));
    }
    if let Some(header) = report.header {
        machine.say_of(source, kernel.tlp_header(header));
    }
}

/// aer_error_layer and aer_agent (AER_GET_LAYER_ERROR, AER_GET_AGENT in drivers/pci/pcie/aer.c).
fn layer_and_agent(correctable: bool, status: u32) -> (&'static str, &'static str) {
    let any = |bits: &[u32]| bits.iter().any(|bit| status >> bit & 1 == 1);
    if correctable {
        let layer = match () {
            () if any(&[0]) => "Physical Layer",
            () if any(&[6, 7, 8, 12]) => "Data Link Layer",
            () => "Transaction Layer",
        };
        (layer, if any(&[8, 12]) { "Transmitter ID" } else { "Receiver ID" })
    } else {
        let layer = if any(&[4, 5]) { "Data Link Layer" } else { "Transaction Layer" };
        let agent = match () {
            () if any(&[15]) => "Completer ID",
            () if any(&[14]) => "Requester ID",
            () => "Receiver ID",
        };
        (layer, agent)
    }
}

/// The driver lets go of a function: links, interrupts, and what the kernel switches off (pci_device_remove).
pub fn unbind(machine: &mut Machine, address: Bdf) -> Result<(), Mistake> {
    let Some(driver) = machine.driver(address) else { return Ok(()) };
    let path = machine.attribute(address, "driver");
    machine.remove(&path);
    machine.remove(&format!("sys/bus/pci/drivers/{driver}/{address}"));
    let path = machine.attribute(address, "uevent");
    if let Some(text) = machine.text(&path) {
        let rest: Vec<&str> = text.lines().filter(|line| !line.starts_with("DRIVER=")).collect();
        machine.line(path, rest.join("\n"));
    }
    release_interrupts(machine, address)?;
    machine.set_attribute(address, "enable", 0);
    let state = machine.kernel.power_state_without_driver();
    if machine.text(&machine.attribute(address, "power_state")).as_deref() == Some("D0") {
        machine.set_attribute(address, "power_state", state);
    }
    set_if_there(machine, address, &[("header.command.bus_master_enable", 0)])
}

/// Linux's numbers of a function's message interrupts.
fn message_interrupts(machine: &Machine, address: Bdf) -> Vec<String> {
    let prefix = format!("{}/", machine.attribute(address, "msi_irqs"));
    machine.files.keys().filter_map(|path| path.strip_prefix(&prefix)).map(str::to_owned).collect()
}

/// Splits `/proc/interrupts` into the lines of these interrupts and the others.
fn split_interrupts(machine: &Machine, numbers: &[String]) -> (Vec<String>, Vec<String>) {
    let Some(Content::Bytes(bytes)) = machine.files.get("proc/interrupts") else { return Default::default() };
    let text = String::from_utf8_lossy(bytes);
    text.lines().map(str::to_owned).partition(|line| {
        line.split_once(':').is_some_and(|(number, _)| numbers.iter().any(|n| n == number.trim()))
    })
}

/// The kernel takes the interrupts of a function back.
pub fn release_interrupts(machine: &mut Machine, address: Bdf) -> Result<(), Mistake> {
    let numbers = message_interrupts(machine, address);
    let folder = machine.attribute(address, "msi_irqs");
    machine.remove(&folder);
    let (_, rest) = split_interrupts(machine, &numbers);
    if !rest.is_empty() {
        machine.line("proc/interrupts", rest.join("\n"));
    }
    for number in &numbers {
        machine.remove(&format!("proc/irq/{number}"));
    }
    set_if_there(machine, address, &[("msix.control.enable", 0), ("msi.control.enable", 0)])
}

/// The kernel removes a function and everything below it: folders, links, interrupts.
pub fn remove(machine: &mut Machine, address: Bdf) -> Result<(), Mistake> {
    let mut all = machine.below(address);
    all.reverse();
    all.push(address);
    for gone in all {
        let function = machine.function(gone)?.clone();
        let numbers = message_interrupts(machine, gone);
        let (interrupts, _) = split_interrupts(machine, &numbers);
        let name = gone.to_string();
        let folder = format!("{}/", function.folder);
        let belongs = |path: &str, content: &Content| {
            path.starts_with(&folder)
                || numbers.iter().any(|n| path.starts_with(&format!("proc/irq/{n}/")))
                || matches!(content, Content::Link(target) if target.rsplit('/').next() == Some(&name))
                || matches!(content, Content::Link(target) if target.contains(&format!("/{name}/")))
        };
        let files: std::collections::BTreeMap<String, Content> = machine
            .files
            .iter()
            .filter(|(path, content)| belongs(path, content))
            .map(|(path, content)| (path.clone(), content.clone()))
            .collect();
        let group = match files.get(&format!("{folder}iommu_group")) {
            Some(Content::Link(target)) => target.rsplit('/').next().and_then(|n| n.parse().ok()),
            _ => None,
        };
        unbind(machine, gone)?;
        if let Some(group) = group {
            let text = machine.kernel.iommu_group(&format!("pci {gone}"), &name, group, false);
            machine.say(text);
        }
        machine.files.retain(|path, _| !files.contains_key(path));
        machine.functions.remove(&gone);
        machine.removed.push(Removed { function, files, interrupts });
    }
    Ok(())
}

/// The kernel looks for functions that it removed and finds those that answer and whose bridge is there.
pub fn rescan(machine: &mut Machine) {
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
        if let Some(text) = machine.text("proc/interrupts") {
            let lines: Vec<&str> = text.lines().chain(interrupts.iter().map(String::as_str)).collect();
            machine.file("proc/interrupts", format!("     {}\n", lines.join("\n")));
        }
        machine.functions.insert(address, function);
        found.push(address);
    }
    machine.removed.reverse();
    for address in found {
        say_found(machine, address);
    }
}

/// The line about a function that the kernel finds while it runs (pci_setup_device).
pub fn say_found(machine: &mut Machine, address: Bdf) {
    let Some(function) = machine.functions.get(&address) else { return };
    let number = |offset, width| function.enumerated.number(offset, width);
    let (vendor, device, class) = (number(0, 2), number(2, 2), number(9, 2) | number(11, 1) << 16);
    let layout = function.enumerated.layout();
    machine.say(format!("pci {address}: [{vendor:04x}:{device:04x}] type {layout:02x} class 0x{class:06x}"));
}

/// Fills the memory behind the BARs of a function, as far as it is stored, with one value.
pub fn fill_bars(machine: &mut Machine, address: Bdf, value: u8) {
    let prefix = machine.attribute(address, "resource");
    for (path, content) in
        machine.files.range_mut(prefix.clone()..).take_while(|(p, _)| p.starts_with(&prefix))
    {
        if let (true, Content::Bytes(bytes)) = (path.contains('@'), content) {
            bytes.fill(value);
        }
    }
}

/// The stored vector table of a function, as a change.
pub fn vector_table(
    machine: &mut Machine,
    address: Bdf,
    change: impl FnOnce(&mut [u8]),
) -> Result<(), Mistake> {
    stored_register_block(machine, address, "msix.table", change)
}

/// The stored pending bits of a function, as a change.
pub fn pending_bits(
    machine: &mut Machine,
    address: Bdf,
    change: impl FnOnce(&mut [u8]),
) -> Result<(), Mistake> {
    stored_register_block(machine, address, "msix.pending_bit_array", change)
}

fn stored_register_block(
    machine: &mut Machine,
    address: Bdf,
    register: &str,
    change: impl FnOnce(&mut [u8]),
) -> Result<(), Mistake> {
    let bar = get(machine, address, &format!("{register}.bar_indicator"));
    let offset = get(machine, address, &format!("{register}.offset")) * 8;
    let path = machine.attribute(address, &format!("resource{bar}@0x{offset:x}"));
    match machine.files.get_mut(&path) {
        Some(Content::Bytes(bytes)) => {
            change(bytes);
            Ok(())
        }
        _ => Err(Mistake::new(
            0,
            format!("{address}: memory behind its BAR is not described: {path} is missing"),
        )),
    }
}

/// What drivers say when they find out that their device is gone: the wording of NVIDIA's open modules (osHandleGpuLost,
/// 570 and later), and of the kernel's drivers/nvme/host/pci.c, igb, igc, ixgbe, mlx5, xhci and ahci.
pub fn driver_finds_device_gone(machine: &mut Machine, address: Bdf) {
    let marked = machine.functions.get(&address).is_some_and(|f| f.marked);
    match machine.driver(address).as_deref() {
        Some("nvidia") => {
            let bus = gpu_name(address);
            let uuid = gpu_uuid(address);
            machine.say(format!("NVRM: GPU at PCI:{bus}: {uuid}"));
            machine.say(format!("NVRM: Xid (PCI:{bus}): 79, GPU has fallen off the bus."));
            machine.say(format!("NVRM: GPU {address}: GPU has fallen off the bus."));
            machine.say(format!(
                "NVRM: Xid (PCI:{bus}): 154, GPU recovery action changed from 0x0 (None) to 0x2 (Node Reboot Required)"
            ));
        }
        Some("nvme") => {
            let name = nvme_name(machine, address);
            let status = if marked { " read failed (134)" } else { "=0xffff" };
            machine.say(format!(
                "nvme {name}: controller is down; will reset: CSTS=0xffffffff, PCI_STATUS{status}"
            ));
            if machine.kernel >= Kernel::V6_8 {
                machine
                    .say(format!("nvme {name}: Does your device have a faulty power saving mode enabled?"));
                machine.say(format!(
                    "nvme {name}: Try \"nvme_core.default_ps_max_latency_us=0 pcie_aspm=off pcie_port_pm=off\" and \
                     report a bug"
                ));
            }
        }
        Some("igb") => machine.say_of(address, "PCIe link lost"),
        Some("igc") => machine.say_of(address, "PCIe link lost, device now detached"),
        Some("ixgbe") => machine.say_of(address, "Adapter removed"),
        Some("mlx5_core") => {
            machine
                .say_of(address, "poll_health:818:(pid 0): device's health compromised - reached miss count");
        }
        Some("xhci_hcd") => machine.say_of(address, "xHCI host controller not responding, assume dead"),
        Some("ahci") => machine.say_of(address, "AHCI controller unavailable!"),
        _ => {}
    }
}

/// How NVIDIA's driver names a GPU in Xid lines: without the function.
pub fn gpu_name(address: Bdf) -> String {
    format!("{:04x}:{:02x}:{:02x}", address.domain, address.bus, address.device)
}

/// A made-up identifier of a GPU, the same for the same address.
pub fn gpu_uuid(address: Bdf) -> String {
    let mut random = crate::simulate::clock::Random::new(
        u64::from(address.domain) << 16 | u64::from(address.requester_id()),
    );
    let (a, b) = (random.next_number(), random.next_number());
    let text = format!("{a:016x}{b:016x}");
    format!("GPU-{}-{}-{}-{}-{}", &text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..])
}

/// The name that the NVMe driver gave a controller: they are numbered in the order of their addresses.
pub fn nvme_name(machine: &Machine, address: Bdf) -> String {
    let before = machine.functions.values().filter(|f| {
        f.address < address && f.enumerated.number(0x09, 2) == 0x0802 && f.enumerated.number(0x0b, 1) == 1
    });
    format!("nvme{}", before.count())
}

/// The link below a port comes up again, as it was when the kernel found it.
pub fn link_up(machine: &mut Machine, port: Bdf) -> Result<(), Mistake> {
    let function = machine.change(port)?;
    for path in
        ["express.link_status", "express.link_status_2", "physical_16gt.status", "physical_32gt.status"]
    {
        if let (Ok(place), Ok(value)) = (function.enumerated.place(path), function.enumerated.get(path)) {
            function.config.store(place.offset, place.width, value);
        }
    }
    let speed = function.config.value("express.link_status.current_link_speed");
    let text = machine.kernel.speed(speed).to_owned();
    slot_attribute(machine, port, "cur_bus_speed", &text);
    Ok(())
}

/// Takes an extended capability out of a function's list, as if it had never had it.
pub fn drop_extended(machine: &mut Machine, address: Bdf, key: &str) -> Result<(), Mistake> {
    let function = machine.change(address)?;
    let Some(at) = function.enumerated.capability(key) else { return Ok(()) };
    for config in [&mut function.config, &mut function.enumerated] {
        let next = config.number(at, 4) >> 20;
        let before = config.located().into_iter().find(|l| {
            l.list == crate::pci::walk::List::Extended && config.number(l.offset, 4) >> 20 == u64::from(at)
        });
        match before {
            // The capability before it points behind it.
            Some(before) => {
                let head = config.number(before.offset, 4) & 0xf_ffff;
                config.store(before.offset, 4, head | next << 20);
            }
            // The first of the list cannot be left out: it becomes an empty one (PCIe 6.2, 7.6.3).
            None => config.store(at, 4, next << 20),
        }
    }
    Ok(())
}
