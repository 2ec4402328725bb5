//! What to do about a verdict, as data: what does not help and why, what does, safest first, and whom to ask for what.

use crate::check::finding::Who;

use super::judge::Diagnosis;
use super::observe::Subject;
use super::verdict::Verdict;
use super::verdict::Verdict::*;

/// What kind of advice it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What people try and what does not help.
    WillNotHelp,
    /// What to do, in this order.
    Do,
}

/// One piece of advice. `{address}` in a text stands for the device.
#[derive(Debug)]
pub struct Advice {
    /// What kind.
    pub kind: Kind,
    /// For which verdicts.
    pub of: &'static [Verdict],
    /// Only if one of these signs was seen; empty: always.
    pub when: &'static [&'static str],
    /// Not if one of these signs was seen.
    pub unless: &'static [&'static str],
    /// Only for devices of this driver; empty: any.
    pub driver: &'static str,
    /// What.
    pub what: &'static str,
    /// Why, or what it does.
    pub why: &'static str,
    /// Who does it.
    pub who: Who,
    /// What a report would call a request for it (`inspect/report/settings.rs`).
    pub topics: &'static [&'static str],
}

/// Requests for which somebody touches the card.
const HANDS: &[&str] = &["card-and-riser", "lanes", "signal", "slot-power"];
/// Requests for which somebody changes firmware settings.
const SETUP: &[&str] =
    &["link-speed", "slot-power-limit", "aspm", "above-4g-decoding", "resizable-bar", "error-reporting"];

const BASE: Advice = Advice {
    kind: Kind::Do,
    of: &[],
    when: &[],
    unless: &[],
    driver: "",
    what: "",
    why: "",
    who: Who::Operator,
    topics: &[],
};

/// Verdicts of a device that does not answer.
const SILENT: &[Verdict] = &[FallenOffBus, LinkDown, PowerStateStuck, ResetFailed, ContainedByDpc];
/// Signs that a device without power really does not answer: a card that only gets too little of it does.
const NO_ANSWER: &[&str] = &[
    "all-ones",
    "marked-disconnected",
    "link-above-down",
    "driver-reads-all-ones",
    "slot-link-down",
    "inaccessible",
];
/// Verdicts of one that answers and whose hardware nothing speaks against.
const SOUND: &[Verdict] = &[DriverWedged, ApplicationFault, DmaFault, Misconfigured];
/// Verdicts after which evidence is worth keeping.
const TROUBLE: &[Verdict] = &{
    let mut trouble = [Unknown; Verdict::ALL.len() - 2];
    let (mut from, mut to) = (0, 0);
    while from < Verdict::ALL.len() {
        if !matches!(Verdict::ALL[from], Healthy | Asleep) {
            trouble[to] = Verdict::ALL[from];
            to += 1;
        }
        from += 1;
    }
    trouble
};

