//! Errors that hardware detects and reports, and what the kernel makes of them.

use super::*;

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
/// if the kernel handles errors there (drivers/pci/pcie/aer.c), and then the bits are cleared again. What the device masks
/// is latched in its status registers and nothing more (PCIe 6.2, 6.2.3.2.2); a device without link sends no message.
///
/// Gives whether the kernel handled it.
pub fn report(machine: &mut Machine, told: &Report) -> Result<bool, Mistake> {
    let Report { source, severity, bits, .. } = told;
    let root = machine.root_port(*source).unwrap_or(*source);
    let answers = machine.function(*source)?.answer == Answer::Registers;
    if !answers && port_above(machine, *source).is_none_or(|port| !link_is_up(machine, port)) {
        return Ok(false);
    }
    let owned = kernel_owns_errors(machine, *source);
    let (status, mask, devsta, table) = match severity {
        Severity::Correctable => (
            "aer.correctable_status",
            "aer.correctable_mask",
            "correctable_error_detected",
            "aer_dev_correctable",
        ),
        Severity::NonFatal => (
            "aer.uncorrectable_status",
            "aer.uncorrectable_mask",
            "non_fatal_error_detected",
            "aer_dev_nonfatal",
        ),
        Severity::Fatal => {
            ("aer.uncorrectable_status", "aer.uncorrectable_mask", "fatal_error_detected", "aer_dev_fatal")
        }
    };
    let raw = bits.iter().fold(0u64, |raw, bit| raw | 1 << bit);
    let latched = get(machine, *source, status) | raw;
    set_if_there(machine, *source, &[(status, latched), (&format!("express.device_status.{devsta}"), 1)])?;
    let mask = get(machine, *source, mask);
    let bits: Vec<u8> = bits.iter().copied().filter(|bit| mask >> bit & 1 == 0).collect();
    if bits.is_empty() {
        return Ok(false);
    }
    let report = &Report { bits, ..told.clone() };
    let bits = &report.bits;
    let raw = bits.iter().fold(0u64, |raw, bit| raw | 1 << bit);
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
    if *severity != Severity::Correctable {
        signal_system_error(machine, *source)?;
    }
    if !owned {
        return Ok(false);
    }
    let mut limit = RateLimit::default();
    for _ in 0..report.times {
        let limited = machine.kernel >= Kernel::V7_2 && *severity != Severity::Fatal;
        if !limited || limit.allows(machine) {
            say_error(machine, root, report);
        }
        machine.wait(report.every);
    }
    count_report(machine, root, report, table);
    // The kernel clears what it has read (pci_aer_clear_nonfatal_status, pcie_clear_device_status, aer_irq).
    let kept = get(machine, *source, status) & !raw;
    set_if_there(machine, *source, &[(status, kept), (&format!("express.device_status.{devsta}"), 0)])?;
    set_if_there(machine, root, &[("aer.root_error_status", 0)])?;
    Ok(true)
}

/// Of each function no more than 10 errors of a severity are printed within 5 s since Linux 6.16, and of fatal ones all
/// (aer_ratelimit in drivers/pci/pcie/aer.c, ___ratelimit in lib/ratelimit.c; DEFAULT_RATELIMIT_INTERVAL and _BURST).
#[derive(Default)]
struct RateLimit {
    /// When the first one of the present 5 s came.
    began: Option<Microseconds>,
    printed: u64,
    suppressed: u64,
}

impl RateLimit {
    const INTERVAL: Microseconds = 5_000_000;
    const BURST: u64 = 10;

    /// Whether the error that comes now is printed. Those that were not are told with the first one that is printed again.
    fn allows(&mut self, machine: &mut Machine) -> bool {
        let now = machine.now + machine.lag;
        if self.began.is_none_or(|began| now > began + Self::INTERVAL) {
            if self.suppressed > 0 {
                machine.say(format!("aer_ratelimit: {} callbacks suppressed", self.suppressed));
            }
            *self = RateLimit { began: Some(now), printed: 0, suppressed: 0 };
        }
        let printed = self.printed < Self::BURST;
        self.printed += u64::from(printed);
        self.suppressed += u64::from(!printed);
        printed
    }
}

/// ERR_NONFATAL and ERR_FATAL on their way up are latched in Status and Secondary Status too, where SERR# Enable is set,
/// and the kernel does not clear them (PCIe 6.2, 7.5.1.1.4, 7.5.1.3.7; seen on Linux 6.12).
fn signal_system_error(machine: &mut Machine, source: Bdf) -> Result<(), Mistake> {
    let mut here = Some(source);
    while let Some(address) = here {
        if address != source {
            set_if_there(machine, address, &[("header.secondary_status.received_system_error", 1)])?;
            if get(machine, address, "header.bridge_control.serr_enable") == 0 {
                break;
            }
        }
        if get(machine, address, "header.command.serr_enable") == 0 {
            break;
        }
        set_if_there(machine, address, &[("header.status.signaled_system_error", 1)])?;
        here = machine.parent(address);
    }
    Ok(())
}

fn count_report(machine: &mut Machine, root: Bdf, report: &Report, table: &str) {
    let rows = match report.severity {
        Severity::Correctable => machine.kernel.correctable_rows(),
        _ => machine.kernel.uncorrectable_rows(),
    };
    // Before 6.16 a fatal error of an endpoint is counted at the root port only: the kernel does not read the device.
    // Nor is anything counted at a device that reads all-ones: no bit is left that its mask does not hide.
    let silent = machine.functions.get(&report.source).is_none_or(|f| f.answer != Answer::Registers);
    let skipped = silent
        || report.severity == Severity::Fatal && machine.kernel < Kernel::V7_2 && report.source != root;
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
    // Correctable errors have no first error pointer: the kernel compares with 0 (__aer_print_error).
    let first = if correctable { Some(0) } else { report.bits.first().copied() };
    for bit in bits {
        let name = rows.iter().find(|(_, b)| *b == bit).map_or("Unknown Error Bit", |(name, _)| name);
        let mark = if Some(bit) == first { " (First)" } else { "" };
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
