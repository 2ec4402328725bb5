use super::super::testing::{decode, decode_in, placed, reads};
use super::*;
use crate::pci::decode::Context;

const BRIDGE: Context = Context {
    header_layout: 1,
    vendor_id: 0,
    device_id: 0,
    class: 0x06_0400,
    port_type: None,
    link_width: None,
    flit_mode: None,
};

fn bytes(first: u16, status: u32) -> Vec<u8> {
    let mut bytes = vec![0x07, 0];
    bytes.extend(first.to_le_bytes());
    bytes.extend(status.to_le_bytes());
    bytes.extend(0x08..0x20);
    bytes
}

/// lspci calls it: Command: DPERE+ ERO+ RBC=4096 OST=32; Status: Dev=03:04.2 64bit+ 133MHz+ SCD- USC+ DC=bridge
/// DMMRBC=1024 DMOST=8 DMCRS=32 RSCEM+ 266MHz- 533MHz+.
#[test]
fn a_device() {
    let device = bytes(0x007f, 0xaa3b_0322);
    let (capability, anomalies) = decode(Context::default(), &device);
    assert!(anomalies.is_empty());
    assert_eq!(placed(&capability), [("command", 2), ("status", 4)]);
    let command: Command = capability.get().unwrap();
    assert!(command.data_error_recovery_enable() && command.relaxed_ordering_enable());
    assert_eq!(read_byte_count(command.maximum_memory_read_byte_count().into()), Quantity::Bytes(Some(4096)));
    assert_eq!(
        split_transactions(command.maximum_outstanding_split_transactions().into()),
        Quantity::Count(32)
    );
    let status: Status = capability.get().unwrap();
    assert_eq!((status.bus_number(), status.device_number(), status.function_number()), (3, 4, 2));
    assert!(status.device_64bit() && status.capable_133mhz() && status.unexpected_split_completion());
    assert!(!status.split_completion_discarded() && status.received_split_completion_error_message());
    assert_eq!(status.designed_maximum_memory_read_byte_count(), 1);
    assert_eq!(status.designed_maximum_outstanding_split_transactions(), 4);
    assert_eq!(
        cumulative_size(status.designed_maximum_cumulative_read_size().into()),
        Quantity::Bytes(Some(4096)),
        "32 times 128 bytes"
    );
    assert_eq!(reads(Context::default(), &device), [(4, 4)]);
}

/// lspci calls it: Secondary Status: 64bit- 133MHz+ SCD- USC- SCO- SRD+ Freq=133MHz; Upstream: Capacity=2312
/// CommitmentLimit=2826.
#[test]
fn a_bridge() {
    let bridge = bytes(0x00e2, 0x0003_0218);
    let (capability, anomalies) = decode(BRIDGE, &bridge);
    assert!(anomalies.is_empty());
    assert_eq!(
        placed(&capability),
        [
            ("secondary_status", 2),
            ("bridge_status", 4),
            ("upstream_split_transaction_control", 8),
            ("downstream_split_transaction_control", 0x0c)
        ]
    );
    let secondary: SecondaryStatus = capability.get().unwrap();
    assert!(secondary.capable_133mhz() && secondary.split_request_delayed() && !secondary.device_64bit());
    assert_eq!(secondary.secondary_bus_mode_and_frequency(), 3);
    let upstream: UpstreamSplit = capability.get().unwrap();
    assert_eq!(upstream.split_transaction_capacity(), 0x0908);
    assert_eq!(upstream.split_transaction_commitment_limit(), 0x0b0a);
    assert_eq!(reads(BRIDGE, &bridge), [(4, 12)]);
}

#[test]
fn versions_1_and_2_have_the_error_registers() {
    for version in [0x1000, 0x2000] {
        let (capability, _) = decode(Context::default(), &bytes(version, 0));
        assert_eq!(placed(&capability)[2], ("ecc_control_status", 8));
        assert_eq!(capability.get(), Some(EccFirstAddress(0x0f0e_0d0c)));
        assert_eq!(capability.end, 0x58);
        assert_eq!(reads(Context::default(), &bytes(version, 0)), [(4, 0x14)]);
        let (capability, _) = decode(BRIDGE, &bytes(version, 0));
        assert_eq!(placed(&capability)[4], ("ecc_control_status", 0x10));
        assert_eq!(capability.get(), Some(EccAttribute(0x1f1e_1d1c)));
    }
    let ecc = EccControlStatus(0x8321_5ad2);
    assert!(ecc.ecc_mode() && ecc.error_corrected() && ecc.error_in_other_bank());
    assert_eq!((ecc.error_phase(), ecc.syndrome()), (5, 0x5a));
    assert_eq!(
        (ecc.error_first_command(), ecc.error_second_command(), ecc.error_upper_attributes()),
        (1, 2, 3)
    );
}

#[test]
fn a_version_that_does_not_exist_is_said() {
    let (capability, anomalies) = decode(Context::default(), &bytes(0x3000, 0));
    assert_eq!(capability.registers.len(), 2);
    assert_eq!(anomalies, [Anomaly::ReservedValue { offset: 0x42, raw: 0x3000 }]);
}

#[test]
fn what_cannot_be_read_has_no_value() {
    let mut space = vec![0; 0x4c];
    space[0x40..].copy_from_slice(&bytes(0x1000, 0)[..12]);
    let (capability, _) = decode_in(Context::default(), &space);
    assert_eq!(capability.get(), Some(EccControlStatus(0x0b0a_0908)));
    assert_eq!(capability.get::<EccFirstAddress>(), None);
    assert_eq!(capability.registers.len(), 6);
}
