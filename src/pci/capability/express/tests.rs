use super::super::testing::{decode, decode_in, placed, reads};
use super::*;
use crate::pci::decode::{Capability, Context};
use crate::pci::register::Quantity;

/// The capability with the given Capabilities register; every other byte is its own offset.
fn bytes(capabilities: u16) -> [u8; 0x3c] {
    let mut bytes: [u8; 0x3c] = std::array::from_fn(|i| i as u8);
    (bytes[0], bytes[1]) = (0x10, 0);
    bytes[2..4].copy_from_slice(&capabilities.to_le_bytes());
    bytes
}

/// The capability with registers of 16 or 32 bits put at their offsets.
fn with(capabilities: u16, registers: &[(usize, u32)]) -> Capability {
    let mut bytes = bytes(capabilities);
    bytes[4..].fill(0);
    for (offset, value) in registers {
        let width = (0x3c - offset).min(4);
        let present =
            u32::from_le_bytes(std::array::from_fn(|i| bytes.get(offset + i).copied().unwrap_or(0)));
        bytes[*offset..offset + width].copy_from_slice(&(value | present).to_le_bytes()[..width]);
    }
    decode(Context::default(), &bytes).0
}

const DEVICE: [(&str, u16); 3] =
    [("device_capabilities", 0x04), ("device_control", 0x08), ("device_status", 0x0a)];
const LINK: [(&str, u16); 3] = [("link_capabilities", 0x0c), ("link_control", 0x10), ("link_status", 0x12)];
const SLOT: [(&str, u16); 3] = [("slot_capabilities", 0x14), ("slot_control", 0x18), ("slot_status", 0x1a)];
const ROOT: [(&str, u16); 3] = [("root_control", 0x1c), ("root_capabilities", 0x1e), ("root_status", 0x20)];
const DEVICE2: [(&str, u16); 3] =
    [("device_capabilities_2", 0x24), ("device_control_2", 0x28), ("device_status_2", 0x2a)];
const LINK2: [(&str, u16); 3] =
    [("link_capabilities_2", 0x2c), ("link_control_2", 0x30), ("link_status_2", 0x32)];
const SLOT2: [(&str, u16); 3] =
    [("slot_capabilities_2", 0x34), ("slot_control_2", 0x38), ("slot_status_2", 0x3a)];

