//! What the kernel says of links, slots, errors on the bus and refused accesses.

use crate::check::finding::Verdict;
use crate::check::link_excuses::path_is_tunnelled;
use crate::kernel_log::Event;
use crate::machine::link;

use super::{Logged, is, trouble};

pub(super) fn uncorrected(logged: &Logged<'_>, event: &Event) -> Option<Verdict> {
    let severity = event.text("severity").unwrap_or_default().to_lowercase();
    let told = match event.kind.id {
        "aer.error" if severity.contains("uncorrect") => trouble(event, "an uncorrected error"),
        "aer.not-recovered" | "aer.reset-failed" => trouble(event, "recovery from an error failed"),
        "eeh.frozen" | "mce.pcie" => trouble(event, "the bus was stopped after an error"),
        // Of the four severities only this one tells of no error (UEFI 2.10, N.2.1; kernel: cper_severity_strs in
        // drivers/firmware/efi/cper.c).
        "apei.error" if severity.trim() == "info" => return None,
        "apei.error" if event.text("type").is_some_and(|t| t.contains("PCIe")) => {
            let told = trouble(event, "firmware reported an error of PCI Express");
            return Some(if severity.contains("corrected") { told.mild() } else { told });
        }
        _ => return None,
    };
    if logged.causes.injected(event) {
        return None;
    }
    Some(if severity.contains("non-fatal") { told.mild() } else { told })
}

pub(super) fn contained(_: &Logged<'_>, event: &Event) -> Option<Verdict> {
    is(event, &["dpc.containment", "dpc.edr"]).then(|| trouble(event, "the port contained an error"))
}

pub(super) fn link_lost(logged: &Logged<'_>, event: &Event) -> Option<Verdict> {
    match event.kind.id {
        "pciehp.link-down" => {
            // The card was taken out: presence and link go together (pciehp_handle_presence_or_link_change).
            let causes = &logged.causes;
            let out = causes.card_left(&logged.around, event, true) || causes.removal_asked(event);
            (!out).then(|| trouble(event, "the link went down"))
        }
        "pciehp.no-link" | "pciehp.no-device" => {
            Some(trouble(event, "a card is in the slot and has no link"))
        }
        "link.not-active" | "link.retraining-failed" => {
            // With nothing in the slot this is noise.
            let port = event.device.and_then(|device| logged.around.machine.get(device));
            let occupied = port.and_then(link::slot_occupied);
            let below =
                event.device.is_some_and(|device| logged.around.machine.children(device).next().is_some());
            (occupied == Some(true) || below)
                .then(|| trouble(event, "the link did not come up in time").mild())
        }
        _ => None,
    }
}

pub(super) fn card_removed(_: &Logged<'_>, event: &Event) -> Option<Verdict> {
    is(event, &["pciehp.card-not-present"]).then(|| trouble(event, "a card left its slot"))
}

pub(super) fn power_lost(_: &Logged<'_>, event: &Event) -> Option<Verdict> {
    let kinds = ["pciehp.power-fault", "nvidia.no-auxiliary-power", "mlx5.slot-power"];
    is(event, &kinds).then(|| trouble(event, "it has not enough power"))
}

pub(super) fn refused_by_iommu(_: &Logged<'_>, event: &Event) -> Option<Verdict> {
    let kinds =
        ["iommu.fault", "iommu.interrupt-blocked", "iommu.invalidation-timeout", "iommu.arm-context-fault"];
    is(event, &kinds).then(|| trouble(event, "the IOMMU refused the device"))
}

pub(super) fn bandwidth_limited(logged: &Logged<'_>, event: &Event) -> Option<Verdict> {
    if event.kind.id != "link.slower-than-the-device" {
        return None;
    }
    let function = event.device.and_then(|device| logged.around.machine.get(device));
    if function.is_some_and(|function| path_is_tunnelled(logged.around.machine, function)) {
        return None;
    }
    let text = |name| event.text(name).unwrap_or("unknown");
    let width = |name| event.number(name).map_or_else(|| "?".to_owned(), |width| format!("x{width}"));
    let can = format!("{} {}", text("capable_speed"), width("capable_width"));
    let now = format!("{} {} at {}", text("speed"), width("width"), text("limited_at"));
    let summary = format!("when it was found, a link on the way carried less than the device can: {now}");
    Some(Verdict { expected: can.into(), found: now, ..trouble(event, "") }.with_summary(summary))
}
