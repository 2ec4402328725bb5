//! Interrupts: switched on, reachable, delivered to somebody.

use crate::machine::interrupts::{self, Mode};
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
