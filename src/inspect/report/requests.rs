//! What is asked of whoever may change firmware settings or touch the machine: one setting or action each, with what was
//! found, what it should be, and how that is verified afterwards. What is already right is said too.

use std::collections::BTreeSet;

use crate::check::finding::{Finding, Status, Who};
use crate::diagnosis::Verdict;
use crate::inspect::check::{Evidence, evidence};
use crate::inspect::diagnose::Device;
use crate::kernel_log::{Event, Level};
use crate::pci::Bdf;

use super::Material;
use super::fill::Fill;
use super::opening::capital;
use super::patients::Patient;
use super::right;
use super::settings::{SETTINGS, Setting, Standing, of_check};
use super::timeline::trouble;

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
    /// What the command then prints.
    pub expected_output: String,
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
        // Whoever looks at lanes looks at the seating of the card.
        let lanes = |r: &Request| r.topic == "lanes" && r.device == Some(patient.address);
        self.told.contains(&(topic.to_owned(), patient.address))
            || topic == "card-and-riser" && self.requests.iter().any(lanes)
    }
}

/// Most pieces of evidence of one request.
const EVIDENCE: usize = 8;

/// Requests for the devices that have trouble.
pub fn requests(material: Material<'_>, patients: &[Patient]) -> Asked {
    let mut asked = Asked::default();
    for patient in patients {
        for setting in SETTINGS {
            one(&mut asked, material, patient, setting);
        }
        others(&mut asked, material, patient);
        if is_on_the_bus(material, patient) {
            management_controller(&mut asked, material, patient);
        }
        diagnosed(&mut asked, material, patient);
    }
    let order =
        |r: &Request| (r.standing, SETTINGS.iter().position(|s| s.topic == r.topic).unwrap_or(usize::MAX));
    asked.requests.sort_by_key(order);
    asked.requests.iter_mut().enumerate().for_each(|(place, request)| request.number = place + 1);
    asked.not_measured.sort();
    asked.not_measured.dedup();
    asked
}

