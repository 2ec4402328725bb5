//! PCIe DVSEC for Flex Bus Port, DVSEC ID 7: how the link came to speak CXL. CXL 3.1, 8.2.1.3.

use super::Body;
use crate::pci::register::Meaning;
use crate::register;

register! {
    /// What the port can speak.
    pub struct Capability(u16) at 0x0a, "flex_bus_port_capability", "FBCap", "CXL 3.1, 8.2.1.3.1" {
        /// CXL.cache.
        0 cache_capable Ro "Cache",
        /// CXL.io.
        1 io_capable Ro "IO",
        /// CXL.mem.
        2 mem_capable Ro "Mem",
        /// Flits of 68 bytes and virtual hierarchies; since revision 1.
        5 cxl_68b_flit_and_vh_capable Ro "68BFlit",
        /// Several logical devices; since revision 1.
        6 cxl_multi_logical_device_capable Ro "MltLogDev",
        /// Flits of 256 bytes with lower latency; since revision 2.
        13 cxl_latency_optimized_256b_flit_capable Ro "256BFlit",
        /// Port based routing; since revision 2.
        14 cxl_pbr_flit_capable Ro "PBRFlit",
    }
    /// What the port may speak after the next training.
    pub struct Control(u16) at 0x0c, "flex_bus_port_control", "FBCtl", "CXL 3.1, 8.2.1.3.2" {
        /// CXL.cache.
        0 cache_enable Rw "Cache",
        /// CXL.io; always so.
        1 io_enable Ro "IO",
        /// CXL.mem.
        2 mem_enable Rw "Mem",
        /// Leaves out the sync header.
        3 cxl_sync_hdr_bypass_enable Rw "SynHdrByp",
        /// Uses a drift buffer instead of an elastic buffer.
        4 drift_buffer_enable Rw "DrftBuf",
        /// Flits of 68 bytes and virtual hierarchies; since revision 1.
        5 cxl_68b_flit_and_vh_enable Rw "68BFlit",
        /// Several logical devices; since revision 1.
        6 cxl_multi_logical_device_enable Rw "MltLogDev",
        /// Does not train as CXL 1.1 does; since revision 1.
        7 disable_rcd_training Rw "RCD",
        /// There is a retimer; since revision 1.
        8 retimer1_present Rw "Retimer1",
        /// There is a second retimer; since revision 1.
        9 retimer2_present Rw "Retimer2",
        /// Flits of 256 bytes with lower latency; since revision 2.
        13 cxl_latency_optimized_256b_flit_enable Rw "256BFlit",
        /// Port based routing; since revision 2.
        14 cxl_pbr_flit_enable Rw "PBRFlit",
    }
    /// What the link speaks.
    pub struct Status(u16) at 0x0e, "flex_bus_port_status", "FBSta", "CXL 3.1, 8.2.1.3.3" {
        /// CXL.cache.
        0 cache_enabled Ro "Cache",
        /// CXL.io.
        1 io_enabled Ro "IO",
        /// CXL.mem.
        2 mem_enabled Ro "Mem",
        /// The sync header is left out.
        3 cxl_sync_hdr_bypass_enabled Ro "SynHdrByp",
        /// A drift buffer is used.
        4 drift_buffer_enabled Ro "DrftBuf",
        /// Flits of 68 bytes and virtual hierarchies; since revision 1.
        5 cxl_68b_flit_and_vh_enabled Ro "68BFlit",
        /// Several logical devices; since revision 1.
        6 cxl_multi_logical_device_enabled Ro "MltLogDev",
        /// The second half of a flit with lower latency was wrong; since revision 2.
        7 even_half_failed Rw1cs "EvenHalfFailed",
        /// The kind of a flit was wrong and could be corrected.
        8 cxl_correctable_protocol_id_framing_error Rw1cs "CorrProtIDErr",
        /// The kind of a flit was wrong and could not be corrected.
        9 cxl_uncorrectable_protocol_id_framing_error Rw1cs "UncorrProtIDErr",
        /// A flit of an unexpected kind was dropped.
        10 cxl_unexpected_protocol_id_dropped Rw1cs "UnexpProtIDDropped",
        /// The port was told of other retimers than there are; since revision 1.
        11 cxl_retimers_present_mismatched Rw1cs "RetimersMismatch",
        /// The two ends did not agree on what to speak; since revision 1.
        12 flex_bus_enable_bits_phase_2_mismatch Rw1cs "Phase2Mismatch",
        /// Flits of 256 bytes with lower latency; since revision 2.
        13 cxl_latency_optimized_256b_flit_enabled Ro "256BFlit",
        /// Port based routing; since revision 2.
        14 cxl_pbr_flit_enabled Ro "PBRFlit",
        /// The other side needs CXL.io to slow down at 64 GT/s.
        15 cxl_io_throttle_required_at_64gt_s Ro "IOThrottle64GT",
    }
    /// What the other side said that it can speak. Since revision 1.
    pub struct ReceivedModifiedTsData(u32) at 0x10, "flex_bus_port_received_modified_ts_data", "FBModTS", "CXL 3.1, 8.2.1.3.4" {
        /// Data of the first phase.
        23:0 received_flex_bus_data_phase_1 Ro "Received FB Data" = Meaning::Hex,
    }
    /// What the port can do besides. Since revision 2.
    pub struct Capability2(u32) at 0x14, "flex_bus_port_capability_2", "FBCap2", "CXL 3.1, 8.2.1.3.5" {
        /// Can hint that nothing is to come.
        0 nop_hint_capable Ro "NOPHint",
    }
    /// What the port does besides. Since revision 2.
    pub struct Control2(u32) at 0x18, "flex_bus_port_control_2", "FBCtl2", "CXL 3.1, 8.2.1.3.6" {
        /// Hints that nothing is to come.
        0 nop_hint_enable Rw "NOPHint",
    }
    /// How it was agreed. Since revision 2.
    pub struct Status2(u32) at 0x1c, "flex_bus_port_status_2", "FBSta2", "CXL 3.1, 8.2.1.3.7" {
        /// What was agreed on hints that nothing is to come.
        1:0 nop_hint_info Ro "NOPHintInfo" = Meaning::Hex,
    }
}

