//! Rules: which signs, in which order, make which verdict, and what rules it out. They are data; [`super::judge`] applies
//! them.

use crate::kernel_log::Level;

use super::verdict::{Confidence, Verdict};

/// A rule. Signs are named by [`super::sign::Sign::id`].
#[derive(Debug)]
pub struct Rule {
    /// Its name.
    pub id: &'static str,
    /// What it concludes.
    pub verdict: Verdict,
    /// How sure that is.
    pub confidence: Confidence,
    /// At least one of these must have been seen; the earliest is what happened.
    pub seen: &'static [&'static str],
    /// All of these must have been seen too, whenever.
    pub with: &'static [&'static str],
    /// One of these must have been seen before what happened, so that it can follow from them; the earliest is the first cause.
    /// Empty: nothing need be.
    pub before: &'static [&'static str],
    /// None of these may have been seen, whenever.
    pub unless: &'static [&'static str],
    /// None of these may have been seen before what happened, as long as it can follow from them
    /// ([`super::sign::Sign::aftermath`]): then they are the story, and this its consequence.
    pub unless_before: &'static [&'static str],
    /// By how many seconds at least those of `unless_before` must have come earlier to count; where times are not known, the order of
    /// lines is the order of time. `None`: any.
    pub ahead: Option<u64>,
    /// None of these may have been seen after all that happened: then it is over.
    pub unless_after: &'static [&'static str],
    /// What makes it surer, if it was seen.
    pub supports: &'static [&'static str],
    /// What speaks against it without ruling it out, if it was seen: it is less sure then.
    pub against: &'static [&'static str],
    /// Where the trouble is, where it is not where the verdict says.
    pub level: Option<Level>,
    /// Why this follows from that: one sentence.
    pub because: &'static str,
    /// Where that is from.
    pub source: &'static str,
}

/// What a rule is made from: nothing, to be filled in.
pub const BASE: Rule = Rule {
    id: "",
    verdict: Verdict::Unknown,
    confidence: Confidence::Likely,
    seen: &[],
    with: &[],
    before: &[],
    unless: &[],
    unless_before: &[],
    ahead: None,
    unless_after: &[],
    supports: &[],
    against: &[],
    level: None,
    because: "",
    source: "",
};

/// All rules. The first one that fires decides: what is certain and what explains most comes first.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    super::rules_gone::RULES.iter().chain(super::rules_working::RULES)
}

/// The rule of that name.
pub fn find(id: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.id == id)
}

#[cfg(test)]
mod tests {
    use super::super::sign;
    use super::*;
    use crate::check::registry;
    use crate::kernel_log::catalogue;
    use sign::Now;

    #[test]
    fn rules_name_signs_and_say_why_and_whence() {
        let mut ids = Vec::new();
        for rule in all() {
            let id = rule.id;
            ids.push(id);
            assert!(!rule.seen.is_empty(), "{id}: nothing need be seen");
            assert!(rule.because.len() > 20 && rule.source.len() > 5, "{id}");
            let lists = [
                rule.seen,
                rule.with,
                rule.before,
                rule.unless,
                rule.unless_before,
                rule.unless_after,
                rule.supports,
                rule.against,
            ];
            for name in lists.into_iter().flatten() {
                assert!(sign::find(name).is_some(), "{id}: there is no sign `{name}`");
            }
        }
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count, "a name is used twice");
    }

    #[test]
    fn signs_name_events_checks_and_fields_and_serve_a_rule() {
        let mut ids = Vec::new();
        for sign in sign::all() {
            let id = sign.id;
            ids.push(id);
            for seen in sign.events {
                assert!(catalogue::kind(seen.kind).is_some(), "{id}: there is no event {}", seen.kind);
            }
            for kind in sign.undone_by {
                assert!(catalogue::kind(kind).is_some(), "{id}: there is no event {kind}");
            }
            for now in sign.states {
                if let Now::Check(check) = now {
                    assert!(registry::find(check).is_some(), "{id}: there is no check {check}");
                }
            }
            for name in sign.over_by {
                assert!(sign::find(name).is_some(), "{id}: there is no sign `{name}`");
            }
            assert!(!sign.events.is_empty() || !sign.states.is_empty(), "{id}: cannot be seen");
            let used = all().any(|rule| {
                [
                    rule.seen,
                    rule.with,
                    rule.before,
                    rule.unless,
                    rule.unless_before,
                    rule.unless_after,
                    rule.supports,
                    rule.against,
                ]
                .into_iter()
                .flatten()
                .any(|name| *name == id)
            });
            assert!(used || super::super::advice::uses(id), "{id}: no rule and no advice uses it");
        }
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count, "a name is used twice");
    }

    /// A kind of event that tells of trouble and that no sign knows would be overlooked.
    #[test]
    fn every_event_of_trouble_is_a_sign_or_named_here() {
        use crate::kernel_log::Level;
        /// Kinds that tell of no trouble of a device by themselves, and why.
        const NONE: &[(&str, &str)] = &[
            ("acpi.no-aspm", "a setting; the log line alone does not say that ASPM is on"),
            ("aspm.not-controlled", "a setting"),
            ("aer.port-reset", "a step of recovery"),
            ("amdgpu.reset", "a step of recovery; `succeeded` is a sign"),
            ("amdgpu.recovery", "a step of recovery"),
            ("nvme.recovery", "a step of recovery"),
            ("mlx5.recovery", "a step of recovery; `succeeded` is a sign"),
            ("nvidia.crash-dump", "follows a loss"),
            ("nvidia.display-stuck", "follows a loss or a hang"),
            ("pciehp.unconfigured", "follows a removal"),
            ("storage.input-output-error", "follows the loss of a controller, or a bad disk"),
            ("interrupts.no-handler", "no device is known"),
            (
                "resources.cannot-claim",
                "the kernel assigns another address afterwards; if it cannot, it says so",
            ),
            ("resources.some-unassigned", "the lines of the BARs say which"),
        ];
        for kind in catalogue::kinds().filter(|kind| kind.level != Level::Information) {
            let known = sign::all().any(|sign| sign.events.iter().any(|seen| seen.kind == kind.id));
            let named = NONE.iter().any(|(id, _)| *id == kind.id);
            assert!(known || named, "{}: no sign knows it", kind.id);
        }
    }
}
