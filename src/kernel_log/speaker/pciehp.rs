//! Native hot-plug (drivers/pci/hotplug/pciehp_ctrl.c, pciehp_hpc.c, pciehp_core.c).

use super::super::event::{Kind, Level, Wording};

const CTRL: &str = "drivers/pci/hotplug/pciehp_ctrl.c";
const HPC: &str = "drivers/pci/hotplug/pciehp_hpc.c";

/// Everything that this speaker says.
pub const KINDS: &[Kind] = &[
    Kind::new(
        "pciehp.link-ignored",
        Level::Information,
        "The link went down and came back for a reason that the kernel knows: containment or a reset of its own.",
        HPC,
        &[Wording::whole(
            "Link Down/Up ignored",
            r"<dev>(?:pciehp: )?Slot\((?P<slot>[^)]+)\): Link Down/Up ignored(?: \((?P<reason>[^)]+)\))?",
        )],
    ),
    Kind::new(
        "pciehp.link-down",
        Level::Bus,
        "The link of a hot-plug slot went down. With `card-not-present` beside it the card was taken out; alone, the \
         link failed or the card lost power.",
        CTRL,
        &[Wording::whole(
            "Link Down",
            r"<dev>(?:pciehp: )?[Ss]lot\((?P<slot>[^)]+)\): Link Down(?: event(?: queued.*| ignored.*)?)?(?:[ ,;].*)?$",
        )],
    ),
    Kind::new(
        "pciehp.link-up",
        Level::Information,
        "The link of a hot-plug slot came up.",
        CTRL,
        &[Wording::whole(
            "Link Up",
            r"(?:<dev>|^)(?:pciehp: )?[Ss]lot\((?P<slot>[^)]+)\): Link Up(?: event.*)?",
        )],
    ),
    Kind::new(
        "pciehp.card-not-present",
        Level::Information,
        "The slot is empty: the card was taken out, or its presence pins lost contact. Everything after this about the \
         device in it follows from it.",
        CTRL,
        &[
            Wording::whole(
                "Card not present",
                r"<dev>(?:pciehp: )?Slot\((?P<slot>[^)]+)\): Card not present",
            ),
            Wording::whole("Card not present", r"<dev>Card not present on Slot\((?P<slot>[^)]+)\)"),
        ],
    ),
    Kind::new(
        "pciehp.card-present",
        Level::Information,
        "A card is in the slot.",
        CTRL,
        &[
            Wording::whole("Card present", r"(?:<dev>|^)(?:pciehp: )?Slot\((?P<slot>[^)]+)\): Card present"),
            Wording::whole("Card present", r"<dev>Card present on Slot\((?P<slot>[^)]+)\)"),
        ],
    ),
    Kind::new(
        "pciehp.no-link",
        Level::Bus,
        "A card is in the slot and its link does not come up.",
        CTRL,
        &[
            Wording::whole("): No link", r"<dev>(?:pciehp: )?Slot\((?P<slot>[^)]+)\): No link"),
            Wording::whole(
                "Cannot train link",
                r"<dev>(?:pciehp: )?Slot\((?P<slot>[^)]+)\): Cannot train link: status (?P<link_status>0x[0-9a-f]{4})",
            ),
            Wording::whole("Link Training Error", r"<dev>(?:pciehp: )?Link Training Error occurs"),
        ],
    ),
    Kind::new(
        "pciehp.no-device",
        Level::Bus,
        "A card is in the slot, its link is up, and nothing answers behind it.",
        CTRL,
        &[
            Wording::whole("No device found", r"<dev>(?:pciehp: )?Slot\((?P<slot>[^)]+)\): No device found"),
            Wording::whole("No adapter on slot", r"<dev>(?:pciehp: )?No adapter on slot\((?P<slot>[^)]+)\)"),
            Wording::whole(
                "Cannot add device at",
                r"<dev>(?:pciehp: )?Cannot add device at (?P<address>[0-9a-f]{4,8}):",
            ),
        ],
    ),
    Kind::new(
        "pciehp.power-fault",
        Level::Power,
        "The slot's power controller detected a fault and switched the card off.",
        CTRL,
        &[
            Wording::whole("Power fault", r"<dev>(?:pciehp: )?Slot\((?P<slot>[^)]+)\): Power fault"),
            Wording::whole("Power fault", r"<dev>(?:pciehp: )?Power fault (?:detected|on slot|bit)"),
        ],
    ),
    Kind::new(
        "pciehp.latch-open",
        Level::Information,
        "Somebody opened the slot's latch.",
        CTRL,
        &[Wording::whole("Latch open", r"<dev>(?:pciehp: )?(?:Slot\((?P<slot>[^)]+)\): )?Latch open")],
    ),
    Kind::new(
        "pciehp.button",
        Level::Information,
        "Somebody pressed the slot's attention button.",
        CTRL,
        &[Wording::whole(
            "utton pressed",
            r"<dev>(?:pciehp: )?Slot\((?P<slot>[^)]+)\): (?:[Aa]ttention )?[Bb]utton pressed",
        )],
    ),
    Kind::new(
        "pciehp.already",
        Level::Information,
        "The slot was in the wanted state already.",
        CTRL,
        &[Wording::whole(
            "): Already ",
            r"<dev>(?:pciehp: )?Slot\((?P<slot>[^)]+)\): Already (?P<state>enabled|disabled)",
        )],
    ),
    Kind::new(
        "pciehp.no-response",
        Level::Bus,
        "The port itself does not answer: it was taken away with everything below it.",
        HPC,
        &[Wording::whole(
            "no response from device",
            r"<dev>(?:pciehp: )?(?P<operation>\w+): no response from device",
        )],
    ),
    Kind::new(
        "pciehp.command-timeout",
        Level::Device,
        "The hot-plug controller never said that a command was completed; some never do, and hot-plug works all the same.",
        HPC,
        &[Wording::whole(
            "Timeout on hotplug command",
            r"<dev>(?:pciehp: )?Timeout on hotplug command (?P<command>0x[0-9a-f]+)(?: \(issued (?P<milliseconds>\d+) msec ago\))?",
        )],
    ),
    Kind::new(
        "pciehp.enabled",
        Level::Information,
        "The kernel handles hot-plug of this slot.",
        HPC,
        &[Wording::whole("AttnBtn", r"<dev>(?:pciehp: )?Slot #(?P<slot>\d+) (?P<flags>AttnBtn.+)$")],
    ),
    Kind::new(
        "pciehp.link-check",
        Level::Information,
        "A debugging message with the Link Status of the slot's port.",
        HPC,
        &[Wording::whole("lnk_status = ", r"<dev>(?:pciehp: )?\w+: lnk_status = (?P<link_status>[0-9a-f]+)")],
    ),
    Kind::new(
        "pciehp.unconfigured",
        Level::Consequence,
        "The kernel removes the devices of a slot.",
        "drivers/pci/hotplug/pciehp_pci.c",
        &[Wording::whole(
            "pciehp_unconfigure_device",
            r"<dev>(?:pciehp: )?pciehp_unconfigure_device: domain:bus:dev = (?P<address>[0-9a-f]+):",
        )],
    ),
];
