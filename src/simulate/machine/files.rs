//! The files that the kernel makes of a function when it finds it (drivers/pci/pci-sysfs.c, reference: the kernel's
//! Documentation/ABI/testing/sysfs-bus-pci).
//!
//! Attributes that are read from the function each time are written here once and made again when something happens to
//! the function (`output`).

use super::description::{Description, FunctionDescription};
use super::registers::Places;
use super::{interrupts, resources, services};
use crate::pci::Bdf;
use crate::simulate::config::Config;
use crate::simulate::document::Mistake;
use crate::simulate::kernel::Kernel;
use crate::simulate::state::Machine;

/// Folder of a function, `sys/devices/pci0000:80/0000:80:01.1/0000:82:00.0`.
pub fn folder(description: &Description, address: Bdf) -> String {
    let above = description.functions.iter().find(|bridge| {
        bridge.address.domain == address.domain
            && bridge.buses.is_some_and(|(secondary, _)| secondary == u64::from(address.bus))
    });
    match above {
        Some(bridge) => format!("{}/{address}", folder(description, bridge.address)),
        None => {
            let bus = description.host(address).map_or(address.bus, |host| host.buses.0);
            format!("sys/devices/pci{:04x}:{bus:02x}/{address}", address.domain)
        }
    }
}

/// Writes the files of a function.
pub fn write(
    machine: &mut Machine,
    description: &Description,
    function: &FunctionDescription,
    config: &Config,
    places: &Places,
) -> Result<(), Mistake> {
    let folder = folder(description, function.address);
    let path = |name: &str| format!("{folder}/{name}");
    machine.link(format!("sys/bus/pci/devices/{}", function.address), &folder);
    machine.link(path("subsystem"), "sys/bus/pci");
    machine.file(path("config"), config.bytes());
    machine.file(path("resource"), resources::text(&resources::lines(function, places)));
    identity(machine, function, &folder);
    let node = description.node(function);
    let near: Vec<usize> = (0..description.processors.len())
        .filter(|p| node.is_none_or(|node| description.processors[*p].1 == node))
        .collect();
    machine.line(path("numa_node"), node.map_or("-1".to_owned(), |node| node.to_string()));
    machine.line(path("local_cpulist"), interrupts::list(&near));
    let mask = near.iter().fold(0u128, |mask, p| mask | 1u128.checked_shl(*p as u32).unwrap_or(0));
    machine.line(path("local_cpus"), format!("{mask:x}"));
    let bound = function.driver.is_some();
    machine.line(path("enable"), u8::from(bound));
    machine.line(path("msi_bus"), 1);
    machine.line(path("broken_parity_status"), 0);
    machine.line(path("d3cold_allowed"), u8::from(function.buses.is_none()));
    machine.line(path("ari_enabled"), 0);
    machine.line(path("driver_override"), "(null)");
    let bits = if function.buses.is_some() || !bound { 32 } else { 64 };
    machine.line(path("dma_mask_bits"), bits);
    machine.line(path("consistent_dma_mask_bits"), bits);
    power(machine, function, &folder);
    if let Some(label) = &function.label {
        machine.line(path("label"), label);
    }
    if function.class >> 8 == 0x0300 {
        machine.line(path("boot_vga"), 0);
    }
    if let Some((secondary, subordinate)) = function.buses {
        machine.line(path("secondary_bus_number"), secondary);
        machine.line(path("subordinate_bus_number"), subordinate);
    }
    link(machine, function, config, &folder);
    error_counters(machine, function, config, &folder);
    if machine.kernel >= Kernel::V6_8 && config.capability("rebar").is_some() {
        // A set of sizes, bit 0 for 1 MB (resourceN_resize, since 6.1).
        let bar = config.value("rebar.entry[0].control.bar_index");
        let sizes = config.value("rebar.entry[0].capability.supported_sizes");
        machine.line(path(&format!("resource{bar}_resize")), format!("{sizes:016x}"));
    }
    if config.capability("sriov").is_some() {
        machine.line(path("sriov_totalvfs"), config.get("sriov.total_vfs.number")?);
        machine.line(path("sriov_numvfs"), config.get("sriov.num_vfs.number")?);
        machine.line(path("sriov_offset"), config.get("sriov.first_vf_offset.offset")?);
        machine.line(path("sriov_stride"), config.get("sriov.vf_stride.stride")?);
        machine.line(path("sriov_vf_device"), format!("{:x}", config.get("sriov.vf_device_id.id")?));
    }
    relations(machine, description, function, &folder);
    slot(machine, function);
    Ok(())
}

