//! Errors in registers: what is latched, what is masked, and who is told.

use crate::pci::capability::express::{self, DeviceControl, DeviceStatus, RootControl};
use crate::pci::extended::aer::{
    CapabilitiesAndControl, CorrectableStatus, ErrorSource, RootErrorCommand, RootErrorStatus, SPECIFICATION,
    UncorrectableMask, UncorrectableStatus,
};
use crate::pci::register::RegisterType;

use super::aer::root_port;
use super::finding::{Judged, Skip, Verdict, Who};
use super::registry::{Check, Lasting, Of, Severity};
use super::subject::{self, Read, Subject};

const EXPRESS: &crate::pci::decode::Specification = &express::SPECIFICATION;

/// Errors that are never the result of normal operation: data link protocol, surprise down, flow control, completion
/// timeout, receiver overflow, malformed packet, end-to-end checksum, internal error.
const SERIOUS: u32 = 1 << 4 | 1 << 5 | 1 << 13 | 1 << 14 | 1 << 17 | 1 << 18 | 1 << 19 | 1 << 22;

pub static CHECKS: &[Check] = &[
    Check {
        id: "aer-status-latched",
        rule: "No uncorrectable error is latched.",
        severity: Severity::Fail,
        reads: "UESta, first error pointer of AERCap",
        why: "The bits are set by hardware whether or not anybody handles errors: they tell even where firmware keeps AER.",
        reference: "PCIe 6.2, 7.8.4.2 and 7.8.4.7",
        remedy: "reseat the card and its riser; clear the bits and see whether they come back",
        who: Who::Provider,
        false_positives: "The bits survive a warm reboot and may be old. UnsupReq, CmpltAbrt, poisoned and blocked packets \
                          are only warned about: they may be set while the machine starts.",
        lasting: Lasting::Bits,
        of: Of::Function(latched),
        ..Check::BASE
    },
    Check {
        id: "aer-correctable-latched",
        rule: "No correctable error is latched.",
        severity: Severity::Warn,
        reads: "CESta",
        why: "Where the kernel handles errors it clears the bits; a bit that stays was not handled.",
        reference: "PCIe 6.2, 7.8.4.5",
        remedy: "clear the bits and see whether they come back under load",
        who: Who::Provider,
        false_positives: "AdvNonFatalErr alone is normal from the time when the machine started, and passes.",
        lasting: Lasting::Bits,
        of: Of::Function(correctable_latched),
        ..Check::BASE
    },
    Check {
        id: "aer-masked",
        rule: "No serious error is masked.",
        severity: Severity::Warn,
        reads: "UEMsk",
        why: "A masked error is not reported to anybody: a dying link looks like a hang.",
        reference: "PCIe 6.2, 7.8.4.3",
        remedy: "a firmware setting or quirk masks it: update firmware",
        who: Who::Firmware,
        false_positives: "Internal errors are masked by default and not judged. Ports mask surprise down where hot-plug is \
                          allowed.",
        of: Of::Function(masked),
        ..Check::BASE
    },
    Check {
        id: "aer-root-command",
        rule: "Where Linux handles errors, the root port interrupts for them.",
        severity: Severity::Warn,
        reads: "RootCmd bits 2:0",
        why: "Without the interrupt the kernel never looks.",
        reference: "PCIe 6.2, 7.8.4.9; Linux aer_enable_rootport",
        remedy: "reload the port driver or reboot; if it comes back, something clears it",
        who: Who::Operator,
        of: Of::Function(root_command),
        ..Check::BASE
    },
    Check {
        id: "aer-root-status",
        rule: "No error message waits at the root port.",
        severity: Severity::Warn,
        reads: "RootSta, ErrorSrc",
        why: "The kernel clears these when it handles a message. Those that stay were handled by nobody, and the source \
              says who sent the first.",
        reference: "PCIe 6.2, 7.8.4.10 and 7.8.4.11",
        remedy: "look at the function that is named as the source",
        who: Who::Operator,
        lasting: Lasting::Bits,
        of: Of::Function(root_status),
        ..Check::BASE
    },
    Check {
        id: "devsta-sticky",
        rule: "Device Status holds no error.",
        severity: Severity::Fail,
        reads: "DevSta bits 2:0",
        why: "It works on every PCI Express function, even where firmware keeps AER.",
        reference: "PCIe 6.2, 7.5.3.5",
        remedy: "clear the bits and see whether they come back under load",
        who: Who::Provider,
        false_positives: "The bits stay until software clears them. Unsupported requests, and with them correctable or \
                          non-fatal errors, are set on many healthy devices when the bus is enumerated: those pass. Only a \
                          fatal error that was not there at a first reading (--for, --while) is a failure.",
        lasting: Lasting::Bits,
        of: Of::Function(device_status),
        ..Check::BASE
    },
    Check {
        id: "report-enables",
        rule: "Fatal and non-fatal errors are reported.",
        severity: Severity::Off,
        reads: "DevCtl bits 2:1",
        why: "An error that is not reported is only a hang.",
        reference: "PCIe 6.2, 7.5.3.4; Linux pci_enable_pcie_error_reporting",
        remedy: "where Linux handles AER it enables them; otherwise firmware has to",
        who: Who::Firmware,
        false_positives: "Machines where firmware keeps AER and reports by other means.",
        of: Of::Function(reporting),
        ..Check::BASE
    },
    Check {
        id: "root-serr",
        rule: "Root ports do not turn errors into system errors where Linux handles them.",
        severity: Severity::Warn,
        reads: "RootCtl bits 2:0",
        why: "A system error is a machine check or NMI: the machine stops instead of recovering.",
        reference: "PCIe 6.2, 7.5.3.12; Linux aer_enable_rootport clears the bits",
        remedy: "look for `SERR` or `System Error on Fatal` settings of the root port in firmware setup",
        who: Who::Firmware,
        of: Of::Function(system_error),
        ..Check::BASE
    },
];

