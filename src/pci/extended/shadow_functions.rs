//! Shadow Functions, extended capability ID 002Dh. PCIe 6.2, 7.9.25.
//!
//! The instance entries behind the two registers are not decoded: public sources disagree on how far apart they are.

use crate::pci::decode::{Builder, Specification};
use crate::pci::quantity::minus_one;
use crate::pci::register::{Meaning, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x2d,
    key: "shadow_functions",
    name: "Shadow Functions",
    section: "PCIe 6.2, 7.9.25",
    layout: Some(layout),
    registers: &[Capability::REGISTER, Control::REGISTER],
};

register! {
    /// How many unimplemented functions lend their transaction IDs to this one.
    pub struct Capability(u32) at 0x04, "capability", "ShadowCap", "PCIe 6.2, 7.9.25.2" {
        /// Encoded as N-1.
        7:0 number_of_shadow_functions HwInit "Number" = Meaning::Quantity(minus_one),
    }
    /// Whether they are used.
    pub struct Control(u32) at 0x08, "control", "ShadowCtl", "PCIe 6.2, 7.9.25.3" {
        /// Requests may carry the transaction IDs of the shadow functions.
        0 shadow_functions_enable Rw "Enable",
    }
}

fn layout(builder: &mut Builder<'_>) {
    builder.load(0x04, 8);
    builder.add::<Capability>();
    builder.add::<Control>();
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;

    #[test]
    fn both_registers_in_one_read() {
        let decoded = Case::new(0x2d).body(&[3, 1, 0x0008]).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (1, 8));
        assert_eq!(decoded.field("capability.number_of_shadow_functions"), 3);
        assert_eq!(decoded.field("control.shadow_functions_enable"), 1);
        assert_eq!(Case::new(0x2d).limit(0x108).decode().raw("control"), None);
    }
}
