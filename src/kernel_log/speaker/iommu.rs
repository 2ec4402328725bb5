//! Remapping hardware: Intel VT-d (drivers/iommu/intel/dmar.c), AMD-Vi (drivers/iommu/amd/iommu.c), Arm SMMU.

use super::super::event::{Kind, Level, Wording};

const DMAR: &str = "drivers/iommu/intel/dmar.c (dmar_fault_do_one)";
const AMD: &str = "drivers/iommu/amd/iommu.c";
const SMMU: &str = "drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.c";

/// Everything that this speaker says.
pub const KINDS: &[Kind] = &[
    Kind::new(
        "iommu.fault",
        Level::Driver,
        "The device wanted to read or write memory that nobody gave it, and was stopped. Mostly a driver's mistake or \
         wrong firmware tables; also what a device does that was reset under its driver. The address may be that of a \
         bridge in whose name the device asked.",
        "drivers/iommu/intel/dmar.c, drivers/iommu/amd/iommu.c, drivers/iommu/arm/arm-smmu-v3",
        &[
            Wording::whole(
                "Request device [",
                r"^DMAR: \[(?P<operation>DMA Read|DMA Write)(?: NO_PASID| PASID (?P<pasid>0x[0-9a-f]+))?\] Request device \[(?P<device>(?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])\] (?:PASID (?P<pasid2>[0-9a-f]+) )?fault addr (?:0x)?(?P<address>[0-9a-f]+) ?\[fault reason (?:0x)?(?P<reason_code>[0-9a-f]{2})\] (?P<reason>.+)$",
            ),
            // 4.x: two lines.
            Wording::first(
                "Request device [",
                r"^DMAR: ?\[(?P<operation>DMA Read|DMA Write)\] Request device \[(?P<device>(?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])\] fault addr (?:0x)?(?P<address>[0-9a-f]+) *$",
            ),
            Wording::further(
                "[fault reason ",
                r"^DMAR: ?\[fault reason (?:0x)?(?P<reason_code>[0-9a-f]{2})\] (?P<reason>.+)$",
            ),
            Wording::whole(
                "IO_PAGE_FAULT",
                r"^(?:(?P<driver>[\w.+-]+) (?P<device><bdf>): )?AMD-Vi: Event logged \[(?P<name>IO_PAGE_FAULT)(?: device=(?P<source>(?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]))?[, ]*(?:domain=(?P<value>0x[0-9a-f]+) )?(?:address=(?P<address>0x[0-9a-f]+) )?(?:flags=(?P<flags>0x[0-9a-f]+))?",
            ),
        ],
    ),
    Kind::new(
        "iommu.interrupt-blocked",
        Level::Driver,
        "The device sent an interrupt that was not set up for it. It is lost.",
        DMAR,
        &[Wording::whole(
            "[INTR-REMAP]",
            r"^DMAR: \[INTR-REMAP\] Request device \[(?P<device>(?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])\] fault index (?:0x)?(?P<index>[0-9a-f]+) \[fault reason (?:0x)?(?P<reason_code>[0-9a-f]{2})\] (?P<reason>.+)$",
        )],
    ),
    Kind::new(
        "iommu.invalidation-timeout",
        Level::Bus,
        "A device with address translation services did not answer the IOMMU: it is gone, or its ATS is broken.",
        "drivers/iommu/intel/dmar.c (qi_check_fault), drivers/iommu/amd/iommu.c",
        &[
            Wording::whole(
                "Invalidation Time-out Error",
                r"^DMAR: VT-d detected Invalidation Time-out Error: SID (?P<source_id>[0-9a-f]+)",
            ),
            Wording::whole(
                "IOTLB_INV_TIMEOUT",
                r"AMD-Vi: Event logged \[(?P<name>IOTLB_INV_TIMEOUT) device=(?P<device>(?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]) address=(?P<address>0x[0-9a-f]+)",
            ),
            Wording::whole("Completion-Wait loop timed out", r"AMD-Vi: Completion-Wait loop timed out"),
        ],
    ),
    Kind::new(
        "iommu.event",
        Level::Driver,
        "The IOMMU logged another event.",
        AMD,
        &[
            Wording::whole(
                "Event logged [",
                r"^(?:(?P<driver>[\w.+-]+) (?P<device><bdf>): )?AMD-Vi: Event logged \[(?P<name>ILLEGAL_DEV_TABLE_ENTRY|DEV_TAB_HARDWARE_ERROR|PAGE_TAB_HARDWARE_ERROR|ILLEGAL_COMMAND_ERROR|COMMAND_HARDWARE_ERROR|INVALID_DEVICE_REQUEST|RMP_HARDWARE_ERROR|RMP_PAGE_FAULT|INVALID_PPR_REQUEST|UNKNOWN)(?: device=(?P<source>(?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]))?(?P<detail>[^\]]*)",
            ),
            Wording::whole(
                "arm-smmu",
                r"^arm-smmu-v3 (?P<name>\S+): event 0x(?P<value>[0-9a-f]{2}) received:",
            ),
        ],
    ),
    Kind::new(
        "iommu.fault-pending",
        Level::Information,
        "The remapping hardware has faults to report; the lines after this say which.",
        DMAR,
        &[Wording::whole(
            "handling fault status",
            r"^DMAR: DRHD: handling fault status reg (?P<value>[0-9a-f]+)",
        )],
    ),
    Kind::new(
        "iommu.group",
        Level::Information,
        "A device came or went.",
        "drivers/iommu/iommu.c",
        &[
            Wording::whole(
                "iommu group",
                r"<dev>(?P<what>Adding to|Removing from) iommu group (?P<group>\d+)",
            ),
            Wording::whole(
                "iommu: ",
                r"^iommu: (?P<what>Adding device|Removing device) (?P<device><bdf>) (?:to|from) group (?P<group>\d+)",
            ),
        ],
    ),
    Kind::new(
        "iommu.arm-context-fault",
        Level::Driver,
        "An Arm SMMU stopped an access to memory that nobody gave the device.",
        SMMU,
        &[Wording::whole("Unhandled context fault", r"^arm-smmu (?P<name>\S+): Unhandled context fault")],
    ),
];
