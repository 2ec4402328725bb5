//! What somebody with root does: a provider is not asked for it.

use super::Material;
use super::patients::{Patient, cleared};
use super::requests::{is_on_the_bus, lacks_addresses};
use crate::check::finding::Who;
use crate::inspect::check::Report;
use crate::machine::{above_4g, aer};

/// Whether a remedy is one of software: parameters of the kernel, commands.
pub fn is_remedy(action: &str) -> bool {
    let words = ["pci=", "kernel command line", "setpci", "rescan", "echo 1 >", "modprobe"];
    words.iter().any(|word| action.contains(word))
}

/// The option because of which the kernel does not ask firmware for control of errors, if there is one.
pub fn keeps_from_asking(material: Material<'_>) -> Option<&'static str> {
    aer::kept_by_option(material.inspection.platform)
}

/// What whoever has root can do without the provider, because of the patients: a clause each.
pub fn for_root(material: Material<'_>, patients: &[Patient]) -> Vec<String> {
    let platform = material.inspection.platform;
    let mut out = Vec::new();
    let ignored = above_4g::windows_ignored(platform);
    let lacking = patients.iter().any(|patient| lacks_addresses(material, patient));
    if let Some(option) = ignored.filter(|_| lacking) {
        out.push(format!(
            "remove {option} from the kernel command line: with it Linux does not use the windows that firmware tells"
        ));
    }
    let errors = patients.iter().any(|patient| is_on_the_bus(material, patient));
    if let Some(option) = keeps_from_asking(material).filter(|option| errors && Some(*option) != ignored) {
        out.push(format!(
            "remove {option} from the kernel command line: with it Linux does not ask firmware for control of errors, and nobody \
             is told of them"
        ));
    }
    for patient in patients {
        let Some(device) = patient.diagnosis(material) else { continue };
        for advice in device.to_do.iter().filter(|a| a.who == Who::Operator && is_remedy(&a.what)) {
            // The windows of firmware are what is to be used first.
            let too_early = ignored.is_some() && advice.what.contains("pci=realloc");
            if !too_early && !out.contains(&advice.what) {
                out.push(advice.what.clone());
            }
        }
    }
    out
}

/// A finding for somebody who has not got this program.
pub fn in_a_letter(finding: Report) -> Report {
    let action = finding.action.map(|action| without_explain(&action));
    Report { action, ..finding }
}

/// A remedy without the advice to look a line up with this program.
pub fn without_explain(action: &str) -> String {
    action.replace("`explain` the line; ", "").replace("`explain` the line: ", "in the line, ")
}

/// A finding without the advice to touch hardware, where software is the reason.
pub fn without_hands(material: Material<'_>, patients: &[Patient], finding: Report) -> Report {
    let near = |p: &&Patient| finding.address.is_some_and(|a| p.place.contains(&a) || p.others.contains(&a));
    let software =
        |p: &Patient| p.diagnosis(material).is_some_and(crate::inspect::diagnose::Device::is_software);
    // What the diagnosis cleared needs no hands either.
    let place = finding.address.map(|address| address.to_string());
    let cleared = cleared(material).into_iter().any(|device| device.address == place);
    if finding.who == Some(Who::Provider) && cleared {
        return Report { action: None, who: None, ..finding };
    }
    let mine: Vec<&Patient> = patients.iter().filter(near).collect();
    if finding.who != Some(Who::Provider) || mine.is_empty() || !mine.into_iter().all(software) {
        return finding;
    }
    Report { action: None, who: None, ..finding }
}
