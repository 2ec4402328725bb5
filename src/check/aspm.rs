//! Active State Power Management. There is no right answer for every machine: profiles decide.

use crate::machine::Function;
use crate::machine::aspm::{self, Aspm};
use crate::pci::capability::express::{self, LinkCapabilities, LinkControl};
use crate::pci::extended::l1ss;

use super::finding::{Judged, Proof, Skip, Verdict, Who};
use super::registry::{Check, Of, Severity};
use super::subject::{self, Read, Subject};

const EXPRESS: &crate::pci::decode::Specification = &express::SPECIFICATION;

pub static CHECKS: &[Check] = &[
    Check {
        id: "aspm-enabled",
        rule: "ASPM is off at both ends of the link.",
        severity: Severity::Off,
        reads: "LnkCtl bits 1:0 of both ends",
        why: "Leaving L0s and L1 takes microseconds, and devices or ports that get it wrong fall off the bus. \
              pcie_aspm=off does not switch it off: Linux then leaves what firmware set.",
        reference: "PCIe 6.2, 5.4.1 and 7.5.3.7; Linux drivers/pci/pcie/aspm.c",
        remedy: "set `PCIe ASPM Support` (or `PCI Express Native Power Management`, `ASPM`) to Disabled in firmware \
                 setup; where Linux manages ASPM, pcie_aspm.policy=performance on the kernel command line does it",
        who: Who::Firmware,
        false_positives: "Machines that run on battery want it.",
        of: Of::Function(enabled),
        ..Check::BASE
    },
    Check {
        id: "aspm-disabled",
        rule: "ASPM is on where both ends of the link can do it.",
        severity: Severity::Off,
        reads: "LnkCap bits 11:10 and LnkCtl bits 1:0 of both ends",
        why: "A link that never sleeps keeps a laptop's processor out of its deep sleep states.",
        reference: "PCIe 6.2, 5.4.1",
        remedy: "remove pcie_aspm=off from the kernel command line, set the policy to powersave, or allow ASPM in \
                 firmware setup",
        who: Who::Operator,
        false_positives: "Devices whose ASPM is known to be broken and switched off by their driver.",
        of: Of::Function(disabled),
        ..Check::BASE
    },
    Check {
        id: "aspm-ends-differ",
        rule: "L1 is on at both ends of the link or at neither.",
        reads: "LnkCtl bits 1:0 of both ends",
        why: "L1 needs both ends; software must enable it at the upper end first and disable it at the lower end first.",
        reference: "PCIe 6.2, 5.4.1.4",
        remedy: "a driver or script changed one end only: undo it, or reboot",
        who: Who::Driver,
        false_positives: "L1 at the upper end alone is harmless: the lower end never asks for it.",
        of: Of::Function(differ),
        ..Check::BASE
    },
    Check {
        id: "aspm-l1ss",
        rule: "L1 substates and Clock Power Management are off, where L1 is on.",
        severity: Severity::Off,
        reads: "L1SubCtl1 bits 2 and 3, LnkCtl bits 1:0 of both ends and bit 8",
        why: "L1.2 switches the reference clock and the receivers off; leaving it takes tens of microseconds and is the \
              state from which devices most often do not return.",
        reference: "PCIe 6.2, 5.5, 7.5.3.7 and 7.8.3.3",
        remedy: "set `L1 Substates` to Disabled in firmware setup",
        who: Who::Firmware,
        false_positives: "Machines that run on battery want it.",
        of: Of::Function(substates),
        ..Check::BASE
    },
    Check {
        id: "aspm-firmware-locked",
        rule: "Where ASPM is on, Linux may change it.",
        severity: Severity::Off,
        reads: "LnkCtl bits 1:0 of both ends; FADT, _OSC, kernel command line",
        why: "Where firmware keeps ASPM to itself, no kernel parameter switches it off: only who may change firmware \
              settings can.",
        reference: "ACPI 6.5, 5.2.9.3; PCI Firmware 3.3, 4.5.1; Linux aspm_disabled",
        remedy: "set `PCIe ASPM Support` to Disabled in firmware setup, or let firmware hand ASPM to the operating \
                 system (`PCIe ASPM: OS control`, `Native ASPM`)",
        who: Who::Firmware,
        of: Of::Function(locked),
        ..Check::BASE
    },
];

struct Ends<'a> {
    upper: &'a Function,
    above: Aspm,
    below: Aspm,
    proofs: Vec<Proof>,
}

fn ends<'a>(subject: &Subject<'a>) -> Result<Ends<'a>, Skip> {
    let upper = subject.upper_end()?;
    let registers = |function: &Function| -> Result<(Aspm, Vec<Proof>), Skip> {
        let capabilities: Read<LinkCapabilities> = subject::register(function, EXPRESS)?;
        let control: Read<LinkControl> = subject::register(function, EXPRESS)?;
        let aspm = aspm::aspm(function).ok_or_else(|| Skip::unknown("the link was not read"))?;
        Ok((aspm, vec![capabilities.field("aspm_support"), control.field("aspm_control")]))
    };
    let (above, mut proofs) = registers(upper)?;
    let (below, more) = registers(subject.function)?;
    proofs.extend(more);
    Ok(Ends { upper, above, below, proofs })
}

