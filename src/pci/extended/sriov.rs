//! Single Root I/O Virtualization, extended capability ID 0010h. PCIe 6.2, 9.3.3.

use crate::pci::decode::{Builder, Specification};
use crate::pci::register::{Meaning, Quantity, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x10,
    key: "sriov",
    name: "Single Root I/O Virtualization",
    section: "PCIe 6.2, 9.3.3",
    layout: Some(layout),
    registers: &[
        Capabilities::REGISTER,
        Control::REGISTER,
        Status::REGISTER,
        InitialVfs::REGISTER,
        TotalVfs::REGISTER,
        NumVfs::REGISTER,
        FunctionDependencyLink::REGISTER,
        FirstVfOffset::REGISTER,
        VfStride::REGISTER,
        VfDeviceId::REGISTER,
        SupportedPageSizes::REGISTER,
        SystemPageSize::REGISTER,
        VfBar::REGISTER,
        VfMigrationStateArray::REGISTER,
    ],
};

register! {
    /// What the physical function and its virtual functions can do.
    pub struct Capabilities(u32) at 0x04, "capabilities", "IOVCap", "PCIe 6.2, 9.3.3.2" {
        /// Virtual functions can migrate; deprecated.
        0 vf_migration_capable Ro "Migration",
        /// Keeps ARI Capable Hierarchy through certain power state transitions.
        1 ari_capable_hierarchy_preserved Ro "ARIHierarchyPreserved",
        /// Virtual functions can use 10-bit tags.
        2 vf_10_bit_tag_requester_supported HwInit "10BitTagReq",
        /// Virtual functions can use 14-bit tags.
        3 vf_14_bit_tag_requester_supported HwInit "14BitTagReq",
        /// Which MSI or MSI-X vector reports migration; deprecated.
        31:21 vf_migration_interrupt_message_number Ro "IntMsgNum",
    }
    /// Whether the virtual functions exist and what they may do.
    pub struct Control(u16) at 0x08, "control", "IOVCtl", "PCIe 6.2, 9.3.3.3" {
        /// The virtual functions exist.
        0 vf_enable Rw "Enable",
        /// Virtual functions may migrate; deprecated.
        1 vf_migration_enable Rw "Migration",
        /// Interrupts for migration; deprecated.
        2 vf_migration_interrupt_enable Rw "Interrupt",
        /// The virtual functions answer memory space accesses.
        3 vf_mse Rw "MSE",
        /// Function numbers 8 to 255 of the bus may be used. Writable in the lowest-numbered physical function only.
        4 ari_capable_hierarchy Rw "ARIHierarchy",
        /// Virtual functions use 10-bit tags.
        5 vf_10_bit_tag_requester_enable Rw "10BitTagReq",
        /// Virtual functions use 14-bit tags.
        6 vf_14_bit_tag_requester_enable Rw "14BitTagReq",
    }
    /// Migration; deprecated.
    pub struct Status(u16) at 0x0a, "status", "IOVSta", "PCIe 6.2, 9.3.3.4" {
        /// A virtual function was asked to migrate; deprecated.
        0 vf_migration_status Rw1c "Migration",
    }
    /// Virtual functions that belong to the physical function at first.
    pub struct InitialVfs(u16) at 0x0c, "initial_vfs", "Initial VFs", "PCIe 6.2, 9.3.3.5" {
        /// The same as TotalVFs unless virtual functions can migrate.
        15:0 number Ro "Initial VFs",
    }
    /// Virtual functions that there may be.
    pub struct TotalVfs(u16) at 0x0e, "total_vfs", "Total VFs", "PCIe 6.2, 9.3.3.6" {
        /// Upper limit of NumVFs.
        15:0 number HwInit "Total VFs",
    }
    /// Virtual functions that exist while VF Enable is set.
    pub struct NumVfs(u16) at 0x10, "num_vfs", "Number of VFs", "PCIe 6.2, 9.3.3.7" {
        /// Cannot be changed while VF Enable is set.
        15:0 number Rw "Number of VFs",
    }
    /// Physical functions that depend on each other.
    pub struct FunctionDependencyLink(u8) at 0x12, "function_dependency_link", "Function Dependency Link", "PCIe 6.2, 9.3.3.8" {
        /// Number of the next function in the list; its own number where there is none.
        7:0 function Ro "Function Dependency Link" = Meaning::Hex,
    }
    /// Where the first virtual function is.
    pub struct FirstVfOffset(u16) at 0x14, "first_vf_offset", "VF offset", "PCIe 6.2, 9.3.3.9" {
        /// Added to the physical function's routing ID. It may change with NumVFs and ARI Capable Hierarchy.
        15:0 offset Ro "VF offset",
    }
    /// Where the other virtual functions are.
    pub struct VfStride(u16) at 0x16, "vf_stride", "stride", "PCIe 6.2, 9.3.3.10" {
        /// Added for each further one. It may change with NumVFs and ARI Capable Hierarchy.
        15:0 stride Ro "stride",
    }
    /// Device ID of the virtual functions, whose own registers read FFFFh.
    pub struct VfDeviceId(u16) at 0x1a, "vf_device_id", "Device ID", "PCIe 6.2, 9.3.3.11" {
        /// Chosen by the manufacturer.
        15:0 id Ro "Device ID" = Meaning::Hex,
    }
    /// Page sizes to which the BARs of the virtual functions can be aligned.
    pub struct SupportedPageSizes(u32) at 0x1c, "supported_page_sizes", "Supported Page Size", "PCIe 6.2, 9.3.3.12" {
        /// Bit 0 stands for 4 KB, each further bit for twice as much.
        31:0 sizes Ro "Supported Page Size" = Meaning::Hex,
    }
    /// Page size to which the BARs of the virtual functions are aligned.
    pub struct SystemPageSize(u32) at 0x20, "system_page_size", "System Page Size", "PCIe 6.2, 9.3.3.13" {
        /// One bit, as in Supported Page Sizes.
        31:0 size Rw "System Page Size" = Meaning::Hex,
    }
    /// A Base Address Register that all virtual functions share: each has its part of the range.
    pub struct VfBar(u32) at 0x24 in "vf_bar", "value", "Region", "PCIe 6.2, 9.3.3.14" {
        /// All 32 bits: flags in the low bits, address in the others, or the upper half of a 64-bit address.
        31:0 bits Rw "bits" = Meaning::Hex,
    }
    /// Where the migration states are; deprecated.
    pub struct VfMigrationStateArray(u32) at 0x3c, "vf_migration_state_array_offset", "VF Migration", "PCIe 6.2, 9.3.3.15" {
        /// Which Base Address Register maps the array.
        2:0 bar_indicator Ro "BIR",
        /// Offset of the array in that BAR in units of 8 bytes.
        31:3 offset Ro "offset" = Meaning::Quantity(times_eight),
    }
}

