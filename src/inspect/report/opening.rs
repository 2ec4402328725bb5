//! How a report begins: what it is about, and what is the matter in few sentences.

use crate::check::finding::{Finding, Status, Who};
use crate::diagnosis::Verdict;
use crate::inspect::diagnose::Device;
use crate::machine::{Function, State};

use super::patients::{Patient, cleared};
use super::requests::{self, Request, is_wrong, lacks_addresses};
use super::settings::SETTINGS;
use super::{Audience, Material};
use super::{about, software, tried};

/// The title.
pub fn title(audience: Audience, material: Material<'_>, patients: &[Patient]) -> String {
    let machine = material.board.product.as_deref().or(material.board.board.as_deref());
    let of = machine.map(|name| format!(" of {name}")).unwrap_or_default();
    match (audience, patients) {
        (Audience::Qualification, _) => format!("Qualification{of}"),
        (_, []) if !without_address(material).is_empty() => match without_address(material).as_slice() {
            [(one, name)] => format!("{name}{of}: {}", one.verdict.words()),
            several => format!("{} devices{of} have trouble", several.len()),
        },
        (_, []) if material.inspection.machine.functions.is_empty() => match material.log() {
            Some(log) if log.recognized => {
                format!("PCI Express{of}: nothing in the kernel log says that a device has failed")
            }
            _ => format!("PCI Express{of}: not known (no function was read)"),
        },
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
    let mut out = about::about(material, patients);
    out.extend(without_address(material).into_iter().map(|(device, name)| {
        format!(
            "{name}: {} ({}). {}. The log does not tell its address, so that nothing is asked for it; `pciscope diagnose` says more.",
            device.verdict.words(),
            device.confidence.name(),
            capital(device.means.trim_end_matches('.'))
        )
    }));
    out.extend(cleared(material).into_iter().map(|device| about::not_sick(material, device)));
    if audience == Audience::Provider && !(patients.is_empty() && requests.is_empty()) {
        out.push(asks(material, patients, requests));
        let root = software::for_root(material, patients);
        if !root.is_empty() {
            out.push(format!("For whoever has root on the machine: {}.", root.join("; ")));
        }
        out.extend(tried::tried(material, patients, requests));
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
    if patients.is_empty() && audience != Audience::Qualification {
        out.extend(warnings(material));
    }
    out
}

/// What warned although no device has trouble, and how requests are had of it: a paragraph, if anything did.
fn warnings(material: Material<'_>) -> Option<String> {
    let mut kinds: Vec<(&Finding, usize)> = Vec::new();
    for finding in material.findings.iter().filter(|f| f.status == Status::Warn) {
        match kinds.iter_mut().find(|(first, _)| first.check.id == finding.check.id) {
            Some((_, more)) => *more += 1,
            None => kinds.push((finding, 0)),
        }
    }
    if kinds.is_empty() {
        return None;
    }
    let word = |(finding, more): &(&Finding, usize)| {
        let place = finding.address.map(|a| format!("{a}: ")).unwrap_or_default();
        let more = match more {
            0 => String::new(),
            more => format!(" (and {more} more)"),
        };
        format!("{place}{}{more}", finding.summary)
    };
    let mut words: Vec<String> = kinds.iter().take(KINDS).map(word).collect();
    match kinds.len().saturating_sub(KINDS) {
        0 => {}
        more => words.push(format!("{more} more kinds")),
    }
    Some(format!(
        "Warnings: {}. Of what warns no request is made unless its device is named or a profile is chosen, such as --profile \
         gpu-server.",
        words.join("; ")
    ))
}

/// Most kinds of warnings that are told.
const KINDS: usize = 8;

/// Most functions that are named because they could not be read.
const NAMED: usize = 8;

/// What has trouble and is known by its name alone, with the name.
fn without_address(material: Material<'_>) -> Vec<(&Device, &str)> {
    let sick = |device: &&Device| !matches!(device.verdict, Verdict::Healthy | Verdict::Unknown);
    let nameless = material.diagnoses.iter().filter(sick).filter(|device| device.address.is_none());
    nameless.filter_map(|device| Some((device, device.name.as_deref()?))).collect()
}

/// Functions of which it is not known whether they answer or, because too little of them was read, whether they are well.
fn unread(material: Material<'_>) -> Vec<&Function> {
    let is_unread = |f: &&Function| {
        let verdict = material.diagnosis(f.address).map(|device| device.verdict);
        f.presence.state == State::Unknown || verdict == Some(Verdict::Unknown) && f.unread().is_some()
    };
    material.inspection.machine.wanted().filter(is_unread).collect()
}

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
    let wrong =
        patients.iter().flat_map(|patient| requests::about(material, patient)).filter(|f| is_wrong(f));
    let theirs = wrong.filter(|finding| {
        let who = finding.verdict().who.unwrap_or(finding.check.who);
        matches!(who, Who::Firmware | Who::Provider | Who::Replacement)
    });
    let action = |f: &Finding| f.verdict().action.as_deref().unwrap_or(f.check.remedy).to_owned();
    let software = patients.iter().all(|p| p.diagnosis(material).is_some_and(Device::is_software));
    match theirs.map(action).collect::<Vec<_>>().as_slice() {
        _ if !software::for_root(material, patients).is_empty() && patients.iter().all(|p| lacks_addresses(material, p)) => {
            "Nothing is asked of the provider: this is for whoever has root on the machine."
        }
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
