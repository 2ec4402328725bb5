//! What only two readings tell: rates of errors, links that change, interrupts that stand still.
//!
//! Made by `check --for` and `check --while` only.

use std::time::Duration;

use crate::machine::aer::{self, Aer, Counters};
use crate::machine::interrupts::{self, Line};
use crate::machine::{Function, link};
use crate::pci::capability::express::{self, DeviceStatus, LinkStatus};
use crate::pci::extended::aer::{CorrectableStatus, SPECIFICATION};

use super::earlier::Earlier;
use super::finding::{Judged, Proof, Skip, Verdict, Who};
use super::link_excuses::{at_work, slows_down_when_idle};
use super::registry::{Check, Of, Severity, Threshold};
use super::subject::{Read, Subject, Surroundings};

pub static CHECKS: &[Check] = &[
    Check {
        id: "link-flap",
        rule: "The link does not change more than once a minute.",
        reads: "LnkSta of the function, again and again; bit 14 of the port above at both readings",
        why: "A marginal link retrains, drops to a lower speed or loses lanes and comes back: each time costs, and one day it \
              does not come back.",
        reference: "PCIe 6.2, 7.5.3.8; more than 10 changes a minute fail, more than 1 is warned about",
        remedy: "reseat the card and its riser; then limit the speed of the slot in firmware setup and see whether it stops",
        who: Who::Provider,
        false_positives: "Display controllers and accelerators change their speed as they have work: their speed counts \
                          only when they are known to be busy.",
        of: Of::OverTime(flap),
        ..Check::BASE
    },
    Check {
        id: "aer-cor-rate",
        rule: "Corrected errors come no faster than the specification's bit error rate explains.",
        reads: "aer_dev_correctable at both readings, LnkSta, who handles errors; CESta and DevSta where nobody counts",
        why: "A few corrected errors are normal; a rate above that is a bad contact, riser, retimer or card.",
        reference: "NVIDIA DCGM, DcgmHealthWatch.cpp: lanes x GT/s x 0.06 a minute, rounded up, which is a bit error rate of \
                    10^-12; ten times as many fail. Advisory errors (NonFatalErr) are not counted: they are no errors of the link",
        remedy: "reseat the card and its riser, clean the contacts; swap riser or card to see which of them it is",
        who: Who::Provider,
        threshold: Some(Threshold { default: 100, unit: "percent of that formula" }),
        of: Of::OverTime(correctable_rate),
        ..Check::BASE
    },
    Check {
        id: "irq-no-delivery",
        rule: "A device that is at work interrupts.",
        severity: Severity::Warn,
        reads: "proc/interrupts at both readings, msi_irqs, driver",
        why: "Interrupts that are set up and never arrive make a driver wait or poll: msi_irqs and the enable bit look \
              healthy.",
        reference: "Linux kernel/irq/proc.c (show_interrupts)",
        remedy: "unbind and bind the driver; look for pending bits (msix-pending) and for remapping faults in the kernel log",
        who: Who::Driver,
        false_positives: "Drivers that poll while they are busy. Judged only where devices are known to be busy (--busy, or \
                          --while with the devices that the load uses named).",
        of: Of::OverTime(no_delivery),
        ..Check::BASE
    },
];

const EXPRESS: &crate::pci::decode::Specification = &express::SPECIFICATION;

/// The function at the first reading.
fn before<'a>(subject: &Subject<'_>, earlier: &Earlier<'a>) -> Result<&'a Function, Skip> {
    let before = earlier.machine.get(subject.address());
    let before = before.ok_or_else(|| Skip::unknown("it was not there at the first reading"))?;
    match before.answers() {
        true => Ok(before),
        false => Err(Skip::unknown(format!(
            "at the first reading it was {}: {}",
            before.presence.state.name(),
            before.presence.reason
        ))),
    }
}

/// Looks a minute from which on a link that was seen unchanged counts as quiet.
const ENOUGH_LOOKS: f64 = 10.0;

/// Whether so many looks can be expected.
fn time_is_long(earlier: &Earlier<'_>) -> bool {
    earlier.elapsed >= Duration::from_secs(60)
}

