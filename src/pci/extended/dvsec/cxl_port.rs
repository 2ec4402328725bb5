//! CXL Extensions DVSEC for Ports, DVSEC ID 3. CXL 3.1, 8.1.5.

use super::Body;
use crate::pci::register::{Meaning, Quantity};
use crate::register;

register! {
    /// How the port is.
    pub struct Status(u16) at 0x0a, "cxl_port_status", "CXLPortSta", "CXL 3.1, 8.1.5.1" {
        /// Power management is initialised.
        0 port_power_management_initialization_complete Ro "PMComplete",
        /// There was a Viral condition.
        14 viral_status Rw1cs "Viral",
    }
    /// What the port does that a port of PCI Express does not.
    pub struct Control(u16) at 0x0c, "cxl_port_control", "CXLPortCtl", "CXL 3.1, 8.1.5.2" {
        /// Secondary Bus Reset in Bridge Control has an effect.
        0 unmask_sbr Rw "UnmaskSBR",
        /// Link Disable in Link Control has an effect.
        1 unmask_link_disable Rw "UnmaskLinkDisable",
        /// The alternate ranges hold.
        2 alt_memory_and_id_space_enable Rw "AltMem",
        /// The port may pass requests up that go through the alternate ranges.
        3 alt_bme Rw "AltBME",
        /// Unordered requests may go to memory below the port; since CXL 3.0.
        4 uio_to_hdm_enable Rw "UIOToHDM",
        /// Heeds Viral.
        14 viral_enable Rw "ViralEnable",
    }
    /// Which further buses are below the port: the first.
    pub struct AlternateBusBase(u8) at 0x0e, "alternate_bus_base", "AlternateBusBase", "CXL 3.1, 8.1.5.3" {
        /// Lowest bus number.
        7:0 bus Rw "Base" = Meaning::Hex,
    }
    /// Which further buses are below the port: the last.
    pub struct AlternateBusLimit(u8) at 0x0f, "alternate_bus_limit", "AlternateBusLimit", "CXL 3.1, 8.1.5.4" {
        /// Highest bus number.
        7:0 bus Rw "Limit" = Meaning::Hex,
    }
    /// Which further memory addresses are below the port: the first.
    pub struct AlternateMemoryBase(u16) at 0x10, "alternate_memory_base", "AlternateMemBase", "CXL 3.1, 8.1.5.5" {
        /// Address bits 31:20; bits 19:0 are 0.
        15:4 address Rw "Base" = Meaning::Quantity(base),
    }
    /// Which further memory addresses are below the port: the last.
    pub struct AlternateMemoryLimit(u16) at 0x12, "alternate_memory_limit", "AlternateMemLimit", "CXL 3.1, 8.1.5.6" {
        /// Address bits 31:20; bits 19:0 are 1.
        15:4 address Rw "Limit" = Meaning::Quantity(limit),
    }
    /// Which further prefetchable addresses are below the port: the first.
    pub struct AlternatePrefetchableMemoryBase(u16) at 0x14, "alternate_prefetchable_memory_base", "AlternatePrefMemBase", "CXL 3.1, 8.1.5.7" {
        /// Address bits 31:20; bits 19:0 are 0.
        15:4 address Rw "Base" = Meaning::Quantity(base),
    }
    /// Which further prefetchable addresses are below the port: the last.
    pub struct AlternatePrefetchableMemoryLimit(u16) at 0x16, "alternate_prefetchable_memory_limit", "AlternatePrefMemLimit", "CXL 3.1, 8.1.5.8" {
        /// Address bits 31:20; bits 19:0 are 1.
        15:4 address Rw "Limit" = Meaning::Quantity(limit),
    }
    /// The upper half of the first prefetchable address.
    pub struct AlternatePrefetchableMemoryBaseHigh(u32) at 0x18, "alternate_prefetchable_memory_base_high", "AlternatePrefMemBaseHigh", "CXL 3.1, 8.1.5.9" {
        /// Address bits 63:32.
        31:0 address Rw "BaseHigh" = Meaning::Hex,
    }
    /// The upper half of the last prefetchable address.
    pub struct AlternatePrefetchableMemoryLimitHigh(u32) at 0x1c, "alternate_prefetchable_memory_limit_high", "AlternatePrefMemLimitHigh", "CXL 3.1, 8.1.5.10" {
        /// Address bits 63:32.
        31:0 address Rw "LimitHigh" = Meaning::Hex,
    }
    /// Where the registers of a link to a CXL 1.1 device are in memory.
    pub struct RcrbBase(u32) at 0x20, "cxl_rcrb_base", "CXLRCRBBase", "CXL 3.1, 8.1.5.11" {
        /// The port's registers are there, and no longer in configuration space.
        0 cxl_rcrb_enable Rw "Enable",
        /// Address bits 31:13.
        31:13 cxl_rcrb_base_address_low Rw "BaseLow" = Meaning::Quantity(rcrb),
    }
    /// The upper half of that address.
    pub struct RcrbBaseHigh(u32) at 0x24, "cxl_rcrb_base_high", "CXLRCRBBaseHigh", "CXL 3.1, 8.1.5.12" {
        /// Address bits 63:32.
        31:0 cxl_rcrb_base_address_high Rw "BaseHigh" = Meaning::Hex,
    }
}

