//! `explain` of a verdict: what it means and which rules come to it.

use crate::diagnosis::Verdict;
use crate::diagnosis::rule::{self, Rule};
use crate::diagnosis::sign;

/// A verdict explained.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct VerdictExplanation {
    /// Its name.
    pub name: &'static str,
    /// What it means.
    pub means: &'static str,
    /// Where the trouble is, unless a rule knows better.
    pub level: &'static str,
    /// Exit status of `diagnose` for it.
    pub exit_status: u8,
    /// The rules that come to it, in the order in which they are tried.
    pub rules: Vec<RuleExplanation>,
}

/// A rule explained.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct RuleExplanation {
    /// Its name.
    pub name: &'static str,
    /// What it concludes.
    pub verdict: Verdict,
    /// How sure that is, before what supports it or speaks against it.
    pub confidence: &'static str,
    /// At least one of these signs must have been seen.
    pub seen: Vec<&'static str>,
    /// All of these too.
    pub with: Vec<&'static str>,
    /// One of these before.
    pub before: Vec<&'static str>,
    /// Any of these rules it out.
    pub unless: Vec<&'static str>,
    /// Any of these before it rules it out.
    pub unless_before: Vec<&'static str>,
    /// By more than so many seconds those before it must have come earlier to count; `null`: by any time.
    pub ahead_seconds: Option<u64>,
    /// Any of these afterwards: it is over.
    pub unless_after: Vec<&'static str>,
    /// Why it follows.
    pub because: &'static str,
    /// Where that is from.
    pub source: &'static str,
}

/// A sign explained.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct SignExplanation {
    /// Its name.
    pub name: &'static str,
    /// What it says.
    pub says: &'static str,
    /// Kinds of events that are it.
    pub events: Vec<&'static str>,
    /// What of the machine's state is it.
    pub states: Vec<String>,
    /// For how many seconds something else may follow from it; `null`: until it is taken back.
    pub aftermath_seconds: Option<u64>,
    /// Signs after which nothing follows from it any more.
    pub over_by: Vec<&'static str>,
    /// It counts if it comes again within so many seconds on the average, or so often in all that the log is of; `null`: once is
    /// enough.
    pub seconds_apart: Option<u64>,
    /// It must be seen so often at least; `null`: once.
    pub least_times: Option<u64>,
    /// It does not count where the machine's state shows an address.
    pub until_assigned: bool,
}

/// The verdict of that name.
pub fn verdict(name: &str) -> Option<VerdictExplanation> {
    let verdict = Verdict::of(name)?;
    Some(VerdictExplanation {
        name: verdict.name(),
        means: verdict.means(),
        level: verdict.level().name(),
        exit_status: verdict.status(),
        rules: rule::all().filter(|rule| rule.verdict == verdict).map(explained).collect(),
    })
}

/// A rule.
pub fn explained(rule: &'static Rule) -> RuleExplanation {
    RuleExplanation {
        name: rule.id,
        verdict: rule.verdict,
        confidence: rule.confidence.name(),
        seen: rule.seen.to_vec(),
        with: rule.with.to_vec(),
        before: rule.before.to_vec(),
        unless: rule.unless.to_vec(),
        unless_before: rule.unless_before.to_vec(),
        ahead_seconds: rule.ahead,
        unless_after: rule.unless_after.to_vec(),
        because: rule.because,
        source: rule.source,
    }
}

/// Every sign, in the order of the tables.
pub fn signs() -> Vec<SignExplanation> {
    let state = |now: &sign::Now| match now {
        sign::Now::Presence(state) => format!("presence {}", state.name()),
        sign::Now::Check(check) => format!("check {check}"),
        sign::Now::Fact(_) => "both ends of the link, or several events together".to_owned(),
    };
    sign::all()
        .map(|sign| {
            let mut events: Vec<&'static str> = sign.events.iter().map(|seen| seen.kind).collect();
            events.dedup();
            SignExplanation {
                name: sign.id,
                says: sign.says,
                events,
                states: sign.states.iter().map(state).collect(),
                aftermath_seconds: sign.aftermath,
                over_by: sign.over_by.to_vec(),
                seconds_apart: sign.rate.map(|rate| rate.seconds_apart),
                least_times: sign.rate.map(|rate| rate.times),
                until_assigned: sign.until_assigned,
            }
        })
        .collect()
}
