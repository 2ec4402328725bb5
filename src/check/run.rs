//! All checks over a machine.

use std::borrow::Cow;

use crate::machine::{self, Function, State};
use crate::pci::Bdf;

use super::finding::{Finding, Judged, Skip, Status, Verdict};
use super::registry::{self, Check, Of, Severity};
use super::subject::{Subject, Surroundings};

/// Makes the checks that `wanted` names of `functions` and of the machine as a whole. In the order of the addresses, the
/// machine as a whole last.
pub fn run(
    around: Surroundings<'_>,
    functions: Vec<&Function>,
    wanted: &(dyn Fn(&Check) -> bool + Sync),
) -> Vec<Finding> {
    let checks: Vec<&'static Check> = registry::all().filter(|check| wanted(check)).collect();
    let of_functions = machine::in_threads(functions, |function| of_function(around, function, &checks));
    let mut findings: Vec<Finding> = of_functions.into_iter().flatten().collect();
    for check in &checks {
        if let Of::Machine(judge) = check.of {
            findings.push(finding(around, check, None, || judge(&around)));
        }
    }
    findings
}

fn of_function(around: Surroundings<'_>, function: &Function, checks: &[&'static Check]) -> Vec<Finding> {
    let subject = Subject::new(around, function);
    let unread = unread(function);
    let mut findings = Vec::with_capacity(checks.len());
    for check in checks {
        let judged = || match (check.of, &unread) {
            (Of::Presence(judge), _) => judge(&subject),
            (Of::Function(_), Some(skip)) => Err(skip.clone()),
            (Of::Function(judge), None) => judge(&subject),
            (Of::Machine(_), _) => Err(Skip::not_applicable("it is made of the machine as a whole")),
        };
        if !matches!(check.of, Of::Machine(_)) {
            findings.push(finding(around, check, Some(function.address), judged));
        }
    }
    findings
}

/// Why nothing but presence can be judged.
fn unread(function: &Function) -> Option<Skip> {
    match function.presence.state {
        State::Answering => None,
        state => {
            Some(Skip::unknown(format!("nothing was read: {} ({})", state.name(), function.presence.reason)))
        }
    }
}

fn finding(
    around: Surroundings<'_>,
    check: &'static Check,
    address: Option<Bdf>,
    judge: impl FnOnce() -> Judged,
) -> Finding {
    let severity = around.profile.severity(check);
    let judged = match severity {
        Severity::Off => Err(Skip::not_applicable("switched off in this profile")),
        _ => judge(),
    };
    let none = |status, summary: Cow<'static, str>| Finding {
        check,
        address,
        status,
        summary,
        verdict: Verdict::default(),
    };
    match judged {
        Err(Skip::Unknown(reason)) => none(Status::Unknown, reason),
        Err(Skip::NotApplicable(reason)) => none(Status::NotApplicable, reason),
        Ok(verdict) => {
            let status = match (verdict.good, severity) {
                (true, _) => Status::Pass,
                (false, Severity::Fail) if !verdict.mild => Status::Fail,
                (false, _) => Status::Warn,
            };
            let summary = Cow::Owned(verdict.summary.clone());
            Finding { check, address, status, summary, verdict }
        }
    }
}

/// How many findings of each status, in the order of [`Status::ALL`].
pub fn count(findings: &[Finding], status: Status) -> usize {
    findings.iter().filter(|f| f.status == status).count()
}