fn flap(subject: &Subject<'_>, earlier: &Earlier<'_>) -> Judged {
    let upper = subject.upper_end()?;
    before(subject, earlier)?;
    let status: Read<LinkStatus> = subject.register(EXPRESS)?;
    let seen = earlier.history.of(subject.address());
    let seen = seen.ok_or_else(|| Skip::unknown("nobody looked at the link in between"))?;
    // Who saves power while idle changes its speed as work comes and goes; while it has work it must not.
    let speed_changes = match (slows_down_when_idle(subject), at_work(subject)) {
        (true, Some(at_work)) => at_work.speed_changes,
        (true, None) => 0,
        (false, _) => seen.speed_changes,
    };
    let mut changes = seen.other_changes + speed_changes;
    let mut words = seen.words.clone();
    // Bandwidth management: the port retrained the link and nobody looked at that moment.
    if let (Some(first), Ok(second)) = (
        earlier.machine.get(upper.address).and_then(|f| f.register::<LinkStatus>(EXPRESS)),
        super::subject::register::<LinkStatus>(upper, EXPRESS),
    ) && changes == 0
        && !first.link_bandwidth_management_status()
        && second.link_bandwidth_management_status()
    {
        changes = 1;
        words.push(format!("{}: Link Bandwidth Management Status was set", upper.address));
    }
    let mut proofs = vec![status.field("current_link_speed")];
    proofs.extend(words.into_iter().map(|line| Proof::Seen { address: subject.address(), line }));
    let (a_minute, looks) = (f64::from(changes) / earlier.minutes(), earlier.history.looks);
    let time = earlier.words();
    if a_minute <= 1.0 {
        // More changes than looks are not seen.
        if f64::from(looks) / earlier.minutes() < ENOUGH_LOOKS && time_is_long(earlier) {
            return Err(Skip::unknown(format!(
                "the link was looked at {looks} times in {time}: what changes faster than that was missed"
            )));
        }
        let line = format!("looked at {looks} times in {time}");
        proofs.push(Proof::Seen { address: subject.address(), line });
        return Ok(Verdict::good(proofs));
    }
    let verdict = Verdict::bad(
        format!("the link changed {changes} times in {time}, looked at {looks} times"),
        "at most 1 a minute",
        format!("{changes} in {time}"),
        proofs,
    );
    Ok(if a_minute > 10.0 { verdict } else { verdict.mild() })
}

/// Errors that the link corrected: all but advisory ones.
fn corrected(counters: &Counters) -> Option<u64> {
    let advisory = counters.counts.iter().find(|(name, _)| name == "NonFatalErr").map_or(0, |(_, n)| *n);
    Some(counters.total?.saturating_sub(advisory))
}

fn aer_of(around: &Surroundings<'_>, function: &Function, lines: Option<&[Line]>) -> Aer {
    aer::aer(around.machine, function, around.platform, lines)
}

fn correctable_rate(subject: &Subject<'_>, earlier: &Earlier<'_>) -> Judged {
    if !subject.has(&SPECIFICATION)? {
        return Err(Skip::not_applicable("it has no Advanced Error Reporting"));
    }
    subject.with_link()?;
    let first = before(subject, earlier)?;
    let own = link::link(subject.function).ok_or_else(|| Skip::unknown("the link was not read"))?;
    if own.state == link::LinkState::Down {
        return Err(Skip::not_applicable("the link is down"));
    }
    let around = &subject.around;
    let was = aer_of(&Surroundings { machine: earlier.machine, ..*around }, first, earlier.interrupts);
    let is = aer_of(around, subject.function, around.interrupts);
    let time = earlier.words();
    let counts =
        was.correctable.as_ref().and_then(corrected).zip(is.correctable.as_ref().and_then(corrected));
    let Some((was_count, is_count)) = counts else {
        return unread_counters(subject, first, &time, "aer_dev_correctable was not read");
    };
    let (_, proof) = subject.attribute("aer_dev_correctable")?;
    let Some(more) = is_count.checked_sub(was_count) else {
        return Err(Skip::unknown(format!(
            "the counter fell from {was_count} to {is_count}: the function was found anew in between"
        )));
    };
    if more == 0 && is.ownership.kernel != Some(true) {
        return unread_counters(subject, first, &time, &is.ownership.reason);
    }
    let (speed, width) = (own.current.speed_mts, own.current.width);
    let (speed, width) = speed
        .zip(width)
        .ok_or_else(|| Skip::unknown("speed or width of the link is a value that does not exist"))?;
    // Tenths of a GT/s avoid fractions: 2.5 GT/s are 25.
    let percent = around.profile.threshold("aer-cor-rate");
    let allowed = (u64::from(width) * u64::from(speed / 100) * 6).saturating_mul(percent).div_ceil(100_000);
    let a_minute = more as f64 / earlier.minutes();
    // Of less than a minute there is no rate: what is allowed in a minute may come at once.
    let found = match earlier.elapsed < Duration::from_secs(60) {
        true => format!("{more} in {time}"),
        false => format!("{a_minute:.1} a minute"),
    };
    let before = Proof::Attribute {
        address: subject.address(),
        name: "aer_dev_correctable",
        text: format!("{time} before: {was_count} without advisory errors; now {is_count}"),
    };
    let proofs = [before, proof];
    if a_minute <= allowed as f64 {
        return Ok(Verdict::good(proofs));
    }
    let verdict = Verdict::bad(
        format!("{more} corrected errors in {time}"),
        format!("at most {allowed} a minute at {} x{width}", crate::inspect::value::speed_text(speed)),
        found,
        proofs,
    );
    Ok(if a_minute > 10.0 * allowed as f64 { verdict } else { verdict.mild() })
}

