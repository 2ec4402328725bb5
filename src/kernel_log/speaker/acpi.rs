//! What firmware lets the kernel control (drivers/acpi/pci_root.c, drivers/pci/pci-acpi.c).

use super::super::event::{Kind, Level, Wording};

const ROOT: &str = "drivers/acpi/pci_root.c";

/// Everything that this speaker says.
pub const KINDS: &[Kind] = &[
    Kind::new(
        "acpi.osc-not-supported",
        Level::Firmware,
        "Firmware keeps these features to itself. With AER among them the kernel logs no errors of PCI Express at all: \
         their absence proves nothing.",
        ROOT,
        &[Wording::whole(
            "platform does not support [",
            r"^acpi (?P<acpi>[A-Z0-9]+:[0-9a-f]{2}): _OSC: (?:CXL )?platform does not support \[(?P<features>[^\]]*)\]",
        )],
    ),
    Kind::new(
        "acpi.osc-controls",
        Level::Information,
        "The kernel controls these features.",
        ROOT,
        &[
            Wording::whole(
                "OS now controls [",
                r"^acpi (?P<acpi>[A-Z0-9]+:[0-9a-f]{2}): _OSC: OS now controls \[(?P<features>[^\]]*)\]",
            ),
            Wording::whole(
                "OS assumes control of [",
                r"^acpi (?P<acpi>[A-Z0-9]+:[0-9a-f]{2}): _OSC: OS assumes control of \[(?P<features>[^\]]*)\]",
            ),
        ],
    ),
    Kind::new(
        "acpi.osc-negotiation",
        Level::Information,
        "What the kernel can do and asked for.",
        ROOT,
        &[Wording::whole(
            "_OSC: ",
            r"^acpi (?P<acpi>[A-Z0-9]+:[0-9a-f]{2}): _OSC: (?P<what>OS supports|OS requested|platform willing to grant) \[(?P<features>[^\]]*)\]",
        )],
    ),
    Kind::new(
        "acpi.osc-refused",
        Level::Firmware,
        "Firmware gave the kernel control of nothing: no native hot-plug, no error handling, no change of ASPM.",
        ROOT,
        &[
            Wording::whole(
                "_OSC failed (",
                r"^acpi (?P<acpi>[A-Z0-9]+:[0-9a-f]{2}): _OSC failed \((?P<reason>AE_\w+)\)(?P<detail>; disabling ASPM)?",
            ),
            Wording::whole(
                "platform retains control",
                r"^acpi (?P<acpi>[A-Z0-9]+:[0-9a-f]{2}): _OSC: platform retains control of PCIe features \((?P<reason>AE_\w+)\)",
            ),
            Wording::whole(
                "_OSC: not requesting",
                r"^acpi (?P<acpi>[A-Z0-9]+:[0-9a-f]{2}): _OSC: (?P<what>not requesting OS control; OS requires|not requesting control; platform does not support) \[(?P<features>[^\]]*)\]",
            ),
            Wording::whole(
                "not requesting _OSC control",
                r"^acpi (?P<acpi>[A-Z0-9]+:[0-9a-f]{2}): (?P<reason>PCIe port services disabled); not requesting _OSC control",
            ),
        ],
    ),
    Kind::new(
        "acpi.no-aspm",
        Level::Firmware,
        "Firmware says that ASPM must not be used (FADT, IAPC_BOOT_ARCH bit 4). The kernel leaves it as firmware set \
         it up, which may be on.",
        "drivers/pci/pci-acpi.c (acpi_pci_init), drivers/acpi/pci_root.c",
        &[
            Wording::whole(
                "FADT indicates ASPM",
                r"^acpi (?P<acpi>[A-Z0-9]+:[0-9a-f]{2}): FADT indicates ASPM is unsupported",
            ),
            Wording::whole(
                "support PCIe ASPM, so",
                r"^ACPI FADT declares the system doesn't support PCIe ASPM, so disable it",
            ),
        ],
    ),
    Kind::new(
        "acpi.no-msi",
        Level::Firmware,
        "Firmware says that MSI must not be used (FADT, IAPC_BOOT_ARCH bit 3): no device gets MSI or MSI-X.",
        "drivers/pci/pci-acpi.c (acpi_pci_init)",
        &[Wording::whole(
            "support MSI, so",
            r"^ACPI FADT declares the system doesn't support MSI, so disable it",
        )],
    ),
    Kind::new(
        "acpi.host-bridge",
        Level::Information,
        "A host bridge.",
        ROOT,
        &[Wording::whole(
            "PCI Root Bridge [",
            r"^ACPI: PCI Root Bridge \[(?P<acpi>\w+)\] \(domain (?P<name>[0-9a-f]+ \[bus [0-9a-f-]+\])\)",
        )],
    ),
];
