//! Rules for a device that is not there any more, or does not answer.

use crate::kernel_log::Level;

use super::rule::{BASE, Rule};
use super::verdict::{Confidence, Verdict};

/// Ways in which a loss shows.
const LOST: &[&str] = &[
    "all-ones",
    "vanished",
    "driver-reads-all-ones",
    "identity-unreadable",
    "inaccessible",
    "not-back-from-sleep",
];

/// For how long drivers may miss a card before hot-plug says that it is out, in seconds. Its thread waits at least 100 ms for
/// presence and link to settle (drivers/pci/hotplug/pciehp_hpc.c), and on a busy machine it runs late; more is our own reading.
const SECONDS: u64 = 5;

/// Rules of this family, in the order in which they are tried.
pub static RULES: &[Rule] = &[
    Rule {
        id: "test-by-injection",
        verdict: Verdict::Healthy,
        seen: &["corrected-errors", "uncorrected-errors"],
        before: &["injected"],
        unless: &["all-ones", "marked-disconnected", "driver-reads-all-ones", "inaccessible"],
        because: "aer-inject makes errors in software: what the kernel says after it is a test, not the device.",
        source: "Linux drivers/pci/pcie/aer_inject.c",
        ..BASE
    },
    Rule {
        id: "bus-numbers-wrong",
        verdict: Verdict::Misconfigured,
        seen: &["all-ones", "driver-reads-all-ones"],
        with: &["bus-numbers-changed"],
        because: "The bridge above leads to another bus than the kernel thinks: requests go astray and nobody answers them.",
        source: "PCIe 6.2, 7.5.1.3.2 to 7.5.1.3.4",
        ..BASE
    },
    Rule {
        id: "back-from-d3cold-refused",
        verdict: Verdict::PowerStateStuck,
        confidence: Confidence::Certain,
        seen: &["inaccessible"],
        with: &["power-states-differ"],
        unless: &[
            "card-not-present",
            "cable-unplugged",
            "slot-empty",
            "power-fault",
            "too-little-power",
            "marked-disconnected",
        ],
        unless_before: &[
            "contained",
            "driver-reads-all-ones",
            "uncorrected-errors",
            "not-back-from-reset",
            "engine-failed",
        ],
        because: "The kernel wanted D0, read all-ones, and now keeps the state from which the device did not return.",
        source: "Linux drivers/pci/pci.c (pci_power_up)",
        ..BASE
    },
    Rule {
        id: "slot-without-power",
        verdict: Verdict::SlotPower,
        seen: &["power-fault"],
        supports: &["all-ones", "link-above-down"],
        unless: &["slot-has-power"],
        unless_before: &["card-not-present"],
        because: "The slot's power controller saw a fault and switched off: without power nothing answers.",
        source: "PCIe 6.2, 6.7.1.8 and 7.5.3.11; Linux drivers/pci/hotplug/pciehp_ctrl.c",
        ..BASE
    },
    Rule {
        id: "too-little-power",
        verdict: Verdict::SlotPower,
        seen: &["too-little-power"],
        unless_before: &["card-not-present"],
        because: "The device or its driver says that it lacks power: with too little it does not start, is slow, or fails under load.",
        source: "NVIDIA, Xid catalogue (54); Linux drivers/net/ethernet/mellanox/mlx5/core/events.c",
        ..BASE
    },
    Rule {
        id: "taken-out-under-containment",
        verdict: Verdict::SurpriseRemoved,
        seen: &["card-not-present"],
        before: &["contained"],
        unless: &["slot-occupied", "own-slot-occupied"],
        unless_after: &["found-again", "started"],
        because: "Taking a card out makes its port see Surprise Down, which containment answers; the slot then is empty and stays so.",
        source: "PCIe 6.2, 6.2.11 and 6.7; Linux drivers/pci/pcie/dpc.c (dpc_is_surprise_removal)",
        ..BASE
    },
    Rule {
        id: "containment-holds",
        verdict: Verdict::ContainedByDpc,
        confidence: Confidence::Certain,
        seen: &["containment-holds"],
        because: "As long as DPC Trigger Status is set the port keeps the link down: what is below is cut off, not necessarily dead.",
        source: "PCIe 6.2, 6.2.11 and 7.9.14.4",
        ..BASE
    },
    Rule {
        id: "contained",
        verdict: Verdict::ContainedByDpc,
        seen: &["contained"],
        unless: &["answers"],
        unless_before: &["driver-reads-all-ones", "inaccessible", "card-not-present"],
        unless_after: &["recovered", "started", "found-again", "found-below"],
        because: "Containment came first: everything below lost its link at that moment, and drivers only found out.",
        source: "PCIe 6.2, 6.2.11; Linux drivers/pci/pcie/dpc.c",
        ..BASE
    },
    Rule {
        id: "reset-without-return",
        verdict: Verdict::ResetFailed,
        confidence: Confidence::Certain,
        seen: &["not-back-from-reset"],
        unless: &["answers"],
        unless_after: &["recovered", "started", "found-again"],
        unless_before: &[
            "driver-reads-all-ones",
            "card-not-present",
            "inaccessible",
            "memory-access-refused",
            "contained",
            "slot-link-down",
            "engine-failed",
        ],
        because: "The device answered before the reset and not after: the specification gives it a second, the kernel waited a minute.",
        source: "PCIe 6.2, 6.6; Linux drivers/pci/pci.c (pci_dev_wait)",
        ..BASE
    },
    Rule {
        id: "woken-without-return",
        verdict: Verdict::PowerStateStuck,
        seen: &["inaccessible", "power-refused"],
        before: &["power-switched"],
        unless: &["cable-unplugged", "branch-vanished-asleep", "slot-empty", "marked-disconnected"],
        unless_before: &["driver-reads-all-ones", "slot-link-down", "uncorrected-errors", "contained"],
        unless_after: &["started", "found-again"],
        because: "The power was switched first; that the slot then seems empty, or that nothing answers, follows from it.",
        source: "Linux drivers/pci/pci.c (pci_bridge_wait_for_secondary_bus), drivers/pci/pci-acpi.c",
        ..BASE
    },
    Rule {
        id: "marked-by-hot-plug",
        verdict: Verdict::SurpriseRemoved,
        confidence: Confidence::Certain,
        seen: &["marked-disconnected"],
        unless_before: &["inaccessible", "contained", "slot-link-down", "uncorrected-errors"],
        because: "Only hot-plug marks a device so, and only when the card or its link went.",
        source: "Linux drivers/pci/hotplug/pciehp_pci.c (pciehp_unconfigure_device), include/linux/pci.h (pci_dev_set_disconnected)",
        ..BASE
    },
    Rule {
        id: "taken-out",
        verdict: Verdict::SurpriseRemoved,
        seen: &["card-not-present"],
        unless: &["slot-occupied", "own-slot-occupied"],
        unless_before: &[
            "driver-reads-all-ones",
            "uncorrected-errors",
            "inaccessible",
            "not-back-from-reset",
            "not-back-from-sleep",
            "contained",
        ],
        ahead: Some(SECONDS),
        unless_after: &["found-again", "started"],
        supports: &["slot-empty", "marked-disconnected"],
        because: "The slot saw the card go before anybody missed it: what drivers say afterwards, Xid 79 included, follows from that.",
        source: "PCIe 6.2, 6.7.3; Linux drivers/pci/hotplug/pciehp_ctrl.c",
        ..BASE
    },
    Rule {
        id: "cable-pulled",
        verdict: Verdict::SurpriseRemoved,
        seen: &[
            "inaccessible",
            "not-back-from-sleep",
            "driver-reads-all-ones",
            "power-refused",
            "card-not-present",
            "all-ones",
        ],
        before: &["cable-unplugged"],
        unless: &["slot-occupied", "own-slot-occupied"],
        unless_after: &["found-again"],
        because: "The Thunderbolt driver saw the cable go first; every device behind it is gone with it.",
        source: "Linux drivers/thunderbolt/switch.c",
        ..BASE
    },
    Rule {
        id: "cable-pulled-under-controller",
        verdict: Verdict::SurpriseRemoved,
        confidence: Confidence::Possible,
        seen: &["controller-dead"],
        before: &["cable-just-unplugged"],
        unless: &["answers"],
        because: "A USB host controller was given up just after a Thunderbolt cable went: it was in what was unplugged.",
        source: "Linux drivers/usb/host/xhci-ring.c (xhci_hc_died), drivers/thunderbolt/switch.c",
        ..BASE
    },
    Rule {
        id: "gone-while-asleep",
        verdict: Verdict::SurpriseRemoved,
        confidence: Confidence::Possible,
        seen: &["inaccessible", "power-refused", "not-back-from-sleep"],
        with: &["branch-vanished-asleep"],
        unless: &["slot-occupied", "own-slot-occupied"],
        unless_after: &["found-again", "started"],
        because: "A switch with everything behind it does not come back when the machine wakes: a dock or adapter that was unplugged \
                  meanwhile. A card with a switch of its own that has no power looks the same.",
        source: "Linux commit `PCI/PM: Mark devices disconnected if their upstream PCIe link is down on resume`",
        ..BASE
    },
    Rule {
        id: "slot-is-empty",
        verdict: Verdict::SurpriseRemoved,
        seen: &["all-ones", "driver-reads-all-ones"],
        with: &["slot-empty", "link-above-down"],
        unless: &["answers", "slot-was-emptied"],
        because: "The port sees no card and has no link, and without hot-plug nobody told the kernel.",
        source: "PCIe 6.2, 7.5.3.11 (Presence Detect State)",
        ..BASE
    },
    Rule {
        id: "link-switched-off",
        verdict: Verdict::LinkDown,
        confidence: Confidence::Certain,
        seen: &["link-disabled"],
        with: &["link-above-down"],
        level: Some(Level::Driver),
        because: "Link Disable is set at the port: software took the link down, the hardware is not the reason.",
        source: "PCIe 6.2, 7.5.3.7",
        ..BASE
    },
    Rule {
        id: "link-does-not-train",
        verdict: Verdict::LinkDown,
        confidence: Confidence::Certain,
        seen: &["link-training"],
        with: &["link-above-down"],
        unless_before: &["inaccessible", "contained"],
        because: "The port is still training when it is looked at: training takes milliseconds if it succeeds.",
        source: "PCIe 6.2, 7.5.3.8 and 4.2.6",
        ..BASE
    },
    Rule {
        id: "slot-lost-its-link",
        verdict: Verdict::LinkDown,
        seen: &["slot-link-down"],
        unless: &["answers"],
        unless_before: &["driver-reads-all-ones", "inaccessible", "uncorrected-errors"],
        unless_after: &["found-again", "started"],
        supports: &["link-above-down", "slot-occupied"],
        because: "Hot-plug saw the link go and the card stay; drivers noticed afterwards.",
        source: "Linux drivers/pci/hotplug/pciehp_ctrl.c (pciehp_handle_presence_or_link_change)",
        ..BASE
    },
    Rule {
        id: "card-without-link",
        verdict: Verdict::LinkDown,
        seen: &["no-link"],
        unless: &["answers"],
        unless_before: &[
            "contained",
            "inaccessible",
            "driver-reads-all-ones",
            "not-back-from-sleep",
            "uncorrected-errors",
        ],
        unless_after: &["found-again", "started"],
        because: "A card is seen and its link does not come up, or nothing answers behind it.",
        source: "Linux drivers/pci/hotplug/pciehp_hpc.c (pciehp_check_link_status)",
        ..BASE
    },
    Rule {
        id: "lost-while-set-up",
        verdict: Verdict::LinkDown,
        seen: &["address-read-back-as-all-ones"],
        unless: &["answers"],
        because: "It answered when it was found and all-ones when its addresses were written: the link went in between, by retraining \
                  or because the host controller takes it for down.",
        source: "Linux drivers/pci/setup-res.c (pci_std_update_resource); drivers/pci/pcie/aspm.c (pcie_aspm_configure_common_clock)",
        ..BASE
    },
    Rule {
        id: "controller-without-link",
        verdict: Verdict::LinkDown,
        confidence: Confidence::Possible,
        seen: &["controller-without-link"],
        because: "The host controller gave up waiting for a link: the slot is empty, or its card does not train.",
        source: "Linux drivers/pci/controller/dwc/pcie-designware.c (dw_pcie_wait_for_link)",
        ..BASE
    },
    Rule {
        id: "training-given-up",
        verdict: Verdict::LinkDown,
        seen: &["retraining-failed"],
        with: &["link-above-down", "slot-occupied"],
        because: "A card is seen, and its link does not even come up at 2.5 GT/s.",
        source: "Linux drivers/pci/quirks.c (pcie_failed_link_retrain)",
        ..BASE
    },
    Rule {
        id: "card-without-link-now",
        verdict: Verdict::LinkDown,
        seen: &["card-without-link-now"],
        because: "The slot is not empty, nothing answers behind the port, and the kernel lists nobody there: what was in it is lost, or \
                  never came up.",
        source: "PCIe 6.2, 7.5.3.8 (Data Link Layer Link Active) and 7.5.3.11 (Presence Detect State)",
        ..BASE
    },
    Rule {
        id: "lost-for-lack-of-addresses",
        verdict: Verdict::FirmwareConfiguration,
        seen: &["driver-reads-all-ones", "identity-unreadable"],
        before: &["no-address", "no-window", "address-conflict", "address-missed", "reservation-overlaps"],
        unless: &["all-ones", "uncorrected-errors", "signal-errors"],
        because: "The device's addresses never were right: what reads all-ones there is nobody, and not a dead device.",
        source: "Linux drivers/pci/setup-bus.c; NVIDIA open-gpu-kernel-modules, osapi.c (rm_is_supported_device)",
        ..BASE
    },
    Rule {
        id: "lost-in-power-management",
        verdict: Verdict::PowerStateStuck,
        seen: &["driver-reads-all-ones", "identity-unreadable", "all-ones"],
        before: &["inaccessible", "power-refused", "not-back-from-sleep"],
        unless: &["answers"],
        unless_before: &["uncorrected-errors", "engine-failed"],
        because: "The kernel could not bring it back to D0 before the driver missed it: power management lost it.",
        source: "Linux drivers/pci/pci.c (pci_power_up)",
        ..BASE
    },
    Rule {
        id: "wakes-no-more",
        verdict: Verdict::PowerStateStuck,
        seen: &["inaccessible", "not-back-from-sleep", "power-refused"],
        unless: &["answers", "slot-empty"],
        unless_before: &[
            "driver-reads-all-ones",
            "identity-unreadable",
            "uncorrected-errors",
            "contained",
            "engine-failed",
            "memory-reads-all-ones",
            "registers-stuck",
        ],
        unless_after: &["started"],
        because: "It should have come to D0 and did not, and nothing had gone wrong with it before.",
        source: "Linux drivers/pci/pci.c (pci_power_up, pci_raw_set_power_state)",
        ..BASE
    },
    Rule {
        id: "off-the-bus-after-hang",
        verdict: Verdict::FallenOffBus,
        seen: &["inaccessible", "not-back-from-sleep"],
        before: &[
            "engine-failed",
            "driver-failed",
            "device-slow",
            "memory-reads-all-ones",
            "registers-stuck",
        ],
        unless: &["answers"],
        unless_before: &["uncorrected-errors", "contained", "card-not-present"],
        unless_after: &["started"],
        because: "It completed nothing any more, and when the driver wanted to reset it configuration space read all-ones: it was gone \
                  before anybody changed its power state.",
        source: "Linux drivers/nvme/host/pci.c (nvme_timeout); seen on Linux 6.12 with a disk that was taken away",
        ..BASE
    },
    Rule {
        id: "off-the-bus-after-bad-signal",
        verdict: Verdict::FallenOffBus,
        seen: LOST,
        before: &["signal-errors"],
        unless: &["answers"],
        unless_after: &["started"],
        because: "The link repaired errors of its signal before the device was lost: the way to it is what to look at first.",
        source: "PCIe 6.2, 6.2.7 and table 6-3",
        ..BASE
    },
    Rule {
        id: "off-the-bus-after-error",
        verdict: Verdict::FallenOffBus,
        seen: LOST,
        before: &["uncorrected-errors", "link-lost-above"],
        unless: &["answers"],
        unless_after: &["started"],
        because: "An uncorrected error came first; the device did not answer after it.",
        source: "PCIe 6.2, 6.2; Linux drivers/pci/pcie/err.c (pcie_do_recovery)",
        ..BASE
    },
    Rule {
        id: "off-the-bus-after-trouble",
        verdict: Verdict::FallenOffBus,
        seen: LOST,
        before: &["engine-failed", "memory-errors", "registers-stuck"],
        unless: &["answers"],
        unless_after: &["started"],
        because: "The device itself was in trouble before it was lost: it hung, or its memory failed, and then nobody answered.",
        source: "NVIDIA Xid errors, 48, 62 and 79; derived",
        ..BASE
    },
    Rule {
        id: "off-the-bus-now",
        verdict: Verdict::FallenOffBus,
        confidence: Confidence::Certain,
        seen: LOST,
        with: &["all-ones"],
        against: &["link-above-up"],
        because: "Reads of its configuration space give all-ones while the kernel still lists it: nobody answers there.",
        source: "PCIe 6.2, 2.3.2; Linux drivers/pci/pci-sysfs.c (pci_read_config)",
        ..BASE
    },
    Rule {
        id: "off-the-bus-then-taken-out",
        verdict: Verdict::FallenOffBus,
        seen: &["driver-reads-all-ones", "identity-unreadable", "vanished"],
        with: &["card-not-present"],
        unless: &["answers", "slot-occupied"],
        unless_before: &["card-not-present"],
        because: "The driver read all-ones first, and the card left its slot later: somebody took out what had been lost already. Why it \
                  was lost is the question, not who took it out.",
        source: "NVIDIA open-gpu-kernel-modules, osinit.c (osHandleGpuLost); Linux drivers/pci/hotplug/pciehp_ctrl.c",
        ..BASE
    },
    Rule {
        id: "off-the-bus-after-silence",
        verdict: Verdict::FallenOffBus,
        seen: &["driver-reads-all-ones", "identity-unreadable", "vanished"],
        with: &["firmware-silent"],
        unless: &["answers"],
        because: "The driver reads all-ones, and the device's own processor (GSP) did not answer it either. Whether that one hung first, \
                  or did not answer because the device was gone already, the log cannot tell: it is an early sign or a consequence.",
        source: "NVIDIA open-gpu-kernel-modules, kernel_gsp.c (_kgspLogXid119), osinit.c (osHandleGpuLost)",
        ..BASE
    },
    Rule {
        id: "off-the-bus-by-log",
        verdict: Verdict::FallenOffBus,
        seen: &["driver-reads-all-ones", "identity-unreadable", "vanished"],
        unless: &["answers"],
        because: "The driver reads all-ones, and nothing that would explain it comes before it in the log.",
        source: "NVIDIA open-gpu-kernel-modules, osinit.c (osHandleGpuLost); Linux drivers/nvme/host/pci.c, drivers/net/ethernet/intel",
        ..BASE
    },
    Rule {
        id: "asks-for-patience",
        verdict: Verdict::NotReady,
        confidence: Confidence::Certain,
        seen: &["asks-for-patience"],
        because: "Vendor ID 0001h is Request Retry Status: it is in reset or starting.",
        source: "PCIe 6.2, 2.3.1",
        ..BASE
    },
    Rule {
        id: "still-waited-for",
        verdict: Verdict::NotReady,
        seen: &["waited-for"],
        unless: &["answers"],
        unless_after: &["started"],
        unless_before: &["contained", "driver-reads-all-ones"],
        because: "The kernel waits for it after a reset, and the log does not say how that ended.",
        source: "Linux drivers/pci/pci.c (pci_dev_wait)",
        ..BASE
    },
];
