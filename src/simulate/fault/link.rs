//! Links that are slower, narrower or less sound than they should be.

use super::effect::{self, get, port, set, set_if_there};
use super::{Call, faults, flag, number};
use crate::pci::Bdf;
use crate::simulate::document::Mistake;
use crate::simulate::kernel::{Kernel, bandwidth};
use crate::simulate::state::Machine;

faults! {
    /// The link trains at a lower speed than both ends can. Both ends show it in Link Status, `current_link_speed` of
    /// both sysfs folders is below `max_link_speed`. When it happens at boot, the kernel says so once for endpoints
    /// (`available PCIe bandwidth, limited by`); later it says nothing (drivers/pci/probe.c, pcie_report_downtraining).
    ///
    /// Seen on Linux 6.12 with both ends set to 2.5 GT/s.
    "link-speed-reduced" => link_speed_reduced on Linked needs [] verdict "degraded-link" or looks_idle takes [
        number("speed", 1, "Encoded speed that is left: 1 for 2.5 GT/s, 2 for 5, 3 for 8, 4 for 16."),
        flag("at_boot", true, "The link trained so at boot; otherwise it retrained while the machine ran."),
    ];

    /// The link trains with fewer lanes than both ends have: a dirty contact, a damaged riser, a lane of the board. Both
    /// ends show it in Link Status. At boot the kernel says so once, later it says nothing.
    ///
    /// Seen on Linux 6.12 with both ends set to x8.
    "link-width-reduced" => link_width_reduced on Linked needs [] verdict "degraded-link" takes [
        number("width", 0, "Lanes that are left: 1, 2, 4, 8, 12 or 16; 0 for half of those that the device has."),
        flag("at_boot", true, "The link trained so at boot; otherwise it retrained while the machine ran."),
    ];

    /// The link changes its speed from one moment to the next, although nobody asked for it: consecutive reads of
    /// `current_link_speed` differ, Link Bandwidth Management Status is latched at the port, correctable errors
    /// (receiver error, replay timeout) accompany it.
    ///
    /// Derived: what a marginal link shows. A folder on the disk shows the last value only.
    "link-flapping" => link_flapping on Linked needs [] verdict "degraded-link" or if_errors_are_hidden takes [
        number("low", 1, "Encoded speed that it falls to."),
    ];

    /// The port tries to train the link again and again: Link Training stays set, the link is not active, the device
    /// reads all-ones. Kernels from 6.5 on try 2.5 GT/s and say `broken device, retraining non-functional downstream
    /// link at 2.5GT/s`, then `retraining failed`. With a hot-plug service the kernel says `Link Down` first and removes the
    /// device.
    ///
    /// Lines of drivers/pci/quirks.c (pcie_failed_link_retrain); registers as in PCIe 6.2, 7.5.3.8.
    "retrain-loop" => retrain_loop on Linked needs [] verdict "link-down" takes [];

    /// The link is up at the right speed, but equalization did not finish: phases are missing in Link Status 2 and in the
    /// status of the 16 and 32 GT/s capabilities, and Link Equalization Request is set. The link works and makes
    /// errors under load.
    ///
    /// Registers as in PCIe 6.2, 7.5.3.20, 7.7.5.4, 7.7.6.4; the kernel logs nothing.
    "equalization-incomplete" => equalization_incomplete on Linked needs [] verdict "degraded-link" takes [];

    /// Lanes report errors: Lane Error Status of the port has bits set. The link works; the lanes tell which contact or
    /// trace to look at.
    ///
    /// PCIe 6.2, 7.7.3.3; seen on Linux 6.12 as raw register values. The kernel logs nothing.
    "lane-errors" => lane_errors on Linked needs [] verdict "healthy" takes [
        number("lanes", 0x8001, "Lanes as a set of bits."),
    ];

    /// Somebody limited the link: Target Link Speed of the port is below what both ends can, and the link runs at it.
    /// This is a setting of firmware or of an operator, no defect.
    ///
    /// PCIe 6.2, 7.5.3.19; seen on Linux 6.12.
    "target-speed-limited" => target_speed_limited on Linked needs [] verdict "misconfigured" takes [
        number("speed", 1, "Encoded target speed."),
    ];

    /// Hardware may not change the speed of the link by itself: Hardware Autonomous Speed Disable is set in Link Control 2
    /// of the device, which keeps a link that once trained low from rising again.
    ///
    /// PCIe 6.2, 7.5.3.19. The kernel logs nothing.
    "autonomous-speed-disabled" => autonomous_speed_disabled on Linked needs [] verdict "misconfigured" or if_it_idles takes [
        number("speed", 1, "Encoded speed at which the link stays."),
    ];

    /// Not a fault: an idle GPU lets its link fall to 2.5 GT/s and raises it again under load. The width stays, the
    /// target speed stays, nothing is latched but Link Autonomous Bandwidth Status. Nothing may complain.
    "idle-downshift" => idle_downshift on Linked needs [] verdict "healthy" or if_it_does_not_idle_so takes [];
}

