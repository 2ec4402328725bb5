//! Errors that firmware handled first and reported through APEI (drivers/firmware/efi/cper.c, drivers/acpi/apei/ghes.c).

use super::super::event::{Kind, Level, Wording};

const CPER: &str = "drivers/firmware/efi/cper.c (cper_print_pcie), UEFI 2.10, N.2.7";

/// Everything that this speaker says.
pub const KINDS: &[Kind] = &[
    Kind::new(
        "apei.error",
        Level::Depends,
        "Firmware handled a hardware error first and reported it to the kernel. With `section_type: PCIe error` it is one \
         on PCI Express, of the device that `device_id` names; other sections are about memory or processors.",
        CPER,
        &[
            Wording::first(
                "[Hardware Error]: Hardware error from APEI",
                r"\[Hardware Error\]: Hardware error from APEI Generic Hardware Error Source: (?P<count>\d+)",
            ),
            Wording::further(
                "[Hardware Error]: event severity",
                r"\[Hardware Error\]: event severity: (?P<severity>[\w ,-]+)",
            ),
            // A report has a section for each error; the first is that of the lines before it (cper_estatus_print_section).
            Wording::further(", type: ", r"\[Hardware Error\]:\s+Error 0, type: (?P<severity>[\w ,-]+)"),
            Wording::first(", type: ", r"\[Hardware Error\]:\s+Error [1-9]\d*, type: (?P<severity>[\w ,-]+)"),
            Wording::further("section_type: ", r"\[Hardware Error\]:\s+section_type: (?P<type>.+)$"),
            Wording::further("port_type: ", r"\[Hardware Error\]:\s+port_type: \d+, (?P<port_type>.+)$"),
            Wording::further("device_id: ", r"\[Hardware Error\]:\s+device_id: (?P<device><bdf>)"),
            Wording::further(
                "vendor_id: ",
                r"\[Hardware Error\]:\s+vendor_id: 0x(?P<vendor_id>[0-9a-f]{4}), device_id: 0x(?P<device_id>[0-9a-f]{4})",
            ),
            Wording::further(
                "aer_cor_status",
                r"\[Hardware Error\]:\s+aer_cor_status: 0x(?P<status>[0-9a-f]{8}), aer_cor_mask: 0x(?P<mask>[0-9a-f]{8})",
            ),
            Wording::further(
                "aer_uncor_status",
                r"\[Hardware Error\]:\s+aer_uncor_status: 0x(?P<status>[0-9a-f]{8}), aer_uncor_mask: 0x(?P<mask>[0-9a-f]{8})",
            ),
            Wording::further(
                "aer_uncor_severity",
                r"\[Hardware Error\]:\s+aer_uncor_severity: 0x(?P<uncorrectable_severity>[0-9a-f]{8})",
            ),
        ],
    ),
    Kind::new(
        "mce.pcie",
        Level::Bus,
        "The processor raised a non-maskable interrupt because of an error on the bus (SERR#).",
        "arch/x86/kernel/nmi.c (pci_serr_error)",
        &[Wording::whole(
            "PCI system error (SERR)",
            r"NMI: PCI system error \(SERR\) for reason (?P<reason_code>[0-9a-f]{2}) on CPU \d+",
        )],
    ),
    Kind::new(
        "eeh.frozen",
        Level::Bus,
        "A POWER machine isolated this part of the bus after an error: reads give all-ones until it is reset.",
        "arch/powerpc/kernel/eeh.c",
        &[Wording::whole(
            "EEH: ",
            r"^EEH: (?:Frozen PHB#(?P<index>[0-9a-f]+)-PE#(?P<value>[0-9a-f]+) detected|(?P<detail>Recovering PHB#.*))",
        )],
    ),
];
