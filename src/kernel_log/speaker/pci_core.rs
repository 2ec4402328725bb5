//! Finding functions and binding drivers (drivers/pci/probe.c, quirks.c, pci.c; drivers/base/dd.c).

use super::super::event::{Kind, Level, Wording};

const PROBE: &str = "drivers/pci/probe.c";

/// Everything that this speaker says.
pub const KINDS: &[Kind] = &[
    Kind::new(
        "pci.function-found",
        Level::Information,
        "The kernel found a function.",
        "drivers/pci/probe.c (pci_setup_device)",
        &[Wording::whole(
            "] type ",
            r"<dev>\[(?P<vendor_id>[0-9a-f]{4}):(?P<device_id>[0-9a-f]{4})\] type (?P<header_type>[0-9a-f]{2}) class (?P<class>0x[0-9a-f]{6})(?: (?P<port_type>[\w /-]+))?",
        )],
    ),
    Kind::new(
        "pci.bridge",
        Level::Information,
        "Which buses are below a bridge.",
        PROBE,
        &[
            Wording::whole(
                "PCI bridge to [bus ",
                r"<dev>PCI bridge to \[bus (?P<name>[0-9a-f]+(?:-[0-9a-f]+)?)\]",
            ),
            Wording::whole(
                "PCI host bridge to bus ",
                r"<dev>PCI host bridge to bus (?P<name>[0-9a-f]+:[0-9a-f]+)",
            ),
        ],
    ),
    Kind::new(
        "pci.unknown-header",
        Level::Bus,
        "The function's header makes no sense. 7f is all-ones: it answered once and then did not.",
        "drivers/pci/probe.c (pci_setup_device)",
        &[Wording::whole(
            "unknown header type",
            r"<dev>unknown header type (?P<header_type>[0-9a-f]{2}), ignoring device",
        )],
    ),
    Kind::new(
        "pci.probe-failed",
        Level::Driver,
        "The driver gave this device up when it was bound. The lines before say why.",
        "drivers/base/dd.c (really_probe)",
        &[
            Wording::whole(
                "failed with error",
                r"<dev>probe with driver (?P<name><word>) failed with error (?P<error>-?\d+)",
            ),
            Wording::whole(
                "failed with error",
                r"^(?P<driver><word>): probe of (?P<device><bdf>) failed with error (?P<error>-?\d+)",
            ),
        ],
    ),
    Kind::new(
        "pci.enabling",
        Level::Information,
        "A driver switches the device's decoding on.",
        "drivers/pci/setup-res.c (pci_enable_resources)",
        &[Wording::whole(
            "enabling device (",
            r"<dev>enabling device \((?P<from>[0-9a-f]{4}) -> (?P<to>[0-9a-f]{4})\)",
        )],
    ),
    Kind::new(
        "pci.bus-released",
        Level::Information,
        "The devices of this bus were removed.",
        PROBE,
        &[Wording::whole("is released", r"^pci_bus (?P<name>\S+): busn_res: \[bus [0-9a-f-]+\] is released")],
    ),
    Kind::new(
        "pci.no-bus-number",
        Level::Firmware,
        "Firmware left no bus numbers for what was plugged in.",
        PROBE,
        &[
            Wording::whole("No bus number available", r"<dev>No bus number available for hot-added bridge"),
            Wording::whole(
                "bridge configuration invalid",
                r"<dev>bridge configuration invalid \((?P<reason>\[bus [0-9a-f-]+\])\), reconfiguring",
            ),
        ],
    ),
    Kind::new(
        "pci.payload-size",
        Level::Firmware,
        "Both ends of a link are set to different payload sizes, and the kernel could not change it.",
        PROBE,
        &[Wording::whole("Max Payload Size", r"<dev>can't set Max Payload Size to (?P<count>\d+)")],
    ),
    Kind::new(
        "pci.vital-product-data",
        Level::Device,
        "The device did not hand out its vital product data, or it makes no sense.",
        "drivers/pci/vpd.c",
        &[
            Wording::whole("VPD access failed", r"<dev>VPD access failed"),
            Wording::whole(
                "invalid VPD tag",
                r"<dev>(?:\[Firmware Bug\]: )?invalid VPD tag (?P<value>0x[0-9a-f]+)(?: \(size (?P<count>\d+)\))? at offset (?P<offset>\d+)",
            ),
        ],
    ),
    Kind::new(
        "pci.acs-workaround",
        Level::Information,
        "The port lacks a standard ACS capability, and the kernel uses what the chipset has instead. This is no fault.",
        "drivers/pci/quirks.c",
        &[
            Wording::whole(
                "root port",
                r"<dev>Intel (?P<name>PCH|SPT PCH) root port (?:ACS workaround enabled|workaround: disabled ACS redirect)",
            ),
            Wording::whole(
                "ACS",
                r"<dev>(?P<what>Failed to enable Intel PCH ACS quirk|disabled ACS redirect|Configured ACS to 0x[0-9a-f]{4}|Disabling broken ACS SV)",
            ),
        ],
    ),
    Kind::new(
        "pci.not-answering",
        Level::Bus,
        "The bus driver could not reach the device.",
        "drivers/pci/probe.c (pci_bus_wait_crs)",
        &[Wording::whole("probing", r"<dev>(?:not responding|no response) while probing")],
    ),
    Kind::new(
        "pci.configuration-locked",
        Level::Information,
        "Lockdown keeps programs from writing to PCI devices.",
        "security/lockdown",
        &[Wording::whole(
            "direct PCI access is restricted",
            r"^Lockdown: (?P<process>.+): direct PCI access is restricted",
        )],
    ),
];
