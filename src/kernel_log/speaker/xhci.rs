//! USB host controllers (drivers/usb/host/xhci.c, xhci-ring.c, drivers/usb/core).

use super::super::event::{Kind, Level, Wording};

/// Everything that this speaker says.
pub const KINDS: &[Kind] = &[
    Kind::new(
        "xhci.gone",
        Level::Bus,
        "The driver read all-ones from the controller: it does not answer on the bus.",
        "drivers/usb/host",
        &[Wording::whole(
            "Host controller not accessible",
            r"<dev>Host controller not accessible, removed\?",
        )],
    ),
    Kind::new(
        "xhci.dead",
        Level::Device,
        "The controller did not stop or answer a command in time: its firmware hangs, or it is gone from the bus.",
        "drivers/usb/host/xhci-ring.c (xhci_hc_died)",
        &[
            Wording::whole(
                "not responding, assume dead",
                r"<dev>xHCI host controller not responding, assume dead",
            ),
            Wording::whole("HC died; cleaning up", r"<dev>HC died; cleaning up"),
        ],
    ),
    Kind::new(
        "xhci.resume-failed",
        Level::Consequence,
        "The controller could not be woken up.",
        "drivers/usb/host/xhci.c (xhci_resume), drivers/usb/core/hcd-pci.c",
        &[
            Wording::whole(
                "Controller not ready at resume",
                r"<dev>Controller not ready at resume (?P<error>-?\d+)",
            ),
            Wording::whole("PCI post-resume error", r"<dev>PCI post-resume error (?P<error>-?\d+)"),
        ],
    ),
];
