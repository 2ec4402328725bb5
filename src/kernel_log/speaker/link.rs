//! Links: speed, width, whether they come up (drivers/pci/probe.c, pci.c, quirks.c, controllers).

use super::super::event::{Kind, Level, Wording};

/// Everything that this speaker says.
pub const KINDS: &[Kind] = &[
    Kind::new(
        "link.slower-than-the-device",
        Level::Bus,
        "Somewhere between processor and device a link carries less than the device can. `limited_at` is the port above \
         the narrowest one. A slot with fewer lanes, or a device in power saving, says the same.",
        "drivers/pci/pci.c (__pcie_print_link_status), drivers/pci/probe.c (pcie_report_downtraining)",
        &[Wording::whole(
            "available PCIe bandwidth, limited by",
            r"<dev>(?P<bandwidth>\d+\.\d{3}) Gb/s available PCIe bandwidth, limited by (?P<speed>[\d.]+ GT/s(?: PCIe)?|Unknown(?: speed)?) x(?P<width>\d+) link at (?P<limited_at><bdf>|<unknown>) \(capable of (?P<capable_bandwidth>\d+\.\d{3}) Gb/s with (?P<capable_speed>[\d.]+ GT/s(?: PCIe)?|Unknown(?: speed)?) x(?P<capable_width>\d+) link\)",
        )],
    ),
    Kind::new(
        "link.as-fast-as-the-device",
        Level::Information,
        "The path to the device carries as much as the device can.",
        "drivers/pci/pci.c (__pcie_print_link_status)",
        &[Wording::whole(
            "available PCIe bandwidth (",
            r"<dev>(?P<bandwidth>\d+\.\d{3}) Gb/s available PCIe bandwidth \((?P<speed>[\d.]+ GT/s(?: PCIe)?) x(?P<width>\d+) link\)",
        )],
    ),
    Kind::new(
        "link.not-active",
        Level::Bus,
        "The link below this port did not come up (or, after containment, did not go down) in time.",
        "drivers/pci/pci.c (pcie_wait_for_link_delay)",
        &[Wording::whole(
            "Data Link Layer Link Active not ",
            r"<dev>(?:DPC: )?Data Link Layer Link Active not (?P<state>set|cleared) in (?P<milliseconds>\d+) msec",
        )],
    ),
    Kind::new(
        "link.retraining",
        Level::Bus,
        "The kernel tries 2.5 GT/s because the link does not come up at any other speed. With nothing in the slot this \
         is noise.",
        "drivers/pci/quirks.c (pcie_failed_link_retrain), since 6.5",
        &[Wording::whole(
            "retraining non-functional",
            r"<dev>broken device, retraining non-functional downstream link at 2\.5GT/s",
        )],
    ),
    Kind::new(
        "link.retraining-undone",
        Level::Information,
        "The link came up at 2.5 GT/s, and the kernel lets it go faster again.",
        "drivers/pci/quirks.c (pcie_failed_link_retrain), since 6.5",
        &[Wording::whole(
            "link speed restriction",
            r"<dev>removing 2\.5GT/s downstream link speed restriction",
        )],
    ),
    Kind::new(
        "link.retraining-failed",
        Level::Bus,
        "The link does not even come up at 2.5 GT/s. With nothing in the slot this is noise.",
        "drivers/pci/quirks.c (pcie_failed_link_retrain), since 6.5; drivers/pci/pcie/aspm.c (pcie_aspm_configure_common_clock)",
        &[
            Wording::whole("retraining failed", r"<dev>retraining failed"),
            Wording::whole(
                "Could not configure common clock",
                r"<dev>(?:ASPM: )?Could not configure common clock",
            ),
        ],
    ),
    Kind::new(
        "link.controller-without-link",
        Level::Bus,
        "A host controller found no link: the slot is empty, or its card does not train.",
        "drivers/pci/controller/dwc/pcie-designware.c (dw_pcie_wait_for_link) and others",
        &[
            Wording::whole(
                "Phy link never came up",
                r"^(?P<driver><word>) (?P<name>\S+): Phy link never came up",
            ),
            Wording::whole(
                ".pcie failed with error",
                r"^(?P<driver><word>): probe of (?P<name>\S+\.pcie) failed with error (?P<error>-?\d+)",
            ),
            Wording::whole("PCIe link down", r"^(?P<driver><word>) (?P<name>\S+): PCIe link down"),
        ],
    ),
];
