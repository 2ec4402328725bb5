//! Power saving on links, and who may switch it.

use super::effect::{self, get, port, set};
use super::{Call, choice, faults, words};
use crate::pci::Bdf;
use crate::simulate::document::Mistake;
use crate::simulate::kernel::Kernel;
use crate::simulate::machine::{acpi, description::OSC_CONTROLS};
use crate::simulate::nearest::nearest;
use crate::simulate::state::{Content, Machine};

faults! {
    /// Active State Power Management is on for the link of the device: L0s, L1, or L1 with its substates, at both ends,
    /// in Link Control and in the `link/` files of kernels that have them. With some devices and boards the link
    /// does not come back from it; by itself it is a setting, no defect.
    ///
    /// Registers of PCIe 6.2, 7.5.3.7 and 7.8.3; seen on Linux 6.12 (policy powersave).
    "aspm-enabled" => aspm_enabled on Linked needs [] verdict "healthy" takes [
        choice("state", &["L1", "L0s", "L0s L1", "L1.1", "L1.2"], "What is on."),
    ];

    /// The two ends of the link do not agree about ASPM: on at the device, off at the port. The specification does not
    /// allow that for L1 (PCIe 6.2, 5.4.1.3); it comes from software that wrote to one end only.
    ///
    /// Seen on Linux 6.12 with the bits set in the device.
    "aspm-ends-differ" => aspm_ends_differ on Linked needs [] verdict "misconfigured" takes [];

    /// Firmware says in the FADT that ASPM must not be touched, and leaves it on: the kernel says `FADT indicates ASPM is
    /// unsupported, using BIOS configuration`, the `link/` folders are missing, Link Control keeps what firmware
    /// wrote. Missing folders do not mean that ASPM is off.
    ///
    /// ACPI 6.5, 5.2.9.3; drivers/pci/pci-acpi.c, drivers/acpi/pci_root.c.
    "aspm-locked-by-firmware" => aspm_locked_by_firmware on Linked needs [] verdict "firmware-configuration" takes [];

    /// Firmware keeps control of features for itself: `_OSC: platform does not support [...]` for every host bridge. The
    /// kernel then does not run the services for them: without AER, errors are neither logged nor counted, and an
    /// empty error counter means nothing.
    ///
    /// PCI Firmware 3.3, 4.5.1; wording of drivers/acpi/pci_root.c. What firmware does with the errors is not
    /// simulated.
    "osc-denied" => osc_denied on Machine needs [] verdict "healthy" takes [
        words("features", &["AER", "LTR", "DPC"], "What firmware keeps: PCIeHotplug, SHPCHotplug, PME, AER, \
            PCIeCapability, LTR, DPC."),
    ];
}

fn aspm_enabled(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let address = call.address()?;
    let above = port(machine, address)?;
    let (control, substate) = match call.word("state") {
        "L0s" => (1, None),
        "L0s L1" => (3, None),
        "L1.1" => (2, Some("1")),
        "L1.2" => (2, Some("2")),
        _ => (2, None),
    };
    let device = device_functions(machine, above);
    for end in device.iter().copied().chain([above]) {
        // What is on must be possible (PCIe 6.2, 7.5.3.6).
        let able = get(machine, end, "express.link_capabilities.aspm_support") | control;
        set(machine, end, "express.link_capabilities.aspm_support", able)?;
        set(machine, end, "express.link_control.aspm_control", control)?;
        if let Some(number) = substate {
            let done = machine
                .change(end)?
                .config
                .set_if_there(&format!("l1ss.control_1.aspm_l1_{number}_enable"), 1);
            if !done && end.function == 0 {
                return Err(Mistake::new(0, format!("aspm-enabled: {end} has no capability `l1ss`")));
            }
        }
    }
    for function in device {
        for (name, on) in [
            ("l0s_aspm", control & 1 == 1),
            ("l1_aspm", control & 2 == 2),
            ("l1_1_aspm", substate == Some("1")),
            ("l1_2_aspm", substate == Some("2")),
        ] {
            let path = machine.attribute(function, &format!("link/{name}"));
            if on && machine.exists(&machine.attribute(function, "link")) || machine.files.contains_key(&path)
            {
                machine.line(path, u8::from(on));
            }
        }
    }
    Ok(())
}

/// Functions below a port that have link registers.
fn device_functions(machine: &Machine, above: Bdf) -> Vec<Bdf> {
    let has_link =
        |f: &Bdf| machine.functions.get(f).is_some_and(|f| f.enumerated.has("express.link_control"));
    effect::below_port(machine, above).into_iter().filter(has_link).collect()
}