fn base(megabytes: u64) -> Quantity {
    Quantity::Offset(megabytes << 20)
}

fn limit(megabytes: u64) -> Quantity {
    Quantity::Offset(megabytes << 20 | 0xf_ffff)
}

fn rcrb(units: u64) -> Quantity {
    Quantity::Offset(units << 13)
}

/// Places the registers; gives how many bytes they need.
pub(super) fn layout(body: &mut Body<'_, '_>) -> u16 {
    const NEEDED: u16 = 0x28;
    body.load(NEEDED);
    body.add::<Status>();
    body.add::<Control>();
    body.add::<AlternateBusBase>();
    body.add::<AlternateBusLimit>();
    body.add::<AlternateMemoryBase>();
    body.add::<AlternateMemoryLimit>();
    body.add::<AlternatePrefetchableMemoryBase>();
    body.add::<AlternatePrefetchableMemoryLimit>();
    body.add::<AlternatePrefetchableMemoryBaseHigh>();
    body.add::<AlternatePrefetchableMemoryLimitHigh>();
    body.add::<RcrbBase>();
    body.add::<RcrbBaseHigh>();
    NEEDED
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_fields, cxl, wrong_length};
    use super::*;

    const BODY: [u32; 8] = [
        0x0001_0000,
        0x2018_4015,
        0x4560_1230,
        0xdef1_8001,
        0x0000_0010,
        0x0000_001f,
        0xabcd_e001,
        0x0000_0002,
    ];

    #[test]
    fn every_register_in_two_reads() {
        let decoded = cxl(3, 0, 0x28, &BODY).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (2, 8 + 28));
        assert_fields(
            &decoded,
            &[
                ("cxl_port_status.port_power_management_initialization_complete", 1),
                ("cxl_port_status.viral_status", 0),
                ("cxl_port_control.unmask_sbr", 1),
                ("cxl_port_control.unmask_link_disable", 0),
                ("cxl_port_control.alt_memory_and_id_space_enable", 1),
                ("cxl_port_control.alt_bme", 0),
                ("cxl_port_control.uio_to_hdm_enable", 1),
                ("cxl_port_control.viral_enable", 1),
                ("alternate_bus_base.bus", 0x18),
                ("alternate_bus_limit.bus", 0x20),
                ("alternate_memory_base.address", 0x123),
                ("alternate_memory_limit.address", 0x456),
                ("alternate_prefetchable_memory_base.address", 0x800),
                ("alternate_prefetchable_memory_limit.address", 0xdef),
                ("alternate_prefetchable_memory_base_high.address", 0x10),
                ("alternate_prefetchable_memory_limit_high.address", 0x1f),
                ("cxl_rcrb_base.cxl_rcrb_enable", 1),
                ("cxl_rcrb_base.cxl_rcrb_base_address_low", 0xabcd_e000 >> 13),
                ("cxl_rcrb_base_high.cxl_rcrb_base_address_high", 2),
            ],
        );
        assert_eq!(base(0x123), Quantity::Offset(0x1230_0000));
        assert_eq!(limit(0x456), Quantity::Offset(0x456f_ffff));
        assert_eq!(rcrb(0xabcd_e000 >> 13), Quantity::Offset(0xabcd_e000));
        assert!(decoded.anomalies.is_empty());
    }

    /// Status is bits 0 and 14 of 0Ah; lspci takes the offset for a mask.
    #[test]
    fn status_and_short_length() {
        for (status, complete) in [(1u32, 1), (0x000a, 0), (0x4000, 0)] {
            let decoded = cxl(3, 0, 0x0c, &[status << 16]).decode();
            assert_fields(
                &decoded,
                &[("cxl_port_status.port_power_management_initialization_complete", complete)],
            );
            assert_eq!(decoded.paths().len(), 3);
            assert_eq!(decoded.anomalies, wrong_length(0, 0x0c));
        }
    }
}
