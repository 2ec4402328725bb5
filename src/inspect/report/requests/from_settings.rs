//! What the settings of firmware and the hands at the hardware are asked for, because of what the checks found.

use crate::check::finding::{Finding, Status, Who};
use crate::diagnosis::found::corrected_text;
use crate::inspect::check::{Evidence, evidence};

use super::super::Material;
use super::super::fill::Fill;
use super::super::link_speed;
use super::super::patients::Patient;
use super::super::right::{self, counters};
use super::super::settings::{SETTINGS, Setting, Standing};
use super::super::software;
use super::super::timeline::trouble;
use super::super::verification::{Verification, verification};
use super::room::{Setup, setup};
use super::{
    Asked, EVIDENCE, Request, Right, about, add, add_right, asks_for_hands, distinct, handed_over,
    has_failed, is_diagnosed, is_elsewhere, is_inside, is_on_the_bus, is_software, is_virtual, is_wrong,
    lacks_addresses, line,
};

/// What is asked where a device fell silent: hands at the hardware.
const HANDS: [&str; 2] = ["card-and-riser", "slot-power"];

/// What one setting is asked for because of one patient.
pub(super) fn of_patient(
    asked: &mut Asked,
    material: Material<'_>,
    patient: &Patient,
    setting: &'static Setting,
) {
    if is_virtual(material, patient) && matches!(setting.who, Who::Provider | Who::Replacement) {
        return;
    }
    // Linux was told not to ask: what firmware would have answered is not known.
    if setting.topic == "error-reporting" && software::keeps_from_asking(material).is_some() {
        return asked.tell(setting.topic, patient);
    }
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
    // The diagnosis names another reason, and whom to ask because of it.
    if setting.topic == "card-and-riser" && is_elsewhere(material, patient) {
        return asked.tell(setting.topic, patient);
    }
    if setting.topic == "above-4g-decoding" && !wrong.is_empty() {
        let place = patient.place_text();
        let told = match setup(material, patient) {
            Setup::Asked => None,
            Setup::Larger(found) => {
                let Some(setting) = SETTINGS.iter().find(|s| s.topic == "mmio-high-size") else { return };
                let mut evidence: Vec<Evidence> =
                    distinct(wrong.iter().flat_map(|f| &f.verdict().proofs).map(evidence));
                evidence.truncate(EVIDENCE);
                add(asked, Request { found, evidence, ..of_setting(material, patient, setting, &wrong) });
                Some(None)
            }
            Setup::On(why) => Some(Some(format!("{place}: Above 4G Decoding is on: {why}"))),
            Setup::Beside(why) => {
                Some(Some(format!("{place}: Above 4G Decoding need not be changed: {why}")))
            }
        };
        if let Some(what) = told {
            asked.tell(setting.topic, patient);
            let right = |what| Right { topic: setting.topic.to_owned(), what, evidence: Vec::new() };
            what.map(right).into_iter().for_each(|right| add_right(asked, right));
            return;
        }
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
    let mut proofs: Vec<Evidence> = distinct(wrong.iter().flat_map(|f| &f.verdict().proofs).map(evidence));
    match setting.topic {
        "card-and-riser" => {
            let counted = counters(material, patient);
            let found = counted.iter().map(|(address, total, _)| corrected_text(*address, *total));
            summaries.extend(found);
            proofs.extend(trouble(material, patient).into_iter().take(2).map(line));
            proofs.extend(counted.into_iter().map(|(.., evidence)| evidence));
        }
        "error-reporting" => proofs = handed_over(material).unwrap_or(proofs),
        _ => {}
    }
    // Findings show the same lines.
    proofs = distinct(proofs.into_iter());
    proofs.truncate(EVIDENCE);
    let whole = wrong.iter().all(|f| f.address.is_none());
    let request = Request {
        found: summaries.join("; "),
        evidence: proofs,
        standing: match setting.topic {
            _ if alone => Standing::Shown,
            // What the diagnosis does not ask for is not shown to be the reason.
            "card-and-riser" if patient.diagnosis(material).is_some_and(|d| !asks_for_hands(d)) => {
                Standing::Correlation
            }
            _ => link_speed::standing(setting, &wrong),
        },
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

/// The request of a setting, before anything was found.
pub(super) fn of_setting(
    material: Material<'_>,
    patient: &Patient,
    setting: &Setting,
    wrong: &[&Finding],
) -> Request {
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
    } else if setting.topic == "slot-power" && is_elsewhere(material, patient) {
        // No latched fault does not mean enough power: where the diagnosis asks for power and not for the seating, it says more.
    } else if is_diagnosed(material, patient, setting.topic) {
        // The diagnosis knows more than the checks of a card that does not answer, such as the port's end of the link.
    } else if let Some(finding) = passed {
        // A link that is up may still have a bad contact.
        if setting.topic != "card-and-riser" {
            asked.tell(setting.topic, patient);
        }
        let what = format!("{}: {what}", patient.place_text());
        let mut evidence = distinct(finding.verdict().proofs.iter().map(evidence));
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
pub(super) fn machine_wide(asked: &mut Asked, material: Material<'_>) {
    for setting in SETTINGS.iter().filter(|setting| !setting.ask.contains('{')) {
        if setting.topic == "error-reporting" && software::keeps_from_asking(material).is_some() {
            continue;
        }
        let about = |f: &&Finding| setting.checks.contains(&f.check.id) && f.address.is_none();
        let counts = |f: &&Finding| f.status == Status::Fail || material.is_profile_chosen();
        let wrong: Vec<&Finding> =
            material.findings.iter().filter(|f| about(f) && is_wrong(f) && counts(f)).collect();
        if wrong.is_empty() || asked.requests.iter().any(|r| r.topic == setting.topic) {
            continue;
        }
        let own = distinct(wrong.iter().flat_map(|f| &f.verdict().proofs).map(evidence));
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