/// All advice, in the order in which it is given.
pub static ADVICE: &[Advice] = &[
    Advice {
        kind: Kind::WillNotHelp,
        of: SILENT,
        unless: &["answers"],
        what: "echo 1 > /sys/bus/pci/devices/{address}/remove, then /sys/bus/pci/rescan",
        why: "a scan finds what answers: without a link, or while configuration space reads all-ones, nothing does, and the folder \
              that is removed does not come back",
        ..BASE
    },
    Advice {
        kind: Kind::WillNotHelp,
        of: &[SlotPower],
        when: NO_ANSWER,
        unless: &["answers"],
        what: "echo 1 > /sys/bus/pci/devices/{address}/remove, then /sys/bus/pci/rescan",
        why: "a scan finds what answers: without a link, or while configuration space reads all-ones, nothing does, and the folder \
              that is removed does not come back",
        ..BASE
    },
    Advice {
        kind: Kind::WillNotHelp,
        of: SILENT,
        unless: &["answers"],
        what: "unloading and loading the driver's module, or binding it anew",
        why: "the driver reads all-ones and refuses the device; the kernel then takes ffffh for the size of its MSI-X table, which \
              with SR-IOV can make it write outside the device",
        ..BASE
    },
    Advice {
        kind: Kind::WillNotHelp,
        of: &[SlotPower],
        when: NO_ANSWER,
        unless: &["answers"],
        what: "unloading and loading the driver's module, or binding it anew",
        why: "the driver reads all-ones and refuses the device; the kernel then takes ffffh for the size of its MSI-X table, which \
              with SR-IOV can make it write outside the device",
        ..BASE
    },
    Advice {
        kind: Kind::WillNotHelp,
        of: SILENT,
        unless: &["answers"],
        driver: "nvidia",
        what: "nvidia-smi --gpu-reset",
        why: "it needs root and no program that uses the GPU, and it resets the GPU through registers that nobody answers; without \
              root it refuses at once",
        ..BASE
    },
    Advice {
        kind: Kind::WillNotHelp,
        of: SOUND,
        what: "reseating the card, other slots",
        why: "nothing that was read speaks against the hardware",
        topics: HANDS,
        ..BASE
    },
    Advice {
        kind: Kind::WillNotHelp,
        // Not of what is set wrong: firmware may be who set it.
        of: &[DriverWedged, ApplicationFault, DmaFault],
        what: "changes in firmware setup",
        why: "nothing that was read speaks against the settings",
        topics: SETUP,
        ..BASE
    },
    Advice {
        kind: Kind::WillNotHelp,
        of: &[SurpriseRemoved],
        what: "resets, reloading of drivers, a reboot",
        why: "the device is not there; nothing but putting it back brings it back",
        ..BASE
    },
    Advice {
        kind: Kind::WillNotHelp,
        of: &[BarNotAssigned, FirmwareConfiguration],
        when: &["no-address", "no-window", "address-missed", "register-without-address"],
        what: "reloading the driver",
        why: "it asks for the same addresses, and there is no more room than before",
        ..BASE
    },
    Advice {
        kind: Kind::WillNotHelp,
        of: &[ErrorStorm, DegradedLink],
        what: "pci=noaer on the kernel command line",
        why: "the errors go on, and nobody is told",
        ..BASE
    },
    Advice {
        kind: Kind::WillNotHelp,
        of: &[MemoryFault, DeviceFirmware],
        what: "reseating the card, changes of ASPM or of the slot",
        why: "the bus works; what failed is inside the device",
        topics: &["card-and-riser", "lanes", "signal", "aspm"],
        ..BASE
    },
    Advice {
        kind: Kind::WillNotHelp,
        of: &[ApplicationFault],
        what: "resetting the device or restarting the machine",
        why: "the program will do the same again",
        ..BASE
    },
    Advice {
        kind: Kind::WillNotHelp,
        of: &[InterruptsUnavailable],
        unless: &["vectors-wrong"],
        what: "taking the device for dead",
        why: "a dead device fails to enable MSI-X too, but a healthy one does where the kernel or firmware has no vectors to give",
        ..BASE
    },
    Advice {
        of: TROUBLE,
        what: "pciscope capture",
        why: "keeps registers, counters and the log as they are now: a reboot or a power cycle clears all of them",
        ..BASE
    },
    Advice {
        of: TROUBLE,
        driver: "nvidia",
        what: "nvidia-bug-report.sh, as root, before the module is unloaded",
        why: "the driver's crash dump is kept in memory only as long as the module stays loaded",
        ..BASE
    },
    Advice {
        of: &[FallenOffBus, ResetFailed, LinkDown],
        unless: &["link-disabled"],
        what: "drain the machine and restart it; if the device is not back after a warm reboot, take its power away (power cycle, not \
               reset)",
        why: "the link is trained anew and the device starts from nothing; some cards need their power taken away",
        who: Who::Provider,
        ..BASE
    },
    Advice {
        of: &[LinkDown],
        when: &["link-disabled"],
        what: "find out who set Link Disable at the port above; clear it with setpci, or restart",
        why: "software took the link down",
        ..BASE
    },
    Advice {
        of: &[LinkDown, FallenOffBus],
        what: "if it comes back and fails again: reseat card and riser, try another slot",
        why: "a contact that moves with temperature fails again",
        who: Who::Provider,
        ..BASE
    },
    Advice {
        of: &[PowerStateStuck],
        what: "restart the machine; where it does not come back, take the power away",
        why: "a device without power comes back only with power",
        ..BASE
    },
    Advice {
        of: &[PowerStateStuck],
        what: "keep it from D3cold: pcie_port_pm=off on the kernel command line, or `on` in power/control of the device and of the \
               ports above",
        why: "what is never switched off need not be switched on",
        ..BASE
    },
    Advice {
        of: &[SurpriseRemoved],
        what: "if nobody took it out: look at the slot, the cable, the latch; put it back",
        why: "presence pins that lose contact look the same",
        who: Who::Provider,
        ..BASE
    },
    Advice {
        of: &[ContainedByDpc],
        what: "look at the error that triggered containment (pciscope show of the port: dpc, aer), then restart the machine",
        why: "the kernel resets and releases the link; a driver without error handlers does not take the device back",
        ..BASE
    },
    Advice {
        of: &[ResetFailed],
        what: "keep software from resetting it so: write another method to reset_method (5.15 and later)",
        why: "a device that does not return from one kind of reset may from another",
        ..BASE
    },
    Advice {
        of: &[BarNotAssigned],
        when: &["address-lost"],
        what: "unbind, remove and rescan the function, or restart; find out who reset it",
        why: "the device answers: the kernel finds it and assigns addresses anew",
        ..BASE
    },
    Advice {
        of: &[BarNotAssigned, FirmwareConfiguration],
        when: &["no-address", "no-window", "address-missed", "register-without-address", "address-conflict"],
        what: "try pci=realloc on the kernel command line",
        why: "the kernel then assigns the windows of bridges anew instead of keeping those of firmware",
        ..BASE
    },
    Advice {
        of: &[InterruptsUnavailable],
        what: "unbind and bind the driver again; look for pci=nomsi and msi_bus; with vectors used up, fewer queues",
        why: "the kernel sets interrupts up when the driver asks for them",
        ..BASE
    },
    Advice {
        of: &[DriverWedged],
        what: "stop the programs that use it, reload the driver; if that hangs or fails, restart the machine",
        why: "the bus is well: nothing but the driver and the device's own firmware has to start anew",
        ..BASE
    },
    Advice {
        of: &[DeviceFirmware],
        what: "reset the device (nvidia-smi --gpu-reset as root, or the driver's own way) or restart; update driver and firmware",
        why: "its own processor starts anew",
        ..BASE
    },
    Advice {
        of: &[MemoryFault],
        what: "drain the GPU and reset it, so that faulty rows are replaced; then look at nvidia-smi -q -d ECC,ROW_REMAPPER",
        why: "replacement of rows happens at a reset; when none are left the card has to be exchanged",
        ..BASE
    },
    Advice {
        of: &[ApplicationFault],
        what: "restart the program; look for its mistake (compute-sanitizer)",
        why: "the driver ended it and everything else works",
        ..BASE
    },
    Advice {
        of: &[DmaFault],
        what: "update kernel and driver; without them, see whether iommu=pt or, for ATS, pci=noats makes a difference",
        why: "mostly the driver or a table of firmware is wrong about what the device may reach; this tells which",
        ..BASE
    },
    Advice {
        of: &[ErrorStorm],
        what: "measure the rate: pciscope check, again after a minute; counters in aer_dev_correctable",
        why: "some errors over weeks are normal; a rate that grows with load is not",
        ..BASE
    },
    Advice {
        of: &[DegradedLink],
        what: "pciscope path {address}, then again under load",
        why: "shows both ends of every link; an idle device may run slowly on purpose",
        ..BASE
    },
    Advice {
        of: &[DegradedLink],
        what: "reseat card and riser, clean the contacts; restart so that the link is trained anew",
        why: "lanes and speed are lost at a contact",
        who: Who::Provider,
        ..BASE
    },
    Advice {
        of: &[Misconfigured],
        what: "undo what set it so (a setpci script, an option on the command line, a driver's setting), or restart; where it is the \
               same after a restart, firmware sets it: look in firmware setup",
        why: "registers that software wrote go back to what firmware sets",
        ..BASE
    },
    Advice {
        of: &[WrongDevice],
        what: "remove and rescan the function, or restart",
        why: "the kernel drives it as what it was",
        ..BASE
    },
    Advice {
        of: &[SlotPower],
        what: "check the power cables of the card and the slot's power",
        why: "nothing else can help before the card gets what it needs",
        who: Who::Provider,
        ..BASE
    },
    Advice {
        of: &[NotReady],
        what: "look again after a minute; if it stays, take the power away",
        why: "a device may take a second after a reset, and the kernel waits a minute",
        ..BASE
    },
    Advice {
        of: &[Unknown],
        when: &["number-unexplained"],
        what: "look the number up in NVIDIA's catalogue of the driver's own version (pciscope explain xid NUMBER says what is known here)",
        why: "new drivers have new numbers; without it nobody can tell whose fault it is",
        ..BASE
    },
    Advice {
        of: &[Unknown],
        when: &["driver-alarm"],
        what: "read the lines of the driver around it (pciscope log), and look for their words in the driver's source or its issue tracker",
        why: "the words are not in the catalogue: only the driver's source says what they mean",
        ..BASE
    },
    Advice {
        of: &[Unknown],
        when: &["read-in-part", "not-read"],
        what: "run this again as root",
        why: "the kernel gives others the first 64 bytes of configuration space only",
        ..BASE
    },
    Advice {
        of: &[Asleep],
        what: "nothing; --wake reads it if it must be looked at",
        why: "it has no power because nobody uses it",
        ..BASE
    },
];

