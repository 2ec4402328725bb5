//! CompactPCI Hot Swap, capability ID 06h: a board that can be pulled while the machine runs. PICMG 2.1; the bits are
//! those that Linux names in include/uapi/linux/pci_regs.h (PCI_CHSWP_*).

use crate::pci::decode::{Builder, Specification};
use crate::pci::register::RegisterType;
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Standard,
    id: 0x06,
    key: "compactpci_hot_swap",
    name: "CompactPCI Hot Swap",
    section: "PICMG 2.1",
    layout: Some(layout),
    registers: &[ControlStatus::REGISTER],
};

register! {
    /// Control and status of the board.
    pub struct ControlStatus(u8) at 0x02, "control_status", "HS_CSR", "PICMG 2.1" {
        /// Device Hiding Arm: the board hides when its handle is opened.
        0 device_hiding_arm Rw "DHA",
        /// ENUM# Signal Mask: the board does not signal insertion and extraction.
        1 enum_mask Rw "EIM",
        /// An insertion or extraction is pending.
        2 pending_insert_extract Ro "PIE",
        /// The blue light is on.
        3 led_on Rw "LOO",
        /// Programming interface.
        5:4 programming_interface Ro "PI",
        /// ENUM# status: the board is about to be extracted.
        6 extraction Rw1c "EXT",
        /// ENUM# status: the board was inserted.
        7 insertion Rw1c "INS",
    }
}

fn layout(builder: &mut Builder<'_>) {
    builder.add::<ControlStatus>();
}

#[cfg(test)]
mod tests {
    use super::super::testing::{decode, reads};
    use super::*;
    use crate::pci::decode::Context;

    #[test]
    fn a_board_that_was_just_inserted() {
        let bytes = [0x06, 0, 0x9a, 0];
        let (capability, anomalies) = decode(Context::default(), &bytes);
        assert!(anomalies.is_empty());
        let status: ControlStatus = capability.get().unwrap();
        assert!(status.insertion() && !status.extraction() && status.led_on() && status.enum_mask());
        assert_eq!(status.programming_interface(), 1);
        assert!(reads(Context::default(), &bytes).is_empty());
    }
}
