//! Process Address Space ID, extended capability ID 001Bh. PCIe 6.2, 7.8.9.

use crate::pci::decode::{Builder, Specification};
use crate::pci::register::{Meaning, Quantity, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x1b,
    key: "pasid",
    name: "Process Address Space ID",
    section: "PCIe 6.2, 7.8.9",
    layout: Some(layout),
    registers: &[PasidCapability::REGISTER, PasidControl::REGISTER],
};

register! {
    /// What the function can do with process address spaces.
    pub struct PasidCapability(u16) at 0x04, "capability", "PASIDCap", "PCIe 6.2, 7.8.9.2" {
        /// Can ask for permission to execute.
        1 execute_permission_supported Ro "Exec",
        /// Can ask for access in privileged mode.
        2 privileged_mode_supported Ro "Priv",
        /// Can send requests that have a translated address and a process address space ID.
        3 translated_requests_with_pasid_supported Ro "TransReq",
        /// Bits of the IDs, 0 to 20; 0 where there is only the ID 0.
        12:8 max_pasid_width Ro "Max PASID Width" = Meaning::Quantity(pasid_width),
    }
    /// What the function may do with process address spaces.
    pub struct PasidControl(u16) at 0x06, "control", "PASIDCtl", "PCIe 6.2, 7.8.9.3" {
        /// May use process address space IDs.
        0 pasid_enable Rw "Enable",
        /// May ask for permission to execute.
        1 execute_permission_enable Rw "Exec",
        /// May ask for access in privileged mode.
        2 privileged_mode_enable Rw "Priv",
        /// May send requests that have a translated address and a process address space ID.
        3 translated_requests_with_pasid_enable Rw "TransReq",
    }
}

fn pasid_width(bits: u64) -> Quantity {
    if bits <= 20 { Quantity::Count(bits) } else { Quantity::Reserved }
}

fn layout(builder: &mut Builder<'_>) {
    builder.load(0x04, 4);
    builder.add::<PasidCapability>();
    builder.add::<PasidControl>();
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;
    use super::*;

    #[test]
    fn both_registers_are_one_read() {
        let decoded = Case::new(0x1b).body(&[0x000d_140e]).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (1, 4));
        for (path, value) in [
            ("capability.execute_permission_supported", 1),
            ("capability.privileged_mode_supported", 1),
            ("capability.translated_requests_with_pasid_supported", 1),
            ("capability.max_pasid_width", 20),
            ("control.pasid_enable", 1),
            ("control.execute_permission_enable", 0),
            ("control.privileged_mode_enable", 1),
            ("control.translated_requests_with_pasid_enable", 1),
        ] {
            assert_eq!(decoded.field(path), value, "{path}");
        }
        assert_eq!((pasid_width(20), pasid_width(21)), (Quantity::Count(20), Quantity::Reserved));
        assert_eq!(Case::new(0x1b).limit(0x104).decode().raw("capability"), None);
    }
}
