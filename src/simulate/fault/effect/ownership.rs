//! What the kernel controls, and what it leaves alone if firmware does not hand it over.

use super::*;

/// ACPI names of the host bridges, out of the log.
pub fn host_bridges(machine: &Machine) -> Vec<String> {
    let mut names = Vec::new();
    for line in &machine.log {
        if let Some((name, _)) = line.text.strip_prefix("acpi ").and_then(|rest| rest.split_once(": _OSC: "))
            && !names.iter().any(|known| known == name)
        {
            names.push(name.to_owned());
        }
    }
    names
}

/// The kernel asks firmware for no control at all, because it lacks something that it has to support for that
/// (negotiate_os_control in drivers/acpi/pci_root.c; what is left was seen on Linux 6.12 with `pci=nommconf`): no port
/// service runs, nothing is reported, and no port has an interrupt.
pub fn ask_for_no_control(machine: &mut Machine) -> Result<(), Mistake> {
    let functions: Vec<Bdf> = machine.functions.keys().copied().collect();
    for function in functions {
        for bit in [1, 2, 4, 8, 0x10] {
            if runs_service(machine, function, bit) {
                stop_service(machine, function, bit)?;
            }
        }
        stop_reporting(machine, function)?;
        stop_latency_reporting(machine, function)?;
    }
    for acpi in host_bridges(machine) {
        let said = format!("acpi {acpi}: _OSC: ");
        machine.unsay(|text| {
            text.strip_prefix(&said).is_some_and(|rest| {
                ["platform does not support [", "OS now controls [", "not requesting OS control"]
                    .iter()
                    .any(|start| rest.starts_with(start))
            })
        });
        for line in machine.log.iter_mut().filter(|line| line.text.starts_with(&said)) {
            line.text = line.text.replace("OS supports [ExtendedConfig ", "OS supports [");
        }
        let line = format!("{said}not requesting OS control; OS requires [ExtendedConfig ASPM ClockPM MSI]");
        machine.say_after(|text| text.starts_with(&said), &[line]);
    }
    Ok(())
}

/// The function reports no latency tolerance, so that L1.2 through ASPM is impossible (pci_configure_ltr, aspm_l1ss_init).
pub fn stop_latency_reporting(machine: &mut Machine, function: Bdf) -> Result<(), Mistake> {
    set_if_there(machine, function, &[("express.device_control_2.ltr_mechanism_enable", 0)])?;
    let path = machine.attribute(function, "link/l1_2_aspm");
    machine.remove(&path);
    Ok(())
}

/// The kernel does not run a port service, by its bit: PME 1, AER 2, hot-plug 4, DPC 8, bandwidth 10h.
pub fn stop_service(machine: &mut Machine, port: Bdf, bit: u8) -> Result<(), Mistake> {
    let ran = runs_service(machine, port, bit);
    let Some(function) = machine.functions.get(&port) else { return Ok(()) };
    let prefix = format!("{}/{port}:pcie", function.folder);
    let names: Vec<String> = machine
        .files
        .range(prefix.clone()..)
        .map_while(|(path, _)| path.strip_prefix(&prefix))
        .filter_map(|rest| rest.get(..3))
        .filter(|digits| u8::from_str_radix(&digits[1..], 16).ok() == Some(bit))
        .map(|digits| format!("{port}:pcie{digits}"))
        .collect();
    for name in names {
        let folder = machine.attribute(port, &name);
        machine.remove(&folder);
        machine.files.retain(|path, _| !(path.starts_with("sys/bus/pci_express/") && path.ends_with(&name)));
    }
    let (word, handler) = match bit {
        1 => ("PME", "PCIe PME"),
        2 => ("AER", "aerdrv"),
        4 => ("pciehp", "pciehp"),
        0x10 => ("bwctrl", "PCIe bwctrl"),
        _ => ("DPC", "pcie-dpc"),
    };
    machine.unsay(|text| {
        text.starts_with(&format!("pcieport {port}: {word}: "))
            || text.starts_with(&format!("aer {port}:")) && bit == 2
            || text.starts_with(&format!("pciehp {port}:")) && bit == 4
            || text.starts_with(&format!("pcieport {port}: Signaling PME")) && bit == 1
    });
    rename_handler(machine, port, handler);
    if bit == 4
        && let Some(slot) = slot_folder(machine, port)
    {
        for name in ["adapter", "attention", "latch", "power"] {
            machine.remove(&format!("{slot}/{name}"));
        }
    }
    // A port without services gets no interrupt (pcie_port_device_register): its pin is all that is left.
    let any = [1, 2, 4, 8, 0x10].into_iter().any(|bit| runs_service(machine, port, bit));
    if ran && !any {
        release_interrupts(machine, port)?;
        let pin = machine.function(port)?.enumerated.number(0x3c, 1);
        machine.set_attribute(port, "irq", pin);
    }
    match bit {
        2 => set_if_there(
            machine,
            port,
            &[
                ("aer.root_error_command.correctable_error_reporting_enable", 0),
                ("aer.root_error_command.non_fatal_error_reporting_enable", 0),
                ("aer.root_error_command.fatal_error_reporting_enable", 0),
            ],
        ),
        4 => set_if_there(
            machine,
            port,
            &[
                ("express.slot_control.presence_detect_changed_enable", 0),
                ("express.slot_control.hot_plug_interrupt_enable", 0),
                ("express.slot_control.data_link_layer_state_changed_enable", 0),
            ],
        ),
        8 => set_if_there(
            machine,
            port,
            &[("dpc.control.trigger_enable", 0), ("dpc.control.interrupt_enable", 0)],
        ),
        0x10 => Ok(()),
        _ => set_if_there(machine, port, &[("express.root_control.pme_interrupt_enable", 0)]),
    }
}

/// Takes a handler out of the port's line in `/proc/interrupts`.
fn rename_handler(machine: &mut Machine, port: Bdf, handler: &str) {
    let Some(Content::Bytes(bytes)) = machine.files.get("proc/interrupts") else { return };
    let text = String::from_utf8_lossy(bytes).into_owned();
    let name = port.to_string();
    let lines: Vec<String> = text
        .lines()
        .map(|line| match line.contains(&name) && line.contains(handler) {
            true => {
                let shorter = line.replace(&format!(", {handler}"), "");
                if shorter == *line { line.replace(&format!("{handler}, "), "") } else { shorter }
            }
            false => line.to_owned(),
        })
        .collect();
    machine.file("proc/interrupts", format!("{}\n", lines.join("\n")));
}

/// The function reports no errors (pci_enable_pcie_error_reporting was not called).
pub fn stop_reporting(machine: &mut Machine, function: Bdf) -> Result<(), Mistake> {
    set_if_there(
        machine,
        function,
        &[
            ("express.device_control.correctable_error_reporting_enable", 0),
            ("express.device_control.non_fatal_error_reporting_enable", 0),
            ("express.device_control.fatal_error_reporting_enable", 0),
            ("express.device_control.unsupported_request_reporting_enable", 0),
        ],
    )
}
