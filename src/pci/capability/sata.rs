//! SATA Data/Index Configuration, capability ID 12h: where a host controller has its pair of index and data registers.
//! Serial ATA AHCI 1.3.1, 2.4.

use crate::pci::decode::{Builder, Specification};
use crate::pci::register::{Meaning, Quantity, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Standard,
    id: 0x12,
    key: "sata",
    name: "SATA Data/Index Configuration",
    section: "Serial ATA AHCI 1.3.1, 2.4",
    layout: Some(layout),
    registers: &[Revision::REGISTER, Location::REGISTER],
};

register! {
    /// Version of the capability.
    pub struct Revision(u16) at 0x02, "revision", "SATA HBA", "Serial ATA AHCI 1.3.1, 2.4" {
        /// Number behind the point.
        3:0 minor Ro "minor",
        /// Number before the point.
        7:4 major Ro "major",
    }

    /// Where the pair is. lspci prints the offset as it stands in the register, in doublewords.
    pub struct Location(u32) at 0x04, "location", "Location", "Serial ATA AHCI 1.3.1, 2.4" {
        /// Base Address Register that maps it, or configuration space.
        3:0 bar_location Ro "BAR" = Meaning::Choice(BAR_LOCATION),
        /// Offset in the BAR.
        23:4 bar_offset Ro "Offset" = Meaning::Quantity(doublewords),
    }
}

/// The pair follows in configuration space.
const IN_CONFIGURATION_SPACE: u32 = 0xf;
const BAR_LOCATION: &[(u64, &str)] = &[
    (4, "0"),
    (5, "1"),
    (6, "2"),
    (7, "3"),
    (8, "4"),
    (9, "5"),
    (0xf, "none: in configuration space, behind this register"),
];

fn doublewords(count: u64) -> Quantity {
    Quantity::Offset(count * 4)
}

fn layout(builder: &mut Builder<'_>) {
    builder.add::<Revision>();
    let location = builder.add::<Location>();
    if location.is_some_and(|l| l.bar_location() == IN_CONFIGURATION_SPACE) {
        // Index and data: the second shows the register that a write to the first has selected, so it is not read.
        builder.reaches(0x10);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{decode, decode_in, placed, reads};
    use super::*;
    use crate::pci::decode::Context;

    /// lspci calls it: SATA HBA v1.0 BAR4 Offset=00000004.
    #[test]
    fn a_pair_behind_a_bar() {
        let bytes = [0x12, 0, 0x10, 0, 0x48, 0, 0, 0];
        let (capability, anomalies) = decode(Context::default(), &bytes);
        assert!(anomalies.is_empty());
        assert_eq!(placed(&capability), [("revision", 2), ("location", 4)]);
        let revision: Revision = capability.get().unwrap();
        assert_eq!((revision.major(), revision.minor()), (1, 0));
        let location: Location = capability.get().unwrap();
        assert_eq!((location.bar_location(), location.bar_offset()), (8, 4));
        assert_eq!(doublewords(4), Quantity::Offset(16));
        assert_eq!((capability.end, reads(Context::default(), &bytes)), (0x48, vec![(4, 4)]));
    }

    #[test]
    fn a_pair_in_configuration_space_is_not_read() {
        let bytes = [0x12, 0, 0x10, 0, 0x0f, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];
        let (capability, _) = decode(Context::default(), &bytes);
        assert_eq!(capability.end, 0x50);
        assert_eq!(reads(Context::default(), &bytes), [(4, 4)]);
    }

    #[test]
    fn what_cannot_be_read_has_no_value() {
        let mut space = vec![0; 0x44];
        space[0x40..].copy_from_slice(&[0x12, 0, 0x10, 0]);
        let (capability, _) = decode_in(Context::default(), &space);
        assert_eq!((capability.get(), capability.get::<Location>()), (Some(Revision(0x10)), None));
    }
}
