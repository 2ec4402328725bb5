//! Registers of the streams of Integrity and Data Encryption. PCIe 6.2, 7.9.26.4 and 7.9.26.5.

use super::ide::ALGORITHM;
use crate::pci::register::{Meaning, Quantity};
use crate::register;

/// Tx Aggregation Mode: how many packets share a check value.
const AGGREGATION: Meaning = Meaning::Choice(&[(0, "none"), (1, "2"), (2, "4"), (3, "8")]);
/// Partial Header Encryption Mode: which part of the address is hidden, with the byte enables.
const HEADER_ENCRYPTION: Meaning = Meaning::Choice(&[
    (0, "none"),
    (1, "address 17:2"),
    (2, "address 25:2"),
    (3, "address 33:2"),
    (4, "address 41:2"),
]);
/// State of a stream.
const STATE: Meaning = Meaning::Choice(&[(0, "insecure"), (2, "secure")]);

register! {
    /// What the stream of one traffic class does with everything on the link.
    pub struct LinkStreamControl(u32) at 0x0c in "link_stream", "link_control", "LinkIDECtl", "PCIe 6.2, 7.9.26.4.1" {
        /// The stream becomes secure once it has its keys.
        0 link_ide_stream_enable Rw "En",
        /// The extended form of TEE bits is used.
        1 xt_enable Rw "XT",
        /// Non-posted requests that share a check value.
        3:2 tx_aggregation_mode_npr Rw "NPR" = AGGREGATION,
        /// Posted requests that share a check value.
        5:4 tx_aggregation_mode_pr Rw "PR" = AGGREGATION,
        /// Completions that share a check value.
        7:6 tx_aggregation_mode_cpl Rw "CPL" = AGGREGATION,
        /// Packets carry the plaintext checksum.
        8 pcrc_enable Rw "PCRC",
        /// Which part of the header is encrypted.
        13:10 partial_header_encryption_mode Rw "HdrEnc" = HEADER_ENCRYPTION,
        /// How packets are encrypted.
        18:14 selected_algorithm Rw "Alg" = ALGORITHM,
        /// Traffic class that the stream is for.
        21:19 tc Rw "TC",
        /// Number of the stream; the same at both ends.
        31:24 stream_id Rw "ID",
    }
    /// How the stream is.
    pub struct LinkStreamStatus(u32) at 0x10 in "link_stream", "link_status", "LinkIDESta", "PCIe 6.2, 7.9.26.4.2" {
        /// Packets are protected in the state secure only.
        3:0 link_ide_stream_state Ro "Status" = STATE,
        /// The other side said that a check failed.
        31 received_ide_fail_message Rw1c "RecvChkFail",
    }
    /// How many address ranges the stream can be for.
    pub struct SelectiveStreamCapability(u32) at 0x0c in "selective_stream", "selective_capability", "SelectiveIDECap", "PCIe 6.2, 7.9.26.5.1" {
        /// Address association blocks behind the stream's registers.
        3:0 number_of_address_association_register_blocks Ro "RID#",
    }
    /// What the stream does with what goes to its partner.
    pub struct SelectiveStreamControl(u32) at 0x10 in "selective_stream", "selective_control", "SelectiveIDECtl", "PCIe 6.2, 7.9.26.5.2" {
        /// The stream becomes secure once it has its keys.
        0 selective_ide_stream_enable Rw "En",
        /// The extended form of TEE bits is used.
        1 xt_enable Rw "XT",
        /// Non-posted requests that share a check value.
        3:2 tx_aggregation_mode_npr Rw "NPR" = AGGREGATION,
        /// Posted requests that share a check value.
        5:4 tx_aggregation_mode_pr Rw "PR" = AGGREGATION,
        /// Completions that share a check value.
        7:6 tx_aggregation_mode_cpl Rw "CPL" = AGGREGATION,
        /// Packets carry the plaintext checksum.
        8 pcrc_enable Rw "PCRC",
        /// Configuration requests to the stream's requester IDs are protected; root ports only.
        9 selective_ide_for_configuration_requests_enable Rw "CFG",
        /// Which part of the header is encrypted.
        13:10 partial_header_encryption_mode Rw "HdrEnc" = HEADER_ENCRYPTION,
        /// How packets are encrypted.
        18:14 selected_algorithm Rw "Alg" = ALGORITHM,
        /// Traffic class that the stream is for.
        21:19 tc Rw "TC",
        /// The stream is for everything of its traffic class that no other stream is for.
        22 default_stream Rw "Default",
        /// The stream is for requests of trusted execution environments only.
        23 tee_limited_stream Rw "TeeLim",
        /// Number of the stream; the same at both ends.
        31:24 stream_id Rw "ID",
    }
    /// How the stream is.
    pub struct SelectiveStreamStatus(u32) at 0x14 in "selective_stream", "selective_status", "SelectiveIDESta", "PCIe 6.2, 7.9.26.5.3" {
        /// Packets are protected in the state secure only.
        3:0 selective_ide_stream_state Ro "Status" = STATE,
        /// The other side said that a check failed.
        31 received_ide_fail_message Rw1c "RecvChkFail",
    }
    /// Which requester IDs are the partner's: the last.
    pub struct RidAssociation1(u32) at 0x18 in "selective_stream", "rid_association_1", "SelectiveIDERID1", "PCIe 6.2, 7.9.26.5.4.1" {
        /// Highest requester ID.
        23:8 rid_limit Rw "Limit" = Meaning::Quantity(requester),
    }
    /// Which requester IDs are the partner's: the first.
    pub struct RidAssociation2(u32) at 0x1c in "selective_stream", "rid_association_2", "SelectiveIDERID2", "PCIe 6.2, 7.9.26.5.4.2" {
        /// The range holds.
        0 valid Rw "Valid",
        /// Lowest requester ID.
        23:8 rid_base Rw "Base" = Meaning::Quantity(requester),
        /// Segment of the partner, in Flit Mode.
        31:24 segment_base Rw "SegBase" = Meaning::Hex,
    }
    /// Which addresses are the partner's: bits 31:20 of the first and the last.
    pub struct AddressAssociation1(u32) at 0x20 in "address_association" within "selective_stream", "register_1", "IDEAddr1", "PCIe 6.2, 7.9.26.5.5.1" {
        /// The range holds.
        0 valid Rw "Valid",
        /// Address bits 31:20 of the first; bits 19:0 are 0.
        19:8 memory_base_lower Rw "BaseLow" = Meaning::Hex,
        /// Address bits 31:20 of the last; bits 19:0 are 1.
        31:20 memory_limit_lower Rw "LimitLow" = Meaning::Hex,
    }
    /// Which addresses are the partner's: the upper half of the last.
    pub struct AddressAssociation2(u32) at 0x24 in "address_association" within "selective_stream", "register_2", "IDEAddr2", "PCIe 6.2, 7.9.26.5.5.2" {
        /// Address bits 63:32.
        31:0 memory_limit_upper Rw "LimitHigh" = Meaning::Hex,
    }
    /// Which addresses are the partner's: the upper half of the first.
    pub struct AddressAssociation3(u32) at 0x28 in "address_association" within "selective_stream", "register_3", "IDEAddr3", "PCIe 6.2, 7.9.26.5.5.3" {
        /// Address bits 63:32.
        31:0 memory_base_upper Rw "BaseHigh" = Meaning::Hex,
    }
}

fn requester(id: u64) -> Quantity {
    Quantity::RequesterId(id as u16)
}

/// The first and the last address of an association.
pub fn address_range(
    first: AddressAssociation1,
    second: AddressAssociation2,
    third: AddressAssociation3,
) -> (u64, u64) {
    let base = u64::from(third.memory_base_upper()) << 32 | u64::from(first.memory_base_lower()) << 20;
    let limit = u64::from(second.memory_limit_upper()) << 32 | u64::from(first.memory_limit_lower()) << 20;
    (base, limit | 0xf_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_range_is_in_three_registers() {
        let range =
            address_range(AddressAssociation1(0xfff0_8001), AddressAssociation2(1), AddressAssociation3(2));
        assert_eq!(range, (0x2_0800_0000, 0x1_ffff_ffff));
        let all = address_range(
            AddressAssociation1(0xfff0_0001),
            AddressAssociation2(u32::MAX),
            AddressAssociation3(0),
        );
        assert_eq!(all, (0, u64::MAX));
    }
}
