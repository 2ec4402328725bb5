//! RCRB Header, extended capability ID 000Ah: identity of a root complex register block. PCIe 6.2, 7.9.7.

use crate::pci::decode::{Builder, Specification};
use crate::pci::register::{Meaning, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x0a,
    key: "rcrb",
    name: "Root Complex Register Block Header",
    section: "PCIe 6.2, 7.9.7",
    layout: Some(layout),
    registers: &[RcrbId::REGISTER, RcrbCapabilities::REGISTER, RcrbControl::REGISTER],
};

register! {
    /// What the register block is.
    pub struct RcrbId(u32) at 0x04, "id", "RCRBId", "PCIe 6.2, 7.9.7.2" {
        /// Who made it.
        15:0 vendor_id Ro "Vendor" = Meaning::Hex,
        /// Chosen by the vendor.
        31:16 device_id Ro "Device" = Meaning::Hex,
    }
    /// What the root complex can do for the ports and devices of the register block.
    pub struct RcrbCapabilities(u32) at 0x08, "capabilities", "RCRBCap", "PCIe 6.2, 7.9.7.3" {
        /// Can show software that a function asks for its configuration request to be repeated.
        0 configuration_rrs_software_visibility Ro "CRSVisible",
    }
    /// What the root complex does for them.
    pub struct RcrbControl(u32) at 0x0c, "control", "RCRBCtl", "PCIe 6.2, 7.9.7.4" {
        /// Shows software that a function asks for its configuration request to be repeated.
        0 configuration_rrs_software_visibility_enable Rw "CRSVisible",
    }
}

fn layout(builder: &mut Builder<'_>) {
    builder.load(0x04, 12);
    builder.add::<RcrbId>();
    builder.add::<RcrbCapabilities>();
    builder.add::<RcrbControl>();
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;

    #[test]
    fn all_registers_are_one_read() {
        let decoded = Case::new(0x0a).body(&[0x1234_8086, 1, 0]).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (1, 12));
        assert_eq!(decoded.field("id.vendor_id"), 0x8086);
        assert_eq!(decoded.field("id.device_id"), 0x1234);
        assert_eq!(decoded.field("capabilities.configuration_rrs_software_visibility"), 1);
        assert_eq!(decoded.field("control.configuration_rrs_software_visibility_enable"), 0);
        assert_eq!(decoded.paths().len(), 3);
        assert_eq!(Case::new(0x0a).limit(0x108).decode().raw("capabilities"), None);
    }
}
