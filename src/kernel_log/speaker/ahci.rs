//! SATA controllers (drivers/ata/libahci.c).

use super::super::event::{Kind, Level, Wording};

/// Everything that this speaker says.
pub const KINDS: &[Kind] = &[
    Kind::new(
        "ahci.unavailable",
        Level::Bus,
        "The controller reads all-ones: it does not answer on the bus.",
        "drivers/ata/libahci.c (ahci_is_device_present)",
        &[Wording::whole("AHCI controller unavailable", r"(?:<dev>|)AHCI controller unavailable!")],
    ),
    Kind::new(
        "ahci.reset-failed",
        Level::Depends,
        "The controller did not finish its reset. A value of 0xffffffff is all-ones: nothing answers on the bus.",
        "drivers/ata/libahci.c (ahci_reset_controller)",
        &[Wording::whole(
            "controller reset failed (0x",
            r"<dev>controller reset failed \((?P<value>0x[0-9a-f]+)\)",
        )],
    ),
];
