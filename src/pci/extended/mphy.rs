//! PCI Express over M-PHY, extended capability ID 0020h. M-PCIe ECN to PCIe 3.0.
//!
//! Registers of the physical layer are read through a pair of address and data registers. That needs a write, which is not
//! done.

use crate::pci::decode::{Builder, Specification};
use crate::pci::quantity::width;
use crate::pci::register::{Meaning, Quantity, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x20,
    key: "mphy",
    name: "PCI Express over M-PHY",
    section: "M-PCIe ECN",
    layout: Some(layout),
    registers: &[
        MpcieCapabilities::REGISTER,
        MpcieControl::REGISTER,
        MpcieStatus::REGISTER,
        MpcieLaneErrorStatus::REGISTER,
        MpciePhyControlAddress::REGISTER,
        MpciePhyControlData::REGISTER,
    ],
};

/// Gears of M-PHY as a set of bits.
const GEARS: Meaning = Meaning::Choice(&[(0, "none"), (1, "HS-G1"), (2, "HS-G2"), (3, "HS-G1 HS-G2")]);

register! {
    /// Speeds and widths that the port can have.
    pub struct MpcieCapabilities(u32) at 0x04, "capabilities", "MPCIeCap", "M-PCIe ECN" {
        /// Gears of M-PHY.
        1:0 mpcie_link_speed_capability Ro "Speed" = GEARS,
        /// Software can configure the physical layer before the link comes up.
        15 configuration_software_supported Ro "CfgSoftware",
        /// Widths of the transmitter as a set: x1, x2, x4, x8, x12, x16, x32 from bit 0 on.
        23:16 maximum_tx_lane_width_capability Ro "TxWidth" = Meaning::Hex,
        /// Widths of the receiver, likewise.
        31:24 maximum_rx_lane_width_capability Ro "RxWidth" = Meaning::Hex,
    }
    /// Speed that the link has to have.
    pub struct MpcieControl(u32) at 0x08, "control", "MPCIeCtl", "M-PCIe ECN" {
        /// Gears of M-PHY.
        1:0 mpcie_target_link_speed_control Rw "Speed" = GEARS,
    }
    /// Speed and width of the link.
    pub struct MpcieStatus(u32) at 0x0c, "status", "MPCIeSta", "M-PCIe ECN" {
        /// Gear of M-PHY.
        1:0 mpcie_current_link_speed_status Ro "Speed" = GEARS,
        /// The link waits for software to configure the physical layer.
        15 mpcie_configuration_software_status Ro "CfgSoftware",
        /// Lanes of the transmitter.
        23:16 tx_lane_width_status Ro "TxWidth" = Meaning::Quantity(width),
        /// Lanes of the receiver.
        31:24 rx_lane_width_status Ro "RxWidth" = Meaning::Quantity(width),
    }
    /// Which lanes saw an error.
    pub struct MpcieLaneErrorStatus(u32) at 0x10, "lane_error_status", "MPCIeLaneErr", "M-PCIe ECN" {
        /// One bit a lane.
        31:0 lanes Rw1cs "LaneErr" = Meaning::Quantity(|raw| Quantity::Lanes(raw as u32)),
    }
    /// Which register of a physical layer the data register is for. To choose one needs a write, which is not done.
    pub struct MpciePhyControlAddress(u32) at 0x14, "phy_control_address", "MPCIePhyAddr", "M-PCIe ECN" {
        /// Lower address.
        7:0 lower_addr Rw "LowerAddr" = Meaning::Hex,
        /// Upper address, bits 4:0.
        20:16 upper_addr Rw "UpperAddr" = Meaning::Hex,
        /// Upper address, bit 5.
        24 upper_addr_5 Rw "UpperAddr[5]",
        /// Whose physical layer it is.
        27:25 phy_location Rw "Location" = Meaning::Choice(&[(0, "local"), (1, "remote")]),
        /// Starts a read when 1 is written.
        30 read Rw "Read",
        /// Keeps the link waiting for software to configure the physical layer.
        31 config Rw "Config",
    }
    /// What was read of a physical layer's register.
    pub struct MpciePhyControlData(u32) at 0x18, "phy_control_data", "MPCIePhyData", "M-PCIe ECN" {
        /// The register.
        7:0 phy_register_data Rw "Data" = Meaning::Hex,
        /// The access failed.
        29 phy_control_error Ro "Error",
        /// The abort bit of the answer from the remote side.
        30 rrap_abort Ro "Abort",
        /// The access is under way.
        31 phy_control_pending Ro "Pending",
    }
}

fn layout(builder: &mut Builder<'_>) {
    builder.load(0x04, 0x18);
    builder.add::<MpcieCapabilities>();
    builder.add::<MpcieControl>();
    builder.add::<MpcieStatus>();
    builder.add::<MpcieLaneErrorStatus>();
    builder.add::<MpciePhyControlAddress>();
    builder.add::<MpciePhyControlData>();
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;

    #[test]
    fn all_registers_are_one_read() {
        let body = [0x0f0f_8003, 1, 0x0c04_8001, 0x8000_0001, 0xc30a_0055, 0x4000_0013];
        let decoded = Case::new(0x20).body(&body).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (1, 24));
        for (path, value) in [
            ("capabilities.mpcie_link_speed_capability", 3),
            ("capabilities.configuration_software_supported", 1),
            ("capabilities.maximum_tx_lane_width_capability", 0x0f),
            ("control.mpcie_target_link_speed_control", 1),
            ("status.mpcie_configuration_software_status", 1),
            ("status.tx_lane_width_status", 4),
            ("status.rx_lane_width_status", 12),
            ("lane_error_status.lanes", 0x8000_0001),
            ("phy_control_address.lower_addr", 0x55),
            ("phy_control_address.upper_addr", 0x0a),
            ("phy_control_address.upper_addr_5", 1),
            ("phy_control_address.phy_location", 1),
            ("phy_control_address.read", 1),
            ("phy_control_address.config", 1),
            ("phy_control_data.phy_register_data", 0x13),
            ("phy_control_data.rrap_abort", 1),
            ("phy_control_data.phy_control_pending", 0),
        ] {
            assert_eq!(decoded.field(path), value, "{path}");
        }
        assert_eq!(decoded.paths().len(), 6);
        assert_eq!(Case::new(0x20).limit(0x110).decode().raw("lane_error_status"), None);
    }
}
