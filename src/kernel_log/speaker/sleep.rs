//! When the whole machine sleeps and wakes: devices taken away meanwhile are found missing afterwards.

use super::super::event::{Kind, Level, Wording};

/// Everything that this speaker says.
pub const KINDS: &[Kind] = &[
    Kind::new(
        "sleep.entry",
        Level::Information,
        "The machine goes to sleep.",
        "kernel/power/suspend.c, drivers/acpi/sleep.c",
        &[
            Wording::whole("suspend entry", r"^PM: suspend entry \((?P<state>\S+)\)"),
            Wording::whole(
                "Preparing to enter system sleep state",
                r"^ACPI: (?:PM: )?Preparing to enter system sleep state (?P<state>S\d)",
            ),
        ],
    ),
    Kind::new(
        "sleep.exit",
        Level::Information,
        "The machine woke up.",
        "kernel/power/suspend.c, drivers/acpi/sleep.c",
        &[
            Wording::whole("suspend exit", r"^PM: suspend exit"),
            Wording::whole(
                "Waking up from system sleep state",
                r"^ACPI: (?:PM: )?Waking up from system sleep state (?P<state>S\d)",
            ),
        ],
    ),
];
