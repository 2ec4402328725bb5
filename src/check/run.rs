//! All checks over a machine.

use std::borrow::Cow;
use std::cell::LazyCell;
use std::collections::BTreeMap;

use crate::kernel_log::Event;
use crate::machine::reading::DEVICES;
use crate::machine::{self, Function, State};
use crate::pci::Bdf;

use super::earlier::with_age;
use super::expectation::{compare, design};
use super::finding::{Finding, Judged, Proof, Skip, Status, Verdict};
use super::log::Logged;
use super::registry::{self, Check, Lasting, Of, Severity};
use super::subject::{Subject, Surroundings};

/// Makes the checks that `wanted` names of `functions` and of the machine as a whole. In the order of the addresses, the
/// machine as a whole last.
pub fn run(
    around: Surroundings<'_>,
    functions: Vec<&Function>,
    wanted: &(dyn Fn(&Check) -> bool + Sync),
) -> Vec<Finding> {
    let checks: Vec<&'static Check> = registry::all().filter(|check| wanted(check)).collect();
    let mut places: Vec<Bdf> = functions.iter().map(|function| function.address).collect();
    places.sort_unstable();
    let of_functions = machine::in_threads(functions, |function| of_function(around, function, &checks));
    let mut findings: Vec<Finding> = of_functions.into_iter().flatten().collect();
    gone(&around, &checks, &mut findings);
    let logged = LazyCell::new(|| Logged::new(around));
    for check in &checks {
        match check.of {
            Of::Machine(judge) => findings.push(finding(around, check, None, || judge(&around))),
            Of::Log(judge) => findings.extend(of_log(around, check, &places, |event| judge(&logged, event))),
            Of::ExpectedMachine(judge) if around.expectation.is_some() => {
                findings.push(finding(around, check, None, || judge(&around)));
            }
            Of::Entry(judge) => {
                let entries = around.expectation.iter().flat_map(|expectation| &expectation.devices);
                let one = |(number, entry)| Finding {
                    entry: Some(number),
                    ..finding(around, check, None, || judge(&around, entry))
                };
                findings.extend(entries.enumerate().map(one));
            }
            _ => {}
        }
    }
    // A function that is gone, or of which only the log speaks, stands in its place among the others.
    findings.sort_by_key(|finding| (finding.address.is_none(), finding.address));
    findings
}

fn of_function(around: Surroundings<'_>, function: &Function, checks: &[&'static Check]) -> Vec<Finding> {
    let subject = Subject::new(around, function);
    let unread = unread(function);
    let before = around.earlier.and_then(|earlier| earlier.machine.get(function.address));
    let mut findings = Vec::with_capacity(checks.len());
    for check in checks {
        let judged = |judge: fn(&Subject<'_>) -> Judged| match &unread {
            Some(skip) => Err(skip.clone()),
            None => judge(&subject),
        };
        let address = Some(function.address);
        findings.push(match check.of {
            Of::Presence(judge) => finding(around, check, address, || judge(&subject)),
            Of::Function(judge) => finding(around, check, address, || {
                let verdict = judged(judge)?;
                Ok(match (around.earlier, before) {
                    (Some(earlier), Some(before)) if check.lasting != Lasting::No => {
                        let then = Surroundings {
                            machine: earlier.machine,
                            interrupts: earlier.interrupts,
                            earlier: None,
                            ..around
                        };
                        let before = judge(&Subject::new(then, before));
                        with_age(verdict, before, check.lasting, &earlier.words())
                    }
                    _ => verdict,
                })
            }),
            Of::OverTime(judge) => {
                let Some(earlier) = around.earlier else { continue };
                finding(around, check, address, || match &unread {
                    Some(skip) => Err(skip.clone()),
                    None => judge(&subject, earlier),
                })
            }
            Of::Expected(judge) => {
                let entries = around.expectation.map(|e| e.of(&subject)).unwrap_or_default();
                if !entries.iter().any(|entry| entry.has(check.id)) {
                    continue;
                }
                finding(around, check, address, || match &unread {
                    Some(skip) => Err(skip.clone()),
                    None => compare::judge(&subject, &entries, judge),
                })
            }
            Of::Machine(_) | Of::Log(_) | Of::Entry(_) | Of::ExpectedMachine(_) => continue,
        });
    }
    if let Some(expectation) = around.expectation {
        design::excuse(&subject, expectation, &mut findings);
    }
    findings
}