fn aspm_ends_differ(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let address = call.address()?;
    let above = port(machine, address)?;
    for end in [address, above] {
        let able = get(machine, end, "express.link_capabilities.aspm_support") | 2;
        set(machine, end, "express.link_capabilities.aspm_support", able)?;
    }
    set(machine, address, "express.link_control.aspm_control", 2)?;
    set(machine, above, "express.link_control.aspm_control", 0)
}

fn aspm_locked_by_firmware(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let above = port(machine, call.address()?)?;
    for end in device_functions(machine, above).into_iter().chain([above]) {
        let able = get(machine, end, "express.link_capabilities.aspm_support") | 2;
        set(machine, end, "express.link_capabilities.aspm_support", able)?;
        set(machine, end, "express.link_control.aspm_control", 2)?;
    }
    if let Some(Content::Bytes(table)) = machine.files.get_mut("sys/firmware/acpi/tables/FACP") {
        acpi::forbid_aspm(table);
    }
    let folders: Vec<String> = machine.functions.values().map(|f| format!("{}/link", f.folder)).collect();
    for folder in folders {
        machine.remove(&folder);
    }
    let line = "ACPI FADT declares the system doesn't support PCIe ASPM, so disable it".to_owned();
    machine.say_after(|text| text.starts_with("ACPI: MCFG") || text.starts_with("ACPI: FACP"), &[line]);
    for acpi in effect::host_bridges(machine) {
        let line = format!("acpi {acpi}: FADT indicates ASPM is unsupported, using BIOS configuration");
        let prefix = format!("acpi {acpi}: _OSC:");
        machine.say_after(|text| text.starts_with(&prefix), &[line]);
    }
    Ok(())
}

fn osc_denied(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let denied = call.words("features");
    for feature in denied {
        if !OSC_CONTROLS.contains(&feature.as_str()) {
            let hint = nearest(feature, OSC_CONTROLS);
            let text = format!("`features`: \"{feature}\": expected {}{hint}", OSC_CONTROLS.join(", "));
            return Err(Mistake::new(0, text));
        }
    }
    for acpi in effect::host_bridges(machine) {
        deny_in_log(machine, &acpi, denied);
    }
    let functions: Vec<Bdf> = machine.functions.keys().copied().collect();
    for (feature, bit) in [("PME", 1), ("AER", 2), ("PCIeHotplug", 4), ("DPC", 8)] {
        // The kernel runs DPC only where it handles errors as well, and before 5.7 asks for nothing else.
        let asked = bit != 8 || machine.kernel >= Kernel::V5_15;
        if denied.iter().any(|d| d == feature && asked || (bit == 8 && d == "AER")) {
            for port in &functions {
                effect::stop_service(machine, *port, bit)?;
            }
        }
    }
    if denied.iter().any(|d| d == "AER") {
        for function in &functions {
            effect::stop_reporting(machine, *function)?;
        }
    }
    if denied.iter().any(|d| d == "LTR") {
        for function in functions {
            effect::stop_latency_reporting(machine, function)?;
        }
    }
    Ok(())
}

/// Moves features from `OS now controls` to `platform does not support`.
fn deny_in_log(machine: &mut Machine, acpi: &str, denied: &[String]) {
    let (refuses, controls) = (
        format!("acpi {acpi}: _OSC: platform does not support ["),
        format!("acpi {acpi}: _OSC: OS now controls ["),
    );
    let listed = |machine: &Machine, prefix: &str| -> Vec<String> {
        let line = machine.log.iter().find_map(|l| l.text.strip_prefix(prefix));
        line.map(|l| l.trim_end_matches(']').split(' ').map(str::to_owned).collect()).unwrap_or_default()
    };
    let granted = listed(machine, &controls);
    let mut refused = listed(machine, &refuses);
    refused.extend(denied.iter().filter(|d| granted.contains(d)).cloned());
    let in_order: Vec<&str> = OSC_CONTROLS.into_iter().filter(|c| refused.iter().any(|r| r == c)).collect();
    let left: Vec<&str> = granted.iter().map(String::as_str).filter(|g| !in_order.contains(g)).collect();
    let supports = format!("acpi {acpi}: _OSC: OS supports [");
    machine.unsay(|text| text.starts_with(&refuses) || text.starts_with(&controls));
    let mut lines = vec![format!("{refuses}{}]", in_order.join(" "))];
    if !left.is_empty() {
        lines.push(format!("{controls}{}]", left.join(" ")));
    }
    machine.say_after(|text| text.starts_with(&supports), &lines);
}
