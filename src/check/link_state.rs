//! What else Link Control, Link Status and the physical layer say of a link.

use crate::machine::link::{self, LinkState};
use crate::pci::capability::express::{
    self, LinkCapabilities, LinkControl, LinkControl2, LinkStatus, LinkStatus2,
};
use crate::pci::extended::{physical_16gt, physical_32gt, secondary};

use super::finding::{Judged, Skip, Verdict, Who};
use super::link_excuses::{is_tunnelled, slows_down_when_idle};
use super::registry::{Check, Lasting, Of, Severity};
use super::subject::{self, Read, Subject};

const EXPRESS: &crate::pci::decode::Specification = &express::SPECIFICATION;

pub static CHECKS: &[Check] = &[
    Check {
        id: "link-disabled",
        rule: "Software has not disabled the link.",
        reads: "LnkCtl bit 4 of the port",
        why: "With Link Disable set nothing below the port is there, and nothing says why.",
        reference: "PCIe 6.2, 7.5.3.7",
        remedy: "find out who set it; removing and rescanning the port, or a reboot, clears it",
        who: Who::Operator,
        false_positives: "Firmware disables ports of empty slots to save power: only a warning where nothing is below.",
        of: Of::Function(disabled),
        ..Check::BASE
    },
    Check {
        id: "link-training",
        rule: "The link is not being trained.",
        reads: "LnkSta bit 11 of the port",
        why: "Training takes milliseconds. A port that is always seen in it cannot get its link up.",
        reference: "PCIe 6.2, 7.5.3.8",
        remedy: "read again; if it stays, reseat the card and its riser",
        who: Who::Provider,
        false_positives: "One reading may catch a training that succeeds: it warns. Seen at both readings (--for) it fails.",
        of: Of::Function(training),
        ..Check::BASE
    },
    Check {
        id: "link-hasd-stuck",
        rule: "A link that is below its possible speed may change its speed.",
        severity: Severity::Fail,
        reads: "LnkCtl2 bit 5 and LnkSta of both ends",
        why: "With Hardware Autonomous Speed Disable set, a device cannot raise the speed again on its own: it stays where \
              it was caught.",
        reference: "PCIe 6.2, 7.5.3.19",
        remedy: "undo whatever set the bit (a setpci script, a firmware setting), then retrain or reboot",
        who: Who::Operator,
        of: Of::Function(speed_locked),
        ..Check::BASE
    },
    Check {
        id: "link-retrained-since-boot",
        rule: "The port has not trained its link anew because it was unreliable.",
        severity: Severity::Off,
        reads: "LnkSta bit 14 of the port",
        why: "Link Bandwidth Management Status is set when a link is trained anew or gives up speed or width.",
        reference: "PCIe 6.2, 7.5.3.8",
        remedy: "watch it: clear the bit, and see whether it comes back under load",
        who: Who::Provider,
        false_positives: "Very many: every training that software asked for sets it too, and it stays until cleared. Newer \
                          kernels (bwctrl) clear it.",
        lasting: Lasting::Bits,
        of: Of::Function(retrained),
        ..Check::BASE
    },
    Check {
        id: "link-eq-incomplete",
        rule: "A link at 8 GT/s or more has completed equalization with success for that speed.",
        severity: Severity::Warn,
        reads: "LnkSta2 bits 4:1; Phy16Sta bits 3:0; Phy32Sta bits 3:0, of the port above the link",
        why: "A link that runs without it has a bad eye: errors and retraining follow.",
        reference: "PCIe 6.2, 4.2.4, 7.5.3.20, 7.7.5.4 and 7.7.6.4",
        remedy: "reseat the card and its riser; update firmware (presets)",
        who: Who::Provider,
        false_positives: "Components may agree at 32 GT/s that no equalization is needed; emulated ports.",
        of: Of::Function(equalization),
        ..Check::BASE
    },
    Check {
        id: "link-eq-request",
        rule: "The link does not ask for its equalization to be done again.",
        severity: Severity::Warn,
        reads: "LnkSta2 bit 5, Phy16Sta bit 4, Phy32Sta bit 4",
        why: "The receiver found the signal too bad after equalization.",
        reference: "PCIe 6.2, 7.5.3.20, 7.7.5.4 and 7.7.6.4",
        remedy: "retrain by a reboot; if it comes back, reseat the card and its riser",
        who: Who::Provider,
        false_positives: "The bit stays until software clears it, and Linux does not: it may be old.",
        of: Of::Function(equalization_request),
        ..Check::BASE
    },
    Check {
        id: "link-lane-errors",
        rule: "No lane has seen an error.",
        severity: Severity::Warn,
        reads: "LaneErrStat of the Secondary PCI Express capability",
        why: "The bit of a single lane names the bad contact.",
        reference: "PCIe 6.2, 7.7.3.3",
        remedy: "clean the contacts and reseat the card and its riser; if always the same lane, replace cable or riser",
        who: Who::Provider,
        false_positives: "The bits stay until software clears them; many devices set some while the link first trains.",
        lasting: Lasting::Bits,
        of: Of::Function(lane_errors),
        ..Check::BASE
    },
    Check {
        id: "link-parity-mismatch",
        rule: "No lane or retimer has seen a data parity mismatch.",
        severity: Severity::Warn,
        reads: "local, first and second retimer data parity mismatch status of the 16 GT/s capability",
        why: "It tells on which side of a retimer the bits go bad.",
        reference: "PCIe 6.2, 7.7.5.5 to 7.7.5.7",
        remedy: "reseat or replace cable, riser or retimer card",
        who: Who::Provider,
        false_positives: "The bits stay until software clears them: they may be old.",
        lasting: Lasting::Bits,
        of: Of::Function(parity_mismatch),
        ..Check::BASE
    },
    Check {
        id: "link-common-clock",
        rule: "Both ends of a link agree whether they share the reference clock.",
        severity: Severity::Warn,
        reads: "LnkCtl bit 6 of both ends",
        why: "The two must be the same: exit latencies and skip ordered sets depend on it.",
        reference: "PCIe 6.2, 7.5.3.7",
        remedy: "a defect of firmware: update it",
        who: Who::Firmware,
        of: Of::Function(common_clock),
        ..Check::BASE
    },
    Check {
        id: "link-ext-synch",
        rule: "Extended Synch is off.",
        severity: Severity::Warn,
        reads: "LnkCtl bit 7",
        why: "It lengthens training for test equipment; in production it only costs.",
        reference: "PCIe 6.2, 7.5.3.7",
        remedy: "reboot; if firmware sets it, update firmware",
        who: Who::Firmware,
        of: Of::Function(extended_synch),
        ..Check::BASE
    },
    Check {
        id: "link-compliance",
        rule: "Nothing of a compliance test is left on.",
        reads: "LnkCtl2 bits 4, 10 and 9:7",
        why: "Enter Compliance or a transmit margin that a signal test left behind makes the link unreliable, or keeps it \
              from coming up.",
        reference: "PCIe 6.2, 7.5.3.19",
        remedy: "power-cycle the machine: the fields survive a reset",
        who: Who::Operator,
        of: Of::Function(compliance),
        ..Check::BASE
    },
];

