//! Findings of a reading under load and of the one after it, as one.

use std::collections::BTreeMap;

use super::finding::{Finding, Status};

/// For each check and function the worse of the two. What is only not known after the load, because the device rests or
/// sleeps again, was seen under load; what is not known of the load stays so.
pub fn together(loaded: Vec<Finding>, after: Vec<Finding>) -> Vec<Finding> {
    // Each check is made once of a function, and once of the machine.
    let key = |finding: &Finding| (finding.address, finding.check.id);
    let mut loaded: BTreeMap<_, Finding> =
        loaded.into_iter().map(|finding| (key(&finding), finding)).collect();
    let mut both: Vec<Finding> = after
        .into_iter()
        .map(|after| match loaded.remove(&key(&after)) {
            Some(loaded) => worse(loaded, after),
            None => after,
        })
        .collect();
    // Of functions that are gone after the load.
    both.extend(loaded.into_values());
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

fn worse(mut loaded: Finding, after: Finding) -> Finding {
    let bad = |finding: &Finding| matches!(finding.status, Status::Warn | Status::Fail);
    let only_after = weight(after.status) > weight(loaded.status) && bad(&after);
    if only_after {
        return after;
    }
    if bad(&loaded) && !bad(&after) && after.status != Status::NotApplicable {
        let rest = if after.status == Status::Unknown { "not known after it" } else { "not after it" };
        loaded.summary = format!("{}; under load, {rest}", loaded.summary).into();
        loaded.verdict.summary = loaded.summary.to_string();
    }
    loaded
}
