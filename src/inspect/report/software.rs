//! What somebody with root does: a provider is not asked for it.

use super::Material;
use super::patients::Patient;
use crate::check::finding::Who;
use crate::inspect::check::Report;

/// Whether a remedy is one of software: parameters of the kernel, commands.
pub fn is_remedy(action: &str) -> bool {
    let words = ["pci=", "kernel command line", "setpci", "rescan", "echo 1 >", "modprobe"];
    words.iter().any(|word| action.contains(word))
}

/// Whether the kernel was told not to ask firmware for control of errors (Linux: `negotiate_os_control` in
/// drivers/acpi/pci_root.c asks for AER only where ASPM, MSI and AER are not switched off).
pub fn keeps_from_asking(material: Material<'_>) -> bool {
    let line = material.inspection.platform.command_line.as_deref().unwrap_or_default();
    let words = ["noaer", "nomsi", "pcie_ports=compat", "pcie_aspm=off", "noacpi", "acpi=off"];
    words.iter().any(|word| line.contains(word))
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
    let mine: Vec<&Patient> = patients.iter().filter(near).collect();
    if finding.who != Some(Who::Provider) || mine.is_empty() || !mine.into_iter().all(software) {
        return finding;
    }
    Report { action: None, who: None, ..finding }
}
