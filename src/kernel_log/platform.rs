//! What the log says of the platform: `_OSC`, FADT, ASPM as a whole, windows of host bridges, interrupt remapping.
//!
//! Wording of every kernel from 4.4 to 7.2 (drivers/acpi/pci_root.c, drivers/pci/pcie/aspm.c, drivers/pci/pci-acpi.c,
//! drivers/iommu/intel/irq_remapping.c, drivers/iommu/amd/init.c).

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::Record;
use super::event::Evidence;

/// One host bridge as ACPI names it.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct HostBridge {
    /// ACPI name in the log, such as `PNP0A08:00`.
    pub name: String,
    /// Domain and first bus, from `PCI Root Bridge [PC00] (domain 0000 [bus 00-7f])`, as `0000:00`.
    pub root_bus: Option<String>,
    /// Features that the platform does not support, in the kernel's words.
    pub not_supported: Vec<String>,
    /// Features that the kernel controls.
    pub os_controls: Vec<String>,
    /// The line that says why the kernel controls nothing, verbatim.
    pub refused: Option<String>,
    /// Address windows that the bridge forwards, in the kernel's words.
    pub windows: Vec<String>,
    /// The lines that say so.
    #[serde(skip)]
    pub lines: Lines,
}

/// The lines of the log that tell of a host bridge, as they stand there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lines {
    /// What the platform does not support.
    pub not_supported: Option<Evidence>,
    /// What the kernel controls.
    pub os_controls: Option<Evidence>,
    /// Why the kernel controls nothing.
    pub refused: Option<Evidence>,
    /// Address windows, one a line.
    pub windows: Vec<Evidence>,
}

/// What was found so far.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// Host bridges in the order of the log.
    pub bridges: Vec<HostBridge>,
    /// Lines on ASPM as a whole, each once.
    pub aspm: Vec<String>,
    /// The line that says that the FADT forbids ASPM.
    pub no_aspm: Option<Evidence>,
    /// The FADT forbids MSI.
    pub no_msi: bool,
    /// Interrupt remapping was enabled.
    pub remapping: Option<bool>,
    /// Root bus of a `PCI Root Bridge` line that waits for the `acpi PNP…` line which follows it.
    pending_bus: Option<String>,
    /// Root bus that `PCI host bridge to bus` named last: windows follow it.
    window_bus: Option<String>,
}

/// What the kernel says when it does not ask firmware for control, because of how it was built or started (kernel:
/// os_control_query_checks in drivers/acpi/pci_root.c).
pub const NOT_REQUESTING: &str = "not requesting";

/// Pieces of text that every line of interest has one of.
const PIECES: [&str; 8] = [
    "_OSC",
    "Root Bridge [",
    NOT_REQUESTING,
    "ASPM",
    "support MSI, so",
    "PCI host bridge to bus ",
    "root bus resource [",
    "emapping",
];

static SEARCH: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| AhoCorasick::new(PIECES).ok());

/// Whether a line may be of interest: cheap, and never wrong when it says no.
pub fn may_matter(line: &[u8]) -> bool {
    SEARCH.as_ref().is_none_or(|search| search.is_match(line))
}

impl Found {
    /// Looks at one record.
    pub fn take(&mut self, record: &Record<'_>) {
        let text = record.text;
        // A cheap filter first: nearly all lines are of somebody else.
        if text.contains("_OSC") || text.contains("Root Bridge [") || text.contains(NOT_REQUESTING) {
            self.osc(text, record);
        } else if text.contains("ASPM") || text.contains("support MSI, so") {
            self.aspm(text, record);
        } else if text.starts_with("PCI host bridge to bus ") || text.contains("root bus resource [") {
            self.window(text, record);
        } else if text.contains("emapping") {
            self.remapping(text);
        }
    }

