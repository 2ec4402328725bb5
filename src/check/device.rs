//! Command and Status, and the soundness of the capability lists.

use crate::pci::capability::vendor;
use crate::pci::header::{Command, SecondaryStatus, Status, latched_errors};
use crate::pci::register::RegisterType;
use crate::pci::space::HEADER_SIZE;
use crate::pci::walk::{Anomaly, List, capabilities_pointer};

use super::finding::{Judged, Proof, Skip, Verdict, Who};
use super::registry::{Check, Lasting, Of, Severity};
use super::subject::{Read, Subject};

pub static CHECKS: &[Check] = &[
    Check {
        id: "cmd-memory-decode",
        rule: "A bound function with memory BARs answers memory accesses.",
        reads: "Command bit 1, resource, driver, enable",
        why: "While it is off every register of the device reads all-ones: the driver sees a dead device.",
        reference: "PCIe 6.2, 7.5.1.1.3",
        remedy: "somebody reset the function behind the kernel's back, or wrote Command: unbind and bind the driver",
        who: Who::Operator,
        false_positives: "Drivers that switch their device off while it is not in use: judged only where the kernel counts \
                          the device as enabled.",
        of: Of::Function(memory_decode),
        ..Check::BASE
    },
    Check {
        id: "cmd-bus-master",
        rule: "A bound function that uses message interrupts may issue requests.",
        reads: "Command bit 2, MSI and MSI-X enable, driver",
        why: "Without Bus Master Enable neither DMA nor message interrupts leave the device.",
        reference: "PCIe 6.2, 7.5.1.1.3",
        remedy: "unbind and bind the driver again",
        who: Who::Operator,
        of: Of::Function(bus_master),
        ..Check::BASE
    },
    Check {
        id: "status-errors",
        rule: "Status holds no parity error, system error or target abort.",
        severity: Severity::Warn,
        reads: "Status and, of bridges, Secondary Status",
        why: "It is the oldest error record, and works on conventional PCI too.",
        reference: "PCIe 6.2, 7.5.1.1.4 and 7.5.1.3.7",
        remedy: "clear the bits and see whether they come back",
        who: Who::Provider,
        false_positives: "The bits stay until software clears them. Master Abort is set whenever an address is probed at \
                          which nothing is, and passes; so does a system error that a bridge received.",
        lasting: Lasting::Bits,
        of: Of::Function(status_errors),
        ..Check::BASE
    },
    Check {
        id: "caps-integrity",
        rule: "Both capability lists end, stay in their region, and no capability overlaps another.",
        reads: "the standard and the extended capability list",
        why: "Software that follows a broken list hangs, or finds capabilities that are none.",
        reference: "PCIe 6.2, 7.5.1.1.11 and 7.6.3",
        remedy: "update the device's firmware; if configuration space changes from read to read, the device is dying",
        who: Who::Replacement,
        false_positives: "Pointers with their low bits set and reserved values are only warned about. Overlaps can also be a \
                          capability that is shorter in this device than the specification says.",
        of: Of::Function(integrity),
        ..Check::BASE
    },
];

/// Whether the kernel counts the function as enabled.
fn is_enabled(subject: &Subject<'_>) -> Result<bool, Skip> {
    let (text, _) = subject.attribute("enable")?;
    text.parse::<i64>().map(|count| count > 0).map_err(|_| Skip::unknown(format!("enable holds {text:?}")))
}

fn memory_decode(subject: &Subject<'_>) -> Judged {
    let driver = subject.driver()?;
    let command: Read<Command> = subject.header()?;
    if subject.function.is_virtual() {
        return Err(Skip::not_applicable("a virtual function has no Memory Space Enable"));
    }
    let resources = subject.resources()?;
    if !resources.iter().take(6).any(|r| r.is_memory() && r.is_assigned()) {
        return Err(Skip::not_applicable("it has no memory BAR"));
    }
    if command.memory_space_enable() {
        return Ok(Verdict::good([command.field("memory_space_enable")]));
    }
    if !is_enabled(subject)? {
        return Err(Skip::not_applicable("its driver has not enabled it"));
    }
    let summary = format!("memory decode is off while {driver} is bound");
    Ok(Verdict::bad(
        summary,
        "on",
        "off",
        [command.field("memory_space_enable"), subject.attribute("resource")?.1],
    ))
}

