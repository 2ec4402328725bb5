//! Errors that devices report, and settings that hide or cause them.

use super::effect::{self, Report, device_and_below, get, port, report, set, set_if_there};
use super::{Call, choice, faults, flag, number_to};
use crate::pci::Bdf;
use crate::simulate::document::Mistake;
use crate::simulate::kernel::Severity;
use crate::simulate::state::Machine;

faults! {
    /// Corrected errors come in a stream: receiver errors, bad packets, replays. Where the kernel owns AER, every message
    /// gives a block of lines and counts in `aer_dev_correctable` and at the root port; where firmware kept AER, the bits
    /// stay latched in the device and nothing is logged.
    ///
    /// Lines, counters and the clearing of the bits: seen on Linux 6.12 (injected errors). Until 6.15 the log is not
    /// limited; later kernels print ten within 5 s and suppress the rest.
    "aer-correctable-storm" => correctable_storm on Linked needs ["aer"] verdict "error-storm" or if_only_latched takes [
        choice("error", &["RxErr", "BadTLP", "BadDLLP", "Rollover", "Timeout"], "What goes wrong."),
        number_to("count", 25, 10_000, "Messages, 10000 at most."),
        number_to("every_ms", 40, 3_600_000, "Milliseconds from one to the next, an hour at most."),
    ];

    /// One uncorrectable error that is not fatal: a packet was lost or refused, the link works. The kernel prints the
    /// block with the packet's header and asks the drivers to recover; with a driver without error handlers (NVIDIA
    /// on x86) recovery fails.
    ///
    /// Seen on Linux 6.12 (injected Unexpected Completion).
    "aer-nonfatal" => nonfatal on Linked needs ["aer"] verdict "error-storm" or if_it_may_be_old takes [
        choice("error", &["UnxCmplt", "CmpltTO", "TLP", "CmpltAbrt"], "What goes wrong."),
    ];

    /// A fatal error: the kernel does not trust the link any more, prints `type=Inaccessible` without reading the device,
    /// resets the link at the port above and asks the drivers to recover. Before 6.16 only the root port counts it. Linux
    /// 4.19 asks nobody: it removes the device, resets the link and looks for it again.
    ///
    /// Seen on Linux 6.12 (malformed packet injected into a network controller).
    "aer-fatal" => fatal on Linked needs ["aer"] verdict "error-storm" takes [
        choice("error", &["MalfTLP", "DLP", "FCP", "RxOF"], "What goes wrong."),
    ];

    /// The device refused a request that it does not support. Firmware and kernel cause this while they scan the bus, so
    /// that the bit alone proves nothing; `latched` leaves it at that, otherwise it is reported as an error.
    ///
    /// PCIe 6.2, 7.8.4.2.
    "aer-unsupported-request" => unsupported_request on Linked needs ["aer"] verdict "healthy" or if_reported takes [
        flag("latched", true, "Only the status bits are set, as after a scan."),
    ];

    /// Errors are masked: whoever set the masks sees none. All bits of the correctable and uncorrectable masks of the
    /// device are set; errors that happen then (a later event) are latched in its status registers and not reported.
    ///
    /// PCIe 6.2, 7.8.4.3, 7.8.4.6. The kernel logs nothing.
    "aer-masked" => masked on Function needs ["aer"] verdict "misconfigured" takes [];

    /// A request of the device was not answered in time: Completion Timeout is latched in its AER status, a non-fatal
    /// error in Device Status. With `milliseconds`, reading the device's own configuration space takes that long for
    /// every four bytes (only in the simulated tree, a folder cannot show it).
    ///
    /// The shape of what was seen on a GPU behind Thunderbolt; registers of PCIe 6.2, 7.8.4.2.
    "completion-timeout" => completion_timeout on Linked needs ["aer"] verdict "error-storm" takes [
        number_to("milliseconds", 0, 1000, "Time that every four bytes of configuration space take, 1000 at most."),
    ];

    /// The port sends packets that are larger than the device takes: Max Payload Size 256 bytes or more at the port, 128 at
    /// the device. Writes to the device are malformed packets then.
    ///
    /// PCIe 6.2, 7.5.3.4; seen on Linux 6.12 as register values.
    "payload-size-mismatch" => payload_mismatch on Linked needs [] verdict "misconfigured" takes [];

    /// Nobody notices a request that is never answered: Completion Timeout Disable is set in Device Control 2. A processor
    /// that reads from the device then waits for ever.
    ///
    /// PCIe 6.2, 7.5.3.16. The kernel logs nothing.
    "completion-timeout-disabled" => timeout_disabled on Function needs ["express"] verdict "healthy" takes [];

    /// Access Control Services of the port above redirect peer-to-peer requests to the root complex. That is what
    /// virtualization needs and what slows direct transfers between GPUs.
    ///
    /// PCIe 6.2, 7.7.11.3. The kernel logs nothing.
    "acs-redirect" => acs_redirect on Linked needs [] verdict "healthy" takes [];

    /// The port above has no Access Control Services: everything below it shares the port's IOMMU group, and none of it can
    /// be given to a guest alone. Without an IOMMU there are no groups, and nothing but the capability is missing.
    ///
    /// PCIe 6.2, 7.7.11; pci_device_group in drivers/iommu/iommu.c. The capability is taken out of the port's list.
    "acs-missing" => acs_missing on Linked needs [] verdict "healthy" takes [];
}

