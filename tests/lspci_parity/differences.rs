//! Everything in which lspci and pciscope are known not to say the same, with the reason. There is no other list.
//!
//! The test fails on whatever is not listed here, and on an entry that nothing in the whole corpus needs.

use super::listed::{Difference, LeftOut, Name, Refused, differs, left_out, name, refused};

pub const DIFFERENCES: &[Difference] = &[
    differs("express", "LnkCap L0s", "unlimited", ">4us", EXIT_LATENCY),
    differs("express", "LnkCap L1", "unlimited", ">64us", EXIT_LATENCY),
    differs("express", "LnkCap Width", "*", "reserved", WIDTH),
    differs("express", "LnkSta Width", "*", "reserved", WIDTH),
    differs("express", "LnkCap Speed", "unknown", "128GT/s", NEWER),
    differs("express", "LnkSta Speed", "unknown", "128GT/s", NEWER),
    differs("express", "LnkCtl2 Target Link Speed", "unknown", "128GT/s", NEWER),
    differs("express", "LnkCap2 Supported Link Speeds", "RsvdP", "2.5-64GT/s", NEWER),
    differs("express", "LnkCap2 Supported Link Speeds", "RsvdP", "2.5-128GT/s", NEWER),
    differs(
        "express",
        "LnkCtl2 Compliance Preset/De-emphasis",
        "Unknown",
        "*",
        "a preset that has no number of decibels; here it is a number",
    ),
    differs("express", "DevCap MaxPayload", "8192 bytes", "reserved", PAYLOAD),
    differs("express", "DevCap MaxPayload", "16384 bytes", "reserved", PAYLOAD),
    differs("express", "DevCtl MaxPayload", "8192 bytes", "reserved", PAYLOAD),
    differs("express", "DevCtl MaxPayload", "16384 bytes", "reserved", PAYLOAD),
    differs("express", "DevCtl MaxReadReq", "8192 bytes", "reserved", PAYLOAD),
    differs("express", "DevCtl MaxReadReq", "16384 bytes", "reserved", PAYLOAD),
    differs("express", "DevCap SlotPowerLimit", ">600", "nothing", POWER_LIMIT),
    differs("express", "SltCap PowerLimit", ">600", "nothing", POWER_LIMIT),
    differs(
        "dpc",
        "DpcCap RP PIO Log",
        "0",
        "16",
        "lspci does not know the fifth bit of the size (PCIe 6.2, 7.9.14.2)",
    ),
    differs("header", "IOBase [{}-bit]", "16", "32", WINDOW_WIDTH),
    differs("header", "PrefBase [{}-bit]", "32", "64", WINDOW_WIDTH),
    Difference {
        source: "walk wide windows",
        ..differs("header", "PrefBase [size", "*", "*", "lspci cuts the number of megabytes to 32 bits")
    },
    differs(
        "header",
        "Region",
        "*",
        "upper half",
        "without a kernel lspci takes an upper half that is not zero for a BAR",
    ),
    Difference {
        source: "walk ",
        ..differs("header", "Region", "nothing", "*", "lspci takes a register that reads all-ones for none")
    },
    differs(
        "header",
        "Region",
        "nothing",
        "not noted by the kernel",
        "the kernel gave up on this BAR and notes nothing; its register says what it is",
    ),
    differs(
        "header",
        "Expansion ROM",
        "<ignored> [disabled]",
        "*",
        "the kernel gave up on this ROM and notes nothing; its register still has an address",
    ),
    differs("header", "Region", "1: I/O ports at 03f4", "1: I/O ports at 03f6 [size=1]", LEGACY_IDE),
    differs("header", "Region", "3: I/O ports at 0374", "3: I/O ports at 0376 [size=1]", LEGACY_IDE),
    differs(
        "header",
        "answers",
        "unknown header type",
        "no answer",
        "every byte reads FFh: nobody answers, and decoding that would be decoding nothing",
    ),
    differs(
        "list",
        "capability",
        "null",
        "nothing",
        "a pointer into the header is the end of the list, not a capability",
    ),
    differs(
        "list",
        "capability",
        "Single Root I/O Virtualization (SR-IOV)",
        "express",
        "a pointer below 100h is the end of the extended list; lspci decodes the standard capability there as extended",
    ),
    Difference {
        source: "broken-ecaps",
        ..differs(
            "list",
            "capability",
            "nothing",
            "*",
            "lspci looks for an extended list only where PCI Express or \
            PCI-X is on the standard one; like Linux, also a host bridge of 4096 bytes may have one",
        )
    },
    Difference {
        source: "talos2-power9",
        ..differs(
            "list",
            "capability",
            "*",
            "nothing",
            "the dump ends at 256 bytes, lspci read all when it made the text",
        )
    },
    Difference {
        source: "rcec_bitmap_tail",
        ..differs(
            "event_collector",
            "RCiEPBitmap",
            "RCiEP at Device(s): 30",
            "RCiEP at Device(s): 30-31",
            "lspci loses the last device of the bitmap",
        )
    },
    Difference {
        source: "walk event collector",
        ..differs(
            "event_collector",
            "RCiEPBitmap",
            "RCiEP at Device(s): 0",
            "RCiEP at Device(s): 0-31",
            "lspci loses the last device of the bitmap, and with it the range that ends there",
        )
    },
    Difference { source: "walk multicast", ..differs("multicast", "McastCap", "*", "*", WIDE_WINDOW) },
    Difference { source: "walk multicast", ..differs("multicast", "McastOverlayBAR", "*", "*", WIDE_WINDOW) },
    Difference {
        source: "multicast_winsz_overflow",
        ..differs(
            "multicast",
            "McastCap",
            "*",
            "9223372036854775808",
            "lspci computes a window of 2^63 bytes in 32 bits",
        )
    },
    Difference {
        source: "secpci_lane_err_upper16",
        ..differs("secondary", "LaneErrStat", "0", "*", "lspci reads 16 of the 32 lanes")
    },
    Difference {
        source: "pointers-into-header",
        ..differs(
            "list",
            "capability",
            "*",
            "*",
            "the same two pointers, with whatever they happen to lead to",
        )
    },
    Difference {
        source: "header-type-7f",
        ..differs("header", "IntPin pin", "?", "nothing", UNKNOWN_LAYOUT)
    },
    Difference { source: "header-type-7f", ..differs("header", "Region", "*", "nothing", UNKNOWN_LAYOUT) },
    Difference {
        source: "unset-bar",
        ..differs(
            "header",
            "Region",
            "0: Memory at <ignored> (64-bit, non-prefetchable) [size=16K]",
            "0: Memory at <unassigned> (64-bit, non-prefetchable) [size=16K]",
            "the register has an address that the kernel does not use; lspci has a word of its own for that",
        )
    },
    differs("ltr", "Max snoop latency Max snoop latency", "*", "reserved", LTR_SCALE),
    differs("ltr", "Max no snoop latency Max no snoop latency", "*", "reserved", LTR_SCALE),
    differs("secondary", "LaneErrStat", "0", "*", LANES),
    differs(
        "secondary",
        "LaneErrStat",
        "LaneErr at lane: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15",
        "LaneErr at lane: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31",
        LANES,
    ),
    Difference { source: "acer.lspci.txt", ..differs("power", "Bridge PM", "0", "1", OLD_BRIDGE) },
    Difference { source: "acer.lspci.txt", ..differs("power", "Bridge B3", "1", "0", OLD_BRIDGE) },
    differs("vendor", "VirtIO type", "<unknown>", "PCI configuration access", VIRTIO_TYPE),
    differs("vendor", "VirtIO type", "<unknown>", "shared memory", VIRTIO_TYPE),
    differs("msi", "MSI Count", "1/64", "1/reserved", MESSAGES),
    differs("msi", "MSI Count", "1/128", "1/reserved", MESSAGES),
    differs("msi", "MSI Count", "64/1", "reserved/1", MESSAGES),
    differs("msi", "MSI Count", "128/1", "reserved/1", MESSAGES),
    differs(
        "header",
        "IntPin pin",
        "*",
        "?",
        "there are four pins (PCIe 6.2, 7.5.1.1.13); lspci goes on in the alphabet",
    ),
    differs("vendor", "VirtIO type", "<unknown>", "reserved", VIRTIO_TYPE),
    differs(
        "sriov",
        "Region",
        "*",
        "reserved type",
        "lspci takes every type but the first for 64 bits (PCIe 6.2, 9.3.3.14)",
    ),
    differs(
        "sriov",
        "Region",
        "5: Memory at 0000000000000000 (64-bit, non-prefetchable)",
        "nothing",
        "the last BAR has no upper half",
    ),
    differs("hypertransport", "Link Frequency Capability 0 1.4GHz", "0", "1", HT_CLOCKS),
    differs("hypertransport", "Link Frequency Capability 0 1.6GHz", "0", "1", HT_CLOCKS),
    differs("hypertransport", "Link Frequency Capability 0 Vend", "0", "1", HT_CLOCKS),
    differs("hypertransport", "Link Frequency Capability 1 1.4GHz", "0", "1", HT_CLOCKS),
    differs("hypertransport", "Link Frequency Capability 1 1.6GHz", "0", "1", HT_CLOCKS),
    differs("hypertransport", "Link Frequency Capability 1 Vend", "0", "1", HT_CLOCKS),
    differs("pcix", "Secondary Status Freq", "?4", "reserved", PCIX_CLOCK),
    differs("pcix", "Secondary Status Freq", "?5", "66MHz", PCIX_CLOCK),
    differs("pcix", "Secondary Status Freq", "?6", "100MHz", PCIX_CLOCK),
    differs("pcix", "Secondary Status Freq", "?7", "133MHz", PCIX_CLOCK),
    differs("pcix", "Secondary Status Freq", "conv", "reserved", PCIX_CLOCK),
    Difference {
        source: "ea_short_entry_die",
        ..differs("enhanced_allocation", "Entry", "*", "*", "lspci stops in the middle of this entry")
    },
    differs(
        "vendor",
        "CapB DDR3MaxFreq",
        "2932MHz",
        "Unlimited",
        "0 is no limit (coreboot: get_mem_min_tck of Ivy Bridge)",
    ),
    differs("vendor", "CapC DDR4MaxFreq", "1333MHz", "2133MHz", INTEL_GEAR),
    differs("vendor", "CapC LPDDR4MaxFreq", "1333MHz", "2400MHz", INTEL_GEAR),
    differs("doe", "DOESta Error", "0", "1", DOE_ERROR),
    differs("doe", "DOESta Error", "1", "0", DOE_ERROR),
    differs("dvsec", "CXLCap HDMCount", "3", "reserved", "there are at most two ranges (CXL 3.1, 8.1.3.1)"),
    differs(
        "dvsec",
        "CXLPortSta PMComplete",
        "0",
        "1",
        "bit 0 (CXL 3.1, 8.1.5.1); lspci takes the offset of the register for its bits",
    ),
    differs("dvsec", "CXLCtl2 InitRst", "1", "0", MASKS),
    differs("dvsec", "CXLCtl2 DesiredVolatileHDMStateAfterHotReset", "1", "0", MASKS),
    differs("dvsec", "CXLCap3 HotReset", "1", "0", MASKS),
    differs("dvsec", "FuncMap", "0: 0000beef", "0: deadbeef", "lspci reads 16 of the 32 bits"),
    differs(
        "flit_error_injection",
        "FlitEiCtl1 Flit Type",
        "any",
        "IDLE",
        "three bits (PCIe 6.2, 7.8.13.3), of which lspci takes two",
    ),
    differs(
        "flit_logging",
        "CntSts Interrupt Generated based on Trigger Event Count",
        "0",
        "1",
        "bit 3 (PCIe 6.2, 7.7.8.5), which lspci does not see",
    ),
    differs("ide", "LinkIDECtl PCRC", "1", "0", "bit 8 (PCIe 6.2, 7.9.26.4.1); lspci takes that of Enable"),
    differs("vendor", "BAR BAR", "0", "nothing", VIRTIO_SHORT),
    differs("vendor", "BAR offset", "00000000", "nothing", VIRTIO_SHORT),
    differs("vendor", "BAR size", "00000000", "nothing", VIRTIO_SHORT),
];