fn bus_master(subject: &Subject<'_>) -> Judged {
    use crate::machine::interrupts::{Mode, mode};
    let driver = subject.driver()?;
    let command: Read<Command> = subject.header()?;
    let mode = mode(subject.function).ok_or_else(|| Skip::unknown("the capabilities were not read"))?;
    if !matches!(mode, Mode::Msi | Mode::MsiX) {
        return Err(Skip::not_applicable("it uses no message interrupts"));
    }
    let proofs = [command.field("bus_master_enable")];
    match command.bus_master_enable() {
        true => Ok(Verdict::good(proofs)),
        false => Ok(Verdict::bad(
            format!("bus mastering is off while {driver} uses message interrupts"),
            "on",
            "off",
            proofs,
        )),
    }
}

fn names<R: RegisterType>(raw: u64) -> String {
    let fields = R::REGISTER.fields.iter().filter(|f| f.extract(raw) != 0);
    fields.map(|f| f.short).collect::<Vec<_>>().join(" ")
}

fn status_errors(subject: &Subject<'_>) -> Judged {
    let status: Read<Status> = subject.header()?;
    // Received Master Abort is how probing an address without anybody ends.
    let own = latched_errors(Status::REGISTER, status.raw()) & !(1 << 13);
    let mut proofs = vec![status.proof.clone()];
    let mut words = names::<Status>(own);
    if subject.layout()? == 1 {
        let secondary: Read<SecondaryStatus> = subject.header()?;
        let below = latched_errors(SecondaryStatus::REGISTER, secondary.raw()) & !(1 << 13 | 1 << 14);
        if below != 0 {
            words = format!("{words} secondary: {}", names::<SecondaryStatus>(below));
        }
        proofs.push(secondary.proof);
    }
    if words.is_empty() {
        return Ok(Verdict::good(proofs));
    }
    let words = words.trim().to_owned();
    Ok(Verdict::bad(format!("Status holds errors: {words}"), "none", words, proofs))
}

fn integrity(subject: &Subject<'_>) -> Judged {
    let (_, anomalies) = subject.function.decode();
    // An unknown header type is what presence-header-type tells.
    let judged: Vec<&Anomaly> =
        anomalies.iter().filter(|a| !matches!(a, Anomaly::UnknownHeaderType { .. })).collect();
    let Some(worst) = judged.iter().find(|a| !is_mild(subject, a)).or(judged.first()) else {
        if let Some((name, attribute)) = subject.function.lost_capability() {
            return lost_capability(subject, name, attribute);
        }
        if !subject.function.standard_list_known() {
            let why =
                subject.function.unread().unwrap_or_else(|| "the list was not read to its end".to_owned());
            return Err(Skip::unknown(why));
        }
        return match subject.function.extended_list_known() {
            true => Ok(Verdict::good([])),
            false => {
                let why =
                    subject.function.unread().unwrap_or_else(|| "it was not read to its end".to_owned());
                Err(Skip::unknown(format!("the extended list is not known: {why}")))
            }
        };
    };
    let mild = judged.iter().all(|a| is_mild(subject, a));
    let found: Vec<String> = judged.iter().map(|a| words(a)).collect();
    let proofs: Vec<Proof> = judged.iter().take(ANOMALIES).flat_map(|a| anomaly_proofs(subject, a)).collect();
    let verdict = Verdict::bad(words(worst), "a sound list", found.join("; "), proofs);
    Ok(if mild { verdict.mild() } else { verdict })
}

/// The list has lost what the kernel found in it.
fn lost_capability(subject: &Subject<'_>, name: &str, attribute: &'static str) -> Judged {
    let (_, proof) = subject.attribute(attribute)?;
    let address = subject.address();
    let pointer = capabilities_pointer(subject.layout()?);
    let raw = subject.function.space().and_then(|space| space.u8(pointer));
    let decoded = "Capabilities Pointer";
    let raw = raw.map(|raw| Proof::Bytes { address, offset: pointer, width: 1, raw: raw.into(), decoded });
    Ok(Verdict::bad(
        format!("the kernel found {name} in the capability list, and it is not there now"),
        name.to_owned(),
        "none",
        raw.into_iter().chain([proof]).collect::<Vec<_>>(),
    ))
}

/// Most anomalies of a function that are proved.
const ANOMALIES: usize = 8;

