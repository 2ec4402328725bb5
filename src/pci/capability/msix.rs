//! MSI-X, capability ID 11h. PCIe 6.2, 7.7.2.

use crate::pci::decode::{Builder, Specification};
use crate::pci::quantity::minus_one;
use crate::pci::register::{Meaning, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Standard,
    id: 0x11,
    key: "msix",
    name: "MSI-X",
    section: "PCIe 6.2, 7.7.2",
    layout: Some(layout),
    registers: &[Control::REGISTER, Table::REGISTER, PendingBitArray::REGISTER],
};

register! {
    /// Message Control: whether MSI-X is in use and how many vectors the function has.
    pub struct Control(u16) at 0x02, "control", "MSI-X", "PCIe 6.2, 7.7.2.2" {
        /// Number of vectors, stored minus one: 1 to 2048.
        10:0 table_size Ro "Count" = Meaning::Quantity(minus_one),
        /// Masks all vectors, whatever their own mask bits say.
        14 function_mask Rw "Masked",
        /// The function uses MSI-X and must not use INTx.
        15 enable Rw "Enable",
    }

    /// Where the vector table lies.
    pub struct Table(u32) at 0x04, "table", "Vector table", "PCIe 6.2, 7.7.2.3" {
        /// Which Base Address Register maps the table: 0 to 5; 6 and 7 are reserved.
        2:0 bar_indicator Ro "BAR",
        /// Offset of the table in that BAR in units of 8 bytes (the register without its low three bits is the offset).
        31:3 offset Ro "offset" = Meaning::Quantity(times_eight),
    }

    /// Where the Pending Bit Array lies.
    pub struct PendingBitArray(u32) at 0x08, "pending_bit_array", "PBA", "PCIe 6.2, 7.7.2.4" {
        /// Which Base Address Register maps the array: 0 to 5; 6 and 7 are reserved.
        2:0 bar_indicator Ro "BAR",
        /// Offset of the array in that BAR in units of 8 bytes.
        31:3 offset Ro "offset" = Meaning::Quantity(times_eight),
    }
}

fn times_eight(units: u64) -> crate::pci::register::Quantity {
    crate::pci::register::Quantity::Offset(units * 8)
}

impl Control {
    /// Number of vectors: 1 to 2048.
    pub fn vectors(self) -> u16 {
        self.table_size() + 1
    }
}

impl Table {
    /// Offset of the table in its BAR, in bytes.
    pub fn byte_offset(self) -> u32 {
        self.0 & !7
    }
}

impl PendingBitArray {
    /// Offset of the array in its BAR, in bytes.
    pub fn byte_offset(self) -> u32 {
        self.0 & !7
    }
}

fn layout(builder: &mut Builder<'_>) {
    builder.load(0x04, 8);
    builder.add::<Control>();
    builder.add::<Table>();
    builder.add::<PendingBitArray>();
}

#[cfg(test)]
mod tests {
    use super::super::testing::{decode, decode_in, placed, reads};
    use super::*;
    use crate::pci::decode::Context;

    const BYTES: [u8; 12] = [0x11, 0, 0x0f, 0xc0, 0x02, 0x30, 0, 0, 0x04, 0x20, 0x01, 0];

    #[test]
    fn table_and_pending_bits() {
        let (capability, _) = decode(Context::default(), &BYTES);
        assert_eq!(placed(&capability), [("control", 2), ("table", 4), ("pending_bit_array", 8)]);
        let control: Control = capability.get().unwrap();
        assert!(control.enable() && control.function_mask());
        assert_eq!(control.vectors(), 16);
        let table: Table = capability.get().unwrap();
        assert_eq!((table.bar_indicator(), table.byte_offset(), table.offset()), (2, 0x3000, 0x600));
        let pending: PendingBitArray = capability.get().unwrap();
        assert_eq!((pending.bar_indicator(), pending.byte_offset()), (4, 0x12000));
        assert_eq!(reads(Context::default(), &BYTES), [(4, 8)]);
    }

    #[test]
    fn what_cannot_be_read_has_no_value() {
        let mut space = vec![0; 0x48];
        space[0x40..].copy_from_slice(&BYTES[..8]);
        let (capability, _) = decode_in(Context::default(), &space);
        assert_eq!(capability.get(), Some(Table(0x3002)));
        assert_eq!(capability.get::<PendingBitArray>(), None);
    }
}