const UNKNOWN_LAYOUT: &str =
    "nothing tells which registers a header of unknown type has; lspci repeats what the kernel noted";
const EXIT_LATENCY: &str =
    "the encoding is an exit latency above the last step, not one without limit (PCIe 6.2, 7.5.3.6)";
const WIDTH: &str = "the specification has no such number of lanes; lspci prints the encoding as it is";
const NEWER: &str = "newer than lspci 3.9";
const PAYLOAD: &str = "the encoding is reserved (PCIe 6.2, 7.5.3.4); lspci goes on doubling";
const POWER_LIMIT: &str = "FFh is above 600 W and reserved (PCIe 6.2, 7.5.3.9), not a number";
const WINDOW_WIDTH: &str = "lspci takes the window from the kernel and its width from flags that the kernel does not set; the register has it";
const LEGACY_IDE: &str =
    "lspci clears the low two bits of the address that the kernel notes, and then finds no size";
const MESSAGES: &str = "at most 32 messages, two encodings are reserved (PCIe 6.2, 7.7.1.2)";
const LANES: &str = "lspci reads 16 of the 32 lanes";
const LTR_SCALE: &str = "scales 6 and 7 are reserved (PCIe 6.2, 6.18); lspci shifts by them";
const OLD_BRIDGE: &str = "that old lspci took these bits from Power Management Control/Status; 3.9 does not";
const MASKS: &str = "lspci takes numbers of bits for masks (CXL 3.1, 8.1.3.4 and 8.1.3.9)";
const DOE_ERROR: &str = "bit 2 (PCIe 6.2, 7.9.24.4); lspci takes the two bits below it";
const VIRTIO_TYPE: &str = "lspci has no name for this kind of structure (Virtio 1.3, 4.1.4)";
const INTEL_GEAR: &str = "lspci prints the field of gear 1 in its place";
const HT_CLOCKS: &str = "lspci reads the lower byte of a register of two";
const PCIX_CLOCK: &str =
    "PCI-X 2.0 made it four bits, for error correction and for Mode 2; lspci looks at three";
