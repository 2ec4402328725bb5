//! What is so by design: below what the hardware can, and expected to be.

use crate::check::finding::{Finding, Status, Verdict};
use crate::check::subject::Subject;

use super::{Entry, Expectation};

/// A check that complains of something, and the key of an entry that says that it is meant.
type Excuse = (&'static str, fn(&Entry) -> Option<usize>, &'static str);

/// Whether a finding may be excused, by the check that must have found the expectation fulfilled.
const EXCUSES: &[Excuse] = &[
    ("link-speed-below-path", |e| e.link.speed_mts.as_ref().map(|w| w.line), "link-expected"),
    ("link-speed-below-own", |e| e.link.speed_mts.as_ref().map(|w| w.line), "link-expected"),
    ("link-target-limited", |e| e.link.speed_mts.as_ref().map(|w| w.line), "link-expected"),
    ("link-width-below-path", |e| e.link.width.as_ref().map(|w| w.line), "link-expected"),
    ("link-width-below-own", |e| e.link.width.as_ref().map(|w| w.line), "link-expected"),
    ("link-bottleneck", |e| e.link.width.as_ref().map(|w| w.line), "link-expected"),
    ("rebar-below-max", |e| e.rebar.first().map(|(_, w)| w.line), "rebar-expected"),
    ("driver-bound", |e| e.driver.as_ref().map(|w| w.line), "driver-expected"),
    ("numa-unknown", |e| e.numa_node.as_ref().filter(|w| w.value < 0).map(|w| w.line), "numa-expected"),
];

/// Turns complaints about what is expected into `not-applicable`, with the line that expects it. Only where the expectation
/// is fulfilled: what differs from it is no design.
pub fn excuse(subject: &Subject<'_>, expectation: &Expectation, findings: &mut [Finding]) {
    let entries = expectation.of(subject);
    if entries.is_empty() {
        return;
    }
    let fulfilled: Vec<&str> = findings
        .iter()
        .filter(|f| f.status == Status::Pass && f.check.id.ends_with("-expected"))
        .map(|f| f.check.id)
        .collect();
    for finding in findings.iter_mut().filter(|f| matches!(f.status, Status::Warn | Status::Fail)) {
        let Some((_, line, by)) = EXCUSES.iter().find(|(check, ..)| *check == finding.check.id) else {
            continue;
        };
        let said = entries.iter().find_map(|entry| line(entry).map(|line| entry.at(line)));
        if let Some(said) = said.filter(|_| fulfilled.contains(by)) {
            finding.status = Status::NotApplicable;
            finding.summary = format!("{}: expected so, {said}", finding.summary).into();
            finding.verdict = Verdict::default();
        }
    }
}
