//! Designated Vendor-Specific Extended Capability, extended capability ID 0023h. PCIe 6.2, 7.9.6.

use crate::pci::decode::{Builder, Specification};
use crate::pci::register::{Meaning, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x23,
    key: "dvsec",
    name: "Designated Vendor-Specific Extended Capability",
    section: "PCIe 6.2, 7.9.6",
    layout: Some(layout),
    registers: &[Header1::REGISTER, Header2::REGISTER],
};

register! {
    /// Whose capability it is and how long.
    pub struct Header1(u32) at 0x04, "header_1", "DVSEC", "PCIe 6.2, 7.9.6.2" {
        /// Vendor who defined it; not necessarily the maker of the function.
        15:0 vendor_id Ro "Vendor" = Meaning::Hex,
        /// Chosen by that vendor.
        19:16 revision Ro "Rev",
        /// Bytes of the whole capability, from its first byte on.
        31:20 length Ro "Len" = Meaning::Unit("bytes"),
    }
    /// Which of that vendor's capabilities it is.
    pub struct Header2(u16) at 0x08, "header_2", "DVSEC2", "PCIe 6.2, 7.9.6.3" {
        /// Chosen by that vendor.
        15:0 id Ro "ID" = Meaning::Hex,
    }
}

fn layout(builder: &mut Builder<'_>) {
    builder.load(0x04, 8);
    if let Some(header) = builder.add::<Header1>() {
        builder.reaches(header.length() as u16);
    }
    builder.add::<Header2>();
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;

    #[test]
    fn both_headers_are_one_read() {
        let decoded = Case::new(0x23).body(&[0x0181_8086, 0x5555_0005]).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (1, 8));
        assert_eq!(decoded.field("header_1.vendor_id"), 0x8086);
        assert_eq!(decoded.field("header_1.revision"), 1);
        assert_eq!(decoded.field("header_1.length"), 0x18);
        assert_eq!(decoded.field("header_2.id"), 5);
        assert_eq!(decoded.capability.end, 0x118);
        let short = Case::new(0x23).body(&[0x0181_8086]).limit(0x108).decode();
        assert_eq!((short.raw("header_1"), short.raw("header_2")), (Some(0x0181_8086), None));
    }
}
