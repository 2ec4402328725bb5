//! Interrupts: switched on, reachable, delivered to somebody.

use crate::machine::interrupts::{self, Mode};
use crate::machine::vectors::{self, Message, Unreadable, VectorTable, places};
use crate::pci::capability::{msi, msix};
use crate::pci::header::{Command, InterruptPin};

use super::finding::{Judged, Proof, Skip, Verdict, Who};
use super::registry::{Check, Of, Severity};
use super::subject::{Read, Subject};

pub static CHECKS: &[Check] = &[
    Check {
        id: "msix-off-while-bound",
        rule: "A function whose driver was given message interrupts has them switched on.",
        reads: "MSI-X Control bit 15, MSI Control bit 0, msi_irqs, driver",
        why: "msi_irqs and /proc/interrupts list the vectors even after the device lost its setting in a reset: only the \
              enable bit tells. The driver then waits for interrupts that never come.",
        reference: "PCIe 6.2, 7.7.1.2 and 7.7.2.2; Linux drivers/pci/msi",
        remedy: "unbind and bind the driver again, or reset through the driver; find out who reset the function",
        who: Who::Operator,
        of: Of::Function(off_while_bound),
        ..Check::BASE
    },
    Check {
        id: "msix-function-mask",
        rule: "A bound function does not have all its MSI-X vectors masked.",
        reads: "MSI-X Control bits 14 and 15, driver",
        why: "With the function mask set no interrupt is sent; the driver polls or times out.",
        reference: "PCIe 6.2, 7.7.2.2",
        remedy: "unbind and bind the driver again; if it comes back, it is a defect of the driver",
        who: Who::Driver,
        false_positives: "The moment in which a driver sets up its interrupts.",
        of: Of::Function(function_mask),
        ..Check::BASE
    },
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
    Check {
        id: "msi-bus-forbidden",
        rule: "Message interrupts are allowed for the function and the bridges above it.",
        severity: Severity::Warn,
        reads: "msi_bus of the function and of every bridge above, pci=nomsi, FADT",
        why: "Without them devices share the few lines of INTx, and AER and DPC are off as well.",
        reference: "Linux Documentation/ABI/testing/sysfs-bus-pci (msi_bus)",
        remedy: "remove pci=nomsi from the kernel command line, write 1 to msi_bus",
        who: Who::Operator,
        of: Of::Function(forbidden),
        ..Check::BASE
    },
    Check {
        id: "irq-none",
        rule: "A function with a driver that needs interrupts can raise one.",
        reads: "MSI, MSI-X, interrupt pin, Command bit 10, irq, driver",
        why: "Drivers refuse a device without any interrupt (NVRM: No interrupts of any type are available).",
        reference: "PCIe 6.2, 7.5.1.1.3 and 7.5.1.1.13",
        remedy: "allow message interrupts (msi-bus-forbidden), reload the driver",
        who: Who::Operator,
        false_positives: "Drivers that poll, such as those of most bridges, memory controllers and sensors: only devices \
                          that were given an interrupt number are judged.",
        of: Of::Function(none),
        ..Check::BASE
    },
];

fn off_while_bound(subject: &Subject<'_>) -> Judged {
    subject.driver()?;
    let has_msix = subject.has(&msix::SPECIFICATION)?;
    let has_msi = subject.has(&msi::SPECIFICATION)?;
    if !has_msix && !has_msi {
        return Err(Skip::not_applicable("it has neither MSI nor MSI-X"));
    }
    let given = match subject.function.reading.answer("msi_irqs") {
        Some(Ok(names)) => names.lines().count(),
        Some(Err(crate::tree::Cause::Errno(nix::errno::Errno::ENOENT))) => 0,
        Some(Err(cause)) => return Err(Skip::unknown(format!("msi_irqs: {cause}"))),
        None => return Err(Skip::unknown("msi_irqs was not read")),
    };
    if given == 0 {
        return Err(Skip::not_applicable("its driver was given no message interrupts"));
    }
    let mut proofs = vec![Proof::Attribute {
        address: subject.address(),
        name: "msi_irqs",
        text: format!("{given} interrupts"),
    }];
    let mut on = false;
    if has_msix {
        let control: Read<msix::Control> = subject.register(&msix::SPECIFICATION)?;
        on |= control.enable();
        proofs.push(control.field("enable"));
    }
    if has_msi {
        let control: Read<msi::Control> = subject.register(&msi::SPECIFICATION)?;
        on |= control.enable();
        proofs.push(control.field("enable"));
    }
    match on {
        true => Ok(Verdict::good(proofs)),
        false => Ok(Verdict::bad(
            format!("the kernel gave it {given} message interrupts, and the function has them switched off"),
            "MSI or MSI-X enabled",
            "both disabled",
            proofs,
        )),
    }
}

