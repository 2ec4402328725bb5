//! NVMe (drivers/nvme/host/pci.c, core.c). Lines name the controller; `pci function` says which device that is.

use super::super::event::{Kind, Level, Wording};

const PCI: &str = "drivers/nvme/host/pci.c";

/// Everything that this speaker says.
pub const KINDS: &[Kind] = &[
    Kind::new(
        "nvme.controller-down",
        Level::Depends,
        "The controller does not work. A Controller Status of 0xffffffff is all-ones: nothing answers on the bus; \
         anything else comes from the controller's own firmware.",
        "drivers/nvme/host/pci.c (nvme_warn_reset)",
        &[
            Wording::whole(
                "controller is down",
                r"^nvme (?P<controller>nvme\d+): controller is down; will reset: CSTS=(?P<controller_status>0x[0-9a-f]+)(?:, PCI_STATUS(?:=(?P<pci_status>0x[0-9a-f]+)| read failed \((?P<error>-?\d+)\)))?",
            )
            .of("nvme"),
            Wording::whole(
                "Failed status:",
                r"^(?P<driver>nvme) (?P<device><bdf>): Failed status: (?P<controller_status>[0-9a-f]+), reset controller",
            )
            .of("nvme"),
        ],
    ),
    Kind::new(
        "nvme.power-saving-suspected",
        Level::Information,
        "The driver's advice after it read all-ones: to try without power saving. It is no finding.",
        "drivers/nvme/host/pci.c (nvme_warn_reset)",
        &[
            Wording::whole("faulty power saving mode", r"^nvme (?P<controller>nvme\d+): Does your device have a faulty power saving mode").of("nvme"),
            Wording::whole("default_ps_max_latency_us=0", r"^nvme (?P<controller>nvme\d+): Try .nvme_core\.default_ps_max_latency_us=0").of("nvme"),
        ],
    ),
    Kind::new(
        "nvme.interrupt-lost",
        Level::Driver,
        "A command was completed and the interrupt that should have said so did not come.",
        "drivers/nvme/host/pci.c (nvme_timeout)",
        &[Wording::whole(
            "timeout, completion polled",
            r"^nvme (?P<controller>nvme\d+): I/O (?:tag )?(?P<tag>\d+)(?: \([0-9a-f]{4}\))? QID (?P<queue>\d+) timeout, completion polled",
        )
        .of("nvme")],
    ),
    Kind::new(
        "nvme.command-timeout",
        Level::Device,
        "The controller did not complete a command in time.",
        "drivers/nvme/host/pci.c (nvme_timeout)",
        &[Wording::whole(
            " timeout, ",
            r"^nvme (?P<controller>nvme\d+): I/O (?:tag )?(?P<tag>\d+)(?: \([0-9a-f]{4}\))? (?:opcode 0x[0-9a-f]+ \(.*\) )?QID (?P<queue>\d+) timeout, (?P<what>aborting|reset controller|disable controller)",
        )
        .of("nvme")],
    ),
    Kind::new(
        "nvme.not-ready",
        Level::Device,
        "The controller did not become ready after it was enabled or reset.",
        "drivers/nvme/host/core.c (nvme_wait_ready)",
        &[Wording::whole(
            "Device not ready; aborting",
            r"^nvme (?P<controller>nvme\d+): Device not ready; aborting (?P<operation>\w+)(?:, CSTS=(?P<controller_status>0x[0-9a-f]+))?",
        )
        .of("nvme")],
    ),
    Kind::new(
        "nvme.given-up",
        Level::Consequence,
        "The driver gave the controller up; its disks are gone. The lines before say why.",
        PCI,
        &[
            Wording::whole(
                "Removing after probe failure",
                r"^nvme (?P<controller>nvme\d+): Removing after probe failure(?: status: (?P<error>-?\d+))?",
            )
            .of("nvme"),
            Wording::whole(
                "Disabling device after reset failure",
                r"^nvme (?P<controller>nvme\d+): Disabling device after reset failure: (?P<error>-?\d+)",
            )
            .of("nvme"),
        ],
    ),
    Kind::new(
        "nvme.recovery",
        Level::Consequence,
        "The driver takes part in the recovery from an error on the bus.",
        "drivers/nvme/host/pci.c (nvme_error_detected)",
        &[
            Wording::whole(
                "state error detected",
                r"^nvme (?P<controller>nvme\d+): (?P<state>frozen|failure) state error detected, (?P<what>.+)$",
            )
            .of("nvme"),
            Wording::whole("restart after slot reset", r"^nvme (?P<controller>nvme\d+): (?P<what>restart after slot reset)").of("nvme"),
        ],
    ),
    Kind::new(
        "nvme.bound",
        Level::Information,
        "Which device a controller is.",
        "drivers/nvme/host/pci.c (nvme_probe)",
        &[Wording::whole("pci function ", r"^nvme (?P<controller>nvme\d+): pci function (?P<device><bdf>)").of("nvme")],
    ),
    Kind::new(
        "nvme.started",
        Level::Information,
        "The controller works.",
        PCI,
        &[Wording::whole(
            "/read/poll queues",
            r"^nvme (?P<controller>nvme\d+): (?P<detail>\d+/\d+/\d+) default/read/poll queues",
        )
        .of("nvme")],
    ),
];