#[test]
fn groups_follow_from_version_and_port_type() {
    /// Groups, and what is read of them as (offset, length).
    type Case<'a> = (u16, &'a [[(&'a str, u16); 3]], &'a [(u16, usize)]);
    let cases: &[Case<'_>] = &[
        // Version 1.
        (0x0001, &[DEVICE, LINK], &[(0x04, 16)]),
        (0x0011, &[DEVICE, LINK], &[(0x04, 16)]),
        (0x0041, &[DEVICE, LINK, ROOT], &[(0x04, 16), (0x1c, 8)]),
        (0x0141, &[DEVICE, LINK, SLOT, ROOT], &[(0x04, 32)]),
        (0x0061, &[DEVICE, LINK], &[(0x04, 16)]),
        (0x0161, &[DEVICE, LINK, SLOT], &[(0x04, 24)]),
        (0x0091, &[DEVICE], &[(0x04, 8)]),
        (0x00a1, &[DEVICE, ROOT], &[(0x04, 8), (0x1c, 8)]),
        // Version 2. An endpoint that claims a slot has none.
        (0x0002, &[DEVICE, LINK, DEVICE2, LINK2], &[(0x04, 16), (0x24, 16)]),
        (0x0102, &[DEVICE, LINK, DEVICE2, LINK2], &[(0x04, 16), (0x24, 16)]),
        (0x0042, &[DEVICE, LINK, ROOT, DEVICE2, LINK2], &[(0x04, 16), (0x1c, 24)]),
        (0x0142, &[DEVICE, LINK, SLOT, ROOT, DEVICE2, LINK2, SLOT2], &[(0x04, 56)]),
        (0x0052, &[DEVICE, LINK, DEVICE2, LINK2], &[(0x04, 16), (0x24, 16)]),
        (0x0162, &[DEVICE, LINK, SLOT, DEVICE2, LINK2, SLOT2], &[(0x04, 24), (0x24, 24)]),
        (0x0072, &[DEVICE, LINK, DEVICE2, LINK2], &[(0x04, 16), (0x24, 16)]),
        (0x0182, &[DEVICE, LINK, SLOT, DEVICE2, LINK2, SLOT2], &[(0x04, 24), (0x24, 24)]),
        (0x0092, &[DEVICE, DEVICE2], &[(0x04, 8), (0x24, 8)]),
        (0x00a2, &[DEVICE, ROOT, DEVICE2], &[(0x04, 8), (0x1c, 16)]),
    ];
    for (register, groups, read) in cases {
        let (capability, anomalies) = decode(Context::default(), &bytes(*register));
        let expected: Vec<_> = [("capabilities", 2)].into_iter().chain(groups.concat()).collect();
        assert_eq!(placed(&capability), expected, "{register:04x}");
        assert!(anomalies.is_empty() && capability.registers.iter().all(|p| p.raw.is_some()));
        assert_eq!(reads(Context::default(), &bytes(*register)), *read, "{register:04x}");
    }
}

#[test]
fn a_reserved_port_type_is_named_and_its_link_not_touched() {
    let (capability, anomalies) = decode(Context::default(), &bytes(0x01f2));
    assert_eq!(anomalies, [Anomaly::ReservedValue { offset: 0x42, raw: 0x01f2 }]);
    assert_eq!(placed(&capability)[1..], [DEVICE, DEVICE2].concat());
}

#[test]
fn values_come_from_their_offsets() {
    let (capability, _) = decode(Context::default(), &bytes(0x0142));
    for placed in &capability.registers[1..] {
        let offset = u64::from(placed.offset - 0x40);
        let bytes = (0..u64::from(placed.register.width)).fold(0, |v, i| v | (offset + i) << (8 * i));
        assert_eq!(placed.raw, Some(bytes), "{}", placed.register.key);
    }
    assert_eq!(capability.end, 0x40 + 0x3c);
}

#[test]
fn device_registers() {
    let capability = with(0x0002, &[(0x04, 0x112c_8fa2), (0x08, 0x0035_2936)]);
    let dc: DeviceCapabilities = capability.get().unwrap();
    assert_eq!((dc.max_payload_size_supported(), dc.phantom_functions_supported()), (2, 0));
    assert_eq!((dc.endpoint_l0s_acceptable_latency(), dc.endpoint_l1_acceptable_latency()), (6, 7));
    assert!(dc.extended_tag_field_supported() && dc.role_based_error_reporting());
    assert!(dc.function_level_reset_capability() && !dc.rx_mps_fixed() && !dc.err_cor_subclass_capable());
    assert_eq!(dc.captured_slot_power_limit_milliwatts(), Some(75_000));
    let control: DeviceControl = capability.get().unwrap();
    assert!(!control.correctable_error_reporting_enable() && control.non_fatal_error_reporting_enable());
    assert!(control.enable_relaxed_ordering() && control.enable_no_snoop());
    assert_eq!((control.max_payload_size(), control.max_read_request_size()), (1, 2));
    let status: DeviceStatus = capability.get().unwrap();
    assert!(status.correctable_error_detected() && status.fatal_error_detected());
    assert!(!status.non_fatal_error_detected() && !status.unsupported_request_detected());
    assert!(status.aux_power_detected() && status.transactions_pending());
}

#[test]
fn link_registers() {
    let capability =
        with(0x0042, &[(0x0c, 0x0273_dd05), (0x10, 0x7103_0c42), (0x2c, 0x8180_003e), (0x30, 0x041f_0005)]);
    let lc: LinkCapabilities = capability.get().unwrap();
    assert_eq!((lc.max_link_speed(), lc.maximum_link_width(), lc.port_number()), (5, 16, 2));
    assert_eq!((lc.aspm_support(), lc.l0s_exit_latency(), lc.l1_exit_latency()), (3, 5, 7));
    assert!(
        lc.link_bandwidth_notification_capability() && lc.data_link_layer_link_active_reporting_capable()
    );
    assert!(lc.aspm_optionality_compliance() && !lc.clock_power_management());
    let control: LinkControl = capability.get().unwrap();
    assert_eq!(control.aspm_control(), 2);
    assert!(control.common_clock_configuration() && control.link_bandwidth_management_interrupt_enable());
    let status: LinkStatus = capability.get().unwrap();
    assert_eq!((status.current_link_speed(), status.negotiated_link_width()), (3, 16));
    assert!(status.slot_clock_configuration() && status.data_link_layer_link_active());
    assert!(status.link_bandwidth_management_status() && !status.link_autonomous_bandwidth_status());
    assert!(!status.link_training());
    let two: LinkCapabilities2 = capability.get().unwrap();
    assert_eq!(two.supported_link_speeds_vector(), 0x1f);
    assert!(two.drs_supported() && two.retimer_presence_detect_supported());
    assert!(two.two_retimers_presence_detect_supported() && !two.crosslink_supported());
    assert_eq!(capability.get::<LinkControl2>().unwrap().target_link_speed(), 5);
    let status: LinkStatus2 = capability.get().unwrap();
    assert!(status.equalization_8gts_complete() && status.flit_mode_status());
    assert!(!status.link_equalization_request_8gts());
}

#[test]
fn slot_and_root_registers() {
    let capability = with(0x0142, &[(0x14, 0x00a4_2580), (0x18, 0x0148_05f1), (0x1c, 0x0001_0018)]);
    let slot: SlotCapabilities = capability.get().unwrap();
    assert_eq!((slot.physical_slot_number(), slot.slot_power_limit_milliwatts()), (20, Some(75_000)));
    assert!(slot.no_command_completed_support() && !slot.hot_plug_capable());
    let control: SlotControl = capability.get().unwrap();
    assert_eq!((control.attention_indicator_control(), control.power_indicator_control()), (3, 1));
    assert!(control.attention_button_pressed_enable() && control.power_controller_control());
    let status: SlotStatus = capability.get().unwrap();
    assert!(status.presence_detect_state() && status.presence_detect_changed());
    assert!(status.data_link_layer_state_changed() && !status.power_fault_detected());
    let control: RootControl = capability.get().unwrap();
    assert!(control.pme_interrupt_enable() && control.configuration_rrs_software_visibility_enable());
    assert!(capability.get::<RootCapabilities>().unwrap().configuration_rrs_software_visibility());
}

#[test]
fn power_limits() {
    assert_eq!(power_limit(75, 0), Some(75_000));
    assert_eq!(power_limit(250, 1), Some(25_000));
    assert_eq!(power_limit(0xff, 2), Some(2550));
    assert_eq!(power_limit(3, 3), Some(3));
    assert_eq!((power_limit(0xef, 0), power_limit(0xf0, 0)), (Some(239_000), Some(250_000)));
    assert_eq!((power_limit(0xfe, 0), power_limit(0xff, 0)), (Some(600_000), None));
}

#[test]
fn latencies_and_speeds() {
    let meaning = |register: &crate::pci::register::Register, key: &str, raw| match register
        .field(key)
        .unwrap()
        .meaning
    {
        Meaning::Quantity(quantity) => quantity(raw),
        _ => panic!("{key} is no quantity"),
    };
    let device = |key, raw| meaning(DeviceCapabilities::REGISTER, key, raw);
    assert_eq!(device("endpoint_l0s_acceptable_latency", 3), Quantity::LessThanNanoseconds(512));
    assert_eq!(device("endpoint_l1_acceptable_latency", 7), Quantity::NoLimit);
    let link = |key, raw| meaning(LinkCapabilities::REGISTER, key, raw);
    assert_eq!(link("l1_exit_latency", 4), Quantity::LessThanNanoseconds(16_000));
    assert_eq!(link("l1_exit_latency", 7), Quantity::MoreThanNanoseconds(64_000));
    let target = |raw| meaning(LinkControl2::REGISTER, "target_link_speed", raw);
    assert_eq!((target(0), target(5)), (Quantity::Speed(Some(2500)), Quantity::Speed(Some(32000))));
    assert_eq!(target(9), Quantity::Speed(None));
}

#[test]
fn the_port_type_reaches_other_capabilities() {
    let mut space = vec![0; 256];
    space[0x40..0x7c].copy_from_slice(&bytes(0x00a2));
    let located = Located { list: List::Standard, id: 0x10, offset: 0x40, version: 0 };
    let space = ConfigSpace::from_bytes(&space);
    assert_eq!(port_type(&space, &[located]), Some(10));
    assert_eq!(port_type(&space, &[]), None);
    assert_eq!(port_type(&ConfigSpace::new(256), &[located]), None);
}

#[test]
fn port_types() {
    let known: Vec<_> = (0..=255).filter_map(PortType::from_raw).collect();
    assert_eq!(known.len(), 9);
    assert!(known.iter().all(|p| PortType::from_raw(*p as u8) == Some(*p)));
    let count = |test: fn(PortType) -> bool| known.iter().filter(|p| test(**p)).count();
    assert_eq!(count(PortType::has_link), 7);
    assert_eq!(count(PortType::is_downstream_facing) + count(PortType::is_upstream_facing), 7);
    assert_eq!((count(PortType::is_endpoint), count(PortType::has_root_registers)), (3, 2));
}

#[test]
fn what_cannot_be_read_has_no_value() {
    let mut space = vec![0; 0x54];
    space[0x40..].copy_from_slice(&bytes(0x0142)[..0x14]);
    let (capability, _) = decode_in(Context::default(), &space);
    assert_eq!(capability.get(), Some(LinkStatus(0x1312)));
    assert_eq!(capability.get::<SlotCapabilities>(), None);
    assert_eq!(capability.registers.len(), 22);
    assert!(capability.registers[7..].iter().all(|p| p.raw.is_none()));
}

#[test]
fn flit_mode_is_known_while_the_link_is_up() {
    for (capabilities, link, link2, expected) in [
        (0x0042, 0x2000, 0, Some(false)),
        (0x8042, 0x2000, 0x0400, Some(true)),
        (0x8042, 0x2000, 0, Some(false)),
        (0x8042, 0, 0, None),
        (0x0042, 0, 0, Some(false)),
    ] {
        let mut space = vec![0; 256];
        space[0x40..0x40 + 0x3c].copy_from_slice(&bytes(capabilities));
        space[0x52..0x54].copy_from_slice(&u16::to_le_bytes(link));
        space[0x72..0x74].copy_from_slice(&u16::to_le_bytes(link2));
        let located = Located { list: List::Standard, id: 0x10, offset: 0x40, version: 0 };
        assert_eq!(flit_mode(&ConfigSpace::from_bytes(&space), &[located]), expected, "{capabilities:x}");
        assert_eq!(
            flit_mode(&ConfigSpace::from_bytes(&space[..0x44]), &[located]).is_some(),
            capabilities == 0x0042
        );
        assert_eq!(flit_mode(&ConfigSpace::from_bytes(&space), &[]), None);
    }
}
