//! The link above a device.

use std::time::Duration;

use crate::check::earlier::seconds;
use crate::check::expectation::compare::Compared;
use crate::check::expectation::{Entry, Wanted};
use crate::check::finding::{Proof, Skip};
use crate::check::link_excuses::{at_work, slows_down_when_idle};
use crate::check::subject::{self, Read, Subject};
use crate::inspect::value::speed_text;
use crate::machine::link;
use crate::pci::capability::express::{self, LinkCapabilities, LinkCapabilities2, LinkStatus, LinkStatus2};

const EXPRESS: &crate::pci::decode::Specification = &express::SPECIFICATION;

pub(super) fn link_expected(subject: &Subject<'_>, entry: &Entry) -> Vec<Compared> {
    let wanted = &entry.link;
    let registers = || -> Result<(link::Link, Vec<Proof>, Vec<Proof>), Skip> {
        subject.with_link()?;
        let status: Read<LinkStatus> = subject.register(EXPRESS)?;
        let capabilities: Read<LinkCapabilities> = subject.register(EXPRESS)?;
        let own = link::link(subject.function).ok_or_else(|| Skip::unknown("the link was not read"))?;
        Ok((own, vec![status.proof], vec![capabilities.proof]))
    };
    let read = registers();
    // What both ends can, where the other end is known.
    let possible = || -> Result<(link::Rate, Vec<Proof>), Skip> {
        let (own, _, mut proofs) = read.clone()?;
        let Ok(upper) = subject.upper_end() else { return Ok((own.maximum, proofs)) };
        let other = link::link(upper).ok_or_else(|| Skip::unknown("the port above was not read"))?;
        proofs.push(subject::register::<LinkCapabilities>(upper, EXPRESS)?.proof);
        Ok((own.maximum.lower(other.maximum), proofs))
    };
    let now = |of: fn(link::Rate) -> Option<u32>| {
        let (own, proofs, _) = read.clone()?;
        let value = of(own.current).ok_or_else(|| match own.state {
            link::LinkState::Down => Skip::not_applicable("the link is down"),
            _ => Skip::unknown("LnkSta holds a value that does not exist"),
        })?;
        Ok((value, proofs))
    };
    let most = |of: fn(link::Rate) -> Option<u32>| {
        let (rate, proofs) = possible()?;
        Ok((of(rate).ok_or_else(|| Skip::unknown("LnkCap holds a value that does not exist"))?, proofs))
    };
    let speed = |rate: link::Rate| rate.speed_mts;
    let width = |rate: link::Rate| rate.width.map(u32::from);
    let lanes = |width: &u32| format!("x{width}");
    let mts = |speed: &u32| speed_text(*speed);
    let mut all = Vec::new();
    if let Some(wanted) = &wanted.speed_mts {
        all.push(Compared::value("link.speed", wanted, speed_now(subject, wanted.value, now(speed)), mts));
    }
    if let Some(wanted) = &wanted.max_speed_mts {
        all.push(Compared::value("link.max_speed", wanted, most(speed), mts));
    }
    for (key, wanted, found) in [
        ("link.width", &wanted.width, width_now(subject, now(width))),
        ("link.max_width", &wanted.max_width, most(width)),
    ] {
        if let Some(wanted) = wanted {
            let wanted = Wanted { line: wanted.line, value: u32::from(wanted.value) };
            all.push(Compared::value(key, &wanted, found, lanes));
        }
    }
    all
}

/// A value with where it can be looked up, or why there is none.
type Found = Result<(u32, Vec<Proof>), Skip>;

/// The lower of what is now and of what was seen while the device had work.
fn lowest(
    subject: &Subject<'_>,
    found: Found,
    seen: Option<(u32, Duration)>,
    words: fn(u32) -> String,
) -> Found {
    let (value, mut proofs) = found?;
    let Some((lower, at)) = seen.filter(|(lower, _)| *lower < value) else { return Ok((value, proofs)) };
    let line = format!("{}: {}", seconds(at), words(lower));
    proofs.push(Proof::Seen { address: subject.address(), line });
    Ok((lower, proofs))
}

fn width_now(subject: &Subject<'_>, found: Found) -> Found {
    let seen = at_work(subject).and_then(|seen| seen.narrowest);
    lowest(subject, found, seen.map(|(width, at)| (u32::from(width), at)), |width| format!("x{width}"))
}

/// The speed that counts. That a device idles at a lower one is unknown, unless it was seen at the expected speed in
/// between.
fn speed_now(subject: &Subject<'_>, wanted: u32, found: Found) -> Found {
    let (value, proofs) =
        lowest(subject, found, at_work(subject).and_then(|seen| seen.slowest_mts), speed_text)?;
    if value >= wanted || subject.around.busy || !slows_down_when_idle(subject) {
        return Ok((value, proofs));
    }
    let seen = subject.around.earlier.and_then(|earlier| earlier.history.of(subject.address()));
    match seen.and_then(|seen| seen.fastest_mts) {
        Some(fastest) if fastest == wanted => Ok((wanted, proofs)),
        _ => Err(Skip::unknown(format!(
            "runs at {}: such devices do so while idle; give it work (--while) or expect max_speed",
            speed_text(value)
        ))),
    }
}

pub(super) fn retimers(subject: &Subject<'_>, entry: &Entry) -> Vec<Compared> {
    let Some(wanted) = &entry.link.retimers else { return Vec::new() };
    let found = || -> Result<(u64, Vec<Proof>), Skip> {
        let port = match subject.downstream_port() {
            Ok(_) => subject.function,
            Err(_) => subject.upper_end()?,
        };
        let capabilities: Read<LinkCapabilities2> = subject::register(port, EXPRESS)?;
        let status: Read<LinkStatus2> = subject::register(port, EXPRESS)?;
        if !capabilities.retimer_presence_detect_supported() {
            return Err(Skip::unknown(format!("{} does not detect retimers", port.address)));
        }
        let count = match (status.retimer_presence_detected(), status.two_retimers_presence_detected()) {
            (_, true) => 2,
            (true, false) => 1,
            (false, false) => 0,
        };
        Ok((count, vec![capabilities.proof, status.proof]))
    };
    vec![Compared::value("link.retimers", wanted, found(), u64::to_string)]
}
