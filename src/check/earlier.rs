//! The same machine some time before: what counters and bits that stay are compared with.

use std::time::Duration;

use crate::machine::Machine;
use crate::machine::interrupts::Line;

use super::finding::{Finding, Judged, Status, Verdict};
use super::history::History;
use super::registry::Lasting;

/// The first of two readings, and what was seen between them.
pub struct Earlier<'a> {
    /// The machine.
    pub machine: &'a Machine,
    /// `/proc/interrupts`, if the source has it.
    pub interrupts: Option<&'a [Line]>,
    /// Time between the two readings.
    pub elapsed: Duration,
    /// Links between the two.
    pub history: &'a History,
}

impl Earlier<'_> {
    /// Minutes between the readings. A part of a minute counts as a whole one: what is allowed in a minute may come at
    /// once.
    pub fn minutes(&self) -> f64 {
        (self.elapsed.as_secs_f64() / 60.0).max(1.0)
    }

    /// The time in words, for people: `60 s`, `1.5 s`.
    pub fn words(&self) -> String {
        seconds(self.elapsed)
    }
}

/// A time in words: `60 s`, `1.5 s`.
pub fn seconds(time: Duration) -> String {
    let tenths = (time.as_millis() + 50) / 100;
    match tenths % 10 {
        0 => format!("{} s", tenths / 10),
        rest => format!("{}.{rest} s", tenths / 10),
    }
}

/// Says of findings of a machine that was read once which of them may be of something old.
pub fn of_unknown_age(findings: &mut [Finding]) {
    let bad = |f: &&mut Finding| matches!(f.status, Status::Warn | Status::Fail);
    for finding in findings.iter_mut().filter(bad).filter(|f| f.check.lasting != Lasting::No) {
        finding.summary = format!("{}; may be old (--for tells)", finding.summary).into();
    }
}

/// A verdict on something that may be old, with what the first reading tells of its age.
pub(super) fn with_age(verdict: Verdict, before: Judged, lasting: Lasting, time: &str) -> Verdict {
    if verdict.good {
        return verdict;
    }
    let said = |verdict: Verdict, words: String| Verdict {
        summary: format!("{}; {words}", verdict.summary),
        ..verdict
    };
    match before {
        Err(_) => verdict,
        Ok(before) if before.good => said(verdict, format!("new in these {time}")),
        Ok(before) if before.found != verdict.found => {
            said(verdict, format!("{time} before: {}", before.found))
        }
        Ok(_) if lasting == Lasting::Counter => said(verdict, format!("not one more in {time}")).mild(),
        Ok(_) => said(verdict, format!("it was so {time} before and may be old")),
    }
}
