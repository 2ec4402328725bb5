//! Scalable I/O Virtualization, extended capability ID 0038h. PCIe 7.0.
//!
//! Which registers there are is public through the names that Linux gives them. What the bits of the Capabilities
//! register mean is not, so they are shown as a number.

use crate::pci::decode::{Builder, Specification};
use crate::pci::register::{Meaning, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x38,
    key: "siov",
    name: "Scalable I/O Virtualization",
    section: "PCIe 7.0",
    layout: Some(layout),
    registers: &[
        Capabilities::REGISTER,
        TotalSdis::REGISTER,
        Status::REGISTER,
        FirstSdiOffset::REGISTER,
        SdiStride::REGISTER,
    ],
};

register! {
    /// What the function can do; not decoded.
    pub struct Capabilities(u32) at 0x04, "capabilities", "SIOVCap", "PCIe 7.0" {
        /// All 32 bits.
        31:0 bits Ro "bits" = Meaning::Hex,
    }
    /// Scalable device interfaces that there may be.
    pub struct TotalSdis(u16) at 0x08, "total_sdis", "Total SDIs", "PCIe 7.0" {
        /// Zero where there can be none.
        15:0 number Ro "Total SDIs",
    }
    /// Whether any of them is in use.
    pub struct Status(u8) at 0x0b, "status", "SIOVSta", "PCIe 7.0" {
        /// At least one scalable device interface is enabled.
        0 enabled Ro "Enabled",
    }
    /// Where the first scalable device interface is.
    pub struct FirstSdiOffset(u16) at 0x0c, "first_sdi_offset", "SDI offset", "PCIe 7.0" {
        /// Added to the function's routing ID.
        15:0 offset Ro "SDI offset",
    }
    /// Where the others are.
    pub struct SdiStride(u16) at 0x0e, "sdi_stride", "stride", "PCIe 7.0" {
        /// Added for each further one.
        15:0 stride Ro "stride",
    }
}

fn layout(builder: &mut Builder<'_>) {
    builder.load(0x04, 0x0c);
    builder.add::<Capabilities>();
    builder.add::<TotalSdis>();
    builder.add::<Status>();
    builder.add::<FirstSdiOffset>();
    builder.add::<SdiStride>();
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;

    #[test]
    fn every_register_in_one_read() {
        let decoded = Case::new(0x38).body(&[0x8000_0001, 0x0100_0400, 0x0002_0010]).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (1, 12));
        assert_eq!(decoded.field("capabilities.bits"), 0x8000_0001);
        assert_eq!(decoded.field("total_sdis.number"), 1024);
        assert_eq!(decoded.field("status.enabled"), 1);
        assert_eq!(decoded.field("first_sdi_offset.offset"), 16);
        assert_eq!(decoded.field("sdi_stride.stride"), 2);
        assert_eq!(decoded.capability.end, 0x110);
        let short = Case::new(0x38).limit(0x10c).decode();
        assert_eq!((short.raw("status"), short.raw("sdi_stride")), (Some(0), None));
    }
}
