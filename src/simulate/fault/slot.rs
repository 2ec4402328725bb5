//! Slots: what they give, and what was put into them.

use super::effect::{self, link_down, port, set, set_if_there};
use super::{Call, faults, number};
use crate::simulate::document::Mistake;
use crate::simulate::state::Machine;

faults! {
    /// The slot gives less power than the card takes: the limit that the port announces is low, and the card has captured it
    /// in Device Capabilities. Mellanox drivers say so: `Detected insufficient power on the PCIe slot`.
    ///
    /// PCIe 6.2, 7.5.3.9, 7.5.3.3; line of drivers/net/ethernet/mellanox/mlx5/core/events.c.
    "slot-power-limit-low" => power_limit on Linked needs [] verdict "slot-power" or unless_driver_complains takes [
        number("watts", 25, "Watts that the slot gives, up to 239."),
    ];

    /// The slot's power controller saw a fault and took the power away: Power Fault Detected is set in Slot Status, the link
    /// is down, the device reads all-ones. With a hot-plug service the kernel says `Slot(n): Power fault` and `Link Down`, and
    /// removes the device.
    ///
    /// PCIe 6.2, 7.5.3.11; pciehp_isr in drivers/pci/hotplug/pciehp_hpc.c.
    "slot-power-fault" => power_fault on Linked needs [] verdict "slot-power" takes [];

    /// Another card is in the slot than should be: the function answers with other identifiers, and no driver knows it. What
    /// should be there is not in the machine, so only an expectation can tell.
    ///
    /// Constructed: vendor and device ID change and no driver is bound; class, BARs and capabilities stay those of the card
    /// that should be there.
    "wrong-device-in-slot" => wrong_device on Function needs [] verdict "healthy" takes [
        number("vendor", 0x1af4, "Vendor ID of the card that is there."),
        number("device", 0x1041, "Its device ID."),
    ];

    /// Firmware does not say to which NUMA node the device belongs: `numa_node` is -1 and every processor counts as near, so
    /// that interrupts and memory land anywhere. All functions of the host bridge are affected.
    ///
    /// ACPI _PXM; seen on Linux 6.12 (`Unknown NUMA node; performance will be reduced`).
    "numa-unknown" => numa_unknown on Function needs [] verdict "healthy" takes [];
}

fn power_limit(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let address = call.address()?;
    let watts = call.number("watts");
    if watts > 0xef {
        return Err(Mistake::new(0, format!("`watts` is {watts}: expected 0 to 239")));
    }
    let above = port(machine, address)?;
    set_if_there(
        machine,
        above,
        &[
            ("express.slot_capabilities.slot_power_limit_value", watts),
            ("express.slot_capabilities.slot_power_limit_scale", 0),
        ],
    )?;
    set(machine, address, "express.device_capabilities.captured_slot_power_limit_value", watts)?;
    set(machine, address, "express.device_capabilities.captured_slot_power_limit_scale", 0)?;
    if machine.driver(address).as_deref() == Some("mlx5_core") {
        machine.say_of(
            address,
            format!(
                "mlx5_pcie_event:304:(pid 412): Detected insufficient power on the PCIe slot ({watts}W)."
            ),
        );
    }
    Ok(())
}

/// A card with cables of its own does not care; only a driver that complains tells.
fn unless_driver_complains(machine: &Machine, call: &Call) -> Option<&'static str> {
    (machine.driver(call.function?).as_deref() != Some("mlx5_core")).then_some("healthy")
}

fn power_fault(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let address = call.address()?;
    let above = port(machine, address)?;
    if !machine.function(above)?.enumerated.has("express.slot_status") {
        return Err(Mistake::new(0, format!("slot-power-fault: {above}, the port above, has no slot")));
    }
    link_down(machine, above, true)?;
    set_if_there(
        machine,
        above,
        &[
            ("express.slot_capabilities.power_controller_present", 1),
            ("express.slot_status.power_fault_detected", 1),
        ],
    )?;
    effect::slot_attribute(machine, above, "power", "0");
    effect::gone_below(machine, above, &["Power fault", "Link Down"], true)
}

fn wrong_device(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let address = call.address()?;
    let (vendor, device) = (call.number("vendor"), call.number("device"));
    if vendor > 0xffff || device > 0xffff {
        return Err(Mistake::new(0, "`vendor` and `device`: expected numbers of 16 bits"));
    }
    effect::unbind(machine, address)?;
    let function = machine.change(address)?;
    let old = (function.enumerated.number(0, 2), function.enumerated.number(2, 2));
    for config in [&mut function.config, &mut function.enumerated] {
        config.store(0, 2, vendor);
        config.store(2, 2, device);
    }
    machine.set_attribute(address, "vendor", format!("0x{vendor:04x}"));
    machine.set_attribute(address, "device", format!("0x{device:04x}"));
    for name in ["uevent", "modalias"] {
        let path = machine.attribute(address, name);
        if let Some(text) = machine.text(&path) {
            let text = text
                .replace(
                    &format!("PCI_ID={:04X}:{:04X}", old.0, old.1),
                    &format!("PCI_ID={vendor:04X}:{device:04X}"),
                )
                .replace(&format!("v{:08X}d{:08X}", old.0, old.1), &format!("v{vendor:08X}d{device:08X}"));
            machine.line(path, text);
        }
    }
    let (before, after) = (format!("[{:04x}:{:04x}]", old.0, old.1), format!("[{vendor:04x}:{device:04x}]"));
    let name = format!("pci {address}:");
    for line in machine.log.iter_mut().filter(|l| l.text.starts_with(&name)) {
        line.text = line.text.replace(&before, &after);
    }
    Ok(())
}

fn numa_unknown(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let address = call.address()?;
    let root = |folder: &str| folder.split('/').take(3).collect::<Vec<_>>().join("/");
    let host = root(&machine.function(address)?.folder);
    let same: Vec<_> =
        machine.functions.values().filter(|f| root(&f.folder) == host).map(|f| f.address).collect();
    let lists: Vec<String> = machine
        .functions
        .keys()
        .filter_map(|f| machine.text(&machine.attribute(*f, "local_cpulist")))
        .collect();
    let last = lists.iter().flat_map(|l| l.split([',', '-'])).filter_map(|n| n.parse::<u32>().ok()).max();
    let last = last.unwrap_or(0);
    for function in same {
        machine.set_attribute(function, "numa_node", -1);
        machine.set_attribute(function, "local_cpulist", format!("0-{last}"));
        let mask = 1u128.checked_shl(last.saturating_add(1)).map_or(u128::MAX, |bit| bit - 1);
        machine.set_attribute(function, "local_cpus", format!("{mask:x}"));
    }
    let bus = host.rsplit("/pci").next().unwrap_or_default().to_owned();
    let line = format!("pci_bus {bus}: Unknown NUMA node; performance will be reduced");
    let found = format!("PCI host bridge to bus {bus}");
    machine.say_after(|text| text == found, &[line]);
    Ok(())
}