/// Places the registers; gives how many bytes the revision needs.
pub(super) fn layout(body: &mut Body<'_, '_>) -> u16 {
    let needed = match body.revision {
        0 => 0x10,
        1 => 0x14,
        _ => 0x20,
    };
    body.load(needed);
    body.add::<Capability>();
    body.add::<Control>();
    body.add::<Status>();
    if body.revision >= 1 {
        body.add::<ReceivedModifiedTsData>();
    }
    if body.revision >= 2 {
        body.add::<Capability2>();
        body.add::<Control2>();
        body.add::<Status2>();
    }
    needed
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_fields, cxl, wrong_length};

    const BODY: [u32; 6] = [0x2026_0000, 0x3927_21a6, 0x0000_00ef, 1, 1, 2];

    #[test]
    fn a_memory_device_of_revision_2() {
        let decoded = cxl(7, 2, 0x20, &BODY).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (2, 28));
        assert_fields(
            &decoded,
            &[
                ("flex_bus_port_capability.cache_capable", 0),
                ("flex_bus_port_capability.io_capable", 1),
                ("flex_bus_port_capability.mem_capable", 1),
                ("flex_bus_port_capability.cxl_68b_flit_and_vh_capable", 1),
                ("flex_bus_port_capability.cxl_multi_logical_device_capable", 0),
                ("flex_bus_port_capability.cxl_latency_optimized_256b_flit_capable", 1),
                ("flex_bus_port_capability.cxl_pbr_flit_capable", 0),
                ("flex_bus_port_control.mem_enable", 1),
                ("flex_bus_port_control.cxl_68b_flit_and_vh_enable", 1),
                ("flex_bus_port_control.disable_rcd_training", 1),
                ("flex_bus_port_control.retimer1_present", 1),
                ("flex_bus_port_control.retimer2_present", 0),
                ("flex_bus_port_control.cxl_latency_optimized_256b_flit_enable", 1),
                ("flex_bus_port_status.cache_enabled", 1),
                ("flex_bus_port_status.mem_enabled", 1),
                ("flex_bus_port_status.cxl_68b_flit_and_vh_enabled", 1),
                ("flex_bus_port_status.even_half_failed", 0),
                ("flex_bus_port_status.cxl_correctable_protocol_id_framing_error", 1),
                ("flex_bus_port_status.cxl_uncorrectable_protocol_id_framing_error", 0),
                ("flex_bus_port_status.cxl_retimers_present_mismatched", 1),
                ("flex_bus_port_status.flex_bus_enable_bits_phase_2_mismatch", 1),
                ("flex_bus_port_status.cxl_latency_optimized_256b_flit_enabled", 1),
                ("flex_bus_port_received_modified_ts_data.received_flex_bus_data_phase_1", 0xef),
                ("flex_bus_port_capability_2.nop_hint_capable", 1),
                ("flex_bus_port_control_2.nop_hint_enable", 1),
                ("flex_bus_port_status_2.nop_hint_info", 2),
            ],
        );
        assert!(decoded.anomalies.is_empty());
    }

    #[test]
    fn each_revision_has_its_registers() {
        for (revision, length, registers) in [(0, 0x10, 3), (1, 0x14, 4), (2, 0x20, 7), (3, 0x20, 7)] {
            let decoded = cxl(7, revision, length, &BODY).decode();
            assert_eq!(decoded.paths().len(), 2 + registers);
            assert!(decoded.anomalies.is_empty());
        }
    }

    /// The length of revision 0 with the number of revision 2: lspci dies of it.
    #[test]
    fn short_lengths_and_truncation() {
        let decoded = cxl(7, 2, 0x10, &BODY).decode();
        assert_eq!(decoded.paths().len(), 2 + 3);
        assert_eq!(decoded.anomalies, wrong_length(2, 0x10));
        let decoded = cxl(7, 2, 0x20, &BODY).limit(0x118).decode();
        assert_eq!(decoded.raw("flex_bus_port_capability_2"), Some(1));
        assert_eq!(decoded.raw("flex_bus_port_control_2"), None);
    }
}
