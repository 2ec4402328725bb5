//! Native PCIe Enclosure Management, extended capability ID 0029h: the lights of a drive bay. PCIe 6.2, 7.9.19.

use crate::pci::decode::{Builder, Specification};
use crate::pci::register::{Meaning, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x29,
    key: "npem",
    name: "Native PCIe Enclosure Management",
    section: "PCIe 6.2, 7.9.19",
    layout: Some(layout),
    registers: &[NpemCapability::REGISTER, NpemControl::REGISTER, NpemStatus::REGISTER],
};

register! {
    /// What the enclosure can indicate.
    pub struct NpemCapability(u32) at 0x04, "capability", "NPEMCap", "PCIe 6.2, 7.9.19.2" {
        /// The enclosure can indicate something.
        0 npem_capable HwInit "NPEM",
        /// It can be reset.
        1 npem_reset_capable HwInit "Reset",
        /// The drive is well.
        2 npem_ok_capable HwInit "OK",
        /// Here is the drive that someone looks for.
        3 npem_locate_capable HwInit "Locate",
        /// The drive has failed.
        4 npem_fail_capable HwInit "Fail",
        /// The drive is part of an array that is being rebuilt.
        5 npem_rebuild_capable HwInit "Rebuild",
        /// The drive is expected to fail.
        6 npem_pfa_capable HwInit "PFA",
        /// The drive is kept in reserve.
        7 npem_hot_spare_capable HwInit "HotSpare",
        /// The drive is part of an array that has lost its redundancy.
        8 npem_in_a_critical_array_capable HwInit "InACriticalArray",
        /// The drive is part of an array that has failed.
        9 npem_in_a_failed_array_capable HwInit "InAFailedArray",
        /// The drive is not of the right kind for its place.
        10 npem_invalid_device_type_capable HwInit "InvalidDeviceType",
        /// The drive is disabled and can be removed.
        11 npem_disabled_capable HwInit "Disabled",
        /// Up to the enclosure.
        31:24 enclosure_specific_capabilities HwInit "EnclosureSpecific" = Meaning::Hex,
    }
    /// What the enclosure has to indicate.
    pub struct NpemControl(u32) at 0x08, "control", "NPEMCtl", "PCIe 6.2, 7.9.19.3" {
        /// The other bits have an effect.
        0 npem_enable Rw "NPEM",
        /// Resets the enclosure when 1 is written.
        1 npem_initiate_reset Wo "Reset",
        /// The drive is well.
        2 npem_ok_control Rw "OK",
        /// Here is the drive that someone looks for.
        3 npem_locate_control Rw "Locate",
        /// The drive has failed.
        4 npem_fail_control Rw "Fail",
        /// The drive is part of an array that is being rebuilt.
        5 npem_rebuild_control Rw "Rebuild",
        /// The drive is expected to fail.
        6 npem_pfa_control Rw "PFA",
        /// The drive is kept in reserve.
        7 npem_hot_spare_control Rw "HotSpare",
        /// The drive is part of an array that has lost its redundancy.
        8 npem_in_a_critical_array_control Rw "InACriticalArray",
        /// The drive is part of an array that has failed.
        9 npem_in_a_failed_array_control Rw "InAFailedArray",
        /// The drive is not of the right kind for its place.
        10 npem_invalid_device_type_control Rw "InvalidDeviceType",
        /// The drive is disabled and can be removed.
        11 npem_disabled_control Rw "Disabled",
        /// Up to the enclosure.
        31:24 enclosure_specific_controls Rw "EnclosureSpecific" = Meaning::Hex,
    }
    /// Whether the enclosure followed.
    pub struct NpemStatus(u32) at 0x0c, "status", "NPEMSta", "PCIe 6.2, 7.9.19.4" {
        /// The last write to the control register was carried out.
        0 npem_command_completed Rw1c "CommandCompleted",
        /// Up to the enclosure.
        31:24 enclosure_specific_status Rw1c "EnclosureSpecific" = Meaning::Hex,
    }
}

fn layout(builder: &mut Builder<'_>) {
    builder.load(0x04, 12);
    builder.add::<NpemCapability>();
    builder.add::<NpemControl>();
    builder.add::<NpemStatus>();
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;

    #[test]
    fn all_registers_are_one_read() {
        let decoded = Case::new(0x29).body(&[0x0100_083d, 0x0200_0019, 0x0300_0001]).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (1, 12));
        for (path, value) in [
            ("capability.npem_capable", 1),
            ("capability.npem_reset_capable", 0),
            ("capability.npem_ok_capable", 1),
            ("capability.npem_locate_capable", 1),
            ("capability.npem_fail_capable", 1),
            ("capability.npem_rebuild_capable", 1),
            ("capability.npem_pfa_capable", 0),
            ("capability.npem_disabled_capable", 1),
            ("capability.enclosure_specific_capabilities", 1),
            ("control.npem_enable", 1),
            ("control.npem_ok_control", 0),
            ("control.npem_locate_control", 1),
            ("control.npem_fail_control", 1),
            ("control.enclosure_specific_controls", 2),
            ("status.npem_command_completed", 1),
            ("status.enclosure_specific_status", 3),
        ] {
            assert_eq!(decoded.field(path), value, "{path}");
        }
        assert_eq!(decoded.paths().len(), 3);
        assert_eq!(Case::new(0x29).limit(0x108).decode().raw("control"), None);
    }
}
