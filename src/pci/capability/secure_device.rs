//! Secure Device, capability ID 0Fh. The only kind that is public is AMD's IOMMU: AMD I/O Virtualization Technology (IOMMU)
//! Specification 3.10, document 48882, 3.2; drivers/iommu/amd of the Linux kernel reads it (PCI_CAP_ID_SECDEV).

use crate::pci::decode::{Builder, Specification};
use crate::pci::register::{Meaning, Quantity, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Standard,
    id: 0x0f,
    key: "secure_device",
    name: "Secure Device",
    section: "AMD IOMMU 3.10 (48882), 3.2",
    layout: Some(layout),
    registers: &[
        Header::REGISTER,
        BaseAddressLow::REGISTER,
        BaseAddressHigh::REGISTER,
        Range::REGISTER,
        Miscellaneous0::REGISTER,
        Miscellaneous1::REGISTER,
    ],
};

/// Capability Block Type of an IOMMU.
const IOMMU: u16 = 3;

register! {
    /// What the capability describes.
    pub struct Header(u16) at 0x02, "header", "SecDev", "AMD IOMMU 3.10 (48882), 3.2" {
        /// Kind of secure device.
        2:0 capability_type Ro "CapType" = Meaning::Choice(&[(IOMMU as u64, "IOMMU")]),
        /// Revision of the capability.
        7:3 capability_revision Ro "CapRev",
        /// Devices may cache translations (ATS).
        8 iotlb_support Ro "IotlbSup",
        /// Translates HyperTransport packets that are tunnelled.
        9 hypertransport_tunnel_support Ro "HtTunnel",
        /// Caches table entries that are not present, as emulated ones do.
        10 not_present_cache Ro "NpCache",
        /// Has the extended feature register in its memory.
        11 extended_feature_support Ro "EFRSup",
        /// Has Miscellaneous Information 1.
        12 capability_extended Ro "CapExt",
    }
    /// Where the IOMMU's registers are in memory: bits 31:14.
    pub struct BaseAddressLow(u32) at 0x04, "base_address_low", "BaseLow", "AMD IOMMU 3.10 (48882), 3.2" {
        /// The IOMMU answers at its address, and this capability cannot be changed any more.
        0 enable Rw "Enable",
        /// Bits 31:14 of the address.
        31:14 base_address Rw "Address" = Meaning::OfRegister(|raw| Quantity::Address(raw & 0xffff_c000)),
    }
    /// Where the IOMMU's registers are in memory: bits 63:32.
    pub struct BaseAddressHigh(u32) at 0x08, "base_address_high", "BaseHigh", "AMD IOMMU 3.10 (48882), 3.2" {
        /// Bits 63:32 of the address.
        31:0 base_address Rw "Address" = Meaning::Hex,
    }
    /// Which devices the IOMMU is for. Software goes by the ACPI table IVRS.
    pub struct Range(u32) at 0x0c, "range", "Range", "AMD IOMMU 3.10 (48882), 3.2" {
        /// HyperTransport unit ID; 0 in newer ones.
        4:0 unit_id Ro "UnitID",
        /// The other fields hold something.
        7 range_valid Rw "RngValid",
        /// Bus of the devices.
        15:8 bus_number Rw "Bus" = Meaning::Hex,
        /// Device and function of the first one.
        23:16 first_device Rw "First" = Meaning::Hex,
        /// Device and function of the last one.
        31:24 last_device Rw "Last" = Meaning::Hex,
    }
    /// Sizes of addresses, and which interrupts the IOMMU uses.
    pub struct Miscellaneous0(u32) at 0x10, "miscellaneous_0", "Misc0", "AMD IOMMU 3.10 (48882), 3.2" {
        /// MSI message of the event log.
        4:0 msi_number Ro "MsiNum",
        /// Encoded size of guest virtual addresses.
        7:5 guest_virtual_address_size Ro "GVAsize",
        /// Size of physical addresses.
        14:8 physical_address_size Ro "PAsize" = Meaning::Unit("bits"),
        /// Size of virtual addresses.
        21:15 virtual_address_size Ro "VAsize" = Meaning::Unit("bits"),
        /// The address range of HyperTransport ATS responses is reserved.
        22 hypertransport_ats_reserved Rw "HtAtsResv",
        /// MSI message of the log of page requests.
        31:27 msi_number_page_requests Ro "MsiNumPPR",
    }
    /// Which interrupt guests' interrupts use.
    pub struct Miscellaneous1(u32) at 0x14, "miscellaneous_1", "Misc1", "AMD IOMMU 3.10 (48882), 3.2" {
        /// MSI message of the log of guests' interrupts.
        4:0 msi_number_guest_log Ro "MsiNumGA",
    }
}

fn layout(builder: &mut Builder<'_>) {
    let Some(header) = builder.add::<Header>() else { return };
    if header.capability_type() != IOMMU {
        return builder.leave_raw(4, crate::pci::decode::RAW_LIMIT);
    }
    builder.load(0x04, if header.capability_extended() { 0x14 } else { 0x10 });
    builder.add::<BaseAddressLow>();
    builder.add::<BaseAddressHigh>();
    builder.add::<Range>();
    builder.add::<Miscellaneous0>();
    if header.capability_extended() {
        builder.add::<Miscellaneous1>();
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{decode, placed, reads};
    use super::*;
    use crate::pci::decode::Context;

    fn bytes(header: u16, words: [u32; 5]) -> Vec<u8> {
        let mut bytes = vec![0x0f, 0];
        bytes.extend(header.to_le_bytes());
        bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        bytes
    }

    /// Put together from the register pictures: an IOMMU at 1_fd20_0000h for bus 0, 48-bit addresses both.
    #[test]
    fn an_iommu() {
        let iommu = bytes(0x190b, [0xfd20_0001, 1, 0xff08_0080, 0x0018_3040, 2]);
        let (capability, anomalies) = decode(Context::default(), &iommu);
        assert!(anomalies.is_empty());
        let header: Header = capability.get().unwrap();
        assert_eq!((header.capability_type(), header.capability_revision()), (3, 1));
        assert!(header.iotlb_support() && header.extended_feature_support() && header.capability_extended());
        assert!(!header.hypertransport_tunnel_support() && !header.not_present_cache());
        let low: BaseAddressLow = capability.get().unwrap();
        assert!(low.enable() && low.base_address() << 14 == 0xfd20_0000);
        let range: Range = capability.get().unwrap();
        assert!(range.range_valid() && (range.first_device(), range.last_device()) == (8, 0xff));
        let misc: Miscellaneous0 = capability.get().unwrap();
        assert_eq!((misc.virtual_address_size(), misc.physical_address_size()), (48, 48));
        assert_eq!((misc.guest_virtual_address_size(), misc.msi_number()), (2, 0));
        assert_eq!(capability.get(), Some(Miscellaneous1(2)));
        assert_eq!((capability.end, capability.undecoded), (0x58, None));
        assert_eq!(reads(Context::default(), &iommu), [(4, 20)]);
        let old = bytes(0x0f0b & 0xefff, [0; 5]);
        assert_eq!(placed(&decode(Context::default(), &old).0).len(), 5);
    }

    #[test]
    fn other_kinds_are_raw() {
        let (capability, _) = decode(Context::default(), &bytes(0x0001, [7; 5]));
        assert_eq!(placed(&capability), [("header", 2)]);
        assert_eq!(capability.undecoded, Some((0x44, 0x80)));
    }
}