const VIRTIO_SHORT: &str =
    "the capability is too short for its kind; lspci prints what it found until it stops";

pub const NAMES: &[Name] = &[
    name("express", "LnkCtl", "Disabled", "LnkDisable", "what lspci 3.9 calls it"),
    name(
        "express",
        "DevCtl",
        "BrConfRtry",
        "FLReset",
        "the bit is Bridge Configuration Retry Enable in PCI Express to PCI bridges (PCIe 6.2, 7.5.3.4)",
    ),
    name("ide", "IDECap", "PCPC", "PCRC", "lspci misspells it"),
    name("express", "DevCtl", "Correctable", "CorrErr", OLD_NAME),
    name("express", "DevCtl", "Non-Fatal", "NonFatalErr", OLD_NAME),
    name("express", "DevCtl", "Fatal", "FatalErr", OLD_NAME),
    name("express", "DevCtl", "Unsupported", "UnsupReq", OLD_NAME),
    name("express", "DevSta", "UncorrErr", "NonFatalErr", OLD_NAME),
    name("express", "DevSta", "UnsuppReq", "UnsupReq", OLD_NAME),
    Name {
        inverted: true,
        ..name(
            "power",
            "Bridge",
            "B3",
            "B2",
            "the bit is set for B2 (PCI Power Management 1.2, 3.2.5); lspci says the opposite",
        )
    },
];

