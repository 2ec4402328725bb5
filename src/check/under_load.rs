//! Findings of a reading under load and of the one after it, as one.

use std::collections::BTreeMap;

use crate::pci::Bdf;

use super::finding::{Finding, Status};
use super::registry::Of;

/// For each check and function the worse of the two. What is only not known after the load, because the device rests or
/// sleeps again, was seen under load; what is not known of the load stays so. Of a function that cannot be read after the
/// load nothing passes. `there`: whether a function answers or sleeps after it.
pub fn together(loaded: Vec<Finding>, after: Vec<Finding>, there: &dyn Fn(Bdf) -> bool) -> Vec<Finding> {
    // Each check is made once of a function or of an entry of the expectation, and once of the machine.
    let key = |finding: &Finding| (finding.address, finding.check.id, finding.entry);
    let mut loaded: BTreeMap<_, Finding> =
        loaded.into_iter().map(|finding| (key(&finding), finding)).collect();
    let mut both: Vec<Finding> = after
        .into_iter()
        .map(|after| match loaded.remove(&key(&after)) {
            Some(loaded) => worse(loaded, after, there),
            None => after,
        })
        .collect();
    both.extend(loaded.into_values().map(|finding| gone(finding, there)));
    both.sort_by_key(|finding| (finding.address.is_none(), finding.address));
    both
}

/// A verdict that something is wrong is worth more than not knowing.
fn weight(status: Status) -> u8 {
    match status {
        Status::NotApplicable => 0,
        Status::Pass => 1,
        Status::Unknown => 2,
        Status::Warn => 3,
        Status::Fail => 4,
    }
}

fn worse(mut loaded: Finding, mut after: Finding, there: &dyn Fn(Bdf) -> bool) -> Finding {
    let bad = |finding: &Finding| matches!(finding.status, Status::Warn | Status::Fail);
    let only_after = weight(after.status) > weight(loaded.status) && bad(&after);
    if only_after {
        return after;
    }
    if after.status == Status::Unknown {
        // Whether a function is there is a question of now: what it was under load does not answer it.
        let presence = after.check.id.starts_with("presence-");
        let unreadable = after.address.is_some_and(|address| !there(address));
        let under_load = match loaded.status {
            Status::Pass if presence || unreadable => Some("; as it should be under load".to_owned()),
            Status::NotApplicable if presence || unreadable => Some(String::new()),
            Status::Warn if presence => Some(format!("; under load: {}", loaded.summary)),
            _ => None,
        };
        if let Some(under_load) = under_load {
            after.summary = format!("{}{under_load}", after.summary).into();
            return after;
        }
    }
    if bad(&loaded) && !bad(&after) && after.status != Status::NotApplicable {
        let rest = if after.status == Status::Unknown { "not known after it" } else { "not after it" };
        loaded.summary = format!("{}; under load, {rest}", loaded.summary).into();
    }
    loaded
}

/// A finding that has nothing beside it: of a function that is gone after the load, or of an event of the log, which stays
/// what it was.
fn gone(loaded: Finding, there: &dyn Fn(Bdf) -> bool) -> Finding {
    let gone = loaded.address.is_some_and(|address| !there(address));
    if loaded.status != Status::Pass || !gone || matches!(loaded.check.of, Of::Log(_)) {
        return loaded;
    }
    let summary = "the function is gone after the load; as it should be under load";
    Finding { status: Status::Unknown, summary: summary.into(), ..loaded }
}