fn words(aspm: &Aspm) -> &'static str {
    match (aspm.enabled.l0s, aspm.enabled.l1) {
        (false, false) => "none",
        (true, false) => "L0s",
        (false, true) => "L1",
        (true, true) => "L0s L1",
    }
}

fn found(subject: &Subject<'_>, ends: &Ends<'_>) -> String {
    format!("{} {}, {} {}", ends.upper.address, words(&ends.above), subject.address(), words(&ends.below))
}

fn enabled(subject: &Subject<'_>) -> Judged {
    let ends = ends(subject)?;
    if ends.above.enabled.is_empty() && ends.below.enabled.is_empty() {
        return Ok(Verdict::good(ends.proofs));
    }
    let found = found(subject, &ends);
    let control = aspm::control(subject.around.platform, subject.function.host_bridge.as_deref());
    let verdict = Verdict::bad(format!("ASPM is on: {found}"), "none at both ends", found, ends.proofs);
    // A command is of use only where the kernel is known to manage ASPM.
    Ok(match control.kernel_manages {
        Some(true) => verdict.action(
            Who::Operator,
            format!("pcie_aspm.policy=performance on the kernel command line: {}", control.reason),
        ),
        _ => verdict,
    })
}

fn disabled(subject: &Subject<'_>) -> Judged {
    let ends = ends(subject)?;
    let both =
        |state: fn(&aspm::States) -> bool| state(&ends.above.supported) && state(&ends.below.supported);
    if !both(|s| s.l1) {
        return Err(Skip::not_applicable("the ends have no L1 in common"));
    }
    if ends.above.enabled.l1 && ends.below.enabled.l1 {
        return Ok(Verdict::good(ends.proofs));
    }
    let found = found(subject, &ends);
    Ok(Verdict::bad("L1 is off although both ends can do it", "L1 at both ends", found, ends.proofs))
}

fn differ(subject: &Subject<'_>) -> Judged {
    let ends = ends(subject)?;
    let found = found(subject, &ends);
    match (ends.above.enabled.l1, ends.below.enabled.l1) {
        (a, b) if a == b => Ok(Verdict::good(ends.proofs)),
        // Nothing happens: only the lower end asks for L1.
        (true, _) => {
            Ok(Verdict::bad("L1 is on at the upper end only", "the same at both ends", found, ends.proofs)
                .mild())
        }
        _ => Ok(Verdict::bad("L1 is on at the lower end only", "the same at both ends", found, ends.proofs)),
    }
}

fn substates(subject: &Subject<'_>) -> Judged {
    subject.with_link()?;
    let link: Read<LinkControl> = subject.register(EXPRESS)?;
    let clock = link.enable_clock_power_management();
    let control = match subject.register::<l1ss::Control1>(&l1ss::SPECIFICATION) {
        Ok(control) => Some(control),
        Err(Skip::NotApplicable(_)) if clock => None,
        Err(skip) => return Err(skip),
    };
    let enabled =
        |bit: fn(l1ss::Control1) -> bool| control.as_ref().is_some_and(|control| bit(control.value));
    let on = [
        (enabled(l1ss::Control1::aspm_l1_1_enable), "L1.1"),
        (enabled(l1ss::Control1::aspm_l1_2_enable), "L1.2"),
        (clock, "Clock Power Management"),
    ];
    let on: Vec<&str> = on.into_iter().filter(|(on, _)| *on).map(|(_, name)| name).collect();
    let mut proofs = vec![link.field("enable_clock_power_management")];
    proofs.extend(control.as_ref().map(|control| control.proof.clone()));
    if on.is_empty() {
        return Ok(Verdict::good(proofs));
    }
    // They are states of L1: without it the link does not come there.
    let without = match ends(subject) {
        Ok(ends) => !(ends.above.enabled.l1 && ends.below.enabled.l1),
        // The other end is where the link is judged; here its own half counts.
        Err(Skip::NotApplicable(_)) => aspm::aspm(subject.function).is_some_and(|own| !own.enabled.l1),
        Err(unknown) => return Err(unknown),
    };
    let on = on.join(" ");
    if without {
        return Err(Skip::not_applicable(format!(
            "{on} is prepared and L1 is off, so the link does not use it"
        )));
    }
    Ok(Verdict::bad(format!("L1 saves more power: {on}"), "none", on, proofs))
}

fn locked(subject: &Subject<'_>) -> Judged {
    let ends = ends(subject)?;
    if ends.above.enabled.is_empty() && ends.below.enabled.is_empty() {
        return Err(Skip::not_applicable("ASPM is off"));
    }
    let control = aspm::control(subject.around.platform, subject.function.host_bridge.as_deref());
    match control.kernel_manages {
        Some(true) => Ok(Verdict::good(ends.proofs)),
        None => Err(Skip::unknown(control.reason)),
        Some(false) => {
            let mut proofs = ends.proofs;
            proofs.extend(control.basis.iter().map(Proof::basis));
            let summary = format!("ASPM is on and only firmware can change it: {}", control.reason);
            Ok(Verdict::bad(summary, "Linux manages ASPM", "firmware keeps it", proofs))
        }
    }
}
