//! What differs between kernels: wording of the log, attributes that exist, which of them are copies.
//!
//! Read in the sources of the named versions: drivers/pci/pci-sysfs.c, probe.c, pci.c, pcie/aer.c, pcie/dpc.c,
//! hotplug/pciehp_ctrl.c, setup-res.c. Each function says what it follows.

use super::document::{Mistake, Node};
use crate::pci::capability::express::PortType;

/// A kernel whose ways are simulated. Later ones have everything that earlier ones have, unless said otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kernel {
    /// Linux 4.19.
    V4_19,
    /// Linux 5.4.
    V5_4,
    /// Linux 5.15.
    V5_15,
    /// Linux 6.8.
    V6_8,
    /// Linux 6.12.
    V6_12,
    /// Linux 7.2.
    V7_2,
}

/// Names of the kernels, as `kernel =` and `--kernel` take them.
pub const KERNELS: [(&str, Kernel); 6] = [
    ("4.19", Kernel::V4_19),
    ("5.4", Kernel::V5_4),
    ("5.15", Kernel::V5_15),
    ("6.8", Kernel::V6_8),
    ("6.12", Kernel::V6_12),
    ("7.2", Kernel::V7_2),
];

/// How bad an error is that a device reports (PCIe 6.2, 6.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Corrected by hardware.
    Correctable,
    /// A transaction was lost, the link works.
    NonFatal,
    /// The link is unreliable.
    Fatal,
}

impl Kernel {
    /// The kernel of that name.
    pub fn named(node: &Node, key: &str) -> Result<Self, Mistake> {
        node.choice(key, &KERNELS)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        KERNELS.iter().find(|(_, kernel)| *kernel == self).map_or("", |(name, _)| name)
    }

