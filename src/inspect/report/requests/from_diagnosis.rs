//! What is asked because of a verdict or of a finding that no setting knows, and of the management controller.

use crate::check::finding::{Status, Who};
use crate::diagnosis::Confidence;
use crate::inspect::check::{Evidence, evidence};
use crate::inspect::diagnose::Device;

use super::super::Material;
use super::super::opening::capital;
use super::super::patients::Patient;
use super::super::right;
use super::super::settings::{SETTINGS, Setting, Standing, of_check};
use super::super::software;
use super::super::timeline::trouble;
use super::super::verification::{Verification, of_finding};
use super::from_settings::of_setting;
use super::{
    Asked, EVIDENCE, Request, Right, about, add, add_right, asks_for_hands, distinct, handed_over,
    is_software, is_virtual, lacks_addresses, line,
};

/// What failed and no setting knows, if somebody else than the operator has to do with it.
pub(super) fn of_findings(asked: &mut Asked, material: Material<'_>, patient: &Patient) {
    for finding in about(material, patient).filter(|f| f.status == Status::Fail) {
        let who = finding.verdict().who.unwrap_or(finding.check.who);
        let theirs = matches!(who, Who::Firmware | Who::Provider | Who::Replacement);
        if !theirs || of_check(finding.check.id).is_some() {
            continue;
        }
        if is_virtual(material, patient) && who != Who::Firmware {
            continue;
        }
        let bus = ["presence-", "aer-", "dpc-", "power-slot", "kmsg-"];
        if is_software(material, patient) && bus.iter().any(|start| finding.check.id.starts_with(start)) {
            continue;
        }
        let action = finding.verdict().action.as_deref().unwrap_or(finding.check.remedy);
        // Whoever has root does that; whether somebody took the card out is asked by the diagnosis.
        let visit = |device: &Device| device.ask.iter().any(|ask| ask.topic == "visit");
        let visited =
            finding.check.id == "kmsg-card-removed" && patient.diagnosis(material).is_some_and(visit);
        if software::is_remedy(action) || visited {
            continue;
        }
        // Whoever has not got this program cannot look up a line with it.
        let action = software::without_explain(action);
        let place = finding.address.map(|a| a.to_string()).unwrap_or_default();
        let Verification { should_be, command, expected, verbatim } = of_finding(finding);
        add(
            asked,
            Request {
                number: 0,
                topic: finding.check.id.replace("kmsg", "kernel-log"),
                ask: capital(&action),
                who,
                device: finding.address.map(|_| patient.address),
                slot: patient.slot.clone(),
                port: patient.port,
                found: format!("{place}: {}", finding.summary).trim_start_matches(": ").to_owned(),
                evidence: distinct(finding.verdict().proofs.iter().map(evidence)),
                should_be,
                command,
                expected_output: expected,
                verbatim,
                standing: Standing::Shown,
            },
        );
    }
}

/// What the diagnosis asks for and nothing above told already; and what it could not know.
pub(super) fn of_diagnosis(asked: &mut Asked, material: Material<'_>, patient: &Patient) {
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
        if is_virtual(material, patient) && setting.who != Who::Firmware {
            continue;
        }
        // Nobody changes a setting because of what was not read; whoever reseats the card looks at its cables anyway.
        let cables = ask.topic == "slot-power" && asks_for_hands(device);
        if ask.needed.is_none() && (setting.who == Who::Firmware || cables) {
            asked.not_measured.push(format!("{name}, {}: {}", patient.place_text(), ask.found));
            continue;
        }
        let standing = match setting.standing {
            Standing::Visibility => Standing::Visibility,
            _ if ask.needed == Some(true) && lacks_addresses(material, patient) => Standing::Shown,
            // The log names the device's own memory.
            _ if ask.topic == "memory" && device.confidence == Confidence::Certain => Standing::Shown,
            _ => Standing::Correlation,
        };
        let mut evidence = proofs(material, patient, device, setting);
        evidence.truncate(EVIDENCE);
        add(
            asked,
            Request {
                found: match (ask.topic, trouble(material, patient).first()) {
                    ("visit", Some(first)) => {
                        format!("the first line about it is of {}: {}", material.moment(first), first.message)
                    }
                    _ => ask.found.clone(),
                },
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
        "card-and-riser" => {
            let counted = right::counters(material, patient).into_iter().map(|(.., evidence)| evidence);
            trouble(material, patient).into_iter().take(2).map(line).chain(counted).collect()
        }
        "slot-power" | "visit" => trouble(material, patient).into_iter().take(2).map(line).collect(),
        "memory" => {
            let mine = device.evidence.iter().filter(|e| e.sign == "memory-errors");
            distinct(mine.flat_map(|e| e.proofs.iter().cloned()))
        }
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
pub(super) fn management_controller(asked: &mut Asked, material: Material<'_>, patient: &Patient) {
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