    fn osc(&mut self, text: &str, record: &Record<'_>) {
        if let Some(rest) = text.split_once("PCI Root Bridge [").map(|(_, rest)| rest) {
            self.pending_bus = root_bus(rest);
            return;
        }
        let Some((name, message)) = text.strip_prefix("acpi ").and_then(|t| t.split_once(": ")) else {
            return;
        };
        if !name.starts_with("PNP0A") && !name.starts_with("ACPI0016") {
            return;
        }
        let pending = self.pending_bus.take();
        let bridge = match self.bridges.iter().position(|b| b.name == name) {
            Some(index) => &mut self.bridges[index],
            None => {
                self.bridges.push(HostBridge { name: name.to_owned(), ..HostBridge::default() });
                let last = self.bridges.len() - 1;
                &mut self.bridges[last]
            }
        };
        if bridge.root_bus.is_none() {
            bridge.root_bus = pending;
        }
        let bracket = || -> Vec<String> {
            let list = message.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
            list.map(|(list, _)| list.split_whitespace().map(str::to_owned).collect()).unwrap_or_default()
        };
        let lines = &mut bridge.lines;
        if message.starts_with("_OSC: platform does not support [") {
            controls(&mut bridge.not_supported, &mut lines.not_supported, bracket(), record);
        } else if message.starts_with("_OSC: OS now controls [")
            || message.starts_with("_OSC: OS assumes control of [")
        {
            controls(&mut bridge.os_controls, &mut lines.os_controls, bracket(), record);
        } else if message.starts_with("_OSC failed")
            || message.starts_with("_OSC: platform retains control")
            || message.contains(NOT_REQUESTING)
        {
            // Of a kernel that did not ask, the second line says only that nothing was given.
            let answer = message.starts_with("_OSC: platform retains control");
            let not_asked = bridge.refused.as_deref().is_some_and(|known| known.contains(NOT_REQUESTING));
            if !(answer && not_asked) {
                bridge.refused = Some(message.to_owned());
                bridge.lines.refused = Some(line(record));
            }
        }
    }

    fn aspm(&mut self, text: &str, record: &Record<'_>) {
        if text.contains("FADT declares the system doesn't support PCIe ASPM")
            || text.contains("FADT indicates ASPM is unsupported")
        {
            self.no_aspm = Some(line(record));
        }
        if text.contains("FADT declares the system doesn't support MSI") {
            self.no_msi = true;
        }
        let general = ["PCIe ASPM is", "FADT", "OS doesn't have ASPM control", "ASPM: default states"];
        if general.iter().any(|g| text.contains(g)) && !self.aspm.iter().any(|known| known == text) {
            self.aspm.push(text.to_owned());
        }
    }

    fn window(&mut self, text: &str, record: &Record<'_>) {
        if let Some(bus) = text.strip_prefix("PCI host bridge to bus ") {
            self.window_bus = Some(bus.trim().to_owned());
        } else if let Some((head, resource)) = text.split_once("root bus resource ") {
            // `pci_bus 0000:80: root bus resource [mem 0x… window]`
            let bus = head.strip_prefix("pci_bus ").map(|b| b.trim_end_matches([':', ' ']).to_owned());
            let bus = bus.or_else(|| self.window_bus.clone());
            if let Some(bridge) = self.bridges.iter_mut().find(|b| b.root_bus == bus && bus.is_some()) {
                bridge.windows.push(resource.trim().to_owned());
                bridge.lines.windows.push(line(record));
            }
        }
    }

    fn remapping(&mut self, text: &str) {
        if text.contains("DMAR-IR: Enabled IRQ remapping")
            || text.contains("AMD-Vi: Interrupt remapping enabled")
        {
            self.remapping = Some(true);
        }
    }
}

/// Notes a list of controls. That of PCI Express comes first; what concerns CXL follows in a line of its own (kernel:
/// negotiate_os_control in drivers/acpi/pci_root.c, decode_cxl_osc_control).
fn controls(known: &mut Vec<String>, place: &mut Option<Evidence>, list: Vec<String>, record: &Record<'_>) {
    if !known.is_empty() && list.iter().all(|control| control.starts_with("CXL")) {
        known.extend(list);
        return;
    }
    *known = list;
    *place = Some(line(record));
}

fn line(record: &Record<'_>) -> Evidence {
    Evidence { line: record.line, offset: record.offset, text: record.raw.to_owned() }
}

