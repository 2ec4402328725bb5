//! What is so by design: below what the hardware can, and expected to be.

use crate::check::bars::below_maximum;
use crate::check::bottleneck::narrowest_end;
use crate::check::finding::{Finding, Status};
use crate::check::registry::{self, Of};
use crate::check::subject::Subject;
use crate::machine::link;

use super::{Entry, Expectation, LinkWanted, compare};

/// Turns complaints about what is expected into `not-applicable`, with the line that expects it. Only where the expectation
/// is fulfilled: what differs from it is no design.
pub fn excuse(subject: &Subject<'_>, expectation: &Expectation, findings: &mut [Finding]) {
    let entries = expectation.of(subject);
    for finding in findings.iter_mut().filter(|f| matches!(f.status, Status::Warn | Status::Fail)) {
        if let Some(said) = meant(subject, expectation, &entries, finding.check.id) {
            finding.status = Status::NotApplicable;
            finding.summary = format!("{}: expected so, {said}", finding.summary).into();
            finding.verdict = None;
        }
    }
}

/// Where the expectation says that what the check complains of is meant: `rack.toml:12`.
fn meant(
    subject: &Subject<'_>,
    expectation: &Expectation,
    entries: &[&Entry],
    check: &str,
) -> Option<String> {
    let of_link = |line: fn(&LinkWanted) -> Option<usize>| said(entries, |entry| line(&entry.link));
    let (said, by) = match check {
        "link-speed-below-path" => (of_link(speed), "link-expected"),
        // A limit that leaves the expected speed possible: one below it shows when the link is trained the next time.
        "link-target-limited" => {
            let target = subject.upper_end().ok().and_then(link::link)?.target_speed_mts?;
            let within = |l: &LinkWanted| l.speed_mts.as_ref().filter(|w| w.value <= target).map(|w| w.line);
            (said(entries, |entry| within(&entry.link)), "link-expected")
        }
        "link-width-below-path" => (of_link(width), "link-expected"),
        "link-speed-below-own" => (of_link(|l| speed(l).or(max_speed(l))), "link-expected"),
        "link-width-below-own" => (of_link(|l| width(l).or(max_width(l))), "link-expected"),
        // The narrowest link is another one than the device's own: what is expected of that one counts.
        "link-bottleneck" => {
            let lower = Subject::new(subject.around, narrowest_end(subject)?);
            let entries = expectation.of(&lower);
            let either = |l: &LinkWanted| speed(l).or(width(l)).or(max_speed(l)).or(max_width(l));
            let said = said(&entries, |entry| either(&entry.link))?;
            return fulfilled(&lower, &entries, "link-expected").then_some(said);
        }
        "rebar-below-max" => {
            let bars = below_maximum(subject).ok()?;
            let line = |bar: u8| {
                said(entries, |e| e.rebar.iter().find(|(number, _)| *number == bar).map(|(_, w)| w.line))
            };
            // Every BAR that is complained of has to be expected so.
            let lines: Option<Vec<String>> = bars.into_iter().map(line).collect();
            (lines.filter(|lines| !lines.is_empty()).map(|lines| lines.join(", ")), "rebar-expected")
        }
        "driver-bound" => (said(entries, |e| e.driver.as_ref().map(|w| w.line)), "driver-expected"),
        "numa-unknown" => {
            let none = |e: &Entry| e.numa_node.as_ref().filter(|w| w.value < 0).map(|w| w.line);
            (said(entries, none), "numa-expected")
        }
        _ => return None,
    };
    said.filter(|_| fulfilled(subject, entries, by))
}

fn speed(link: &LinkWanted) -> Option<usize> {
    link.speed_mts.as_ref().map(|wanted| wanted.line)
}

fn width(link: &LinkWanted) -> Option<usize> {
    link.width.as_ref().map(|wanted| wanted.line)
}

fn max_speed(link: &LinkWanted) -> Option<usize> {
    link.max_speed_mts.as_ref().map(|wanted| wanted.line)
}

fn max_width(link: &LinkWanted) -> Option<usize> {
    link.max_width.as_ref().map(|wanted| wanted.line)
}

/// The first entry that says something, with its line.
fn said(entries: &[&Entry], line: impl Fn(&Entry) -> Option<usize>) -> Option<String> {
    entries.iter().find_map(|entry| line(entry).map(|line| entry.at(line)))
}

/// Whether the check of that name finds all that the entries say of its subject.
fn fulfilled(subject: &Subject<'_>, entries: &[&Entry], check: &str) -> bool {
    match registry::find(check).map(|check| check.of) {
        Some(Of::Expected(judge)) => {
            compare::judge(subject, entries, judge).is_ok_and(|verdict| verdict.good)
        }
        _ => false,
    }
}
