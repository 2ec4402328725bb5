//! Hierarchy ID, extended capability ID 0028h: in which system and hierarchy the function is. PCIe 6.2, 7.9.17.

use crate::pci::decode::{Builder, Specification};
use crate::pci::register::{Meaning, Quantity, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x28,
    key: "hierarchy_id",
    name: "Hierarchy ID",
    section: "PCIe 6.2, 7.9.17",
    layout: Some(layout),
    registers: &[
        HierarchyIdStatus::REGISTER,
        HierarchyIdData::REGISTER,
        HierarchyIdGuid1::REGISTER,
        HierarchyIdGuid2::REGISTER,
        HierarchyIdGuid3::REGISTER,
        HierarchyIdGuid4::REGISTER,
        HierarchyIdGuid5::REGISTER,
    ],
};

register! {
    /// Whether the function was told where it is.
    pub struct HierarchyIdStatus(u32) at 0x04, "status", "HierIDSta", "PCIe 6.2, 7.9.17.2" {
        /// Which port told it; upstream ports only.
        15:0 message_requester_id Ro "Requester" = Meaning::Quantity(requester),
        /// Software can write the other registers; always so in downstream ports.
        28 hierarchy_id_writeable Rw "Writeable",
        /// Software can choose whether it can write them.
        29 hierarchy_id_vf_configurable Ro "VFConfigurable",
        /// The message has yet to be sent; downstream ports only.
        30 hierarchy_id_pending Rw "Pending",
        /// The other registers hold something.
        31 hierarchy_id_valid Ro "Valid",
    }
    /// The hierarchy.
    pub struct HierarchyIdData(u32) at 0x08, "data", "HierIDData", "PCIe 6.2, 7.9.17.3" {
        /// By whose rules the system's identifier was made.
        7:0 system_guid_authority_id Ro "Authority" = Meaning::Hex,
        /// Segment group of the hierarchy.
        31:16 hierarchy_id Ro "HierarchyID" = Meaning::Hex,
    }
    /// The system's identifier, bits 143:128.
    pub struct HierarchyIdGuid1(u32) at 0x0c, "guid_1", "HierIDGUID1", "PCIe 6.2, 7.9.17.4" {
        /// Bits 143:128.
        15:0 system_guid_1 Ro "GUID1" = Meaning::Hex,
    }
    /// The system's identifier, bits 127:96.
    pub struct HierarchyIdGuid2(u32) at 0x10, "guid_2", "HierIDGUID2", "PCIe 6.2, 7.9.17.5" {
        /// Bits 127:96.
        31:0 system_guid_2 Ro "GUID2" = Meaning::Hex,
    }
    /// The system's identifier, bits 95:64.
    pub struct HierarchyIdGuid3(u32) at 0x14, "guid_3", "HierIDGUID3", "PCIe 6.2, 7.9.17.6" {
        /// Bits 95:64.
        31:0 system_guid_3 Ro "GUID3" = Meaning::Hex,
    }
    /// The system's identifier, bits 63:32.
    pub struct HierarchyIdGuid4(u32) at 0x18, "guid_4", "HierIDGUID4", "PCIe 6.2, 7.9.17.7" {
        /// Bits 63:32.
        31:0 system_guid_4 Ro "GUID4" = Meaning::Hex,
    }
    /// The system's identifier, bits 31:0.
    pub struct HierarchyIdGuid5(u32) at 0x1c, "guid_5", "HierIDGUID5", "PCIe 6.2, 7.9.17.8" {
        /// Bits 31:0.
        31:0 system_guid_5 Ro "GUID5" = Meaning::Hex,
    }
}

fn requester(id: u64) -> Quantity {
    Quantity::RequesterId(id as u16)
}

fn layout(builder: &mut Builder<'_>) {
    builder.load(0x04, 0x1c);
    builder.add::<HierarchyIdStatus>();
    builder.add::<HierarchyIdData>();
    builder.add::<HierarchyIdGuid1>();
    builder.add::<HierarchyIdGuid2>();
    builder.add::<HierarchyIdGuid3>();
    builder.add::<HierarchyIdGuid4>();
    builder.add::<HierarchyIdGuid5>();
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;

    #[test]
    fn all_registers_are_one_read() {
        let body = [0x9000_0408, 0x0001_0003, 0x0011, 0x2233_4455, 0x6677_8899, 0xaabb_ccdd, 0xeeff_0102];
        let decoded = Case::new(0x28).body(&body).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (1, 28));
        for (path, value) in [
            ("status.message_requester_id", 0x0408),
            ("status.hierarchy_id_writeable", 1),
            ("status.hierarchy_id_vf_configurable", 0),
            ("status.hierarchy_id_pending", 0),
            ("status.hierarchy_id_valid", 1),
            ("data.system_guid_authority_id", 3),
            ("data.hierarchy_id", 1),
            ("guid_1.system_guid_1", 0x0011),
            ("guid_2.system_guid_2", 0x2233_4455),
            ("guid_3.system_guid_3", 0x6677_8899),
            ("guid_4.system_guid_4", 0xaabb_ccdd),
            ("guid_5.system_guid_5", 0xeeff_0102),
        ] {
            assert_eq!(decoded.field(path), value, "{path}");
        }
        assert_eq!(decoded.paths().len(), 7);
        let short = Case::new(0x28).limit(0x110).decode();
        assert_eq!((short.raw("guid_1"), short.raw("guid_2")), (Some(0), None));
    }
}
