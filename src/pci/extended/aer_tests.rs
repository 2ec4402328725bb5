use super::super::testing::{Case, Decoded};
use super::*;

/// A malformed packet with its header, as an endpoint sees it, and what a root port has besides.
const BODY: [u32; 17] = [
    0x0004_0000,
    0x0000_0000,
    0x0046_2030,
    0x0000_2001,
    0x0000_e000,
    0x0000_00b2,
    0x4a00_0001,
    0x0400_0004,
    0,
    7,
    7,
    0xf000_0054,
    0x0400_0300,
    1,
    2,
    3,
    4,
];

#[test]
fn an_endpoint_has_no_root_registers() {
    let decoded = Case::new(1).body(&BODY).port_type(0).decode();
    assert_eq!((decoded.reads, decoded.read_bytes), (1, 40));
    for (path, value) in [
        ("uncorrectable_status.malformed_tlp", 1),
        ("uncorrectable_status.completion_timeout", 0),
        ("uncorrectable_mask.malformed_tlp", 0),
        ("uncorrectable_severity.data_link_protocol_error", 1),
        ("uncorrectable_severity.surprise_down_error", 1),
        ("uncorrectable_severity.uncorrectable_internal_error", 1),
        ("correctable_status.receiver_error", 1),
        ("correctable_status.advisory_non_fatal_error", 1),
        ("correctable_mask.header_log_overflow", 1),
        ("capabilities_and_control.first_error_pointer", 18),
        ("capabilities_and_control.ecrc_generation_capable", 1),
        ("capabilities_and_control.ecrc_generation_enable", 0),
        ("capabilities_and_control.ecrc_check_capable", 1),
    ] {
        assert_eq!(decoded.field(path), value, "{path}");
    }
    assert_eq!(decoded.raw("header_log[0].header"), Some(0x4a00_0001));
    assert_eq!(decoded.raw("header_log[3].header"), Some(7));
    assert_eq!(decoded.paths()[10..], COMPLETION);
    assert_eq!(decoded.capability.end, 0x12c);
}

/// The packet of [`BODY`].
const COMPLETION: [&str; 3] =
    ["header_log[0].packet", "header_log[1].completion", "header_log[2].completion_requester"];

#[test]
fn the_packet_of_the_first_error() {
    let decoded = Case::new(1).body(&BODY).decode();
    for (path, value) in [
        ("header_log[0].packet.fmt_and_type", 0x4a),
        ("header_log[0].packet.length", 1),
        ("header_log[1].completion.completer_id", 0x0400),
        ("header_log[1].completion.completion_status", 0),
        ("header_log[1].completion.byte_count", 4),
        ("header_log[2].completion_requester.lower_address", 0),
    ] {
        assert_eq!(decoded.field(path), value, "{path}");
    }
    let packet = logged(&decoded.capability).expect("First Error Pointer points to a bit that is set");
    assert_eq!((packet.error.short, packet.flit_mode), ("MalfTLP", Some(false)));
    assert_eq!(packet.header, [0x4a00_0001, 0x0400_0004, 0, 7]);
    assert!(packet.prefixes.is_empty());
}

/// Status and Capabilities and Control, with the same header log.
fn with_status(status: u32, control: u32) -> Decoded {
    let mut body = BODY;
    (body[0], body[5]) = (status, control);
    Case::new(1).body(&body).decode()
}

#[test]
fn a_log_that_belongs_to_no_error_is_left_alone() {
    for (status, control, why) in [
        (0, 18, "its error is cleared"),
        (1 << 20, 18, "another error is set"),
        (1 << 5, 5, "a surprise down has no packet"),
        (1 << 17, 17, "a receiver overflow has none"),
        (1 << 22, 22, "whether an internal error has one is not defined"),
        (1 << 14, 14, "the function cannot log the header of a timeout"),
        (1, 0, "bit 0 is no error"),
    ] {
        let decoded = with_status(status, control);
        assert_eq!(decoded.paths().len(), 6 + 4, "{why}");
        assert!(logged(&decoded.capability).is_none(), "{why}");
    }
    let errors = UncorrectableStatus::REGISTER.fields.iter().filter(|f| WITH_PACKET >> f.low & 1 == 1);
    for error in errors {
        let decoded = with_status(1 << error.low, error.low.into());
        assert_eq!(logged(&decoded.capability).map(|l| l.error.key), Some(error.key));
    }
    let timeout = with_status(1 << 14, 14 | 1 << 12);
    assert_eq!(logged(&timeout.capability).map(|l| l.error.short), Some("CmpltTO"));
}

/// An error without its packet: the bits that say whose it is are set, and nothing was recorded.
#[test]
fn a_log_of_zeros_is_no_packet() {
    let mut body = BODY;
    body[6..10].fill(0);
    let decoded = Case::new(1).body(&body).decode();
    assert!(!decoded.paths().iter().any(|path| path.contains(".packet")), "{:?}", decoded.paths());
    let packet = crate::inspect::packet::logged_packet(&decoded.capability).expect("the error is set");
    assert_eq!((packet.packet.is_none(), packet.text.as_str()), (true, crate::inspect::packet::ALL_ZEROS));
    assert_eq!(packet.header, ["0x00000000"; 4]);
}

