use super::super::testing::{decode, decode_in, placed, reads};
use super::interface::{FeatureCapability, HostFeatureCapability, MemoryLimitUpper};
use super::link::{
    LinkConfiguration1, LinkControl0, LinkControl1, LinkFrequencyCapability0, LinkFrequencyError0, RevisionId,
};
use super::other::{
    AddressMapping, DmaSecondaryBase, MsiMapping, MsiMappingAddressLow, RetryCount1, SwitchInfo,
};
use super::*;
use crate::pci::decode::Context;
use crate::pci::walk::Anomaly;

/// The HT2100 bridge of pciutils' test cap-MSI-mapping.
const SLAVE: [u8; 0x1c] = [
    0x08, 0x00, 0xa1, 0x00, 0x20, 0x00, 0x11, 0x11, 0x40, 0x00, 0x11, 0x77, 0x40, 0x05, 0x75, 0x00, 0x02,
    0x00, 0x75, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x0c, 0x05,
];

/// A block of which every byte is its own offset, with the given first register.
fn block(command: u16) -> [u8; 0x40] {
    let mut bytes = std::array::from_fn(|i| i as u8);
    bytes[..2].copy_from_slice(&[0x08, 0]);
    bytes[2..4].copy_from_slice(&command.to_le_bytes());
    bytes
}

/// lspci calls it: Command: BaseUnitID=1 UnitCnt=5 MastHost- DefDir- DUL-; Link Control 0: … Init+ EOC-; Link Control
/// 1: … Init- EOC+; Link Config 1: … LWI=N/C LWO=N/C; Revision ID: 2.00; Link Frequency 0: 800MHz; Feature Capability:
/// … LDTSTOP+.
#[test]
fn a_slave() {
    let (capability, anomalies) = decode(Context::default(), &SLAVE);
    assert!(anomalies.is_empty());
    let command: SlaveCommand = capability.get().unwrap();
    assert_eq!((command.base_unitid(), command.unit_count()), (1, 5));
    assert!(!command.master_host() && !command.default_direction() && !command.drop_on_uninitialized_link());
    let near: LinkControl0 = capability.get().unwrap();
    let far: LinkControl1 = capability.get().unwrap();
    assert!(near.initialization_complete() && !near.end_of_chain() && !near.link_failure());
    assert!(!far.initialization_complete() && far.end_of_chain());
    let widths: LinkConfiguration1 = capability.get().unwrap();
    assert_eq!((widths.maximum_link_width_in(), widths.link_width_in(), widths.link_width_out()), (1, 7, 7));
    assert_eq!(capability.get::<RevisionId>().map(|r| (r.major(), r.minor())), Some((2, 0)));
    assert_eq!(capability.get::<LinkFrequencyError0>().unwrap().link_frequency(), 5);
    assert_eq!(capability.get(), Some(LinkFrequencyCapability0(0x0075)));
    assert!(capability.get::<FeatureCapability>().unwrap().ldtstop());
    assert_eq!(capability.end, 0x5b);
    assert_eq!(placed(&capability).last(), Some(&("bus_number", 0x1a)));
    assert_eq!(reads(Context::default(), &SLAVE), [(0x04, 0x0c), (0x10, 0x0c)]);
}

#[test]
fn a_host() {
    let mut bytes = block(0x2001);
    bytes[8] = 0x25;
    let (capability, _) = decode(Context::default(), &bytes);
    assert!(capability.get::<HostCommand>().unwrap().warm_reset());
    assert_eq!(
        placed(&capability)[3..],
        [
            ("revision_id", 0x08),
            ("link_frequency_error_0", 0x09),
            ("link_frequency_capability_0", 0x0a),
            ("host_feature_capability", 0x0c),
            ("enumeration_scratchpad", 0x10),
            ("error_handling", 0x12),
            ("memory_base_upper", 0x14),
            ("memory_limit_upper", 0x15)
        ]
    );
    assert_eq!(capability.get(), Some(HostFeatureCapability(0x0d0c)));
    assert_eq!(capability.get(), Some(MemoryLimitUpper(0x15)));
    assert_eq!(reads(Context::default(), &bytes), [(0x04, 0x08), (0x0c, 0x0c)]);
}

#[test]
fn revisions_before_1_02_end_early() {
    let mut bytes = SLAVE;
    bytes[0x0c] = 0x21;
    let (capability, _) = decode(Context::default(), &bytes);
    assert_eq!(placed(&capability).last(), Some(&("revision_id", 0x0c)));
    let mut bytes = block(0x2000);
    bytes[8] = 0x17;
    assert_eq!(reads(Context::default(), &bytes), [(0x04, 0x08)]);
}