fn short_names<R: RegisterType>(register: &R) -> String {
    let raw = register.raw();
    let set = R::REGISTER.fields.iter().filter(|f| f.extract(raw) != 0);
    set.map(|f| f.short).collect::<Vec<_>>().join(" ")
}

fn latched(subject: &Subject<'_>) -> Judged {
    let status: Read<UncorrectableStatus> = subject.register(&SPECIFICATION)?;
    let control: Read<CapabilitiesAndControl> = subject.register(&SPECIFICATION)?;
    let raw = status.value.0;
    if raw == 0 {
        return Ok(Verdict::good([status.proof]));
    }
    if raw == u32::MAX {
        return Err(Skip::unknown("the register reads all-ones"));
    }
    let names = short_names(&status.value);
    let first = control.first_error_pointer();
    let which = UncorrectableStatus::REGISTER.fields.iter().find(|f| u32::from(f.low) == first);
    let which = which.filter(|f| f.extract(raw.into()) != 0).map(|f| format!(", {} first", f.short));
    let found = format!("{names}{}", which.unwrap_or_default());
    let proofs = [status.proof, control.field("first_error_pointer")];
    let verdict = Verdict::bad(format!("uncorrectable errors are latched: {found}"), "none", found, proofs);
    Ok(if raw & SERIOUS == 0 { verdict.mild() } else { verdict })
}

fn correctable_latched(subject: &Subject<'_>) -> Judged {
    let status: Read<CorrectableStatus> = subject.register(&SPECIFICATION)?;
    let advisory = 1 << 13;
    let (raw, names) = (status.value.0, short_names(&status.value));
    let proofs = [status.proof];
    match raw & !advisory {
        0 => Ok(Verdict::good(proofs)),
        _ if raw == u32::MAX => Err(Skip::unknown("the register reads all-ones")),
        _ => Ok(Verdict::bad(format!("correctable errors are latched: {names}"), "none", names, proofs)),
    }
}

fn masked(subject: &Subject<'_>) -> Judged {
    let mask: Read<UncorrectableMask> = subject.register(&SPECIFICATION)?;
    // Uncorrectable Internal Error is masked by default (PCIe 6.2, 7.8.4.3), surprise down where a device may be pulled.
    let judged = SERIOUS & !(1 << 22) & !(1 << 5);
    let hidden = UncorrectableMask(mask.value.0 & judged);
    let proofs = [mask.proof];
    match hidden.0 {
        0 => Ok(Verdict::good(proofs)),
        _ => {
            let names = short_names(&hidden);
            Ok(Verdict::bad(format!("serious errors are masked: {names}"), "none", names, proofs))
        }
    }
}

fn root_command(subject: &Subject<'_>) -> Judged {
    root_port(subject)?;
    let command: Read<RootErrorCommand> = subject.register(&SPECIFICATION)?;
    let ownership = &subject.aer().ownership;
    match ownership.kernel {
        None => return Err(Skip::unknown(ownership.reason.clone())),
        Some(false) => return Err(Skip::not_applicable("Linux does not handle errors here")),
        Some(true) => {}
    }
    let found = format!("{:#05b}", command.value.0 & 7);
    let proofs = [command.proof];
    match found.as_str() {
        "0b111" => Ok(Verdict::good(proofs)),
        _ => Ok(Verdict::bad("the root port does not interrupt for all errors", "0b111", found, proofs)),
    }
}

