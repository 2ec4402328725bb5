//! Streamlined Virtual Channel, extended capability ID 0035h. PCIe 6.2, 7.9.29.

use crate::pci::decode::{Builder, Specification};
use crate::pci::register::{Meaning, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x35,
    key: "streamlined_vc",
    name: "Streamlined Virtual Channel",
    section: "PCIe 6.2, 7.9.29",
    layout: Some(layout),
    registers: &[
        PortCapability1::REGISTER,
        PortCapability2::REGISTER,
        PortControl::REGISTER,
        PortStatus::REGISTER,
        ResourceCapability::REGISTER,
        ResourceControl::REGISTER,
        ResourceStatus::REGISTER,
    ],
};

register! {
    /// How many virtual channels there are.
    pub struct PortCapability1(u32) at 0x04, "port_capability_1", "SVCPortCap1", "PCIe 6.2, 7.9.29.2" {
        /// Virtual channels besides the first.
        2:0 svc_extended_vc_count HwInit "ExtVCCount",
    }
    /// All bits are reserved.
    pub struct PortCapability2(u32) at 0x08, "port_capability_2", "SVCPortCap2", "PCIe 6.2, 7.9.29.3" {}
    /// Whether software is done.
    pub struct PortControl(u32) at 0x0c, "port_control", "SVCPortCtl", "PCIe 6.2, 7.9.29.4" {
        /// All virtual channels that will be used are enabled.
        0 vc_enablement_completed Rw "Completed",
    }
    /// Which of the capabilities for virtual channels is in use.
    pub struct PortStatus(u32) at 0x10, "port_status", "SVCPortSta", "PCIe 6.2, 7.9.29.5" {
        /// The older capabilities are in use, not this one.
        0 use_vc_mfvc Rw1c "UseVC",
    }
    /// What one virtual channel can carry.
    pub struct ResourceCapability(u32) at 0x14 in "vc", "capability", "SVCResCap", "PCIe 6.2, 7.9.29.6" {
        /// What may be carried.
        11:8 svc_vc_protocols_supported HwInit "Protocols" = Meaning::Choice(&[
            (0, "as virtual channel 0"),
            (1, "as virtual channel 0, less what is for it alone"),
            (2, "UIO"),
            (3, "UIO, or as virtual channel 0"),
            (15, "vendor-defined"),
        ]),
        /// Number of the virtual channel.
        14:12 svc_vc_id HwInit "ID",
    }
    /// What the virtual channel carries.
    pub struct ResourceControl(u32) at 0x18 in "vc", "control", "SVCResCtl", "PCIe 6.2, 7.9.29.7" {
        /// Traffic classes that go through it, one bit each.
        7:0 svc_tc_vc_map Rw "TC/VC" = Meaning::Hex,
        /// What is carried.
        11:8 svc_vc_protocol_selected Rw "Protocol" = Meaning::Choice(&[
            (0, "as virtual channel 0"),
            (1, "as virtual channel 0, less what is for it alone"),
            (2, "UIO"),
            (15, "vendor-defined"),
        ]),
        /// How much of the shared credits it may use up.
        29:27 svc_shared_flow_control_usage_limit Rw "Limit" = Meaning::Choice(&[
            (0, "0 %"),
            (1, "12.5 %"),
            (2, "25 %"),
            (3, "37.5 %"),
            (4, "50 %"),
            (5, "62.5 %"),
            (6, "75 %"),
            (7, "87.5 %"),
        ]),
        /// The limit holds.
        30 svc_shared_flow_control_usage_limit_enable Rw "LimitEn",
        /// The virtual channel is in use.
        31 svc_vc_enable Rw "Enable",
    }
    /// How the virtual channel is.
    pub struct ResourceStatus(u32) at 0x1c in "vc", "status", "SVCResSta", "PCIe 6.2, 7.9.29.8" {
        /// Both ends have not agreed yet.
        1 svc_vc_negotiation_pending Ro "NegoPending",
    }
}

/// Where the registers of the first virtual channel are, and how many bytes those of each take.
const RESOURCES: u16 = 0x14;
const RESOURCE: u16 = 12;

fn layout(builder: &mut Builder<'_>) {
    builder.load(0x04, RESOURCES - 4 + RESOURCE);
    let capability = builder.add::<PortCapability1>();
    builder.add::<PortCapability2>();
    builder.add::<PortControl>();
    builder.add::<PortStatus>();
    let extended = capability.map_or(0, |c| c.svc_extended_vc_count() as u16);
    if extended > 0 {
        builder.load(RESOURCES + RESOURCE, RESOURCE * extended);
    }
    for index in 0..=extended {
        let at = RESOURCES + RESOURCE * index;
        builder.add_in::<ResourceCapability>(index, at);
        builder.add_in::<ResourceControl>(index, at + 4);
        builder.add_in::<ResourceStatus>(index, at + 8);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;

    #[test]
    fn the_first_virtual_channel_and_one_for_unordered_requests() {
        let body = [1, 0, 1, 0, 0x0000_0000, 0x8000_0001, 0, 0x0000_3300, 0xe800_0208, 2];
        let decoded = Case::new(0x35).body(&body).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (2, 16 + 24));
        for (path, value) in [
            ("port_capability_1.svc_extended_vc_count", 1),
            ("port_control.vc_enablement_completed", 1),
            ("port_status.use_vc_mfvc", 0),
            ("vc[0].capability.svc_vc_protocols_supported", 0),
            ("vc[0].control.svc_tc_vc_map", 1),
            ("vc[0].control.svc_vc_enable", 1),
            ("vc[1].capability.svc_vc_protocols_supported", 3),
            ("vc[1].capability.svc_vc_id", 3),
            ("vc[1].control.svc_tc_vc_map", 8),
            ("vc[1].control.svc_vc_protocol_selected", 2),
            ("vc[1].control.svc_shared_flow_control_usage_limit", 5),
            ("vc[1].control.svc_shared_flow_control_usage_limit_enable", 1),
            ("vc[1].control.svc_vc_enable", 1),
            ("vc[1].status.svc_vc_negotiation_pending", 1),
        ] {
            assert_eq!(decoded.field(path), value, "{path}");
        }
        assert_eq!(decoded.paths().len(), 4 + 2 * 3);
        assert_eq!(decoded.capability.end, 0x12c);
    }

    #[test]
    fn at_most_eight_and_truncated_none() {
        assert_eq!(Case::new(0x35).body(&[u32::MAX]).decode().paths().len(), 4 + 8 * 3);
        let decoded = Case::new(0x35).limit(0x118).decode();
        assert_eq!((decoded.raw("vc[0].capability"), decoded.raw("vc[0].control")), (Some(0), None));
    }
}
