use super::super::tests::{assert_fields, cxl, wrong_length};
use super::*;
use crate::pci::register::RegisterType;

/// A memory device with one range of 6 GB at 12 GB.
const BODY: [u32; 13] = [
    0xdad6_0000,
    0x4000_4302,
    0x8002_0018,
    0x0402_0001,
    0x0000_0001,
    0x8000_224b,
    0x0000_0003,
    0x0000_0000,
    0x0000_0000,
    0x0000_0000,
    0x0000_0000,
    0xf000_0000,
    0x0000_0019,
];

#[test]
fn a_memory_device_of_revision_2() {
    let decoded = cxl(0, 2, 0x3c, &BODY).decode();
    assert_eq!((decoded.reads, decoded.read_bytes), (2, 8 + 48));
    assert_fields(
        &decoded,
        &[
            ("cxl_capability.cache_capable", 0),
            ("cxl_capability.io_capable", 1),
            ("cxl_capability.mem_capable", 1),
            ("cxl_capability.mem_hwinit_mode", 0),
            ("cxl_capability.hdm_count", 1),
            ("cxl_capability.cache_writeback_and_invalidate_capable", 1),
            ("cxl_capability.cxl_reset_capable", 1),
            ("cxl_capability.cxl_reset_timeout", 2),
            ("cxl_capability.cxl_reset_mem_clr_capable", 1),
            ("cxl_capability.tsp_capable", 1),
            ("cxl_capability.multiple_logical_device", 0),
            ("cxl_capability.viral_capable", 1),
            ("cxl_capability.pm_init_completion_reporting_capable", 1),
            ("cxl_control.cache_enable", 0),
            ("cxl_control.io_enable", 1),
            ("cxl_control.cache_sf_coverage", 0),
            ("cxl_control.cache_sf_granularity", 3),
            ("cxl_control.viral_enable", 1),
            ("cxl_status.viral_status", 1),
            ("cxl_control_2.disable_caching", 0),
            ("cxl_control_2.cxl_reset_mem_clr_enable", 1),
            ("cxl_control_2.desired_volatile_hdm_state_after_hot_reset", 1),
            ("cxl_status_2.cxl_reset_complete", 1),
            ("cxl_status_2.power_management_initialization_complete", 1),
            ("cxl_lock.config_lock", 1),
            ("cxl_capability_2.cache_size_unit", 2),
            ("cxl_capability_2.cache_size", 4),
            ("cxl_range[0].size_low.memory_info_valid", 1),
            ("cxl_range[0].size_low.memory_active", 1),
            ("cxl_range[0].size_low.media_type", 2),
            ("cxl_range[0].size_low.memory_class", 2),
            ("cxl_range[0].size_low.desired_interleave", 2),
            ("cxl_range[0].size_low.memory_active_timeout", 1),
            ("cxl_range[1].size_low.memory_info_valid", 0),
            ("cxl_range[1].base_low.memory_base_low", 0xf),
            ("cxl_capability_3.default_volatile_hdm_state_after_cold_reset", 1),
            ("cxl_capability_3.default_volatile_hdm_state_after_warm_reset", 0),
            ("cxl_capability_3.default_volatile_hdm_state_after_hot_reset", 0),
            ("cxl_capability_3.volatile_hdm_state_after_hot_reset_configurability", 1),
            ("cxl_capability_3.direct_p2p_mem_capable", 1),
        ],
    );
    let (high, low) = (RangeSizeHigh(1), decoded.capability.get::<RangeSizeLow>().unwrap());
    assert_eq!(range_size(high, low), 6 << 30);
    let (high, low) = (decoded.capability.get::<RangeBaseHigh>().unwrap(), RangeBaseLow(0));
    assert_eq!(range_base(high, low), 12 << 30);
    assert_eq!(decoded.capability.get::<Capability2>().unwrap().cache_bytes(), Some(4 << 20));
    assert!(decoded.anomalies.is_empty());
}

