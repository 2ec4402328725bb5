//! What may be asked of whoever sets up firmware or touches the machine: the words that setup menus use, which checks prove
//! that it is needed, and how it is verified with tools that everybody has. A command whose output is that already although the
//! request stands proves nothing: `verification.rs` has others for such findings.
//!
//! Vendors name their settings differently, and no public list of the names exists: a request gives the words that are used most,
//! so that whoever knows the menus finds the like. In texts `{device}`, `{port}`, `{slot}`, `{speed}`, `{width}` stand for what the request is about. What the commands print is
//! that of lspci (pciutils 3.9 to 3.14: ls-caps.c) and of the kernel (drivers/acpi/pci_root.c, drivers/pci/probe.c).

use crate::check::finding::Who;

/// How a request has to do with the trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// What was read shows that this is wrong.
    Shown,
    /// It goes along with such failures; nothing that was read proves that it caused this one.
    Correlation,
    /// It did not cause the failure; without it the next one cannot be seen.
    Visibility,
}

impl Standing {
    /// In words for the one who reads the request.
    pub fn text(self) -> &'static str {
        match self {
            Standing::Shown => "shown by what was read",
            Standing::Correlation => {
                "correlation only: it goes along with such failures, nothing here proves that it caused this one"
            }
            Standing::Visibility => "not a cause: without it the next failure leaves no trace either",
        }
    }
}

/// Something that may be asked.
#[derive(Debug)]
pub struct Setting {
    /// What it is called in answers.
    pub topic: &'static str,
    /// The same in a few words, for a list.
    pub short: &'static str,
    /// What is asked: one sentence with a verb in front.
    pub ask: &'static str,
    /// Who can do it.
    pub who: Who,
    /// Checks whose failure or warning is the reason. The first that found something says what should be.
    pub checks: &'static [&'static str],
    /// How it has to do with the trouble.
    pub standing: Standing,
    /// How it should be.
    pub should_be: &'static str,
    /// A command that anybody can run afterwards.
    pub command: &'static str,
    /// What it then prints, or what to look for in what it prints.
    pub expected: &'static str,
    /// Whether the command prints `expected` letter by letter.
    pub verbatim: bool,
    /// The check whose pass shows that nothing needs to be asked, and what is then said; empty where only a diagnosis asks.
    pub right: (&'static str, &'static str),
}

