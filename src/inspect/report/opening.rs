//! How a report begins: what it is about, and what is the matter in few sentences.

use crate::check::finding::Status;
use crate::inspect::diagnose::Device;
use crate::inspect::log::Moment;

use super::patients::Patient;
use super::timeline::{moment, trouble};
use super::{Audience, Material};

/// The title.
pub fn title(audience: Audience, material: Material<'_>, patients: &[Patient]) -> String {
    let machine = material.board.product.as_deref().or(material.board.board.as_deref());
    let of = machine.map(|name| format!(" of {name}")).unwrap_or_default();
    match (audience, patients) {
        (Audience::Qualification, _) => format!("Qualification{of}"),
        (_, []) => format!("PCI Express{of}: no device has failed"),
        (_, [one]) => {
            let verdict = one.diagnosis(material).map(|d| d.verdict.name().replace('-', " "));
            format!("{}{of}: {}", capital(&one.place_text()), verdict.unwrap_or_else(|| one.says.clone()))
        }
        (_, several) => format!("{} devices{of} have trouble", several.len()),
    }
}

/// The sentences. `requests` is how many there are.
pub fn opening(
    material: Material<'_>,
    patients: &[Patient],
    audience: Audience,
    requests: usize,
) -> Vec<String> {
    let mut out = Vec::new();
    for patient in patients {
        let name = patient.device.clone().unwrap_or_else(|| "The device".to_owned());
        let port = patient.port.map(|port| format!(" below port {port}")).unwrap_or_default();
        let place = format!("{name} in {}{port}", patient.place_text());
        let listed = if patient.listed { "" } else { " The kernel does not list it any more." };
        match patient.diagnosis(material) {
            Some(device) => out.extend(verdict(device, &place, listed)),
            None => {
                out.push(format!("{place}: {}.{listed}", patient.says));
                if let Some(first) = trouble(material, patient).first() {
                    let (when, line) = (moment(&first.first), &first.message);
                    out.push(format!(
                        "The first line of the kernel log about it, at {when}: \u{201c}{line}\u{201d}."
                    ));
                }
            }
        }
    }
    if audience == Audience::Provider && !patients.is_empty() && requests == 0 {
        out.push("Nothing is asked of the provider: nothing that was read speaks against the hardware or its settings.".to_owned());
    }
    let count = |status| material.findings.iter().filter(|f| f.status == status).count();
    if patients.is_empty() || audience == Audience::Qualification {
        out.push(format!(
            "{} functions were checked with the profile {}: {} checks failed, {} warned, {} could not be judged, {} passed.",
            material.inspection.machine.wanted.len(),
            material.profile,
            count(Status::Fail),
            count(Status::Warn),
            count(Status::Unknown),
            count(Status::Pass)
        ));
    }
    out
}

/// The verdict in two sentences: what it is, and what came first.
fn verdict(device: &Device, place: &str, listed: &str) -> [String; 2] {
    let name = device.verdict.name().replace('-', " ");
    let sure = device.confidence.name();
    let first = match &device.first_cause {
        Some(cause) => {
            let when = cause.when.as_ref().map(|when| format!(" at {}", words(when))).unwrap_or_default();
            let line = cause.proofs.first().filter(|_| cause.when.is_some());
            let line = line.map(|proof| format!(": \u{201c}{}\u{201d}", proof.decoded)).unwrap_or_default();
            format!("What came first{when}: {}{line}.", cause.says)
        }
        None => "What came first is not known.".to_owned(),
    };
    let because =
        device.because.map(|why| format!(" {}.", capital(why.trim_end_matches('.')))).unwrap_or_default();
    [format!("{place}: {name} ({sure}). {}{listed}", device.means), format!("{first}{because}")]
}

fn words(when: &Moment) -> String {
    match (&when.clock, when.microseconds) {
        (Some(clock), _) => clock.clone(),
        (None, Some(time)) => format!("{}.{:06} s after the start", time / 1_000_000, time % 1_000_000),
        (None, None) => "an unknown time".to_owned(),
    }
}

/// The text with a capital letter in front.
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
