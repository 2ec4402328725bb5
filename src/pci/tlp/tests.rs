//! Headers worked out by hand from the pictures in PCIe 6.2, 2.2, and headers that kernels and lspci printed.

use super::registers::header_log as log;
use super::*;
use crate::pci::register::{Quantity, RegisterType};

/// Header, type, requester, tag, length.
fn assert_head(header: [u32; 4], fmt_and_type: u32, id: u16, tag: u16, length: Option<u16>) -> Body {
    let packet = parse(&header).unwrap();
    assert_eq!(packet.first.fmt_and_type(), fmt_and_type);
    assert_eq!((packet.request, packet.length()), (Requester { id, tag: Some(tag) }, length));
    packet.body
}

fn address(address: u64, first: u8, last: u8) -> Body {
    Body::Address {
        address,
        first_byte_enables: Some(first),
        last_byte_enables: Some(last),
        steering_tag: None,
    }
}

/// A kernel printed this for `UnsupReq` of a port above a Thunderbolt dock, whose owner knew it to be a PTM Request.
#[test]
fn a_message_that_a_kernel_printed() {
    let body = assert_head([0x3400_0000, 0x0800_0052, 0, 0], 0x34, 0x0800, 0, None);
    assert_eq!(body, Body::Message { code: 0x52, routing: 4, target: None, vendor: None });
}

#[test]
fn memory_writes_that_a_kernel_printed() {
    let body = assert_head([0x4000_0004, 0x0a00_00ff, 0xfffc_0e80, 0], 0x40, 0x0a00, 0, Some(4));
    assert_eq!(body, address(0xfffc_0e80, 15, 15));
    let body = assert_head([0x6000_0001, 0x0100_000f, 0xff, 0xffff_e000], 0x60, 0x0100, 0, Some(1));
    assert_eq!(body, address(0xff_ffff_e000, 15, 0));
}

/// Out of dumps: reads of the capabilities pointer and of the vendor ID of functions that are not there.
#[test]
fn configuration_reads_in_header_logs() {
    let body = assert_head([0x0400_0001, 0x0000_1f01, 0x0201_0034, 0], 4, 0, 0x1f, Some(1));
    assert_eq!(body, Body::Configuration { target: 0x0201, register: 0x34, byte_enables: 1 });
    let body = assert_head([0x0400_0001, 0x0020_0a03, 0x0501_0000, 0x0005_0100], 4, 0x0020, 0x0a, Some(1));
    assert_eq!(body, Body::Configuration { target: 0x0501, register: 0, byte_enables: 3 });
}

#[test]
fn completions() {
    let body = assert_head([0x4a00_0001, 0x0400_0004, 0, 7], 0x4a, 0, 0, Some(1));
    let answered = Body::Completion { completer: 0x0400, status: 0, byte_count: 4, lower_address: 0 };
    assert_eq!(body, answered);
    // Unsupported Request for tag 0x21 of 00:1f.3; Byte Count 0 is 4096.
    let body = assert_head([0x0a00_0000, 0x8200_2000, 0x00fb_2144, 0], 0x0a, 0x00fb, 0x21, None);
    let refused = Body::Completion { completer: 0x8200, status: 1, byte_count: 4096, lower_address: 0x44 };
    assert_eq!(body, refused);
}

/// MRd64 from 82:00.0 with the 10-bit tag 2A5h, 1024 doublewords, TC 3, IDO and no snoop, translated address.
#[test]
fn a_memory_read_with_everything() {
    let header = [0x20b4_1800, 0x8200_a5ff, 0x0000_0380, 0x0000_1000];
    let body = assert_head(header, 0x20, 0x8200, 0x2a5, Some(1024));
    assert_eq!(body, address(0x380_0000_1000, 15, 15));
    let first = log::Packet(header[0]);
    assert_eq!((first.traffic_class(), first.address_type()), (3, 2));
    assert!(first.id_based_ordering() && first.no_snoop() && !first.relaxed_ordering());
    assert!(first.tag_9() && !first.tag_8() && !first.tlp_digest() && !first.error_poisoned());
}