/// The pointer that leads wrong, or the bytes where something stands that cannot be.
fn anomaly_proofs(subject: &Subject<'_>, anomaly: &Anomaly) -> Vec<Proof> {
    let pointer = "Capabilities Pointer or Next Capability Pointer";
    let places: Vec<(u16, u8, &'static str)> = match anomaly {
        Anomaly::Loop { list, from, .. }
        | Anomaly::IntoHeader { list, from, .. }
        | Anomaly::Unaligned { list, from, .. } => match list {
            // The pointer in the header is a byte of its own; that of a capability is the byte behind its ID.
            List::Standard if *from < HEADER_SIZE => vec![(*from, 1, pointer)],
            List::Standard => vec![(from + 1, 1, pointer)],
            List::Extended => {
                vec![(*from, 4, "extended capability header: Next Capability Offset in bits 31:20")]
            }
        },
        Anomaly::AllOnes { offset, .. } => vec![(*offset, 4, "all-ones where a capability should begin")],
        Anomaly::PastEnd { offset, .. } => vec![(*offset, 4, "beginning of the capability")],
        Anomaly::Overlap { first, second, .. } => {
            vec![(*first, 4, "beginning of the first"), (*second, 4, "beginning of the second")]
        }
        Anomaly::ReservedValue { offset, .. } => {
            let width = if offset % 4 == 0 { 4 } else { 2 - offset % 2 };
            vec![(*offset, width as u8, "reserved value")]
        }
        Anomaly::EmptyList => {
            let layout = subject.layout().unwrap_or_default();
            vec![(capabilities_pointer(layout), 1, "Capabilities Pointer")]
        }
        Anomaly::UnknownHeaderType { .. } => Vec::new(),
    };
    let proof = |(offset, width, decoded): (u16, u8, &'static str)| {
        let raw = subject.function.space()?.value(offset, width)?;
        Some(Proof::Bytes { address: subject.address(), offset, width, raw, decoded })
    };
    places.into_iter().filter_map(proof).collect()
}

/// Nothing is lost by these: the walk goes on as the kernel does.
fn is_mild(subject: &Subject<'_>, anomaly: &Anomaly) -> bool {
    match anomaly {
        Anomaly::Unaligned { .. }
        | Anomaly::ReservedValue { .. }
        | Anomaly::Overlap { .. }
        | Anomaly::EmptyList => true,
        // The length that a vendor gives its own capability is known to nobody else: chipsets have FFh there.
        Anomaly::PastEnd { list: List::Standard, offset, .. } => {
            let id = subject.function.space().and_then(|space| space.u8(*offset));
            id == Some(vendor::SPECIFICATION.id as u8)
        }
        _ => false,
    }
}

fn list_name(list: &List) -> &'static str {
    match list {
        List::Standard => "standard",
        List::Extended => "extended",
    }
}

fn words(anomaly: &Anomaly) -> String {
    match anomaly {
        Anomaly::Loop { list, from, to } => {
            format!("the {} list leads from {from:#x} back to {to:#x}", list_name(list))
        }
        Anomaly::IntoHeader { list, from, to } => {
            format!(
                "the {} list leads from {from:#x} to {to:#x}, where no capability can be",
                list_name(list)
            )
        }
        Anomaly::Unaligned { list, from, to } => {
            format!(
                "a pointer of the {} list at {from:#x} is not a multiple of four: {to:#x}",
                list_name(list)
            )
        }
        Anomaly::AllOnes { list, offset } => {
            format!("the {} list leads to {offset:#x}, which reads all-ones", list_name(list))
        }
        Anomaly::Overlap { first, second, first_end } => {
            format!("the capability at {first:#x} ends at {first_end:#x} and overlaps that at {second:#x}")
        }
        Anomaly::PastEnd { list, offset, end, limit } => {
            let list = list_name(list);
            format!(
                "the capability of the {list} list at {offset:#x} would end at {end:#x}, behind {limit:#x}"
            )
        }
        Anomaly::ReservedValue { offset, raw } => format!("{offset:#x} holds the reserved value {raw:#x}"),
        Anomaly::EmptyList => "Status announces a capability list and the pointer to it is zero".to_owned(),
        Anomaly::UnknownHeaderType { raw } => format!("the header type {raw:#04x} does not exist"),
    }
}