/// All of them, in the order in which they are asked.
pub static SETTINGS: &[Setting] = &[
    Setting {
        topic: "card-and-riser",
        short: "a power cycle and new seating of card and riser",
        ask: "Power the machine off (a reset is not enough), reseat the card in {slot} and its riser, check the card's power \
              cables; if it fails again, try the card in another slot",
        who: Who::Provider,
        checks: &[
            "presence-config-all-ones",
            "presence-parent-link",
            "presence-partial-ones",
            "link-training",
            "link-speed-below-path",
            "aer-status-latched",
            "aer-fatal",
            "kmsg-fallen-off",
            "kmsg-link-down",
            "kmsg-aer",
        ],
        standing: Standing::Shown,
        should_be: "the link is up with {speed} {width}, and the card answers",
        command: "lspci -s {port} -vv | grep LnkSta:",
        expected: "Speed {speed}, Width {width}",
        verbatim: true,
        right: ("presence-parent-link", "the link to the card is up"),
    },
    Setting {
        topic: "slot-power",
        short: "the power of the slot",
        ask: "Check the power supply of {slot}: power cables of the card and the riser, the slot's power controller",
        who: Who::Provider,
        checks: &["power-slot-fault", "kmsg-power"],
        standing: Standing::Shown,
        should_be: "no power fault",
        command: "lspci -s {port} -vv | grep SltSta:",
        expected: "PowerFlt-",
        verbatim: true,
        right: ("power-slot-fault", "no power fault is latched at the slot"),
    },
    Setting {
        topic: "slot-power-limit",
        short: "the power limit of the slot",
        ask: "Raise the power limit of {slot} (`Slot Power Limit`) in firmware setup to what the card takes, and check that the riser \
              carries as much",
        who: Who::Firmware,
        checks: &["power-slot-limit"],
        standing: Standing::Shown,
        should_be: "the slot grants the card as much power as it takes",
        command: "lspci -s {port} -vv | grep PowerLimit",
        expected: "behind PowerLimit as many watts as the card takes",
        verbatim: false,
        right: ("power-slot-limit", "the slot grants enough power"),
    },
    Setting {
        topic: "lanes",
        short: "slot bifurcation and the seating of card and riser",
        ask: "Restore all lanes of {slot}: check `PCIe Slot Bifurcation` in firmware setup, then the seating of card and riser",
        who: Who::Provider,
        checks: &["link-width-below-path", "link-width-below-own"],
        standing: Standing::Shown,
        should_be: "{width}",
        command: "lspci -s {port} -vv | grep LnkSta:",
        expected: "Speed {speed}, Width {width}",
        verbatim: true,
        right: ("link-width-below-path", "all lanes are in use"),
    },
    Setting {
        topic: "signal",
        short: "the contacts of card and riser",
        ask: "Reseat the card in {slot} and its riser and clean the contacts; power the machine off for it, so that the link is trained \
              anew. If the same comes back, try another riser or slot",
        who: Who::Provider,
        checks: &["link-eq-incomplete", "link-lane-errors", "link-parity-mismatch", "link-eq-request"],
        standing: Standing::Shown,
        should_be: "equalization is complete and no lane has seen an error, also under load",
        command: "lspci -s {port} -vv | grep -E 'EqualizationComplete|EqualizationPhase|Phy(16|32|64)Sta|LaneErrStat'",
        expected: "`+` behind everything that begins with Equ, LinkEqualizationRequest- and `LaneErrStat: 0`; the lines Phy16Sta to \
                   Phy64Sta (EquComplete+) come with a pciutils that knows these capabilities",
        verbatim: false,
        right: ("", ""),
    },
    Setting {
        topic: "link-speed",
        short: "the speed of the slot",
        ask: "Set `PCIe Link Speed` (`PCIe Slot Speed`, `Max Link Speed`) of {slot} to Auto in firmware setup",
        who: Who::Firmware,
        checks: &["link-target-limited", "link-speed-below-own"],
        standing: Standing::Shown,
        should_be: "{speed}",
        command: "lspci -s {port} -vv | grep LnkSta:",
        expected: "Speed {speed}, Width {width}",
        verbatim: true,
        right: ("link-speed-below-path", "the link is as fast as both ends can"),
    },
    Setting {
        topic: "aspm",
        short: "ASPM",
        ask: "Set `PCIe ASPM Support` (`ASPM`, `PCI Express Native Power Management`) and `L1 Substates` of {slot} to Disabled in \
              firmware setup",
        who: Who::Firmware,
        checks: &["aspm-enabled", "aspm-l1ss"],
        standing: Standing::Correlation,
        should_be: "ASPM is off at both ends of the link",
        command: "lspci -s {port} -vv | grep LnkCtl:",
        expected: "ASPM Disabled",
        verbatim: true,
        right: ("aspm-enabled", "ASPM is off"),
    },
    Setting {
        topic: "above-4g-decoding",
        short: "Above 4G Decoding",
        ask: "Set `Above 4G Decoding` (`Memory Mapped I/O above 4 GB`, `64-bit MMIO`) to Enabled in firmware setup, with as much room \
              as `MMIO High Size` offers",
        who: Who::Firmware,
        checks: &[
            "bar-unassigned",
            "host-no-64bit-window",
            "bridge-window-small",
            "bar-large-below-4g",
            "bar-kmsg",
        ],
        standing: Standing::Shown,
        should_be: "every BAR of the card has an address, and there is a window above 4 GiB",
        command: "lspci -s {device} -vv | grep Region",
        expected: "no Region is <unassigned>, <ignored> or [disabled]; the large ones lie above 4 GiB",
        verbatim: false,
        right: ("host-no-64bit-window", "there is room above 4 GiB for the card's memory"),
    },
    Setting {
        topic: "mmio-high-size",
        short: "more room above 4 GiB (MMIO High Size)",
        ask: "Set `MMIO High Size` (`MMIO High Granularity Size`) in firmware setup to a larger value: the room above 4 GiB is there \
              and too small",
        who: Who::Firmware,
        checks: &[],
        standing: Standing::Correlation,
        should_be: "every BAR of the card has an address",
        command: "lspci -s {device} -vv | grep Region",
        expected: "no Region is <unassigned>, <ignored> or [disabled]",
        verbatim: false,
        right: ("", ""),
    },
    Setting {
        topic: "resizable-bar",
        short: "Re-Size BAR Support",
        ask: "Set `Re-Size BAR Support` to Enabled (Auto) in firmware setup",
        who: Who::Firmware,
        checks: &["rebar-below-max"],
        standing: Standing::Shown,
        should_be: "the largest size that the card offers",
        command: "lspci -s {device} -vv | grep 'current size'",
        expected: "behind `current size` the largest of the sizes in `supported`",
        verbatim: false,
        right: ("rebar-below-max", "the card's memory has the size that it offers"),
    },
    Setting {
        topic: "error-reporting",
        short: "PCIe AER under control of the operating system",
        ask: "Hand error reporting over to the operating system: set `PCIe AER Support` to Enabled and `OS Native AER` (`Native \
              AER`, `AER control: OS`) to Enabled in firmware setup",
        who: Who::Firmware,
        checks: &["osc-granted", "aer-os-owned"],
        standing: Standing::Visibility,
        should_be: "the operating system controls AER of every host bridge",
        command: "dmesg | grep '_OSC: OS now controls'",
        expected: "a line for every host bridge, with AER between the brackets",
        verbatim: false,
        right: ("osc-granted", "the operating system handles PCI Express errors"),
    },
    Setting {
        topic: "exchange",
        short: "an exchange of the card if it is not well after a power cycle",
        ask: "Power the machine off (a reset is not enough) and update the firmware of the card in {slot}; if it is the same \
              afterwards, exchange the card",
        who: Who::Replacement,
        checks: &["caps-integrity", "presence-header-type", "msix-geometry"],
        standing: Standing::Shown,
        should_be: "the card describes itself in a way that the specification allows",
        command: "lspci -s {device} -vv",
        expected: "the whole list of capabilities, without `<chain looped>`, `<chain broken>` or `!!! Unknown header type`",
        verbatim: false,
        right: ("", ""),
    },
    Setting {
        topic: "memory",
        short: "an exchange of the card if its memory errors come back",
        ask: "Exchange the card in {slot} if the errors of its own memory come back after a power cycle, or if no row of it can \
              be replaced any more (Xid 64)",
        who: Who::Replacement,
        checks: &[],
        standing: Standing::Correlation,
        should_be: "no uncorrected error of the card's memory after a power cycle",
        command: "dmesg | grep -iE 'Xid|ECC|uncorrect'",
        expected: "since the last start no line that names {device}",
        verbatim: false,
        right: ("", ""),
    },
    Setting {
        topic: "visit",
        short: "whether somebody worked at the machine",
        ask: "Say whether somebody worked at the machine, at {slot} or at its cables, and put the card back if it was taken out",
        who: Who::Provider,
        checks: &[],
        standing: Standing::Correlation,
        should_be: "the card is in {slot}",
        command: "lspci -s {device}",
        expected: "a line that names the card, without `(rev ff)`",
        verbatim: false,
        right: ("", ""),
    },
    Setting {
        topic: "management-controller",
        short: "the log of the management controller (BMC)",
        ask: "Check the cooling of the card in {slot}: fans, the way of the air, and the temperatures that the management \
              controller (BMC) has kept",
        who: Who::Provider,
        checks: &[],
        standing: Standing::Correlation,
        should_be: "no event of power or temperature at that time",
        command: "ipmitool sel elist; ipmitool sdr",
        expected: "no line about a power supply, a voltage or a temperature at that time",
        verbatim: false,
        right: ("", ""),
    },
];

/// The setting that a check proves to be needed.
pub fn of_check(id: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.checks.contains(&id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::registry;

    #[test]
    fn what_a_diagnosis_asks_for_has_the_same_words_here() {
        for topic in crate::diagnosis::found::topics() {
            assert!(SETTINGS.iter().any(|s| s.topic == topic), "{topic}");
        }
    }

    #[test]
    fn every_check_that_is_named_exists_and_is_named_once() {
        let mut all: Vec<&str> = SETTINGS.iter().flat_map(|s| s.checks).copied().collect();
        for id in &all {
            assert!(registry::find(id).is_some(), "there is no check `{id}`");
        }
        let count = all.len();
        for setting in SETTINGS {
            let (proving, what) = setting.right;
            let none = proving.is_empty() && what.is_empty();
            assert!(none || registry::find(proving).is_some() && !what.is_empty(), "{}", setting.topic);
        }
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
