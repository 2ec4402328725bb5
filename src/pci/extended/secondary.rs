//! Secondary PCI Express, extended capability ID 0019h. PCIe 6.2, 7.7.3.

use crate::pci::decode::{Builder, Specification};
use crate::pci::quantity::speeds;
use crate::pci::register::{Meaning, Quantity, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x19,
    key: "secondary",
    name: "Secondary PCI Express",
    section: "PCIe 6.2, 7.7.3",
    layout: Some(layout),
    registers: &[LinkControl3::REGISTER, LaneErrorStatus::REGISTER, LaneEqualization::REGISTER],
};

/// Transmitter presets (PCIe 6.2, 4.2.4.2).
pub(super) const TRANSMITTER_PRESET: Meaning = Meaning::Choice(&[
    (0, "P0"),
    (1, "P1"),
    (2, "P2"),
    (3, "P3"),
    (4, "P4"),
    (5, "P5"),
    (6, "P6"),
    (7, "P7"),
    (8, "P8"),
    (9, "P9"),
    (10, "P10"),
]);
/// Receiver preset hints for 8.0 GT/s (PCIe 6.2, 4.2.4.2).
const RECEIVER_PRESET_HINT: Meaning = Meaning::Choice(&[
    (0, "-6 dB"),
    (1, "-7 dB"),
    (2, "-8 dB"),
    (3, "-9 dB"),
    (4, "-10 dB"),
    (5, "-11 dB"),
    (6, "-12 dB"),
]);

register! {
    /// Equalization on demand, and the distance of skip ordered sets.
    pub struct LinkControl3(u32) at 0x04, "link_control_3", "LnkCtl3", "PCIe 6.2, 7.7.3.2" {
        /// Equalizes the link at the next retraining to 8.0 GT/s or more.
        0 perform_equalization Rw "PerformEqu",
        /// Interrupts when the link asks to be equalized.
        1 link_equalization_request_interrupt_enable Rw "LnkEquIntrruptEn",
        /// Speeds at which skip ordered sets are sent less often.
        15:9 enable_lower_skp_os_generation_vector Rw "LowerSKPOSGen" = Meaning::Quantity(speeds),
    }
    /// Which lanes saw an error. The bits stay until software clears them.
    pub struct LaneErrorStatus(u32) at 0x08, "lane_error_status", "LaneErrStat", "PCIe 6.2, 7.7.3.3" {
        /// One bit a lane.
        31:0 lanes Rw1cs "LaneErr" = Meaning::Quantity(|raw| Quantity::Lanes(raw as u32)),
    }
    /// Presets of one lane for 8.0 GT/s.
    pub struct LaneEqualization(u16) at 0x0c in "lane", "equalization", "LaneEqCtl", "PCIe 6.2, 7.7.3.4" {
        /// Transmitter preset of the downstream port.
        3:0 downstream_port_transmitter_preset HwInit "DSPTxPreset" = TRANSMITTER_PRESET,
        /// Receiver preset hint for the downstream port.
        6:4 downstream_port_receiver_preset_hint HwInit "DSPRxHint" = RECEIVER_PRESET_HINT,
        /// Transmitter preset of the upstream port: what is sent to it, or what it received.
        11:8 upstream_port_transmitter_preset HwInit "USPTxPreset" = TRANSMITTER_PRESET,
        /// Receiver preset hint for the upstream port: what is sent to it, or what it received.
        14:12 upstream_port_receiver_preset_hint HwInit "USPRxHint" = RECEIVER_PRESET_HINT,
    }
}

/// Number of lanes that have an equalization register: the Maximum Link Width, 0 if that is not known.
pub(super) fn lanes(builder: &Builder<'_>) -> u16 {
    u16::from(builder.context.link_width.unwrap_or(0).min(32))
}

impl LaneErrorStatus {
    /// The lanes that saw an error, lowest first.
    pub fn lane_numbers(self) -> impl Iterator<Item = u8> {
        (0..32).filter(move |lane| self.0 >> lane & 1 == 1)
    }
}

fn layout(builder: &mut Builder<'_>) {
    let lanes = lanes(builder);
    builder.load(0x04, 8 + 2 * lanes);
    builder.add::<LinkControl3>();
    builder.add::<LaneErrorStatus>();
    for lane in 0..lanes {
        builder.add_in::<LaneEqualization>(lane, 0x0c + 2 * lane);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;
    use super::*;

    #[test]
    fn lanes_as_many_as_the_link_is_wide() {
        let decoded = Case::new(0x19).body(&[0x0000_0e02, 0x8001_0005, 0x5834_7f7f]).link_width(2).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (1, 12));
        assert_eq!(decoded.field("link_control_3.perform_equalization"), 0);
        assert_eq!(decoded.field("link_control_3.link_equalization_request_interrupt_enable"), 1);
        assert_eq!(decoded.field("link_control_3.enable_lower_skp_os_generation_vector"), 7);
        let status = decoded.capability.get::<LaneErrorStatus>().unwrap();
        assert_eq!(status.lane_numbers().collect::<Vec<_>>(), [0, 2, 16, 31]);
        assert_eq!(decoded.field("lane[0].equalization.downstream_port_transmitter_preset"), 15);
        assert_eq!(decoded.field("lane[1].equalization.downstream_port_transmitter_preset"), 4);
        assert_eq!(decoded.field("lane[1].equalization.downstream_port_receiver_preset_hint"), 3);
        assert_eq!(decoded.field("lane[1].equalization.upstream_port_transmitter_preset"), 8);
        assert_eq!(decoded.field("lane[1].equalization.upstream_port_receiver_preset_hint"), 5);
        assert_eq!(decoded.paths().len(), 4);
    }

    #[test]
    fn of_an_unknown_width_no_lane_is_read() {
        let decoded = Case::new(0x19).decode();
        assert_eq!((decoded.read_bytes, decoded.paths().len()), (8, 2));
        let decoded = Case::new(0x19).link_width(63).decode();
        assert_eq!(decoded.paths().len(), 2 + 32);
    }

    #[test]
    fn truncated() {
        let decoded = Case::new(0x19).link_width(16).limit(0x110).decode();
        assert_eq!(decoded.raw("lane[1].equalization"), Some(0));
        assert_eq!(decoded.raw("lane[2].equalization"), None);
    }
}
