//! Errors that Linux counts, and whether anybody counts at all.
//!
//! Counters of zero mean nothing unless the kernel handles errors. That is why a check of a counter is unknown, not a pass,
//! where ownership is with firmware or not known.

use crate::machine::aer::{Aer, Counters};
use crate::pci::capability::express::PortType;
use crate::pci::extended::aer::{SPECIFICATION, UncorrectableStatus};

use super::finding::{Judged, Proof, Skip, Verdict, Who};
use super::registry::{Check, Lasting, Of, Severity};
use super::subject::{Read, Subject};

pub static CHECKS: &[Check] = &[
    Check {
        id: "aer-present",
        rule: "Root ports have Advanced Error Reporting.",
        severity: Severity::Off,
        reads: "extended capability 0001h",
        why: "Without it nobody can tell which error it was.",
        reference: "PCIe 6.2, 7.8.4",
        remedy: "look for an AER setting of the root port in firmware setup",
        who: Who::Firmware,
        of: Of::Function(present),
        ..Check::BASE
    },
    Check {
        id: "aer-os-owned",
        rule: "Linux handles the errors of the root port.",
        severity: Severity::Off,
        reads: "AER port services in sys/bus/pci_express, /proc/interrupts, _OSC lines of the kernel log, command line",
        why: "Where firmware keeps AER, the counters in sysfs stay zero whatever happens, and no line is logged.",
        reference: "PCI Firmware 3.3, 4.5.1 (_OSC); Linux drivers/pci/pcie/portdrv.c",
        remedy: "let firmware hand over AER: `PCIe AER`, `Native AER` or `OS Native Control` in firmware setup; \
                 pcie_ports=native on the kernel command line takes it by force",
        who: Who::Firmware,
        false_positives: "Servers that handle errors in firmware first and log them in the BMC: then look there.",
        of: Of::Function(os_owned),
        ..Check::BASE
    },
    Check {
        id: "aer-nonfatal",
        rule: "The kernel has counted no non-fatal error.",
        severity: Severity::Warn,
        reads: "aer_dev_nonfatal, and who handles errors",
        why: "A transaction went wrong; the driver had to recover.",
        reference: "Linux drivers/pci/pcie/aer.c; Documentation/ABI/testing/sysfs-bus-pci-devices-aer",
        remedy: "look in the kernel log for the header of the packet and which driver sent it",
        who: Who::Driver,
        false_positives: "The counters run since the function was found; an old burst stays in them. UnsupReq may be a \
                          feature that the other end does not know (PTM).",
        lasting: Lasting::Counter,
        of: Of::Function(non_fatal),
        ..Check::BASE
    },
    Check {
        id: "aer-fatal",
        rule: "The kernel has counted no fatal error.",
        reads: "aer_dev_fatal; at root ports aer_rootport_total_err_fatal; and who handles errors",
        why: "The link below was reset. Kernels up to 6.15 count a fatal error of an endpoint only at the root port.",
        reference: "Linux drivers/pci/pcie/aer.c (__aer_print_error)",
        remedy: "look in the kernel log for the sender; reseat the card and its riser",
        who: Who::Provider,
        false_positives: "The counters run since the function was found.",
        lasting: Lasting::Counter,
        of: Of::Function(fatal),
        ..Check::BASE
    },
    Check {
        id: "aer-correctable",
        rule: "The kernel has counted no correctable error.",
        severity: Severity::Warn,
        reads: "aer_dev_correctable, and who handles errors",
        why: "Corrected errors cost little, and are the first sign of a bad contact.",
        reference: "Linux drivers/pci/pcie/aer.c",
        remedy: "measure the rate; if it grows, reseat the card and its riser",
        who: Who::Provider,
        false_positives: "Some over weeks are normal: what counts is the rate. NonFatalErr counts advisory errors, which \
                          are often unsupported requests at start.",
        lasting: Lasting::Counter,
        of: Of::Function(correctable),
        ..Check::BASE
    },
];

pub(super) fn root_port(subject: &Subject<'_>) -> Result<(), Skip> {
    match subject.port()? {
        PortType::RootPort => Ok(()),
        _ => Err(Skip::not_applicable("only root ports have this")),
    }
}

