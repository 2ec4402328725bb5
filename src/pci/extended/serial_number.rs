//! Device Serial Number, extended capability ID 0003h. PCIe 6.2, 7.9.3.

use crate::pci::decode::{Builder, Specification};
use crate::pci::register::{Meaning, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x03,
    key: "serial_number",
    name: "Device Serial Number",
    section: "PCIe 6.2, 7.9.3",
    layout: Some(layout),
    registers: &[SerialNumber::REGISTER],
};

register! {
    /// A number that no other device has: an EUI-64, its company identifier in the most significant bytes.
    pub struct SerialNumber(u64) at 0x04, "number", "Device Serial Number", "PCIe 6.2, 7.9.3.2" {
        /// All 64 bits.
        63:0 eui_64 HwInit "EUI-64" = Meaning::Hex,
    }
}

impl SerialNumber {
    /// The bytes in the order in which they are written, most significant first.
    pub const fn bytes(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }
}

fn layout(builder: &mut Builder<'_>) {
    builder.add::<SerialNumber>();
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;
    use super::*;

    #[test]
    fn both_doublewords_make_one_number() {
        let decoded = Case::new(0x03).body(&[0x8087_14c4, 0xe87c_a900]).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (1, 8));
        let number = decoded.capability.get::<SerialNumber>().unwrap();
        assert_eq!(number.bytes(), [0xe8, 0x7c, 0xa9, 0x00, 0x80, 0x87, 0x14, 0xc4]);
        assert_eq!(decoded.field("number.eui_64"), 0xe87c_a900_8087_14c4);
    }

    #[test]
    fn half_a_number_is_none() {
        let decoded = Case::new(0x03).body(&[1]).limit(0x108).decode();
        assert_eq!(decoded.raw("number"), None);
    }
}
