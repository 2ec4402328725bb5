//! A device that is not there any more, or not as the kernel believes.

use super::effect::{
    self, device_and_below, driver_finds_device_gone, gone_below, link_down, port, say_hot_plug,
    set_if_there, silence,
};
use super::{Call, choice, faults, flag};
use crate::simulate::document::Mistake;
use crate::simulate::kernel::Severity;
use crate::simulate::state::Machine;

faults! {
    /// The device stops answering and nobody tells the kernel. Its folder in sysfs stays, with vendor, BARs,
    /// interrupts and `power_state` as they were (copies), while `config` reads all-ones, `current_link_speed` is
    /// `Unknown` and `current_link_width` 63. The PCI core logs nothing; only a driver that touches the device
    /// complains: NVRM with Xid 79, nvme with CSTS=0xffffffff. The link at the root port may still be up. Where it goes
    /// down at a port with a hot-plug service, the kernel is told: `Link Down`, and it removes the device as after
    /// `link-down`.
    ///
    /// Seen on Linux 6.12 with the device taken away under the kernel: attributes and the silence of the log.
    /// `max_link_speed` of kernels before 6.12 is derived from their source. `link = "down"`, the usual state of the
    /// port on hardware, is not verified in source.
    "fallen-off-bus" => fallen_off_bus on Linked needs [] verdict "fallen-off-bus" or hot_plug_notices takes [
        choice("driver", &["bound", "unbound"], "Whether a driver is bound, which then finds the device gone."),
        choice("link", &["down", "up"], "What the port above says of the link."),
        choice("notice", &["at-once", "never"], "Whether the driver touches the device and says so."),
    ];

    /// The kernel has marked the device disconnected, because hot-plug saw it go, and a driver does not let go, so that
    /// its folder stays. `current_link_speed` and `current_link_width` fail with EINVAL, `max_link_width` is 255;
    /// `config` still goes to the hardware and reads all-ones.
    ///
    /// From the source (pci_dev_set_disconnected, pcie_capability_read_word); the window is short in reality.
    "disconnected" => disconnected on Linked needs [] verdict "surprise-removed" takes [];

    /// The card is pulled out of a hot-plug slot. The link goes down, presence is lost, pciehp says so, and the kernel
    /// removes the device: its folder is gone, `adapter` of the slot is 0. Without a hot-plug service at the port
    /// the kernel notices nothing, and the device is as after `fallen-off-bus` with an empty slot.
    ///
    /// Lines of drivers/pci/hotplug/pciehp_ctrl.c; seen on Linux 6.12 under QEMU.
    "surprise-removal" => surprise_removal on Linked needs [] verdict "surprise-removed" takes [];

    /// The link of the device goes down and the card stays in the slot. The port says DLActive- and width 0; reads of
    /// the device give all-ones at once. With a hot-plug service the kernel removes the device after `Link Down`;
    /// otherwise it says nothing until a driver complains.
    ///
    /// Speed 2.5 GT/s and width 0 of a port without link depend on the hardware.
    "link-down" => link_goes_down on Linked needs [] verdict "link-down" or looks_fallen_off takes [
        flag("disabled", false, "The port's Link Disable bit is set: software, not the hardware, took the link down."),
    ];

    /// The port above contains an error: it takes the link down and holds it there until software clears the trigger.
    /// The device reads all-ones, DPC status of the port says why. Where the kernel runs the DPC service it logs
    /// `containment event` and tries to recover; a device whose driver has no error handlers stays lost. Where firmware
    /// kept DPC, nothing is logged.
    ///
    /// Wording of drivers/pci/pcie/dpc.c and err.c by version.
    "dpc-containment" => dpc_containment on Linked needs [] verdict "contained-by-dpc" takes [
        choice("reason", &["unmasked uncorrectable error", "ERR_FATAL", "ERR_NONFATAL", "RP PIO error",
            "software trigger"], "What triggered containment."),
        choice("recovery", &["failed", "successful"], "How recovery ended, where the kernel tried."),
    ];
}

