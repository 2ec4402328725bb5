//! Drivers that let go, functions that the kernel removes.

use super::*;

/// The driver lets go of a function: links, interrupts, and what the kernel switches off (pci_device_remove).
pub fn unbind(machine: &mut Machine, address: Bdf) -> Result<(), Mistake> {
    let Some(driver) = machine.driver(address) else { return Ok(()) };
    let path = machine.attribute(address, "driver");
    machine.remove(&path);
    machine.remove(&format!("sys/bus/pci/drivers/{driver}/{address}"));
    let path = machine.attribute(address, "uevent");
    if let Some(text) = machine.text(&path) {
        let rest: Vec<&str> = text.lines().filter(|line| !line.starts_with("DRIVER=")).collect();
        machine.line(path, rest.join("\n"));
    }
    release_interrupts(machine, address)?;
    forget_what_the_driver_made(machine, address);
    machine.set_attribute(address, "enable", 0);
    // The use that the core counts while a driver is bound (local_pci_probe); a driver with runtime power management
    // gave it up itself.
    let usage = |name: &str| machine.text(&machine.attribute(address, name));
    let forbidden = u64::from(usage("power/control").as_deref() == Some("on"));
    let used: u64 = usage("power/runtime_usage").and_then(|text| text.parse().ok()).unwrap_or(0);
    if used > forbidden {
        machine.set_attribute(address, "power/runtime_usage", used - 1);
    }
    let state = machine.kernel.power_state_without_driver();
    if machine.text(&machine.attribute(address, "power_state")).as_deref() == Some("D0") {
        machine.set_attribute(address, "power_state", state);
    }
    set_if_there(machine, address, &[("header.command.bus_master_enable", 0)])
}

/// Folders below a function that the kernel's cores make; the others hold devices of its driver (`nvme`, `net`).
const OF_THE_CORES: [&str; 6] = ["link", "msi_irqs", "power", "wakeup", "pci_bus", "iommu"];

/// Devices that a driver made go with it, and the links to them (device_del); so do its DMA pools.
fn forget_what_the_driver_made(machine: &mut Machine, address: Bdf) {
    let prefix = machine.attribute(address, "");
    let made: std::collections::BTreeSet<String> = machine
        .files
        .range(prefix.clone()..)
        .map_while(|(path, _)| path.strip_prefix(&prefix))
        .filter_map(|rest| rest.split_once('/').map(|(folder, _)| folder))
        .filter(|folder| !folder.contains(':') && !OF_THE_CORES.contains(folder))
        .map(str::to_owned)
        .collect();
    for folder in made {
        machine.remove(&format!("{prefix}{folder}"));
        let target = format!("/{address}/{folder}");
        machine.files.retain(|_, content| match content {
            Content::Link(text) => !text
                .find(&target)
                .is_some_and(|at| matches!(text.as_bytes().get(at + target.len()), None | Some(b'/'))),
            _ => true,
        });
    }
    machine.remove(&format!("{prefix}pools"));
}

/// A bridge has one child more or less that is awake (rpm_add_child, pm_runtime_set_suspended).
pub(super) fn count_active_child(machine: &mut Machine, address: Bdf, come: bool) {
    let active =
        machine.text(&machine.attribute(address, "power/runtime_status")).as_deref() == Some("active");
    let Some(above) = machine.parent(address).filter(|_| active) else { return };
    let children = machine.text(&machine.attribute(above, "power/runtime_active_kids"));
    if let Some(children) = children.and_then(|text| text.parse::<u64>().ok()) {
        let now = if come { children + 1 } else { children.saturating_sub(1) };
        machine.set_attribute(above, "power/runtime_active_kids", now);
    }
}

/// Linux's numbers of a function's message interrupts.
pub(super) fn message_interrupts(machine: &Machine, address: Bdf) -> Vec<String> {
    let prefix = format!("{}/", machine.attribute(address, "msi_irqs"));
    machine.files.keys().filter_map(|path| path.strip_prefix(&prefix)).map(str::to_owned).collect()
}

