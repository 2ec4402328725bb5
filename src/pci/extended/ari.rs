//! Alternative Routing-ID Interpretation, extended capability ID 000Eh. PCIe 6.2, 7.8.8.

use crate::pci::decode::{Builder, Specification};
use crate::pci::register::RegisterType;
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x0e,
    key: "ari",
    name: "Alternative Routing-ID Interpretation",
    section: "PCIe 6.2, 7.8.8",
    layout: Some(layout),
    registers: &[AriCapability::REGISTER, AriControl::REGISTER],
};

register! {
    /// Function groups, and which function comes next in the device.
    pub struct AriCapability(u16) at 0x04, "capability", "ARICap", "PCIe 6.2, 7.8.8.2" {
        /// Can arbitrate between function groups.
        0 mfvc_function_groups_capability Ro "MFVC",
        /// Can control access between function groups.
        1 acs_function_groups_capability Ro "ACS",
        /// Number of the next function of the device; 0 in the last one.
        15:8 next_function_number Ro "Next Function",
    }
    /// Which function group the function is in.
    pub struct AriControl(u16) at 0x06, "control", "ARICtl", "PCIe 6.2, 7.8.8.3" {
        /// Arbitrates between function groups, not functions.
        0 mfvc_function_groups_enable Rw "MFVC",
        /// Controls access between function groups, not functions.
        1 acs_function_groups_enable Rw "ACS",
        /// The group of the function.
        6:4 function_group Rw "Function Group",
    }
}

fn layout(builder: &mut Builder<'_>) {
    builder.add::<AriCapability>();
    builder.add::<AriControl>();
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;

    #[test]
    fn both_registers_are_one_read() {
        let decoded = Case::new(0x0e).body(&[0x0052_0102]).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (1, 4));
        assert_eq!(decoded.field("capability.next_function_number"), 1);
        assert_eq!(decoded.field("capability.mfvc_function_groups_capability"), 0);
        assert_eq!(decoded.field("capability.acs_function_groups_capability"), 1);
        assert_eq!(decoded.field("control.function_group"), 5);
        assert_eq!(decoded.field("control.acs_function_groups_enable"), 1);
        assert_eq!(Case::new(0x0e).limit(0x104).decode().raw("capability"), None);
    }
}
