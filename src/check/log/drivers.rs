//! What drivers say of their devices.

use crate::check::finding::{Verdict, Who};
use crate::inspect::log::level;
use crate::kernel_log::{Event, Level, rm_init, xid};

use super::{Logged, is, trouble};

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
    "xhci.gone",
    "power.inaccessible",
    "pci.not-answering",
    "pci.unknown-header",
    "pciehp.no-response",
];

pub(super) fn fallen_off(logged: &Logged<'_>, event: &Event) -> Option<Verdict> {
    // A controller status of all-ones is a register that nobody answered (nvme_warn_reset).
    let status = event.number("controller_status");
    let all_ones = event.kind.id == "nvme.controller-down" && status == Some(0xffff_ffff);
    let gone = is(event, GONE) || xid_number(event) == Some(79) || all_ones;
    (gone && !logged.causes.card_left(&logged.around, event, false))
        .then(|| trouble(event, "its driver found nobody on the bus"))
}

pub(super) fn start_failed(_: &Logged<'_>, event: &Event) -> Option<Verdict> {
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

pub(super) fn probe_failed(_: &Logged<'_>, event: &Event) -> Option<Verdict> {
    // ENODEV: the driver looked and found that the device is not for it.
    if event.kind.id == "pci.probe-failed" && event.number("error") == Some(-19) {
        return None;
    }
    let kinds = ["pci.probe-failed", "nvidia.not-supported", "nvidia.none-started", "ethernet.start-failed"];
    is(event, &kinds).then(|| trouble(event, "a driver gave the device up"))
}

/// `GPU recovery action changed from 0x0 (None) to 0x1 (GPU Reset Required)`: the last such line of a GPU holds.
pub(super) fn recovery_action(logged: &Logged<'_>, event: &Event) -> Option<Verdict> {
    if xid_number(event) != Some(154) {
        return None;
    }
    if logged.causes.recovery_changed_later(event) {
        return None;
    }
    match event.text("action") {
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

pub(super) fn graphics_error(_: &Logged<'_>, event: &Event) -> Option<Verdict> {
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

pub(super) fn interrupts_lost(_: &Logged<'_>, event: &Event) -> Option<Verdict> {
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

pub(super) fn waited_in_vain(_: &Logged<'_>, event: &Event) -> Option<Verdict> {
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
        "xhci.dead",
    ];
    (firmware || is(event, &kinds)).then(|| trouble(event, "the device did not answer its driver in time"))
}