/// Splits `/proc/interrupts` into the lines of these interrupts and the others.
fn split_interrupts(machine: &Machine, numbers: &[String]) -> (Vec<String>, Vec<String>) {
    let Some(Content::Bytes(bytes)) = machine.files.get("proc/interrupts") else { return Default::default() };
    let text = String::from_utf8_lossy(bytes);
    text.lines().map(str::to_owned).partition(|line| {
        line.split_once(':').is_some_and(|(number, _)| numbers.iter().any(|n| n == number.trim()))
    })
}

/// The kernel takes the interrupts of a function back.
pub fn release_interrupts(machine: &mut Machine, address: Bdf) -> Result<(), Mistake> {
    let numbers = message_interrupts(machine, address);
    let folder = machine.attribute(address, "msi_irqs");
    machine.remove(&folder);
    let (_, rest) = split_interrupts(machine, &numbers);
    if !rest.is_empty() {
        machine.line("proc/interrupts", rest.join("\n"));
    }
    for number in &numbers {
        machine.remove(&format!("proc/irq/{number}"));
    }
    if !numbers.is_empty() {
        // Pins are allowed again (pci_intx_for_msi in drivers/pci/msi/msi.c).
        set_if_there(machine, address, &[("header.command.interrupt_disable", 0)])?;
    }
    set_if_there(machine, address, &[("msix.control.enable", 0), ("msi.control.enable", 0)])
}

/// The kernel removes a function and everything below it: folders, links, interrupts.
pub fn remove(machine: &mut Machine, address: Bdf) -> Result<(), Mistake> {
    let mut all = machine.below(address);
    all.reverse();
    all.push(address);
    for gone in all {
        let function = machine.function(gone)?.clone();
        let numbers = message_interrupts(machine, gone);
        let (interrupts, _) = split_interrupts(machine, &numbers);
        let name = gone.to_string();
        let folder = format!("{}/", function.folder);
        let belongs = |path: &str, content: &Content| {
            path.starts_with(&folder)
                || numbers.iter().any(|n| path.starts_with(&format!("proc/irq/{n}/")))
                || matches!(content, Content::Link(target) if target.rsplit('/').next() == Some(&name))
                || matches!(content, Content::Link(target) if target.contains(&format!("/{name}/")))
        };
        let files: std::collections::BTreeMap<String, Content> = machine
            .files
            .iter()
            .filter(|(path, content)| belongs(path, content))
            .map(|(path, content)| (path.clone(), content.clone()))
            .collect();
        let group = match files.get(&format!("{folder}iommu_group")) {
            Some(Content::Link(target)) => target.rsplit('/').next().and_then(|n| n.parse().ok()),
            _ => None,
        };
        count_active_child(machine, gone, false);
        unbind(machine, gone)?;
        if let Some(group) = group {
            let text = machine.kernel.iommu_group(&format!("pci {gone}"), &name, group, false);
            machine.say(text);
        }
        machine.files.retain(|path, _| !files.contains_key(path));
        machine.functions.remove(&gone);
        machine.removed.push(Removed { function, files, interrupts });
    }
    Ok(())
}

/// Everything below a port whose link is down is gone: where hot-plug runs it says `lines` and the kernel removes it
/// (pciehp_disable_slot); otherwise nobody but its drivers says so, and these only if they are to notice.
pub fn gone_below(machine: &mut Machine, port: Bdf, lines: &[&str], notices: bool) -> Result<(), Mistake> {
    let below = machine.below(port);
    silence(machine, &below)?;
    let hot_plug = runs_service(machine, port, 4);
    for line in lines {
        say_hot_plug(machine, port, line);
    }
    for function in &below {
        machine.change(*function)?.marked = hot_plug;
        if notices {
            driver_finds_device_gone(machine, *function);
        }
    }
    if !hot_plug {
        return Ok(());
    }
    for function in below_port(machine, port) {
        remove(machine, function)?;
    }
    // The kernel has cleared what it was told (pciehp_isr).
    set_if_there(
        machine,
        port,
        &[
            ("express.slot_status.data_link_layer_state_changed", 0),
            ("express.slot_status.presence_detect_changed", 0),
        ],
    )?;
    slot_attribute(machine, port, "power", "0");
    Ok(())
}