fn present(subject: &Subject<'_>) -> Judged {
    root_port(subject)?;
    match subject.function.find(&SPECIFICATION) {
        Some(_) => {
            let status: Read<UncorrectableStatus> = subject.register(&SPECIFICATION)?;
            Ok(Verdict::good([status.proof]))
        }
        None => match subject.has(&SPECIFICATION)? {
            true => Ok(Verdict::good([])),
            false => {
                let proofs = subject.end_of_extended_list();
                Ok(Verdict::bad("the root port has no Advanced Error Reporting", "present", "absent", proofs))
            }
        },
    }
}

fn os_owned(subject: &Subject<'_>) -> Judged {
    root_port(subject)?;
    if !subject.has(&SPECIFICATION)? {
        return Err(Skip::not_applicable("the root port has no Advanced Error Reporting"));
    }
    let ownership = &subject.aer().ownership;
    let proofs: Vec<Proof> = ownership.basis.iter().map(Proof::basis).collect();
    match ownership.kernel {
        None => Err(Skip::unknown(ownership.reason.clone())),
        Some(true) => Ok(Verdict::good(proofs)),
        Some(false) => Ok(Verdict::bad(
            format!("Linux does not handle errors here: {}", ownership.reason),
            "Linux",
            "not Linux",
            proofs,
        )),
    }
}

/// A counter that is believed only where the kernel counts. What is above zero was counted, whoever owns errors.
fn counted(
    subject: &Subject<'_>,
    file: &'static str,
    of: impl Fn(&Aer) -> Option<&Counters>,
) -> Result<(Counters, Vec<Proof>), Skip> {
    if !subject.has(&SPECIFICATION)? {
        return Err(Skip::not_applicable("it has no Advanced Error Reporting"));
    }
    let aer = subject.aer();
    let (_, proof) = subject.attribute(file)?;
    let counters = of(aer).ok_or_else(|| Skip::unknown(format!("{file} was not read")))?;
    let total = counters.total.ok_or_else(|| Skip::unknown(format!("{file} holds no total")))?;
    if total == 0 && counters.counts.is_empty() && aer.ownership.kernel != Some(true) {
        let reason = &aer.ownership.reason;
        return Err(Skip::unknown(format!(
            "not measured: the counters stay zero unless Linux handles errors ({reason})"
        )));
    }
    Ok((counters.clone(), vec![proof]))
}

fn listed(counters: &Counters) -> String {
    let counts: Vec<String> = counters.counts.iter().map(|(name, n)| format!("{name} {n}")).collect();
    match counts.is_empty() {
        true => format!("{} in all", counters.total.unwrap_or(0)),
        false => counts.join(", "),
    }
}

fn judge_counters(what: &str, counters: Counters, proofs: Vec<Proof>) -> Judged {
    if counters.total == Some(0) && counters.counts.is_empty() {
        return Ok(Verdict::good(proofs));
    }
    let found = listed(&counters);
    Ok(Verdict::bad(format!("{what} were counted: {found}"), "0", found, proofs))
}

fn non_fatal(subject: &Subject<'_>) -> Judged {
    let (counters, proofs) = counted(subject, "aer_dev_nonfatal", |aer| aer.non_fatal.as_ref())?;
    judge_counters("non-fatal errors", counters, proofs)
}

fn fatal(subject: &Subject<'_>) -> Judged {
    let (mut counters, mut proofs) = counted(subject, "aer_dev_fatal", |aer| aer.fatal.as_ref())?;
    if subject.port == Some(PortType::RootPort)
        && let Ok((text, proof)) = subject.attribute("aer_rootport_total_err_fatal")
        && let Ok(below @ 1..) = text.parse::<u64>()
    {
        counters.counts.push(("below or at the root port".to_owned(), below));
        proofs.push(proof);
    }
    judge_counters("fatal errors", counters, proofs)
}

fn correctable(subject: &Subject<'_>) -> Judged {
    let (counters, proofs) = counted(subject, "aer_dev_correctable", |aer| aer.correctable.as_ref())?;
    judge_counters("correctable errors", counters, proofs)
}