fn idles(machine: &Machine, call: &Call) -> Option<bool> {
    let function = machine.functions.get(&call.function?)?;
    Some(matches!(function.enumerated.number(0x0b, 1), 0x03 | 0x12))
}

/// Other devices than display controllers and accelerators do not lower the speed of their link while they idle.
fn if_it_does_not_idle_so(machine: &Machine, call: &Call) -> Option<&'static str> {
    (!idles(machine, call)?).then_some("degraded-link")
}

/// Display controllers and accelerators at a low speed may be saving power.
fn if_it_idles(machine: &Machine, call: &Call) -> Option<&'static str> {
    idles(machine, call)?.then_some("healthy")
}

/// Of a display controller only the errors tell flapping from idling.
fn if_errors_are_hidden(machine: &Machine, call: &Call) -> Option<&'static str> {
    (idles(machine, call)? && !effect::kernel_owns_errors(machine, call.function?)).then_some("healthy")
}

/// Nothing tells a display controller that idles from one whose link trained slowly, unless the kernel said so at boot.
fn looks_idle(machine: &Machine, call: &Call) -> Option<&'static str> {
    (idles(machine, call)? && !call.flag("at_boot")).then_some("healthy")
}

/// Both ends of a link: the port, and the functions of the device that have link registers.
fn ends(machine: &Machine, address: Bdf) -> Result<(Bdf, Vec<Bdf>), Mistake> {
    let above = port(machine, address)?;
    let device = effect::below_port(machine, above)
        .into_iter()
        .filter(|f| machine.functions.get(f).is_some_and(|f| f.enumerated.has("express.link_status")))
        .collect();
    Ok((above, device))
}

/// Sets the link at both ends.
fn train(machine: &mut Machine, address: Bdf, speed: Option<u64>, width: Option<u64>) -> Result<(), Mistake> {
    let (above, device) = ends(machine, address)?;
    for end in device.into_iter().chain([above]) {
        if let Some(speed) = speed {
            set(machine, end, "express.link_status.current_link_speed", speed)?;
        }
        if let Some(width) = width {
            set(machine, end, "express.link_status.negotiated_link_width", width)?;
        }
    }
    if let Some(speed) = speed {
        let text = machine.kernel.speed(speed).to_owned();
        effect::slot_attribute(machine, above, "cur_bus_speed", &text);
    }
    Ok(())
}

fn check_speed(machine: &Machine, address: Bdf, speed: u64) -> Result<(), Mistake> {
    let maximum = get(machine, address, "express.link_capabilities.max_link_speed");
    match speed {
        0 => Err(Mistake::new(0, "`speed` is 0: expected 1 (2.5 GT/s) to 6 (64 GT/s)")),
        speed if speed > maximum => {
            Err(Mistake::new(0, format!("`speed` is {speed}: {address} can do {maximum} at most")))
        }
        _ => Ok(()),
    }
}

fn link_speed_reduced(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let address = call.address()?;
    let speed = call.number("speed");
    check_speed(machine, address, speed)?;
    train(machine, address, Some(speed), None)?;
    after_training(machine, address, call)
}

fn link_width_reduced(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let address = call.address()?;
    let maximum = get(machine, address, "express.link_capabilities.maximum_link_width");
    let width = match call.number("width") {
        0 if maximum == 1 => {
            let text = format!("link-width-reduced: {address} has one lane, which cannot become fewer");
            return Err(Mistake::new(0, text));
        }
        // There are links of 12 lanes, none of 6 (PCIe 6.2, 7.5.3.6).
        0 if maximum == 12 => 8,
        0 => maximum / 2,
        width => width,
    };
    if ![1, 2, 4, 8, 12, 16].contains(&width) || width > maximum {
        return Err(Mistake::new(
            0,
            format!("`width` is {width}: expected 1, 2, 4, 8, 12 or 16, at most {maximum}"),
        ));
    }
    train(machine, address, None, Some(width))?;
    after_training(machine, address, call)
}

fn after_training(machine: &mut Machine, address: Bdf, call: &Call) -> Result<(), Mistake> {
    if call.flag("at_boot") {
        say_bandwidth(machine, address);
        return Ok(());
    }
    let above = port(machine, address)?;
    set_if_there(machine, above, &[("express.link_status.link_bandwidth_management_status", 1)])
}

/// The line about a link that is slower than the device (pcie_report_downtraining, __pcie_print_link_status): of the
/// device and the bridges above it, the topmost with the least bandwidth is named (pcie_bandwidth_available).
pub fn say_bandwidth(machine: &mut Machine, address: Bdf) {
    let kernel = machine.kernel;
    let mut narrowest: Option<(u64, u64, u64, Bdf)> = None;
    for here in std::iter::successors(Some(address), |here| machine.parent(*here)) {
        if !machine.functions.get(&here).is_some_and(|f| f.enumerated.has("express.link_status")) {
            continue;
        }
        let speed = get(machine, here, "express.link_status.current_link_speed");
        let width = get(machine, here, "express.link_status.negotiated_link_width");
        let rate = bandwidth(speed, width);
        if narrowest.is_none_or(|(best, ..)| rate <= best) {
            narrowest = Some((rate, speed, width, here));
        }
    }
    let maximum = get(machine, address, "express.link_capabilities.max_link_speed");
    let lanes = get(machine, address, "express.link_capabilities.maximum_link_width");
    let (Some((rate, speed, width, at)), able) = (narrowest, bandwidth(maximum, lanes)) else { return };
    if rate >= able || address.function != 0 {
        return;
    }
    let text = format!(
        "pci {address}: {}.{:03} Gb/s available PCIe bandwidth, limited by {} x{width} link at {at} (capable of \
         {}.{:03} Gb/s with {} x{lanes} link)",
        rate / 1000,
        rate % 1000,
        kernel.speed(speed),
        able / 1000,
        able % 1000,
        kernel.speed(maximum),
    );
    let name = format!("pci {address}:");
    machine.say_after(|line| line.starts_with(&name) && !line.contains("iommu group"), &[text]);
}

