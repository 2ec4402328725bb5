//! Interrupts (kernel/irq, drivers/pci/msi, and drivers that say why they got none).

use super::super::event::{Kind, Level, Wording};

const MSI: &str = "drivers/pci/msi/msi.c (drivers/pci/msi.c until 5.16)";

/// Everything that this speaker says.
pub const KINDS: &[Kind] = &[
    Kind::new(
        "interrupts.nobody-cared",
        Level::Driver,
        "An interrupt kept coming and no driver took it; the kernel switches it off. Of the devices on it, one raised it \
         without its driver knowing.",
        "kernel/irq/spurious.c",
        &[Wording::whole("nobody cared", r"^irq (?P<irq>\d+): nobody cared")],
    ),
    Kind::new(
        "interrupts.switched-off",
        Level::Consequence,
        "The kernel switched an interrupt off that nobody took: every device on it is without interrupts now.",
        "kernel/irq/spurious.c",
        &[Wording::whole("Disabling IRQ #", r"^Disabling IRQ #(?P<irq>\d+)")],
    ),
    Kind::new(
        "interrupts.no-handler",
        Level::Driver,
        "An interrupt came for which nothing is set up on that processor.",
        "arch/x86/kernel/irq.c",
        &[Wording::whole("No irq handler for vector", r"(?P<name>\d+\.\d+) No irq handler for vector")],
    ),
    Kind::new(
        "interrupts.mismatch",
        Level::Driver,
        "Two drivers want to share an interrupt and disagree how.",
        "kernel/irq/manage.c",
        &[Wording::whole("Flags mismatch irq", r"Flags mismatch irq (?P<irq>\d+)\.")],
    ),
    Kind::new(
        "interrupts.vectors-exhausted",
        Level::Driver,
        "No interrupt vector is left on the processors that were asked for.",
        "arch/x86/kernel/apic/vector.c",
        &[Wording::whole(
            "vector space exhaustion",
            r"^irq (?P<irq>\d+): Affinity broken due to vector space exhaustion",
        )],
    ),
    Kind::new(
        "interrupts.msi-refused",
        Level::Driver,
        "The kernel did not enable MSI or MSI-X for this device.",
        MSI,
        &[
            Wording::whole(
                "can't enable MSI",
                r"<dev>can't enable (?P<what>MSI-X|MSI) \((?P<reason>[^)]+)\)",
            ),
            Wording::whole(
                "arch assigned 64-bit MSI address",
                r"<dev>arch assigned 64-bit MSI address (?P<address>0x[0-9a-f]+) (?P<reason>.+)$",
            ),
            Wording::whole(
                "disallowed for future drivers",
                r"<dev>MSI/MSI-X (?P<reason>disallowed) for future drivers",
            ),
        ],
    ),
    Kind::new(
        "interrupts.driver-got-none",
        Level::Driver,
        "A driver could not enable MSI or MSI-X. A dead device fails so too, but so does a healthy one where the kernel or \
         firmware has no vectors to give: this alone does not prove that the device is gone.",
        "drivers/net/ethernet and others",
        &[
            Wording::whole(
                "ailed to enable MSI-X",
                r"<dev>[Ff]ailed to enable MSI-X(?:[^-\d]*(?P<error>-?\d+))?",
            ),
            Wording::whole("ot reserve msix", r"<dev>Can not reserve msix vectors"),
            Wording::whole("ailed to initialize MSI", r"<dev>[Ff]ailed to initialize MSI(?:-X)? interrupts?"),
            Wording::whole("set the admin interrupts", r"<dev>Failed to enable and set the admin interrupts"),
            Wording::whole("nable to allocate MSI", r"<dev>[Uu]nable to allocate MSI"),
            Wording::whole(
                "of_irq_parse_pci: failed",
                r"<dev>of_irq_parse_pci: failed with rc=(?P<error>-?\d+)",
            ),
        ],
    ),
    Kind::new(
        "interrupts.remapping",
        Level::Information,
        "Interrupts are remapped: a message does not name the processor.",
        "drivers/iommu/intel/irq_remapping.c, drivers/iommu/amd/init.c",
        &[
            Wording::whole("IRQ remapping", r"^DMAR-IR: Enabled IRQ remapping"),
            Wording::whole("Interrupt remapping", r"^AMD-Vi: Interrupt remapping enabled"),
        ],
    ),
];
