//! Whether anybody answers, and how far it could be read. These speak first; of a function that does not answer nothing
//! else is judged.

use nix::errno::Errno;

use crate::machine::State;
use crate::machine::link::slot_occupied;
use crate::pci::capability::express::{self, LinkCapabilities, LinkStatus, SlotStatus};
use crate::pci::header::{HeaderType, LAYOUTS};
use crate::tree::Cause;

use super::earlier::seconds;
use super::finding::{Judged, Proof, Skip, Verdict, Who};
use super::registry::{Check, Of, Severity};
use super::subject::Subject;

pub static CHECKS: &[Check] = &[
    Check {
        id: "presence-config-all-ones",
        rule: "Configuration space is answered by the function, not by nobody.",
        reads: "configuration space 00h to 0Fh, of several readings each time; current_link_speed and current_link_width as corroboration",
        why: "Reads of a device that fell off the bus succeed and give all-ones. vendor, device, resource and msi_irqs in \
              sysfs are the kernel's copies and keep looking healthy, so that lspci lists the device as if nothing were.",
        reference: "PCIe 6.2, 2.3.2; Linux drivers/pci/pci-sysfs.c (pci_read_config ignores errors)",
        remedy: "keep the evidence, then power-cycle the machine; a warm reboot may not bring the device back. If it \
                 happens again, check seating, riser, auxiliary power and cooling",
        who: Who::Provider,
        of: Of::Presence(all_ones),
        ..Check::BASE
    },
    Check {
        id: "presence-not-ready",
        rule: "The function is ready: it does not ask to be read again later.",
        reads: "configuration space 00h",
        why: "Vendor ID 0001h is Request Retry Status: the device is in reset or starting. After a second it is stuck.",
        reference: "PCIe 6.2, 2.3.1; Linux pci_bus_wait_rrs",
        remedy: "read again after a minute; if it stays, power-cycle the machine",
        who: Who::Operator,
        of: Of::Presence(not_ready),
        ..Check::BASE
    },
    Check {
        id: "presence-dir",
        rule: "The function is still there when it is read, and there is a function to judge.",
        reads: "the function's folder in sysfs; which functions were asked for",
        why: "A folder that vanishes while it is read was removed: by hot-plug, by containment, or by hand.",
        reference: "Linux fs/kernfs (ENODEV of a removed file)",
        remedy: "look in the kernel log for who removed it",
        who: Who::Operator,
        of: Of::Presence(folder),
        ..Check::BASE
    },
    Check {
        id: "presence-config-vs-sysfs-id",
        rule: "Configuration space names the same device as sysfs.",
        reads: "configuration space 00h; vendor and device in sysfs",
        why: "sysfs is a copy from enumeration. If another device answers now, it was exchanged or its firmware came up \
              differently, and the kernel drives it as what it was.",
        reference: "PCIe 6.2, 7.5.1.1.1",
        remedy: "remove and rescan the function, or reboot",
        who: Who::Operator,
        of: Of::Function(identity_differs),
        ..Check::BASE
    },
    Check {
        id: "presence-header-type",
        rule: "The header type is one that exists.",
        reads: "configuration space 0Eh",
        why: "7Fh is what lspci calls an unknown header type: a device in reset, or one that answers in part.",
        reference: "PCIe 6.2, 7.5.1.1.9",
        remedy: "power-cycle the machine; if it stays, replace the device",
        who: Who::Replacement,
        of: Of::Function(header_type),
        ..Check::BASE
    },
    Check {
        id: "presence-config-length",
        rule: "All of the function's configuration space can be read.",
        severity: Severity::Warn,
        reads: "size of config and how much of it could be read",
        why: "With 64 bytes (no root) no capability is known, with 256 bytes of a PCI Express function none of the \
              extended ones: AER, ACS, DPC, Resizable BAR cannot be judged.",
        reference: "Linux pci_read_config (CAP_SYS_ADMIN); pci_cfg_space_size",
        remedy: "run as root; where the kernel itself sees 256 bytes only, look for MMCONFIG or ECAM messages in the \
                 kernel log and for pci=nommconf on the command line",
        who: Who::Operator,
        of: Of::Function(length),
        ..Check::BASE
    },
    Check {
        id: "presence-partial-ones",
        rule: "Extended configuration space is answered too.",
        reads: "configuration space 100h",
        why: "The kernel found extended configuration space when it started; if it reads all-ones now while the header is \
              fine, the ECAM window is lost or the device is in reset.",
        reference: "Linux pci_cfg_space_size_ext",
        remedy: "power-cycle the machine",
        who: Who::Provider,
        of: Of::Function(partial),
        ..Check::BASE
    },
    Check {
        id: "presence-parent-link",
        rule: "Below a port whose slot is occupied, or under which the kernel lists a function, the link is up.",
        reads: "LnkCap bit 20, LnkSta bit 13, SltSta bit 6 of the port",
        why: "A card that is seen and has no link does not work: bad seating, riser, missing auxiliary power, or a dead \
              card. Functions that are still listed under a port without a link are gone.",
        reference: "PCIe 6.2, 7.5.3.8 and 7.5.3.11",
        remedy: "reseat the card and its riser, check auxiliary power cables, then try another slot",
        who: Who::Provider,
        false_positives: "A slot that was switched off on purpose; a card that is held in reset.",
        of: Of::Function(parent_link),
        ..Check::BASE
    },
];

