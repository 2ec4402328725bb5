//! What is the matter with the devices that have trouble, and since when: the first paragraphs of a report.

use crate::check::finding::Status;
use crate::diagnosis::Verdict;
use crate::inspect::diagnose::Device;
use crate::kernel_log::Event;
use crate::pci::Bdf;

use super::Material;
use super::patients::Patient;
use super::timeline::{self, trouble};

/// The paragraphs.
pub fn about(material: Material<'_>, patients: &[Patient]) -> Vec<String> {
    let tell = |group: Vec<&Patient>| match group.as_slice() {
        [patient] => about_one(material, patient),
        several => about_several(material, several),
    };
    groups(material, patients).into_iter().flat_map(tell).collect()
}

/// Least devices with the same verdict that are told together.
const TOGETHER: usize = 3;

/// Patients whose verdict is the same, where they are many, as one; the others alone. In the order of the first of each.
fn groups<'a>(material: Material<'_>, patients: &'a [Patient]) -> Vec<Vec<&'a Patient>> {
    let verdict = |patient: &Patient| patient.diagnosis(material).map(|device| device.verdict);
    let mut out: Vec<Vec<&Patient>> = Vec::new();
    for patient in patients {
        let same = |other: &&Patient| verdict(other).is_some() && verdict(other) == verdict(patient);
        let many = patients.iter().filter(same).count() >= TOGETHER;
        match out.iter_mut().find(|group| many && group.first().is_some_and(same)) {
            Some(group) => group.push(patient),
            None => out.push(vec![patient]),
        }
    }
    out
}

/// What a device is and where it is.
fn name_and_place(patient: &Patient) -> String {
    let name = patient.device.clone().unwrap_or_else(|| "The device".to_owned());
    let port = patient.port.map(|port| format!(" below port {port}")).unwrap_or_default();
    format!("{name} in {}{port}", patient.place_text())
}

/// What the verdict means, of this device.
fn means(device: &Device) -> &'static str {
    let not_recovered = device.evidence.iter().any(|e| e.sign == "not-recovered");
    match device.verdict {
        Verdict::ErrorStorm if not_recovered => {
            "Errors of PCI Express are reported, and the device did not recover from them."
        }
        _ => device.means,
    }
}

/// What is the matter with one device, and when that was first seen.
fn about_one(material: Material<'_>, patient: &Patient) -> Vec<String> {
    let place = name_and_place(patient);
    let listed = if patient.listed { "" } else { " The kernel does not list it any more." };
    let mut out = vec![match patient.diagnosis(material) {
        Some(device) => {
            let verdict = device.verdict.words();
            // Where nothing is asked because software is the reason, the reader must see why.
            let because = device.because.filter(|_| device.is_software());
            let because = because.map(|text| format!(" {text}")).unwrap_or_default();
            format!("{place}: {verdict} ({}). {}{because}{listed}", device.confidence.name(), means(device))
        }
        None => format!("{place}: {}.{listed}", patient.says),
    }];
    if !patient.behind.is_empty() {
        let behind: Vec<String> = patient.behind.iter().map(Bdf::to_string).collect();
        out.push(format!(
            "What is behind it is silent because of it, and nobody can tell whether it is well: {}.",
            behind.join(", ")
        ));
    }
    let when = first_seen(material, patient);
    if !when.is_empty() {
        out.push(when.join(" "));
    }
    out
}

/// The same of several devices with one verdict: what it means once, and the line that came first.
fn about_several(material: Material<'_>, patients: &[&Patient]) -> Vec<String> {
    let devices: Vec<&Device> = patients.iter().filter_map(|p| p.diagnosis(material)).collect();
    let Some(device) = devices.first() else { return Vec::new() };
    let places: Vec<String> = patients.iter().map(|patient| name_and_place(patient)).collect();
    let mut sure: Vec<&str> = devices.iter().map(|device| device.confidence.name()).collect();
    sure.sort_unstable();
    sure.dedup();
    let mut out = vec![format!(
        "{} devices: {} ({}). {} They are: {}.",
        patients.len(),
        device.verdict.words(),
        sure.join(" or "),
        means(device),
        places.join("; ")
    )];
    let first = |patient: &&&Patient| {
        let first = trouble(material, patient).first().map(|event| (event.boot, event.line()));
        first.unwrap_or((usize::MAX, u64::MAX))
    };
    if let Some(patient) = patients.iter().min_by_key(first) {
        let when = first_seen(material, patient);
        if !when.is_empty() {
            out.push(when.join(" "));
        }
    }
    out
}

/// Most lines that are quoted because they clear a device.
const QUOTED: usize = 4;

/// A device of which a check failed although it is well: the reason, and the line that shows it.
pub fn not_sick(material: Material<'_>, device: &Device) -> String {
    let place = device.address.clone().unwrap_or_default();
    let failed = material.findings.iter().filter(|finding| {
        finding.status == Status::Fail && finding.address.is_some_and(|a| a.to_string() == place)
    });
    let failed: Vec<&str> = failed.map(|finding| &*finding.summary).collect();
    let because = device.because.unwrap_or(device.means);
    let rule = device.rule.and_then(crate::diagnosis::rule::find);
    let causes = device.evidence.iter().filter(|e| rule.is_some_and(|rule| rule.before.contains(&e.sign)));
    let lines = causes.filter_map(|e| e.proofs.first()).take(QUOTED);
    let lines: Vec<String> = lines.map(|proof| format!(" \u{201c}{}\u{201d}.", proof.decoded)).collect();
    format!("{place}: {}; this is no trouble of the device. {because}{}", failed.join("; "), lines.concat())
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
    let mut out = vec![match timeline::is_known(&first.first) {
        true => format!("First seen at {}: {}.", material.moment(first), quoted(first)),
        false => format!("First seen at a time that the log does not tell: {}.", quoted(first)),
    }];
    let cause = patient.diagnosis(material).and_then(|device| device.first_cause.as_ref());
    let line = cause.and_then(|cause| cause.line);
    let decided = |event: &&&Event| {
        line.is_some_and(|line| event.evidence.first().is_some_and(|first| first.line == line))
    };
    if let Some(event) = events.iter().skip(1).find(decided) {
        let when = timeline::moment(&event.first);
        out.push(format!("The line that tells what it is: {}, at {when}.", quoted(event)));
    }
    out
}
