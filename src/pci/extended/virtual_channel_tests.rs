use super::super::testing::Case;
use super::*;
use crate::pci::walk::Anomaly;

#[test]
fn one_channel_is_one_read() {
    let decoded = Case::new(0x02).body(&[0, 0, 0, 0, 0x8000_00ff, 0x0002_0000]).decode();
    assert_eq!((decoded.reads, decoded.read_bytes), (1, 24));
    assert_eq!(decoded.capability.path(), "virtual_channel");
    assert_eq!(decoded.field("vc[0].control.tc_vc_map"), 0xff);
    assert_eq!(decoded.field("vc[0].control.vc_enable"), 1);
    assert_eq!(decoded.field("vc[0].status.vc_negotiation_pending"), 1);
    assert_eq!(decoded.paths().len(), 4 + 3);
    assert_eq!(decoded.capability.end, 0x11c);
}

/// A switch port with two channels; the second arbitrates between ports by 128 phases of 2 bits at 40h, as in the
/// specification's own picture of such a table.
#[test]
fn a_port_arbitration_table() {
    let mut body = vec![0x0000_0401, 0, 0, 1, 0x8000_0001, 0, 0x047f_801a, 0x8108_00fe, 0x0001_0000];
    body.resize(15, 0);
    body.extend([0xe4e4_e4e4, 1, 2, 3, 4, 5, 6, 0x1b1b_1b1b]);
    let decoded = Case::new(0x09).body(&body).decode();
    assert_eq!((decoded.reads, decoded.read_bytes), (3, 24 + 12 + 32));
    assert_eq!(decoded.capability.path(), "virtual_channel_mfvc");
    for (path, value) in [
        ("port_vc_capability_1.extended_vc_count", 1),
        ("port_vc_capability_1.port_arbitration_table_entry_size", 1),
        ("vc[0].capability.port_arbitration_hardware_fixed", 1),
        ("vc[1].capability.port_arbitration_wrr_32", 1),
        ("vc[1].capability.port_arbitration_wrr_128", 1),
        ("vc[1].capability.port_arbitration_time_based_wrr_128", 1),
        ("vc[1].capability.reject_snoop_transactions", 1),
        ("vc[1].capability.maximum_time_slots", 0x7f),
        ("vc[1].capability.port_arbitration_table_offset", 4),
        ("vc[1].control.port_arbitration_select", 4),
        ("vc[1].control.vc_id", 1),
        ("vc[1].status.port_arbitration_table_status", 1),
        ("port_arbitration_table[64].port_phases.ports", 0xe4e4_e4e4),
        ("port_arbitration_table[71].port_phases.ports", 0x1b1b_1b1b),
    ] {
        assert_eq!(decoded.field(path), value, "{path}");
    }
    assert_eq!(decoded.paths().len(), 4 + 6 + 8);
    assert_eq!(decoded.capability.end, 0x160);
}

#[test]
fn the_vc_arbitration_table_is_read_if_it_is_in_use() {
    let body = |select: u32| [0x0000_0011, 0x0300_000f, select << 1];
    let unused = Case::new(0x02).body(&body(0)).decode();
    assert_eq!((unused.paths().len(), unused.read_bytes), (4 + 6, 36));
    let decoded = Case::new(0x02).body(&body(3)).decode();
    assert_eq!((decoded.paths().len(), decoded.read_bytes), (4 + 6 + 16, 36 + 64));
    assert_eq!(decoded.capability.end, 0x130 + 64);
    assert!(decoded.anomalies.is_empty());
}

#[test]
fn reserved_schemes_and_impossible_places_are_said() {
    let decoded = Case::new(0x02).body(&[0x0000_0011, 0x0300_000f, 4 << 1]).decode();
    assert_eq!(decoded.anomalies, [Anomaly::ReservedValue { offset: 0x108, raw: 0x0300_000f }]);
    let decoded = Case::new(0x02).body(&[0, 0, 0, 0x0100_0002, 0x8002_00ff]).decode();
    assert_eq!(decoded.anomalies, [Anomaly::ReservedValue { offset: 0x110, raw: 0x0100_0002 }]);
    let decoded = Case::new(0x02).body(&[0, 0, 0, 0x0200_0002, 0x800e_00ff]).decode();
    assert_eq!(decoded.anomalies, [Anomaly::ReservedValue { offset: 0x110, raw: 0x0200_0002 }]);
}

/// 256 phases of 8 bits do not fit before what comes next.
#[test]
fn a_table_ends_where_the_next_capability_begins() {
    let body = [0x0000_0c00, 0, 0, 0x0200_0020, 0x800a_00ff];
    let decoded = Case::new(0x02).body(&body).next(0x140).decode();
    assert_eq!(decoded.paths().len(), 4 + 3 + 8);
    assert_eq!(decoded.anomalies, [Anomaly::Overlap { first: 0x100, second: 0x140, first_end: 0x220 }]);
    let decoded = Case::new(0x02).body(&body).limit(0x200).decode();
    assert_eq!(decoded.paths().len(), 4 + 3 + 64);
    assert_eq!(decoded.raw("port_arbitration_table[63].port_phases"), None);
    assert_eq!(decoded.anomalies, [], "what could not be read is no fault of the capability");
}

#[test]
fn truncated() {
    let decoded = Case::new(0x02).body(&[7]).limit(0x120).decode();
    assert_eq!(decoded.raw("vc[0].status"), Some(0));
    assert_eq!(decoded.raw("vc[1].capability"), Some(0));
    assert_eq!(decoded.raw("vc[1].control"), None);
    assert_eq!(decoded.paths().len(), 4 + 8 * 3);
}

#[test]
fn entries_of_every_scheme() {
    let length =
        |select, entry_bits| Table { offset: 3, select, schemes: RESOURCE_SCHEMES, entry_bits }.length();
    assert_eq!([1, 2, 3, 4, 5].map(|select| length(select, 1)), [4, 8, 16, 16, 32].map(Some));
    assert_eq!((length(0, 8), length(5, 8), length(6, 8)), (Some(0), Some(256), None));
    assert_eq!(Table { offset: 0, select: 1, schemes: VC_SCHEMES, entry_bits: 4 }.length(), Some(0));
}
