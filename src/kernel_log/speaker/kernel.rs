//! The kernel as a whole: when it starts, and when it breaks.

use super::super::event::{Kind, Level, Wording};

/// Everything that this speaker says.
pub const KINDS: &[Kind] = &[
    Kind::new(
        "kernel.start",
        Level::Information,
        "The machine starts.",
        "init/main.c",
        &[Wording::whole("Linux version ", r"^Linux version (?P<version>\S+)")],
    ),
    Kind::new(
        "kernel.command-line",
        Level::Information,
        "What the kernel was told when it was started.",
        "init/main.c",
        &[Wording::whole("Command line: ", r"^(?:Kernel command line|Command line): (?P<detail>.*)$")],
    ),
    Kind::new(
        "kernel.crash",
        Level::Driver,
        "The kernel itself broke: whatever follows may follow from it.",
        "arch/x86/mm/fault.c, arch/arm64/mm/fault.c, kernel/watchdog_hld.c",
        &[
            Wording::whole("kernel NULL pointer dereference", r"(?P<what>kernel NULL pointer dereference)"),
            Wording::whole("hard LOCKUP on cpu", r"(?P<what>hard LOCKUP) on cpu"),
            Wording::whole("Unhandled fault:", r"^Unhandled fault: (?P<what>.+? abort)"),
            Wording::whole("Internal error: ", r"^Internal error: (?P<what>\w+):"),
            Wording::whole("BUG: unable to handle", r"^BUG: unable to handle (?P<what>[\w ]+)"),
        ],
    ),
];