fn port_above_link(subject: &Subject<'_>) -> Result<link::Link, Skip> {
    subject.downstream_port()?;
    subject.register::<LinkStatus>(EXPRESS)?;
    link::link(subject.function).ok_or_else(|| Skip::unknown("the link was not read"))
}

fn second(subject: &Subject<'_>) -> Result<(), Skip> {
    match link::has_second_registers(subject.function) {
        true => Ok(()),
        false => {
            Err(Skip::not_applicable("the capability is of version 1, which does not have this register"))
        }
    }
}

fn disabled(subject: &Subject<'_>) -> Judged {
    subject.downstream_port()?;
    let control: Read<LinkControl> = subject.register(EXPRESS)?;
    let proofs = [control.field("link_disable")];
    if !control.link_disable() {
        return Ok(Verdict::good(proofs));
    }
    let verdict = Verdict::bad("software disabled the link below", "enabled", "disabled", proofs);
    let occupied = link::slot_occupied(subject.function) == Some(true);
    let listed = subject.around.machine.children(subject.address()).next().is_some();
    Ok(if occupied || listed { verdict } else { verdict.mild() })
}

fn training(subject: &Subject<'_>) -> Judged {
    subject.downstream_port()?;
    let status: Read<LinkStatus> = subject.register(EXPRESS)?;
    let proofs = [status.field("link_training")];
    if !status.link_training() {
        return Ok(Verdict::good(proofs));
    }
    let verdict = Verdict::bad("the link is being trained", "not in training", "in training", proofs);
    // One reading does not tell a training that goes on from one that ends in a moment; two do.
    let earlier = subject.around.earlier.and_then(|earlier| earlier.machine.get(subject.address()));
    let before = earlier.and_then(|before| before.register::<LinkStatus>(EXPRESS));
    Ok(match (subject.around.earlier, before) {
        (Some(earlier), Some(before)) if before.link_training() => {
            let summary = format!("the link is being trained, as it was {} before", earlier.words());
            verdict.with_summary(summary)
        }
        _ => verdict.mild(),
    })
}

