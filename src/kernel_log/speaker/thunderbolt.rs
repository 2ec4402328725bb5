//! Thunderbolt and USB4 (drivers/thunderbolt): cables that are pulled take whole hierarchies with them.

use super::super::event::{Kind, Level, Wording};

/// Everything that this speaker says.
pub const KINDS: &[Kind] = &[Kind::new(
    "thunderbolt.disconnected",
    Level::Information,
    "A device was unplugged, and everything behind it with it.",
    "drivers/thunderbolt/switch.c",
    &[Wording::whole("device disconnected", r"^thunderbolt (?P<name>\d+-\w+): device disconnected")],
)];