/// The flags are bits 0 to 4; lspci takes the numbers of the bits for masks.
#[test]
fn each_bit_of_control_2_and_capability_3_is_one_field() {
    for bit in 0..6 {
        let set = |register: &crate::pci::register::Register| {
            register.fields.iter().filter(|f| f.extract(1 << bit) == 1).map(|f| f.low).collect::<Vec<_>>()
        };
        assert_eq!(set(Control2::REGISTER), [bit]);
        assert_eq!(set(Capability3::REGISTER), if bit < 5 { vec![bit] } else { vec![] });
    }
    let mut body = BODY;
    (body[2], body[12]) = (1, 1);
    let decoded = cxl(0, 2, 0x3c, &body).decode();
    assert_fields(
        &decoded,
        &[
            ("cxl_control_2.disable_caching", 1),
            ("cxl_control_2.initiate_cxl_reset", 0),
            ("cxl_control_2.desired_volatile_hdm_state_after_hot_reset", 0),
            ("cxl_capability_3.default_volatile_hdm_state_after_cold_reset", 1),
            ("cxl_capability_3.default_volatile_hdm_state_after_hot_reset", 0),
        ],
    );
}

#[test]
fn encodings_that_do_not_exist_have_no_value() {
    let mut body = BODY;
    body[5] = 0xffff;
    let decoded = cxl(0, 1, 0x38, &body).decode();
    assert_fields(
        &decoded,
        &[
            ("cxl_range[0].size_low.media_type", 7),
            ("cxl_range[0].size_low.memory_class", 7),
            ("cxl_range[0].size_low.desired_interleave", 31),
            ("cxl_range[0].size_low.memory_active_timeout", 7),
        ],
    );
    assert_eq!(memory_timeout(7), Quantity::Nanoseconds(None));
    assert_eq!(memory_timeout(4), Quantity::Nanoseconds(Some(256_000_000_000)));
    assert_eq!(reset_timeout(0), Quantity::Nanoseconds(Some(10_000_000)));
    assert_eq!(reset_timeout(5), Quantity::Nanoseconds(None));
    assert_eq!(snoop_filter_coverage(0), Quantity::Bytes(Some(0)));
    assert_eq!(snoop_filter_coverage(5), Quantity::Bytes(Some(1 << 20)));
    assert_eq!(snoop_filter_coverage(31), Quantity::Bytes(Some(1 << 46)));
    assert_eq!(snoop_filter_granularity(6), Quantity::Bytes(Some(4096)));
    assert_eq!(snoop_filter_granularity(7), Quantity::Bytes(None));
    assert_eq!(Capability2(0xff03).cache_bytes(), None);
    assert_eq!(Capability2(0xff01).cache_bytes(), Some(255 << 16));
}

/// Revision 0 is CXL 1.1, which reserves what came later.
#[test]
fn each_revision_has_its_registers() {
    let count = |revision, length| cxl(0, revision, length, &BODY).decode().paths().len() - 2;
    assert_eq!(count(0, 0x38), 4 + 8);
    assert_eq!(count(1, 0x38), 7 + 8);
    assert_eq!(count(2, 0x3c), 8 + 8);
    assert_eq!(count(3, 0x3c), 8 + 8);
    assert_eq!(count(15, 0x3c), 8 + 8);
    let decoded = cxl(0, 0, 0x38, &BODY).decode();
    assert_fields(&decoded, &[("cxl_capability.mem_capable", 1), ("cxl_range[0].size_low.media_type", 2)]);
    assert!(decoded.anomalies.is_empty());
}

#[test]
fn short_lengths_and_truncation() {
    let decoded = cxl(0, 2, 0x38, &BODY).decode();
    assert_eq!(decoded.anomalies, wrong_length(2, 0x38));
    assert_eq!(decoded.paths().len(), 2 + 7 + 8);
    let decoded = cxl(0, 1, 0x0d, &BODY).decode();
    assert_eq!(decoded.paths()[2..], ["cxl_capability"], "the control register would need another byte");
    let decoded = cxl(0, 2, 0x3c, &BODY).limit(0x120).decode();
    assert_eq!(decoded.raw("cxl_range[0].size_low"), Some(0x8000_224b));
    assert_eq!(decoded.raw("cxl_range[0].base_high"), None);
}
