//! Advanced Error Reporting: what the registers hold, what the kernel counted, and whether it counts at all.

use crate::pci::Bdf;
use crate::pci::capability::express::{self, DeviceStatus, PortType};
use crate::pci::extended::aer;

use crate::kernel_log::platform::HostBridge;

use super::basis::{self, Basis};
use super::interrupts::{self, Line};
use super::platform::{AER_SERVICES, Platform};
use super::{Function, Machine, link};

/// Errors that a function has seen, by the four bits of its Device Status. They stay until software clears them and may
/// be old.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, schemars::JsonSchema)]
pub struct ErrorsSeen {
    /// Correctable Error Detected.
    pub correctable: bool,
    /// Non-Fatal Error Detected.
    pub non_fatal: bool,
    /// Fatal Error Detected.
    pub fatal: bool,
    /// Unsupported Request Detected.
    pub unsupported_request: bool,
}

impl ErrorsSeen {
    /// None of the four.
    pub fn is_empty(self) -> bool {
        self == ErrorsSeen::default()
    }
}

/// Device Status of a PCI Express function; `None` if it is none or was not read.
pub fn errors_seen(function: &Function) -> Option<ErrorsSeen> {
    let status: DeviceStatus = function.register(&express::SPECIFICATION)?;
    Some(ErrorsSeen {
        correctable: status.correctable_error_detected(),
        non_fatal: status.non_fatal_error_detected(),
        fatal: status.fatal_error_detected(),
        unsupported_request: status.unsupported_request_detected(),
    })
}

/// The kernel's counters of one severity.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Counters {
    /// Counters that are not zero, by the kernel's short names (`RxErr`, `BadTLP`, `CmpltTO`, …).
    pub counts: Vec<(String, u64)>,
    /// The sum that the kernel gives; `null` if the file does not hold it.
    pub total: Option<u64>,
}

/// Who handles errors below a root port.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Ownership {
    /// Whether the kernel handles AER there; `null` if the source does not tell.
    pub kernel: Option<bool>,
    /// What it was concluded from.
    pub reason: String,
    /// Where that can be looked up; empty where nothing tells.
    #[serde(skip)]
    pub basis: Vec<Basis>,
}

/// AER of a function.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Aer {
    /// The function has the capability; `null` if extended configuration space was not read.
    pub capability: Option<bool>,
    /// Uncorrectable errors whose status bit is set, by field name. They stay until software clears them. `null` if the
    /// register was not read or the function has none.
    pub uncorrectable_status: Option<Vec<&'static str>>,
    /// Correctable errors whose status bit is set; `null` if the register was not read or the function has none.
    pub correctable_status: Option<Vec<&'static str>>,
    /// The kernel's counters; absent where the kernel has none for the function. Zero means nothing unless the kernel
    /// handles AER.
    pub correctable: Option<Counters>,
    /// Counters of non-fatal errors.
    pub non_fatal: Option<Counters>,
    /// Counters of fatal errors.
    pub fatal: Option<Counters>,
    /// Who handles errors.
    pub ownership: Ownership,
}

/// What is known of AER at a function.
pub fn aer(machine: &Machine, function: &Function, platform: &Platform, lines: Option<&[Line]>) -> Aer {
    let specification = &aer::SPECIFICATION;
    let capability = match function.find(specification) {
        Some(_) => Some(true),
        None => function.extended_list_known().then_some(false),
    };
    let uncorrectable: Option<aer::UncorrectableStatus> = function.register(specification);
    let correctable: Option<aer::CorrectableStatus> = function.register(specification);
    Aer {
        capability,
        uncorrectable_status: uncorrectable.map(|r| set_fields(r, r.0.into())),
        correctable_status: correctable.map(|r| set_fields(r, r.0.into())),
        correctable: counters(function, "aer_dev_correctable"),
        non_fatal: counters(function, "aer_dev_nonfatal"),
        fatal: counters(function, "aer_dev_fatal"),
        ownership: ownership(machine, function, platform, lines),
    }
}

fn set_fields<R: crate::pci::register::RegisterType>(_: R, raw: u64) -> Vec<&'static str> {
    R::REGISTER.fields.iter().filter(|f| f.extract(raw) != 0).map(|f| f.key).collect()
}

/// Parses a counter file: lines `NAME number` and `TOTAL_ERR_… number` (kernel: aer_stats_dev_attr in
/// drivers/pci/pcie/aer.c).
pub fn counters(function: &Function, file: &str) -> Option<Counters> {
    let text = function.reading.text(file)?;
    let mut found = Counters { counts: Vec::new(), total: None };
    for line in text.lines() {
        let Some((name, number)) = line.rsplit_once(' ') else { continue };
        let Ok(number) = number.parse::<u64>() else { continue };
        if name.starts_with("TOTAL_ERR") {
            found.total = Some(number);
        } else if number > 0 {
            found.counts.push((name.trim().to_owned(), number));
        }
    }
    Some(found)
}

/// The option on the kernel command line because of which Linux does not ask firmware for control of AER: it asks only where port
/// services, ASPM, MSI and AER are not switched off and ACPI is used (Linux: `negotiate_os_control` in drivers/acpi/pci_root.c,
/// `pci_aer_available` in drivers/pci/pcie/aer.c). `None` if there is none.
pub fn kept_by_option(platform: &Platform) -> Option<&'static str> {
    if platform.has_option("pcie_ports", "native") {
        return None;
    }
    let options = [
        ("pcie_ports", "compat", "pcie_ports=compat"),
        ("pci", "noaer", "pci=noaer"),
        ("pci", "nomsi", "pci=nomsi"),
        ("pcie_aspm", "off", "pcie_aspm=off"),
        ("pci", "noacpi", "pci=noacpi"),
        ("acpi", "off", "acpi=off"),
    ];
    let mut set = options.into_iter().filter(|(name, value, _)| platform.has_option(name, value));
    set.next().map(|(.., text)| text)
}