/// The advice of one kind for a diagnosis.
pub fn of<'d>(
    diagnosis: &'d Diagnosis<'_>,
    driver: Option<&'d str>,
    kind: Kind,
) -> impl Iterator<Item = &'static Advice> + 'd {
    ADVICE.iter().filter(move |advice| {
        advice.kind == kind
            && advice.of.contains(&diagnosis.verdict)
            && (advice.when.is_empty() || advice.when.iter().any(|sign| diagnosis.has(sign)))
            && !advice.unless.iter().any(|sign| diagnosis.has(sign))
            && (advice.driver.is_empty() || driver == Some(advice.driver))
    })
}

/// A text with the device's address in it; of what is known by another name only, with how its address is found.
pub fn text(text: &str, subject: &Subject) -> String {
    match subject {
        Subject::Function(address) => text.replace("{address}", &address.to_string()),
        Subject::Named(_) if !text.contains("{address}") => text.to_owned(),
        Subject::Named(name) => {
            let find = match name.strip_prefix("nvme") {
                Some(number) if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => {
                    format!("readlink -f /sys/class/nvme/{name}/device")
                }
                _ => "pciscope list".to_owned(),
            };
            format!(
                "{} (look up ADDRESS first, that of {name}: {find})",
                text.replace("{address}", "ADDRESS")
            )
        }
    }
}

/// Whether advice depends on that sign.
pub fn uses(sign: &str) -> bool {
    ADVICE.iter().any(|advice| advice.when.contains(&sign) || advice.unless.contains(&sign))
        || matches!(sign, "machine-slept" | "kernel-crashed" | "errors-kept-by-firmware" | "driver-complaint")
}

#[cfg(test)]
mod tests {
    use super::super::sign;
    use super::*;

    #[test]
    fn advice_names_signs_and_every_trouble_has_something_to_do() {
        for advice in ADVICE {
            for name in advice.when.iter().chain(advice.unless) {
                assert!(sign::find(name).is_some(), "there is no sign `{name}`");
            }
            assert!(!advice.of.is_empty() && advice.why.len() > 10, "{}", advice.what);
        }
        for verdict in Verdict::ALL.into_iter().filter(|v| *v != Verdict::Healthy) {
            let own = |a: &&Advice| a.kind == Kind::Do && a.of.contains(&verdict);
            assert!(ADVICE.iter().any(|a| own(&a)), "{}: nothing to do", verdict.name());
            let first = ADVICE.iter().find(own).map(|a| a.what);
            assert!(verdict == Verdict::Asleep || first == Some("pciscope capture"), "{}", verdict.name());
        }
    }
}
