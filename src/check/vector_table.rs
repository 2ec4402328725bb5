//! The MSI-X vector table: where it lies and what stands in it.

use crate::machine::interrupts::{self};
use crate::machine::vectors::{self, Message, Unreadable, VectorTable, places};
use crate::pci::capability::msix;

use super::finding::{Judged, Proof, Skip, Verdict, Who};
use super::registry::{Check, Of, Severity};
use super::subject::{Read, Subject};

pub static CHECKS: &[Check] = &[
    Check {
        id: "msix-geometry",
        rule: "The MSI-X table and its pending bits lie inside an assigned memory BAR and do not overlap.",
        reads: "MSI-X Table and PBA registers, resource",
        why: "Otherwise MSI-X cannot be enabled: the kernel answers ENOMEM, and drivers say Failed to enable MSI-X.",
        reference: "PCIe 6.2, 7.7.2; Linux msix_map_region",
        remedy: "see bar-unassigned; if the BAR is there, the device or its firmware is defect",
        who: Who::Replacement,
        of: Of::Function(geometry),
        ..Check::BASE
    },
    Check {
        id: "msix-table-all-ones",
        rule: "The MSI-X table can be read, and the device answers.",
        reads: "the vector table behind its BAR, where the system lets it be read",
        why: "Configuration accesses that are answered while memory accesses are not: the device is half dead.",
        reference: "PCIe 6.2, 7.7.2.5",
        remedy: "power-cycle the machine",
        who: Who::Provider,
        of: Of::Function(table_all_ones),
        ..Check::BASE
    },
    Check {
        id: "msix-entry",
        rule: "Every vector that is not masked has a message that leads to an interrupt controller, and none that a handler \
               waits for is masked.",
        severity: Severity::Warn,
        reads: "the vector table, where the system lets it be read",
        why: "An unmasked vector without an address writes to physical address zero; one outside the interrupt window is \
              a write into memory.",
        reference: "PCIe 6.2, 7.7.2.5 to 7.7.2.8; Intel SDM volume 3, 11.11",
        remedy: "unbind and bind the driver again",
        who: Who::Driver,
        false_positives: "An interrupt that its driver has disabled for a while (disable_irq), or of a queue whose \
                          processors are offline.",
        of: Of::Function(entries),
        ..Check::BASE
    },
    Check {
        id: "msix-pending",
        rule: "No interrupt waits to be sent: neither behind a masked vector that the kernel uses nor behind an open one.",
        severity: Severity::Warn,
        reads: "vector control and pending bits of the table, where the system lets them be read",
        why: "The device raised an interrupt and the mask keeps it: something waits for it.",
        reference: "PCIe 6.2, 7.7.2.9",
        remedy: "read again; if it stays, unbind and bind the driver",
        who: Who::Driver,
        false_positives: "The moment in which an interrupt is moved to another processor.",
        of: Of::Function(pending),
        ..Check::BASE
    },
];

fn geometry(subject: &Subject<'_>) -> Judged {
    let registers = &msix::SPECIFICATION;
    let control: Read<msix::Control> = subject.register(registers)?;
    let table_register: Read<msix::Table> = subject.register(registers)?;
    let pending_register: Read<msix::PendingBitArray> = subject.register(registers)?;
    let mut proofs = vec![control.field("table_size"), table_register.proof, pending_register.proof];
    let (table, pending) = places(subject.function).ok_or_else(|| Skip::unknown("MSI-X was not read"))?;
    let bad = |what: String, proofs: Vec<Proof>| {
        Ok(Verdict::bad(what.clone(), "inside an assigned memory BAR", what, proofs))
    };
    for place in [table, pending] {
        if place.bar > 5 {
            return bad(format!("the BAR indicator is {}, which is no BAR", place.bar), proofs);
        }
    }
    let end = |p: vectors::Place| u64::from(p.offset) + u64::from(p.length);
    if table.bar == pending.bar
        && u64::from(table.offset) < end(pending)
        && u64::from(pending.offset) < end(table)
    {
        let verdict = bad(format!("table and pending bits overlap in BAR {}", table.bar), proofs)?;
        // Devices that announce MSI-X and never implemented it have zeros there; nobody uses it.
        return Ok(if control.enable() { verdict } else { verdict.mild() });
    }
    if subject.function.is_virtual() {
        return Err(Skip::not_applicable("the BARs of a virtual function are in its physical function"));
    }
    let resources = subject.resources()?;
    proofs.push(subject.attribute("resource")?.1);
    for (name, place) in [("table", table), ("pending bits", pending)] {
        let resource = resources.get(usize::from(place.bar)).copied().unwrap_or_default();
        let bar = place.bar;
        if resource.size() == 0 || !resource.is_assigned() {
            return bad(format!("BAR {bar} with the {name} has no address"), proofs);
        }
        if !resource.is_memory() {
            return bad(format!("BAR {bar} with the {name} is no memory"), proofs);
        }
        if end(place) > resource.size() {
            let (end, size) = (end(place), resource.size());
            return bad(
                format!("the {name} would end at {end:#x} of BAR {bar}, which has {size:#x} bytes"),
                proofs,
            );
        }
    }
    Ok(Verdict::good(proofs))
}

/// The vector table, only where MSI-X is on: what stands in the table of a function that does not use it means nothing.
fn table<'a>(subject: &'a Subject<'_>) -> Result<Result<(&'a VectorTable, Proof), &'a Unreadable>, Skip> {
    let control: Read<msix::Control> = subject.register(&msix::SPECIFICATION)?;
    if !control.enable() {
        return Err(Skip::not_applicable("MSI-X is off"));
    }
    let read = subject.vectors().ok_or_else(|| Skip::not_applicable("it has no MSI-X"))?;
    let (place, _) = places(subject.function).ok_or_else(|| Skip::unknown("MSI-X was not read"))?;
    Ok(read.map(|table| {
        let path = format!("sys/bus/pci/devices/{}/resource{}", subject.address(), place.bar);
        let text = format!("{} vectors from {:#x}", table.vectors.len(), place.offset);
        (table, Proof::File { path, text })
    }))
}