/// Where nobody counts, bits that were clear at the first reading and are set now tell of one error at least.
fn unread_counters(subject: &Subject<'_>, first: &Function, time: &str, why: &str) -> Judged {
    let advisory = 1 << 13;
    let status: Read<CorrectableStatus> = subject.register(&SPECIFICATION)?;
    let device: Read<DeviceStatus> = subject.register(EXPRESS)?;
    let (Some(status_before), Some(device_before)) =
        (first.register::<CorrectableStatus>(&SPECIFICATION), first.register::<DeviceStatus>(EXPRESS))
    else {
        return Err(Skip::unknown("not measured: the status registers were not read before"));
    };
    let new = status.value.0 & !status_before.0 & !advisory;
    let newly = device.correctable_error_detected() && !device_before.correctable_error_detected();
    if new == 0 && !(newly && status.value.0 & advisory == 0) {
        return Err(Skip::unknown(format!("not measured: nobody counts here ({why})")));
    }
    Ok(Verdict::bad(
        format!("corrected errors were latched in these {time}, and nobody counts them ({why})"),
        "none",
        "at least one",
        [status.proof, device.field("correctable_error_detected")],
    )
    .mild())
}

fn no_delivery(subject: &Subject<'_>, earlier: &Earlier<'_>) -> Judged {
    let driver = subject.driver()?;
    let (numbers, messages) = interrupts::numbers(subject.function);
    if !messages || numbers.is_empty() {
        return Err(Skip::not_applicable("it has no message interrupts"));
    }
    // Mass storage, network, display, processing accelerator (PCI Code and ID Assignment 1.11): others interrupt only when
    // something happens.
    if !matches!(subject.base_class(), Some(0x01 | 0x02 | 0x03 | 0x12)) {
        return Err(Skip::not_applicable("it is of no class that interrupts because it has work"));
    }
    if !subject.around.busy {
        return Err(Skip::not_applicable("it is not known to be busy (--while, --busy)"));
    }
    let lines = subject.around.interrupts.zip(earlier.interrupts);
    let (now, then) = lines.ok_or_else(|| Skip::unknown("the source does not have /proc/interrupts"))?;
    let of = |lines: &[Line]| -> u64 {
        numbers.iter().filter_map(|n| interrupts::line(lines, *n)).map(|line| line.count).sum()
    };
    let handled = numbers.iter().filter_map(|n| interrupts::line(now, *n)).any(|l| !l.actions.is_empty());
    if !handled {
        return Err(Skip::not_applicable("no handler is installed for its interrupts"));
    }
    let (was, is) = (of(then), of(now));
    let time = earlier.words();
    let proofs = [Proof::File {
        path: "proc/interrupts".to_owned(),
        text: format!("{} interrupts of {driver}: {was}, {time} later {is}", numbers.len()),
    }];
    match is.checked_sub(was) {
        None => Err(Skip::unknown(format!("the count fell from {was} to {is}: the driver was bound anew"))),
        // A load that is not known works on some devices and leaves others idle.
        Some(0) if !subject.around.named => Err(Skip::not_applicable(
            "no interrupt arrived, and nothing tells whether it had work: name the device that the load uses",
        )),
        Some(0) => Ok(Verdict::bad(
            format!("not one interrupt arrived in {time} of work"),
            "interrupts",
            "none",
            proofs,
        )),
        Some(_) => Ok(Verdict::good(proofs)),
    }
}
