//! Signs of the bus: whether the device answers, its link, its slot, its power, errors on the way.

use crate::machine::State;

use super::sign::{BASE, DAY, MINUTES, Now, Place, Rate, Seen, Sign, With};
use super::state::Fact;

/// The value of Controller Status that nobody answered (drivers/nvme/host/pci.c, nvme_should_reset).
const NOBODY: &[i64] = &[0xffff_ffff];
/// The same of Status in configuration space (pci_status; the driver reads it after Controller Status).
const NOBODY_16: &[i64] = &[0xffff];
/// Errors of the physical and the data link layer: what a bad signal makes (PCIe 6.2, table 6-3), in the kernel's words of
/// all versions.
const SIGNAL: &[&str] = &[
    "RxErr",
    "Receiver Error",
    "BadTLP",
    "Bad TLP",
    "BadDLLP",
    "Bad DLLP",
    "Rollover",
    "RELAY_NUM Rollover",
    "REPLAY_NUM Rollover",
    "Timeout",
    "Replay Timer Timeout",
    "DLP",
    "Data Link Protocol",
];
/// All corrected errors, in the kernel's words of all versions (drivers/pci/pcie/aer.c, aer_correctable_error_string).
const CORRECTED_NAMES: &[&str] = &[
    "RxErr",
    "Receiver Error",
    "BadTLP",
    "Bad TLP",
    "BadDLLP",
    "Bad DLLP",
    "Rollover",
    "RELAY_NUM Rollover",
    "REPLAY_NUM Rollover",
    "Timeout",
    "Replay Timer Timeout",
    "NonFatalErr",
    "Advisory Non-Fatal",
    "CorrIntErr",
    "Corrected Internal Error",
    "HeaderOF",
    "Header Log Overflow",
];
/// What firmware calls the part of its report that is about PCI Express (drivers/firmware/efi/cper.c,
/// cper_estatus_print_section); others are about memory and processors.
const OF_PCIE: &[&str] = &["PCIe error"];
/// Corrected errors, in the kernel's words of all versions.
const CORRECTED: &[&str] = &["Corrected", "Correctable", "corrected"];
/// Uncorrected ones; firmware says `fatal` and `recoverable` (UEFI 2.10, N.2.1).
const UNCORRECTED: &[&str] = &["Uncorrect", "fatal", "recoverable"];
/// What the kernel resets a device by on request; `DPC`, `resume` and `D3` are other stories.
const RESETS: &[&str] = &["FLR", "AF_FLR", "bus reset", "slot reset"];
const WAKING: &[&str] = &["PM D3", "resume", "power up"];

/// Corrected errors that a bad signal makes. Of what firmware handled first the kernel gives no severity, only names
/// (pci_print_aer).
const SIGNAL_ERRORS: &[Seen] = &[
    Seen::with("aer.error", &[With::Word("severity", CORRECTED), With::Word("errors", SIGNAL)]),
    Seen::with(
        "aer.error",
        &[
            With::Lacks("severity"),
            With::Lacks("uncorrectable_severity"),
            With::Word("errors", CORRECTED_NAMES),
            With::Word("errors", SIGNAL),
        ],
    ),
];
/// How many corrected errors count. A link may repair some and be sound: its rate of errors is limited, not nought (PCIe 6.2,
/// 8.4 and 8.5).
const SOME_ERRORS: Rate = Rate { times: 1, seconds_apart: 3600 };
/// How often a link must go down to be a bad one, our own reading: somebody may try a card twice.
const FLAPS: Rate = Rate { times: 3, seconds_apart: 3600 };
/// How soon after a cable was pulled a host controller behind it is given up, in seconds: its driver waits five for an answer
/// (XHCI_CMD_DEFAULT_TIMEOUT in drivers/usb/host/xhci.h), and the kernel may be slow.
const SOON: u64 = 60;
/// The error by which a port says that its link went down unasked (PCIe 6.2, 3.2.1), in the kernel's words of all versions.
const SURPRISE_DOWN: &[&str] = &["SDES", "Surprise Down"];

