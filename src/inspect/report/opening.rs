//! How a report begins: what it is about, and what is the matter in few sentences.

use crate::check::finding::{Finding, Status, Who};
use crate::diagnosis::Verdict;
use crate::inspect::diagnose::Device;
use crate::kernel_log::Event;
use crate::machine::{Function, State};

use super::patients::Patient;
use super::requests::{Request, about, is_wrong};
use super::settings::SETTINGS;
use super::software;
use super::timeline::trouble;
use super::{Audience, Material};

/// The title.
pub fn title(audience: Audience, material: Material<'_>, patients: &[Patient]) -> String {
    let machine = material.board.product.as_deref().or(material.board.board.as_deref());
    let of = machine.map(|name| format!(" of {name}")).unwrap_or_default();
    match (audience, patients) {
        (Audience::Qualification, _) => format!("Qualification{of}"),
        (_, []) => match unread(material).as_slice() {
            [] => format!("PCI Express{of}: no device has failed"),
            [_] => format!("PCI Express{of}: not known (1 function could not be read in full)"),
            some => {
                format!("PCI Express{of}: not known ({} functions could not be read in full)", some.len())
            }
        },
        (_, [one]) => {
            let verdict = one.diagnosis(material).map(|d| d.verdict.words());
            format!("{}{of}: {}", capital(&one.place_text()), verdict.unwrap_or_else(|| one.says.clone()))
        }
        (_, several) => format!("{} devices{of} have trouble", several.len()),
    }
}

