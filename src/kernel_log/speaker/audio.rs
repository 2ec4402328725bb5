//! High-definition audio, also that of GPUs (sound/hda).

use super::super::event::{Kind, Level, Wording};

/// Everything that this speaker says.
pub const KINDS: &[Kind] = &[Kind::new(
    "audio.pointer-reads-all-ones",
    Level::Bus,
    "The controller's read pointer (CORBRP) reads 65535, all-ones, as it does where nothing answers.",
    "sound/hda/core/controller.c (snd_hdac_bus_init_cmd_io)",
    &[Wording::whole("CORBRP = 65535", r"<dev>CORB reset timeout#\d+, CORBRP = 65535\b")],
)];
