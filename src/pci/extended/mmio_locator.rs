//! MMIO Register Block Locator, extended capability ID 0036h. PCIe 6.2, 7.9.30.

use crate::pci::decode::{Builder, Specification};
use crate::pci::register::{Meaning, Quantity, RegisterType};
use crate::pci::walk::{Anomaly, List};
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x36,
    key: "mmio_locator",
    name: "MMIO Register Block Locator",
    section: "PCIe 6.2, 7.9.30",
    layout: Some(layout),
    registers: &[Capabilities::REGISTER, Locator::REGISTER],
};

register! {
    /// How many blocks of registers there are.
    pub struct Capabilities(u32) at 0x04, "capabilities", "MRBLCap", "PCIe 6.2, 7.9.30.2" {
        /// Bytes of the whole capability: 8, and 8 for each locator.
        11:0 mrbl_structure_length HwInit "Len" = Meaning::Unit("bytes"),
    }
    /// Where one block of registers is and what it is.
    pub struct Locator(u64) at 0x08 in "locator", "register", "Locator", "PCIe 6.2, 7.9.30.3" {
        /// Which Base Address Register maps the block: 0 to 5.
        2:0 register_bir HwInit "BIR" = Meaning::Choice(&[
            (0, "BAR0"),
            (1, "BAR1"),
            (2, "BAR2"),
            (3, "BAR3"),
            (4, "BAR4"),
            (5, "BAR5"),
        ]),
        /// What the registers are.
        15:8 register_block_id HwInit "ID" = Meaning::Choice(&[
            (0, "empty"),
            (1, "MMIO Capabilities (MCAP)"),
            (0xff, "MMIO Designated Vendor-Specific (MDVS)"),
        ]),
        /// Offset of the block in that BAR, in units of 64 KB.
        63:16 register_block_offset HwInit "offset" = Meaning::Quantity(times_64_kb),
    }
}

fn times_64_kb(units: u64) -> Quantity {
    Quantity::Offset(units << 16)
}

/// Bytes before the first locator, and of a locator.
const HEAD: u16 = 8;
const LOCATOR: u16 = 8;

fn layout(builder: &mut Builder<'_>) {
    let Some(capabilities) = builder.add::<Capabilities>() else { return };
    let length = capabilities.mrbl_structure_length() as u16;
    builder.reaches(length);
    if length < HEAD + LOCATOR || !(length - HEAD).is_multiple_of(LOCATOR) {
        let offset = builder.located.offset + Capabilities::REGISTER.offset;
        builder.anomaly(Anomaly::ReservedValue { offset, raw: capabilities.raw() });
    }
    let count = length.min(builder.room()).saturating_sub(HEAD) / LOCATOR;
    if count > 0 {
        builder.load(HEAD, LOCATOR * count);
    }
    for index in 0..count {
        builder.add_in::<Locator>(index, HEAD + LOCATOR * index);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;
    use super::*;

    #[test]
    fn two_blocks() {
        let body = [0x18, 0x0001_0100, 0, 0x8000_ff02, 1];
        let decoded = Case::new(0x36).body(&body).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (2, 20));
        for (path, value) in [
            ("capabilities.mrbl_structure_length", 0x18),
            ("locator[0].register.register_bir", 0),
            ("locator[0].register.register_block_id", 1),
            ("locator[0].register.register_block_offset", 1),
            ("locator[1].register.register_bir", 2),
            ("locator[1].register.register_block_id", 0xff),
            ("locator[1].register.register_block_offset", 0x1_8000),
        ] {
            assert_eq!(decoded.field(path), value, "{path}");
        }
        assert_eq!(times_64_kb(0x1_8000), Quantity::Offset(0x1_8000_0000));
        assert_eq!(decoded.capability.end, 0x118);
        assert!(decoded.anomalies.is_empty());
    }

    #[test]
    fn a_length_that_cannot_be_is_said_and_does_not_run_away() {
        for (length, locators) in [(0, 0), (7, 0), (8, 0), (0x0f, 0), (0x14, 1), (0x1f, 2)] {
            let decoded = Case::new(0x36).body(&[length]).decode();
            assert_eq!(decoded.anomalies, [Anomaly::ReservedValue { offset: 0x104, raw: length.into() }]);
            assert_eq!(decoded.paths().len(), 1 + locators, "length {length}");
        }
    }

    #[test]
    fn locators_end_with_the_room_and_with_what_was_read() {
        let decoded = Case::new(0x36).body(&[0xff8]).decode();
        assert_eq!(decoded.paths().len(), 1 + (4096 - 0x108) / 8);
        assert!(matches!(decoded.anomalies[..], [Anomaly::PastEnd { .. }]));
        let decoded = Case::new(0x36).body(&[0x40]).next(0x11c).decode();
        assert_eq!(decoded.paths().len(), 1 + 2);
        assert!(matches!(decoded.anomalies[..], [Anomaly::Overlap { .. }]));
        let decoded = Case::new(0x36).body(&[0x18]).limit(0x114).decode();
        assert_eq!(decoded.raw("locator[0].register"), Some(0));
        assert_eq!(decoded.raw("locator[1].register"), None);
        assert_eq!(Case::new(0x36).limit(0x104).decode().paths().len(), 1);
    }
}
