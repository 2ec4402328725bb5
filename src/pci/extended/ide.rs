//! Integrity and Data Encryption, extended capability ID 0030h. PCIe 6.2, 7.9.26.

use super::ide_stream::{
    AddressAssociation1, AddressAssociation2, AddressAssociation3, LinkStreamControl, LinkStreamStatus,
    RidAssociation1, RidAssociation2, SelectiveStreamCapability, SelectiveStreamControl,
    SelectiveStreamStatus,
};
use crate::pci::decode::{Builder, Specification};
use crate::pci::quantity::minus_one;
use crate::pci::register::{Meaning, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x30,
    key: "ide",
    name: "Integrity and Data Encryption",
    section: "PCIe 6.2, 7.9.26",
    layout: Some(layout),
    registers: &[
        Capability::REGISTER,
        Control::REGISTER,
        LinkStreamControl::REGISTER,
        LinkStreamStatus::REGISTER,
        SelectiveStreamCapability::REGISTER,
        SelectiveStreamControl::REGISTER,
        SelectiveStreamStatus::REGISTER,
        RidAssociation1::REGISTER,
        RidAssociation2::REGISTER,
        AddressAssociation1::REGISTER,
        AddressAssociation2::REGISTER,
        AddressAssociation3::REGISTER,
    ],
};

/// Supported Algorithms and Selected Algorithm.
pub(super) const ALGORITHM: Meaning = Meaning::Choice(&[(0, "AES-GCM 256, 96-bit MAC")]);

register! {
    /// What the port can do to keep packets secret and whole.
    pub struct Capability(u32) at 0x04, "capability", "IDECap", "PCIe 6.2, 7.9.26.2" {
        /// Can protect everything between the two ends of the link.
        0 link_ide_stream_supported HwInit "Lnk",
        /// Can protect what goes to chosen partners, through switches.
        1 selective_ide_streams_supported HwInit "Sel",
        /// Passes protected packets on; switches and root ports only.
        2 flow_through_ide_stream_supported HwInit "FlowThru",
        /// Can encrypt part of the header.
        3 partial_header_encryption_supported HwInit "PartHdr",
        /// Can protect several packets with one check value.
        4 aggregation_supported HwInit "Aggr",
        /// Can make and check the plaintext checksum.
        5 pcrc_supported HwInit "PCRC",
        /// Answers the IDE_KM protocol, which hands out keys.
        6 ide_km_protocol_supported HwInit "IDE_KM",
        /// Can protect configuration requests.
        7 selective_ide_for_configuration_requests_supported HwInit "SelCfg",
        /// How packets can be encrypted.
        12:8 supported_algorithms HwInit "Alg" = ALGORITHM,
        /// Traffic classes with a link stream, encoded as N-1; undefined without link streams.
        15:13 number_of_tcs_supported_for_link_ide HwInit "TCs" = Meaning::Quantity(minus_one),
        /// Selective streams, encoded as N-1; undefined without selective streams.
        23:16 number_of_selective_ide_streams_supported HwInit "SelNum" = Meaning::Quantity(minus_one),
        /// Can keep a stream to requests of trusted execution environments.
        24 tee_limited_stream_supported HwInit "TeeLim",
        /// Can use the extended form of TEE bits.
        25 xt_supported HwInit "XT",
    }
    /// What holds for the whole port.
    pub struct Control(u32) at 0x08, "control", "IDECtl", "PCIe 6.2, 7.9.26.3" {
        /// Passes protected packets on.
        2 flow_through_ide_stream_enabled Rw "FTEn",
    }
}

/// Where the stream registers begin.
const STREAMS: u16 = 0x0c;
/// Bytes of a link stream's registers.
const LINK_STREAM: u16 = 8;
/// Bytes of a selective stream's registers without its address associations.
const SELECTIVE_STREAM: u16 = 20;
/// Bytes of an address association.
const ADDRESS_ASSOCIATION: u16 = 12;

