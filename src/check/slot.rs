//! Power and latch of a slot, and how much power it grants.

use crate::inspect::value::power_text;
use crate::machine::link;
use crate::pci::capability::express::{
    self, Capabilities, DeviceCapabilities, PortType, SlotCapabilities, SlotControl, SlotStatus,
};

use super::finding::{Judged, Skip, Verdict, Who};
use super::registry::{Check, Lasting, Of, Severity, Threshold};
use super::subject::{Read, Subject};

const EXPRESS: &crate::pci::decode::Specification = &express::SPECIFICATION;

pub static CHECKS: &[Check] = &[
    Check {
        id: "power-slot-fault",
        rule: "The slot has no power fault, is not switched off and its latch is closed while a card is in it.",
        reads: "SltSta bits 1, 5 and 6, SltCtl bit 10, SltCap bits 1 and 2",
        why: "A power fault or an open latch takes the card away although it is well.",
        reference: "PCIe 6.2, 7.5.3.9 to 7.5.3.11",
        remedy: "close the latch, check the slot's power, reseat the card",
        who: Who::Provider,
        false_positives: "The fault bit stays until software clears it. Slots that were switched off on purpose.",
        lasting: Lasting::Bits,
        of: Of::Function(fault),
        ..Check::BASE
    },
    Check {
        id: "power-slot-limit",
        rule: "The slot grants the card as much power as the profile expects.",
        severity: Severity::Off,
        reads: "DevCap bits 25:18 and 27:26 of the card (captured slot power limit)",
        why: "A card that was told 25 W limits itself, or refuses to start (mlx5: insufficient power on the PCIe slot).",
        reference: "PCIe 6.2, 6.9 and 7.5.3.3",
        remedy: "raise the slot power limit in firmware setup; check that the riser carries power",
        who: Who::Firmware,
        false_positives: "Cards with auxiliary power do not care. Of drives 25 W are enough, whatever the profile says.",
        threshold: Some(Threshold { default: 75_000, unit: "milliwatts" }),
        of: Of::Function(limit),
        ..Check::BASE
    },
];

fn fault(subject: &Subject<'_>) -> Judged {
    subject.downstream_port()?;
    if !subject.register::<Capabilities>(EXPRESS)?.slot_implemented() {
        return Err(Skip::not_applicable("the port has no slot"));
    }
    let capabilities: Read<SlotCapabilities> = subject.register(EXPRESS)?;
    let control: Read<SlotControl> = subject.register(EXPRESS)?;
    let status: Read<SlotStatus> = subject.register(EXPRESS)?;
    let occupied = status.presence_detect_state();
    let controller = capabilities.power_controller_present();
    let mut wrong = Vec::new();
    if status.power_fault_detected() && controller {
        wrong.push("a power fault was detected");
    }
    if controller && control.power_controller_control() && occupied {
        wrong.push("power is switched off");
    }
    if capabilities.mrl_sensor_present() && status.mrl_sensor_state() && occupied {
        wrong.push("the latch is open");
    }
    let proofs = [capabilities.proof, control.proof, status.proof];
    match wrong.is_empty() {
        true => Ok(Verdict::good(proofs)),
        false => {
            let wrong = wrong.join(", ");
            Ok(Verdict::bad(
                format!("slot below: {wrong}"),
                "power on, latch closed, no fault",
                wrong,
                proofs,
            ))
        }
    }
}

/// Milliwatts that a bay of a drive gives.
const BAY: u64 = 25_000;

fn limit(subject: &Subject<'_>) -> Judged {
    let port = subject.with_link()?;
    if !matches!(port, PortType::Endpoint | PortType::LegacyEndpoint | PortType::UpstreamPort) {
        return Err(Skip::not_applicable("only what is in a slot has a limit"));
    }
    let slot = link::partner(subject.around.machine, subject.function).and_then(link::slot_occupied);
    if slot.is_none() {
        return Err(Skip::not_applicable("it is in no slot"));
    }
    let capabilities: Read<DeviceCapabilities> = subject.register(EXPRESS)?;
    let granted = capabilities.captured_slot_power_limit_milliwatts();
    let proofs = [capabilities.field("captured_slot_power_limit_value")];
    let wanted = subject.around.profile.threshold("power-slot-limit");
    // Bays of drives give 25 W (PCI Express SFF-8639 Module Specification).
    let wanted = if subject.base_class() == Some(0x01) { wanted.min(BAY) } else { wanted };
    match granted {
        None => Err(Skip::unknown("the limit is a reserved value")),
        Some(0) => Err(Skip::unknown("the slot told the card no limit")),
        Some(granted) if u64::from(granted) >= wanted => Ok(Verdict::good(proofs)),
        Some(granted) => {
            let (granted, wanted) = (power_text(granted.into()), power_text(wanted));
            Ok(Verdict::bad(format!("the slot grants {granted}"), wanted, granted, proofs))
        }
    }
}
