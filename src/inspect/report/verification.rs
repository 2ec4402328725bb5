//! How a request is verified afterwards where the command of its setting would print now already what it should print then: such a
//! command proves nothing.

use crate::check::finding::Finding;
use crate::check::subject::register;
use crate::pci::capability::express::{self, LinkControl};

use super::Material;
use super::fill::Fill;
use super::patients::Patient;
use super::settings::Setting;

/// How it should be, and what shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// How it should be.
    pub should_be: String,
    /// A command that anybody can run.
    pub command: String,
    /// What it then prints, or what to look for in what it prints.
    pub expected: String,
    /// Whether it is printed letter by letter.
    pub verbatim: bool,
}

/// How what no setting knows is verified: the words of the check are about registers, and not all that it reads is printed by
/// lspci.
pub fn of_finding(finding: &Finding) -> Verification {
    let place = finding.address.map(|a| a.to_string());
    let expected = finding.verdict().expected.to_string();
    let words = |should_be: &str, command: String, expected: &str| Verification {
        should_be: should_be.to_owned(),
        command,
        expected: expected.to_owned(),
        verbatim: false,
    };
    match (finding.check.id, place) {
        // The table is in the device's memory (PCIe 6.2, 6.1.4.2). Interrupts that arrive are counted.
        ("msix-table-all-ones", Some(place)) => words(
            "memory of the card answers, so that its interrupts arrive",
            format!(
                "for i in $(ls /sys/bus/pci/devices/{place}/msi_irqs); do grep \"^ *$i:\" /proc/interrupts; done"
            ),
            "a line for every number, with counts that grow while the card is used",
        ),
        (id, Some(place)) if id.contains("kmsg") => {
            words(&expected, format!("dmesg | grep {place}"), &expected)
        }
        (id, None) if id.contains("kmsg") => words(&expected, "dmesg".to_owned(), &expected),
        (_, Some(place)) => words(&expected, format!("lspci -s {place} -vv"), &expected),
        (_, None) => words(&expected, "lspci -vv".to_owned(), &expected),
    }
}

/// How a setting is verified. `wrong` are the findings that are the reason; none if only the diagnosis asks for it.
pub fn verification(
    material: Material<'_>,
    patient: &Patient,
    setting: &Setting,
    wrong: &[&Finding],
) -> Verification {
    let fill = Fill::new(material, patient);
    let own = Verification {
        should_be: fill.text(setting.should_be),
        command: fill.text(setting.command),
        expected: fill.text(setting.expected),
        verbatim: setting.verbatim,
    };
    let words = |should_be: &str, command: &str, expected: &str| Verification {
        should_be: fill.text(should_be),
        command: fill.text(command),
        expected: fill.text(expected),
        verbatim: false,
    };
    // lspci prints a register of revision ffh for a function that nobody answers for (pciutils: lspci.c).
    let answers = |should_be: &str| {
        words(
            should_be,
            "lspci -s {device} -vv",
            "a line that names the card, without `(rev ff)`, and its capabilities",
        )
    };
    let is_wrong = |id: &str| wrong.iter().any(|finding| finding.check.id == id);
    let machine = material.inspection.machine;
    let card = machine.get(patient.address);
    let is_silent = card.is_none_or(|card| !card.answers());
    // Errors are latched where they were found: at either end.
    let both_ends = match patient.port {
        Some(_) => "(lspci -s {port} -vv; lspci -s {device} -vv)",
        None => "lspci -s {device} -vv",
    };
    match setting.topic {
        "exchange" if !wrong.is_empty() && wrong.iter().all(|f| f.check.id == "msix-geometry") => words(
            "the tables of MSI-X lie inside the memory of the card",
            "lspci -s {device} -vv | grep -E 'Region|MSI-X|Vector table|PBA'",
            "behind `Vector table` and `PBA` a BAR that has a line Region, with an offset below the size of that Region by at least \
             16 bytes for each of the vectors in `Count`",
        ),
        "card-and-riser" if is_silent && (fill.runs || !fill.tells) => answers(setting.should_be),
        "slot-power" if is_silent && wrong.is_empty() => answers("the card answers"),
        "card-and-riser" if fill.runs || !fill.tells => words(
            "no error is latched or logged, also under load",
            &format!("{both_ends} | grep -E 'DevSta|UESta|CESta'; dmesg | grep -E '{{port}}|{{device}}'"),
            "nothing but `-` behind the names of errors, and no line about an error since the last start; look again after a day \
             under load",
        ),
        "lanes" | "link-speed" if fill.runs || !fill.tells => words(
            "as fast and as wide as the card can",
            "lspci -s {device} -vv | grep -E 'LnkCap:|LnkSta:'",
            "the same Speed and Width behind LnkSta as behind LnkCap",
        ),
        "slot-power" if !fill.port => words(
            setting.should_be,
            "dmesg | grep -iE 'power.*{device}|{device}.*power'",
            "no line about a lack of power since the last start",
        ),
        "slot-power" if !is_wrong("power-slot-fault") => words(
            setting.should_be,
            "lspci -s {port} -vv | grep SltSta:; dmesg | grep -iE 'power.*({port}|{device})|({port}|{device}).*power'",
            "PowerFlt-, and no line of the log about a lack of power since the last start",
        ),
        "signal" if !wrong.is_empty() && wrong.iter().all(|f| f.check.id == "link-lane-errors") => {
            let place = wrong.iter().find_map(|finding| finding.address);
            let place = place.map_or_else(|| fill.text("{port}"), |address| address.to_string());
            Verification {
                should_be: "no lane has seen an error, also under load".to_owned(),
                command: format!("lspci -s {place} -vv | grep LaneErrStat"),
                expected: "LaneErrStat: 0".to_owned(),
                verbatim: true,
            }
        }
        // lspci prints the status of the 16 GT/s capability and not its parity mismatches (PCIe 6.2, 7.7.5.5 to 7.7.5.7).
        "signal" if is_wrong("link-parity-mismatch") => words(
            setting.should_be,
            "setpci -s {port} ECAP26+10.L ECAP26+14.L ECAP26+18.L",
            "00000000 three times; look again after a day under load",
        ),
        "aspm" => {
            let off = |address| {
                let control = register::<LinkControl>(machine.get(address)?, &express::SPECIFICATION).ok()?;
                Some(control.value.aspm_control() == 0)
            };
            match patient.port.and_then(off) {
                // The other end is the one that has it on.
                Some(true) => Verification {
                    command: own.command.replace(&fill.text("{port}"), &fill.text("{device}")),
                    ..own
                },
                _ => own,
            }
        }
        _ => own,
    }
}
