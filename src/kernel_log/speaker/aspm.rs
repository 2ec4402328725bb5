//! Active State Power Management (drivers/pci/pcie/aspm.c).

use super::super::event::{Kind, Level, Wording};

const ASPM: &str = "drivers/pci/pcie/aspm.c";

/// Everything that this speaker says.
pub const KINDS: &[Kind] = &[
    Kind::new(
        "aspm.off",
        Level::Information,
        "The kernel was told to leave ASPM alone (pcie_aspm=off). What firmware enabled stays on, and the kernel asks \
         for no control of errors and hot-plug either.",
        ASPM,
        &[Wording::whole("PCIe ASPM is", r"^PCIe ASPM is (?P<state>disabled|forcibly enabled)")],
    ),
    Kind::new(
        "aspm.not-controlled",
        Level::Firmware,
        "The kernel wanted to change ASPM of this device, and firmware did not give it control.",
        ASPM,
        &[Wording::whole(
            "have ASPM control",
            r"<dev>(?P<what>can't disable ASPM|can't override BIOS ASPM); OS doesn't have ASPM control",
        )],
    ),
    Kind::new(
        "aspm.disabled",
        Level::Information,
        "The kernel does not use ASPM, or not all of it, on this device's link.",
        ASPM,
        &[
            Wording::whole("disabling ASPM on", r"<dev>disabling ASPM on pre-1\.1 PCIe device"),
            Wording::whole(
                "treated as unsupported",
                r"<dev>ASPM: Link Capabilities (?P<state>.+) treated as unsupported",
            ),
            Wording::whole("Disabling L0s", r"<dev>[Dd]isabling (?P<state>L0s|L1|ASPM.*)"),
        ],
    ),
    Kind::new(
        "aspm.reconfigured",
        Level::Information,
        "The kernel retrained the link to use a common clock at both ends.",
        ASPM,
        &[Wording::whole(
            "common clock configuration is inconsistent",
            r"<dev>ASPM: current common clock configuration is (?:inconsistent|broken), reconfiguring",
        )],
    ),
];
