//! Advanced Error Reporting as the kernel handles it (drivers/pci/pcie/aer.c, err.c).
//!
//! One error is a block of lines: the message that the root port received, then for each device the error, its status
//! register, a line for every bit, and perhaps the header of the packet. Since 6.16 at most 10 in 5 seconds are printed.

use super::super::event::{Kind, Level, Wording};

const AER: &str = "drivers/pci/pcie/aer.c";
/// The root port's line; `id=` until 4.16, both endings of the newest kernels (one bracket is missing in the source).
const MESSAGE: &str = r"^(?P<driver>[\w.+-]+) (?P<device><bdf>): (?:AER: )?(?P<multiple>Multiple )?(?P<severity>Correct(?:ed|able)|Uncorrect(?:ed|able) \((?:Non-Fatal|Fatal)\)) error (?:message received from |received: )(?:id=(?P<source_id>[0-9a-f]{4})|(?P<source><bdf>))(?P<detail> \(no details found\)?)?";
const ERR: &str = "drivers/pci/pcie/err.c, drivers/pci/pcie/aer.c";

/// Everything that this speaker says.
pub const KINDS: &[Kind] = &[
    Kind::new(
        "aer.message",
        Level::Bus,
        "A root port received an error message from the device `source`, and no line says what the error was: the device \
         could not be read, or its error was masked.",
        AER,
        &[
            Wording::first("error message received from ", MESSAGE),
            Wording::first("error received: ", MESSAGE),
        ],
    ),
    Kind::new(
        "aer.error",
        Level::Bus,
        "A device reported an error on PCI Express. Corrected ones were repaired by the link and cost time; uncorrected \
         ones lost a request (non-fatal) or make the link unreliable (fatal).",
        AER,
        &[
            Wording::first(
                " Bus Error:",
                r"<aer>(?P<name>PCIe|CXL) Bus Error:(?: severity=(?P<severity>Correct(?:ed|able)|Uncorrect(?:ed|able)(?: \((?:Non-Fatal|Fatal)\))?))?(?:, type=(?P<layer>Physical Layer|Data Link Layer|Transaction Layer|General|Inaccessible|Unaccessible))?(?:, (?:id=(?P<source_id>[0-9a-f]{4}))?\((?P<agent>Receiver ID|Requester ID|Completer ID|Transmitter ID|Component ID|Unregistered Agent ID)\))?",
            ),
            Wording::further(
                "error status/mask=",
                r"<aer>device \[(?P<vendor_id>[0-9a-f]{4}):(?P<device_id>[0-9a-f]{4})\] error status/mask=(?P<status>[0-9a-f]{8})/(?P<mask>[0-9a-f]{8})",
            ),
            // The kernel pads names to 22 characters; DPC's RP PIO lines look the same and are dpc.containment's.
            Wording::further(
                ":    [",
                r"<aer>\[ ?\d{1,2}\] (?P<errors>[^()\[\]]+?) *(?P<first>\(First\))?(?: \[.*)?$",
            ),
            Wording::further(
                "TLP Header",
                r"<aer>TLP Header(?P<flags> \(Flit\))?: (?P<tlp>(?:0x)?[0-9a-f]{8}(?: (?:0x)?[0-9a-f]{8}){3,13})",
            ),
            Wording::further(
                "is reported first",
                r"<aer>Error of this Agent(?:\((?P<source_id>[0-9a-f]{4})\))? is reported first",
            ),
            Wording::further(
                "aer_",
                r"<aer>aer_(?:status: 0x(?P<status>[0-9a-f]{8}), aer_mask: 0x(?P<mask>[0-9a-f]{8})|layer=(?P<layer>[\w ]+?), aer_agent=(?P<agent>[\w ]+)|uncor_severity: 0x(?P<uncorrectable_severity>[0-9a-f]{8})|cor_status: 0x(?P<status2>[0-9a-f]{8}), aer_cor_mask: 0x(?P<mask2>[0-9a-f]{8}))",
            ),
        ],
    ),
    Kind::new(
        "aer.no-details",
        Level::Bus,
        "A root port received an error message, and the device that it names has no error to show, does not answer, or \
         is not known to the kernel.",
        AER,
        &[
            Wording::whole(
                "found no error details for",
                r"<dev>(?:AER: )?found no error details for (?P<source><bdf>)",
            ),
            Wording::whole(
                "find device of ID",
                r"<dev>(?:AER: )?can't find device of ID(?P<source_id>[0-9a-f]{4})",
            ),
        ],
    ),
    Kind::new(
        "aer.recovered",
        Level::Information,
        "The kernel recovered the devices below this port from an uncorrected error: their drivers took part.",
        ERR,
        &[Wording::whole(
            "evice recovery ",
            r"<dev>(?:AER: )?[Dd]evice recovery (?:from fatal error )?successful",
        )],
    ),
    Kind::new(
        "aer.not-recovered",
        Level::Consequence,
        "The kernel could not recover the devices below this port from an uncorrected error, mostly because a driver \
         has no error handlers (NVIDIA's has none). The link may have been reset meanwhile.",
        ERR,
        &[Wording::whole(
            "evice recovery ",
            r"<dev>(?:AER: )?[Dd]evice recovery (?:from fatal error )?failed",
        )],
    ),
    Kind::new(
        "aer.cannot-recover",
        Level::Consequence,
        "This device's driver cannot take part in the recovery from an error, so that recovery fails for everything \
         below the port.",
        ERR,
        &[Wording::whole(
            "can't recover",
            r"<dev>(?:AER: )?can't recover(?: \((?P<reason>no error_detected callback|state transition \S+ -> \S+ invalid)\))?",
        )],
    ),
    Kind::new(
        "aer.port-reset",
        Level::Consequence,
        "The kernel reset the link below this port to recover from an uncorrected error.",
        ERR,
        &[Wording::whole(
            "has been reset",
            r"<dev>(?:AER: )?(?:(?P<port_type>Root|Downstream) Port link has been reset(?: \((?P<error>-?\d+)\))?|(?:downstream link )?has been reset(?: \((?P<error2>-?\d+)\))?)$",
        )],
    ),
    Kind::new(
        "aer.reset-failed",
        Level::Bus,
        "The kernel could not reset what is below this port to recover from an error.",
        ERR,
        &[
            Wording::whole(
                "subordinate device reset failed",
                r"<dev>(?:AER: )?subordinate device reset failed",
            ),
            Wording::whole(
                "not reset (no FLR",
                r"<dev>(?:AER: )?not reset \(no FLR support(?:: (?P<error>-?\d+))?\)",
            ),
        ],
    ),
    Kind::new(
        "aer.recovery-step",
        Level::Information,
        "A step of the recovery from an error: the kernel asks the drivers below this port.",
        ERR,
        &[Wording::whole(
            "broadcast ",
            r"<dev>(?:AER: )?broadcast (?P<what>error_detected|mmio_enabled|slot_reset|resume) message",
        )],
    ),
    Kind::new(
        "aer.enabled",
        Level::Information,
        "The kernel handles errors below this port.",
        AER,
        &[Wording::whole("nabled with IRQ", r"<dev>AER:? ?enabled with IRQ (?P<irq>\d+)")],
    ),
    Kind::new(
        "aer.rate-limited",
        Level::Information,
        "The kernel left out lines about errors: counters in sysfs (aer_dev_correctable and others) tell how many.",
        AER,
        &[Wording::whole("callbacks suppressed", r"^aer_ratelimit: (?P<callbacks>\d+) callbacks suppressed")],
    ),
    Kind::new(
        "aer.injected",
        Level::Information,
        "Somebody injected an error with aer-inject: what follows is a test.",
        "drivers/pci/pcie/aer_inject.c",
        &[Wording::whole(
            "njecting errors",
            r"^(?:(?P<driver>[\w.+-]+) (?P<device><bdf>)[^ ]*: )?(?:aer_inject: )?Injecting errors (?P<status>[0-9a-f]{8})/(?P<value>[0-9a-f]{8}) into device (?P<source><bdf>)",
        )],
    ),
    Kind::new(
        "aer.not-owned",
        Level::Firmware,
        "Errors are handled by firmware, so that their absence from the log proves nothing.",
        "drivers/pci/pcie/aer/aerdrv.c (until 5.9)",
        &[Wording::whole(
            "AER handled by firmware",
            r"^(?:acpi (?P<acpi>[A-Z0-9]+:[0-9a-f]{2}): )?PCIe AER handled by firmware",
        )],
    ),
];
