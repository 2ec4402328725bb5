//! Storage adapters, and disks that vanish with theirs (drivers/scsi, block/blk-core.c).

use super::super::event::{Kind, Level, Wording};

/// Everything that this speaker says.
pub const KINDS: &[Kind] = &[
    Kind::new(
        "storage.adapter-dead",
        Level::Bus,
        "The adapter's doorbell register reads all-ones: nobody answers, and the driver gives the adapter up.",
        "drivers/scsi/mpt3sas/mpt3sas_base.c (_base_fault_reset_work)",
        &[Wording::whole("non-operational !!!!", r"(?P<name>\S+): SAS host is non-operational !!!!")],
    ),
    Kind::new(
        "storage.input-output-error",
        Level::Consequence,
        "A disk did not do what it was asked; with its controller gone every disk behind it says so.",
        "block/blk-core.c",
        &[Wording::whole(
            "I/O error, dev ",
            r"(?:blk_update_request: )?(?:\w+ )*I/O error, dev (?P<name>\w+)",
        )],
    ),
];