fn speed_locked(subject: &Subject<'_>) -> Judged {
    let upper = subject.upper_end()?;
    second(subject)?;
    if is_tunnelled(subject) {
        return Err(Skip::not_applicable("the link is a tunnel, which says 2.5 GT/s whatever it carries"));
    }
    let hop = link::hops(&[upper, subject.function]).into_iter().next();
    let hop = hop.ok_or_else(|| Skip::unknown("the link was not read"))?;
    let own: Read<LinkControl2> = subject.register(EXPRESS)?;
    let status: Read<LinkStatus> = subject.register(EXPRESS)?;
    let mut proofs = vec![own.field("hardware_autonomous_speed_disable"), status.field("current_link_speed")];
    let mut locked = own.hardware_autonomous_speed_disable();
    if link::has_second_registers(upper) {
        let above: Read<LinkControl2> = subject::register(upper, EXPRESS)?;
        locked |= above.hardware_autonomous_speed_disable();
        proofs.push(above.field("hardware_autonomous_speed_disable"));
    }
    let speeds = hop.current.speed_mts.zip(hop.possible.speed_mts);
    let (current, possible) = speeds.ok_or_else(|| Skip::unknown("speed now or at most is not known"))?;
    if !locked || current >= possible {
        return Ok(Verdict::good(proofs));
    }
    if slows_down_when_idle(subject) && !subject.around.busy {
        return Err(Skip::unknown(
            "Hardware Autonomous Speed Disable is on; the device saves power while idle and is not known to be busy (--while, --busy)",
        ));
    }
    Ok(Verdict::bad(
        "the link is below its possible speed and hardware may not change that by itself",
        "Hardware Autonomous Speed Disable off",
        "on",
        proofs,
    ))
}

fn retrained(subject: &Subject<'_>) -> Judged {
    subject.downstream_port()?;
    let status: Read<LinkStatus> = subject.register(EXPRESS)?;
    let proofs = [status.field("link_bandwidth_management_status")];
    match status.link_bandwidth_management_status() {
        false => Ok(Verdict::good(proofs)),
        true => {
            Ok(Verdict::bad("the link was trained anew since the bit was last cleared", "0", "1", proofs)
                .mild())
        }
    }
}

fn equalization(subject: &Subject<'_>) -> Judged {
    let own = port_above_link(subject)?;
    if own.state != LinkState::Up {
        return Err(Skip::not_applicable("the link is not known to be up"));
    }
    let speed = own.current.speed_mts.ok_or_else(|| Skip::unknown("the speed is not known"))?;
    second(subject)?;
    let (bits, proof) = match speed {
        0..8000 => return Err(Skip::not_applicable("below 8 GT/s there is no equalization")),
        8000 => {
            let status: Read<LinkStatus2> = subject.register(EXPRESS)?;
            (u32::from(status.value.0 >> 1 & 0xf), status.proof)
        }
        16000 => {
            let status: Read<physical_16gt::Status> = subject.register(&physical_16gt::SPECIFICATION)?;
            (status.value.0 & 0xf, status.proof)
        }
        32000 => {
            let status: Read<physical_32gt::Status> = subject.register(&physical_32gt::SPECIFICATION)?;
            if status.no_equalization_needed_received() {
                return Err(Skip::not_applicable("the other end needs no equalization at 32 GT/s"));
            }
            (status.value.0 & 0xf, status.proof)
        }
        _ => return Err(Skip::not_applicable("the status for this speed is judged up to 32 GT/s")),
    };
    if bits == 0xf {
        return Ok(Verdict::good([proof]));
    }
    let found = format!("complete and phases 1 to 3: {bits:#x}");
    Ok(Verdict::bad("equalization for the present speed is not complete", "0xf", found, [proof]))
}

fn equalization_request(subject: &Subject<'_>) -> Judged {
    subject.with_link()?;
    second(subject)?;
    let first: Read<LinkStatus2> = subject.register(EXPRESS)?;
    let mut asks = first.link_equalization_request_8gts();
    let mut proofs = vec![first.field("link_equalization_request_8gts")];
    if subject.has(&physical_16gt::SPECIFICATION)? {
        let status: Read<physical_16gt::Status> = subject.register(&physical_16gt::SPECIFICATION)?;
        asks |= status.link_equalization_request();
        proofs.push(status.field("link_equalization_request"));
    }
    if subject.has(&physical_32gt::SPECIFICATION)? {
        let status: Read<physical_32gt::Status> = subject.register(&physical_32gt::SPECIFICATION)?;
        asks |= status.link_equalization_request();
        proofs.push(status.field("link_equalization_request"));
    }
    match asks {
        false => Ok(Verdict::good(proofs)),
        true => Ok(Verdict::bad("the link asks for equalization to be done again", "0", "1", proofs)),
    }
}

