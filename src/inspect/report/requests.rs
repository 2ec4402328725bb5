//! What is asked of whoever may change firmware settings or touch the machine: one setting or action each, with what was
//! found, what it should be, and how that is verified afterwards. What is already right is said too.

use std::collections::BTreeSet;

use crate::check::finding::{Finding, Status, Who};
use crate::diagnosis::Verdict;
use crate::inspect::check::{Evidence, evidence};
use crate::inspect::diagnose::Device;
use crate::kernel_log::{Event, Level};
use crate::pci::Bdf;

use super::fill::Fill;
use super::link_speed;
use super::opening::capital;
use super::patients::Patient;
use super::right;
use super::settings::{SETTINGS, Setting, Standing, of_check};
use super::software;
use super::timeline::trouble;
use super::verification::{Verification, verification};
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
            one(&mut asked, material, patient, setting);
        }
        others(&mut asked, material, patient);
        if is_on_the_bus(material, patient) {
            management_controller(&mut asked, material, patient);
        }
        diagnosed(&mut asked, material, patient);
    }
    if audience == Audience::Provider {
        machine_wide(&mut asked, material);
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
pub fn about<'a>(material: Material<'a>, patient: &'a Patient) -> impl Iterator<Item = &'a Finding> {
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
pub fn is_wrong(finding: &Finding) -> bool {
    let lines = ["kmsg-aer", "kmsg-power", "bar-kmsg"].contains(&finding.check.id);
    finding.status == Status::Fail || finding.status == Status::Warn && !lines
}

/// Whether software is the reason: then nobody has to touch contacts or power.
fn is_software(material: Material<'_>, patient: &Patient) -> bool {
    patient.diagnosis(material).is_some_and(Device::is_software)
}

/// Whether the diagnosis says that the card need not be touched: it lacks addresses.
fn lacks_addresses(material: Material<'_>, patient: &Patient) -> bool {
    let verdict = patient.diagnosis(material).map(|device| device.verdict);
    matches!(verdict, Some(Verdict::BarNotAssigned | Verdict::FirmwareConfiguration))
}

/// Whether the diagnosis shows that it is needed.
fn is_diagnosed(material: Material<'_>, patient: &Patient, topic: &str) -> bool {
    let asks = |device: &Device| device.ask.iter().any(|a| a.topic == topic && a.needed == Some(true));
    patient.diagnosis(material).is_some_and(asks)
}

/// Whether what failed is inside the device: then new seating does not help.
fn is_inside(material: Material<'_>, patient: &Patient) -> bool {
    let verdict = patient.diagnosis(material).map(|device| device.verdict);
    matches!(verdict, Some(Verdict::DeviceFirmware | Verdict::MemoryFault))
}

/// What is asked where a device fell silent: hands at the hardware.
const HANDS: [&str; 2] = ["card-and-riser", "slot-power"];

fn one(asked: &mut Asked, material: Material<'_>, patient: &Patient, setting: &'static Setting) {
    // In the order in which the setting names them: the most telling first.
    let named = |id: &'static str| about(material, patient).filter(move |f| f.check.id == id);
    let mine: Vec<&Finding> = setting.checks.iter().flat_map(|id| named(id)).collect();
    let mut wrong: Vec<&Finding> = mine.iter().copied().filter(|f| is_wrong(f)).collect();
    let failed = wrong.iter().any(|f| f.status == Status::Fail);
    // What only goes along with failures of the bus is asked only where there is one, or where it has failed itself.
    let alone = setting.standing == Standing::Correlation && !is_on_the_bus(material, patient);
    if setting.standing != Standing::Shown && !is_on_the_bus(material, patient) && !failed {
        return;
    }
    let mut setting = setting;
    // A table in a BAR that has no address lies nowhere, whatever the card says.
    if setting.topic == "exchange" && named("bar-unassigned").any(is_wrong) {
        wrong.retain(|f| f.check.id != "msix-geometry");
    }
    if setting.topic == "card-and-riser" {
        if lacks_addresses(material, patient) {
            return asked.tell(setting.topic, patient);
        }
        // A warning, such as of a port that calls the link of a device that answers down, takes nobody's card out.
        if !has_failed(material, patient) {
            return;
        }
        link_speed::only_contacts(material, patient, &mut wrong);
        if !wrong.is_empty() && is_inside(material, patient) {
            asked.tell(setting.topic, patient);
            setting = SETTINGS.iter().find(|s| s.topic == "exchange").unwrap_or(setting);
        }
    }
    if HANDS.contains(&setting.topic) && is_software(material, patient) {
        return;
    }
    if wrong.is_empty() {
        return fine(asked, material, patient, setting, &mine);
    }
    asked.tell(setting.topic, patient);
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
        "error-reporting" => proofs = handed_over(material).unwrap_or(proofs),
        _ => {}
    }
    proofs.truncate(EVIDENCE);
    let whole = wrong.iter().all(|f| f.address.is_none());
    let request = Request {
        found: summaries.join("; "),
        evidence: proofs,
        standing: if alone { Standing::Shown } else { link_speed::standing(setting, &wrong) },
        ..of_setting(material, patient, setting, &wrong)
    };
    let place = (request.device, request.slot, request.port);
    let (device, slot, port) = if whole { (None, None, None) } else { place };
    add(asked, Request { device, slot, port, ..request });
    if setting.topic == "card-and-riser" {
        link_speed::not_limited(material, patient, &wrong).into_iter().for_each(|(found, evidence)| {
            let Some(setting) = SETTINGS.iter().find(|s| s.topic == "link-speed") else { return };
            asked.tell(setting.topic, patient);
            let standing = Standing::Correlation;
            add(asked, Request { found, evidence, standing, ..of_setting(material, patient, setting, &[]) });
        });
    }
}

/// What the log says of who handles errors: the lines themselves say more than what was concluded from them.
fn handed_over(material: Material<'_>) -> Option<Vec<Evidence>> {
    let said = |e: &&Event| matches!(e.kind.id, "acpi.osc-not-supported" | "acpi.osc-controls");
    let lines: Vec<Evidence> = material.log().iter().flat_map(|l| &l.events).filter(said).map(line).collect();
    (!lines.is_empty()).then_some(lines)
}

/// The request of a setting, before anything was found.
fn of_setting(material: Material<'_>, patient: &Patient, setting: &Setting, wrong: &[&Finding]) -> Request {
    let Verification { should_be, command, expected, verbatim } =
        verification(material, patient, setting, wrong);
    Request {
        number: 0,
        topic: setting.topic.to_owned(),
        ask: Fill::new(material, patient).text(setting.ask),
        who: setting.who,
        device: Some(patient.address),
        slot: patient.slot.clone(),
        port: patient.port,
        found: String::new(),
        evidence: Vec::new(),
        should_be,
        command,
        expected_output: expected,
        verbatim,
        standing: setting.standing,
    }
}

/// Nothing is wrong with it: what is right of it, or why that is not known.
fn fine(
    asked: &mut Asked,
    material: Material<'_>,
    patient: &Patient,
    setting: &'static Setting,
    mine: &[&Finding],
) {
    let (proving, what) = setting.right;
    let passed = about(material, patient).find(|f| f.status == Status::Pass && f.check.id == proving);
    // A slow link of which it is not known whether the device only saves power is no question of contacts.
    let slow = about(material, patient).filter(|f| f.check.id == link_speed::SLOW);
    let mut open: Vec<&Finding> = mine.iter().copied().filter(|f| f.check.id != link_speed::SLOW).collect();
    if setting.topic == "link-speed" {
        open.extend(slow);
    }
    // Of what nobody would miss it is not said that it is not known.
    let unknown = open.into_iter().find(|f| f.status == Status::Unknown && !proving.is_empty());
    let lost = (setting.topic == "resizable-bar").then(|| right::size_that_was(material, patient)).flatten();
    if let Some(why) = lost {
        asked.tell(setting.topic, patient);
        asked.not_measured.push(format!("Re-Size BAR, {}: {why}", patient.place_text()));
    } else if let Some(right) = right::partly(material, patient, setting.topic) {
        asked.tell(setting.topic, patient);
        add_right(asked, right);
    } else if is_diagnosed(material, patient, setting.topic) {
        // The diagnosis knows more than the checks of a card that does not answer, such as the port's end of the link.
    } else if let Some(finding) = passed {
        // A link that is up may still have a bad contact.
        if setting.topic != "card-and-riser" {
            asked.tell(setting.topic, patient);
        }
        let what = format!("{}: {what}", patient.place_text());
        let mut evidence = distinct(finding.verdict.proofs.iter().map(evidence));
        if setting.topic == "above-4g-decoding" {
            evidence.retain(|e| is_above_4g(&e.decoded));
        }
        add_right(asked, Right { topic: setting.topic.to_owned(), what, evidence });
    } else if let Some(finding) = unknown.filter(|_| setting.topic != "slot-power-limit") {
        asked.tell(setting.topic, patient);
        let what = setting.topic.replace('-', " ");
        asked.not_measured.push(format!("{what}, {}: {}", patient.place_text(), finding.summary));
    }
}

/// What is wrong with the machine as a whole although no device has trouble, for whoever asked for a profile.
fn machine_wide(asked: &mut Asked, material: Material<'_>) {
    for setting in SETTINGS.iter().filter(|setting| !setting.ask.contains('{')) {
        if setting.topic == "error-reporting" && software::keeps_from_asking(material) {
            continue;
        }
        let about = |f: &&Finding| setting.checks.contains(&f.check.id) && f.address.is_none();
        let counts = |f: &&Finding| f.status == Status::Fail || material.is_profile_chosen();
        let wrong: Vec<&Finding> =
            material.findings.iter().filter(|f| about(f) && is_wrong(f) && counts(f)).collect();
        if wrong.is_empty() || asked.requests.iter().any(|r| r.topic == setting.topic) {
            continue;
        }
        let own = distinct(wrong.iter().flat_map(|f| &f.verdict.proofs).map(evidence));
        let lines = if setting.topic == "error-reporting" { handed_over(material) } else { None };
        let found: Vec<&str> = wrong.iter().map(|f| &*f.summary).collect();
        let mut proofs = lines.unwrap_or(own);
        proofs.truncate(EVIDENCE);
        asked.requests.push(Request {
            number: 0,
            topic: setting.topic.to_owned(),
            ask: setting.ask.to_owned(),
            who: setting.who,
            device: None,
            slot: None,
            port: None,
            found: found.join("; "),
            evidence: proofs,
            should_be: setting.should_be.to_owned(),
            command: setting.command.replace("lspci -s {device}", "lspci"),
            expected_output: setting.expected.to_owned(),
            verbatim: setting.verbatim,
            standing: setting.standing,
        });
    }
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
        // Whoever has root does that; whether somebody took the card out is asked by the diagnosis.
        let visit = |device: &Device| device.ask.iter().any(|ask| ask.topic == "visit");
        let visited =
            finding.check.id == "kmsg-card-removed" && patient.diagnosis(material).is_some_and(visit);
        if software::is_remedy(action) || visited {
            continue;
        }
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
                verbatim: false,
                standing: Standing::Shown,
            },
        );
    }
}