/// The sentences: what is the matter with which device; when it began, with the line that proves it; and for whoever is asked to
/// act, what is asked, and what was tried.
pub fn opening(
    material: Material<'_>,
    patients: &[Patient],
    audience: Audience,
    requests: &[Request],
) -> Vec<String> {
    let mut out = Vec::new();
    for patient in patients {
        let name = patient.device.clone().unwrap_or_else(|| "The device".to_owned());
        let port = patient.port.map(|port| format!(" below port {port}")).unwrap_or_default();
        let place = format!("{name} in {}{port}", patient.place_text());
        let listed = if patient.listed { "" } else { " The kernel does not list it any more." };
        out.push(match patient.diagnosis(material) {
            Some(device) => {
                let verdict = device.verdict.words();
                // Where nothing is asked because software is the reason, the reader must see why.
                let because = device.because.filter(|_| device.is_software());
                let because = because.map(|text| format!(" {text}")).unwrap_or_default();
                format!(
                    "{place}: {verdict} ({}). {}{because}{listed}",
                    device.confidence.name(),
                    device.means
                )
            }
            None => format!("{place}: {}.{listed}", patient.says),
        });
        let when = first_seen(material, patient);
        if !when.is_empty() {
            out.push(when.join(" "));
        }
    }
    if audience == Audience::Provider && !(patients.is_empty() && requests.is_empty()) {
        out.push(asks(material, patients, requests));
        out.extend(patients.iter().filter_map(|patient| tried(material, patient, requests)));
    }
    let count = |status| material.findings.iter().filter(|f| f.status == status).count();
    let unread = unread(material);
    let why = |f: &Function| f.unread().unwrap_or_else(|| f.presence.reason.clone());
    if !unread.is_empty() {
        let named: Vec<String> =
            unread.iter().take(NAMED).map(|f| format!("{} ({})", f.address, why(f))).collect();
        let more = match unread.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        // Only where more rights would show more.
        let root = unread.iter().any(|f| ["root", "permi"].iter().any(|word| why(f).contains(word)));
        out.push(format!(
            "Could not be read in full, so that it is not known whether they are well: {}{more}.{}",
            named.join(", "),
            if root { " Run it again as root." } else { "" }
        ));
    }
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

/// Most functions that are named because they could not be read.
const NAMED: usize = 8;

/// Functions of which it is not known whether they answer or, because too little of them was read, whether they are well.
fn unread(material: Material<'_>) -> Vec<&Function> {
    let is_unread = |f: &&Function| {
        let verdict = material.diagnosis(f.address).map(|device| device.verdict);
        f.presence.state == State::Unknown || verdict == Some(Verdict::Unknown) && f.unread().is_some()
    };
    material.inspection.machine.wanted().filter(is_unread).collect()
}

/// When the log first speaks of it, and the line that decided the verdict if that is another one.
fn first_seen(material: Material<'_>, patient: &Patient) -> Vec<String> {
    let events = trouble(material, patient);
    let Some(first) = events.first() else {
        return match material.log() {
            Some(_) => vec!["The kernel log says nothing of it; the registers below show it.".to_owned()],
            None => Vec::new(),
        };
    };
    let quoted = |event: &Event| {
        let times = if event.count > 1 { format!(" ({} times)", event.count) } else { String::new() };
        format!("\u{201c}{}\u{201d}{times}", event.message.trim_end_matches('.'))
    };
    let mut out = vec![format!("First seen at {}: {}.", material.moment(first), quoted(first))];
    let cause = patient.diagnosis(material).and_then(|device| device.first_cause.as_ref());
    let line = cause.and_then(|cause| cause.line);
    let decided = |event: &&&Event| {
        line.is_some_and(|line| event.evidence.first().is_some_and(|first| first.line == line))
    };
    if let Some(event) = events.iter().skip(1).find(decided) {
        let when = super::timeline::moment(&event.first);
        out.push(format!("The line that tells what it is: {}, at {when}.", quoted(event)));
    }
    out
}

/// What the log shows that was tried without success, and what is not worth trying.
fn tried(material: Material<'_>, patient: &Patient, requests: &[Request]) -> Option<String> {
    let mut out = Vec::new();
    let events = trouble(material, patient);
    let started =
        events.iter().filter(|event| STARTS.contains(&event.kind.id)).max_by_key(|event| event.count);
    if let Some(event) = started.filter(|event| event.count > 1) {
        let last = super::timeline::moment(&event.last);
        out.push(format!(
            "The driver tried {} times to start {}, the last time at {last}, without success.",
            event.count, patient.address
        ));
    }
    if let Some(device) = patient.diagnosis(material) {
        // What is asked for is not said to be useless in the same letter.
        let is_asked = |topic: &&str| {
            let mine = |r: &&Request| r.device.is_none_or(|device| device == patient.address);
            requests.iter().filter(mine).any(|r| r.topic == **topic)
        };
        let useless = device.will_not_help.iter().filter(|advice| !advice.topics.iter().any(is_asked));
        let useless: Vec<&str> = useless.map(|advice| advice.what.as_str()).collect();
        if !useless.is_empty() {
            out.push(format!("What does not help: {}.", useless.join("; ")));
        }
    }
    (!out.is_empty()).then(|| out.join(" "))
}

/// Kinds of events that a driver's attempt to start a device leaves.
const STARTS: [&str; 3] = ["nvidia.rm-init-failed", "nvidia.adapter-not-started", "pci.probe-failed"];

/// What is asked, in a few words: those of the setting, else what is asked of the first device.
fn asks(material: Material<'_>, patients: &[Patient], requests: &[Request]) -> String {
    let mut words: Vec<String> = Vec::new();
    for request in requests {
        let setting = SETTINGS.iter().find(|setting| setting.topic == request.topic);
        let short = setting.map_or_else(|| small(&request.ask), |setting| setting.short.to_owned());
        if !words.contains(&short) {
            words.push(short);
        }
    }
    match words.as_slice() {
        [] => nothing_asked(material, patients),
        [one] => format!("We ask for one thing: {one}."),
        several => format!("We ask for, in this order: {}.", several.join("; ")),
    }
}

/// Why nothing is asked: not because nothing was found, if something was.
fn nothing_asked(material: Material<'_>, patients: &[Patient]) -> String {
    let wrong = patients.iter().flat_map(|patient| about(material, patient)).filter(|f| is_wrong(f));
    let theirs = wrong.filter(|finding| {
        let who = finding.verdict().who.unwrap_or(finding.check.who);
        matches!(who, Who::Firmware | Who::Provider | Who::Replacement)
    });
    let action = |f: &Finding| f.verdict().action.as_deref().unwrap_or(f.check.remedy).to_owned();
    let software = patients.iter().all(|p| p.diagnosis(material).is_some_and(Device::is_software));
    match theirs.map(action).collect::<Vec<_>>().as_slice() {
        [] => "Nothing is asked of the provider: nothing that was read speaks against the hardware or its settings.",
        all if software || all.iter().all(|action| software::is_remedy(action)) => {
            "Nothing is asked of the provider: this is for whoever has root on the machine."
        }
        _ => {
            "Nothing is asked of the provider because of this trouble; what else was found of hardware and settings is among the \
             findings."
        }
    }
    .to_owned()
}

/// The text with a small letter in front.
fn small(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_lowercase().chain(letters).collect())
}

/// The text with a capital letter in front.
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
