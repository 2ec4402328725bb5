//! Machines: from a description, or from a tree that somebody captured.

pub mod acpi;
mod boot_log;
mod consistency;
pub mod description;
pub mod files;
mod interrupts;
pub mod registers;
pub mod resources;
mod services;

use std::collections::{BTreeMap, BTreeSet};

use super::config::Config;
use super::document::Mistake;
use super::state::{Answer, Function, Machine};
use crate::pci::Bdf;
use description::{Description, FunctionDescription, HostBridge, Iommu};

impl Description {
    /// The host bridge above a function.
    pub fn host(&self, address: Bdf) -> Option<&HostBridge> {
        self.host_bridges
            .iter()
            .find(|h| h.domain == address.domain && (h.buses.0..=h.buses.1).contains(&address.bus))
    }

    /// NUMA node of a function, if firmware says.
    pub fn node(&self, function: &FunctionDescription) -> Option<u64> {
        function.node.or_else(|| self.host(function.address)?.node)
    }
}

/// The machine of a description, booted and healthy. `seed` decides what differs from machine to machine.
pub fn build(description: &Description, seed: u64) -> Result<Machine, Mistake> {
    let mut machine = Machine::new(description.kernel, seed);
    let places = resources::place(description)?;
    let interrupts = interrupts::assign(description);
    let mut devices: BTreeMap<(u32, u8, u8), usize> = BTreeMap::new();
    for function in &description.functions {
        *devices.entry(device(function.address)).or_default() += 1;
    }
    for function in &description.functions {
        let multi = devices.get(&device(function.address)).is_some_and(|count| *count > 1);
        let nowhere = registers::Places::default();
        let own = places.get(&function.address).unwrap_or(&nowhere);
        let mut config = registers::build(function, own, multi)?;
        ownership(description, function, &mut config).map_err(|m| m.at(function.line))?;
        interrupts::write(&mut machine, description, function, &mut config, &interrupts)
            .map_err(|m| m.at(function.line))?;
        files::write(&mut machine, description, function, &config, own).map_err(|m| m.at(function.line))?;
        let folder = files::folder(description, function.address);
        machine.functions.insert(function.address, found(function.address, folder, config));
    }
    for function in &description.functions {
        files::link_states(&mut machine, function.address);
    }
    platform(&mut machine, description);
    interrupts::proc_files(&mut machine, description, &interrupts);
    boot_log::write(&mut machine, description, &places, &interrupts);
    // Whatever their time stamps say: at moment 0 the machine has booted, and nothing has happened to it yet.
    for line in &mut machine.log {
        line.since = 0;
    }
    for (path, text) in &description.files {
        machine.file(path.clone(), text.clone());
    }
    Ok(machine)
}

fn device(address: Bdf) -> (u32, u8, u8) {
    (address.domain, address.bus, address.device)
}

/// A function as the kernel found it.
pub fn found(address: Bdf, folder: String, config: Config) -> Function {
    Function {
        address,
        folder,
        enumerated: config.clone(),
        config,
        answer: Answer::Registers,
        marked: false,
        delay: 0,
        readable: None,
        flapping: Vec::new(),
        flapping_since: 0,
        silent_since: None,
        delivers: true,
        touched: false,
    }
}

/// What the kernel sets in a function for the features that it controls (pci_aer_init and aer_probe in
/// drivers/pci/pcie/aer.c, dpc_enable in dpc.c, pci_configure_ltr in probe.c).
fn ownership(
    description: &Description,
    function: &FunctionDescription,
    config: &mut Config,
) -> Result<(), Mistake> {
    let Some(host) = description.host(function.address) else { return Ok(()) };
    let granted = |feature| services::granted(description, host, feature);
    let running = services::of(description, function);
    let runs = |driver| running.iter().any(|service| service.driver == driver);
    let no_aer = description.command_line.split([' ', ',', '=']).any(|word| word == "noaer");
    if granted("AER")
        && !no_aer
        && config.capability("aer").is_some()
        && config.capability("express").is_some()
    {
        config.set_flags(
            "express.device_control.correctable_error_reporting_enable \
             express.device_control.non_fatal_error_reporting_enable \
             express.device_control.fatal_error_reporting_enable \
             express.device_control.unsupported_request_reporting_enable",
        )?;
    }
    if runs("aer") {
        config.set_flags(
            "aer.root_error_command.correctable_error_reporting_enable \
             aer.root_error_command.non_fatal_error_reporting_enable \
             aer.root_error_command.fatal_error_reporting_enable",
        )?;
    }
    if runs("dpc") {
        config.set_all(&[("dpc.control.trigger_enable", 1), ("dpc.control.interrupt_enable", 1)])?;
    }
    if granted("LTR") && config.value("express.device_capabilities_2.ltr_mechanism_supported") == 1 {
        config.set("express.device_control_2.ltr_mechanism_enable", 1)?;
    }
    Ok(())
}

/// Files that are not about a function.
fn platform(machine: &mut Machine, description: &Description) {
    machine.line("proc/version", boot_log::version(description));
    machine.line("proc/cmdline", &description.command_line);
    machine.file("sys/firmware/acpi/tables/FACP", acpi::fadt(description.fadt.0, description.fadt.1));
    machine.file("sys/firmware/acpi/tables/MCFG", acpi::mcfg(description.ecam, description.domains()));
    let nodes: BTreeSet<usize> =
        description.processors.iter().filter_map(|(_, node)| usize::try_from(*node).ok()).collect();
    let nodes = interrupts::list(&nodes.into_iter().collect::<Vec<_>>());
    for which in ["online", "possible"] {
        machine.line(format!("sys/devices/system/node/{which}"), &nodes);
    }
    let policies = ["default", "performance", "powersave", "powersupersave"].map(|policy| {
        if policy == description.aspm_policy { format!("[{policy}] ") } else { format!("{policy} ") }
    });
    machine.line("sys/module/pcie_aspm/parameters/policy", policies.concat());
    for unit in 0..description.host_bridges.len() {
        match description.iommu {
            Iommu::None => {}
            Iommu::Amd => machine.line(format!("sys/class/iommu/ivhd{unit}/amd-iommu/cap"), "40210f"),
            Iommu::Intel => {
                machine.line(format!("sys/class/iommu/dmar{unit}/intel-iommu/cap"), "8d2078c106f0466");
            }
        }
    }
    let [vendor, product, firmware] = &description.board;
    for (name, text) in [
        ("sys_vendor", vendor.as_str()),
        ("product_name", product),
        ("board_vendor", vendor),
        ("board_name", product),
        ("bios_vendor", vendor),
        ("bios_version", firmware),
        ("bios_date", "01/02/2025"),
    ] {
        machine.line(format!("sys/devices/virtual/dmi/id/{name}"), text);
    }
    machine.link("sys/class/dmi/id", "sys/devices/virtual/dmi/id");
    let mut drivers: Vec<&str> = description
        .functions
        .iter()
        .filter_map(|f| f.driver.as_deref())
        .filter(|d| *d != "pcieport")
        .collect();
    drivers.sort_unstable();
    drivers.dedup();
    let modules: String =
        drivers.iter().map(|driver| format!("{driver} 131072 1 - Live 0x0000000000000000\n")).collect();
    machine.file("proc/modules", modules);
}
