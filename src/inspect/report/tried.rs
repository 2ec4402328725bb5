//! What was tried without success, and what is not worth trying.

use super::Material;
use super::patients::Patient;
use super::requests::Request;
use super::timeline::{self, trouble};

/// Most devices that are named for one piece of advice.
const NAMED: usize = 4;

/// What the log shows that was tried without success, and what is not worth trying, each once with its devices.
pub fn tried(material: Material<'_>, patients: &[Patient], requests: &[Request]) -> Vec<String> {
    let mut out = Vec::new();
    let mut useless: Vec<(String, Vec<String>)> = Vec::new();
    for patient in patients {
        let events = trouble(material, patient);
        let started =
            events.iter().filter(|event| STARTS.contains(&event.kind.id)).max_by_key(|event| event.count);
        if let Some(event) = started.filter(|event| event.count > 1) {
            let last = timeline::moment(&event.last);
            out.push(format!(
                "The driver tried {} times to start {}, the last time at {last}, without success.",
                event.count, patient.address
            ));
        }
        for what in not_worth_trying(material, patient, requests) {
            let place = patient.address.to_string();
            // The same of several devices has the address of each in it.
            let what = if patients.len() > 1 { what.replace(&place, "ADDRESS") } else { what };
            match useless.iter_mut().find(|(known, _)| *known == what) {
                Some((_, places)) => places.push(place),
                None => useless.push((what, vec![place])),
            }
        }
    }
    let of = |(what, places): &(String, Vec<String>)| match (patients.len(), places.len()) {
        (1, _) => what.clone(),
        (all, here) if all == here => format!("{what} (any of them)"),
        (all, here) if here > NAMED => format!("{what} ({here} of the {all} devices)"),
        _ => format!("{what} ({})", places.join(", ")),
    };
    if !useless.is_empty() {
        let words: Vec<String> = useless.iter().map(of).collect();
        out.push(format!("What does not help: {}.", words.join("; ")));
    }
    // One paragraph of one device.
    if patients.len() == 1 && out.len() > 1 { vec![out.join(" ")] } else { out }
}

/// What people try and what does not help this device, without what is asked for.
fn not_worth_trying(material: Material<'_>, patient: &Patient, requests: &[Request]) -> Vec<String> {
    let Some(device) = patient.diagnosis(material) else { return Vec::new() };
    // What is asked for is not said to be useless in the same letter.
    let is_asked = |topic: &&str| {
        let mine = |r: &&Request| r.device.is_none_or(|device| device == patient.address);
        requests.iter().filter(mine).any(|r| r.topic == **topic)
    };
    // Nobody thinks of switching reports of errors off where there are none.
    let errors = device.evidence.iter().any(|e| ERRORS.contains(&e.sign));
    let useless = device.will_not_help.iter().filter(|advice| {
        !advice.topics.iter().any(is_asked) && (errors || !advice.what.starts_with("pci=noaer"))
    });
    useless.map(|advice| advice.what.clone()).collect()
}

/// Signs that errors of PCI Express are reported.
const ERRORS: [&str; 4] = ["corrected-errors", "uncorrected-errors", "signal-errors", "errors-latched"];

/// Kinds of events that a driver's attempt to start a device leaves.
const STARTS: [&str; 3] = ["nvidia.rm-init-failed", "nvidia.adapter-not-started", "pci.probe-failed"];
