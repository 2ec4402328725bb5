//! Checks that were asked for by name and could not be made, and functions that are not there: that must not look like a pass.

use crate::machine::Machine;
use crate::machine::reading::DEVICES;

use super::finding::{Finding, Status};
use super::registry::{self, Check, Of};

/// Adds an `unknown` of the machine for each check in `named` that was made of nothing, with the reason. Gives the same as
/// lines for a person. `twice`: the machine was read at two moments; `expected`: there is an expectation.
pub fn add(findings: &mut Vec<Finding>, named: &[String], twice: bool, expected: bool) -> Vec<String> {
    let mut complaints = Vec::new();
    for id in named {
        let Some(check) = registry::find(id) else { continue };
        let made = |f: &Finding| f.check.id == check.id && f.status != Status::NotApplicable;
        if findings.iter().any(made) {
            continue;
        }
        let why = match check.of {
            Of::OverTime(_) if !twice => "needs two readings (--for, --while)".to_owned(),
            Of::Entry(_) | Of::Expected(_) | Of::ExpectedMachine(_) if !expected => {
                "needs an expectation (--expect)".to_owned()
            }
            _ => reason(findings, check.id),
        };
        let why = format!("{why}, so it was not made");
        complaints.push(format!("check {id}: {why}"));
        // In the place of what says that it does not apply to the machine.
        findings.retain(|f| f.check.id != check.id || f.address.is_some());
        findings.push(unknown(check, why));
    }
    complaints
}

/// What was asked for and is not there (`missing`, a line each), or a machine without a function: that must not look like a pass
/// in any format.
pub fn of_nothing(machine: &Machine, missing: &[String]) -> Vec<Finding> {
    let Some(check) = registry::find("presence-dir") else { return Vec::new() };
    if machine.functions.is_empty() && missing.is_empty() {
        return vec![unknown(check, format!("{DEVICES}: there is no function to judge"))];
    }
    missing.iter().map(|line| unknown(check, line.clone())).collect()
}

fn unknown(check: &'static Check, why: String) -> Finding {
    let (status, summary) = (Status::Unknown, why.into());
    Finding { check, address: None, entry: None, status, summary, verdict: None }
}

/// Why it does not apply: the reason where there is only one.
fn reason(findings: &[Finding], id: &str) -> String {
    let mut reasons: Vec<&str> =
        findings.iter().filter(|f| f.check.id == id).map(|f| f.summary.as_ref()).collect();
    reasons.sort_unstable();
    reasons.dedup();
    match reasons[..] {
        [one] => format!("applies to nothing that was checked ({one})"),
        _ => "applies to nothing that was checked".to_owned(),
    }
}
