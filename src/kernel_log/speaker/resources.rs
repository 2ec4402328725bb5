//! Address windows and BARs (drivers/pci/setup-bus.c, setup-res.c, probe.c).
//!
//! Up to 6.0 the kernel counts resources: 0 to 5 are BARs, 6 the ROM, and from 7 on VF BARs and bridge windows, whose
//! numbers depend on how it was built (include/linux/pci.h): 7 to 10 or 13 to 16 are windows. Later kernels name them.

use super::super::event::{Kind, Level, Wording};

const SETUP: &str = "drivers/pci/setup-bus.c, drivers/pci/setup-res.c";
const BRACKET: &str = "drivers/pci/probe.c, drivers/pci/setup-res.c";

/// Everything that this speaker says.
pub const KINDS: &[Kind] = &[
    Kind::new(
        "resources.no-io-window",
        Level::Information,
        "A bridge got no window for I/O space. Hardly any device behind a bridge needs one: mostly this is noise.",
        SETUP,
        &[
            Wording::whole(
                "no space for [io",
                r"<dev>BAR (?P<bar>[7-9]|1\d): no space for (?P<resource>\[io[^\]]*\])",
            ),
            Wording::whole(
                "assign [io",
                r"<dev>BAR (?P<bar>[7-9]|1\d): failed to assign (?P<resource>\[io[^\]]*\])",
            ),
            Wording::whole(
                "bridge window [io",
                r"<dev>(?P<bar_name>bridge window) (?P<resource>\[io[^\]]*\]): (?:can't assign; no space|failed to assign)",
            ),
        ],
    ),
    Kind::new(
        "resources.no-space",
        Level::Firmware,
        "There was no room for this BAR or bridge window in the window above it. Later attempts may find some: the last \
         line about it counts.",
        SETUP,
        &[
            Wording::whole("no space for", r"<dev>BAR (?P<bar>[0-6]): no space for (?P<resource>\[[^\]]+\])"),
            Wording::whole(
                "no space for [mem",
                r"<dev>BAR (?P<bar>[7-9]|1\d): no space for (?P<resource>\[mem[^\]]+\])",
            ),
            Wording::whole(
                "can't assign; no space",
                r"<dev>(?P<bar_name>(?:VF )?BAR \d+|ROM) (?P<resource>\[[^\]]+\]): can't assign; no space",
            ),
            Wording::whole(
                "can't assign; no space",
                r"<dev>(?P<bar_name>bridge window) (?P<resource>\[mem[^\]]+\]): can't assign; no space",
            ),
        ],
    ),
    Kind::new(
        "resources.not-assigned",
        Level::Firmware,
        "This BAR or bridge window got no address in this attempt. Later attempts may succeed: the last line counts.",
        SETUP,
        &[
            Wording::whole(
                "failed to assign",
                r"<dev>BAR (?P<bar>[0-6]): failed to assign (?P<resource>\[[^\]]+\])",
            ),
            Wording::whole(
                "assign [mem",
                r"<dev>BAR (?P<bar>[7-9]|1\d): failed to assign (?P<resource>\[mem[^\]]+\])",
            ),
            Wording::whole(
                "]: failed to assign",
                r"<dev>(?P<bar_name>(?:VF )?BAR \d+|ROM) (?P<resource>\[[^\]]+\]): failed to assign",
            ),
            Wording::whole(
                "]: failed to assign",
                r"<dev>(?P<bar_name>bridge window) (?P<resource>\[mem[^\]]+\]): failed to assign",
            ),
            Wording::whole("can't assign [", r"<dev>BAR (?P<bar>\d+): can't assign (?P<resource>\[[^\]]+\])"),
            Wording::whole(
                "can't assign; bogus",
                r"<dev>(?P<bar_name>(?:VF )?BAR \d+|ROM|bridge window) (?P<resource>\[[^\]]+\]): can't assign; bogus alignment",
            ),
        ],
    ),
    Kind::new(
        "resources.assigned",
        Level::Information,
        "This BAR or bridge window got an address.",
        SETUP,
        &[
            Wording::whole(": assigned [", r"<dev>BAR (?P<bar>\d+): assigned (?P<resource>\[[^\]]+\])"),
            Wording::whole(
                "]: assigned",
                r"<dev>(?P<bar_name>(?:VF )?BAR \d+|ROM|bridge window) (?P<resource>\[[^\]]+\]): assigned",
            ),
        ],
    ),
    Kind::new(
        "resources.released",
        Level::Information,
        "The kernel takes an address back to assign it anew.",
        SETUP,
        &[
            Wording::whole(
                "]: releasing",
                r"<dev>(?P<bar_name>(?:VF )?BAR \d+|ROM|bridge window) (?P<resource>\[[^\]]+\]): releasing",
            ),
            Wording::whole("releasing [", r"<dev>BAR (?P<bar>\d+): releasing (?P<resource>\[[^\]]+\])"),
            Wording::whole("] released", r"<dev>resource (?P<bar>\d+) (?P<resource>\[[^\]]+\]) released"),
        ],
    ),
    Kind::new(
        "resources.cannot-enable",
        Level::Firmware,
        "A driver could not enable the device because this BAR has no address or was not claimed.",
        "drivers/pci/setup-res.c (pci_enable_resources)",
        &[
            Wording::whole(
                "can't enable device",
                r"<dev>(?P<bar_name>(?:VF )?BAR \d+|ROM|bridge window) (?P<resource>\[[^\]]+\]): not (?P<state>assigned|claimed); can't enable device",
            ),
            Wording::whole(
                "can't enable device",
                r"<dev>can't enable device: BAR (?P<bar>\d+) (?P<resource>\[[^\]]+\]) not (?P<state>assigned|claimed)",
            ),
        ],
    ),
    Kind::new(
        "resources.cannot-claim",
        Level::Firmware,
        "Firmware gave this BAR or window an address that does not fit into the window above it, or none.",
        "drivers/pci/setup-res.c (pci_claim_resource)",
        &[
            Wording::whole(
                "can't claim;",
                r"<dev>(?P<bar_name>(?:VF )?BAR \d+|ROM|bridge window) (?P<resource>\[[^\]]+\]): can't claim; (?P<reason>[\w ]+)",
            ),
            Wording::whole(
                "can't claim BAR",
                r"<dev>can't claim BAR (?P<bar>\d+) (?P<resource>\[[^\]]+\]): (?P<reason>[\w ]+)",
            ),
        ],
    ),
    Kind::new(
        "resources.conflict",
        Level::Firmware,
        "Two devices claim the same addresses.",
        SETUP,
        &[Wording::whole(
            "conflicts with",
            r"<dev>BAR (?P<bar>\d+): (?P<resource>\[[^\]]+\]) conflicts with (?P<name>[^\[]+) \[",
        )],
    ),
    Kind::new(
        "resources.reservation-ignored",
        Level::Information,
        "Firmware reserves addresses that a BAR has, and the kernel leaves the reservation aside: the device keeps them. Hardly \
         ever does anybody notice.",
        "drivers/pnp/quirks.c (quirk_system_pci_resources)",
        &[Wording::whole(
            "because it overlaps",
            r"^pnp (?P<name>\S+): disabling (?P<resource>\[[^\]]+\]) because it overlaps (?P<device><bdf>) BAR (?P<bar>\d+)",
        )],
    ),
    Kind::new(
        "resources.taken",
        Level::Driver,
        "A driver asked for this BAR, and another driver or the kernel itself has its addresses. If it matters, the driver says that \
         it could not start.",
        "drivers/pci/pci.c (pci_request_region)",
        &[Wording::whole("can't reserve", r"<dev>BAR (?P<bar>\d+): can't reserve (?P<resource>\[[^\]]+\])")],
    ),
    Kind::new(
        "resources.not-taken",
        Level::Bus,
        "An address was written into a BAR and something else was read back. All-ones: the device does not answer.",
        "drivers/pci/setup-res.c (pci_std_update_resource)",
        &[Wording::whole(
            "error updating",
            r"<dev>(?:BAR (?P<bar>\d+)|(?P<bar_name>(?:VF )?BAR \d+|ROM)[^:]*): error updating \((?:high )?(?P<value>(?:0x)?[0-9a-f]+) != (?P<was>(?:0x)?[0-9a-f]+)\)",
        )],
    ),
    Kind::new(
        "resources.cannot-map",
        Level::Firmware,
        "A driver could not map this BAR, because it has no address.",
        "drivers/pci/pci.c (pci_ioremap_bar)",
        &[Wording::whole(
            "can't ioremap BAR",
            r"<dev>can't ioremap BAR (?P<bar>\d+): (?P<resource>\[[^\]]+\])",
        )],
    ),
    Kind::new(
        "resources.firmware-address",
        Level::Information,
        "The kernel tries the address that firmware gave this BAR.",
        SETUP,
        &[Wording::whole(
            "trying firmware assignment",
            r"<dev>BAR (?P<bar>\d+): trying firmware assignment (?P<resource>\[[^\]]+\])",
        )],
    ),
    Kind::new(
        "resources.some-unassigned",
        Level::Firmware,
        "Some BAR has no address; the kernel was not allowed to move what firmware assigned.",
        "drivers/pci/setup-bus.c",
        &[Wording::whole(
            "resources are unassigned",
            r"Some PCI device resources are unassigned, try booting with pci=realloc",
        )],
    ),
    Kind::new(
        "resources.bar",
        Level::Information,
        "A BAR as it was found.",
        BRACKET,
        &[
            Wording::whole(": reg 0x", r"<dev>reg (?P<offset>0x[0-9a-f]{2,3}): (?P<resource>\[[^\]]+\])"),
            Wording::whole(
                "BAR ",
                r"<dev>(?P<bar_name>(?:VF )?BAR \d+|ROM) (?P<resource>\[[^\]]+\])(?:: contains .*)?$",
            ),
        ],
    ),
    Kind::new(
        "resources.window",
        Level::Information,
        "A window of a bridge or of a host bridge.",
        BRACKET,
        &[
            Wording::whole(
                "bridge window [",
                r"<dev>\s*bridge window (?P<resource>\[[^\]]+\])(?: \[\.\.\.\]| to .*)?$",
            ),
            Wording::whole(
                "root bus resource [",
                r"^pci_bus (?P<name>\S+): root bus resource (?P<resource>\[[^\]]+\])",
            ),
        ],
    ),
];
