//! CXL memory devices (drivers/cxl/pci.c).

use super::super::event::{Kind, Level, Wording};

/// Everything that this speaker says.
pub const KINDS: &[Kind] = &[Kind::new(
    "cxl.mailbox-timeout",
    Level::Device,
    "The device did not complete a command of its mailbox in time.",
    "drivers/cxl/pci.c (cxl_pci_mbox_wait_for_doorbell, __cxl_pci_mbox_send_cmd)",
    &[
        Wording::whole("timeout awaiting mailbox idle", r"<dev>timeout awaiting mailbox idle"),
        Wording::whole("mailbox timeout", r"<dev>.*mailbox timeout"),
    ],
)];