const OLD_NAME: &str = "a name of older versions, in the text of a dump";

pub const LEFT_OUT: &[LeftOut] = &[
    left_out("*", "", "<?>", "lspci says that it does not decode the rest"),
    left_out("express", "LnkSta:", "(downgraded)", LINK_NOTE),
    left_out("express", "LnkSta:", "(overdriven)", LINK_NOTE),
    left_out("express", "LnkSta:", "(ok)", LINK_NOTE),
    left_out("express", "DevCtl:", "Report errors:", "words before flags"),
    left_out("unread", "Interrupt:", "", UNREAD),
    left_out("unread", "Region ", "", UNREAD),
    left_out("unread", "Memory behind bridge:", "", UNREAD),
    left_out("unread", "Expansion ROM at ", "", UNREAD),
    left_out("kernel", "Interrupt:", "", KERNEL_KNEW),
    left_out("kernel", "Region ", "", KERNEL_KNEW),
    left_out("kernel", "Expansion ROM at ", "", KERNEL_KNEW),
    left_out("kernel", "Kernel driver in use:", "", KERNEL_KNEW),
    left_out("kernel", "NUMA node:", "", KERNEL_KNEW),
    left_out("kernel", "IOMMU group:", "", KERNEL_KNEW),
    left_out("header", "Physical Slot:", "", KERNEL),
    left_out("header", "Kernel modules:", "", KERNEL),
    left_out("header", "DeviceName:", "", KERNEL),
    left_out("header", "Memory window ", "", CARDBUS),
    left_out("header", "I/O window ", "", CARDBUS),
    left_out("header", "16-bit legacy interface ports", "", CARDBUS),
    left_out("header", "BridgeCtl: Parity- SERR- ISA+", "", CARDBUS),
    left_out("header", "!!! Invalid class ", "", "a judgement about values that are compared"),
    left_out("header", "!!! Unknown I/O range types ", "", "lspci does not show the window then"),
    left_out(
        "header",
        "!!! Unknown prefetchable memory range types ",
        "",
        "lspci does not show the window then",
    ),
    left_out("rebar", "<error in resizable BAR:", "", REBAR),
    left_out("vf_rebar", "<error in resizable BAR:", "", REBAR),
    left_out("sriov", "title", "(SR-IOV)", TITLE_WORDS),
    left_out("ari", "title", "(ARI)", TITLE_WORDS),
    left_out("ats", "title", "(ATS)", TITLE_WORDS),
    left_out("page_request", "title", "(PRI)", TITLE_WORDS),
    left_out("pasid", "title", "(PASID)", TITLE_WORDS),
    left_out("dvsec", "title", ": CXL", "name of the vendor; the number is compared"),
    left_out("dvsec", "CXL Extensions DVSEC ", "", BODY),
    left_out("dvsec", "GPF DVSEC ", "", BODY),
    left_out("dvsec", "Reserved time scale encoding ", "", "the encoding is compared where it stands"),
    left_out("dvsec", "Register Locator DVSEC", "", BODY),
    left_out("dvsec", "PCIe DVSEC for ", "", BODY),
    left_out("dvsec", "Non-CXL Function Map DVSEC", "", BODY),
    left_out("dvsec", "<Wrong length", "", BODY),
    left_out("enhanced_allocation", "title", "(EA)", TITLE_WORDS),
    left_out("vpd", "Product Name:", "", VPD),
    left_out("vpd", "Read-only fields:", "", VPD),
    left_out("vpd", "Read/write fields:", "", VPD),
    left_out("vpd", "End", "", VPD),
    left_out("vpd", "Not readable", "", VPD),
    left_out(
        "hypertransport",
        "!!! Possibly incomplete decoding",
        "",
        "lspci says so of revisions above 2.0; what it shows is compared",
    ),
    left_out("mmio_locator", "Locator", "", NO_LENGTH),
    left_out("mmio_locator", "<unreadable>", "", NO_LENGTH),
];

