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
    let is_wrong = |id: &str| wrong.iter().any(|finding| finding.check.id == id);
    let machine = material.inspection.machine;
    match setting.topic {
        "card-and-riser" if fill.runs => match machine.get(patient.address) {
            Some(card) if card.answers() => words(
                "no error is latched or logged, also under load",
                "lspci -s {port} -vv | grep -E 'DevSta|UESta|CESta'; dmesg | grep -E '{port}|{device}'",
                "nothing but `-` behind the names of errors, and no line about an error since the last start; look again after a day \
                 under load",
            ),
            // lspci prints a register of revision ffh for a function that nobody answers for (pciutils: lspci.c).
            _ => words(
                setting.should_be,
                "lspci -s {device} -vv",
                "a line that names the card, without `(rev ff)`, and its capabilities",
            ),
        },
        "lanes" | "link-speed" if fill.runs => words(
            "as fast and as wide as the card can",
            "lspci -s {device} -vv | grep -E 'LnkCap:|LnkSta:'",
            "the same Speed and Width behind LnkSta as behind LnkCap",
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
