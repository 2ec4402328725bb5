//! Findings of a reading under load and of the one after it, as one.

use super::finding::{Finding, Status};

/// For each check and function the worse of the two. What is only not known after the load, because the device rests or
/// sleeps again, was seen under load; what is not known of the load stays so.
pub fn together(loaded: Vec<Finding>, after: Vec<Finding>) -> Vec<Finding> {
    let mut both = Vec::with_capacity(after.len());
    let mut loaded: Vec<Option<Finding>> = loaded.into_iter().map(Some).collect();
    let mut from = 0;
    for finding in after {
        // Both are in the same order, but for functions that came or went.
        let is_same = |other: &Option<Finding>| {
            other.as_ref().is_some_and(|o| (o.address, o.check.id) == (finding.address, finding.check.id))
        };
        let place = (from..loaded.len()).chain(0..from).find(|place| is_same(&loaded[*place]));
        let Some(place) = place else {
            both.push(finding);
            continue;
        };
        from = place + 1;
        both.extend(loaded[place].take().map(|under_load| worse(under_load, finding)));
    }
    both.extend(loaded.into_iter().flatten());
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
