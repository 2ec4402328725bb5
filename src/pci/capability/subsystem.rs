//! Subsystem ID and Subsystem Vendor ID, capability ID 0Dh: what endpoints have in their header, for bridges.
//! PCIe 6.2, 7.9.23.

use crate::pci::decode::{Builder, Specification};
use crate::pci::register::{Meaning, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Standard,
    id: 0x0d,
    key: "subsystem",
    name: "Subsystem ID and Subsystem Vendor ID",
    section: "PCIe 6.2, 7.9.23",
    layout: Some(layout),
    registers: &[VendorId::REGISTER, Id::REGISTER],
};

register! {
    /// Who made the board.
    pub struct VendorId(u16) at 0x04, "vendor_id", "SVendor", "PCIe 6.2, 7.9.23.2" {
        /// Assigned by the PCI-SIG.
        15:0 id HwInit "id" = Meaning::Hex,
    }

    /// Which board.
    pub struct Id(u16) at 0x06, "id", "SDevice", "PCIe 6.2, 7.9.23.3" {
        /// Chosen by the board's manufacturer.
        15:0 id HwInit "id" = Meaning::Hex,
    }
}

fn layout(builder: &mut Builder<'_>) {
    builder.load(0x04, 4);
    builder.add::<VendorId>();
    builder.add::<Id>();
}

#[cfg(test)]
mod tests {
    use super::super::testing::{decode, reads};
    use super::*;
    use crate::pci::decode::Context;

    #[test]
    fn both_identifiers() {
        let bytes = [0x0d, 0, 0, 0, 0x86, 0x80, 0x53, 0x4f];
        let (capability, _) = decode(Context::default(), &bytes);
        assert_eq!(capability.get(), Some(VendorId(0x8086)));
        assert_eq!(capability.get(), Some(Id(0x4f53)));
        assert_eq!(reads(Context::default(), &bytes), [(4, 4)]);
    }
}
