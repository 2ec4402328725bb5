//! Vital Product Data, capability ID 03h: the way to the device's part and serial numbers. PCIe 6.2, 7.9.18.
//!
//! The data is behind a window: a write of the address, with the flag clear, makes the device fetch four bytes. So
//! nothing is read here but the address; the data comes from the kernel's `vpd` file, when it is asked for, and is
//! taken apart in [`crate::pci::vpd`].

use crate::pci::decode::{Builder, Specification};
use crate::pci::register::{Meaning, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Standard,
    id: 0x03,
    key: "vpd",
    name: "Vital Product Data",
    section: "PCIe 6.2, 7.9.18",
    layout: Some(layout),
    registers: &[Address::REGISTER],
};

register! {
    /// Address of the four bytes that were asked for last. The data register at 04h is not read: what it holds is
    /// decided by a write to this one.
    pub struct Address(u16) at 0x02, "address", "Address", "PCIe 6.2, 7.9.18.1" {
        /// Byte address in the vital product data, a multiple of four.
        14:0 address Rw "Address" = Meaning::Hex,
        /// The transfer is over: set by the device when it has read, cleared by it when it has written.
        15 flag Rw "F",
    }
}

/// Bytes of the capability.
const SIZE: u16 = 8;

fn layout(builder: &mut Builder<'_>) {
    builder.add::<Address>();
    builder.reaches(SIZE);
}

#[cfg(test)]
mod tests {
    use super::super::testing::{decode, placed, reads};
    use super::*;
    use crate::pci::decode::Context;

    #[test]
    fn the_data_is_left_alone() {
        let bytes = [0x03, 0, 0x04, 0x80, 1, 2, 3, 4];
        let (capability, _) = decode(Context::default(), &bytes);
        assert_eq!(placed(&capability), [("address", 2)]);
        let address: Address = capability.get().unwrap();
        assert_eq!((address.address(), address.flag()), (4, true));
        assert_eq!(capability.end, 0x48, "the data register is part of it all the same");
        assert!(reads(Context::default(), &bytes).is_empty());
    }
}