fn bit(name: &str) -> u8 {
    match name {
        "RxErr" => 0,
        "BadTLP" => 6,
        "BadDLLP" => 7,
        "Rollover" => 8,
        "Timeout" => 12,
        "DLP" => 4,
        "TLP" => 12,
        "FCP" => 13,
        "CmpltTO" => 14,
        "CmpltAbrt" => 15,
        "UnxCmplt" => 16,
        "RxOF" => 17,
        "MalfTLP" => 18,
        _ => 20,
    }
}

/// A report is in the log, where the kernel handles errors.
fn if_reported(machine: &Machine, call: &Call) -> Option<&'static str> {
    (!call.flag("latched") && effect::kernel_owns_errors(machine, call.function?)).then_some("error-storm")
}

/// Where firmware keeps errors, only a latched bit tells; of these errors it may be from the start of the machine.
fn if_it_may_be_old(machine: &Machine, call: &Call) -> Option<&'static str> {
    let hidden = !effect::kernel_owns_errors(machine, call.function?);
    (hidden && matches!(call.word("error"), "UnxCmplt" | "CmpltAbrt" | "TLP")).then_some("healthy")
}

/// Where firmware keeps errors, one latched bit is all that is seen of a storm, as of a single error long ago.
fn if_only_latched(machine: &Machine, call: &Call) -> Option<&'static str> {
    (!effect::kernel_owns_errors(machine, call.function?)).then_some("healthy")
}

fn correctable_storm(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let bit = if call.word("error") == "Timeout" { 12 } else { bit(call.word("error")) };
    let times = call.number("count");
    report(
        machine,
        &Report {
            source: call.address()?,
            severity: Severity::Correctable,
            bits: vec![bit],
            header: None,
            times,
            every: call.number("every_ms").saturating_mul(1000),
        },
    )?;
    Ok(())
}

fn nonfatal(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let address = call.address()?;
    let name = call.word("error").to_owned();
    // Completion timeouts have no packet that could be logged.
    let header =
        (name != "CmpltTO").then_some([0x4a00_0001, 0x0000_0004, u32::from(address.requester_id()) << 16, 0]);
    let handled = report(
        machine,
        &Report {
            source: address,
            severity: Severity::NonFatal,
            bits: vec![bit(&name)],
            header,
            times: 1,
            every: 0,
        },
    )?;
    if handled && !recovery(machine, address)? {
        // Only a recovery that ends well clears the bits (pcie_do_recovery; seen on Linux 6.12).
        let status = get(machine, address, "aer.uncorrectable_status") | 1 << bit(&name);
        set_if_there(
            machine,
            address,
            &[("aer.uncorrectable_status", status), ("express.device_status.non_fatal_error_detected", 1)],
        )?;
    }
    Ok(())
}

fn fatal(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let address = call.address()?;
    let handled = report(
        machine,
        &Report {
            source: address,
            severity: Severity::Fatal,
            bits: vec![bit(call.word("error"))],
            header: Some([0x6000_0001, 0x0a00_0010, 0x0005_0004, 0]),
            times: 1,
            every: 0,
        },
    )?;
    if !handled {
        return Ok(());
    }
    let above = port(machine, address)?;
    let reset = machine.kernel.link_reset(machine.parent(above).is_none());
    if machine.kernel.removes_after_fatal_error() {
        return remove_and_rescan(machine, address, above, &reset);
    }
    let helpless = ask_drivers(machine, address);
    machine.wait(150_000);
    machine.say_of(above, reset);
    let text = machine.kernel.recovery(helpless.is_empty());
    machine.say_of(above, text);
    // The reset of the link has cleared what is not sticky.
    set_if_there(machine, address, &[("header.status.signaled_system_error", 0)])
}