/// Answers of the kernel that corroborate a dead device: `Unknown` and 63, or EINVAL.
fn fingerprint(subject: &Subject<'_>) -> Vec<Proof> {
    let attributes = ["current_link_speed", "current_link_width"];
    let answer = |name: &'static str| {
        let text = match subject.function.reading.answer(name)? {
            Ok(text) => text.clone(),
            Err(Cause::Errno(Errno::EINVAL)) => {
                "EINVAL: the kernel marked the device disconnected".to_owned()
            }
            Err(cause) => cause.to_string(),
        };
        Some(Proof::Attribute { address: subject.address(), name, text })
    };
    attributes.into_iter().filter_map(answer).collect()
}

fn identity(subject: &Subject<'_>) -> Option<Proof> {
    // Vendor and device ID of a virtual function read FFFFh (PCIe 6.2, 9.3.4.1.1): it is judged by what follows them.
    let (offset, decoded) = match subject.function.is_virtual() {
        true => (4, "Command and Status"),
        false => (0, "vendor and device ID"),
    };
    let raw = subject.function.reading.space.u32(offset)?.into();
    Some(Proof::Bytes { address: subject.address(), offset, width: 4, raw, decoded })
}

fn not_read(subject: &Subject<'_>) -> Skip {
    let presence = &subject.function.presence;
    let hint = if presence.state == State::Asleep { "; --wake reads it" } else { "" };
    Skip::unknown(format!("{}: {}{hint}", presence.state.name(), presence.reason))
}

fn all_ones(subject: &Subject<'_>) -> Judged {
    let proofs = || identity(subject).into_iter().collect::<Vec<_>>();
    match subject.function.presence.state {
        State::Answering | State::NotReady => match silence(subject) {
            Some(verdict) => Ok(verdict),
            None => Ok(Verdict::good(proofs())),
        },
        State::AllOnes | State::Disconnected => {
            let mut proofs = proofs();
            proofs.extend(fingerprint(subject));
            let marked = subject.function.presence.state == State::Disconnected;
            let summary = match marked {
                true => "nothing answers, and the kernel marked the device disconnected",
                false => "nothing answers on the bus: configuration space reads all-ones",
            };
            Ok(Verdict::bad(summary, "an answer", subject.function.presence.reason.clone(), proofs))
        }
        State::Absent => Err(Skip::not_applicable("the function is not there any more")),
        State::Asleep | State::Unknown => Err(not_read(subject)),
    }
}

/// It answers now and did not in between.
fn silence(subject: &Subject<'_>) -> Option<Verdict> {
    let earlier = subject.around.earlier?;
    let (at, state) = earlier.history.of(subject.address())?.silent?;
    if !matches!(state, State::AllOnes | State::Disconnected | State::Absent) {
        return None;
    }
    let (at, state) = (seconds(at), state.name());
    let proof = Proof::Seen { address: subject.address(), line: format!("{at}: {state}") };
    let proofs: Vec<Proof> = identity(subject).into_iter().chain([proof]).collect();
    Some(Verdict::bad(
        format!("it answers now, and nobody did {at} after the first reading ({state})"),
        "an answer at every reading",
        state,
        proofs,
    ))
}

fn not_ready(subject: &Subject<'_>) -> Judged {
    match subject.function.presence.state {
        State::Answering => Ok(Verdict::good(identity(subject).into_iter().collect::<Vec<_>>())),
        State::NotReady => Ok(Verdict::bad(
            "the function asks to be read again later (Request Retry Status)",
            "a vendor ID",
            "0x0001",
            identity(subject).into_iter().collect::<Vec<_>>(),
        )),
        State::AllOnes | State::Disconnected | State::Absent => {
            Err(Skip::not_applicable("nothing answers at all"))
        }
        State::Asleep | State::Unknown => Err(not_read(subject)),
    }
}

fn folder(subject: &Subject<'_>) -> Judged {
    match subject.function.presence.state {
        State::Absent => {
            let reason = subject.function.presence.reason.clone();
            let proof = Proof::Attribute { address: subject.address(), name: "config", text: reason.clone() };
            Ok(Verdict::bad("the function went away while it was read", "a function", reason, [proof]))
        }
        State::Unknown => Err(not_read(subject)),
        _ => Ok(Verdict::good([])),
    }
}

