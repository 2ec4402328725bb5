//! What the kernel log says. One finding for each function that a rule found events of; without any, one for the machine:
//! a pass if the log goes back to the start of the machine. Where it does not, `kmsg-read` is unknown, and the others do not
//! apply.
//!
//! A line tells what was, not what is: a GPU that fell off the bus an hour ago may answer now, and is not sound.

mod bus;
mod cause;
mod drivers;
mod resources;

use crate::check::finding::{Judged, Proof, Skip, Verdict, Who};
use crate::check::registry::{Check, Of, Severity};
use crate::check::subject::Surroundings;
use crate::kernel_log::Event;

/// The machine and its log, in which what may explain other events is sorted out.
pub struct Logged<'a> {
    /// The machine, with the log.
    pub around: Surroundings<'a>,
    causes: cause::Causes<'a>,
}

impl<'a> Logged<'a> {
    /// Looks through the log once.
    pub fn new(around: Surroundings<'a>) -> Self {
        Logged { around, causes: cause::Causes::new(&around) }
    }
}

pub static CHECKS: &[Check] = &[
    Check {
        id: "kmsg-read",
        rule: "The kernel log can be read, back to the start of the machine.",
        severity: Severity::Warn,
        reads: "/dev/kmsg; var/log/kmsg or var/log/dmesg of a source, or --log",
        why: "A log that was not read, or that begins in the middle, is no proof that nothing happened. What is in it counts \
              all the same.",
        reference: "Linux Documentation/ABI/testing/dev-kmsg",
        remedy: "run as root; give the log of the boot with --log, from journalctl -k -b",
        who: Who::Operator,
        of: Of::Machine(log_is_there),
        ..Check::BASE
    },
    Check {
        id: "kmsg-fallen-off",
        rule: "No driver says that its device has left the bus.",
        reads: "kernel log: NVRM fallen off the bus, Xid 79, NVMe controller down with all-ones, and the like of other drivers",
        why: "The driver read all-ones where its device should be. It counts even if the device answers again now.",
        reference: "NVIDIA open-gpu-kernel-modules, osinit.c; Linux drivers/nvme/host/pci.c (nvme_warn_reset); \
                    `explain nvidia.fallen-off-the-bus`",
        remedy: "keep the evidence, then power-cycle the machine; if it happens again, check seating, riser, auxiliary power \
                 and cooling",
        who: Who::Provider,
        false_positives: "A card that left its slot just then (Card not present within ten seconds) is kmsg-card-removed.",
        of: Of::Log(drivers::fallen_off),
        ..Check::BASE
    },
    Check {
        id: "kmsg-rm-init",
        rule: "NVIDIA's driver has started every GPU.",
        reads: "kernel log: NVRM RmInitAdapter failed! (step:reason:line)",
        why: "The numbers are the step and the reason; the third is only a line of the driver's source.",
        reference: "NVIDIA open-gpu-kernel-modules, osinit.c (RM_INIT_STATUS), nvstatuscodes.h",
        remedy: "`explain` the line: step and reason say whether bus, power, interrupts or firmware is at fault",
        who: Who::Operator,
        of: Of::Log(drivers::start_failed),
        ..Check::BASE
    },
    Check {
        id: "kmsg-probe-failed",
        rule: "No driver has given a device up when it was bound.",
        severity: Severity::Warn,
        reads: "kernel log: probe with driver … failed, NVRM is not supported, driver got no interrupt",
        why: "The device is there and nobody uses it. What the driver says need not be the cause: a dead device is also \
              called not supported.",
        reference: "Linux drivers/base/dd.c (really_probe); NVIDIA open-gpu-kernel-modules, osapi.c",
        remedy: "look at the presence and BAR checks of the device first; then at the version of the driver",
        who: Who::Operator,
        false_positives: "Drivers that try a device that another driver is for (-19, ENODEV).",
        of: Of::Log(drivers::probe_failed),
        ..Check::BASE
    },
    Check {
        id: "kmsg-xid154",
        rule: "NVIDIA's driver does not ask for a GPU to be reset or the machine to be restarted.",
        reads: "kernel log: Xid 154, GPU recovery action changed; the last line of each GPU holds",
        why: "The driver has concluded which recovery is needed; until then the GPU stays out of use.",
        reference: "NVIDIA, Xid catalogue, 154 (GPU_RECOVERY_ACTION_CHANGED)",
        remedy: "do what the line asks for",
        who: Who::Operator,
        of: Of::Log(drivers::recovery_action),
        ..Check::BASE
    },
    Check {
        id: "kmsg-xid",
        rule: "NVIDIA's driver has reported no error of bus, power, memory or the GPU itself.",
        severity: Severity::Warn,
        reads: "kernel log: Xid of these levels; those of programs (13, 31, 43, …) are left out",
        why: "Xids are how a GPU says what is wrong with it; `explain xid N` says what a number means.",
        reference: "NVIDIA, Xid catalogue (docs.nvidia.com/deploy/xid-errors)",
        remedy: "`explain xid N` gives NVIDIA's recommendation for the number",
        who: Who::Operator,
        of: Of::Log(drivers::graphics_error),
        ..Check::BASE
    },
    Check {
        id: "kmsg-aer",
        rule: "The kernel has logged no uncorrected error of PCI Express.",
        reads: "kernel log: AER lines with severity, recovery that failed; errors that firmware reported (APEI), SERR, EEH",
        why: "An uncorrected error loses a request or the link. Counters in sysfs vanish with the device; the log stays.",
        reference: "Linux drivers/pci/pcie/aer.c, err.c, drivers/acpi/apei/ghes.c",
        remedy: "`explain` the line; reseat the card and its riser if errors of the physical or data link layer come back",
        who: Who::Provider,
        false_positives: "Non-fatal errors that were recovered from are warned about. Errors that aer-inject made \
                          less than a minute before are left out.",
        of: Of::Log(bus::uncorrected),
        ..Check::BASE
    },
    Check {
        id: "kmsg-dpc",
        rule: "No port has contained an error since the machine started.",
        severity: Severity::Warn,
        reads: "kernel log: DPC containment event, EDR",
        why: "Containment takes the link down; even where the kernel brought it back, the cause is still there.",
        reference: "Linux drivers/pci/pcie/dpc.c, edr.c",
        remedy: "look at the error that is named as the reason and at its source",
        who: Who::Provider,
        false_positives: "A drive that was pulled out of a slot that handles surprise removal by containment.",
        of: Of::Log(bus::contained),
        ..Check::BASE
    },
    Check {
        id: "kmsg-link-down",
        rule: "No link went down or failed to come up while a card was in its slot.",
        severity: Severity::Warn,
        reads: "kernel log: pciehp Link Down without Card not present, button or latch just before, No link, Link Active not set",
        why: "The link failed under a card that was there, or never came up.",
        reference: "Linux drivers/pci/hotplug/pciehp_ctrl.c, drivers/pci/pci.c (pcie_wait_for_link_delay)",
        remedy: "reseat the card and its riser, check auxiliary power",
        who: Who::Provider,
        false_positives: "Cards that are pulled or reset on purpose; Thunderbolt docks.",
        of: Of::Log(bus::link_lost),
        ..Check::BASE
    },
    Check {
        id: "kmsg-card-removed",
        rule: "No card has left its slot since the machine started.",
        severity: Severity::Warn,
        reads: "kernel log: pciehp Card not present",
        why: "Somebody pulled it, or its presence pins lost contact; what drivers said of the device just then follows from \
              that, and kmsg-fallen-off and kmsg-link-down leave it to this check.",
        reference: "PCIe 6.2, 7.5.3.11 (Presence Detect Changed); Linux drivers/pci/hotplug/pciehp_ctrl.c",
        remedy: "if nobody pulled it, reseat the card and its riser, and look at the slot's presence pins",
        who: Who::Provider,
        false_positives: "Cards, drives and docks that are pulled on purpose: profiles in which that is normal have it off.",
        of: Of::Log(bus::card_removed),
        ..Check::BASE
    },
    Check {
        id: "kmsg-power",
        rule: "Nobody complains about the power of a card.",
        reads: "kernel log: pciehp Power fault, NVRM power cables, mlx5 insufficient power on the PCIe slot",
        why: "A card without enough power fails under load or does not start.",
        reference: "Linux drivers/pci/hotplug/pciehp_ctrl.c; NVIDIA open-gpu-kernel-modules; mlx5 port module events",
        remedy: "check auxiliary power cables, the power supply and the slot's power limit",
        who: Who::Provider,
        of: Of::Log(bus::power_lost),
        ..Check::BASE
    },
    Check {
        id: "kmsg-interrupts",
        rule: "No driver or kernel complains about interrupts of a device.",
        reads: "kernel log: Failed to enable MSI-X, nobody cared, vector space exhaustion, completion polled",
        why: "The device may be sound and nobody hears it.",
        reference: "NVIDIA open-gpu-kernel-modules, nv-msi.c; Linux kernel/irq/spurious.c, arch/x86/kernel/apic/vector.c",
        remedy: "look at msi-bus-forbidden, msix-off-while-bound and msi-remapping-off; restart the driver",
        who: Who::Operator,
        of: Of::Log(drivers::interrupts_lost),
        ..Check::BASE
    },
    Check {
        id: "kmsg-iommu",
        rule: "The IOMMU has refused no device.",
        severity: Severity::Warn,
        reads: "kernel log: DMAR, AMD-Vi and SMMU faults",
        why: "The device wrote or read where it was not allowed: a driver's mistake, firmware that still uses the device, or a \
              device that is out of order.",
        reference: "Linux drivers/iommu/intel/dmar.c, drivers/iommu/amd/iommu.c",
        remedy: "update the driver and the firmware of the device",
        who: Who::Driver,
        of: Of::Log(bus::refused_by_iommu),
        ..Check::BASE
    },
    Check {
        id: "kmsg-device-timeout",
        rule: "No driver has waited in vain for its device.",
        severity: Severity::Warn,
        reads: "kernel log: NVMe, Ethernet, amdgpu, storage timeouts and hangs",
        why: "The device answers on the bus and does not do its work.",
        reference: "Linux drivers/nvme/host/pci.c (nvme_timeout), net/sched/sch_generic.c (dev_watchdog)",
        remedy: "update the device's firmware; if other lines speak of the bus, begin with those",
        who: Who::Replacement,
        of: Of::Log(drivers::waited_in_vain),
        ..Check::BASE
    },
    Check {
        id: "link-bandwidth-kmsg",
        rule: "The kernel has not noted that a link carries less than its device can.",
        severity: Severity::Off,
        reads: "kernel log: available PCIe bandwidth, limited by …",
        why: "The line names the narrowest link at the time when the device was found, before any power saving.",
        reference: "Linux drivers/pci/pci.c (__pcie_print_link_status)",
        remedy: "look at the link that is named",
        who: Who::Provider,
        false_positives: "Slots with fewer lanes by design; devices that were found while they idled. Tunnels (Thunderbolt, \
                          USB4) are left out.",
        of: Of::Log(bus::bandwidth_limited),
        ..Check::BASE
    },
    Check {
        id: "bar-kmsg",
        rule: "The kernel has found room for every BAR.",
        reads: "kernel log: can't assign, failed to assign, can't claim; resource, which tells whether it was mended",
        why: "A device without its BARs cannot be used; the lines say what was asked for and where there was no room.",
        reference: "Linux drivers/pci/setup-bus.c, setup-res.c; NVIDIA open-gpu-kernel-modules, nv-pci.c",
        remedy: "set `Above 4G Decoding` (`64-bit MMIO`) to Enabled in firmware setup; try pci=realloc",
        who: Who::Firmware,
        false_positives: "I/O space, expansion ROMs and virtual functions' BARs, which hardly anybody uses, are left out, \
                          and BARs that have an address now.",
        of: Of::Log(resources::no_room),
        ..Check::BASE
    },
];

fn log_is_there(around: &Surroundings<'_>) -> Judged {
    let log = around.log.ok_or_else(|| Skip::unknown("the source does not have the kernel log"))?;
    match log.boots.last().and_then(|boot| boot.kernel.clone()) {
        Some(line) => Ok(Verdict::good([Proof::Log { line }])),
        None => Err(Skip::unknown(
            "the kernel log does not go back to the start of the machine: what was before is not known",
        )),
    }
}

/// The verdict that an event is trouble, in the kernel's words.
pub(super) fn trouble(event: &Event, what: &str) -> Verdict {
    let line = event.message.trim().trim_end_matches('.');
    Verdict::bad(format!("{what}: {line}"), "no such line in the log", times(event), proofs(event))
}

pub(super) fn times(event: &Event) -> String {
    match event.count {
        1 => "one".to_owned(),
        count => format!("{count} times"),
    }
}

/// Most lines of one event that are shown.
pub(super) const LINES: usize = 3;

pub(super) fn proofs(event: &Event) -> Vec<Proof> {
    event.evidence.iter().take(LINES).map(Proof::line).collect()
}

pub(super) fn is(event: &Event, kinds: &[&str]) -> bool {
    kinds.contains(&event.kind.id)
}