fn lane_list(bits: u32) -> String {
    let lanes: Vec<String> =
        (0..32).filter(|lane| bits >> lane & 1 == 1).map(|lane| lane.to_string()).collect();
    lanes.join(", ")
}

fn lane_errors(subject: &Subject<'_>) -> Judged {
    subject.with_link()?;
    let status: Read<secondary::LaneErrorStatus> = subject.register(&secondary::SPECIFICATION)?;
    let lanes = status.lanes();
    let proofs = [status.proof];
    match lanes {
        0 => Ok(Verdict::good(proofs)),
        bits => Ok(Verdict::bad(
            format!("lanes {} saw errors since the bits were last cleared", lane_list(bits)),
            "no lane",
            format!("{bits:#010x}"),
            proofs,
        )),
    }
}

fn parity_mismatch(subject: &Subject<'_>) -> Judged {
    subject.with_link()?;
    let specification = &physical_16gt::SPECIFICATION;
    let local: Read<physical_16gt::LocalDataParityMismatch> = subject.register(specification)?;
    let first: Read<physical_16gt::FirstRetimerDataParityMismatch> = subject.register(specification)?;
    let second: Read<physical_16gt::SecondRetimerDataParityMismatch> = subject.register(specification)?;
    let all = [("here", local.lanes()), ("first retimer", first.lanes()), ("second retimer", second.lanes())];
    let proofs = [local.proof, first.proof, second.proof];
    let bad = all.iter().filter(|(_, bits)| *bits != 0);
    let words: Vec<String> =
        bad.map(|(place, bits)| format!("{place}: lanes {}", lane_list(*bits))).collect();
    match words.is_empty() {
        true => Ok(Verdict::good(proofs)),
        false => {
            let words = words.join("; ");
            Ok(Verdict::bad(format!("data parity mismatches, {words}"), "none", words, proofs))
        }
    }
}

fn common_clock(subject: &Subject<'_>) -> Judged {
    let upper = subject.upper_end()?;
    let above: Read<LinkControl> = subject::register(upper, EXPRESS)?;
    let below: Read<LinkControl> = subject.register(EXPRESS)?;
    let (a, b) = (above.common_clock_configuration(), below.common_clock_configuration());
    let proofs = [above.field("common_clock_configuration"), below.field("common_clock_configuration")];
    match a == b {
        true => Ok(Verdict::good(proofs)),
        false => Ok(Verdict::bad(
            "the ends of the link disagree whether they share the reference clock",
            "the same at both ends",
            format!("{} {a}, {} {b}", upper.address, subject.address()),
            proofs,
        )),
    }
}

fn extended_synch(subject: &Subject<'_>) -> Judged {
    subject.with_link()?;
    let control: Read<LinkControl> = subject.register(EXPRESS)?;
    let proofs = [control.field("extended_synch")];
    match control.extended_synch() {
        false => Ok(Verdict::good(proofs)),
        true => Ok(Verdict::bad("Extended Synch is on", "off", "on", proofs)),
    }
}

fn compliance(subject: &Subject<'_>) -> Judged {
    subject.with_link()?;
    second(subject)?;
    // Before 5 GT/s there is nothing to test that way, and the register may hold anything.
    let capabilities: Read<LinkCapabilities> = subject.register(EXPRESS)?;
    if capabilities.max_link_speed() < 2 {
        return Err(Skip::not_applicable("the port knows 2.5 GT/s only"));
    }
    let control: Read<LinkControl2> = subject.register(EXPRESS)?;
    let mut left = Vec::new();
    if control.enter_compliance() {
        left.push("Enter Compliance".to_owned());
    }
    if control.enter_modified_compliance() {
        left.push("Enter Modified Compliance".to_owned());
    }
    if control.transmit_margin() != 0 {
        left.push(format!("Transmit Margin {}", control.transmit_margin()));
    }
    let proofs = [control.proof];
    match left.is_empty() {
        true => Ok(Verdict::good(proofs)),
        false => {
            let left = left.join(", ");
            Ok(Verdict::bad(format!("left from a compliance test: {left}"), "none", left, proofs))
        }
    }
}