fn identity(machine: &mut Machine, function: &FunctionDescription, folder: &str) {
    let ((vendor, device), (svendor, sdevice)) = (function.ids, function.subsystem);
    // A bridge keeps them in a capability that the kernel notes as well.
    let (svendor, sdevice) = if function.buses.is_some() { (0, 0) } else { (svendor, sdevice) };
    let class = function.class;
    let (base, sub, interface) = (class >> 16, class >> 8 & 0xff, class & 0xff);
    let path = |name: &str| format!("{folder}/{name}");
    machine.line(path("vendor"), format!("0x{vendor:04x}"));
    machine.line(path("device"), format!("0x{device:04x}"));
    machine.line(path("subsystem_vendor"), format!("0x{svendor:04x}"));
    machine.line(path("subsystem_device"), format!("0x{sdevice:04x}"));
    machine.line(path("class"), format!("0x{class:06x}"));
    machine.line(path("revision"), format!("0x{:02x}", function.revision));
    let modalias = format!(
        "pci:v{vendor:08X}d{device:08X}sv{svendor:08X}sd{sdevice:08X}bc{base:02X}sc{sub:02X}i{interface:02X}"
    );
    let driver = function.driver.as_ref().map(|d| format!("DRIVER={d}\n")).unwrap_or_default();
    machine.line(
        path("uevent"),
        format!(
            "{driver}PCI_CLASS={class:04X}\nPCI_ID={vendor:04X}:{device:04X}\n\
             PCI_SUBSYS_ID={svendor:04X}:{sdevice:04X}\nPCI_SLOT_NAME={}\nMODALIAS={modalias}",
            function.address
        ),
    );
    machine.line(path("modalias"), modalias);
}

fn power(machine: &mut Machine, function: &FunctionDescription, folder: &str) {
    let [state, runtime_status, control] = &function.power;
    if machine.kernel.has_power_state() {
        machine.line(format!("{folder}/power_state"), state);
        if let Some(methods) = &function.reset_methods {
            machine.line(format!("{folder}/reset_method"), methods);
        }
    }
    let enabled = if control == "auto" { "enabled" } else { "forbidden" };
    for (name, value) in [
        ("control", control.as_str()),
        ("runtime_status", runtime_status),
        ("runtime_enabled", enabled),
        ("runtime_suspended_time", "0"),
        ("wakeup", "disabled"),
        ("async", "enabled"),
    ] {
        machine.line(format!("{folder}/power/{name}"), value);
    }
}

/// The link attributes; `output` makes them again when something happens to the function.
fn link(machine: &mut Machine, function: &FunctionDescription, config: &Config, folder: &str) {
    let kernel = machine.kernel;
    let Ok(width) = config.get("express.link_status.negotiated_link_width") else { return };
    let value = |path: &str| config.value(path);
    let path = |name: &str| format!("{folder}/{name}");
    if function.port == Some(crate::pci::capability::express::PortType::RootComplexIntegratedEndpoint) {
        // There are no link registers: the kernel answers zero (pcie_capability_reg_implemented).
        machine.line(path("current_link_speed"), kernel.speed(0));
        machine.line(path("current_link_width"), 0);
        machine.line(path("max_link_speed"), kernel.speed(0));
        machine.line(path("max_link_width"), 255);
        return;
    }
    let vector = value("express.link_capabilities_2.supported_link_speeds_vector");
    machine.line(path("current_link_speed"), kernel.speed(value("express.link_status.current_link_speed")));
    machine.line(path("current_link_width"), width);
    machine.line(path("max_link_speed"), kernel.maximum_speed(vector));
    machine.line(path("max_link_width"), value("express.link_capabilities.maximum_link_width"));
}

/// Counters are there whether or not the kernel controls Advanced Error Reporting (pci_aer_init).
fn error_counters(machine: &mut Machine, function: &FunctionDescription, config: &Config, folder: &str) {
    if config.capability("aer").is_none() {
        return;
    }
    let table = |rows: &[(&str, u8)], total: &str| {
        let lines: String = rows.iter().map(|(name, _)| format!("{name} 0\n")).collect();
        format!("{lines}{total} 0")
    };
    let kernel = machine.kernel;
    let path = |name: &str| format!("{folder}/{name}");
    machine.line(path("aer_dev_correctable"), table(kernel.correctable_rows(), "TOTAL_ERR_COR"));
    machine.line(path("aer_dev_nonfatal"), table(kernel.uncorrectable_rows(), "TOTAL_ERR_NONFATAL"));
    machine.line(path("aer_dev_fatal"), table(kernel.uncorrectable_rows(), "TOTAL_ERR_FATAL"));
    if function.port == Some(crate::pci::capability::express::PortType::RootPort) {
        for kind in ["cor", "nonfatal", "fatal"] {
            machine.line(path(&format!("aer_rootport_total_err_{kind}")), 0);
        }
    }
}