const WIDE_WINDOW: &str = "lspci computes windows of 2^32 bytes and more in 32 bits";
const LINK_NOTE: &str =
    "not decoding but a judgement, made of one end of the link; here both ends are compared";
const UNREAD: &str = "nothing was read of this function: lspci repeats what the kernel noted";
const KERNEL_KNEW: &str =
    "the lspci that made the dump had it from the kernel, the dump has configuration space only";
const KERNEL: &str = "not part of configuration space";
const CARDBUS: &str = "of CardBus bridges the kernel's header is the referee (tests/kernel_header.rs): here base and limit are registers of their own";
const VPD: &str = "not configuration space but the file `vpd`, which neither dumps nor fixtures have";
const TITLE_WORDS: &str = "abbreviation behind the name";
const REBAR: &str = "the number of BARs is reserved: lspci shows none, here those that have room";
const BODY: &str = "name of what the ID and revision stand for; the numbers are compared";
const NO_LENGTH: &str = "the length is 0: lspci goes on to the end of configuration space";

pub const REFUSED: &[Refused] = &[
    refused("acer.lspci.txt", "a first line of more than 255 characters"),
    refused("huananzhi-x99-bd4.lspci.txt", "a message in the middle of a hex row"),
    refused("wide-domain", "a domain of 32 bits"),
    refused("procfs-fixtures", "no irq or resource file"),
    refused("cxl_flexbus_short_len_die", SHORT),
    refused("cxl_funcmap_short_len_die", SHORT),
    refused("cxl_range_oob", CRASH),
    refused("ea_es0_die", SHORT),
    refused("ea_short_entry_die", SHORT),
    refused("virtio_shm_short_die", SHORT),
    refused("rc-11-66204a3c", CRASH),
    refused("rc-11-92d65013", CRASH),
    refused("rc1-4e8d4c5a", SHORT),
    refused("rc1-c6a9af6c", SHORT),
    refused("rc1-d0010284", SHORT),
    refused("rc1-f58c2249", SHORT),
    refused("rc1-ff499016", SHORT),
];

const SHORT: &str =
    "lspci stops for good at a capability that is shorter than its kind needs; functions behind it are lost";
const CRASH: &str = "lspci crashes on a range type that has no name";
