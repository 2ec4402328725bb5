//! Physical Layer 128.0 GT/s, extended capability ID 0039h. PCIe 7.0, 7.7.8.
//!
//! The specification is for members of the PCI-SIG only. The layout is that of a public header written after it, TianoCore
//! EDK II, MdePkg/Include/IndustryStandard/PciExpress70.h (2025). It names the fields and no values: what the bits of the
//! speed vectors stand for is not decoded.

use super::secondary::{TRANSMITTER_PRESET, lanes};
use crate::pci::decode::{Builder, Specification};
use crate::pci::register::{Meaning, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x39,
    key: "physical_128gt",
    name: "Physical Layer 128.0 GT/s",
    section: "PCIe 7.0, 7.7.8",
    layout: Some(layout),
    registers: &[Capabilities::REGISTER, Control::REGISTER, Status::REGISTER, LaneEqualization::REGISTER],
};

register! {
    /// Link speeds beyond those that fit into Link Capabilities 2.
    pub struct Capabilities(u32) at 0x04, "capabilities", "Phy128Cap", "PCIe 7.0, 7.7.8" {
        /// Supported Link Speeds Vector 2, bit by bit.
        7:0 supported_link_speeds_2 Ro "Speeds2" = Meaning::Hex,
        /// Lower SKP OS Generation Supported Speeds Vector 2: speeds at which the port can send fewer SKP Ordered Sets.
        15:8 lower_skp_os_generation_supported_speeds_2 Ro "LowerSKPGen2" = Meaning::Hex,
        /// Lower SKP OS Reception Supported Speeds Vector 2: speeds at which it can receive fewer.
        23:16 lower_skp_os_reception_supported_speeds_2 Ro "LowerSKPRec2" = Meaning::Hex,
    }
    /// All bits are reserved.
    pub struct Control(u32) at 0x08, "control", "Phy128Ctl", "PCIe 7.0, 7.7.8" {}
    /// How far equalization for 128.0 GT/s came, and what the other side wants.
    pub struct Status(u32) at 0x0c, "status", "Phy128Sta", "PCIe 7.0, 7.7.8" {
        /// Equalization was carried out.
        0 equalization_complete Ros "EquComplete",
        /// Phase 1 was successful.
        1 equalization_phase_1_successful Ros "EquPhase1",
        /// Phase 2 was successful.
        2 equalization_phase_2_successful Ros "EquPhase2",
        /// Phase 3 was successful.
        3 equalization_phase_3_successful Ros "EquPhase3",
        /// The link asks to be equalized.
        4 link_equalization_request Rw1cs "LinkEquRequest",
        /// The other side asked this port to transmit with precoding.
        5 transmitter_precoding_on Ro "TxPrecodeOn",
        /// This port asks the other side to transmit with precoding.
        6 transmitter_precode_request Ro "TxPrecodeReq",
        /// The other side needs no equalization.
        7 no_equalization_needed_received Ro "NoEqualizationNeededRecv",
    }
    /// Presets of one lane for 128.0 GT/s.
    pub struct LaneEqualization(u8) at 0x10 in "lane", "equalization", "Phy128LaneEqCtl", "PCIe 7.0, 7.7.8" {
        /// Transmitter preset of the downstream port.
        3:0 downstream_port_transmitter_preset HwInit "DSPTxPreset" = TRANSMITTER_PRESET,
        /// Transmitter preset of the upstream port: what is sent to it, or what it received.
        7:4 upstream_port_transmitter_preset HwInit "USPTxPreset" = TRANSMITTER_PRESET,
    }
}

fn layout(builder: &mut Builder<'_>) {
    let lanes = lanes(builder);
    builder.load(0x04, 0x0c + lanes);
    builder.add::<Capabilities>();
    builder.add::<Control>();
    builder.add::<Status>();
    for lane in 0..lanes {
        builder.add_in::<LaneEqualization>(lane, 0x10 + lane);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;

    #[test]
    fn status_and_lanes_in_one_read() {
        let decoded =
            Case::new(0x39).body(&[0x0003_0201, 0, 0x0000_00af, 0x8765_4321]).link_width(4).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (1, 16));
        for (path, value) in [
            ("capabilities.supported_link_speeds_2", 1),
            ("capabilities.lower_skp_os_generation_supported_speeds_2", 2),
            ("capabilities.lower_skp_os_reception_supported_speeds_2", 3),
            ("status.equalization_complete", 1),
            ("status.equalization_phase_1_successful", 1),
            ("status.equalization_phase_2_successful", 1),
            ("status.equalization_phase_3_successful", 1),
            ("status.link_equalization_request", 0),
            ("status.transmitter_precoding_on", 1),
            ("status.transmitter_precode_request", 0),
            ("status.no_equalization_needed_received", 1),
            ("lane[0].equalization.downstream_port_transmitter_preset", 1),
            ("lane[0].equalization.upstream_port_transmitter_preset", 2),
            ("lane[3].equalization.upstream_port_transmitter_preset", 8),
        ] {
            assert_eq!(decoded.field(path), value, "{path}");
        }
        assert_eq!(decoded.paths().len(), 3 + 4);
    }

    #[test]
    fn without_a_width_no_lane_and_truncated_none() {
        let decoded = Case::new(0x39).decode();
        assert_eq!((decoded.read_bytes, decoded.paths().len()), (12, 3));
        assert_eq!(Case::new(0x39).link_width(63).decode().paths().len(), 3 + 32);
        let decoded = Case::new(0x39).link_width(16).limit(0x114).decode();
        assert_eq!(decoded.raw("lane[3].equalization"), Some(0));
        assert_eq!(decoded.raw("lane[4].equalization"), None);
    }
}