/// `PC00] (domain 0000 [bus 00-7f])` gives `0000:00`.
fn root_bus(text: &str) -> Option<String> {
    let domain = text.split_once("(domain ")?.1;
    let (domain, rest) = domain.split_once(' ')?;
    let bus = rest.strip_prefix("[bus ")?.get(..2)?;
    Some(format!("{domain}:{bus}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_osc_refused_for_which_host_bridge() {
        let lines = [
            "ACPI: PCI Root Bridge [PC00] (domain 0000 [bus 00-7f])",
            "acpi PNP0A08:00: _OSC: OS supports [ExtendedConfig ASPM ClockPM Segments MSI HPX-Type3]",
            "acpi PNP0A08:00: _OSC: platform does not support [AER LTR DPC]",
            "acpi PNP0A08:00: _OSC: OS now controls [PCIeHotplug PME PCIeCapability]",
            "PCI host bridge to bus 0000:00",
            "pci_bus 0000:00: root bus resource [mem 0x90000000-0x9fffffff window]",
            "ACPI: PCI Root Bridge [PC01] (domain 0000 [bus 80-ff])",
            "acpi PNP0A08:01: _OSC: platform retains control of PCIe features (AE_NOT_FOUND)",
            "ACPI FADT declares the system doesn't support PCIe ASPM, so disable it",
            "DMAR-IR: Enabled IRQ remapping in x2apic mode",
        ];
        let mut found = Found::default();
        for (number, text) in (1..).zip(lines) {
            assert!(may_matter(text.as_bytes()));
            let raw = format!("[    1.{number:06}] {text}");
            found.take(&Record { text, raw: &raw, line: number, ..Record::default() });
        }
        let first = &found.bridges[0];
        assert_eq!(first.root_bus.as_deref(), Some("0000:00"));
        assert_eq!(first.not_supported, ["AER", "LTR", "DPC"]);
        assert_eq!(first.os_controls, ["PCIeHotplug", "PME", "PCIeCapability"]);
        assert_eq!(first.windows, ["[mem 0x90000000-0x9fffffff window]"]);
        assert_eq!(found.bridges[1].root_bus.as_deref(), Some("0000:80"));
        assert!(found.bridges[1].refused.is_some());
        assert_eq!((found.no_aspm.is_some(), found.remapping), (true, Some(true)));
        // The lines are kept as they stand in the log.
        let cited = |line: &Option<Evidence>| line.as_ref().map(|line| (line.line, line.text.clone()));
        let raw = |number: u64| Some((number, format!("[    1.{number:06}] {}", lines[number as usize - 1])));
        assert_eq!(cited(&first.lines.not_supported), raw(3));
        assert_eq!(cited(&first.lines.os_controls), raw(4));
        assert_eq!(cited(&first.lines.windows.first().cloned()), raw(6));
        assert_eq!(cited(&found.bridges[1].lines.refused), raw(8));
        assert_eq!(cited(&found.no_aspm), raw(9));
    }

    fn of(lines: &[&str]) -> HostBridge {
        let mut found = Found::default();
        for (number, text) in (1..).zip(lines) {
            found.take(&Record { text, raw: text, line: number, ..Record::default() });
        }
        found.bridges.remove(0)
    }

    #[test]
    fn what_linux_did_not_ask_for_firmware_did_not_keep() {
        // Kernel 6.12 without CONFIG_PCIEPORTBUS says both.
        let bridge = of(&[
            "acpi PNP0A08:00: PCIe port services disabled; not requesting _OSC control",
            "acpi PNP0A08:00: _OSC: platform retains control of PCIe features (AE_ERROR)",
        ]);
        assert!(bridge.refused.unwrap().contains(NOT_REQUESTING));
        assert_eq!(bridge.lines.refused.unwrap().line, 1);
    }

    #[test]
    fn what_is_said_of_cxl_adds_to_what_was_said_of_pci_express() {
        let bridge = of(&[
            "acpi ACPI0016:00: _OSC: platform does not support [LTR]",
            "acpi ACPI0016:00: _OSC: OS now controls [PME AER PCIeCapability]",
            "acpi ACPI0016:00: _OSC: OS now controls [CXLMemErrorReporting]",
        ]);
        assert_eq!(bridge.os_controls, ["PME", "AER", "PCIeCapability", "CXLMemErrorReporting"]);
        assert_eq!(
            (bridge.not_supported, bridge.lines.os_controls.unwrap().line),
            (vec!["LTR".to_owned()], 2)
        );
    }
}
