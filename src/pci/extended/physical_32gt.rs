//! Physical Layer 32.0 GT/s, extended capability ID 002Ah. PCIe 6.2, 7.7.6.

use super::secondary::{TRANSMITTER_PRESET, lanes};
use crate::pci::decode::{Builder, Specification};
use crate::pci::register::{Meaning, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x2a,
    key: "physical_32gt",
    name: "Physical Layer 32.0 GT/s",
    section: "PCIe 6.2, 7.7.6",
    layout: Some(layout),
    registers: &[
        Capabilities::REGISTER,
        Control::REGISTER,
        Status::REGISTER,
        ReceivedModifiedTsData1::REGISTER,
        ReceivedModifiedTsData2::REGISTER,
        TransmittedModifiedTsData1::REGISTER,
        TransmittedModifiedTsData2::REGISTER,
        LaneEqualization::REGISTER,
    ],
};

/// Modified TS Usage.
const USAGE_MODE: Meaning =
    Meaning::Choice(&[(0, "PCI Express"), (1, "Training Set Message"), (2, "Alternate Protocol")]);
/// Alternate Protocol Negotiation Status.
const NEGOTIATION: Meaning =
    Meaning::Choice(&[(0, "not supported"), (1, "disabled"), (2, "failed"), (3, "succeeded")]);

register! {
    /// What equalization and training can do.
    pub struct Capabilities(u32) at 0x04, "capabilities", "Phy32Cap", "PCIe 6.2, 7.7.6.2" {
        /// Can skip equalization at the speeds below the highest.
        0 equalization_bypass_to_highest_rate_supported HwInit "EqualizationBypass",
        /// Can do without equalization.
        1 no_equalization_needed_supported HwInit "NoEqualizationNeeded",
        /// Can use modified training sets for PCI Express.
        8 modified_ts_usage_mode_0_supported Ro "ModTsMode0",
        /// Can use modified training sets for messages of the vendor.
        9 modified_ts_usage_mode_1_supported HwInit "ModTsMode1",
        /// Can use modified training sets to agree on another protocol, for example CXL.
        10 modified_ts_usage_mode_2_supported HwInit "ModTsMode2",
        /// Modes that are not defined yet.
        15:11 modified_ts_reserved_usage_modes Ro "ModTsReserved" = Meaning::Hex,
    }
    /// What equalization and training may do.
    pub struct Control(u32) at 0x08, "control", "Phy32Ctl", "PCIe 6.2, 7.7.6.3" {
        /// Does not ask to skip equalization at the speeds below the highest.
        0 equalization_bypass_to_highest_rate_disable Rws "EqualizationBypassDis",
        /// Always asks for equalization.
        1 no_equalization_needed_disable Rws "NoEqualizationNeededDis",
        /// For what a downstream port uses modified training sets when the link comes up next.
        10:8 modified_ts_usage_mode_selected Rws "Modified TS Usage Mode" = USAGE_MODE,
    }
    /// How far equalization for 32.0 GT/s came, and what the other side wants.
    pub struct Status(u32) at 0x0c, "status", "Phy32Sta", "PCIe 6.2, 7.7.6.4" {
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
        /// Modified training sets were received: the four data registers hold something.
        5 modified_ts_received Ro "ModTsRecv",
        /// What the other side last asked for.
        7:6 received_enhanced_link_behavior_control Ro "Received Enhanced Link Behavior Control" = Meaning::Choice(&[
            (0, "full equalization required"),
            (1, "equalization bypass to highest rate"),
            (2, "no equalization needed"),
            (3, "modified TS1/TS2 ordered sets supported"),
        ]),
        /// The other side asked this port to transmit with precoding.
        8 transmitter_precoding_on Ro "TxPrecodeOn",
        /// This port asks the other side to transmit with precoding.
        9 transmitter_precode_request Ro "TxPrecodeReq",
        /// The other side needs no equalization.
        10 no_equalization_needed_received Ro "NoEqualizationNeededRecv",
    }
    /// What the other side sent in modified training sets.
    pub struct ReceivedModifiedTsData1(u32) at 0x10, "received_modified_ts_data_1", "Phy32RxModTs1", "PCIe 6.2, 7.7.6.5" {
        /// For what the training sets were used.
        2:0 usage_mode Ro "UsageMode" = USAGE_MODE,
        /// Symbol 9 and bits 7:3 of symbol 8.
        15:3 information_1 Ro "Information1" = Meaning::Hex,
        /// Who defined the message or protocol.
        31:16 vendor_id Ro "VendorID" = Meaning::Hex,
    }
    /// What the other side sent in modified training sets, and whether another protocol was agreed on.
    pub struct ReceivedModifiedTsData2(u32) at 0x14, "received_modified_ts_data_2", "Phy32RxModTs2", "PCIe 6.2, 7.7.6.6" {
        /// Symbols 14 to 12.
        23:0 information_2 Ro "Information2" = Meaning::Hex,
        /// Whether another protocol was agreed on.
        25:24 alternate_protocol_negotiation_status Ro "APNStatus" = NEGOTIATION,
    }
    /// What this port sent in modified training sets.
    pub struct TransmittedModifiedTsData1(u32) at 0x18, "transmitted_modified_ts_data_1", "Phy32TxModTs1", "PCIe 6.2, 7.7.6.7" {
        /// For what the training sets were used.
        2:0 usage_mode Ro "UsageMode" = USAGE_MODE,
        /// Symbol 9 and bits 7:3 of symbol 8.
        15:3 information_1 Ro "Information1" = Meaning::Hex,
        /// Who defined the message or protocol.
        31:16 vendor_id Ro "VendorID" = Meaning::Hex,
    }
    /// What this port sent in modified training sets, and whether another protocol was agreed on.
    pub struct TransmittedModifiedTsData2(u32) at 0x1c, "transmitted_modified_ts_data_2", "Phy32TxModTs2", "PCIe 6.2, 7.7.6.8" {
        /// Symbols 14 to 12.
        23:0 information_2 Ro "Information2" = Meaning::Hex,
        /// Whether another protocol was agreed on.
        25:24 alternate_protocol_negotiation_status Ro "APNStatus" = NEGOTIATION,
    }
    /// Presets of one lane for 32.0 GT/s.
    pub struct LaneEqualization(u8) at 0x20 in "lane", "equalization", "Phy32LaneEqCtl", "PCIe 6.2, 7.7.6.9" {
        /// Transmitter preset of the downstream port.
        3:0 downstream_port_transmitter_preset HwInit "DSPTxPreset" = TRANSMITTER_PRESET,
        /// Transmitter preset of the upstream port: what is sent to it, or what it received.
        7:4 upstream_port_transmitter_preset HwInit "USPTxPreset" = TRANSMITTER_PRESET,
    }
}

