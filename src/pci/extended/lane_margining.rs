//! Lane Margining at the Receiver, extended capability ID 0027h: how much margin each receiver has. PCIe 6.2, 7.7.10.
//!
//! A margin is measured by writing commands, which is not done. The registers show the last command and its answer.

use super::secondary::lanes;
use crate::pci::decode::{Builder, Specification};
use crate::pci::register::{Meaning, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x27,
    key: "lane_margining",
    name: "Lane Margining at the Receiver",
    section: "PCIe 6.2, 7.7.10",
    layout: Some(layout),
    registers: &[
        MarginingPortCapabilities::REGISTER,
        MarginingPortStatus::REGISTER,
        MarginingLaneControl::REGISTER,
        MarginingLaneStatus::REGISTER,
    ],
};

/// Receiver Number: A is the downstream port's, F the upstream port's, the others are those of retimers.
const RECEIVER: Meaning = Meaning::Choice(&[
    (0, "broadcast"),
    (1, "Rx(A)"),
    (2, "Rx(B)"),
    (3, "Rx(C)"),
    (4, "Rx(D)"),
    (5, "Rx(E)"),
    (6, "Rx(F)"),
]);
/// Margin Type.
const MARGIN_TYPE: Meaning = Meaning::Choice(&[
    (1, "report or access retimer register"),
    (2, "set"),
    (3, "step margin to timing offset"),
    (4, "step margin to voltage offset"),
    (5, "vendor defined"),
    (7, "no command"),
]);

/// Margin Type Status.
const MARGIN_TYPE_STATUS: Meaning = Meaning::Choice(&[
    (0, "none"),
    (1, "report or access retimer register"),
    (2, "set"),
    (3, "step margin to timing offset"),
    (4, "step margin to voltage offset"),
    (5, "vendor defined"),
    (7, "no command"),
]);

register! {
    /// How margining works.
    pub struct MarginingPortCapabilities(u16) at 0x04, "port_capabilities", "PortCap", "PCIe 6.2, 7.7.10.2" {
        /// It needs the device's driver.
        0 margining_uses_driver_software HwInit "Uses Driver",
    }
    /// Whether commands are accepted.
    pub struct MarginingPortStatus(u16) at 0x06, "port_status", "PortSta", "PCIe 6.2, 7.7.10.3" {
        /// The port accepts commands.
        0 margining_ready Ro "MargReady",
        /// The driver is ready; undefined where margining needs none.
        1 margining_software_ready Ro "MargSoftReady",
    }
    /// The last command to one lane. Commands are not sent: they are writes, and they disturb the link.
    pub struct MarginingLaneControl(u16) at 0x08 in "lane", "control", "LaneMargCtl", "PCIe 6.2, 7.7.10.4" {
        /// For which receiver it was.
        2:0 receiver_number Rw "Receiver" = RECEIVER,
        /// What it was.
        5:3 margin_type Rw "Type" = MARGIN_TYPE,
        /// Clear for lane margining at the receiver; set is reserved.
        6 usage_model Rw "Usage",
        /// Its argument.
        15:8 margin_payload Rw "Payload" = Meaning::Hex,
    }
    /// The answer to the last command.
    pub struct MarginingLaneStatus(u16) at 0x0a in "lane", "status", "LaneMargSta", "PCIe 6.2, 7.7.10.5" {
        /// From which receiver it came.
        2:0 receiver_number_status Ro "Receiver" = RECEIVER,
        /// To what it is the answer; 0 if none came since the link came up.
        5:3 margin_type_status Ro "Type" = MARGIN_TYPE_STATUS,
        /// Clear for lane margining at the receiver; set is reserved.
        6 usage_model_status Ro "Usage",
        /// What it says.
        15:8 margin_payload_status Ro "Payload" = Meaning::Hex,
    }
}

fn layout(builder: &mut Builder<'_>) {
    let lanes = lanes(builder);
    builder.load(0x04, 4 + 4 * lanes);
    builder.add::<MarginingPortCapabilities>();
    builder.add::<MarginingPortStatus>();
    for lane in 0..lanes {
        builder.add_in::<MarginingLaneControl>(lane, 0x08 + 4 * lane);
    }
    for lane in 0..lanes {
        builder.add_in::<MarginingLaneStatus>(lane, 0x0a + 4 * lane);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;

    #[test]
    fn lanes_as_many_as_the_link_is_wide() {
        let decoded = Case::new(0x27).body(&[0x0003_0001, 0x0000_9c38, 0x101e_0a5e]).link_width(2).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (1, 12));
        for (path, value) in [
            ("port_capabilities.margining_uses_driver_software", 1),
            ("port_status.margining_ready", 1),
            ("port_status.margining_software_ready", 1),
            ("lane[0].control.receiver_number", 0),
            ("lane[0].control.margin_type", 7),
            ("lane[0].control.margin_payload", 0x9c),
            ("lane[0].status.margin_payload_status", 0),
            ("lane[1].control.receiver_number", 6),
            ("lane[1].control.margin_type", 3),
            ("lane[1].control.usage_model", 1),
            ("lane[1].control.margin_payload", 0x0a),
            ("lane[1].status.receiver_number_status", 6),
            ("lane[1].status.margin_type_status", 3),
            ("lane[1].status.usage_model_status", 0),
            ("lane[1].status.margin_payload_status", 0x10),
        ] {
            assert_eq!(decoded.field(path), value, "{path}");
        }
        assert_eq!(decoded.paths().len(), 2 + 4);
    }

    #[test]
    fn of_an_unknown_width_no_lane_is_read_and_truncated_none() {
        let decoded = Case::new(0x27).decode();
        assert_eq!((decoded.read_bytes, decoded.paths().len()), (4, 2));
        assert_eq!(Case::new(0x27).link_width(63).decode().paths().len(), 2 + 64);
        let decoded = Case::new(0x27).link_width(4).limit(0x10c).decode();
        assert_eq!((decoded.raw("lane[0].status"), decoded.raw("lane[1].control")), (Some(0), None));
    }
}