fn layout(builder: &mut Builder<'_>) {
    builder.load(0x04, 8);
    let capability = builder.add::<Capability>();
    builder.add::<Control>();
    let Some(capability) = capability else { return };
    let room = builder.room();
    let mut at = STREAMS;
    if capability.link_ide_stream_supported() {
        let count = capability.number_of_tcs_supported_for_link_ide() as u16 + 1;
        builder.reaches(at + LINK_STREAM * count);
        let count = count.min(room.saturating_sub(at) / LINK_STREAM);
        builder.load(at, LINK_STREAM * count);
        for index in 0..count {
            builder.add_in::<LinkStreamControl>(index, at);
            builder.add_in::<LinkStreamStatus>(index, at + 4);
            at += LINK_STREAM;
        }
    }
    if capability.selective_ide_streams_supported() {
        for index in 0..=capability.number_of_selective_ide_streams_supported() as u16 {
            builder.reaches(at + SELECTIVE_STREAM);
            if at + SELECTIVE_STREAM > room {
                break;
            }
            let Some(size) = selective_stream(builder, index, at) else { break };
            at += size;
        }
    }
}

/// Places the registers of one selective stream; gives how many bytes they are, if that could be read.
fn selective_stream(builder: &mut Builder<'_>, index: u16, at: u16) -> Option<u16> {
    builder.load(at, SELECTIVE_STREAM);
    let capability = builder.add_in::<SelectiveStreamCapability>(index, at);
    builder.add_in::<SelectiveStreamControl>(index, at + 4);
    builder.add_in::<SelectiveStreamStatus>(index, at + 8);
    builder.add_in::<RidAssociation1>(index, at + 12);
    builder.add_in::<RidAssociation2>(index, at + 16);
    let stated = capability?.number_of_address_association_register_blocks() as u16;
    let first = at + SELECTIVE_STREAM;
    builder.reaches(first + ADDRESS_ASSOCIATION * stated);
    let count = stated.min(builder.room().saturating_sub(first) / ADDRESS_ASSOCIATION);
    if count > 0 {
        builder.load(first, ADDRESS_ASSOCIATION * count);
    }
    for association in 0..count {
        let at = first + ADDRESS_ASSOCIATION * association;
        builder.add_within::<AddressAssociation1>(index, association, at);
        builder.add_within::<AddressAssociation2>(index, association, at + 4);
        builder.add_within::<AddressAssociation3>(index, association, at + 8);
    }
    Some(SELECTIVE_STREAM + ADDRESS_ASSOCIATION * stated)
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;
    use crate::pci::walk::{Anomaly, List};

    #[test]
    fn one_link_stream_whose_checksum_is_off() {
        let decoded = Case::new(0x30).body(&[0x0000_0001, 0, 0x0000_0001, 0]).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (2, 16));
        assert_eq!(decoded.field("capability.link_ide_stream_supported"), 1);
        assert_eq!(decoded.field("link_stream[0].link_control.link_ide_stream_enable"), 1);
        assert_eq!(
            decoded.field("link_stream[0].link_control.pcrc_enable"),
            0,
            "lspci shows the enable bit here"
        );
        assert_eq!(decoded.paths().len(), 4);
        assert_eq!(decoded.capability.end, 0x114);
    }

    #[test]
    fn link_and_selective_streams_with_associations() {
        let body = [
            0x0301_20ff,
            0x0000_0004,
            0x5508_0d91,
            0x8000_0002,
            0x6610_0001,
            0x0000_0000,
            0x0000_0002,
            0x7750_0301,
            0x0000_0002,
            0x0012_3400,
            0x0112_0001,
            0xfff0_8001,
            0x0000_0001,
            0x0000_0002,
            0,
            3,
            4,
            0x0000_0000,
            0x8880_0000,
        ];
        let decoded = Case::new(0x30).body(&body).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (5, 8 + 16 + 20 + 24 + 20));
        for (path, value) in [
            ("capability.selective_ide_streams_supported", 1),
            ("capability.pcrc_supported", 1),
            ("capability.selective_ide_for_configuration_requests_supported", 1),
            ("capability.supported_algorithms", 0),
            ("capability.number_of_tcs_supported_for_link_ide", 1),
            ("capability.number_of_selective_ide_streams_supported", 1),
            ("capability.tee_limited_stream_supported", 1),
            ("capability.xt_supported", 1),
            ("control.flow_through_ide_stream_enabled", 1),
            ("link_stream[0].link_control.tx_aggregation_mode_npr", 0),
            ("link_stream[0].link_control.tx_aggregation_mode_pr", 1),
            ("link_stream[0].link_control.tx_aggregation_mode_cpl", 2),
            ("link_stream[0].link_control.pcrc_enable", 1),
            ("link_stream[0].link_control.partial_header_encryption_mode", 3),
            ("link_stream[0].link_control.tc", 1),
            ("link_stream[0].link_control.stream_id", 0x55),
            ("link_stream[0].link_status.link_ide_stream_state", 2),
            ("link_stream[0].link_status.received_ide_fail_message", 1),
            ("link_stream[1].link_control.tc", 2),
            ("link_stream[1].link_control.stream_id", 0x66),
            ("selective_stream[0].selective_capability.number_of_address_association_register_blocks", 2),
            ("selective_stream[0].selective_control.selective_ide_stream_enable", 1),
            ("selective_stream[0].selective_control.pcrc_enable", 1),
            ("selective_stream[0].selective_control.selective_ide_for_configuration_requests_enable", 1),
            ("selective_stream[0].selective_control.tc", 2),
            ("selective_stream[0].selective_control.default_stream", 1),
            ("selective_stream[0].selective_control.tee_limited_stream", 0),
            ("selective_stream[0].selective_control.stream_id", 0x77),
            ("selective_stream[0].selective_status.selective_ide_stream_state", 2),
            ("selective_stream[0].rid_association_1.rid_limit", 0x1234),
            ("selective_stream[0].rid_association_2.valid", 1),
            ("selective_stream[0].rid_association_2.rid_base", 0x1200),
            ("selective_stream[0].rid_association_2.segment_base", 1),
            ("selective_stream[0].address_association[0].register_1.valid", 1),
            ("selective_stream[0].address_association[0].register_1.memory_base_lower", 0x080),
            ("selective_stream[0].address_association[0].register_1.memory_limit_lower", 0xfff),
            ("selective_stream[0].address_association[0].register_2.memory_limit_upper", 1),
            ("selective_stream[0].address_association[0].register_3.memory_base_upper", 2),
            ("selective_stream[0].address_association[1].register_3.memory_base_upper", 4),
            ("selective_stream[1].selective_control.tee_limited_stream", 1),
            ("selective_stream[1].selective_control.stream_id", 0x88),
        ] {
            assert_eq!(decoded.field(path), value, "{path}");
        }
        assert_eq!(decoded.paths().len(), 2 + 4 + 5 + 6 + 5);
        assert!(decoded.anomalies.is_empty());
    }

    #[test]
    fn streams_end_where_the_next_capability_begins() {
        let decoded = Case::new(0x30).body(&[0x00ff_e003]).next(0x140).decode();
        assert_eq!(decoded.paths().len(), 2 + 2 * 6, "six link streams fit");
        assert_eq!(decoded.anomalies, [Anomaly::Overlap { first: 0x100, second: 0x140, first_end: 0x150 }]);
        let decoded = Case::new(0x30).body(&[0x00ff_0002, 0, 15]).next(0x140).decode();
        assert_eq!(decoded.paths().len(), 2 + 5 + 3 * 2, "one stream and two of its associations fit");
        assert_eq!(decoded.anomalies, [Anomaly::Overlap { first: 0x100, second: 0x140, first_end: 0x1e8 }]);
    }

    #[test]
    fn streams_end_with_configuration_space_and_with_what_was_read() {
        let decoded = Case::new(0x30).body(&[0x00ff_0002]).decode();
        assert_eq!(decoded.paths().len(), 2 + 5 * ((4096 - 0x10c) / 20));
        assert!(matches!(decoded.anomalies[..], [Anomaly::PastEnd { list: List::Extended, .. }]));
        let decoded = Case::new(0x30).body(&[0x00ff_0002]).limit(0x110).decode();
        assert_eq!(decoded.paths().len(), 2 + 5 + 5, "the second stream's capability is not known");
        assert_eq!(decoded.raw("selective_stream[0].selective_control"), None);
    }
}