fn fallen_off_bus(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let address = call.address()?;
    let above = port(machine, address)?;
    let lost = device_and_below(machine, address);
    if call.word("driver") == "unbound" {
        for function in lost.iter().rev() {
            effect::unbind(machine, *function)?;
        }
    }
    let notices = call.word("notice") != "never";
    if call.word("link") == "down" {
        let seen = effect::get(machine, above, "express.slot_status.presence_detect_state") == 1;
        link_down(machine, above, seen)?;
        surprise_down(machine, above)?;
        if effect::runs_service(machine, above, 4) {
            return gone_below(machine, above, &["Link Down"], notices);
        }
    }
    silence(machine, &lost)?;
    if notices {
        for function in lost {
            driver_finds_device_gone(machine, function);
        }
    }
    Ok(())
}

/// A hot-plug service hears of the link that went down.
fn hot_plug_notices(machine: &Machine, call: &Call) -> Option<&'static str> {
    let above = removed_below(machine, call.function?).or_else(|| port(machine, call.function?).ok())?;
    (call.word("link") == "down" && effect::runs_service(machine, above, 4)).then_some("link-down")
}

/// The port that a function was below when the kernel removed it.
fn removed_below(machine: &Machine, address: crate::pci::Bdf) -> Option<crate::pci::Bdf> {
    let removed = machine.removed.iter().find(|removed| removed.function.address == address)?;
    removed.function.folder.rsplit('/').nth(1)?.parse().ok()
}

/// Without hot-plug nobody says that the link went first: from the bus it is a device that fell off.
fn looks_fallen_off(machine: &Machine, call: &Call) -> Option<&'static str> {
    let above = port(machine, call.function?).ok()?;
    (!effect::runs_service(machine, above, 4) && !call.flag("disabled")).then_some("fallen-off-bus")
}

/// Surprise Down is latched at a port that can report it (PCIe 6.2, 7.8.4.2).
fn surprise_down(machine: &mut Machine, above: crate::pci::Bdf) -> Result<(), Mistake> {
    if effect::get(machine, above, "express.link_capabilities.surprise_down_error_reporting_capable") == 1 {
        set_if_there(
            machine,
            above,
            &[
                ("aer.uncorrectable_status.surprise_down_error", 1),
                ("express.device_status.fatal_error_detected", 1),
            ],
        )?;
    }
    Ok(())
}

fn disconnected(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let address = call.address()?;
    let above = port(machine, address)?;
    let lost = device_and_below(machine, address);
    silence(machine, &lost)?;
    for function in &lost {
        machine.change(*function)?.marked = true;
    }
    link_down(machine, above, false)?;
    say_hot_plug(machine, above, "Link Down");
    say_hot_plug(machine, above, "Card not present");
    for function in lost {
        driver_finds_device_gone(machine, function);
    }
    Ok(())
}

fn surprise_removal(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let above = port(machine, call.address()?)?;
    link_down(machine, above, false)?;
    gone_below(machine, above, &["Link Down", "Card not present"], true)
}

fn link_goes_down(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let address = call.address()?;
    let above = port(machine, address)?;
    let seen = effect::get(machine, above, "express.slot_status.presence_detect_state") == 1;
    link_down(machine, above, seen)?;
    if call.flag("disabled") {
        set_if_there(machine, above, &[("express.link_control.link_disable", 1)])?;
    } else {
        surprise_down(machine, above)?;
    }
    gone_below(machine, above, &["Link Down"], true)
}

