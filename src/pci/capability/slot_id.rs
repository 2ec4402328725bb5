//! Slot Identification, capability ID 04h: how the slots behind a bridge are numbered. PCI-to-PCI Bridge 1.2, 13.4.

use crate::pci::decode::{Builder, Specification};
use crate::pci::register::{Meaning, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Standard,
    id: 0x04,
    key: "slot_id",
    name: "Slot Identification",
    section: "PCI-to-PCI Bridge 1.2, 13.4",
    layout: Some(layout),
    registers: &[ExpansionSlot::REGISTER, Chassis::REGISTER],
};

register! {
    /// The slots on the bridge's secondary bus.
    pub struct ExpansionSlot(u8) at 0x02, "expansion_slot", "Slot ID", "PCI-to-PCI Bridge 1.2, 13.4" {
        /// How many expansion slots there are on the secondary bus.
        4:0 expansion_slots_provided HwInit "slots",
        /// The bridge is the first of its chassis.
        5 first_in_chassis HwInit "First",
    }

    /// The chassis that the slots are in.
    pub struct Chassis(u8) at 0x03, "chassis_number", "chassis", "PCI-to-PCI Bridge 1.2, 13.4" {
        /// Number of the chassis; 0 is the one that the processor is in.
        7:0 number Rw "chassis" = Meaning::Hex,
    }
}

fn layout(builder: &mut Builder<'_>) {
    // Both lie in the doubleword that the walk has read.
    builder.add::<ExpansionSlot>();
    builder.add::<Chassis>();
}

#[cfg(test)]
mod tests {
    use super::super::testing::{decode, reads};
    use super::*;
    use crate::pci::decode::Context;

    /// lspci calls it: Slot ID: 5 slots, First+, chassis 04.
    #[test]
    fn slots_and_chassis() {
        let bytes = [0x04, 0, 0x25, 0x04];
        let (capability, anomalies) = decode(Context { header_layout: 1, ..Context::default() }, &bytes);
        assert!(anomalies.is_empty());
        let slot: ExpansionSlot = capability.get().unwrap();
        assert_eq!((slot.expansion_slots_provided(), slot.first_in_chassis()), (5, true));
        assert_eq!(capability.get(), Some(Chassis(4)));
        assert_eq!(capability.end, 0x44);
        assert!(reads(Context::default(), &bytes).is_empty());
    }
}
