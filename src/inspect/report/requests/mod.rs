//! What is asked of whoever may change firmware settings or touch the machine: one setting or action each, with what was
//! found, what it should be, and how that is verified afterwards. What is already right is said too.

mod from_diagnosis;
mod from_settings;
mod room;

use std::collections::BTreeSet;

use crate::check::finding::{Finding, Proof, Status, Who};
use crate::diagnosis::Verdict;
use crate::inspect::check::{Evidence, evidence};
use crate::inspect::diagnose::Device;
use crate::kernel_log::{Event, Level};
use crate::pci::Bdf;

use super::patients::Patient;
use super::settings::{SETTINGS, Standing};
use super::{Audience, Material};

/// A request.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct Request {
    /// Its number, from 1.
    pub number: usize,
    /// What it is about, such as `aspm`; for what only a check knows, the check, with `kernel-log` in place of `kmsg`.
    pub topic: String,
    /// What is asked.
    pub ask: String,
    /// Who can do it.
    pub who: Who,
    /// The device that it is for; `null`: the machine as a whole.
    #[schemars(with = "Option<String>")]
    pub device: Option<Bdf>,
    /// The slot of the device.
    pub slot: Option<String>,
    /// The port above it.
    #[schemars(with = "Option<String>")]
    pub port: Option<Bdf>,
    /// What was found, in words.
    pub found: String,
    /// Registers, files and log lines that show it.
    pub evidence: Vec<Evidence>,
    /// What it should be.
    pub should_be: String,
    /// A command that verifies it afterwards.
    pub command: String,
    /// What the command then prints, or what to look for in what it prints.
    pub expected_output: String,
    /// Whether `expected_output` is printed letter by letter, which it is not now.
    pub verbatim: bool,
    /// How it has to do with the trouble.
    pub standing: Standing,
}

/// Something that is as it should be.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct Right {
    /// What it is about, such as `aspm`.
    pub topic: String,
    /// What is right.
    pub what: String,
    /// Registers, files and log lines that show it.
    pub evidence: Vec<Evidence>,
}

/// Everything about requests.
#[derive(Debug, Default)]
pub struct Asked {
    /// What is asked.
    pub requests: Vec<Request>,
    /// What need not be asked.
    pub right: Vec<Right>,
    /// What cannot be seen from here.
    pub not_measured: Vec<String>,
    /// What was asked, found right, or found not to be known, of which device: it is told once.
    told: BTreeSet<(String, Bdf)>,
}

impl Asked {
    fn is_told(&self, topic: &str, patient: &Patient) -> bool {
        // Whoever looks at lanes looks at the seating of the card; whoever exchanges it, too.
        let seating = ["lanes", "signal", "exchange"];
        let seen = |r: &Request| seating.contains(&r.topic.as_str()) && r.device == Some(patient.address);
        self.told.contains(&(topic.to_owned(), patient.address))
            || topic == "card-and-riser" && self.requests.iter().any(seen)
    }

    /// Notes that no more is to be said of it.
    fn tell(&mut self, topic: &str, patient: &Patient) {
        self.told.insert((topic.to_owned(), patient.address));
    }
}

/// Most pieces of evidence of one request.
const EVIDENCE: usize = 8;

/// Requests for the devices that have trouble.
pub fn requests(material: Material<'_>, patients: &[Patient], audience: Audience) -> Asked {
    let mut asked = Asked::default();
    for patient in patients {
        for setting in SETTINGS {
            from_settings::of_patient(&mut asked, material, patient, setting);
        }
        from_diagnosis::of_findings(&mut asked, material, patient);
        if is_on_the_bus(material, patient) && !is_virtual(material, patient) {
            from_diagnosis::management_controller(&mut asked, material, patient);
        }
        from_diagnosis::of_diagnosis(&mut asked, material, patient);
    }
    if audience == Audience::Provider {
        from_settings::machine_wide(&mut asked, material);
    }
    // The verdict's own setting comes first: nothing else helps before it.
    let own = |r: &Request| {
        let verdict = r.device.and_then(|device| material.diagnosis(device)).map(|device| device.verdict);
        let port = || r.port.and_then(|port| material.diagnosis(port)).map(|device| device.verdict);
        [verdict, port()].into_iter().flatten().any(|verdict| own_setting(verdict) == Some(r.topic.as_str()))
    };
    let order = |r: &Request| {
        let place = SETTINGS.iter().position(|s| s.topic == r.topic).unwrap_or(usize::MAX);
        // What only a profile wishes comes after what is asked because of a failure.
        let patient = patients.iter().find(|patient| r.device == Some(patient.address));
        let wish = patient.is_some_and(|p| !has_failed(material, p));
        (r.standing == Standing::Visibility, wish, r.standing, !own(r), place)
    };
    asked.requests.sort_by_key(order);
    asked.requests.iter_mut().enumerate().for_each(|(place, request)| request.number = place + 1);
    asked.not_measured.sort();
    asked.not_measured.dedup();
    asked
}

