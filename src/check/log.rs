//! What the kernel log says. One finding for each function that a rule found events of; without any, one for the machine:
//! a pass if the log goes back to the start of the machine. Where it does not, `kmsg-read` is unknown, and the others do not
//! apply.
//!
//! A line tells what was, not what is: a GPU that fell off the bus an hour ago may answer now, and is not sound.

use crate::inspect::log::level;
use crate::kernel_log::{Event, Level, rm_init, xid};
use crate::machine::link;
use crate::pci::Bdf;
use crate::pci::bars::resources;

use super::finding::{Judged, Proof, Skip, Verdict, Who};
use super::link::path_is_tunnelled;
use super::registry::{Check, Of, Severity};
use super::subject::Surroundings;

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
        false_positives: "A card that was pulled on purpose.",
        of: Of::Log(fallen_off),
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
        of: Of::Log(start_failed),
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
        of: Of::Log(probe_failed),
        ..Check::BASE
    },
    Check {
        id: "kmsg-xid154",
        rule: "NVIDIA's driver does not ask for a GPU to be reset or the machine to be restarted.",
        reads: "kernel log: Xid 154, GPU recovery action changed",
        why: "The driver has concluded which recovery is needed; until then the GPU stays out of use.",
        reference: "NVIDIA, Xid catalogue, 154 (GPU_RECOVERY_ACTION_CHANGED)",
        remedy: "do what the line asks for",
        who: Who::Operator,
        of: Of::Log(recovery_action),
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
        of: Of::Log(graphics_error),
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
        false_positives: "Non-fatal errors that were recovered from are warned about. Errors that aer-inject made are left \
                          out.",
        of: Of::Log(uncorrected),
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
        of: Of::Log(contained),
        ..Check::BASE
    },
    Check {
        id: "kmsg-link-down",
        rule: "No link went down or failed to come up while a card was in its slot.",
        severity: Severity::Warn,
        reads: "kernel log: pciehp Link Down without Card not present, No link, Link Active not set",
        why: "The link failed under a card that was there, or never came up.",
        reference: "Linux drivers/pci/hotplug/pciehp_ctrl.c, drivers/pci/pci.c (pcie_wait_for_link_delay)",
        remedy: "reseat the card and its riser, check auxiliary power",
        who: Who::Provider,
        false_positives: "Cards that are pulled or reset on purpose; Thunderbolt docks.",
        of: Of::Log(link_lost),
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
        of: Of::Log(power_lost),
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
        of: Of::Log(interrupts_lost),
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
        of: Of::Log(refused_by_iommu),
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
        of: Of::Log(waited_in_vain),
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
        of: Of::Log(bandwidth_limited),
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
        of: Of::Log(no_room),
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
fn trouble(event: &Event, what: &str) -> Verdict {
    let line = event.message.trim().trim_end_matches('.');
    Verdict::bad(format!("{what}: {line}"), "no such line in the log", times(event), proofs(event))
}

fn times(event: &Event) -> String {
    match event.count {
        1 => "one".to_owned(),
        count => format!("{count} times"),
    }
}

/// Most lines of one event that are shown.
const LINES: usize = 3;

fn proofs(event: &Event) -> Vec<Proof> {
    let line = |line: &crate::kernel_log::event::Evidence| Proof::Log {
        line: match line.line {
            0 => line.text.clone(),
            number => format!("line {number}: {}", line.text),
        },
    };
    event.evidence.iter().take(LINES).map(line).collect()
}

fn is(event: &Event, kinds: &[&str]) -> bool {
    kinds.contains(&event.kind.id)
}

fn xid_number(event: &Event) -> Option<i64> {
    (event.kind.id == "nvidia.xid").then(|| event.number("xid")).flatten()
}

/// Kinds by which drivers say that they read all-ones.
const GONE: &[&str] = &[
    "nvidia.fallen-off-the-bus",
    "nvidia.probe-fallen-off",
    "gpu.all-ones",
    "ahci.unavailable",
    "mlx5.unreachable",
    "ethernet.gone",
    "xhci.dead",
    "power.inaccessible",
    "pci.not-answering",
    "pci.unknown-header",
    "pciehp.no-response",
];

fn fallen_off(_: &Surroundings<'_>, event: &Event) -> Option<Verdict> {
    // A controller status of all-ones is a register that nobody answered (nvme_warn_reset).
    let status = event.number("controller_status");
    let all_ones = event.kind.id == "nvme.controller-down" && status == Some(0xffff_ffff);
    (is(event, GONE) || xid_number(event) == Some(79) || all_ones)
        .then(|| trouble(event, "its driver found nobody on the bus"))
}

fn start_failed(_: &Surroundings<'_>, event: &Event) -> Option<Verdict> {
    if event.kind.id != "nvidia.rm-init-failed" {
        return None;
    }
    let verdict = trouble(event, "the driver could not start the GPU");
    let numbers = event.number("init_status").zip(event.number("rm_status"));
    let Some((step, reason)) = numbers else { return Some(verdict) };
    let names = format!(
        "step {} ({step:#x}), reason {} ({reason:#x})",
        rm_init::step(step).unwrap_or("unknown"),
        rm_init::reason(reason).unwrap_or("unknown")
    );
    let means = rm_init::meaning(step, reason);
    Some(Verdict { summary: format!("the driver could not start the GPU: {means}"), found: names, ..verdict })
}

fn probe_failed(_: &Surroundings<'_>, event: &Event) -> Option<Verdict> {
    // ENODEV: the driver looked and found that the device is not for it.
    if event.kind.id == "pci.probe-failed" && event.number("error") == Some(-19) {
        return None;
    }
    let kinds = ["pci.probe-failed", "nvidia.not-supported", "nvidia.none-started", "ethernet.start-failed"];
    is(event, &kinds).then(|| trouble(event, "a driver gave the device up"))
}

fn recovery_action(_: &Surroundings<'_>, event: &Event) -> Option<Verdict> {
    if xid_number(event) != Some(154) {
        return None;
    }
    let message = event.text("message").unwrap_or(&event.message);
    // `GPU recovery action changed from 0x0 (None) to 0x1 (GPU Reset Required)`
    let action =
        message.rsplit_once(" to ").and_then(|(_, to)| to.split_once('(')?.1.split_once(')')).map(|(a, _)| a);
    match action {
        Some("None") => None,
        Some(action) => {
            let verdict = trouble(event, "the driver asks for recovery");
            let who = if action.contains("Drain") || action.contains("Reset") || action.contains("Reboot") {
                Who::Operator
            } else {
                Who::Provider
            };
            Some(verdict.action(who, format!("what the driver asks for: {action}")))
        }
        None => Some(trouble(event, "the driver asks for recovery")),
    }
}

fn graphics_error(_: &Surroundings<'_>, event: &Event) -> Option<Verdict> {
    let number = xid_number(event)?;
    // Told by checks of their own.
    if matches!(number, 79 | 154)
        || !matches!(level(event), Level::Bus | Level::Power | Level::Memory | Level::Device)
    {
        return None;
    }
    let known = xid::of(number);
    let means = known.map_or("", |xid| xid.means);
    let verdict = trouble(event, &format!("Xid {number} ({means})"));
    let words = known.map(|xid| (xid.immediate, xid::action(xid.immediate)));
    Some(match words {
        Some((word, Some(action))) => verdict.action(Who::Operator, format!("{action} (NVIDIA: {word})")),
        _ => verdict,
    })
}

/// Whether aer-inject made errors of the device: what follows is a test.
fn injected(around: &Surroundings<'_>, event: &Event) -> bool {
    let events = around.log.map(|log| log.events.as_slice()).unwrap_or_default();
    let Some(device) = event.device else { return false };
    // What a port says follows from an error below it.
    let concerns = |source: Bdf| {
        let path = around.machine.get(source).map(|f| around.machine.path(f)).unwrap_or_default();
        source == device || path.iter().any(|above| above.address == device)
    };
    let of = |other: &Event| other.kind.id == "aer.injected" && other.address("source").is_some_and(concerns);
    events.iter().any(of)
}

fn uncorrected(around: &Surroundings<'_>, event: &Event) -> Option<Verdict> {
    let severity = event.text("severity").unwrap_or_default().to_lowercase();
    let told = match event.kind.id {
        "aer.error" if severity.contains("uncorrect") => trouble(event, "an uncorrected error"),
        "aer.not-recovered" | "aer.reset-failed" => trouble(event, "recovery from an error failed"),
        "eeh.frozen" | "mce.pcie" => trouble(event, "the bus was stopped after an error"),
        "apei.error" if event.text("type").is_some_and(|t| t.contains("PCIe")) => {
            let told = trouble(event, "firmware reported an error of PCI Express");
            return Some(if severity.contains("corrected") { told.mild() } else { told });
        }
        _ => return None,
    };
    if injected(around, event) {
        return None;
    }
    Some(if severity.contains("non-fatal") { told.mild() } else { told })
}

fn contained(_: &Surroundings<'_>, event: &Event) -> Option<Verdict> {
    is(event, &["dpc.containment", "dpc.edr"]).then(|| trouble(event, "the port contained an error"))
}

fn link_lost(around: &Surroundings<'_>, event: &Event) -> Option<Verdict> {
    let events = around.log.map(|log| log.events.as_slice()).unwrap_or_default();
    match event.kind.id {
        "pciehp.link-down" => {
            // The card was taken out: presence and link go together (pciehp_handle_presence_or_link_change).
            let out = ["pciehp.card-not-present", "pciehp.button", "pciehp.latch-open"];
            let pulled = |other: &Event| {
                is(other, &out) && other.device == event.device && other.text("slot") == event.text("slot")
            };
            let told = trouble(event, "the link went down");
            (!events.iter().any(pulled)).then_some(told)
        }
        "pciehp.no-link" | "pciehp.no-device" => {
            Some(trouble(event, "a card is in the slot and has no link"))
        }
        "link.not-active" | "link.retraining-failed" => {
            // With nothing in the slot this is noise.
            let port = event.device.and_then(|device| around.machine.get(device));
            let occupied = port.and_then(link::slot_occupied);
            let below = event.device.is_some_and(|device| around.machine.children(device).next().is_some());
            (occupied == Some(true) || below)
                .then(|| trouble(event, "the link did not come up in time").mild())
        }
        _ => None,
    }
}

fn power_lost(_: &Surroundings<'_>, event: &Event) -> Option<Verdict> {
    let kinds = ["pciehp.power-fault", "nvidia.no-auxiliary-power", "mlx5.slot-power"];
    is(event, &kinds).then(|| trouble(event, "it has not enough power"))
}

fn interrupts_lost(_: &Surroundings<'_>, event: &Event) -> Option<Verdict> {
    // The driver gave up; with the others it goes on in another way.
    let given_up = ["nvidia.no-interrupts", "interrupts.driver-got-none"];
    let kinds = [
        "nvidia.msi-x-failed",
        "nvidia.msi-failed",
        "nvme.interrupt-lost",
        "interrupts.nobody-cared",
        "interrupts.no-handler",
        "interrupts.vectors-exhausted",
    ];
    match is(event, &given_up) {
        true => Some(trouble(event, "its driver got no interrupts")),
        false => is(event, &kinds).then(|| trouble(event, "its interrupts do not work").mild()),
    }
}

fn refused_by_iommu(_: &Surroundings<'_>, event: &Event) -> Option<Verdict> {
    let kinds =
        ["iommu.fault", "iommu.interrupt-blocked", "iommu.invalidation-timeout", "iommu.arm-context-fault"];
    is(event, &kinds).then(|| trouble(event, "the IOMMU refused the device"))
}

fn waited_in_vain(_: &Surroundings<'_>, event: &Event) -> Option<Verdict> {
    let status = event.number("controller_status");
    let firmware = event.kind.id == "nvme.controller-down" && status.is_some_and(|s| s != 0xffff_ffff);
    let kinds = [
        "nvme.command-timeout",
        "nvme.not-ready",
        "storage.adapter-dead",
        "ethernet.transmit-timeout",
        "ethernet.hardware-hang",
        "amdgpu.ring-timeout",
        "amdgpu.firmware-silent",
        "mlx5.health",
    ];
    (firmware || is(event, &kinds)).then(|| trouble(event, "the device did not answer its driver in time"))
}

fn bandwidth_limited(around: &Surroundings<'_>, event: &Event) -> Option<Verdict> {
    if event.kind.id != "link.slower-than-the-device" {
        return None;
    }
    let function = event.device.and_then(|device| around.machine.get(device));
    if function.is_some_and(|function| path_is_tunnelled(around.machine, function)) {
        return None;
    }
    let text = |name| event.text(name).unwrap_or("unknown");
    let width = |name| event.number(name).map_or_else(|| "?".to_owned(), |width| format!("x{width}"));
    let can = format!("{} {}", text("capable_speed"), width("capable_width"));
    let now = format!("{} {} at {}", text("speed"), width("width"), text("limited_at"));
    let summary = format!("when it was found, a link on the way carried less than the device can: {now}");
    Some(Verdict { expected: can.into(), found: now, ..trouble(event, "") }.with_summary(summary))
}

/// The number of a BAR in a line: of `BAR 1`, or by itself. `None`: a ROM, a window, a virtual function's BAR.
fn bar_number(event: &Event) -> Option<u8> {
    if let Some(name) = event.text("bar_name") {
        return name.strip_prefix("BAR ")?.parse().ok();
    }
    u8::try_from(event.number("bar")?).ok().filter(|bar| *bar < 6)
}

fn no_room(around: &Surroundings<'_>, event: &Event) -> Option<Verdict> {
    if event.kind.id == "nvidia.bar-invalid" {
        return Some(trouble(event, "the driver refuses a BAR"));
    }
    let kinds =
        ["resources.no-space", "resources.not-assigned", "resources.cannot-claim", "resources.cannot-enable"];
    let bar = bar_number(event).filter(|_| is(event, &kinds))?;
    if event.text("resource").is_some_and(|resource| resource.starts_with("[io")) {
        return None;
    }
    let function = event.device.and_then(|device| around.machine.get(device));
    let noted = function.and_then(|f| f.reading.text("resource")).and_then(resources);
    let now = noted.and_then(|lines| lines.get(usize::from(bar)).copied());
    // Later attempts may have succeeded. Without the machine, the last line about the BAR tells.
    let mended = match now {
        Some(resource) => resource.is_assigned(),
        None => around.log.is_some_and(|log| {
            log.events.iter().any(|other| {
                other.kind.id == "resources.assigned"
                    && (other.device, other.boot, bar_number(other)) == (event.device, event.boot, Some(bar))
                    && other.last_line > event.last_line
            })
        }),
    };
    (!mended).then(|| trouble(event, &format!("BAR {bar} got no address")))
}
