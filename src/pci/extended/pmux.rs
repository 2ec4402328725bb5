//! Protocol Multiplexing, extended capability ID 001Ah: other protocols on the same link. PCIe 6.2, G.5.

use crate::pci::decode::{Builder, Specification};
use crate::pci::quantity::speeds;
use crate::pci::register::{Meaning, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x1a,
    key: "pmux",
    name: "Protocol Multiplexing",
    section: "PCIe 6.2, G.5",
    layout: Some(layout),
    registers: &[
        PmuxCapability::REGISTER,
        PmuxControl::REGISTER,
        PmuxStatus::REGISTER,
        PmuxProtocol::REGISTER,
    ],
};

register! {
    /// How many protocols there are, and at which speeds.
    pub struct PmuxCapability(u32) at 0x04, "capability", "PMUXCap", "PCIe 6.2, G.5.2" {
        /// Entries of the protocol array.
        5:0 pmux_protocol_array_size Ro "Protocols",
        /// Speeds at which protocols can be multiplexed.
        15:8 pmux_supported_link_speeds Ro "Speeds" = Meaning::Quantity(speeds),
    }
    /// Which protocol each channel carries.
    pub struct PmuxControl(u32) at 0x08, "control", "PMUXCtl", "PCIe 6.2, G.5.3" {
        /// Protocol of channel 0.
        5:0 pmux_channel_0_assignment Rw "Channel0",
        /// Protocol of channel 1.
        13:8 pmux_channel_1_assignment Rw "Channel1",
        /// Protocol of channel 2.
        21:16 pmux_channel_2_assignment Rw "Channel2",
        /// Protocol of channel 3.
        29:24 pmux_channel_3_assignment Rw "Channel3",
    }
    /// Why a channel does not work.
    pub struct PmuxStatus(u32) at 0x0c, "status", "PMUXSta", "PCIe 6.2, G.5.4" {
        /// Channel 0 is off: the link's speed does not allow it.
        0 pmux_channel_0_disabled_link_speed Ro "Channel0Speed",
        /// Channel 0 is off: the link's width does not allow it.
        1 pmux_channel_0_disabled_link_width Ro "Channel0Width",
        /// Channel 0 is off for reasons of its protocol.
        2 pmux_channel_0_disabled_protocol_specific Ro "Channel0Protocol",
        /// Channel 1 is off: the link's speed does not allow it.
        8 pmux_channel_1_disabled_link_speed Ro "Channel1Speed",
        /// Channel 1 is off: the link's width does not allow it.
        9 pmux_channel_1_disabled_link_width Ro "Channel1Width",
        /// Channel 1 is off for reasons of its protocol.
        10 pmux_channel_1_disabled_protocol_specific Ro "Channel1Protocol",
        /// Channel 2 is off: the link's speed does not allow it.
        16 pmux_channel_2_disabled_link_speed Ro "Channel2Speed",
        /// Channel 2 is off: the link's width does not allow it.
        17 pmux_channel_2_disabled_link_width Ro "Channel2Width",
        /// Channel 2 is off for reasons of its protocol.
        18 pmux_channel_2_disabled_protocol_specific Ro "Channel2Protocol",
        /// Channel 3 is off: the link's speed does not allow it.
        24 pmux_channel_3_disabled_link_speed Ro "Channel3Speed",
        /// Channel 3 is off: the link's width does not allow it.
        25 pmux_channel_3_disabled_link_width Ro "Channel3Width",
        /// Channel 3 is off for reasons of its protocol.
        26 pmux_channel_3_disabled_protocol_specific Ro "Channel3Protocol",
    }
    /// One protocol.
    pub struct PmuxProtocol(u32) at 0x10 in "protocol", "id", "PMUXProtocol", "PCIe 6.2, G.5.5" {
        /// Which of the authority's protocols it is.
        15:0 protocol_id Ro "Protocol" = Meaning::Hex,
        /// Who defined it.
        31:16 authority_id Ro "Authority" = Meaning::Hex,
    }
}

fn layout(builder: &mut Builder<'_>) {
    builder.load(0x04, 12);
    let capability = builder.add::<PmuxCapability>().unwrap_or(PmuxCapability(0));
    builder.add::<PmuxControl>();
    builder.add::<PmuxStatus>();
    let protocols = capability.pmux_protocol_array_size() as u16;
    builder.reaches(0x10 + 4 * protocols);
    let room = builder.room_end.saturating_sub(builder.located.offset).saturating_sub(0x10) / 4;
    let protocols = protocols.min(room);
    if protocols > 0 {
        builder.load(0x10, 4 * protocols);
    }
    for index in 0..protocols {
        builder.add_in::<PmuxProtocol>(index, 0x10 + 4 * index);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;
    use crate::pci::walk::Anomaly;

    #[test]
    fn two_protocols() {
        let body = [0x0000_0c02, 0x0403_0201, 0x0402_0100, 0x7856_3412, 0x4433_2211];
        let decoded = Case::new(0x1a).body(&body).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (2, 12 + 8));
        for (path, value) in [
            ("capability.pmux_protocol_array_size", 2),
            ("capability.pmux_supported_link_speeds", 0x0c),
            ("control.pmux_channel_0_assignment", 1),
            ("control.pmux_channel_3_assignment", 4),
            ("status.pmux_channel_0_disabled_link_speed", 0),
            ("status.pmux_channel_1_disabled_link_speed", 1),
            ("status.pmux_channel_2_disabled_link_width", 1),
            ("status.pmux_channel_3_disabled_protocol_specific", 1),
            ("protocol[0].id.protocol_id", 0x3412),
            ("protocol[0].id.authority_id", 0x7856),
            ("protocol[1].id.protocol_id", 0x2211),
        ] {
            assert_eq!(decoded.field(path), value, "{path}");
        }
        assert_eq!(decoded.paths().len(), 3 + 2);
    }

    #[test]
    fn no_more_protocols_than_there_is_room() {
        let decoded = Case::new(0x1a).body(&[0x3f]).next(0x118).decode();
        assert_eq!(decoded.paths().len(), 3 + 2);
        assert_eq!(decoded.anomalies, [Anomaly::Overlap { first: 0x100, second: 0x118, first_end: 0x20c }]);
        let decoded = Case::new(0x1a).body(&[2]).limit(0x114).decode();
        assert_eq!((decoded.raw("protocol[0].id"), decoded.raw("protocol[1].id")), (Some(0), None));
        assert_eq!(Case::new(0x1a).limit(0x104).decode().paths().len(), 3);
    }
}