/// A memory write with a steering tag, and a completion without data: what is reserved or replaced is not shown.
#[test]
fn doublewords_whose_layout_depends_on_the_first_one() {
    let mut body = BODY;
    body[6..10].copy_from_slice(&[0x4001_0001, 0x8200_1203, 0xe000_0002, 0]);
    let decoded = Case::new(1).body(&body).decode();
    assert_eq!(decoded.field("header_log[1].steered_write.steering_tag"), 0x12);
    assert_eq!(decoded.field("header_log[0].packet.length"), 1);
    body[6..8].copy_from_slice(&[0x0001_0001, 0x8200_1234]);
    let decoded = Case::new(1).body(&body).decode();
    assert_eq!(decoded.field("header_log[1].steered_request.steering_tag"), 0x34);
    assert_eq!(decoded.field("header_log[1].steered_request.tag"), 0x12);
    body[6..10].copy_from_slice(&[0x0a00_0000, 0x8200_2004, 0x00fb_2144, 0]);
    let decoded = Case::new(1).body(&body).decode();
    assert_eq!(decoded.field("header_log[0].packet_without_data.fmt_and_type"), 0x0a);
    assert!(!decoded.paths().iter().any(|path| path.ends_with("packet")));
}

#[test]
fn prefixes_by_type() {
    let mut body = BODY;
    body[5] |= 1 << 11;
    body[13..17].copy_from_slice(&[0x9207_0529, 0x9130_1234, 0x9000_0000 | 0xab << 16, 0]);
    let decoded = Case::new(1).body(&body).decode();
    for (path, value) in [
        ("tlp_prefix_log[0].ide.pr_sent_counter", 7),
        ("tlp_prefix_log[0].ide.stream_id", 5),
        ("tlp_prefix_log[0].ide.sub_stream", 2),
        ("tlp_prefix_log[0].ide.pcrc", 1),
        ("tlp_prefix_log[0].ide.mac", 0),
        ("tlp_prefix_log[0].ide.trusted", 1),
        ("tlp_prefix_log[1].pasid.pasid", 0x1234),
        ("tlp_prefix_log[1].pasid.execute_requested", 1),
        ("tlp_prefix_log[1].pasid.privileged_mode_requested", 1),
        ("tlp_prefix_log[2].extended_tph.steering_tag_upper", 0xab),
    ] {
        assert_eq!(decoded.field(path), value, "{path}");
    }
    assert_eq!(logged(&decoded.capability).map(|l| l.prefixes.len()), Some(3));
    assert_eq!(decoded.paths().len(), 10 + 4 + 3 + 3);
}

#[test]
fn root_ports_and_event_collectors_have_three_registers_more() {
    for port_type in [4, 10] {
        let decoded = Case::new(1).body(&BODY).port_type(port_type).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (1, 52));
        assert_eq!(decoded.field("root_error_command.fatal_error_reporting_enable"), 1);
        assert_eq!(decoded.field("root_error_status.err_fatal_nonfatal_received"), 1);
        assert_eq!(decoded.field("root_error_status.first_uncorrectable_fatal"), 1);
        assert_eq!(decoded.field("root_error_status.fatal_error_messages_received"), 1);
        assert_eq!(decoded.field("root_error_status.advanced_error_interrupt_message_number"), 30);
        let source = "error_source_identification.err_fatal_nonfatal_source_identification";
        assert_eq!(decoded.field(source), 0x0400);
    }
}

#[test]
fn the_prefix_log_is_read_where_there_is_one() {
    let mut body = BODY;
    body[5] |= 1 << 11;
    let decoded = Case::new(1).body(&body).decode();
    assert_eq!((decoded.reads, decoded.read_bytes), (2, 56));
    assert_eq!(decoded.raw("tlp_prefix_log[3].prefix"), Some(4));
    let decoded = Case::new(1).body(&body).next(0x140).decode();
    assert_eq!(decoded.paths().len(), 10 + 2 + 3, "it ends where the next capability begins");
    assert!(decoded.anomalies.is_empty());
    assert_eq!(Case::new(1).body(&body).next(0x138).decode().paths().len(), 10 + 3);
}

#[test]
fn a_flit_mode_header_goes_on_behind() {
    let mut body = BODY;
    body[5] |= 1 << 18 | 6 << 19;
    let decoded = Case::new(1).body(&body).decode();
    assert_eq!(decoded.raw("header_log[4].header"), Some(1));
    assert_eq!(decoded.raw("header_log[5].header"), Some(2));
    assert_eq!(decoded.paths()[6 + 6..], ["header_log[0].flit_packet"]);
    assert_eq!(decoded.field("header_log[0].flit_packet.flit_mode_type"), 0x4a);
    assert_eq!(logged(&decoded.capability).map(|l| (l.header.len(), l.flit_mode)), Some((6, Some(true))));
    body[5] |= 31 << 19;
    assert_eq!(Case::new(1).body(&body).decode().paths().len(), 6 + 14 + 1);
}

#[test]
fn truncated() {
    let decoded = Case::new(1).body(&BODY).limit(0x11c).decode();
    assert_eq!(decoded.raw("capabilities_and_control"), Some(0xb2));
    assert_eq!(decoded.raw("header_log[0].header"), None);
}