    /// What `uname -r` says unless a description says otherwise.
    pub fn release(self) -> &'static str {
        match self {
            Kernel::V4_19 => "4.19.40",
            Kernel::V5_4 => "5.4.286",
            Kernel::V5_15 => "5.15.135",
            Kernel::V6_8 => "6.8.0",
            Kernel::V6_12 => "6.12.117",
            Kernel::V7_2 => "7.2.13",
        }
    }

    /// A link speed by its encoding (PCIE_SPEED2STR up to 5.4, pci_speed_string in drivers/pci/probe.c later).
    pub fn speed(self, encoding: u64) -> &'static str {
        if self <= Kernel::V5_4 {
            let known = if self == Kernel::V4_19 { 4 } else { 5 };
            let words = ["2.5 GT/s", "5 GT/s", "8 GT/s", "16 GT/s", "32 GT/s"];
            return match encoding {
                1..=5 if encoding <= known => words[encoding as usize - 1],
                _ => "Unknown speed",
            };
        }
        match encoding {
            1 => "2.5 GT/s PCIe",
            2 => "5.0 GT/s PCIe",
            3 => "8.0 GT/s PCIe",
            4 => "16.0 GT/s PCIe",
            5 => "32.0 GT/s PCIe",
            6 => "64.0 GT/s PCIe",
            _ => "Unknown",
        }
    }

    /// `max_link_speed` out of the Supported Link Speeds Vector (pcie_get_speed_cap in drivers/pci/pci.c).
    pub fn maximum_speed(self, vector: u64) -> &'static str {
        let known = match self {
            Kernel::V4_19 => 4,
            Kernel::V5_4 => 5,
            _ => 6,
        };
        let highest = (1..=known).rev().find(|encoding| vector >> (encoding - 1) & 1 == 1).unwrap_or(0);
        // 5.4 has no text for 32 GT/s here (PCIE_SPEED2STR in drivers/pci/pci.h).
        if self == Kernel::V5_4 && highest == 5 { "Unknown speed" } else { self.speed(highest) }
    }

    /// Whether `max_link_speed` is a copy that the kernel made when it found the function.
    pub fn caches_maximum_speed(self) -> bool {
        self >= Kernel::V6_12
    }

    /// Whether functions have `power_state` and `reset_method` (5.15) and `link/` (5.10).
    pub fn has_power_state(self) -> bool {
        self >= Kernel::V5_15
    }

    /// `power_state` after a driver let go (pci_device_remove in drivers/pci/pci-driver.c).
    pub fn power_state_without_driver(self) -> &'static str {
        if self >= Kernel::V6_12 { "D0" } else { "unknown" }
    }

    /// Names of the rows of `aer_dev_correctable` (aer_correctable_error_string in drivers/pci/pcie/aer.c), with their
    /// bits.
    pub fn correctable_rows(self) -> &'static [(&'static str, u8)] {
        &[
            ("RxErr", 0),
            ("BadTLP", 6),
            ("BadDLLP", 7),
            ("Rollover", 8),
            ("Timeout", 12),
            ("NonFatalErr", 13),
            ("CorrIntErr", 14),
            ("HeaderOF", 15),
        ]
    }

    /// Names of the rows of `aer_dev_fatal` and `aer_dev_nonfatal`, with their bits.
    pub fn uncorrectable_rows(self) -> &'static [(&'static str, u8)] {
        const ROWS: [(&str, u8); 23] = [
            ("Undefined", 0),
            ("DLP", 4),
            ("SDES", 5),
            ("TLP", 12),
            ("FCP", 13),
            ("CmpltTO", 14),
            ("CmpltAbrt", 15),
            ("UnxCmplt", 16),
            ("RxOF", 17),
            ("MalfTLP", 18),
            ("ECRC", 19),
            ("UnsupReq", 20),
            ("ACSViol", 21),
            ("UncorrIntErr", 22),
            ("BlockedTLP", 23),
            ("AtomicOpBlocked", 24),
            ("TLPBlockedErr", 25),
            ("PoisonTLPBlocked", 26),
            ("DMWrReqBlocked", 27),
            ("IDECheck", 28),
            ("MisIDETLP", 29),
            ("PCRC_CHECK", 30),
            ("TLPXlatBlocked", 31),
        ];
        match self {
            Kernel::V4_19 | Kernel::V5_4 => &ROWS[..17],
            Kernel::V5_15 => &ROWS[..18],
            _ => &ROWS,
        }
    }

    /// How a severity is called in AER lines.
    pub fn severity(self, severity: Severity) -> &'static str {
        match (severity, self >= Kernel::V6_12) {
            (Severity::Correctable, false) => "Corrected",
            (Severity::NonFatal, false) => "Uncorrected (Non-Fatal)",
            (Severity::Fatal, false) => "Uncorrected (Fatal)",
            (Severity::Correctable, true) => "Correctable",
            (Severity::NonFatal, true) => "Uncorrectable (Non-Fatal)",
            (Severity::Fatal, true) => "Uncorrectable (Fatal)",
        }
    }

    /// The root port's line about an error message (aer_print_port_info).
    pub fn aer_source(self, severity: Severity, source: &str) -> String {
        let word = match self {
            Kernel::V4_19 | Kernel::V5_15 => "error received:",
            _ => "error message received from",
        };
        format!("AER: {} {word} {source}", self.severity(severity))
    }

    /// Prefix of the bus-error block of a device (pci_err with dev_fmt in 5.4 only).
    pub fn aer_block_prefix(self) -> &'static str {
        if self == Kernel::V5_4 { "AER: " } else { "" }
    }

    /// Prefix of lines of the block that pci_err prints.
    pub fn aer_error_prefix(self) -> &'static str {
        if self >= Kernel::V5_4 { "AER: " } else { "" }
    }

    /// The TLP header of an error (__print_tlp_header, pcie_print_tlp_log).
    pub fn tlp_header(self, header: [u32; 4]) -> String {
        let width = if self >= Kernel::V7_2 { "0x" } else { "" };
        let words: Vec<String> = header.iter().map(|word| format!("{width}{word:08x}")).collect();
        format!("{}  TLP Header: {}", self.aer_error_prefix(), words.join(" "))
    }

    /// The port above reset its link after a fatal error: aer_root_reset in drivers/pci/pcie/aer.c for a root port, and
    /// until 5.9 default_reset_link in err.c for the port of a switch, both without a result then.
    pub fn link_reset(self, root: bool) -> String {
        let prefix = self.aer_block_prefix();
        match (self >= Kernel::V5_15, root) {
            (true, true) => "AER: Root Port link has been reset (0)".to_owned(),
            (true, false) => "AER: Downstream Port link has been reset (0)".to_owned(),
            (false, true) => format!("{prefix}Root Port link has been reset"),
            (false, false) => format!("{prefix}downstream link has been reset"),
        }
    }

    /// Whether devices are removed after a fatal error and looked for again, as in 4.18 to 4.20 only
    /// (pcie_do_fatal_recovery in drivers/pci/pcie/err.c).
    pub fn removes_after_fatal_error(self) -> bool {
        self == Kernel::V4_19
    }

    /// How recovery ended (pcie_do_recovery in drivers/pci/pcie/err.c).
    pub fn recovery(self, successful: bool) -> String {
        let result = if successful { "successful" } else { "failed" };
        match self {
            Kernel::V4_19 | Kernel::V5_4 => format!("AER: Device recovery {result}"),
            _ => format!("AER: device recovery {result}"),
        }
    }

    /// The device of a hot-plug line, with its prefix (pciehp became part of the port driver in 5.1). `service` is the name
    /// of the hot-plug service's device, such as `0000:00:1c.0:pcie004`.
    pub fn hotplug(self, port: &str, service: &str, slot: &str, text: &str) -> String {
        match self {
            Kernel::V4_19 => format!("pciehp {service}: Slot({slot}): {text}"),
            _ => format!("pcieport {port}: pciehp: Slot({slot}): {text}"),
        }
    }

    /// Powering up a device that does not answer (pci_power_up, pci_raw_set_power_state in drivers/pci/pci.c).
    pub fn power_up_failed(self) -> &'static str {
        match self {
            Kernel::V4_19 | Kernel::V5_4 => "Refused to change power state, currently in D3",
            Kernel::V5_15 => "can't change power state from D3cold to D0 (config space inaccessible)",
            _ => "Unable to change power state from D3cold to D0, device inaccessible",
        }
    }

    /// A device that answers and stays in D3hot.
    pub fn power_up_refused(self) -> &'static str {
        match self {
            Kernel::V4_19 | Kernel::V5_4 => "Refused to change power state, currently in D3",
            Kernel::V5_15 => "refused to change power state from D3hot to D0",
            _ => "Refused to change power state from D3hot to D0",
        }
    }

    /// A driver that gives a device up when it is bound (really_probe in drivers/base/dd.c).
    pub fn probe_failed(self, driver: &str, address: &str, code: i32) -> String {
        match self >= Kernel::V6_12 {
            true => format!("{driver} {address}: probe with driver {driver} failed with error {code}"),
            false => format!("{driver}: probe of {address} failed with error {code}"),
        }
    }

    /// Lines about a BAR that found no place (pci_assign_resource in drivers/pci/setup-res.c).
    pub fn bar_unassigned(self, bar: u8, resource: &str) -> [String; 2] {
        match self >= Kernel::V6_8 {
            true => {
                let name = format!("BAR {bar} {resource}");
                [format!("{name}: can't assign; no space"), format!("{name}: failed to assign")]
            }
            false => [
                format!("BAR {bar}: no space for {resource}"),
                format!("BAR {bar}: failed to assign {resource}"),
            ],
        }
    }

    /// A driver that enables a device with such a BAR (pci_enable_resources).
    pub fn bar_not_enabled(self, bar: u8, resource: &str) -> String {
        match self >= Kernel::V6_8 {
            true => format!("BAR {bar} {resource}: not assigned; can't enable device"),
            false => format!("can't enable device: BAR {bar} {resource} not assigned"),
        }
    }

    /// A function when it is found (pci_setup_device in drivers/pci/probe.c, with pci_type_str since 6.8): identifiers,
    /// layout of the header, class, and what kind of port it is.
    pub fn function_found(self, ids: (u64, u64), layout: u8, class: u64, port: Option<PortType>) -> String {
        let (vendor, device) = ids;
        let text = format!("[{vendor:04x}:{device:04x}] type {layout:02x} class 0x{class:06x}");
        if self < Kernel::V6_8 {
            return text;
        }
        let kind = match port {
            Some(PortType::Endpoint) => "PCIe Endpoint",
            Some(PortType::LegacyEndpoint) => "PCIe Legacy Endpoint",
            Some(PortType::RootPort) => "PCIe Root Port",
            Some(PortType::UpstreamPort) => "PCIe Switch Upstream Port",
            Some(PortType::DownstreamPort) => "PCIe Switch Downstream Port",
            Some(PortType::PcieToPciBridge) => "PCIe to PCI/PCI-X bridge",
            Some(PortType::PciToPcieBridge) => "PCI/PCI-X to PCIe bridge",
            Some(PortType::RootComplexIntegratedEndpoint) => "PCIe Root Complex Integrated Endpoint",
            Some(PortType::RootComplexEventCollector) => "PCIe Root Complex Event Collector",
            None if layout == 1 => "conventional PCI bridge",
            None => "conventional PCI endpoint",
        };
        format!("{text} {kind}")
    }

    /// A BAR when it is found (pci_read_bases in drivers/pci/probe.c).
    pub fn bar_found(self, bar: &str, offset: u16, resource: &str) -> String {
        match self >= Kernel::V6_8 {
            true => format!("{bar} {resource}"),
            false => format!("reg {offset:#04x}: {resource}"),
        }
    }

    /// A range that the kernel gave a place (pci_assign_resource in drivers/pci/setup-res.c), by its line in `resource`.
    pub fn range_assigned(self, line: usize, resource: &str) -> String {
        match self >= Kernel::V6_8 {
            true => {
                format!("{} {resource}: assigned", crate::simulate::machine::resources::range_name(line))
            }
            false => format!("BAR {line}: assigned {resource}"),
        }
    }

    /// A function that joins an IOMMU group (iommu_group_add_device).
    pub fn iommu_group(self, name: &str, address: &str, group: u64, adding: bool) -> String {
        match (self, adding) {
            (Kernel::V4_19, true) => format!("iommu: Adding device {address} to group {group}"),
            (Kernel::V4_19, false) => format!("iommu: Removing device {address} from group {group}"),
            (_, true) => format!("{name}: Adding to iommu group {group}"),
            (_, false) => format!("{name}: Removing from iommu group {group}"),
        }
    }

    /// Lines about a containment event (dpc_process_error in drivers/pci/pcie/dpc.c). `service` is the name of the DPC
    /// service's device, such as `0000:00:1c.0:pcie008`.
    pub fn containment(self, port: &str, service: &str, status: u64, source: u64, what: &str) -> Vec<String> {
        match self {
            Kernel::V4_19 => vec![
                format!("dpc {service}: DPC containment event, status:{status:#06x} source:{source:#06x}"),
                format!("dpc {service}: DPC {what} detected, remove downstream devices"),
            ],
            Kernel::V5_4 | Kernel::V5_15 | Kernel::V6_8 => vec![
                format!("pcieport {port}: DPC: containment event, status:{status:#06x} source:{source:#06x}"),
                format!("pcieport {port}: DPC: {what} detected"),
            ],
            _ => {
                let event = format!("pcieport {port}: DPC: containment event, status:{status:#06x}");
                let bus_device_function =
                    format!("{:02x}:{:02x}.{:x}", source >> 8, source >> 3 & 0x1f, source & 7);
                let domain = port.split(':').next().unwrap_or("0000");
                match what {
                    "ERR_FATAL" | "ERR_NONFATAL" => {
                        vec![format!("{event}, {what} received from {domain}:{bus_device_function}")]
                    }
                    _ => vec![format!("{event}: {what} detected")],
                }
            }
        }
    }
}

/// Bandwidth of a link in Mb/s after encoding, as the kernel counts (PCIE_SPEED2MBS_ENC in drivers/pci/pci.h).
pub fn bandwidth(speed: u64, width: u64) -> u64 {
    const PER_LANE: [u64; 7] = [0, 2000, 4000, 7876, 15753, 31507, 64000];
    PER_LANE.get(speed as usize).copied().unwrap_or(0) * width
}