/// With a steering tag a read has no byte enables, and a write has no tag.
#[test]
fn steering_tags_take_the_place_of_other_fields() {
    let without = |address, steering_tag| Body::Address {
        address,
        first_byte_enables: None,
        last_byte_enables: None,
        steering_tag,
    };
    let body = assert_head([0x0001_0001, 0x8200_1234, 0xe000_0002, 0], 0, 0x8200, 0x12, Some(1));
    assert_eq!(body, without(0xe000_0000, Some(0x34)));
    let write = parse(&[0x4001_0001, 0x8200_1203, 0xe000_0002, 0]).unwrap();
    assert_eq!((write.request, write.length()), (Requester { id: 0x8200, tag: None }, Some(1)));
    let (first_byte_enables, last_byte_enables) = (Some(3), Some(0));
    let steering_tag = Some(0x12);
    let steered = Body::Address { address: 0xe000_0000, first_byte_enables, last_byte_enables, steering_tag };
    assert_eq!(write.body, steered);
    // FetchAdd64 never has byte enables, but where they would be its steering tag is.
    let body = assert_head([0x6c00_0002, 0x8200_0700, 1, 0x10], 0x6c, 0x8200, 7, Some(2));
    assert_eq!(body, without(0x1_0000_0010, None));
    let body = assert_head([0x6c01_0002, 0x8200_0799, 1, 0x10], 0x6c, 0x8200, 7, Some(2));
    assert_eq!(body, without(0x1_0000_0010, Some(0x99)));
    // TH is reserved outside of memory requests.
    assert_head([0x0401_0001, 0x0000_1f01, 0x0201_0034, 0], 4, 0, 0x1f, Some(1));
}

#[test]
fn messages() {
    // Vendor_Defined Type 1 by ID, for 03:00.0, of the PCI-SIG.
    let body = assert_head([0x7200_0002, 0x8200_007f, 0x0300_0001, 9], 0x72, 0x8200, 0, Some(2));
    assert_eq!(body, Body::Message { code: 0x7f, routing: 2, target: Some(0x0300), vendor: Some(1) });
    // LTR: 71 times 32.768 µs for snoop, 3 times 1.048576 ms for no snoop.
    let latency = log::LatencyTolerance(0x9003_8c47);
    assert!(latency.no_snoop_requirement() && latency.snoop_requirement());
    let shown = |key: &str| {
        let field = log::LatencyTolerance::REGISTER.field(key).unwrap();
        let crate::pci::register::Meaning::Quantity(quantity) = field.meaning else { panic!("{key}") };
        quantity(field.extract(latency.0.into()))
    };
    assert_eq!(shown("snoop_latency"), Quantity::Nanoseconds(Some(71 * 32_768)));
    assert_eq!(shown("no_snoop_latency"), Quantity::Nanoseconds(Some(3 * 1_048_576)));
}

#[test]
fn what_is_no_packet_is_none() {
    for first in [u32::MAX, 0xa000_0000, 0x3600_0000, 0x9100_0001, 0x0300_0001, 0x1b00_0001] {
        assert_eq!(parse(&[first, 0, 0, 0]), None, "{first:#x}");
    }
    assert_eq!(parse(&[]), None);
    assert_eq!(parse(&[0; 4]), None, "no packet was recorded");
    assert_eq!(parse(&[0x2000_0001, 0, 0]), None, "the lower half of the address is missing");
}

proptest::proptest! {
    /// Every type that has a layout has a name, and no header panics.
    #[test]
    fn any_header_parses_or_not(header in proptest::array::uniform4(proptest::num::u32::ANY)) {
        let known = names::kind(header[0].to_be_bytes()[0]).is_some() && is_packet(&header);
        assert_eq!(parse(&header).is_some(), known);
        let name = names::word(names::FMT_AND_TYPE, (header[0] >> 24).into());
        assert!(!known || name.is_some());
    }
}