fn function_mask(subject: &Subject<'_>) -> Judged {
    let control: Read<msix::Control> = subject.register(&msix::SPECIFICATION)?;
    let driver = subject.driver()?;
    if !control.enable() {
        return Err(Skip::not_applicable("MSI-X is off"));
    }
    let proofs = [control.field("function_mask")];
    match control.function_mask() {
        false => Ok(Verdict::good(proofs)),
        true => Ok(Verdict::bad(
            format!("all MSI-X vectors are masked while {driver} is bound"),
            "not masked",
            "masked",
            proofs,
        )),
    }
}

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

fn forbidden(subject: &Subject<'_>) -> Judged {
    if !subject.has(&msi::SPECIFICATION)? && !subject.has(&msix::SPECIFICATION)? {
        return Err(Skip::not_applicable("it has neither MSI nor MSI-X"));
    }
    let platform = subject.around.platform;
    if platform.has_option("pci", "nomsi") {
        let proof = command_line(subject);
        return Ok(Verdict::bad("pci=nomsi forbids message interrupts", "allowed", "pci=nomsi", proof));
    }
    if platform.fadt_no_msi == Some(true) {
        let text = "IAPC_BOOT_ARCH bit 3".to_owned();
        let proof = Proof::File { path: "sys/firmware/acpi/tables/FACP".to_owned(), text };
        return Ok(Verdict::bad(
            "firmware forbids message interrupts",
            "allowed",
            "forbidden by the FADT",
            [proof],
        )
        .action(Who::Firmware, "update firmware: the FADT says that MSI must not be used"));
    }
    let mut proofs = Vec::new();
    for function in subject.around.machine.path(subject.function) {
        let text = function.reading.text("msi_bus");
        // Of an endpoint it is read only where it has no message interrupts; where it has, they are allowed.
        let Some(text) = text else { continue };
        let proof = Proof::Attribute { address: function.address, name: "msi_bus", text: text.to_owned() };
        if text == "0" {
            let summary = format!("msi_bus of {} forbids message interrupts", function.address);
            return Ok(Verdict::bad(summary, "1", "0", [proof]));
        }
        proofs.push(proof);
    }
    match proofs.is_empty() {
        true => Err(Skip::unknown("msi_bus was not read")),
        false => Ok(Verdict::good(proofs)),
    }
}

/// The kernel command line as proof.
pub(super) fn command_line(subject: &Subject<'_>) -> Vec<Proof> {
    let line = subject.around.platform.command_line.clone();
    line.map(|text| Proof::File { path: "proc/cmdline".to_owned(), text }).into_iter().collect()
}

fn none(subject: &Subject<'_>) -> Judged {
    subject.driver()?;
    let mode = interrupts::mode(subject.function);
    let mode = mode.ok_or_else(|| Skip::unknown("the capabilities were not read"))?;
    let (numbers, messages) = interrupts::numbers(subject.function);
    let command: Read<Command> = subject.header()?;
    let pin: Read<InterruptPin> = subject.header()?;
    let proofs = [command.field("interrupt_disable"), pin.proof];
    if mode != Mode::None {
        return Ok(Verdict::good(proofs));
    }
    // Message interrupts that were given and are off are what msix-off-while-bound tells.
    if messages || numbers.is_empty() {
        return Err(Skip::not_applicable("no interrupt of the pin was given to it"));
    }
    let handled = subject.around.interrupts.map(|lines| {
        numbers.iter().filter_map(|n| interrupts::line(lines, *n)).any(|line| !line.actions.is_empty())
    });
    match handled {
        Some(false) => Err(Skip::not_applicable("no handler waits for its interrupt")),
        None => Err(Skip::unknown("the source does not have /proc/interrupts")),
        // The line may be shared: whether the handler is this driver's is not told.
        Some(true) => Ok(Verdict::bad(
            "every kind of interrupt is off while a handler is installed for its line",
            "MSI-X, MSI or INTx",
            "none",
            proofs,
        )
        .mild()),
    }
}