fn link_flapping(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let address = call.address()?;
    let low = call.number("low");
    check_speed(machine, address, low)?;
    let (above, device) = ends(machine, address)?;
    for end in device.into_iter().chain([above]) {
        let width = get(machine, end, "express.link_status.negotiated_link_width");
        let high = get(machine, end, "express.link_status.current_link_speed");
        let now = machine.now;
        let function = machine.change(end)?;
        function.flapping_since = now;
        function.flapping = vec![(high, width), (low, width), (high, width), (low, width)];
        function.config.set("express.link_status.current_link_speed", low)?;
    }
    set_if_there(machine, above, &[("express.link_status.link_bandwidth_management_status", 1)])?;
    let report = effect::Report {
        source: above,
        severity: crate::simulate::kernel::Severity::Correctable,
        bits: vec![0, 12],
        header: None,
        times: 3,
        every: 900_000,
    };
    effect::report(machine, &report)?;
    Ok(())
}

fn retrain_loop(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let address = call.address()?;
    let above = port(machine, address)?;
    let seen = get(machine, above, "express.slot_status.presence_detect_state") == 1;
    effect::link_down(machine, above, seen)?;
    set_if_there(
        machine,
        above,
        &[
            ("express.link_status.link_training", 1),
            ("express.link_status.link_bandwidth_management_status", 1),
        ],
    )?;
    // Without hot-plug the drivers find out when they next touch the device, after the kernel gave up.
    let hot_plug = effect::runs_service(machine, above, 4);
    if hot_plug {
        effect::gone_below(machine, above, &["Link Down"], true)?;
    }
    if machine.kernel >= Kernel::V6_8 {
        machine.say_of(above, "broken device, retraining non-functional downstream link at 2.5GT/s");
        machine.wait(1_000_000);
        machine.say_of(above, "retraining failed");
        set_if_there(machine, above, &[("express.link_control_2.target_link_speed", 1)])?;
    }
    match hot_plug {
        true => Ok(()),
        false => effect::gone_below(machine, above, &[], true),
    }
}

fn equalization_incomplete(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let (above, device) = ends(machine, call.address()?)?;
    for end in device.into_iter().chain([above]) {
        // The registers of the fastest speed that the link runs at are the ones that matter.
        let (register, request) = match get(machine, end, "express.link_status.current_link_speed") {
            5.. => ("physical_32gt.status.equalization", "physical_32gt.status.link_equalization_request"),
            4 => ("physical_16gt.status.equalization", "physical_16gt.status.link_equalization_request"),
            3 => (
                "express.link_status_2.equalization_8gts",
                "express.link_status_2.link_equalization_request_8gts",
            ),
            _ => continue,
        };
        set_if_there(
            machine,
            end,
            &[
                (&format!("{register}_complete"), 0),
                (&format!("{register}_phase_2_successful"), 0),
                (&format!("{register}_phase_3_successful"), 0),
                (request, 1),
            ],
        )?;
    }
    Ok(())
}

fn lane_errors(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let (above, device) = ends(machine, call.address()?)?;
    let lanes = call.number("lanes");
    let mut found = false;
    for end in device.into_iter().chain([above]) {
        found |= machine.change(end)?.config.set_if_there("secondary.lane_error_status.lanes", lanes);
    }
    match found {
        true => Ok(()),
        false => Err(Mistake::new(0, "lane-errors: neither end of the link has a capability `secondary`")),
    }
}

fn target_speed_limited(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let address = call.address()?;
    let speed = call.number("speed");
    check_speed(machine, address, speed)?;
    let above = port(machine, address)?;
    set(machine, above, "express.link_control_2.target_link_speed", speed)?;
    train(machine, address, Some(speed), None)?;
    say_bandwidth(machine, address);
    Ok(())
}

fn autonomous_speed_disabled(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let address = call.address()?;
    let speed = call.number("speed");
    check_speed(machine, address, speed)?;
    set(machine, address, "express.link_control_2.hardware_autonomous_speed_disable", 1)?;
    train(machine, address, Some(speed), None)
}

fn idle_downshift(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let address = call.address()?;
    train(machine, address, Some(1), None)?;
    let above = port(machine, address)?;
    set_if_there(machine, above, &[("express.link_status.link_autonomous_bandwidth_status", 1)])
}