/// Signs of this family.
pub static SIGNS: &[Sign] = &[
    Sign {
        id: "answers",
        says: "the device answers now",
        states: &[Now::Presence(State::Answering)],
        ..BASE
    },
    Sign {
        id: "all-ones",
        says: "configuration space reads all-ones: nothing answers",
        states: &[Now::Presence(State::AllOnes)],
        ..BASE
    },
    Sign {
        id: "marked-disconnected",
        says: "the kernel marked the device disconnected",
        states: &[Now::Presence(State::Disconnected)],
        ..BASE
    },
    Sign {
        id: "asks-for-patience",
        says: "the device asks to be read again later (Request Retry Status)",
        states: &[Now::Presence(State::NotReady)],
        ..BASE
    },
    Sign {
        id: "sleeps",
        says: "it has no power and was not woken",
        states: &[Now::Presence(State::Asleep)],
        ..BASE
    },
    Sign { id: "not-read", says: "it could not be read", states: &[Now::Presence(State::Unknown)], ..BASE },
    Sign {
        id: "vanished",
        says: "its folder vanished while it was read",
        states: &[Now::Presence(State::Absent)],
        ..BASE
    },
    Sign {
        id: "driver-reads-all-ones",
        says: "the driver reads all-ones from the device",
        events: &[
            Seen::with("nvidia.xid", &[With::Number("xid", &[79])]),
            Seen::any("nvidia.fallen-off-the-bus"),
            Seen::any("nvidia.probe-fallen-off"),
            Seen::any("nvidia.gpu-lost-inside"),
            // The driver stops all channels for other reasons too, such as those of Xid 48, 94 and 120.
            Seen::with("nvidia.all-channels-stopped", &[With::Number("xid", &[79])]),
            Seen::with("nvidia.bad-register-read", &[With::Number("value", NOBODY)]),
            Seen::with(
                "nvme.controller-down",
                &[With::Number("controller_status", NOBODY), With::Lacks("pci_status")],
            ),
            Seen::with(
                "nvme.controller-down",
                &[With::Number("controller_status", NOBODY), With::Number("pci_status", NOBODY_16)],
            ),
            Seen::with("nvme.not-ready", &[With::Number("controller_status", NOBODY)]),
            Seen::any("ethernet.gone"),
            Seen::any("mlx5.unreachable"),
            Seen::any("gpu.all-ones"),
            Seen::any("storage.adapter-dead"),
            Seen::any("storage.disconnected"),
            Seen::any("wireless.gone"),
            Seen::with("wireless.no-access", &[With::Number("value", NOBODY)]),
            Seen::with("ethernet.not-stopping", &[With::Number("value", NOBODY)]),
            Seen::with("ahci.reset-failed", &[With::Number("value", NOBODY)]),
            Seen::any("xhci.gone"),
            Seen::any("ahci.unavailable"),
            Seen::any("pci.not-answering"),
        ],
        undone_by: &[
            "nvidia.started",
            "nvme.started",
            "mlx5.recovery",
            "storage.started",
            "pci.function-found",
        ],
        ..BASE
    },
    Sign {
        id: "memory-reads-all-ones",
        says: "the device's memory reads all-ones while its configuration space answers",
        events: &[Seen::with(
            "nvme.controller-down",
            &[With::Number("controller_status", NOBODY), With::NotNumber("pci_status", NOBODY_16)],
        )],
        undone_by: &["nvme.started", "pci.function-found"],
        ..BASE
    },
    Sign {
        id: "register-reads-all-ones",
        says: "the driver prints a register of the device as all-ones",
        events: &[
            Seen::any("driver.register-reads-all-ones"),
            Seen::any("audio.pointer-reads-all-ones"),
            Seen::with("storage.lockup", &[With::Number("value", &[0xffff_ffff])]),
        ],
        undone_by: &[
            "nvidia.started",
            "nvme.started",
            "mlx5.recovery",
            "storage.started",
            "pci.function-found",
        ],
        ..BASE
    },
    Sign {
        id: "identity-unreadable",
        says: "RmInitAdapter cannot read which GPU it is (0x22:0x56), or says that it is lost (0x0f)",
        events: &[
            Seen::with(
                "nvidia.rm-init-failed",
                &[With::Number("init_status", &[0x22]), With::Number("rm_status", &[0x56])],
            ),
            Seen::with("nvidia.rm-init-failed", &[With::Number("rm_status", &[0x0f])]),
        ],
        undone_by: &["nvidia.started"],
        ..BASE
    },
    Sign {
        id: "card-not-present",
        says: "hot-plug saw the slot become empty",
        place: Place::OwnOrAbove,
        events: &[
            Seen::any("pciehp.card-not-present"),
            Seen::any("pciehp.no-response"),
            Seen::any("amdgpu.unplugged"),
        ],
        undone_by: &["pciehp.card-present", "pciehp.link-up", "pci.function-found"],
        ..BASE
    },
    Sign {
        id: "slot-was-emptied",
        says: "the slot was empty for a while",
        place: Place::OwnOrAbove,
        events: &[Seen::any("pciehp.card-not-present")],
        ..BASE
    },
    Sign {
        id: "cable-unplugged",
        says: "a Thunderbolt or USB4 device was unplugged",
        place: Place::Anywhere,
        events: &[Seen::any("thunderbolt.disconnected")],
        ..BASE
    },
    Sign {
        id: "cable-just-unplugged",
        says: "a Thunderbolt or USB4 device was unplugged just before",
        place: Place::Anywhere,
        events: &[Seen::any("thunderbolt.disconnected")],
        aftermath: Some(SOON),
        ..BASE
    },
    Sign {
        id: "controller-dead",
        says: "a USB host controller does not answer its driver any more",
        events: &[Seen::any("xhci.dead")],
        aftermath: Some(SOON),
        ..BASE
    },
    Sign {
        id: "branch-vanished-asleep",
        says: "a switch and what is behind it stopped answering together while the machine slept",
        states: &[Now::Fact(Fact::BranchVanished)],
        ..BASE
    },
    Sign {
        id: "slot-empty",
        says: "the slot above sees no card",
        states: &[Now::Fact(Fact::SlotEmpty)],
        ..BASE
    },
    Sign {
        id: "slot-occupied",
        says: "the slot above sees a card",
        states: &[Now::Fact(Fact::SlotOccupied)],
        ..BASE
    },
    Sign {
        id: "own-slot-occupied",
        says: "the port's slot sees a card",
        states: &[Now::Fact(Fact::OwnSlotOccupied)],
        ..BASE
    },
    Sign {
        id: "card-without-link-now",
        says: "a card is seen in the port's slot, its link is down, and nothing is listed behind the port",
        states: &[Now::Fact(Fact::CardWithoutLink)],
        ..BASE
    },
    Sign {
        id: "link-above-down",
        says: "the port above says that the link is down",
        states: &[Now::Fact(Fact::LinkAboveDown)],
        ..BASE
    },
    Sign {
        id: "link-above-up",
        says: "the port above says that the link is up",
        states: &[Now::Fact(Fact::LinkAboveUp)],
        ..BASE
    },
    Sign {
        id: "bus-numbers-changed",
        says: "the bus numbers of the bridge above are not those that the kernel knows",
        states: &[Now::Fact(Fact::BusNumbersWrong)],
        ..BASE
    },
    Sign {
        id: "link-disabled",
        says: "software disabled the link at the port above",
        states: &[Now::Fact(Fact::LinkDisabled)],
        ..BASE
    },
    Sign {
        id: "link-training",
        says: "the port above trains its link and does not get it up",
        states: &[Now::Fact(Fact::LinkTraining)],
        ..BASE
    },
    Sign {
        id: "slot-link-down",
        says: "hot-plug saw the link go down",
        place: Place::OwnOrAbove,
        events: &[Seen::any("pciehp.link-down")],
        // Not by "Card present": the kernel says that of a card whose link went down, while it tries again
        // (pciehp_handle_presence_or_link_change in drivers/pci/hotplug/pciehp_ctrl.c).
        undone_by: &["pciehp.link-up", "pciehp.link-ignored"],
        ..BASE
    },
    Sign {
        id: "link-flaps",
        says: "hot-plug saw the link go down again and again",
        place: Place::OwnOrAbove,
        events: &[Seen::any("pciehp.link-down")],
        rate: Some(FLAPS),
        ..BASE
    },
    Sign {
        id: "link-lost-above",
        says: "the port above says that its link went down unasked (Surprise Down)",
        place: Place::Above,
        events: &[Seen::with("aer.error", &[With::Word("errors", SURPRISE_DOWN)])],
        aftermath: Some(DAY),
        over_by: &["recovered"],
        ..BASE
    },
    Sign {
        id: "no-link",
        says: "a card is seen and its link does not come up, or nothing answers behind it",
        place: Place::OwnOrAbove,
        events: &[Seen::any("pciehp.no-link"), Seen::any("pciehp.no-device"), Seen::any("link.not-active")],
        undone_by: &["pciehp.link-up", "pci.function-found"],
        ..BASE
    },
    Sign {
        id: "controller-without-link",
        says: "a host controller's link never came up",
        events: &[Seen::any("link.controller-without-link")],
        ..BASE
    },
    Sign {
        id: "retraining",
        says: "the kernel had to try 2.5 GT/s because the link did not come up",
        place: Place::OwnOrAbove,
        events: &[Seen::any("link.retraining")],
        ..BASE
    },
    Sign {
        id: "retraining-failed",
        says: "the link did not even come up at 2.5 GT/s",
        place: Place::OwnOrAbove,
        events: &[Seen::any("link.retraining-failed")],
        undone_by: &["pciehp.link-up", "link.retraining-undone"],
        ..BASE
    },
    Sign {
        id: "address-read-back-as-all-ones",
        says: "an address was written into a BAR and all-ones came back: it stopped answering while it was set up",
        events: &[Seen::with("resources.not-taken", &[With::Number("was", NOBODY)])],
        ..BASE
    },
    Sign {
        id: "contained",
        says: "a port contained an error and took its link down",
        place: Place::OwnOrAbove,
        events: &[Seen::any("dpc.containment"), Seen::any("dpc.edr")],
        ..BASE
    },
    Sign {
        id: "containment-holds",
        says: "the port above is in containment now",
        states: &[Now::Fact(Fact::Contained)],
        ..BASE
    },
    Sign {
        id: "inaccessible",
        says: "it could not be brought to D0: configuration space read all-ones",
        events: &[Seen::any("power.inaccessible")],
        ..BASE
    },
    Sign {
        id: "power-refused",
        says: "it did not take the power state that was written",
        // A device that stays in D0 answers, and has what it needs.
        events: &[Seen::with(
            "power.refused",
            &[With::NotWord("from", &["D0"]), With::NotWord("current", &["D0"])],
        )],
        ..BASE
    },
    Sign {
        id: "not-back-from-sleep",
        says: "it did not answer when it was woken, and the kernel gave up waiting",
        events: &[
            Seen::with("power.gave-up", &[With::Word("operation", WAKING)]),
            Seen::any("power.configuration-lost"),
        ],
        undone_by: &["power.ready"],
        ..BASE
    },
    Sign {
        id: "not-back-from-reset",
        says: "it did not answer after a reset, and the kernel gave up waiting",
        events: &[
            Seen::with("power.gave-up", &[With::Word("operation", RESETS)]),
            Seen::any("amdgpu.reset-failed"),
        ],
        undone_by: &["power.ready"],
        ..BASE
    },
    Sign {
        id: "waited-for",
        says: "it does not answer yet and the kernel waits",
        events: &[Seen::any("power.not-ready"), Seen::with("power.gave-up", &[With::Lacks("operation")])],
        undone_by: &["power.ready", "pci.function-found"],
        ..BASE
    },
    Sign {
        id: "power-states-differ",
        says: "the device is in another power state than the kernel believes, or refused to leave it",
        states: &[Now::Check("power-state"), Now::Fact(Fact::PowerError)],
        ..BASE
    },
    Sign {
        id: "power-fault",
        says: "the slot's power controller saw a fault",
        place: Place::OwnOrAbove,
        events: &[Seen::any("pciehp.power-fault")],
        undone_by: &["pci.function-found", "nvidia.started", "nvme.started"],
        states: &[Now::Fact(Fact::SlotPowerFault)],
        ..BASE
    },
    Sign {
        id: "slot-has-power",
        says: "the slot has power now: what is in it answers, and its power controller reports no fault",
        states: &[Now::Fact(Fact::SlotHasPower)],
        ..BASE
    },
    Sign {
        id: "too-little-power",
        says: "power cables are missing, or the slot grants less power than the device needs",
        events: &[
            Seen::any("nvidia.no-auxiliary-power"),
            Seen::with("nvidia.xid", &[With::Number("xid", &[54])]),
            Seen::any("mlx5.slot-power"),
        ],
        ..BASE
    },
    Sign {
        id: "signal-errors",
        says: "the link repairs errors of its signal (receiver errors, bad packets, replays)",
        place: Place::OwnOrAbove,
        events: SIGNAL_ERRORS,
        aftermath: Some(DAY),
        ..BASE
    },
    Sign {
        id: "signal-errors-repeated",
        says: "the link repairs errors of its signal again and again",
        place: Place::OwnOrAbove,
        events: SIGNAL_ERRORS,
        aftermath: Some(DAY),
        rate: Some(SOME_ERRORS),
        ..BASE
    },
    Sign {
        id: "corrected-errors",
        says: "corrected errors of PCI Express are reported",
        events: &[
            Seen::with("aer.error", &[With::Word("severity", CORRECTED)]),
            Seen::with("aer.message", &[With::Word("severity", CORRECTED)]),
            // Of what firmware handled first the kernel gives no severity, only names (pci_print_aer).
            Seen::with(
                "aer.error",
                &[
                    With::Lacks("severity"),
                    With::Lacks("uncorrectable_severity"),
                    With::Word("errors", CORRECTED_NAMES),
                ],
            ),
            Seen::with("apei.error", &[With::Word("severity", CORRECTED), With::Word("type", OF_PCIE)]),
            Seen::any("aer.no-details"),
        ],
        states: &[Now::Check("aer-correctable")],
        aftermath: Some(DAY),
        rate: Some(SOME_ERRORS),
        ..BASE
    },
    Sign {
        id: "uncorrected-errors",
        says: "uncorrected errors of PCI Express are reported",
        events: &[
            Seen::with("aer.error", &[With::Word("severity", UNCORRECTED), With::TimeMeasurement(false)]),
            Seen::with(
                "aer.error",
                &[With::Lacks("severity"), With::Has("uncorrectable_severity"), With::TimeMeasurement(false)],
            ),
            Seen::with(
                "aer.error",
                &[
                    With::Lacks("severity"),
                    With::Lacks("uncorrectable_severity"),
                    With::Has("errors"),
                    With::NotWord("errors", CORRECTED_NAMES),
                    With::TimeMeasurement(false),
                ],
            ),
            Seen::with("aer.message", &[With::Word("severity", UNCORRECTED)]),
            Seen::with("apei.error", &[With::Word("severity", UNCORRECTED), With::Word("type", OF_PCIE)]),
            Seen::with("nvidia.xid", &[With::Number("xid", &[167, 176])]),
            Seen::any("eeh.frozen"),
            Seen::any("mce.pcie"),
        ],
        states: &[Now::Check("aer-nonfatal"), Now::Check("aer-fatal")],
        aftermath: Some(DAY),
        over_by: &["recovered"],
        ..BASE
    },
    Sign {
        id: "fatal-errors-received",
        says: "the root port received fatal errors, of a device below it or of its own",
        states: &[Now::Fact(Fact::FatalErrorsReceived)],
        ..BASE
    },
    Sign {
        id: "errors-unnamed",
        says: "an error of PCI Express is reported, and no line says which",
        events: &[
            Seen::with(
                "aer.error",
                &[With::Lacks("severity"), With::Lacks("uncorrectable_severity"), With::Lacks("errors")],
            ),
            // What the kernel told a driver of an error that it handles.
            Seen::any("mlx5.error-reported"),
        ],
        aftermath: Some(DAY),
        ..BASE
    },
    Sign {
        id: "errors-latched",
        says: "an uncorrected error is latched in the device's registers, from whenever",
        states: &[Now::Check("aer-status-latched")],
        ..BASE
    },
    Sign {
        id: "time-measurement-refused",
        says: "what was refused is a Precision Time Measurement message: a setting at the two ends, not a bad device",
        events: &[Seen::with("aer.error", &[With::TimeMeasurement(true)])],
        ..BASE
    },
    Sign {
        id: "not-recovered",
        says: "the kernel could not recover the devices below the port from an error",
        place: Place::OwnOrAbove,
        events: &[
            Seen::any("aer.not-recovered"),
            Seen::any("aer.cannot-recover"),
            Seen::any("aer.reset-failed"),
        ],
        ..BASE
    },
    Sign {
        id: "recovered",
        says: "the kernel or its driver recovered the device from an error",
        place: Place::OwnOrAbove,
        events: &[
            Seen::any("aer.recovered"),
            Seen::with("mlx5.recovery", &[With::Word("state", &["succeeded"])]),
            Seen::with("amdgpu.reset", &[With::Word("state", &["succeeded"])]),
            Seen::any("wireless.recovered"),
        ],
        ..BASE
    },
    Sign {
        id: "injected",
        says: "somebody injected the errors: this is a test",
        events: &[Seen::any("aer.injected")],
        aftermath: Some(MINUTES),
        ..BASE
    },
    Sign {
        id: "slower-at-boot",
        says: "the kernel said that a link on the way carries less than the device can",
        events: &[Seen::any("link.slower-than-the-device")],
        ..BASE
    },
    Sign {
        id: "much-slower-at-boot",
        says: "a link on the way runs at 2.5 GT/s or with a quarter of the lanes, which no slot of the device's time is built for",
        states: &[Now::Fact(Fact::MuchSlowerAtBoot)],
        ..BASE
    },
    Sign {
        id: "slot-too-slow",
        says: "the driver says that the slot is slower than the device needs",
        events: &[Seen::any("ethernet.slow-slot")],
        ..BASE
    },
    Sign {
        id: "runs-below-both-ends",
        says: "the link runs slower than both its ends can",
        states: &[Now::Fact(Fact::RunsBelowBothEnds)],
        ..BASE
    },
    Sign {
        id: "link-below-both-ends",
        says: "the link runs slower or narrower than both its ends can, and idling does not explain it",
        states: &[Now::Check("link-speed-below-path"), Now::Check("link-width-below-path")],
        ..BASE
    },
    Sign {
        id: "equalization-unfinished",
        says: "the link runs at a speed for which equalization did not finish, and asks for it again",
        states: &[Now::Fact(Fact::EqualizationUnfinished)],
        ..BASE
    },
    Sign {
        id: "speed-locked",
        says: "the link is slow and a setting forbids it to get faster (Hardware Autonomous Speed Disable)",
        states: &[Now::Check("link-hasd-stuck")],
        ..BASE
    },
    Sign {
        id: "speed-limited",
        says: "the port's target speed is below what both ends can",
        states: &[Now::Check("link-target-limited")],
        ..BASE
    },
    Sign {
        id: "transfer-suspected",
        says: "the driver received a damaged stream of commands (Xid 32): the program, or the signal of the link",
        events: &[Seen::with("nvidia.xid", &[With::Number("xid", &[32])])],
        aftermath: Some(MINUTES),
        ..BASE
    },
    Sign {
        id: "machine-slept",
        says: "the machine slept and woke",
        place: Place::Anywhere,
        events: &[Seen::any("sleep.exit")],
        ..BASE
    },
    Sign {
        id: "power-switched",
        says: "the kernel or firmware switched the power of devices while the machine ran",
        place: Place::Anywhere,
        events: &[Seen::any("power.changed-by-acpi"), Seen::any("power.waiting")],
        ..BASE
    },
    Sign {
        id: "found-again",
        says: "the kernel found the device",
        events: &[Seen::any("pci.function-found")],
        ..BASE
    },
    Sign {
        id: "found-below",
        says: "a device below the port was found or started",
        states: &[Now::Fact(Fact::FoundBelow)],
        ..BASE
    },
    Sign {
        id: "started",
        says: "its driver started it",
        events: &[
            Seen::any("nvidia.started"),
            Seen::any("nvme.started"),
            Seen::any("storage.started"),
            Seen::with("mlx5.recovery", &[With::Word("state", &["succeeded"])]),
        ],
        ..BASE
    },
];