/// Whether it has a verdict that calls for something, or a check of it failed.
fn has_failed(material: Material<'_>, patient: &Patient) -> bool {
    patient.diagnosis(material).is_some() || about(material, patient).any(|f| f.status == Status::Fail)
}

/// The setting that a verdict is about.
fn own_setting(verdict: Verdict) -> Option<&'static str> {
    match verdict {
        Verdict::SlotPower => Some("slot-power"),
        Verdict::BarNotAssigned => Some("above-4g-decoding"),
        _ => None,
    }
}

/// Whether it fell silent or makes errors. A link that always was slow or narrow has nothing to do with power or temperature, nor
/// has a driver that gave up.
pub fn is_on_the_bus(material: Material<'_>, patient: &Patient) -> bool {
    if let Some(device) = patient.diagnosis(material) {
        let quiet =
            matches!(device.verdict, Verdict::DegradedLink | Verdict::WrongDevice | Verdict::SurpriseRemoved);
        return !quiet && matches!(device.level, Level::Bus | Level::Power);
    }
    let starts = ["presence-", "aer-", "dpc-", "power-slot", "kmsg-fallen", "kmsg-aer"];
    about(material, patient)
        .any(|f| f.status == Status::Fail && starts.iter().any(|start| f.check.id.starts_with(start)))
}

/// Findings about a patient, the way to it, and the machine as a whole.
pub fn about<'a>(material: Material<'a>, patient: &'a Patient) -> impl Iterator<Item = &'a Finding> {
    let mine = |a: Bdf| a == patient.address || patient.others.contains(&a) || patient.port == Some(a);
    material.findings.iter().filter(move |f| f.address.is_none_or(mine))
}

/// A line of the log as evidence.
fn line(event: &Event) -> Evidence {
    let proof = match event.evidence.first() {
        Some(line) => Proof::line(line),
        None => Proof::Log { line: event.message.clone() },
    };
    evidence(&proof)
}

/// Whether it is a reason to ask. A warning about a line of the log, such as a corrected error, is none.
pub fn is_wrong(finding: &Finding) -> bool {
    let lines = ["kmsg-aer", "kmsg-power", "bar-kmsg"].contains(&finding.check.id);
    finding.status == Status::Fail || finding.status == Status::Warn && !lines
}

/// Whether software is the reason: then nobody has to touch contacts or power.
fn is_software(material: Material<'_>, patient: &Patient) -> bool {
    patient.diagnosis(material).is_some_and(Device::is_software)
}

/// Whether the diagnosis says that the card need not be touched: it lacks addresses.
pub fn lacks_addresses(material: Material<'_>, patient: &Patient) -> bool {
    let verdict = patient.diagnosis(material).map(|device| device.verdict);
    matches!(verdict, Some(Verdict::BarNotAssigned | Verdict::FirmwareConfiguration))
}

/// Whether the diagnosis shows that it is needed.
fn is_diagnosed(material: Material<'_>, patient: &Patient, topic: &str) -> bool {
    let asks = |device: &Device| device.ask.iter().any(|a| a.topic == topic && a.needed == Some(true));
    patient.diagnosis(material).is_some_and(asks)
}

