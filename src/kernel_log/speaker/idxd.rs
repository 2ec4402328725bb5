//! Intel's data streaming and analytics accelerators (drivers/dma/idxd).

use super::super::event::{Kind, Level, Wording};

/// Everything that this speaker says.
pub const KINDS: &[Kind] = &[Kind::new(
    "idxd.halted",
    Level::Device,
    "The accelerator halted after an error, and takes no commands until it is reset.",
    "drivers/dma/idxd/device.c (idxd_cmd_exec), drivers/dma/idxd/irq.c (idxd_halt)",
    &[
        Wording::whole("Device is HALTED!", r"<dev>Device is HALTED!"),
        Wording::whole("idxd halted, need", r"<dev>idxd halted, need (?P<what>\w[\w ]*)"),
    ],
)];