/// pcie_do_fatal_recovery in drivers/pci/pcie/err.c of 4.18 to 4.20: everything below the port is removed, the link reset,
/// and the bus looked at again; the last line is about the device, to which no driver is bound at that moment if none
/// comes back.
fn remove_and_rescan(machine: &mut Machine, address: Bdf, above: Bdf, reset: &str) -> Result<(), Mistake> {
    for function in effect::below_port(machine, above) {
        effect::remove(machine, function)?;
    }
    machine.wait(150_000);
    machine.say_of(above, reset);
    effect::rescan(machine)?;
    // `dev` is the object that was removed: it has no driver any more.
    machine.say(format!("pci {address}: Device recovery from fatal error successful"));
    Ok(())
}

/// pcie_do_recovery in drivers/pci/pcie/err.c after an error that is not fatal: the drivers are asked and nothing is reset.
/// Gives whether it ended well.
fn recovery(machine: &mut Machine, address: Bdf) -> Result<bool, Mistake> {
    let above = port(machine, address)?;
    let helpless = ask_drivers(machine, address);
    let text = machine.kernel.recovery(helpless.is_empty());
    machine.say_of(above, text);
    Ok(helpless.is_empty())
}

/// Every driver below the port is asked; one without handlers is enough to fail. NVIDIA registers none on x86, virtio-pci
/// none (seen on Linux 6.12). Gives the functions with such drivers.
fn ask_drivers(machine: &mut Machine, address: Bdf) -> Vec<Bdf> {
    let mut helpless = device_and_below(machine, address);
    helpless.retain(|function| {
        let driver = machine.driver(*function);
        matches!(driver.as_deref(), Some("nvidia" | "virtio-pci") | None) && function.function == 0
    });
    if machine.kernel >= crate::simulate::kernel::Kernel::V5_15 {
        for function in &helpless {
            machine.say_of(*function, "AER: can't recover (no error_detected callback)");
        }
    }
    helpless
}

fn unsupported_request(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let address = call.address()?;
    if call.flag("latched") {
        return set_if_there(
            machine,
            address,
            &[
                ("aer.uncorrectable_status.unsupported_request_error", 1),
                ("express.device_status.unsupported_request_detected", 1),
            ],
        );
    }
    report(
        machine,
        &Report {
            source: address,
            severity: Severity::NonFatal,
            bits: vec![20],
            header: Some([0x3400_0000, u32::from(address.requester_id()) << 16 | 0x52, 0, 0]),
            times: 1,
            every: 0,
        },
    )?;
    Ok(())
}

fn masked(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let function = machine.change(call.address()?)?;
    for path in ["aer.uncorrectable_mask", "aer.correctable_mask"] {
        let place = function.config.place(path)?;
        let all = crate::pci::extended::aer::SPECIFICATION.registers;
        let key = path.rsplit('.').next().unwrap_or_default();
        let defined = all.iter().find(|r| r.key == key).map_or(u64::MAX, |r| r.defined());
        function.config.store(place.offset, place.width, defined);
    }
    Ok(())
}

fn completion_timeout(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let address = call.address()?;
    report(
        machine,
        &Report {
            source: address,
            severity: Severity::NonFatal,
            bits: vec![14],
            header: None,
            times: 1,
            every: 0,
        },
    )?;
    // It stays latched even where the kernel has seen it: requests go on timing out.
    set_if_there(
        machine,
        address,
        &[
            ("aer.uncorrectable_status.completion_timeout", 1),
            ("express.device_status.non_fatal_error_detected", 1),
        ],
    )?;
    machine.change(address)?.delay = call.number("milliseconds").saturating_mul(1000);
    Ok(())
}

fn payload_mismatch(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let address = call.address()?;
    let above = port(machine, address)?;
    let able = get(machine, above, "express.device_capabilities.max_payload_size_supported").max(1);
    set(machine, above, "express.device_capabilities.max_payload_size_supported", able)?;
    set(machine, above, "express.device_control.max_payload_size", able)?;
    set(machine, address, "express.device_control.max_payload_size", 0)
}

fn timeout_disabled(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    set(machine, call.address()?, "express.device_control_2.completion_timeout_disable", 1)
}

fn acs_redirect(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let above = port(machine, call.address()?)?;
    if machine.function(above)?.enumerated.capability("acs").is_none() {
        return Err(Mistake::new(
            0,
            format!("acs-redirect: {above}, the port above, has no capability `acs`"),
        ));
    }
    for path in ["acs.control.p2p_request_redirect_enable", "acs.control.p2p_completion_redirect_enable"] {
        set(machine, above, path, 1)?;
    }
    Ok(())
}

fn acs_missing(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let above = port(machine, call.address()?)?;
    effect::drop_extended(machine, above, "acs")?;
    effect::join_group_of_port(machine, above);
    Ok(())
}
