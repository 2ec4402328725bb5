//! What Intel's host bridges and graphics say in the Vendor-Specific capability: features that a processor of the
//! family may have and this one was sold with or without. CAPID0, version 1, since the second generation of Core.
//!
//! The bits are those that Intel's datasheets, volume 2, "Capabilities A, B, C", and coreboot name. Which of them a
//! generation uses differs.

use crate::pci::decode::Builder;
use crate::pci::register::Meaning;
use crate::register;

register! {
    /// Which of its structures Intel put here.
    pub struct Structure(u8) at 0x03, "intel_structure", "Intel", "Intel Core datasheet, volume 2" {
        /// Version of the structure.
        3:0 version Ro "v",
        /// What it is. The registers of feature detection are behind a window that needs a write, so they are not read.
        7:4 kind Ro "kind" = Meaning::Choice(&[(0, "capabilities"), (1, "feature detection")]),
    }

    /// Capabilities A: links, memory, virtualisation.
    pub struct CapabilitiesA(u32) at 0x04, "capid0_a", "CapA", "Intel Core datasheet, volume 2" {
        /// DDR3L memory can be used.
        0 ddr3l_enable Ro "DDR3LEn",
        /// The reference voltage of memory writes can be set.
        1 ddr_write_vref_enable Ro "DDRWrtVrefEn",
        /// Overclocking is enabled.
        2 overclocking_enable Ro "OCEn",
        /// Memory can be overclocked.
        3 ddr_overclocking_capable Ro "DDROCCAP",
        /// Compatible revision ID.
        7:4 compatible_revision_id Ro "CRID",
        /// Compatible device ID.
        9:8 compatible_device_id Ro "CDID",
        /// The graphics device is off.
        11 internal_graphics_disable Ro "IGDis",
        /// The second memory channel is off.
        12 dual_channel_disable Ro "PDCDis",
        /// x2APIC can be used.
        13 x2apic_enable Ro "X2APICEn",
        /// No more than one DIMM in a channel.
        14 two_dimms_per_channel_disable Ro "DDPCDis",
        /// Device 4 (thermal management) is off.
        15 thermal_device_disable Ro "CDDis",
        /// Memory commands cannot take one cycle.
        17 one_n_mode_disable Ro "1NDis",
        /// Most memory in a channel. What the last two stand for changed between generations.
        20:19 ddr_maximum_size Ro "DDRMaxSize" = Meaning::Choice(&[
            (0, "unlimited"), (1, "8 GB per channel"), (2, "2 GB per channel (4 GB in newer ones)"),
            (3, "512 MB per channel (2 GB in newer ones)"),
        ]),
        /// The processor's PCI Express ports cannot run at 5 GT/s.
        21 peg_gen2_disable Ro "PegG2Dis",
        /// The link to the chipset cannot run at 5 GT/s.
        22 dmi_gen2_disable Ro "DmiG2Dis",
        /// VT-d, the IOMMU, is off.
        23 vtd_disable Ro "VTdDis",
        /// Memory must have ECC.
        24 force_ecc_enable Ro "ForceEccEn",
        /// Memory cannot use ECC.
        25 ecc_disable Ro "EccDis",
        /// Width of the link to the chipset.
        26 dmi_width Ro "DmiWidth" = Meaning::Choice(&[(0, "x4"), (1, "x2")]),
        /// PCI Express ports cannot become wider again.
        27 peg_link_width_upconfigure_disable Ro "PeLWUDis",
        /// The port at 1.0 is off.
        28 peg10_disable Ro "Peg10Dis",
        /// The port at 1.1 is off.
        29 peg11_disable Ro "Peg11Dis",
        /// The port at 1.2 is off.
        30 peg12_disable Ro "Peg12Dis",
        /// The port at 6.0 is off.
        31 peg60_disable Ro "Peg60Dis",
    }

    /// Capabilities B: memory clocks, cache, overclocking. lspci takes the maximum memory clock for two bits, and 0 for
    /// 2932 MHz.
    pub struct CapabilitiesB(u32) at 0x08, "capid0_b", "CapB", "Intel Core datasheet, volume 2" {
        /// LPDDR3 memory can be used.
        2 lpddr3_enable Ro "LPDDR3En",
        /// Fastest DDR3 memory.
        6:4 ddr3_maximum_frequency Ro "DDR3MaxFreq" = Meaning::Choice(&[
            (0, "unlimited"), (1, "2667 MT/s"), (2, "2400 MT/s"), (3, "2133 MT/s"), (4, "1867 MT/s"),
            (5, "1600 MT/s"), (6, "1333 MT/s"), (7, "1067 MT/s"),
        ]),
        /// The Gaussian mixture model device is off.
        8 gmm_disable Ro "GmmDis",
        /// The link to the chipset cannot run at 8 GT/s.
        15 dmi_gen3_disable Ro "DmiG3Dis",
        /// The PCI Express port cannot be x16.
        16 peg_x16_disable Ro "PegX16Dis",
        /// An additional graphics card can be there.
        17 additional_graphics_capable Ro "AddGfxCap",
        /// An additional graphics card can be used.
        18 additional_graphics_enable Ro "AddGfxEn",
        /// Type of the package.
        19 package_type Ro "PkgTyp",
        /// The processor's PCI Express ports cannot run at 8 GT/s.
        20 peg_gen3_disable Ro "PegG3Dis",
        /// Fastest DDR3 memory with a reference clock of 100 MHz.
        23:21 ddr3_maximum_frequency_ref100 Ro "DDR3MaxFreqWithRef100" = Meaning::Choice(&[
            (0, "disabled"), (1, "1400 MT/s"), (2, "1600 MT/s"), (3, "1800 MT/s"), (4, "2000 MT/s"),
            (5, "2200 MT/s"), (6, "2400 MT/s"), (7, "unlimited"),
        ]),
        /// Soft binning.
        24 soft_bin_capable Ro "SoftBinCap",
        /// Size of the cache, encoded.
        27:25 cache_size Ro "CacheSzCap" = Meaning::Hex,
        /// Several threads per core.
        28 smt_capable Ro "SMTCap",
        /// Overclocking by model is enabled.
        29 overclocking_by_sku_enable Ro "OCbySSKUEn",
        /// Overclocking by model is possible.
        30 overclocking_by_sku_capable Ro "OCbySSKUCap",
        /// The imaging unit is off.
        31 imaging_unit_disable Ro "ImguDis",
    }

    /// Capabilities C: newer memory, SGX, the base clock. lspci prints the gear 1 limit in place of those of DDR4 and
    /// LPDDR4, and takes all three for four bits.
    pub struct CapabilitiesC(u32) at 0x0c, "capid0_c", "CapC", "Intel Core datasheet, volume 2" {
        /// Fastest memory at which the controller runs at the memory's clock.
        4:0 gear1_maximum_frequency Ro "Gear1MaxFreq" = DATA_RATE,
        /// The third display pipe is off.
        5 display_pipe3_disable Ro "Pipe3Dis",
        /// Integrated display is off.
        6 integrated_display_disable Ro "IddDis",
        /// Most that the base clock can be raised to.
        8:7 base_clock_overclocking Ro "BClkOC"
            = Meaning::Choice(&[(0, "disabled"), (1, "115 MHz"), (2, "130 MHz"), (3, "unlimited")]),
        /// SGX is off.
        9 sgx_disable Ro "SgxDis",
        /// The memory clock cannot change while the machine runs.
        14 qclk_gv_disable Ro "QClkGvDis",
        /// LPDDR4 memory can be used.
        16 lpddr4_enable Ro "LPDDR4En",
        /// Fastest LPDDR4 memory.
        21:17 lpddr4_maximum_frequency Ro "LPDDR4MaxFreq" = DATA_RATE,
        /// DDR4 memory can be used; LPDDREn in lspci.
        22 ddr4_enable Ro "LPDDREn",
        /// Fastest DDR4 memory.
        27:23 ddr4_maximum_frequency Ro "DDR4MaxFreq" = DATA_RATE,
        /// The processor's PCI Express ports cannot run at 16 GT/s.
        28 peg_gen4_disable Ro "PegG4Dis",
    }
}

