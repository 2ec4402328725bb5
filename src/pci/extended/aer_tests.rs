use super::super::testing::Case;

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
    assert_eq!(decoded.paths().len(), 6 + 4);
    assert_eq!(decoded.capability.end, 0x12c);
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
    assert_eq!(decoded.paths().len(), 10 + 2, "it ends where the next capability begins");
    assert!(decoded.anomalies.is_empty());
    assert_eq!(Case::new(1).body(&body).next(0x138).decode().paths().len(), 10);
}

#[test]
fn a_flit_mode_header_goes_on_behind() {
    let mut body = BODY;
    body[5] |= 1 << 18 | 6 << 19;
    let decoded = Case::new(1).body(&body).decode();
    assert_eq!(decoded.raw("header_log[4].header"), Some(1));
    assert_eq!(decoded.raw("header_log[5].header"), Some(2));
    assert_eq!(decoded.paths().len(), 6 + 6);
    body[5] |= 31 << 19;
    assert_eq!(Case::new(1).body(&body).decode().paths().len(), 6 + 14);
}

#[test]
fn truncated() {
    let decoded = Case::new(1).body(&BODY).limit(0x11c).decode();
    assert_eq!(decoded.raw("capabilities_and_control"), Some(0xb2));
    assert_eq!(decoded.raw("header_log[0].header"), None);
}