/// lspci calls it: HyperTransport: MSI Mapping Enable+ Fixed-; Mapping Address Base: 0000000ffee00000.
#[test]
fn msi_mapping() {
    let bytes = [0x08, 0, 0x01, 0xa8, 0x00, 0x00, 0xe0, 0xfe, 0x0f, 0, 0, 0];
    let (capability, _) = decode(Context::default(), &bytes);
    let mapping: MsiMapping = capability.get().unwrap();
    assert!(mapping.enable() && !mapping.fixed());
    assert_eq!(capability.get::<MsiMappingAddressLow>().unwrap().address(), 0xfee);
    assert_eq!(reads(Context::default(), &bytes), [(4, 8)]);
    let bytes = [0x08, 0, 0x03, 0xa8];
    let (capability, _) = decode(Context::default(), &bytes);
    assert_eq!((placed(&capability), capability.end), (vec![("msi_mapping", 2)], 0x44));
    assert!(reads(Context::default(), &bytes).is_empty(), "a fixed address has no registers");
}

#[test]
fn every_block_has_its_registers() {
    type Case = (u16, &'static [(&'static str, u16)], u16, &'static [(u16, usize)]);
    let cases: [Case; 11] = [
        (0x4000, &[("switch_command", 2), ("switch_partition_mask", 4), ("switch_info", 8)], 0x18, &[(4, 8)]),
        (0x8000, &[("interrupt_index", 2)], 0x08, &[]),
        (0x8825, &[("revision", 2)], 0x04, &[]),
        (0x9000, &[("block", 2), ("clumping_support", 4), ("clumping_enable", 8)], 0x0c, &[(4, 8)]),
        (0x9800, &[("block", 2), ("configuration_address", 4)], 0x0c, &[(4, 4)]),
        (0xa200, &[("address_mapping", 2), ("address_mapping_index", 4)], 0x10, &[(4, 4)]),
        (0xb000, &[("direct_route", 2), ("direct_route_enable", 4)], 0x0c, &[(4, 4)]),
        (
            0xb800,
            &[("block", 2), ("vc_sets", 4), ("stream_buckets", 8), ("non_flow_control_buckets", 0x0c)],
            0x0e,
            &[(4, 12)],
        ),
        (
            0xc000,
            &[
                ("block", 2),
                ("retry_control_0", 4),
                ("retry_status_0", 5),
                ("retry_control_1", 6),
                ("retry_status_1", 7),
                ("retry_count_0", 8),
                ("retry_count_1", 0x0a),
            ],
            0x0c,
            &[(4, 8)],
        ),
        (0xc800, &[("block", 2)], 0x04, &[]),
        (0xd000, &[("block", 2)], 0x04, &[]),
    ];
    for (command, registers, end, read) in cases {
        let (capability, anomalies) = decode(Context::default(), &block(command));
        assert_eq!(placed(&capability), registers, "{command:04x}");
        assert_eq!(capability.end, 0x40 + end, "{command:04x}");
        assert_eq!(reads(Context::default(), &block(command)), read, "{command:04x}");
        assert!(anomalies.is_empty());
    }
    let (capability, _) = decode(Context::default(), &block(0xc000));
    assert_eq!(capability.get(), Some(RetryCount1(0x0b0a)));
    assert_eq!(SwitchInfo(0x0004_0f25).performance_counter_index(), 0xf);
}

#[test]
fn dma_windows_stay_in_their_room() {
    let (capability, _) = decode(Context::default(), &block(0xa002));
    assert_eq!(capability.get::<AddressMapping>().unwrap().dma_mappings(), 2);
    assert_eq!(placed(&capability)[3], ("primary", 0x0c));
    assert_eq!(capability.registers[8].path(), "dma[1].secondary_base");
    assert_eq!(capability.get(), Some(DmaSecondaryBase(0x1312)));
    assert_eq!(capability.end, 0x5c);
    let mut space = vec![0; 256];
    space[0xe0..0xf0].copy_from_slice(&block(0xa00f)[..0x10]);
    let located = crate::pci::walk::Located { list: List::Standard, id: 8, offset: 0xe0, version: 0 };
    let mut space = crate::pci::space::ConfigSpace::from_bytes(&space);
    let (decoded, anomalies) = crate::pci::decode::capabilities(&mut space, Context::default(), &[located]);
    assert_eq!(decoded[0].registers.len(), 3 + 3 * 2, "two windows fit before the end");
    assert_eq!(
        anomalies,
        [Anomaly::PastEnd { list: List::Standard, offset: 0xe0, end: 0x164, limit: 0x100 }]
    );
}

#[test]
fn what_cannot_be_read_has_no_value() {
    let mut space = vec![0; 0x48];
    space[0x40..].copy_from_slice(&SLAVE[..8]);
    let (capability, _) = decode_in(Context::default(), &space);
    assert_eq!(capability.get(), Some(LinkControl0(0x20)));
    assert_eq!((capability.get::<RevisionId>(), capability.get::<FeatureCapability>()), (None, None));
    assert_eq!(capability.registers.len(), 16);
}