fn identity_differs(subject: &Subject<'_>) -> Judged {
    let known = &subject.function.identity;
    let Some(proof) = identity(subject) else {
        return Err(Skip::unknown("vendor and device ID were not read"));
    };
    if subject.function.is_virtual() {
        return Err(Skip::not_applicable("a virtual function does not tell its identity"));
    }
    if subject.function.answers() && subject.function.reads_no_identity() {
        return Ok(Verdict::bad(
            "vendor and device ID read all-ones although other registers answer, and it is no virtual function",
            known.vendor_id.zip(known.device_id).map_or_else(
                || "vendor and device ID".to_owned(),
                |(vendor, device)| format!("{vendor:04x}:{device:04x}"),
            ),
            "ffff:ffff",
            [proof],
        ));
    }
    let reading = &subject.function.reading;
    if reading.text("uevent").is_none() && reading.text("vendor").is_none() {
        return Err(Skip::not_applicable("the source has no copy of the kernel to compare with"));
    }
    match (known.answers_as, known.vendor_id, known.device_id) {
        (Some((vendor, device)), Some(was), Some(what)) => Ok(Verdict::bad(
            "another device answers than the one that the kernel enumerated",
            format!("{was:04x}:{what:04x}"),
            format!("{vendor:04x}:{device:04x}"),
            [proof],
        )),
        _ => Ok(Verdict::good([proof])),
    }
}

fn header_type(subject: &Subject<'_>) -> Judged {
    let register = subject.header::<HeaderType>()?;
    if LAYOUTS.contains(&register.layout()) {
        return Ok(Verdict::good([register.proof]));
    }
    let found = format!("{:#04x}", register.value.0);
    Ok(Verdict::bad("the header type does not exist", "0, 1 or 2", found, [register.proof]))
}

fn length(subject: &Subject<'_>) -> Judged {
    let function = subject.function;
    let express = subject.port.is_some();
    let size = function.reading.config_size.map(|size| size.to_string());
    let proof = Proof::Attribute {
        address: subject.address(),
        name: "config",
        text: format!(
            "{} bytes, {} can be read",
            size.as_deref().unwrap_or("unknown"),
            function.config_bytes()
        ),
    };
    // Of a dump the size is only how much was printed.
    let kernel = !matches!(function.reading.answer("uevent"), Some(Err(Cause::NotCaptured)));
    if kernel && function.config_bytes() == 256 && express && function.reading.config_size == Some(256) {
        return Ok(Verdict::bad(
            "the kernel reaches 256 bytes only of a PCI Express function",
            "4096 bytes",
            "256 bytes",
            [proof],
        ));
    }
    match function.unread() {
        Some(why) => Err(Skip::unknown(why)),
        None => Ok(Verdict::good([proof])),
    }
}

fn partial(subject: &Subject<'_>) -> Judged {
    subject.port()?;
    let space = &subject.function.reading.space;
    if space.limit() <= 256 {
        return Err(match subject.function.reading.config_size {
            Some(256) => Skip::not_applicable("the kernel found no extended configuration space"),
            _ => Skip::unknown(subject.function.unread().unwrap_or_else(|| "not in the source".to_owned())),
        });
    }
    let Some(raw) = space.u32(0x100) else {
        return Err(Skip::unknown("configuration space at 100h was not read"));
    };
    let proof = Proof::Bytes {
        address: subject.address(),
        offset: 0x100,
        width: 4,
        raw: raw.into(),
        decoded: "first extended capability",
    };
    match raw {
        u32::MAX => Ok(Verdict::bad(
            "extended configuration space reads all-ones while the header is answered",
            "a capability header or zero",
            "0xffffffff",
            [proof],
        )),
        _ => Ok(Verdict::good([proof])),
    }
}

fn parent_link(subject: &Subject<'_>) -> Judged {
    subject.downstream_port()?;
    let specification = &express::SPECIFICATION;
    let capabilities = subject.register::<LinkCapabilities>(specification)?;
    if !capabilities.data_link_layer_link_active_reporting_capable() {
        return Err(Skip::not_applicable("the port does not report whether its link is up"));
    }
    let status = subject.register::<LinkStatus>(specification)?;
    let mut proofs = vec![status.field("data_link_layer_link_active")];
    let occupied = slot_occupied(subject.function);
    if occupied.is_some() {
        proofs.push(subject.register::<SlotStatus>(specification)?.field("presence_detect_state"));
    }
    if status.data_link_layer_link_active() {
        return Ok(Verdict::good(proofs));
    }
    let below = subject.around.machine.children(subject.address()).next();
    if below.is_some_and(|below| below.presence.state == State::Asleep) {
        return Err(Skip::not_applicable("what is below sleeps without power, and its link with it"));
    }
    match (occupied, below) {
        (Some(true), None) => {
            Ok(Verdict::bad("a card is in the slot and has no link", "link up", "link down", proofs))
        }
        // An answer came over the link: it is the register of the port that is wrong, as in emulated ports.
        (_, Some(below)) if below.answers() => Ok(Verdict::bad(
            format!("the port says that its link is down, and {} below answers", below.address),
            "link up",
            "link down",
            proofs,
        )
        .mild()
        .action(
            Who::Nobody,
            "nothing on a virtual machine; otherwise read again: a link that comes and goes is seen by --for",
        )),
        (_, Some(below)) => Ok(Verdict::bad(
            format!("the link is down although the kernel lists {} below", below.address),
            "link up",
            if occupied == Some(false) { "link down, no card seen" } else { "link down" },
            proofs,
        )),
        (_, None) => Err(Skip::not_applicable("nothing is below the port")),
    }
}
