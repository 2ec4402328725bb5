//! Alternate Protocol, extended capability ID 002Bh. PCIe 6.2, 7.9.20.

use crate::pci::decode::{Builder, Specification};
use crate::pci::register::{Meaning, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x2b,
    key: "alternate_protocol",
    name: "Alternate Protocol",
    section: "PCIe 6.2, 7.9.20",
    layout: Some(layout),
    registers: &[
        Capabilities::REGISTER,
        Control::REGISTER,
        Data1::REGISTER,
        Data2::REGISTER,
        SelectiveEnableMask::REGISTER,
    ],
};

register! {
    /// How many protocols besides PCI Express the link can be used for.
    pub struct Capabilities(u32) at 0x04, "capabilities", "AltProtCap", "PCIe 6.2, 7.9.20.2" {
        /// Protocols that can be agreed on, PCI Express included.
        7:0 alternate_protocol_count HwInit "Count",
        /// Each protocol can be allowed by itself: the mask is there.
        8 alternate_protocol_selective_enable_supported HwInit "SelectiveEn",
    }
    /// Which protocol the data registers are about, and whether any may be agreed on.
    pub struct Control(u32) at 0x08, "control", "AltProtCtl", "PCIe 6.2, 7.9.20.3" {
        /// Number of the protocol that the data registers describe. Seeing another one takes a write.
        7:0 alternate_protocol_index_select Rw "Index",
        /// Another protocol may be agreed on.
        8 alternate_protocol_negotiation_global_enable Rw "GlobalEn",
    }
    /// What is known of the selected protocol.
    pub struct Data1(u32) at 0x0c, "data_1", "AltProtData1", "PCIe 6.2, 7.9.20.4" {
        /// Usage of the modified training sets.
        2:0 alternate_protocol_usage_information Ro "Usage",
        /// Details, as the protocol defines them.
        15:5 alternate_protocol_details Ro "Details" = Meaning::Hex,
        /// Who defined the protocol; FFFFh where the selected one is disabled or does not exist.
        31:16 alternate_protocol_vendor_id Ro "VendorID" = Meaning::Hex,
    }
    /// What the modified training sets carry for the selected protocol.
    pub struct Data2(u32) at 0x10, "data_2", "AltProtData2", "PCIe 6.2, 7.9.20.5" {
        /// Symbols 14 to 12.
        23:0 modified_ts_information_2 Ro "Information2" = Meaning::Hex,
    }
    /// Which protocols may be agreed on: 32 of them.
    pub struct SelectiveEnableMask(u32) at 0x14 in "selective_enable_mask", "protocols", "AltProtMask", "PCIe 6.2, 7.9.20.6" {
        /// One bit a protocol; bit 0 of the first register is PCI Express.
        31:0 mask Rws "Mask" = Meaning::Hex,
    }
}

fn layout(builder: &mut Builder<'_>) {
    builder.load(0x04, 0x10);
    let capabilities = builder.add::<Capabilities>().unwrap_or(Capabilities(0));
    builder.add::<Control>();
    builder.add::<Data1>();
    builder.add::<Data2>();
    if capabilities.alternate_protocol_selective_enable_supported() {
        let room = builder.room().saturating_sub(0x14) / 4;
        let count = (capabilities.alternate_protocol_count() as u16).div_ceil(32).min(room);
        builder.load(0x14, 4 * count);
        for i in 0..count {
            builder.add_in::<SelectiveEnableMask>(i, 0x14 + 4 * i);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;

    #[test]
    fn a_port_that_can_do_cxl() {
        let body = [0x0000_0102, 0x0000_0101, 0x1e98_00a2, 0x00ab_cdef, 0x0000_0003];
        let decoded = Case::new(0x2b).body(&body).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (2, 20));
        for (path, value) in [
            ("capabilities.alternate_protocol_count", 2),
            ("capabilities.alternate_protocol_selective_enable_supported", 1),
            ("control.alternate_protocol_index_select", 1),
            ("control.alternate_protocol_negotiation_global_enable", 1),
            ("data_1.alternate_protocol_usage_information", 2),
            ("data_1.alternate_protocol_details", 5),
            ("data_1.alternate_protocol_vendor_id", 0x1e98),
            ("data_2.modified_ts_information_2", 0xab_cdef),
            ("selective_enable_mask[0].protocols.mask", 3),
        ] {
            assert_eq!(decoded.field(path), value, "{path}");
        }
        assert_eq!(decoded.capability.end, 0x118);
    }

    #[test]
    fn the_mask_is_as_long_as_the_count_and_the_room() {
        assert_eq!(Case::new(0x2b).body(&[0x00ff]).decode().paths().len(), 4, "no mask");
        assert_eq!(Case::new(0x2b).body(&[0x01ff]).decode().paths().len(), 4 + 8);
        assert_eq!(Case::new(0x2b).body(&[0x0120]).decode().paths().len(), 4 + 1);
        assert_eq!(Case::new(0x2b).body(&[0x01ff]).next(0x11c).decode().paths().len(), 4 + 2);
        let decoded = Case::new(0x2b).body(&[0x0121]).limit(0x118).decode();
        assert_eq!(decoded.raw("selective_enable_mask[0].protocols"), Some(0));
        assert_eq!(decoded.raw("selective_enable_mask[1].protocols"), None);
    }
}