fn times_eight(units: u64) -> Quantity {
    Quantity::Offset(units * 8)
}

/// Base Address Registers of the virtual functions.
const BARS: u16 = 6;

impl SupportedPageSizes {
    /// The sizes in bytes, smallest first.
    pub fn bytes(self) -> impl Iterator<Item = u64> {
        (0..32).filter(move |bit| self.0 >> bit & 1 == 1).map(|bit| 4096 << bit)
    }
}

impl SystemPageSize {
    /// The size in bytes; `None` unless exactly one bit is set.
    pub fn bytes(self) -> Option<u64> {
        (self.0.count_ones() == 1).then(|| u64::from(self.0) * 4096)
    }
}

fn layout(builder: &mut Builder<'_>) {
    builder.load(0x04, 0x3c);
    builder.add::<Capabilities>();
    builder.add::<Control>();
    builder.add::<Status>();
    builder.add::<InitialVfs>();
    builder.add::<TotalVfs>();
    builder.add::<NumVfs>();
    builder.add::<FunctionDependencyLink>();
    builder.add::<FirstVfOffset>();
    builder.add::<VfStride>();
    builder.add::<VfDeviceId>();
    builder.add::<SupportedPageSizes>();
    builder.add::<SystemPageSize>();
    for i in 0..BARS {
        builder.add_in::<VfBar>(i, 0x24 + 4 * i);
    }
    builder.add::<VfMigrationStateArray>();
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;
    use super::*;

    const BODY: [u32; 15] = [
        0x0060_0006,
        0x0001_0019,
        0x0009_0008,
        0x0005_0001,
        0x0002_0180,
        0x10ca_0000,
        0x0000_0553,
        1,
        0xd284_0004,
        0,
        0,
        0xd286_0004,
        0,
        0,
        0x0000_1002,
    ];

    #[test]
    fn every_register_in_one_read() {
        let decoded = Case::new(0x10).body(&BODY).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (1, 60));
        for (path, value) in [
            ("capabilities.vf_10_bit_tag_requester_supported", 1),
            ("capabilities.ari_capable_hierarchy_preserved", 1),
            ("capabilities.vf_migration_interrupt_message_number", 3),
            ("control.vf_enable", 1),
            ("control.vf_mse", 1),
            ("control.ari_capable_hierarchy", 1),
            ("status.vf_migration_status", 1),
            ("initial_vfs.number", 8),
            ("total_vfs.number", 9),
            ("num_vfs.number", 1),
            ("function_dependency_link.function", 5),
            ("first_vf_offset.offset", 384),
            ("vf_stride.stride", 2),
            ("vf_device_id.id", 0x10ca),
            ("supported_page_sizes.sizes", 0x553),
            ("system_page_size.size", 1),
            ("vf_bar[0].value.bits", 0xd284_0004),
            ("vf_bar[3].value.bits", 0xd286_0004),
            ("vf_migration_state_array_offset.bar_indicator", 2),
            ("vf_migration_state_array_offset.offset", 0x200),
        ] {
            assert_eq!(decoded.field(path), value, "{path}");
        }
        assert_eq!(decoded.capability.end, 0x140);
    }

    #[test]
    fn page_sizes() {
        assert_eq!(SupportedPageSizes(0x13).bytes().collect::<Vec<_>>(), [4096, 8192, 65536]);
        assert_eq!(SystemPageSize(1 << 31).bytes(), Some(1 << 43));
        assert_eq!(SystemPageSize(3).bytes(), None);
        assert_eq!(SystemPageSize(0).bytes(), None);
    }

    #[test]
    fn truncated() {
        let decoded = Case::new(0x10).body(&BODY).limit(0x118).decode();
        assert_eq!(decoded.raw("vf_stride"), Some(2));
        assert_eq!(decoded.raw("vf_device_id"), None);
        assert_eq!(decoded.raw("vf_bar[5].value"), None);
    }
}