/// What the diagnosis asks for and nothing above told already; and what it could not know.
fn diagnosed(asked: &mut Asked, material: Material<'_>, patient: &Patient) {
    let Some(device) = patient.diagnosis(material) else { return };
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
        let Some(setting) = SETTINGS.iter().find(|setting| setting.topic == ask.topic) else { continue };
        // Nobody changes a setting, or looks for power, because of what was not read.
        if ask.needed.is_none() && (setting.who == Who::Firmware || ask.topic == "slot-power") {
            asked.not_measured.push(format!("{name}, {}: {}", patient.place_text(), ask.found));
            continue;
        }
        let standing = match setting.standing {
            Standing::Visibility => Standing::Visibility,
            _ if ask.needed == Some(true) && lacks_addresses(material, patient) => Standing::Shown,
            _ => Standing::Correlation,
        };
        let mut evidence = proofs(material, patient, device, setting);
        evidence.truncate(EVIDENCE);
        add(
            asked,
            Request {
                found: ask.found.clone(),
                evidence,
                standing,
                ..of_setting(material, patient, setting, &[])
            },
        );
    }
    // The opening says when it was first seen.
    let dated = !trouble(material, patient).is_empty();
    let open = device.not_known.iter().filter(|n| !(dated && n.what == crate::inspect::diagnose::NO_TIME));
    let unknown = open.map(|n| format!("{}, {}: {}", patient.place_text(), n.what, n.command));
    asked.not_measured.extend(unknown);
}

/// What shows that the diagnosis is right to ask for it.
fn proofs(material: Material<'_>, patient: &Patient, device: &Device, setting: &Setting) -> Vec<Evidence> {
    match setting.topic {
        // What the log says of the device shows something about its contacts, and nothing about settings.
        "card-and-riser" => trouble(material, patient).into_iter().take(2).map(line).collect(),
        "aspm" => right::link_controls(material, patient),
        "error-reporting" => handed_over(material).unwrap_or_default(),
        "above-4g-decoding" => {
            let about = |sign: &str| crate::diagnosis::found::NO_ROOM.contains(&sign);
            let mine = device.evidence.iter().filter(|e| about(e.sign));
            distinct(mine.flat_map(|e| e.proofs.iter().cloned()))
        }
        _ => Vec::new(),
    }
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
            verbatim: false,
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

fn add_right(asked: &mut Asked, right: Right) {
    if !asked.right.iter().any(|r| r.what == right.what) {
        asked.right.push(right);
    }
}

fn distinct(evidence: impl Iterator<Item = Evidence>) -> Vec<Evidence> {
    let mut seen = BTreeSet::new();
    evidence.filter(|e| seen.insert((e.path.clone(), e.offset, e.decoded.clone()))).collect()
}
