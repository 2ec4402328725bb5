//! Physical Layer 16.0 GT/s, extended capability ID 0026h. PCIe 6.2, 7.7.5.

use super::secondary::{TRANSMITTER_PRESET, lanes};
use crate::pci::decode::{Builder, Specification};
use crate::pci::register::{Meaning, Quantity, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x26,
    key: "physical_16gt",
    name: "Physical Layer 16.0 GT/s",
    section: "PCIe 6.2, 7.7.5",
    layout: Some(layout),
    registers: &[
        Capabilities::REGISTER,
        Control::REGISTER,
        Status::REGISTER,
        LocalDataParityMismatch::REGISTER,
        FirstRetimerDataParityMismatch::REGISTER,
        SecondRetimerDataParityMismatch::REGISTER,
        LaneEqualization::REGISTER,
    ],
};

register! {
    /// All bits are reserved.
    pub struct Capabilities(u32) at 0x04, "capabilities", "Phy16Cap", "PCIe 6.2, 7.7.5.2" {}
    /// All bits are reserved.
    pub struct Control(u32) at 0x08, "control", "Phy16Ctl", "PCIe 6.2, 7.7.5.3" {}
    /// How far equalization for 16.0 GT/s came.
    pub struct Status(u32) at 0x0c, "status", "Phy16Sta", "PCIe 6.2, 7.7.5.4" {
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
    }
    /// On which lanes the receiver of this port saw wrong data parity, at 16.0 GT/s or more. The bits stay until software
    /// clears them.
    pub struct LocalDataParityMismatch(u32) at 0x10, "local_data_parity_mismatch_status", "Phy16LocalParity", "PCIe 6.2, 7.7.5.5" {
        /// One bit a lane.
        31:0 lanes Rw1cs "lanes" = Meaning::Quantity(|raw| Quantity::Lanes(raw as u32)),
    }
    /// On which lanes the first retimer saw wrong data parity, at 16.0 GT/s or more. Undefined without retimers.
    pub struct FirstRetimerDataParityMismatch(u32) at 0x14, "first_retimer_data_parity_mismatch_status", "Phy16FirstRetimerParity", "PCIe 6.2, 7.7.5.6" {
        /// One bit a lane.
        31:0 lanes Rw1cs "lanes" = Meaning::Quantity(|raw| Quantity::Lanes(raw as u32)),
    }
    /// On which lanes the second retimer saw wrong data parity, at 16.0 GT/s or more. Undefined without two retimers.
    pub struct SecondRetimerDataParityMismatch(u32) at 0x18, "second_retimer_data_parity_mismatch_status", "Phy16SecondRetimerParity", "PCIe 6.2, 7.7.5.7" {
        /// One bit a lane.
        31:0 lanes Rw1cs "lanes" = Meaning::Quantity(|raw| Quantity::Lanes(raw as u32)),
    }
    /// Presets of one lane for 16.0 GT/s.
    pub struct LaneEqualization(u8) at 0x20 in "lane", "equalization", "Phy16LaneEqCtl", "PCIe 6.2, 7.7.5.9" {
        /// Transmitter preset of the downstream port.
        3:0 downstream_port_transmitter_preset HwInit "DSPTxPreset" = TRANSMITTER_PRESET,
        /// Transmitter preset of the upstream port: what is sent to it, or what it received.
        7:4 upstream_port_transmitter_preset HwInit "USPTxPreset" = TRANSMITTER_PRESET,
    }
}

fn layout(builder: &mut Builder<'_>) {
    let lanes = lanes(builder);
    builder.load(0x04, if lanes == 0 { 0x18 } else { 0x1c + lanes });
    builder.add::<Capabilities>();
    builder.add::<Control>();
    builder.add::<Status>();
    builder.add::<LocalDataParityMismatch>();
    builder.add::<FirstRetimerDataParityMismatch>();
    builder.add::<SecondRetimerDataParityMismatch>();
    for lane in 0..lanes {
        builder.add_in::<LaneEqualization>(lane, 0x20 + lane);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;

    #[test]
    fn status_parity_and_lanes() {
        let body = [0, 0, 0x1f, 0x8000_0001, 2, 4, 0xffff_ffff, 0x5443_2210];
        let decoded = Case::new(0x26).body(&body).link_width(4).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (1, 32));
        assert_eq!(decoded.field("status.equalization_complete"), 1);
        assert_eq!(decoded.field("status.equalization_phase_3_successful"), 1);
        assert_eq!(decoded.field("status.link_equalization_request"), 1);
        assert_eq!(decoded.field("local_data_parity_mismatch_status.lanes"), 0x8000_0001);
        assert_eq!(decoded.field("first_retimer_data_parity_mismatch_status.lanes"), 2);
        assert_eq!(decoded.field("second_retimer_data_parity_mismatch_status.lanes"), 4);
        assert_eq!(decoded.field("lane[3].equalization.downstream_port_transmitter_preset"), 4);
        assert_eq!(decoded.field("lane[3].equalization.upstream_port_transmitter_preset"), 5);
        assert_eq!(decoded.paths().len(), 6 + 4);
    }

    #[test]
    fn without_a_width_no_lane_and_truncated_none() {
        let decoded = Case::new(0x26).decode();
        assert_eq!((decoded.read_bytes, decoded.paths().len()), (24, 6));
        let decoded = Case::new(0x26).link_width(16).limit(0x124).decode();
        assert_eq!(decoded.raw("lane[3].equalization"), Some(0));
        assert_eq!(decoded.raw("lane[4].equalization"), None);
        assert_eq!(Case::new(0x26).limit(0x110).decode().raw("local_data_parity_mismatch_status"), None);
    }
}