fn root_status(subject: &Subject<'_>) -> Judged {
    if !subject.port()?.has_root_registers() {
        return Err(Skip::not_applicable("only root ports and event collectors have this"));
    }
    let status: Read<RootErrorStatus> = subject.register(&SPECIFICATION)?;
    let source: Read<ErrorSource> = subject.register(&SPECIFICATION)?;
    let received = status.value.0 & 0x7f;
    if received == 0 {
        return Ok(Verdict::good([status.proof]));
    }
    let requester = |id: u32| format!("{:02x}:{:02x}.{:x}", id >> 8, id >> 3 & 0x1f, id & 7);
    let mut from = Vec::new();
    if status.err_cor_received() {
        from.push(format!("ERR_COR from {}", requester(source.err_cor_source_identification())));
    }
    if status.err_fatal_nonfatal_received() {
        let id = source.err_fatal_nonfatal_source_identification();
        from.push(format!("ERR_FATAL/NONFATAL from {}", requester(id)));
    }
    let names = short_names(&RootErrorStatus(received));
    let from = if from.is_empty() { names.clone() } else { from.join(", ") };
    let proofs = [status.proof, source.proof];
    Ok(Verdict::bad(format!("error messages wait to be handled: {from}"), "none", names, proofs))
}

/// The bits that were set at the first reading; `None` without one, or where they were not read.
fn device_status_before(subject: &Subject<'_>) -> Option<u16> {
    let before = subject.around.earlier?.machine.get(subject.address())?;
    let status: Read<DeviceStatus> = subject::register(before, EXPRESS).ok()?;
    (status.value.0 != u16::MAX).then_some(status.value.0)
}

fn device_status(subject: &Subject<'_>) -> Judged {
    let status: Read<DeviceStatus> = subject.register(EXPRESS)?;
    if status.value.0 == u16::MAX {
        return Err(Skip::unknown("the register reads all-ones"));
    }
    let names = short_names(&DeviceStatus(status.value.0 & 0xf));
    // Bits that are new since the first reading are judged by themselves: what was there before does not explain them.
    let before = device_status_before(subject);
    let new = DeviceStatus(status.value.0 & !before.unwrap_or(0) & 0xf);
    let judged = if new.0 & 7 == 0 { DeviceStatus(status.value.0 & 0xf) } else { new };
    let (fatal, unsupported) = (judged.fatal_error_detected(), judged.unsupported_request_detected());
    let proofs = [status.proof];
    // An unsupported request is counted as correctable (advisory) or non-fatal as well (PCIe 6.2, 6.2.3.2.4).
    let explained = unsupported && !fatal;
    if names.is_empty() || explained {
        return Ok(Verdict::good(proofs));
    }
    let words = match (fatal, judged.non_fatal_error_detected(), judged.correctable_error_detected()) {
        (true, ..) => "a fatal error was detected since the bit was last cleared",
        (_, true, _) => "a non-fatal error was detected since the bit was last cleared",
        _ => "correctable errors were detected since the bit was last cleared",
    };
    let verdict = Verdict::bad(words, "none", names, proofs);
    let new_fatal = before.is_some() && new.fatal_error_detected();
    Ok(if new_fatal { verdict } else { verdict.mild() })
}

fn reporting(subject: &Subject<'_>) -> Judged {
    let control: Read<DeviceControl> = subject.register(EXPRESS)?;
    if subject.function.is_virtual() {
        return Err(Skip::not_applicable("a virtual function reports as its physical function does"));
    }
    let on = control.non_fatal_error_reporting_enable() && control.fatal_error_reporting_enable();
    let proofs = [control.proof.clone()];
    match on {
        true => Ok(Verdict::good(proofs)),
        false => {
            let found = format!("{:#06x}", control.value.0);
            Ok(Verdict::bad("fatal or non-fatal errors are not reported", "both reported", found, proofs))
        }
    }
}

fn system_error(subject: &Subject<'_>) -> Judged {
    root_port(subject)?;
    let control: Read<RootControl> = subject.register(EXPRESS)?;
    let names = short_names(&RootControl(control.value.0 & 7));
    let proofs = [control.proof];
    if names.is_empty() {
        return Ok(Verdict::good(proofs));
    }
    let ownership = &subject.aer().ownership;
    match ownership.kernel {
        Some(true) => {
            Ok(Verdict::bad(format!("errors become system errors: {names}"), "none", names, proofs))
        }
        Some(false) => {
            Err(Skip::not_applicable("firmware handles errors, and by system errors it learns of them"))
        }
        None => Err(Skip::unknown(ownership.reason.clone())),
    }
}
