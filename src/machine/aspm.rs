//! Active State Power Management: what both ends of a link can do, what is switched on, and who may change it.

use crate::pci::capability::express::{self, LinkCapabilities, LinkControl};
use crate::pci::extended::l1ss::{self, Capabilities, Control1};

use super::basis::{self, Basis};
use super::platform::Platform;
use super::{Function, link};

/// A set of link power states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, schemars::JsonSchema)]
pub struct States {
    /// L0s.
    pub l0s: bool,
    /// L1.
    pub l1: bool,
    /// L1.1 entered by ASPM; `null` where the function has no L1 PM Substates capability or it was not read.
    pub l1_1: Option<bool>,
    /// L1.2 entered by ASPM.
    pub l1_2: Option<bool>,
}

impl States {
    /// Nothing is in the set.
    pub fn is_empty(self) -> bool {
        !self.l0s && !self.l1
    }
}

/// ASPM at one end of a link.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Aspm {
    /// What the end can do (Link Capabilities, L1 PM Substates Capabilities).
    pub supported: States,
    /// What is switched on (Link Control, L1 PM Substates Control 1). This is what the hardware does, whoever wrote
    /// it.
    pub enabled: States,
    /// Clock Power Management is switched on.
    pub clock_power_management: bool,
    /// What the kernel says it switched on, by name of the file in `link/` (`l1_aspm`, …). Empty where the kernel
    /// does not manage ASPM here, which does not mean that it is off.
    pub kernel: Vec<KernelSwitch>,
}

/// One of the kernel's switches.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct KernelSwitch {
    /// Name of the file in `link/`.
    pub name: &'static str,
    /// On.
    pub on: bool,
}

/// ASPM at this end of the function's link; `None` if it has no link or was not read.
pub fn aspm(function: &Function) -> Option<Aspm> {
    if !link::port_type(function)?.has_link() || function.is_virtual() {
        return None;
    }
    let capabilities: LinkCapabilities = function.register(&express::SPECIFICATION)?;
    let control: LinkControl = function.register(&express::SPECIFICATION)?;
    let substates: Option<Capabilities> = function.register(&l1ss::SPECIFICATION);
    let substate_control: Option<Control1> = function.register(&l1ss::SPECIFICATION);
    Some(Aspm {
        supported: States {
            l0s: capabilities.aspm_support() & 1 != 0,
            l1: capabilities.aspm_support() & 2 != 0,
            l1_1: substates.map(Capabilities::aspm_l1_1_supported),
            l1_2: substates.map(Capabilities::aspm_l1_2_supported),
        },
        enabled: States {
            l0s: control.aspm_control() & 1 != 0,
            l1: control.aspm_control() & 2 != 0,
            l1_1: substate_control.map(Control1::aspm_l1_1_enable),
            l1_2: substate_control.map(Control1::aspm_l1_2_enable),
        },
        clock_power_management: control.enable_clock_power_management(),
        kernel: kernel_switches(function),
    })
}

fn kernel_switches(function: &Function) -> Vec<KernelSwitch> {
    let files = super::attributes::ALL.iter().map(|a| a.name);
    files
        .filter_map(|file| {
            let name = file.strip_prefix("link/")?;
            let on = function.reading.text(file)? == "1";
            Some(KernelSwitch { name, on })
        })
        .collect()
}

/// Who decides about ASPM on this machine.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct AspmControl {
    /// Whether the kernel changes ASPM settings; `null` if the source does not tell.
    pub kernel_manages: Option<bool>,
    /// What it was concluded from.
    pub reason: String,
    /// The kernel's policy, if it manages ASPM.
    pub policy: Option<String>,
    /// Where the reason can be looked up; empty where nothing tells.
    #[serde(skip)]
    pub basis: Vec<Basis>,
}

/// Who decides about ASPM below the host bridge of that name.
pub fn control(platform: &Platform, host_bridge: Option<&str>) -> AspmControl {
    let (kernel_manages, reason, basis) = decide(platform, host_bridge);
    // A kernel that leaves ASPM alone has a policy too, which then decides nothing.
    let policy = platform.aspm_policy.clone().filter(|_| kernel_manages != Some(false));
    AspmControl { kernel_manages, reason, policy, basis }
}

fn decide(platform: &Platform, host_bridge: Option<&str>) -> (Option<bool>, String, Vec<Basis>) {
    if platform.has_option("pcie_aspm", "off") {
        return (
            Some(false),
            "pcie_aspm=off on the kernel command line: Linux leaves what firmware set".into(),
            basis::command_line(platform),
        );
    }
    if platform.has_option("pcie_aspm", "force") {
        let reason = "pcie_aspm=force on the kernel command line";
        return (Some(true), reason.into(), basis::command_line(platform));
    }
    if platform.fadt_no_aspm == Some(true) {
        let table = || Basis::File {
            path: "sys/firmware/acpi/tables/FACP",
            text: "IAPC_BOOT_ARCH at offset 109: bit 4 (PCIe ASPM Controls) is set".to_owned(),
        };
        let line = platform.fadt_no_aspm_line.clone();
        return (
            Some(false),
            "the FADT says that ASPM must not be enabled: Linux leaves what firmware set".into(),
            vec![line.map_or_else(table, Basis::Line)],
        );
    }
    let bridge = host_bridge.and_then(|name| platform.host_bridge(name));
    if let Some((bridge, refused)) = bridge.and_then(|b| Some((b, b.refused.as_deref()?))) {
        let line = basis::lines(&bridge.lines.refused);
        return (Some(false), format!("firmware keeps control: {refused}"), line);
    }
    match bridge {
        Some(bridge) if bridge.os_controls.iter().any(|c| c == "PCIeCapability") => {
            let reason = format!("_OSC of {} gave Linux control of the PCI Express capability", bridge.name);
            (Some(true), reason, basis::lines(&bridge.lines.os_controls))
        }
        Some(bridge) => {
            let reason = format!("the kernel log does not say whether _OSC of {} gave control", bridge.name);
            (None, reason, Vec::new())
        }
        None => (None, "the kernel log does not tell what _OSC gave".into(), Vec::new()),
    }
}

#[cfg(test)]
#[path = "aspm_tests.rs"]
mod tests;