/// Whether it is a virtual function: a part of another function, which nobody can reseat, power or exchange by itself. Of one that
/// is not listed the log tells: its identifiers are made up from those of the other function, so that it is created even where
/// header and class read all-ones (Linux: `pci_iov_add_virtfn` in drivers/pci/iov.c, `pci_setup_device` in drivers/pci/probe.c);
/// no other function is found that reads so.
pub fn is_virtual(material: Material<'_>, patient: &Patient) -> bool {
    if let Some(function) = material.inspection.machine.get(patient.address) {
        return function.is_virtual();
    }
    let silent = |event: &Event| {
        event.kind.id == "pci.function-found"
            && event.device == Some(patient.address)
            && event.number("class") == Some(0xff_ffff)
    };
    material.log().is_some_and(|log| log.events.iter().any(silent))
}

/// Whether there is a diagnosis, and it asks for other things than for hands at the card.
fn is_elsewhere(material: Material<'_>, patient: &Patient) -> bool {
    let asks = |device: &Device| !device.ask.is_empty() && !asks_for_hands(device);
    patient.diagnosis(material).is_some_and(asks)
}

/// Whether the diagnosis asks for hands at the card.
fn asks_for_hands(device: &Device) -> bool {
    device.ask.iter().any(|ask| ask.topic == "card-and-riser")
}

/// Whether what failed is inside the device: then new seating does not help.
fn is_inside(material: Material<'_>, patient: &Patient) -> bool {
    let verdict = patient.diagnosis(material).map(|device| device.verdict);
    matches!(verdict, Some(Verdict::DeviceFirmware | Verdict::MemoryFault))
}

/// What the log says of who handles errors: the lines themselves say more than what was concluded from them.
fn handed_over(material: Material<'_>) -> Option<Vec<Evidence>> {
    let said = |e: &&Event| matches!(e.kind.id, "acpi.osc-not-supported" | "acpi.osc-controls");
    let lines: Vec<Evidence> = material.log().iter().flat_map(|l| &l.events).filter(said).map(line).collect();
    (!lines.is_empty()).then_some(lines)
}

/// The same request for a second device is the same request.
fn add(asked: &mut Asked, mut request: Request) {
    // One setting for the whole machine, whichever devices need it.
    let machine_wide = |r: &&mut Request| r.topic == "above-4g-decoding" && r.topic == request.topic;
    if let Some(known) = asked.requests.iter_mut().find(machine_wide) {
        if known.device != request.device {
            (known.device, known.slot, known.port) = (None, None, None);
            known.command = "lspci -vv | grep Region".to_owned();
        }
        if !known.found.contains(&request.found) {
            known.found = format!("{}; {}", known.found, request.found);
            known.evidence.append(&mut request.evidence);
            known.evidence.truncate(EVIDENCE);
        }
        return;
    }
    // One log of one controller, whichever devices fell silent at that time.
    let kept = |r: &&mut Request| {
        r.topic == "management-controller" && r.topic == request.topic && when(r) == when(&request)
    };
    if let Some(known) = asked.requests.iter_mut().find(kept) {
        if known.device != request.device {
            (known.device, known.slot, known.port) = (None, None, None);
        }
        return;
    }
    let same = |r: &Request| {
        // What is found at a port is found of every device below it.
        let proof = |e: &Evidence| (e.path.clone(), e.offset, e.decoded.clone());
        let same_proof =
            !r.evidence.is_empty() && r.evidence.iter().map(proof).eq(request.evidence.iter().map(proof));
        let found = r.found == request.found && same_proof;
        let ask = r.device == request.device && r.ask == request.ask;
        r.topic == request.topic && (ask || found)
    };
    if !asked.requests.iter().any(same) {
        asked.requests.push(request);
    }
}

/// What a request says of the time.
fn when(request: &Request) -> Option<&str> {
    let (_, rest) = request.ask.split_once(" around ")?;
    rest.split_once(": ").map(|(when, _)| when)
}

fn add_right(asked: &mut Asked, right: Right) {
    if !asked.right.iter().any(|r| r.what == right.what) {
        asked.right.push(right);
    }
}

fn distinct(evidence: impl Iterator<Item = Evidence>) -> Vec<Evidence> {
    let mut seen = BTreeSet::new();
    evidence.filter(|e| seen.insert((e.path.clone(), e.offset, e.decoded.clone()))).collect()
}
