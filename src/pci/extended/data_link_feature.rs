//! Data Link Feature, extended capability ID 0025h. PCIe 6.2, 7.7.4.

use crate::pci::capability::express::link::l1_exit;
use crate::pci::decode::{Builder, Specification};
use crate::pci::register::{Meaning, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x25,
    key: "data_link_feature",
    name: "Data Link Feature",
    section: "PCIe 6.2, 7.7.4",
    layout: Some(layout),
    registers: &[DataLinkFeatureCapabilities::REGISTER, DataLinkFeatureStatus::REGISTER],
};

register! {
    /// What this port tells the other end.
    pub struct DataLinkFeatureCapabilities(u32) at 0x04, "capabilities", "DLFCap", "PCIe 6.2, 7.7.4.2" {
        /// Supports scaled flow control.
        0 local_scaled_flow_control_supported HwInit "ScaledFC",
        /// All its functions are ready at once. Outside flit mode a clear bit says nothing.
        1 local_immediate_readiness HwInit "ImmReadiness",
        /// Virtual channels besides the default one; flit mode only.
        4:2 local_extended_vc_count HwInit "EVC",
        /// Time to widen the link; flit mode only.
        7:5 local_l0p_exit_latency HwInit "L0p" = Meaning::Quantity(l1_exit),
        /// Exchanges its features with the other end when the link comes up.
        31 data_link_feature_exchange_enable HwInit "Exchange",
    }
    /// What the other end told.
    pub struct DataLinkFeatureStatus(u32) at 0x08, "status", "DLFSta", "PCIe 6.2, 7.7.4.3" {
        /// Supports scaled flow control.
        0 remote_scaled_flow_control_supported Ro "ScaledFC",
        /// All its functions are ready at once. Outside flit mode a clear bit says nothing.
        1 remote_immediate_readiness Ro "ImmReadiness",
        /// Virtual channels besides the default one; flit mode only.
        4:2 remote_extended_vc_count Ro "EVC",
        /// Time to widen the link; 0 where it cannot be made narrower.
        7:5 remote_l0p_exit_latency Ro "L0p" = Meaning::Quantity(l1_exit),
        /// The other end told something.
        31 remote_data_link_feature_supported_valid Ro "Valid",
    }
}

fn layout(builder: &mut Builder<'_>) {
    builder.load(0x04, 8);
    builder.add::<DataLinkFeatureCapabilities>();
    builder.add::<DataLinkFeatureStatus>();
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;

    #[test]
    fn both_registers_are_one_read() {
        let decoded = Case::new(0x25).body(&[0x8000_0047, 0x8000_0091]).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (1, 8));
        for (path, value) in [
            ("capabilities.local_scaled_flow_control_supported", 1),
            ("capabilities.local_immediate_readiness", 1),
            ("capabilities.local_extended_vc_count", 1),
            ("capabilities.local_l0p_exit_latency", 2),
            ("capabilities.data_link_feature_exchange_enable", 1),
            ("status.remote_scaled_flow_control_supported", 1),
            ("status.remote_immediate_readiness", 0),
            ("status.remote_extended_vc_count", 4),
            ("status.remote_l0p_exit_latency", 4),
            ("status.remote_data_link_feature_supported_valid", 1),
        ] {
            assert_eq!(decoded.field(path), value, "{path}");
        }
        let short = Case::new(0x25).limit(0x108).decode();
        assert_eq!((short.raw("capabilities"), short.raw("status")), (Some(0), None));
    }
}