/// Whether it fell silent or makes errors. A link that always was slow or narrow has nothing to do with power or temperature, nor
/// has a driver that gave up.
fn is_on_the_bus(material: Material<'_>, patient: &Patient) -> bool {
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
fn about<'a>(material: Material<'a>, patient: &'a Patient) -> impl Iterator<Item = &'a Finding> {
    let mine = |a: Bdf| a == patient.address || patient.others.contains(&a) || patient.port == Some(a);
    material.findings.iter().filter(move |f| f.address.is_none_or(mine))
}

/// A line of the log as evidence.
fn line(event: &Event) -> Evidence {
    Evidence {
        path: "kernel log".to_owned(),
        offset: None,
        width: None,
        raw: None,
        decoded: event.evidence.first().map_or(event.message.clone(), |line| line.text.clone()),
    }
}

/// Whether it is a reason to ask. A warning about a line of the log, such as a corrected error, is none.
fn is_wrong(finding: &Finding) -> bool {
    let lines = ["kmsg-aer", "kmsg-power", "bar-kmsg"].contains(&finding.check.id);
    finding.status == Status::Fail || finding.status == Status::Warn && !lines
}

/// Whether software is the reason: then nobody has to touch contacts or power.
fn is_software(material: Material<'_>, patient: &Patient) -> bool {
    patient.diagnosis(material).is_some_and(Device::is_software)
}

/// What is asked where a device fell silent: hands at the hardware.
const HANDS: [&str; 2] = ["card-and-riser", "slot-power"];

fn one(asked: &mut Asked, material: Material<'_>, patient: &Patient, setting: &'static Setting) {
    // In the order in which the setting names them: the most telling first.
    let mine: Vec<&Finding> = setting
        .checks
        .iter()
        .flat_map(|id| about(material, patient).filter(move |f| f.check.id == *id))
        .collect();
    let wrong: Vec<&Finding> = mine.iter().copied().filter(|f| is_wrong(f)).collect();
    // What only goes along with failures of the bus is asked only where there is one.
    if setting.standing != Standing::Shown && !is_on_the_bus(material, patient) {
        return;
    }
    if HANDS.contains(&setting.topic) && is_software(material, patient) {
        return;
    }
    let mut tell = || _ = asked.told.insert((setting.topic.to_owned(), patient.address));
    if wrong.is_empty() {
        let (proving, what) = setting.right;
        let passed = mine.iter().find(|f| f.status == Status::Pass && f.check.id == proving);
        let unknown = mine.iter().find(|f| f.status == Status::Unknown);
        let lost =
            (setting.topic == "resizable-bar").then(|| right::size_that_was(material, patient)).flatten();
        if let Some(why) = lost {
            tell();
            asked.not_measured.push(format!("Re-Size BAR, {}: {why}", patient.place_text()));
        } else if let Some(right) = right::partly(material, patient, setting.topic) {
            tell();
            add_right(asked, right);
        } else if let Some(finding) = passed {
            // A link that is up may still have a bad contact.
            if setting.topic != "card-and-riser" {
                tell();
            }
            let what = format!("{}: {what}", patient.place_text());
            let mut evidence = distinct(finding.verdict.proofs.iter().map(evidence));
            if setting.topic == "above-4g-decoding" {
                evidence.retain(|e| is_above_4g(&e.decoded));
            }
            add_right(asked, Right { topic: setting.topic.to_owned(), what, evidence });
        } else if let Some(finding) = unknown {
            tell();
            let what = setting.topic.replace('-', " ");
            asked.not_measured.push(format!("{what}, {}: {}", patient.place_text(), finding.summary));
        }
        return;
    }
    tell();
    let mut summaries: Vec<String> = Vec::new();
    for finding in &wrong {
        let text = match finding.address {
            Some(address) => format!("{address}: {}", finding.summary),
            None => finding.summary.to_string(),
        };
        if !summaries.contains(&text) {
            summaries.push(text);
        }
    }
    let mut proofs: Vec<Evidence> = distinct(wrong.iter().flat_map(|f| &f.verdict.proofs).map(evidence));
    match setting.topic {
        "card-and-riser" => proofs.extend(trouble(material, patient).into_iter().take(2).map(line)),
        // The lines themselves say more than what was concluded from them.
        "error-reporting" => {
            let said = |e: &&Event| matches!(e.kind.id, "acpi.osc-not-supported" | "acpi.osc-controls");
            let lines: Vec<Evidence> =
                material.log().iter().flat_map(|l| &l.events).filter(said).map(line).collect();
            if !lines.is_empty() {
                proofs = lines;
            }
        }
        _ => {}
    }
    proofs.truncate(EVIDENCE);
    let fill = Fill::new(material, patient);
    let whole = wrong.iter().all(|f| f.address.is_none());
    add(
        asked,
        Request {
            number: 0,
            topic: setting.topic.to_owned(),
            ask: fill.text(setting.ask),
            who: setting.who,
            device: (!whole).then_some(patient.address),
            slot: patient.slot.clone().filter(|_| !whole),
            port: patient.port.filter(|_| !whole),
            found: summaries.join("; "),
            evidence: proofs,
            should_be: fill.text(setting.should_be),
            command: fill.text(setting.command),
            expected_output: fill.text(setting.expected),
            standing: setting.standing,
        },
    );
}

/// Whether a line of the log is about memory above 4 GiB: `[mem 0x30000000000-…`.
fn is_above_4g(line: &str) -> bool {
    let start = line.split_once("[mem 0x").and_then(|(_, rest)| rest.split('-').next());
    start.is_some_and(|start| start.len() > 8)
}

/// What failed and no setting knows, if somebody else than the operator has to do with it.
fn others(asked: &mut Asked, material: Material<'_>, patient: &Patient) {
    for finding in about(material, patient).filter(|f| f.status == Status::Fail) {
        let who = finding.verdict.who.unwrap_or(finding.check.who);
        let theirs = matches!(who, Who::Firmware | Who::Provider | Who::Replacement);
        if !theirs || of_check(finding.check.id).is_some() {
            continue;
        }
        let bus = ["presence-", "aer-", "dpc-", "power-slot", "kmsg-"];
        if is_software(material, patient) && bus.iter().any(|start| finding.check.id.starts_with(start)) {
            continue;
        }
        let action = finding.verdict.action.as_deref().unwrap_or(finding.check.remedy);
        // Whoever has not got this program cannot look up a line with it.
        let action = action.trim_start_matches("`explain` the line; ");
        let place = finding.address.map(|a| a.to_string()).unwrap_or_default();
        let command = match (finding.check.id.contains("kmsg"), finding.address) {
            (true, Some(address)) => format!("dmesg | grep {address}"),
            (true, None) => "dmesg".to_owned(),
            (false, Some(address)) => format!("lspci -s {address} -vv"),
            (false, None) => "lspci -vv".to_owned(),
        };
        add(
            asked,
            Request {
                number: 0,
                topic: finding.check.id.replace("kmsg", "kernel-log"),
                ask: capital(action),
                who,
                device: finding.address.map(|_| patient.address),
                slot: patient.slot.clone(),
                port: patient.port,
                found: format!("{place}: {}", finding.summary).trim_start_matches(": ").to_owned(),
                evidence: distinct(finding.verdict.proofs.iter().map(evidence)),
                should_be: finding.verdict.expected.to_string(),
                command,
                expected_output: finding.verdict.expected.to_string(),
                standing: Standing::Shown,
            },
        );
    }
}

/// What the diagnosis asks for and nothing above told already; and what it could not know.
fn diagnosed(asked: &mut Asked, material: Material<'_>, patient: &Patient) {
    let Some(device) = patient.diagnosis(material) else { return };
    let fill = Fill::new(material, patient);
    for ask in device.ask.iter().filter(|ask| ask.topic != "memory" || ask.needed != Some(false)) {
        if asked.is_told(ask.topic, patient) {
            continue;
        }
        asked.told.insert((ask.topic.to_owned(), patient.address));
        let name = ask.topic.replace('-', " ");
        if ask.needed == Some(false) {
            let what = format!("{}, {name}: {}", patient.place_text(), ask.found);
            add_right(asked, Right { topic: ask.topic.to_owned(), what, evidence: Vec::new() });
            continue;
        }
        let setting = SETTINGS.iter().find(|setting| setting.topic == ask.topic);
        // What the log says of the device shows something about its contacts, and nothing about settings.
        let lines = if ask.topic == "card-and-riser" { trouble(material, patient) } else { Vec::new() };
        let visible = setting.is_some_and(|setting| setting.standing == Standing::Visibility);
        let text = |of: fn(&Setting) -> &'static str, other: &str| {
            setting.map_or(other.to_owned(), |setting| fill.text(of(setting)))
        };
        add(
            asked,
            Request {
                number: 0,
                topic: ask.topic.to_owned(),
                ask: setting.map_or_else(|| capital(&ask.what), |setting| fill.text(setting.ask)),
                who: setting.map_or(ask.who, |setting| setting.who),
                device: Some(patient.address),
                slot: patient.slot.clone(),
                port: patient.port,
                found: ask.found.clone(),
                evidence: lines.into_iter().take(2).map(line).collect(),
                should_be: text(|setting| setting.should_be, "the device works"),
                command: text(|setting| setting.command, &format!("lspci -s {} -vv", patient.address)),
                expected_output: text(|setting| setting.expected, "the device answers"),
                standing: if visible { Standing::Visibility } else { Standing::Correlation },
            },
        );
    }
    let unknown =
        device.not_known.iter().map(|n| format!("{}, {}: {}", patient.place_text(), n.what, n.command));
    asked.not_measured.extend(unknown);
}

