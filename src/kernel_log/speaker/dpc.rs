//! Downstream Port Containment (drivers/pci/pcie/dpc.c, edr.c): the port takes its link down by itself.

use super::super::event::{Kind, Level, Wording};

const DPC: &str = "drivers/pci/pcie/dpc.c";
/// The line that followed until 6.11.
const REASON: &str = r"<dev>DPC:? ?(?P<reason>unmasked uncorrectable error|ERR_NONFATAL|ERR_FATAL|RP PIO error|software trigger|reserved error) detected(?:, remove downstream devices)?$";

/// Everything that this speaker says.
pub const KINDS: &[Kind] = &[
    Kind::new(
        "dpc.containment",
        Level::Bus,
        "The port contained an uncorrected error: it took the link below it down, so that nothing there answers until \
         the kernel released it. `reason` says what triggered it.",
        DPC,
        &[
            Wording::first(
                "containment event",
                r"<dev>(?:DPC: |DPC )?containment event(?:, status:(?P<status>0x[0-9a-f]{4})(?: source:(?P<source_id>0x[0-9a-f]{4})|: (?P<reason>unmasked uncorrectable error|RP PIO error|software trigger|reserved error) detected|, (?P<reason2>ERR_FATAL|ERR_NONFATAL) received from (?P<source><bdf>))?)?",
            ),
            Wording::further("error detected", REASON),
            Wording::further("FATAL detected", REASON),
            Wording::further("trigger detected", REASON),
            Wording::further(
                "rp_pio_status",
                r"<dev>(?:DPC: )?rp_pio_status: 0x(?P<value>[0-9a-f]{8}), rp_pio_mask: 0x(?P<mask>[0-9a-f]{8})",
            ),
            Wording::further(
                "RP PIO severity",
                r"<dev>(?:DPC: )?RP PIO severity=0x(?P<uncorrectable_severity>[0-9a-f]{8}), syserror=0x[0-9a-f]{8}, exception=0x(?P<exception>[0-9a-f]{8})",
            ),
            Wording::further(
                "DPC: [",
                r"<dev>DPC: \[ ?\d{1,2}\] (?P<errors>[^()\[\]]+?) *(?P<first>\(First\))?$",
            ),
            Wording::further(
                "TLP Header",
                r"<dev>DPC: TLP Header(?P<flags> \(Flit\))?: (?P<tlp>(?:0x)?[0-9a-f]{8}(?: (?:0x)?[0-9a-f]{8}){3,13})",
            ),
        ],
    ),
    Kind::new(
        "dpc.edr",
        Level::Bus,
        "Firmware told the kernel that a port contained an error (Error Disconnect Recover).",
        "drivers/pci/pcie/edr.c",
        &[Wording::whole("EDR event received", r"<dev>EDR: EDR event received")],
    ),
    Kind::new(
        "dpc.enabled",
        Level::Information,
        "The kernel uses Downstream Port Containment on this port.",
        DPC,
        &[
            Wording::whole("nabled with IRQ", r"<dev>DPC:? ?enabled with IRQ (?P<irq>\d+)"),
            Wording::whole(
                "error containment capabilities",
                r"<dev>(?:DPC:? ?)?error containment capabilities: (?P<flags>.+)$",
            ),
        ],
    ),
];
