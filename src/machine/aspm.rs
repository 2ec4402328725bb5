//! Active State Power Management: what both ends of a link can do, what is switched on, and who may change it.

use crate::pci::capability::express::{self, LinkCapabilities, LinkControl};
use crate::pci::extended::l1ss::{self, Capabilities, Control1};

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
    if !link::port_type(function)?.has_link() || function.is_virtual() || function.hides_identity() {
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
}

/// Who decides about ASPM below the host bridge of that name.
pub fn control(platform: &Platform, host_bridge: Option<&str>) -> AspmControl {
    let (kernel_manages, reason) = decide(platform, host_bridge);
    // A kernel that leaves ASPM alone has a policy too, which then decides nothing.
    let policy = platform.aspm_policy.clone().filter(|_| kernel_manages != Some(false));
    AspmControl { kernel_manages, reason, policy }
}

fn decide(platform: &Platform, host_bridge: Option<&str>) -> (Option<bool>, String) {
    if platform.has_option("pcie_aspm", "off") {
        return (
            Some(false),
            "pcie_aspm=off on the kernel command line: Linux leaves what firmware set".into(),
        );
    }
    if platform.has_option("pcie_aspm", "force") {
        return (Some(true), "pcie_aspm=force on the kernel command line".into());
    }
    if platform.fadt_no_aspm == Some(true) {
        return (
            Some(false),
            "the FADT says that ASPM must not be enabled: Linux leaves what firmware set".into(),
        );
    }
    let bridge = host_bridge.and_then(|name| platform.host_bridge(name));
    if let Some(refused) = bridge.and_then(|b| b.refused.as_deref()) {
        return (Some(false), format!("firmware keeps control: {refused}"));
    }
    match bridge {
        Some(bridge) if bridge.os_controls.iter().any(|c| c == "PCIeCapability") => {
            (Some(true), format!("_OSC of {} gave Linux control of the PCI Express capability", bridge.name))
        }
        Some(bridge) => {
            (None, format!("the kernel log does not say whether _OSC of {} gave control", bridge.name))
        }
        None => (None, "the kernel log does not tell what _OSC gave".into()),
    }
}

#[cfg(test)]
#[path = "aspm_tests.rs"]
mod tests;
