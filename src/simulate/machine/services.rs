//! Port services: what the kernel does at a port, if firmware lets it (drivers/pci/pcie/portdrv.c).

use super::description::{Description, FunctionDescription, HostBridge};
use crate::pci::capability::express::PortType;
use crate::simulate::kernel::Kernel;

/// A service of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Service {
    /// Its bit: PME 1, AER 2, hot-plug 4, DPC 8, bandwidth 10h.
    pub bit: u8,
    /// Its driver.
    pub driver: &'static str,
    /// What its interrupt handler is called, if it has one.
    pub handler: Option<&'static str>,
}

/// Services of a port that the kernel runs.
pub fn of(description: &Description, function: &FunctionDescription) -> Vec<Service> {
    if function.driver.as_deref() != Some("pcieport") {
        return Vec::new();
    }
    let Some(host) = description.host(function.address) else { return Vec::new() };
    let has = |name: &str| function.capabilities.iter().any(|(key, ..)| key == name);
    let root = function.port == Some(PortType::RootPort);
    let mut services = Vec::new();
    if root && granted(description, host, "PME") {
        services.push(Service { bit: 1, driver: "pcie_pme", handler: Some("PCIe PME") });
    }
    if root && has("aer") && granted(description, host, "AER") {
        services.push(Service { bit: 2, driver: "aer", handler: Some("aerdrv") });
    }
    if function.slot.is_some_and(|slot| slot.hot_plug) && granted(description, host, "PCIeHotplug") {
        services.push(Service { bit: 4, driver: "pciehp", handler: Some("pciehp") });
    }
    // The kernel runs DPC only where it handles errors as well (get_port_device_capability).
    if has("dpc") && has("aer") && granted(description, host, "DPC") && granted(description, host, "AER") {
        services.push(Service { bit: 8, driver: "dpc", handler: Some("pcie-dpc") });
    }
    if description.kernel >= Kernel::V7_2 && granted(description, host, "PCIeCapability") {
        services.push(Service { bit: 0x10, driver: "pcie_bwctrl", handler: Some("PCIe bwctrl") });
    }
    services
}

/// Whether `_OSC` gave the kernel control of a feature. With `pcie_aspm=off` or `pcie_ports=compat` it asks for none
/// (seen on 6.12: negotiate_os_control in drivers/acpi/pci_root.c).
pub fn granted(description: &Description, host: &HostBridge, feature: &str) -> bool {
    let mut words = description.command_line.split_whitespace();
    if words.clone().any(|word| word == "pcie_ports=native") {
        return true;
    }
    let asks = !words.any(|word| word == "pcie_aspm=off" || word == "pcie_ports=compat");
    // Before 5.7 firmware was not asked for DPC: who handles errors has it (get_port_device_capability in
    // drivers/pci/pcie/portdrv_core.c).
    let asked = match feature {
        "DPC" if description.kernel < Kernel::V5_15 => "AER",
        feature => feature,
    };
    asks && !host.osc_refused.iter().any(|refused| refused == asked)
}

/// Name of a service's device below its port: `0000:00:01.1:pcie001`, where the first digit is the type of the port.
pub fn device_name(function: &FunctionDescription, service: Service) -> String {
    let kind = match function.port {
        Some(PortType::UpstreamPort) => 0x100,
        Some(PortType::DownstreamPort) => 0x200,
        Some(PortType::RootComplexEventCollector) => 0x600,
        _ => 0,
    };
    format!("{}:pcie{:03x}", function.address, kind | u32::from(service.bit))
}