/// Multiples of 266.67 MT/s.
const DATA_RATE: Meaning = Meaning::Choice(&[
    (0, "unlimited"),
    (1, "267 MT/s"),
    (2, "533 MT/s"),
    (3, "800 MT/s"),
    (4, "1067 MT/s"),
    (5, "1333 MT/s"),
    (6, "1600 MT/s"),
    (7, "1867 MT/s"),
    (8, "2133 MT/s"),
    (9, "2400 MT/s"),
    (10, "2667 MT/s"),
    (11, "2933 MT/s"),
    (12, "3200 MT/s"),
    (13, "3467 MT/s"),
    (14, "3733 MT/s"),
    (15, "4000 MT/s"),
    (16, "4267 MT/s"),
    (17, "4533 MT/s"),
    (18, "4800 MT/s"),
    (19, "5067 MT/s"),
    (20, "5333 MT/s"),
    (21, "5600 MT/s"),
    (22, "5867 MT/s"),
    (23, "6133 MT/s"),
    (24, "6400 MT/s"),
    (25, "6667 MT/s"),
    (26, "6933 MT/s"),
    (27, "7200 MT/s"),
    (28, "7467 MT/s"),
    (29, "7733 MT/s"),
    (30, "8000 MT/s"),
    (31, "8267 MT/s"),
]);

/// Vendor ID of Intel.
pub(super) const VENDOR: u16 = 0x8086;