/// Who handles errors of a function: decided at its root port, in the order of what is most certain.
fn ownership(
    machine: &Machine,
    function: &Function,
    platform: &Platform,
    lines: Option<&[Line]>,
) -> Ownership {
    if platform.has_option("pcie_ports", "native") {
        let reason = "pcie_ports=native on the kernel command line takes it, whatever firmware says";
        return owned(Some(true), reason, basis::command_line(platform));
    }
    for (name, value) in [("pci", "noaer"), ("pci", "nomsi"), ("pcie_ports", "compat")] {
        if platform.has_option(name, value) {
            let reason = format!("{name}={value} on the kernel command line turns it off");
            return owned(Some(false), reason, basis::command_line(platform));
        }
    }
    let path = machine.path(function);
    let root = path.first().map(|f| f.address);
    let port = path.first().map(|f| port_name(f)).unwrap_or_default();
    let bridge = function.host_bridge.as_deref().and_then(|name| platform.host_bridge(name));
    let granted = bridge.and_then(osc);
    // Errors of a function integrated in the root complex go to an event collector.
    let integrated = link::port_type(function) == Some(PortType::RootComplexIntegratedEndpoint);
    if let (Some(ports), Some(root), false) = (&platform.aer_ports, root, integrated) {
        let listed =
            |word: &str| Basis::File { path: AER_SERVICES, text: format!("{word} entry for {root}") };
        if ports.binary_search(&root.to_string()).is_ok() {
            return owned(Some(true), format!("the AER service runs on {port}"), vec![listed("an")]);
        }
        // What is at the top with something below it is a root port, even if its configuration space was not read.
        let top = path.first().and_then(|f| link::port_type(f));
        match top {
            Some(PortType::RootPort) => {}
            Some(_) => return owned(None, format!("{root} is no root port"), Vec::new()),
            None if path.len() < 2 => {
                return owned(None, format!("whether {root} is a root port was not read"), Vec::new());
            }
            None => {}
        }
        let (mut reason, mut basis) = (format!("no AER service runs on {port}"), vec![listed("no")]);
        if let Some((false, why, line)) = granted {
            reason.push_str(&format!("; {why}"));
            basis.extend(line);
        }
        return owned(Some(false), reason, basis);
    }
    if let Some(handlers) = root.and_then(|root| aer_interrupt(machine, root, lines)) {
        let reason = format!("{port} has an interrupt for the AER service (aerdrv)");
        return owned(Some(true), reason, vec![Basis::File { path: "proc/interrupts", text: handlers }]);
    }
    match granted {
        Some((given, why, line)) => owned(Some(given), why, line),
        None => owned(None, "neither port services nor the kernel log tell", Vec::new()),
    }
}

fn owned(kernel: Option<bool>, reason: impl Into<String>, basis: Vec<Basis>) -> Ownership {
    Ownership { kernel, reason: reason.into(), basis }
}

/// The topmost function on the way, called a root port unless it is known to be something else.
fn port_name(top: &Function) -> String {
    let bridge = top.identity.class.is_some_and(|class| class >> 8 == 0x0604);
    let root_port = match link::port_type(top) {
        Some(port) => port == PortType::RootPort,
        None => bridge && !top.standard_list_known(),
    };
    if root_port { format!("root port {}", top.address) } else { top.address.to_string() }
}

/// What `_OSC` of a host bridge said of AER, in which words, and the line; `None` if it said nothing.
fn osc(bridge: &HostBridge) -> Option<(bool, String, Vec<Basis>)> {
    let (lines, controls) = (&bridge.lines, basis::lines(&bridge.lines.os_controls));
    let has = |list: &[String]| list.iter().any(|c| c == "AER");
    let name = &bridge.name;
    if has(&bridge.os_controls) {
        Some((true, format!("_OSC of {name} gave AER to Linux"), controls))
    } else if has(&bridge.not_supported) {
        Some((
            false,
            format!("_OSC of {name}: platform does not support [{}]", bridge.not_supported.join(" ")),
            basis::lines(&lines.not_supported),
        ))
    } else if let Some(refused) = &bridge.refused {
        Some((false, format!("{name}: {refused}"), basis::lines(&lines.refused)))
    } else if bridge.os_controls.is_empty() {
        None
    } else {
        let why = format!("_OSC of {name} gave Linux [{}], not AER", bridge.os_controls.join(" "));
        Some((false, why, controls))
    }
}

/// `/proc/interrupts` names the handlers of a port's interrupt; that of AER is `aerdrv`. The number and the handlers of such
/// an interrupt.
fn aer_interrupt(machine: &Machine, port: Bdf, lines: Option<&[Line]>) -> Option<String> {
    let port = machine.get(port)?;
    let numbers: Vec<u32> = port
        .reading
        .text("msi_irqs")
        .unwrap_or_default()
        .lines()
        .chain(port.reading.text("irq"))
        .filter_map(|n| n.parse().ok())
        .collect();
    if !link::port_type(port).is_none_or(|p| p.is_downstream_facing()) {
        return None;
    }
    let mut own = numbers.iter().filter_map(|number| interrupts::line(lines?, *number));
    let line = own.find(|line| line.actions.split(", ").any(|action| action == "aerdrv"))?;
    Some(format!("interrupt {}: {}", line.number, line.actions))
}

#[cfg(test)]
#[path = "aer_tests.rs"]
mod tests;