fn relations(machine: &mut Machine, description: &Description, function: &FunctionDescription, folder: &str) {
    let address = function.address;
    if let Some(driver) = &function.driver {
        let driver = format!("sys/bus/pci/drivers/{driver}");
        machine.link(format!("{folder}/driver"), &driver);
        machine.link(format!("{driver}/{address}"), folder);
    }
    if let Some(group) = function.group {
        let group = format!("sys/kernel/iommu_groups/{group}");
        machine.link(format!("{folder}/iommu_group"), &group);
        machine.link(format!("{group}/devices/{address}"), folder);
        machine.line(format!("{group}/type"), "DMA-FQ");
    }
    for service in services::of(description, function) {
        let name = services::device_name(function, service);
        let place = format!("{folder}/{name}");
        let driver = service.driver;
        machine.line(format!("{place}/uevent"), format!("DRIVER={driver}"));
        machine.link(format!("{place}/driver"), &format!("sys/bus/pci_express/drivers/{driver}"));
        machine.link(format!("{place}/subsystem"), "sys/bus/pci_express");
        machine.link(format!("sys/bus/pci_express/devices/{name}"), &place);
        machine.link(format!("sys/bus/pci_express/drivers/{driver}/{name}"), &place);
    }
}

fn slot(machine: &mut Machine, function: &FunctionDescription) {
    let (Some(slot), Some((secondary, _))) = (function.slot, function.buses) else { return };
    let path = |name: &str| format!("sys/bus/pci/slots/{}/{name}", slot.number);
    machine.line(path("address"), format!("{:04x}:{secondary:02x}:00", function.address.domain));
    let current = function.current.map_or(0, |(speed, _)| speed);
    machine.line(path("cur_bus_speed"), machine.kernel.speed(current));
    machine.line(path("max_bus_speed"), machine.kernel.speed(function.maximum.0));
    if slot.hot_plug {
        let occupied = u8::from(function.current.is_some());
        machine.line(path("adapter"), occupied);
        machine.line(path("power"), occupied);
    }
}

/// Files in `link/` of functions below a port: the states that both ends of the link can (aspm_ctrl_attrs_are_visible
/// in drivers/pci/pcie/aspm.c, since 5.10).
pub fn link_states(machine: &mut Machine, address: Bdf) {
    if machine.kernel < Kernel::V5_15 {
        return;
    }
    let (Some(parent), Some(function)) = (machine.parent(address), machine.functions.get(&address)) else {
        return;
    };
    let Some(port) = machine.functions.get(&parent) else { return };
    let both = |path: &str| function.config.value(path) & port.config.value(path);
    let aspm = both("express.link_capabilities.aspm_support");
    let clock = function.config.value("express.link_capabilities.clock_power_management");
    let mut states = Vec::new();
    if clock == 1 {
        states.push("clkpm");
    }
    for (name, possible) in [
        ("l0s_aspm", aspm & 1),
        ("l1_aspm", aspm >> 1),
        ("l1_1_aspm", both("l1ss.capabilities.aspm_l1_1_supported")),
        ("l1_2_aspm", both("l1ss.capabilities.aspm_l1_2_supported") & ltr_enabled(&function.config)),
        ("l1_1_pcipm", both("l1ss.capabilities.pci_pm_l1_1_supported")),
        ("l1_2_pcipm", both("l1ss.capabilities.pci_pm_l1_2_supported")),
    ] {
        if possible == 1 {
            states.push(name);
        }
    }
    // The states that firmware left enabled are those that the kernel shows as on.
    let enabled = both("express.link_control.aspm_control");
    let folder = function.folder.clone();
    for name in states {
        let on = match name {
            "l0s_aspm" => enabled & 1,
            "l1_aspm" => enabled >> 1,
            _ => 0,
        };
        machine.line(format!("{folder}/link/{name}"), on);
    }
}

/// L1.2 through ASPM needs Latency Tolerance Reporting (aspm_l1ss_init).
fn ltr_enabled(config: &Config) -> u64 {
    config.value("express.device_control_2.ltr_mechanism_enable")
}