fn dpc_containment(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let address = call.address()?;
    let above = port(machine, address)?;
    if machine.function(above)?.enumerated.capability("dpc").is_none() {
        let text = format!("dpc-containment: {above}, the port above {address}, has no capability `dpc`");
        return Err(Mistake::new(0, text));
    }
    let reason = call.word("reason").to_owned();
    // Trigger Reason and its extension (PCIe 6.2, 7.9.14.4).
    let (code, extension) = match reason.as_str() {
        "ERR_NONFATAL" => (1, 0),
        "ERR_FATAL" => (2, 0),
        "RP PIO error" => (3, 0),
        "software trigger" => (3, 1),
        _ => (0, 0),
    };
    let source = if code == 1 || code == 2 { u64::from(address.requester_id()) } else { 0 };
    set_if_there(
        machine,
        above,
        &[
            ("dpc.status.trigger_status", 1),
            ("dpc.status.trigger_reason", code),
            ("dpc.status.trigger_reason_extension", extension),
            ("dpc.status.interrupt_status", 1),
            ("dpc.status.rp_pio_first_error_pointer", 0x1f),
            ("dpc.error_source_id.requester_id", source),
        ],
    )?;
    let status = effect::get(machine, above, "dpc.status");
    let seen = effect::get(machine, above, "express.slot_status.presence_detect_state") == 1;
    link_down(machine, above, seen)?;
    let lost = machine.below(above);
    silence(machine, &lost)?;
    if code == 0 {
        // A malformed packet is what ports contain most often.
        set_if_there(machine, above, &[("aer.uncorrectable_status.malformed_tlp", 1)])?;
    }
    if effect::runs_service(machine, above, 8) {
        let service = effect::service_device(machine, above, 8);
        let lines = machine.kernel.containment(&above.to_string(), &service, status, source, &reason);
        for line in lines {
            machine.say(line);
        }
        if code == 0 {
            let root = machine.root_port(above).unwrap_or(above);
            say_contained_error(machine, above, root);
        }
        recover(machine, call, above, &lost)?;
    } else {
        for function in lost {
            driver_finds_device_gone(machine, function);
        }
    }
    Ok(())
}

/// The AER block that the DPC service prints of the port (dpc_get_aer_uncorrect_severity, aer_print_error).
fn say_contained_error(machine: &mut Machine, above: crate::pci::Bdf, _root: crate::pci::Bdf) {
    let kernel = machine.kernel;
    let prefix = kernel.aer_block_prefix();
    let words = kernel.severity(Severity::Fatal);
    machine.say_of(
        above,
        format!("{prefix}PCIe Bus Error: severity={words}, type=Transaction Layer, (Receiver ID)"),
    );
    let mask = effect::get(machine, above, "aer.uncorrectable_mask");
    let ids = machine
        .functions
        .get(&above)
        .map_or((0, 0), |f| (f.enumerated.number(0, 2), f.enumerated.number(2, 2)));
    let status = effect::get(machine, above, "aer.uncorrectable_status");
    machine.say_of(
        above,
        format!("{prefix}  device [{:04x}:{:04x}] error status/mask={status:08x}/{mask:08x}", ids.0, ids.1),
    );
    machine.say_of(above, format!("{prefix}   [18] {:<22} (First)", "MalfTLP"));
    effect::count_error(machine, above, "aer_dev_fatal", "MalfTLP", 1);
}

/// pcie_do_recovery in drivers/pci/pcie/err.c: the drivers below are asked, the link is let up again.
fn recover(
    machine: &mut Machine,
    call: &Call,
    above: crate::pci::Bdf,
    lost: &[crate::pci::Bdf],
) -> Result<(), Mistake> {
    let successful = call.word("recovery") == "successful";
    let kernel = machine.kernel;
    // NVIDIA's driver has no error handlers on x86.
    for function in lost {
        if !successful && machine.driver(*function).as_deref() == Some("nvidia") {
            machine.say_of(*function, "AER: can't recover (no error_detected callback)");
        }
    }
    if successful {
        machine.wait(150_000);
        for function in lost {
            machine.change(*function)?.answer = crate::simulate::state::Answer::Registers;
        }
        effect::link_up(machine, above)?;
        set_if_there(
            machine,
            above,
            &[("dpc.status.trigger_status", 0), ("dpc.status.interrupt_status", 0)],
        )?;
    } else {
        for function in lost {
            driver_finds_device_gone(machine, *function);
        }
    }
    machine.say_of(above, kernel.recovery(successful));
    Ok(())
}