/// Power and temperature are not part of PCI Express: the management controller has kept them.
fn management_controller(asked: &mut Asked, material: Material<'_>, patient: &Patient) {
    asked.told.insert(("management-controller".to_owned(), patient.address));
    let when = trouble(material, patient)
        .first()
        .map_or("the time of the failure".to_owned(), |event| material.moment(event));
    let kept = material.management;
    let nothing = kept.telling.is_empty() && kept.bad.is_empty();
    if kept.entries.is_some() && nothing {
        let what = format!("management controller (BMC): {}", kept.says());
        return add_right(
            asked,
            Right { topic: "management-controller".to_owned(), what, evidence: Vec::new() },
        );
    }
    let answers = material.inspection.machine.get(patient.address).is_some_and(|f| f.answers());
    let (ask, found) = match kept.is_known() {
        true => (
            format!(
                "Say what happened to the power supplies, temperatures and fans around {when}: the management controller (BMC) has \
                 kept something"
            ),
            kept.says(),
        ),
        false => (
            format!(
                "Send the event log and the sensors of the management controller (BMC) around {when}: power supplies, temperature \
                 of the card, speed of the fans"
            ),
            format!(
                "not measured here: voltages, temperatures and fans cannot be read over PCI Express{}; please read the BMC log",
                if answers { "" } else { ", least of all from a card that does not answer" }
            ),
        ),
    };
    add(
        asked,
        Request {
            number: 0,
            topic: "management-controller".to_owned(),
            ask,
            who: Who::Provider,
            device: Some(patient.address),
            slot: patient.slot.clone(),
            port: patient.port,
            found,
            evidence: kept.evidence(),
            should_be: "no event of power or temperature at that time".to_owned(),
            command: "ipmitool sel elist; ipmitool sdr".to_owned(),
            expected_output: "no line about a power supply, a voltage or a temperature at that time"
                .to_owned(),
            standing: Standing::Correlation,
        },
    );
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
    let same = |r: &Request| {
        let place = r.device == request.device || request.device.is_none() && r.device.is_none();
        r.topic == request.topic && place && (r.ask == request.ask || r.found == request.found)
    };
    if !asked.requests.iter().any(same) {
        asked.requests.push(request);
    }
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