fn readable<'a>(subject: &'a Subject<'_>) -> Result<(&'a VectorTable, Proof), Skip> {
    // Why it could not be read is told once, by the first of the three.
    table(subject)?
        .map_err(|_| Skip::not_applicable("the vector table was not read: msix-table-all-ones says why"))
}

/// Without numbers of BARs and names of drivers, so that many functions with the same reason are told in one line.
fn words(reason: &Unreadable) -> String {
    match reason {
        Unreadable::OwnedByDriver { .. } => "its BAR belongs to a driver (IO_STRICT_DEVMEM)".to_owned(),
        Unreadable::NotCaptured { .. } => "the source does not hold its BAR".to_owned(),
        Unreadable::NotPermitted { bar, error } => format!("BAR {bar}: {error}"),
        Unreadable::NoResourceFile { bar } => format!("there is no resource{bar}"),
        Unreadable::Failed { bar, error } => format!("BAR {bar}: {error}"),
        Unreadable::MemoryDecodeOff => "memory decode is off".to_owned(),
        Unreadable::NotInD0 { state } => format!("the function is in {state}"),
        Unreadable::NotRead { why } => why.clone(),
        Unreadable::NoSuchBar { bar } => format!("there is no BAR {bar}"),
        Unreadable::BarUnassigned { bar } => format!("BAR {bar} has no address"),
        Unreadable::OutsideBar { bar, .. } => format!("it ends behind BAR {bar}"),
        Unreadable::NotAllowedHere { .. } => "not on this architecture without --mmio".to_owned(),
        Unreadable::AllOnes => "it reads all-ones".to_owned(),
        Unreadable::Dead => "nothing answers".to_owned(),
        Unreadable::Asleep => "the function sleeps".to_owned(),
    }
}

fn table_all_ones(subject: &Subject<'_>) -> Judged {
    match table(subject)? {
        Ok((_, proof)) => Ok(Verdict::good([proof])),
        Err(Unreadable::AllOnes) => {
            let proof = subject.register::<msix::Table>(&msix::SPECIFICATION)?.proof;
            Ok(Verdict::bad(
                "the vector table reads all-ones: memory accesses are not answered",
                "a table",
                "all-ones",
                [proof],
            ))
        }
        Err(reason) => Err(Skip::unknown(format!("the vector table could not be read: {}", words(reason)))),
    }
}

fn entries(subject: &Subject<'_>) -> Judged {
    let (table, proof) = readable(subject)?;
    if subject.register::<msix::Control>(&msix::SPECIFICATION)?.function_mask() {
        return Err(Skip::not_applicable("Function Mask masks every vector: msix-function-mask tells"));
    }
    let wrong = table
        .vectors
        .iter()
        .filter(|v| !v.masked)
        .find(|v| v.address == 0 || matches!(v.message, Some(Message::Empty | Message::Foreign)));
    // The kernel masks the vectors that nobody uses: fewer open ones than handlers are interrupts that somebody waits for.
    let open = table.vectors.iter().filter(|v| !v.masked).count();
    let (numbers, _) = interrupts::numbers(subject.function);
    let handled = subject.around.interrupts.map_or(0, |lines| {
        let known = numbers.iter().filter_map(|n| interrupts::line(lines, *n));
        known.filter(|line| !line.actions.is_empty()).count()
    });
    match wrong {
        None if open < handled => Ok(Verdict::bad(
            format!("{handled} handlers wait for interrupts, and only {open} vectors are not masked"),
            format!("{handled} vectors that are not masked"),
            open.to_string(),
            [proof],
        )),
        None => Ok(Verdict::good([proof])),
        Some(vector) => Ok(Verdict::bad(
            format!("vector {} is not masked and its message leads nowhere", vector.index),
            "an address of an interrupt controller",
            format!("address {:#x}, data {:#x}", vector.address, vector.data),
            [proof],
        )),
    }
}

fn pending(subject: &Subject<'_>) -> Judged {
    let (table, proof) = readable(subject)?;
    if let Some(reason) = &table.pending_unreadable {
        return Err(Skip::unknown(format!("the pending bits could not be read: {}", words(reason))));
    }
    // Function Mask masks every vector, whatever its own bit says (PCIe 6.2, 7.7.2.2).
    let all = subject.register::<msix::Control>(&msix::SPECIFICATION)?.function_mask();
    // A vector that has a message was given to somebody.
    let waits: Vec<String> = table
        .vectors
        .iter()
        .filter(|v| (v.masked || all) && v.pending == Some(true) && v.address != 0)
        .map(|v| v.index.to_string())
        .collect();
    // An interrupt that is not masked is sent within microseconds: to see one wait is no accident.
    let stuck = table.vectors.iter().find(|v| !v.masked && !all && v.pending == Some(true));
    match (waits.is_empty(), stuck) {
        (true, None) => Ok(Verdict::good([proof])),
        (true, Some(vector)) => Ok(Verdict::bad(
            format!("an interrupt waits behind vector {}, which is not masked", vector.index),
            "an interrupt that is sent at once",
            format!("vector {}", vector.index),
            [proof],
        )),
        (false, _) => {
            let waits = waits.join(", ");
            Ok(Verdict::bad(
                format!("an interrupt waits behind the masked vector {waits}"),
                "no pending vector that is masked",
                waits,
                [proof],
            ))
        }
    }
}
