//! Register Locator DVSEC, DVSEC ID 8: where the blocks of registers in memory space are. CXL 3.1, 8.1.9.

use super::Body;
use crate::pci::register::{Meaning, Quantity};
use crate::register;

register! {
    /// Where one block of registers is and what it is: Register Offset Low and Register Offset High in one.
    pub struct RegisterBlock(u64) at 0x0c in "register_block", "register_offset", "Block", "CXL 3.1, 8.1.9.1" {
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
        15:8 register_block_identifier HwInit "ID" = Meaning::Choice(&[
            (0, "empty"),
            (1, "component registers"),
            (2, "BAR virtualization ACL registers"),
            (3, "CXL device registers"),
            (4, "CPMU registers"),
            (5, "CHMU registers"),
            (0xff, "designated vendor-specific registers"),
        ]),
        /// Offset of the block in that BAR, in units of 64 KB.
        63:16 register_block_offset HwInit "offset" = Meaning::Quantity(times_64_kb),
    }
}

fn times_64_kb(units: u64) -> Quantity {
    Quantity::Offset(units << 16)
}

/// Where the first block is described, and in how many bytes each is.
const FIRST: u16 = 0x0c;
const BLOCK: u16 = 8;

/// Places the registers; gives how many bytes there should be for the blocks that the length makes room for.
pub(super) fn layout(body: &mut Body<'_, '_>) -> u16 {
    let count = body.length.saturating_sub(FIRST) / BLOCK;
    body.load(FIRST + BLOCK * count);
    for index in 0..count {
        body.add_in::<RegisterBlock>(index, FIRST + BLOCK * index);
    }
    // At least one, and whole ones.
    FIRST + BLOCK * body.stated.saturating_sub(FIRST).div_ceil(BLOCK).max(1)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_fields, cxl, wrong_length};
    use super::*;

    #[test]
    fn every_block() {
        let body = [0, 0x0001_0100, 0, 0x8000_0302, 1, 0x0000_0000, 0, 0x0000_ff05, 0];
        let decoded = cxl(8, 0, 0x2c, &body).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (2, 8 + 32));
        assert_fields(
            &decoded,
            &[
                ("register_block[0].register_offset.register_bir", 0),
                ("register_block[0].register_offset.register_block_identifier", 1),
                ("register_block[0].register_offset.register_block_offset", 1),
                ("register_block[1].register_offset.register_bir", 2),
                ("register_block[1].register_offset.register_block_identifier", 3),
                ("register_block[1].register_offset.register_block_offset", 0x1_8000),
                ("register_block[2].register_offset.register_block_identifier", 0),
                ("register_block[3].register_offset.register_bir", 5),
                ("register_block[3].register_offset.register_block_identifier", 0xff),
            ],
        );
        assert_eq!(decoded.paths().len(), 2 + 4);
        assert_eq!(times_64_kb(0x1_8000), Quantity::Offset(0x1_8000_0000));
        assert!(decoded.anomalies.is_empty());
    }

    #[test]
    fn lengths_that_cannot_be_and_the_end_of_the_room() {
        for (length, blocks) in [(0x0c, 0), (0x13, 0), (0x15, 1), (0x1b, 1)] {
            let decoded = cxl(8, 0, length, &[0; 8]).decode();
            assert_eq!(decoded.paths().len(), 2 + blocks, "length {length:#x}");
            assert_eq!(decoded.anomalies, wrong_length(0, length), "length {length:#x}");
        }
        let decoded = cxl(8, 0, 0xffc, &[0; 8]).decode();
        assert_eq!(decoded.paths().len(), 2 + (4096 - 0x10c) / 8);
        let decoded = cxl(8, 0, 0x2c, &[0; 8]).next(0x120).decode();
        assert_eq!(decoded.paths().len(), 2 + 2);
        let decoded = cxl(8, 0, 0x1c, &[0; 8]).limit(0x114).decode();
        assert_eq!(decoded.raw("register_block[0].register_offset"), Some(0));
        assert_eq!(decoded.raw("register_block[1].register_offset"), None);
    }
}
