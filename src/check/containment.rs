//! Downstream Port Containment.

use crate::inspect::value::text_value;
use crate::pci::capability::express::PortType;
use crate::pci::extended::dpc::{DpcControl, DpcStatus, ErrorSourceId, SPECIFICATION};
use crate::pci::register::RegisterType;

use super::finding::{Judged, Skip, Verdict, Who};
use super::registry::{Check, Of, Severity};
use super::subject::{Read, Subject};

pub static CHECKS: &[Check] = &[
    Check {
        id: "dpc-triggered",
        rule: "The port is not contained.",
        reads: "DpcSta bits 0, 2:1 and 6:5, Source",
        why: "While Trigger Status is set the link below stays down: a device that is missing there is cut off, not \
              necessarily dead.",
        reference: "PCIe 6.2, 6.2.11 and 7.9.14.4",
        remedy: "the kernel clears it after the reset that containment is; if it stays, reboot, and look for the error that \
                 triggered it",
        who: Who::Operator,
        of: Of::Function(triggered),
        ..Check::BASE
    },
    Check {
        id: "dpc-present",
        rule: "Root ports and switch downstream ports have containment.",
        severity: Severity::Off,
        reads: "extended capability 001Dh",
        why: "Without it an error of a device, or its removal, can stop the whole machine.",
        reference: "PCIe 6.2, 6.2.11",
        remedy: "look for `Downstream Port Containment` in firmware setup",
        who: Who::Firmware,
        false_positives: "Processors without it.",
        of: Of::Function(present),
        ..Check::BASE
    },
    Check {
        id: "dpc-enabled",
        rule: "Containment is on where the port has it.",
        severity: Severity::Off,
        reads: "DpcCtl bits 1:0",
        why: "A port that could contain an error and may not lets it reach the processor.",
        reference: "PCIe 6.2, 7.9.14.3; Linux drivers/pci/pcie/dpc.c",
        remedy: "let firmware hand over DPC by _OSC, or enable it in firmware setup",
        who: Who::Firmware,
        of: Of::Function(enabled),
        ..Check::BASE
    },
];

fn port(subject: &Subject<'_>) -> Result<(), Skip> {
    match subject.port()? {
        PortType::RootPort | PortType::DownstreamPort => Ok(()),
        _ => Err(Skip::not_applicable("only root ports and switch downstream ports have this")),
    }
}

fn triggered(subject: &Subject<'_>) -> Judged {
    port(subject)?;
    let status: Read<DpcStatus> = subject.register(&SPECIFICATION)?;
    if !status.trigger_status() {
        return Ok(Verdict::good([status.field("trigger_status")]));
    }
    if status.value.0 == u16::MAX {
        return Err(Skip::unknown("the register reads all-ones"));
    }
    let source: Read<ErrorSourceId> = subject.register(&SPECIFICATION)?;
    let word = |key: &str| {
        let field = DpcStatus::REGISTER.field(key);
        field.map_or_else(String::new, |f| text_value(f, status.value.0.into()))
    };
    let reason = match status.trigger_reason() {
        3 => word("trigger_reason_extension"),
        1 | 2 => {
            let id = source.requester_id();
            format!("{} from {:02x}:{:02x}.{:x}", word("trigger_reason"), id >> 8, id >> 3 & 0x1f, id & 7)
        }
        _ => word("trigger_reason"),
    };
    let proofs = [status.proof, source.proof];
    Ok(Verdict::bad(
        format!("the port is contained and its link held down: {reason}"),
        "not triggered",
        reason,
        proofs,
    ))
}

fn present(subject: &Subject<'_>) -> Judged {
    port(subject)?;
    match subject.has(&SPECIFICATION)? {
        true => Ok(Verdict::good([subject.register::<DpcControl>(&SPECIFICATION)?.proof])),
        false => {
            let proofs = subject.end_of_extended_list();
            Ok(Verdict::bad("the port has no containment", "present", "absent", proofs))
        }
    }
}

fn enabled(subject: &Subject<'_>) -> Judged {
    port(subject)?;
    let control: Read<DpcControl> = subject.register(&SPECIFICATION)?;
    let proofs = [control.field("trigger_enable")];
    match control.trigger_enable() {
        0 => Ok(Verdict::bad(
            "containment is off",
            "ERR_FATAL, or ERR_NONFATAL or ERR_FATAL",
            "disabled",
            proofs,
        )),
        3 => Err(Skip::unknown("Trigger Enable is a reserved value")),
        _ => Ok(Verdict::good(proofs)),
    }
}