/// Places what the structure is and, if it is CAPID0 version 1, its registers as far as `length` goes. False if the
/// body is something else.
pub(super) fn layout(builder: &mut Builder<'_>, length: u16) -> bool {
    let Some(structure) = builder.add::<Structure>() else { return true };
    if structure.kind() != 0 || structure.version() != 1 {
        return false;
    }
    let room = builder.room_end.saturating_sub(builder.located.offset);
    let end = length.min(room).min(0x10) & !3;
    builder.load(0x04, end.saturating_sub(0x04));
    if end >= 0x08 {
        builder.add::<CapabilitiesA>();
    }
    if end >= 0x0c {
        builder.add::<CapabilitiesB>();
    }
    if end >= 0x10 {
        builder.add::<CapabilitiesC>();
    }
    true
}

#[cfg(test)]
mod tests {
    use super::super::testing::{decode, decode_in, placed, reads};
    use super::*;
    use crate::pci::decode::Context;

    const HOST_BRIDGE: Context = Context {
        header_layout: 0,
        vendor_id: VENDOR,
        device_id: 0x1904,
        class: 0x06_0000,
        port_type: None,
        link_width: None,
        flit_mode: None,
    };

    fn bytes(length: u8, kind: u8, words: [u32; 3]) -> Vec<u8> {
        let words = words.iter().flat_map(|word| word.to_le_bytes());
        [0x09, 0, length, kind].into_iter().chain(words).collect()
    }

    fn text(meaning: Meaning, value: u32) -> Option<&'static str> {
        let Meaning::Choice(names) = meaning else { return None };
        names.iter().find(|(number, _)| *number == u64::from(value)).map(|(_, name)| *name)
    }

    /// A space with three different limits; lspci prints 1333 MHz for all of them.
    #[test]
    fn memory_clocks_are_those_of_their_own_fields() {
        let bridge = bytes(0x10, 0x01, [0, 0, 0x0412_0005]);
        let (capability, anomalies) = decode(HOST_BRIDGE, &bridge);
        assert!(anomalies.is_empty());
        let c: CapabilitiesC = capability.get().unwrap();
        assert_eq!(text(DATA_RATE, c.ddr4_maximum_frequency()), Some("2133 MT/s"));
        assert_eq!(text(DATA_RATE, c.lpddr4_maximum_frequency()), Some("2400 MT/s"));
        assert_eq!(text(DATA_RATE, c.gear1_maximum_frequency()), Some("1333 MT/s"));
        assert_eq!(reads(HOST_BRIDGE, &bridge), [(4, 12)]);
        for (value, name) in (1..).zip(&[267, 533, 800, 1067, 1333, 1600, 1867, 2133]) {
            assert_eq!(text(DATA_RATE, value), Some(format!("{name} MT/s").as_str()));
        }
    }

    #[test]
    fn flags_lie_where_the_datasheet_says() {
        let (capability, _) =
            decode(HOST_BRIDGE, &bytes(0x10, 0x01, [0x0280_1000, 0x1000_0110, 0x1000_0200]));
        let a: CapabilitiesA = capability.get().unwrap();
        assert!(a.ecc_disable() && a.vtd_disable() && a.dual_channel_disable() && !a.peg10_disable());
        let b: CapabilitiesB = capability.get().unwrap();
        assert!(b.smt_capable() && b.gmm_disable() && !b.peg_gen3_disable());
        assert_eq!(b.ddr3_maximum_frequency(), 1);
        let c: CapabilitiesC = capability.get().unwrap();
        assert!(c.sgx_disable() && c.peg_gen4_disable() && !c.ddr4_enable());
    }

    #[test]
    fn the_length_decides_what_is_there() {
        for (length, registers) in [(4, 2), (8, 3), (0x0b, 3), (0x0c, 4), (0x10, 5), (0xff, 5)] {
            let (capability, _) = decode(HOST_BRIDGE, &bytes(length, 0x01, [0; 3]));
            assert_eq!(capability.registers.len(), registers, "{length}");
        }
    }

    #[test]
    fn other_structures_are_raw() {
        for kind in [0x00, 0x02, 0x10, 0xf0] {
            let (capability, _) = decode(HOST_BRIDGE, &bytes(0x0c, kind, [1, 2, 3]));
            assert_eq!(placed(&capability), [("capability_length", 2), ("intel_structure", 3)]);
            assert_eq!(reads(HOST_BRIDGE, &bytes(0x0c, kind, [1, 2, 3])), [(4, 8)]);
        }
    }

    #[test]
    fn what_cannot_be_read_has_no_value() {
        let mut space = vec![0; 0x48];
        space[0x40..].copy_from_slice(&bytes(0x10, 0x01, [7, 8, 9])[..8]);
        let (capability, _) = decode_in(HOST_BRIDGE, &space);
        assert_eq!(capability.get(), Some(CapabilitiesA(7)));
        assert_eq!(capability.get::<CapabilitiesB>(), None);
    }
}
