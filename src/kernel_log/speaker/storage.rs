//! Storage adapters, and disks that vanish with theirs (drivers/scsi, block/blk-core.c).

use super::super::event::{Kind, Level, Wording};

const MPT3SAS: &str = "drivers/scsi/mpt3sas/mpt3sas_base.c";

/// Everything that this speaker says.
pub const KINDS: &[Kind] = &[
    Kind::new(
        "storage.adapter-dead",
        Level::Bus,
        "The adapter's doorbell register reads all-ones: nobody answers, and the driver gives the adapter up.",
        "drivers/scsi/mpt3sas/mpt3sas_base.c (_base_fault_reset_work)",
        &[Wording::whole(
            "non-operational !!!!",
            r"(?P<controller>\S+): SAS host is non-operational !!!!",
        )
        .of("mpt3sas")],
    ),
    Kind::new(
        "storage.disconnected",
        Level::Bus,
        "The driver read all-ones from the adapter: it does not answer on the bus.",
        "drivers/scsi/qla2xxx/qla_os.c (qla2x00_isp_reg_stat, qla2x00_disable_board_on_pci_error)",
        &[
            Wording::whole(
                "PCI/Register disconnect",
                r"^(?P<driver>qla2xxx) \[(?P<device><bdf>)\]-[0-9a-f]{4}:\d*: (?:During mmio enabled, )?PCI/Register disconnect",
            ),
        ],
    ),
    Kind::new(
        "storage.firmware-failed",
        Level::Device,
        "The adapter's own firmware stopped with a fault, or the adapter reported a failure of its hardware.",
        "drivers/scsi/mpt3sas/mpt3sas_base.c (mpt3sas_base_fault_info), drivers/scsi/megaraid/megaraid_sas_fusion.c, \
         megaraid_sas_base.c; drivers/scsi/lpfc/lpfc_init.c; drivers/scsi/smartpqi/smartpqi_sis.c (sis_is_firmware_running), \
         smartpqi_init.c (pqi_take_ctrl_offline_deferred)",
        &[
            Wording::whole(
                "_state(0x",
                r"^(?P<controller>mpt[23]sas_cm\d+|mpt[23]sas\d+): (?:fault|coredump)_state\((?P<status>0x[0-9a-f]+)\)!",
            )
            .of("mpt3sas"),
            Wording::whole("FW in FAULT state", r"<dev>(?:Found )?FW in FAULT state"),
            Wording::whole("FW in FAULT state", r"^megasas: (?:Found )?FW in FAULT state").of("megaraid_sas"),
            Wording::whole("Adapter Hardware Error Data", r"<dev>.*Adapter Hardware Error Data"),
            Wording::whole(
                "controller is offline: status code",
                r"<dev>controller is offline: status code (?P<status>0x[0-9a-f]+)",
            ),
            Wording::whole("controller offline", r"<dev>controller offline(?:: reason code 0x[0-9a-f]+ \(.*\))?$"),
        ],
    ),
    Kind::new(
        "storage.lockup",
        Level::Depends,
        "The adapter's own firmware locked up. A value of 0xffffffff is all-ones: either nothing answers on the bus, or the firmware left \
         no code, for which the driver writes the same.",
        "drivers/scsi/hpsa.c (controller_lockup_detected, hpsa_scsi_interpret_error)",
        &[
            Wording::whole(
                "Controller lockup detected: ",
                r"<dev>Controller lockup detected: (?P<value>0x[0-9a-f]+)",
            ),
            Wording::whole("controller lockup detected: ", r"<dev>controller lockup detected: LUN:"),
        ],
    ),
    Kind::new(
        "storage.adapter-event",
        Level::Information,
        "A line of the adapter's own event log: of its drives, its batteries, and sometimes of itself. It tells nothing of PCI Express.",
        "drivers/scsi/megaraid/megaraid_sas_base.c (megasas_decode_evt)",
        &[Wording::whole(
            "s/0x",
            r"<dev>-?\d+ \((?:boot \+ )?\d+s/0x[0-9a-f]+/-?\w+\) - ",
        )],
    ),
    Kind::new(
        "storage.reset-failed",
        Level::Device,
        "The adapter did not come back from a reset of its own firmware, and the driver gives it up.",
        "drivers/scsi/mpt3sas/mpt3sas_base.c (_base_diag_reset), drivers/scsi/megaraid/megaraid_sas_fusion.c (megasas_reset_fusion)",
        &[
            Wording::whole(
                "diag reset: FAILED",
                r"^(?P<controller>mpt[23]sas_cm\d+|mpt[23]sas\d+): diag reset: FAILED",
            )
            .of("mpt3sas"),
            Wording::whole("killing adapter scsi", r"<dev>.*killing adapter scsi"),
            Wording::whole("killing adapter scsi", r"^mega(?:raid_)?sas: .*killing adapter scsi").of("megaraid_sas"),
        ],
    ),
    Kind::new(
        "storage.started",
        Level::Information,
        "The adapter works.",
        MPT3SAS,
        &[
            Wording::whole(
                "port enable: SUCCESS",
                r"^(?P<controller>mpt[23]sas_cm\d+|mpt[23]sas\d+): port enable: SUCCESS",
            )
            .of("mpt3sas"),
            Wording::whole(
                "diag reset: SUCCESS",
                r"^(?P<controller>mpt[23]sas_cm\d+|mpt[23]sas\d+): diag reset: SUCCESS",
            )
            .of("mpt3sas"),
        ],
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