fn layout(builder: &mut Builder<'_>) {
    let lanes = lanes(builder);
    builder.load(0x04, 0x1c + lanes);
    builder.add::<Capabilities>();
    builder.add::<Control>();
    builder.add::<Status>();
    builder.add::<ReceivedModifiedTsData1>();
    builder.add::<ReceivedModifiedTsData2>();
    builder.add::<TransmittedModifiedTsData1>();
    builder.add::<TransmittedModifiedTsData2>();
    for lane in 0..lanes {
        builder.add_in::<LaneEqualization>(lane, 0x20 + lane);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;

    #[test]
    fn everything_in_one_read() {
        let body = [0x0503, 0x0202, 0x06af, 0x1e98_001a, 0x0312_3456, 0x1e98_0022, 0x0100_0001, 0x5443_2210];
        let decoded = Case::new(0x2a).body(&body).link_width(1).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (1, 32));
        for (path, value) in [
            ("capabilities.equalization_bypass_to_highest_rate_supported", 1),
            ("capabilities.no_equalization_needed_supported", 1),
            ("capabilities.modified_ts_usage_mode_0_supported", 1),
            ("capabilities.modified_ts_usage_mode_1_supported", 0),
            ("capabilities.modified_ts_usage_mode_2_supported", 1),
            ("control.no_equalization_needed_disable", 1),
            ("control.modified_ts_usage_mode_selected", 2),
            ("status.equalization_phase_3_successful", 1),
            ("status.link_equalization_request", 0),
            ("status.modified_ts_received", 1),
            ("status.received_enhanced_link_behavior_control", 2),
            ("status.transmitter_precoding_on", 0),
            ("status.transmitter_precode_request", 1),
            ("status.no_equalization_needed_received", 1),
            ("received_modified_ts_data_1.usage_mode", 2),
            ("received_modified_ts_data_1.information_1", 3),
            ("received_modified_ts_data_1.vendor_id", 0x1e98),
            ("received_modified_ts_data_2.information_2", 0x12_3456),
            ("received_modified_ts_data_2.alternate_protocol_negotiation_status", 3),
            ("transmitted_modified_ts_data_1.information_1", 4),
            ("transmitted_modified_ts_data_2.alternate_protocol_negotiation_status", 1),
            ("lane[0].equalization.upstream_port_transmitter_preset", 1),
        ] {
            assert_eq!(decoded.field(path), value, "{path}");
        }
        assert_eq!(decoded.paths().len(), 7 + 1);
    }

    #[test]
    fn without_a_width_no_lane_and_truncated_none() {
        let decoded = Case::new(0x2a).decode();
        assert_eq!((decoded.read_bytes, decoded.paths().len()), (28, 7));
        assert_eq!(Case::new(0x2a).limit(0x110).decode().raw("received_modified_ts_data_1"), None);
    }
}
