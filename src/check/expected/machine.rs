//! The machine as a whole, and whether every entry finds its devices.

use crate::check::expectation::compare::identity_text;
use crate::check::expectation::{Entry, Place, facts};
use crate::check::finding::{Judged, Proof, Skip, Verdict};
use crate::check::subject::Surroundings;
use crate::document::nearest::nearest;
use crate::machine::reading::DEVICES;
use crate::machine::{Function, State};
use crate::pci::Bdf;

pub(super) fn count(around: &Surroundings<'_>, entry: &Entry) -> Judged {
    let meant = || around.machine.functions.iter().filter(|f| entry.means(f));
    let counted = |f: &&Function| matches!(f.presence.state, State::Answering | State::Asleep);
    let here: Vec<Bdf> = meant().filter(counted).map(|f| f.address).collect();
    let at = entry.at(entry.line);
    let listed = here.iter().map(Bdf::to_string).collect::<Vec<_>>().join(" ");
    let number = here.len() as u64;
    let all = around.machine.functions.len();
    let text = format!("{all} functions, of these {number} as the entry says: {listed}");
    let proof = Proof::File { path: DEVICES.to_owned(), text: text.trim_end_matches([':', ' ']).to_owned() };
    let silent = |f: &&Function| !counted(f);
    if let Some(unread) = meant().find(|f| matches!(f.presence.state, State::Unknown | State::NotReady)) {
        return Err(Skip::unknown(format!("{at}: {}: {}", unread.address, unread.presence.reason)));
    }
    if let Some(dead) = meant().find(silent) {
        let silent: Vec<String> = meant().filter(silent).map(|f| f.address.to_string()).collect();
        let silent = silent.join(" ");
        let state = dead.presence.state.name();
        return Ok(Verdict::bad(
            format!("{at}: {silent}: the kernel lists it, and it does not answer ({state})"),
            "a device that answers",
            silent,
            [proof],
        ));
    }
    if let Some(place) = missing_place(entry, &here) {
        let hint = nearest(&place, addresses(around).iter().map(String::as_str));
        return Ok(Verdict::bad(
            format!("{at}: nothing is at {place}{hint}"),
            format!("a device at {place}"),
            "none",
            [proof],
        ));
    }
    match &entry.count {
        Some(wanted) if wanted.value == number => Ok(Verdict::good([proof])),
        None if number > 0 => Ok(Verdict::good([proof])),
        Some(wanted) if number > 0 => Ok(Verdict::bad(
            format!("{number} functions instead of {} ({})", wanted.value, entry.at(wanted.line)),
            wanted.value.to_string(),
            format!("{number}: {listed}"),
            [proof],
        )),
        wanted => {
            let expected = wanted.as_ref().map_or_else(|| "at least one".to_owned(), |w| w.value.to_string());
            let (what, hint) = what_is_missing(around, entry);
            Ok(Verdict::bad(format!("{at}: nothing here is {what}{hint}"), expected, "none", [proof]))
        }
    }
}

/// An address at which an entry expects something and nothing is. An entry that counts its devices may have more places than
/// devices.
fn missing_place(entry: &Entry, here: &[Bdf]) -> Option<String> {
    let places = entry.places.as_ref().filter(|_| entry.count.is_none() && !here.is_empty())?;
    places.value.0.iter().find_map(|place| match place {
        Place::Address(wanted) if !here.iter().any(|a| wanted.matches(*a)) => Some(wanted.to_string()),
        _ => None,
    })
}

fn addresses(around: &Surroundings<'_>) -> Vec<String> {
    around.machine.functions.iter().map(|f| f.address.to_string()).collect()
}

/// What an entry looks for, and what is there that resembles it.
fn what_is_missing(around: &Surroundings<'_>, entry: &Entry) -> (String, String) {
    let functions = &around.machine.functions;
    if let Some(places) = &entry.places {
        let words = places.value.text();
        let hint = nearest(&words, addresses(around).iter().map(String::as_str));
        return (format!("at {words}"), hint);
    }
    let words: Vec<String> =
        entry.identity.iter().map(|(key, wanted)| format!("{key} {}", wanted.value.text())).collect();
    let hint = entry.identity.iter().find_map(|(key, wanted)| {
        let known: Vec<String> = functions.iter().filter_map(|f| identity_text(f, key)).collect();
        (!known.iter().any(|text| wanted.value.matches(text)))
            .then(|| nearest(&wanted.value.text(), known.iter().map(String::as_str)))
    });
    (words.join(", "), hint.unwrap_or_default())
}

pub(super) fn platform(around: &Surroundings<'_>) -> Judged {
    let Some(expectation) = around.expectation.filter(|e| !e.machine.is_empty()) else {
        return Err(Skip::not_applicable("the expectation has no [machine]"));
    };
    let (mut wrong, mut unknown, mut proofs) = (Vec::new(), None, Vec::new());
    let (mut expected, mut actual) = (Vec::new(), Vec::new());
    for (key, wanted) in &expectation.machine {
        let path = facts::MACHINE.iter().find(|(known, _)| known == key).map_or("", |(_, path)| path);
        match expectation.facts.machine.get(key) {
            Some(Ok(text)) => {
                proofs.push(Proof::File { path: path.to_owned(), text: text.clone() });
                if !wanted.value.matches(text) {
                    let at = format!("{}:{}", expectation.file, wanted.line);
                    wrong.push(format!("{key} is {text}, expected {} ({at})", wanted.value.text()));
                    expected.push(format!("{key} {}", wanted.value.text()));
                    actual.push(format!("{key} {text}"));
                }
            }
            Some(Err(why)) => unknown = unknown.or(Some(format!("{key}: {why}"))),
            None => unknown = unknown.or(Some(format!("{key} was not read"))),
        }
    }
    match (wrong.is_empty(), unknown) {
        (true, Some(why)) => Err(Skip::unknown(why)),
        (true, None) => Ok(Verdict::good(proofs)),
        (false, _) => Ok(Verdict::bad(wrong.join("; "), expected.join(", "), actual.join(", "), proofs)),
    }
}