/// Functions that were there at the first reading and are not any more.
fn gone(around: &Surroundings<'_>, checks: &[&'static Check], findings: &mut Vec<Finding>) {
    let check = checks.iter().find(|check| check.id == "presence-dir");
    let (Some(check), Some(earlier)) = (check, around.earlier) else { return };
    let wanted = earlier.machine.wanted.iter().filter(|address| around.machine.get(**address).is_none());
    findings.extend(wanted.map(|address| {
        finding(*around, check, Some(*address), || {
            let time = earlier.words();
            let summary = format!("the function went away in these {time}");
            let path = format!("{DEVICES}/{address}");
            let proof = Proof::File { path, text: format!("was there {time} before") };
            Ok(Verdict::bad(summary, "a function", "none", [proof]))
        })
    }));
}

/// Most events whose lines are shown of one function.
const EVENTS: usize = 3;

/// What a rule finds in the log: by function, those that are no longer there too. `places`: the functions that are
/// checked.
fn of_log(
    around: Surroundings<'_>,
    check: &'static Check,
    places: &[Bdf],
    judge: impl Fn(&Event) -> Option<Verdict>,
) -> Vec<Finding> {
    let one = |address, judged: Judged| finding(around, check, address, || judged);
    let Some(log) = around.log else {
        return vec![one(None, Err(Skip::not_applicable("the kernel log was not read (kmsg-read)")))];
    };
    if around.profile.severity(check) == Severity::Off {
        return vec![one(None, Err(Skip::not_applicable("switched off in this profile")))];
    }
    let now = log.boots.len().saturating_sub(1);
    let whole = around.machine.functions.iter().all(|f| places.binary_search(&f.address).is_ok());
    let concerns = |event: &Event| match event.device {
        Some(device) => places.binary_search(&device).is_ok() || whole,
        None => whole,
    };
    let mut found: BTreeMap<Option<Bdf>, Vec<Verdict>> = BTreeMap::new();
    for event in log.events.iter().filter(|event| event.boot == now && concerns(event)) {
        if let Some(verdict) = judge(event) {
            found.entry(event.device).or_default().push(verdict);
        }
    }
    if found.is_empty() {
        let start = log.boots.last().and_then(|boot| boot.kernel.clone());
        return vec![one(
            None,
            match start {
                Some(line) => Ok(Verdict::good([Proof::Log { line }])),
                None => Err(Skip::not_applicable(
                    "what is left of the kernel log says nothing of the kind (kmsg-read)",
                )),
            },
        )];
    }
    found.into_iter().map(|(address, verdicts)| one(address, Ok(together(verdicts)))).collect()
}

/// Several events of one function in one verdict: the first of the worst speaks.
fn together(mut verdicts: Vec<Verdict>) -> Verdict {
    verdicts.sort_by_key(|verdict| verdict.mild);
    let more = verdicts.len() - 1;
    let mut verdicts = verdicts.into_iter();
    let Some(mut first) = verdicts.next() else { return Verdict::default() };
    if more > 0 {
        first.summary.push_str(&format!("; and {more} more such event{}", if more == 1 { "" } else { "s" }));
    }
    first.proofs.extend(verdicts.take(EVENTS - 1).flat_map(|verdict| verdict.proofs));
    first
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
        entry: None,
        status,
        summary,
        verdict: None,
    };
    match judged {
        Err(Skip::Unknown(reason)) => none(Status::Unknown, reason),
        Err(Skip::NotApplicable(reason)) => none(Status::NotApplicable, reason),
        Ok(mut verdict) => {
            let status = match (verdict.good, severity) {
                (true, _) => Status::Pass,
                (false, Severity::Fail) if !verdict.mild => Status::Fail,
                (false, _) => Status::Warn,
            };
            let summary = Cow::Owned(std::mem::take(&mut verdict.summary));
            Finding { check, address, entry: None, status, summary, verdict: Some(Box::new(verdict)) }
        }
    }
}

/// How many findings of each status, in the order of [`Status::ALL`].
pub fn count(findings: &[Finding], status: Status) -> usize {
    findings.iter().filter(|f| f.status == status).count()
}
