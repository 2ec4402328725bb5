//! USB host controllers (drivers/usb/host/xhci.c, xhci-ring.c, drivers/usb/core).

use super::super::event::{Kind, Level, Wording};

/// Everything that this speaker says.
pub const KINDS: &[Kind] = &[
    Kind::new(
        "xhci.dead",
        Level::Bus,
        "The controller does not answer: it is gone from the bus, or its firmware hangs.",
        "drivers/usb/host/xhci-ring.c (xhci_hc_died)",
        &[
            Wording::whole(
                "not responding, assume dead",
                r"<dev>xHCI host controller not responding, assume dead",
            ),
            Wording::whole(
                "Host controller not accessible",
                r"<dev>Host controller not accessible, removed\?",
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
