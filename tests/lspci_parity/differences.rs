//! Everything in which lspci and pciscope are known not to say the same, with the reason. There is no other list.
//!
//! The test fails on whatever is not listed here, and on an entry that nothing in the whole corpus needs.

/// A value on which the two do not agree. `*` is any value.
pub struct Difference {
    pub capability: &'static str,
    /// Register and field, as in a failure.
    pub item: &'static str,
    pub theirs: &'static str,
    pub ours: &'static str,
    /// Part of the place, where it is one special case.
    pub source: &'static str,
    pub reason: &'static str,
}

/// A flag that lspci calls otherwise. Its value is compared.
pub struct Name {
    pub capability: &'static str,
    pub register: &'static str,
    pub theirs: &'static str,
    pub ours: &'static str,
    /// lspci prints the opposite of the bit.
    pub inverted: bool,
    /// Part of the name of the file, where it is one special case.
    pub source: &'static str,
    pub reason: &'static str,
}

/// Text of lspci that is not compared with anything.
pub struct LeftOut {
    /// `*` is any.
    pub capability: &'static str,
    /// How the line starts; empty is any.
    pub line: &'static str,
    /// The text; empty is the whole line.
    pub text: &'static str,
    pub reason: &'static str,
}

/// Something that lspci does not read to its end.
pub struct Refused {
    /// End of the name.
    pub source: &'static str,
    pub reason: &'static str,
}

/// Shorthands for the tables.
const fn differs(
    capability: &'static str,
    item: &'static str,
    theirs: &'static str,
    ours: &'static str,
    reason: &'static str,
) -> Difference {
    Difference { capability, item, theirs, ours, source: "", reason }
}

const fn name(
    capability: &'static str,
    register: &'static str,
    theirs: &'static str,
    ours: &'static str,
    reason: &'static str,
) -> Name {
    Name { capability, register, theirs, ours, inverted: false, source: "", reason }
}

const fn left_out(
    capability: &'static str,
    line: &'static str,
    text: &'static str,
    reason: &'static str,
) -> LeftOut {
    LeftOut { capability, line, text, reason }
}

const fn refused(source: &'static str, reason: &'static str) -> Refused {
    Refused { source, reason }
}

pub const DIFFERENCES: &[Difference] = &[
    differs("express", "LnkCap L0s", "unlimited", ">4us", EXIT_LATENCY),
    differs("express", "LnkCap L1", "unlimited", ">64us", EXIT_LATENCY),
    differs("express", "LnkCap Width", "0", "reserved 0", WIDTH),
    differs("express", "LnkSta Width", "0", "reserved 0", WIDTH),
    differs("header", "IOBase [{}-bit]", "16", "32", WINDOW_WIDTH),
    differs("header", "PrefBase [{}-bit]", "32", "64", WINDOW_WIDTH),
    differs(
        "header",
        "Region",
        "*",
        "upper half",
        "without a kernel lspci takes an upper half that is not zero for a BAR",
    ),
    differs(
        "header",
        "Region",
        "nothing",
        "*",
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
    differs("ltr", "Max snoop latency Max snoop latency", "8ns", "reserved", LTR_SCALE),
    differs("ltr", "Max no snoop latency Max no snoop latency", "1073741824ns", "reserved", LTR_SCALE),
    Difference {
        source: "secpci_lane_err_upper16",
        ..differs("secondary", "LaneErrStat", "0", "*", "lspci reads 16 of the 32 lanes")
    },
    Difference { source: "acer.lspci.txt", ..differs("power", "Bridge PM", "0", "1", OLD_BRIDGE) },
    Difference { source: "acer.lspci.txt", ..differs("power", "Bridge B3", "1", "0", OLD_BRIDGE) },
    differs("vendor", "VirtIO type", "<unknown>", "PCI configuration access", VIRTIO_TYPE),
    differs("vendor", "VirtIO type", "<unknown>", "shared memory", VIRTIO_TYPE),
    differs("vendor", "BAR BAR", "0", "nothing", VIRTIO_SHORT),
    differs("vendor", "BAR offset", "00000000", "nothing", VIRTIO_SHORT),
    differs("vendor", "BAR size", "00000000", "nothing", VIRTIO_SHORT),
];

const EXIT_LATENCY: &str =
    "the encoding is an exit latency above the last step, not one without limit (PCIe 6.2, 7.5.3.6)";
const WIDTH: &str = "the specification has no such number of lanes; lspci prints the encoding as it is";
const WINDOW_WIDTH: &str = "lspci takes the window from the kernel and its width from flags that the kernel does not set; the register has it";
const LEGACY_IDE: &str =
    "lspci clears the low two bits of the address that the kernel notes, and then finds no size";
const LTR_SCALE: &str = "scales 6 and 7 are reserved (PCIe 6.2, 6.18); lspci shifts by them";
const OLD_BRIDGE: &str = "that old lspci took these bits from Power Management Control/Status; 3.9 does not";
const VIRTIO_TYPE: &str = "lspci has no name for this kind of structure (Virtio 1.3, 4.1.4)";
const VIRTIO_SHORT: &str =
    "the capability is too short for its kind; lspci prints what it found until it stops";

pub const NAMES: &[Name] = &[
    name("express", "LnkCtl", "Disabled", "LnkDisable", "the name before lspci 3.10"),
    name(
        "express",
        "DevCtl",
        "BrConfRtry",
        "FLReset",
        "the bit is Bridge Configuration Retry Enable in PCI Express to PCI bridges (PCIe 6.2, 7.5.3.4)",
    ),
    name("express", "DevCtl", "Correctable", "CorrErr", OLD_NAME),
    name("express", "DevCtl", "Non-Fatal", "NonFatalErr", OLD_NAME),
    name("express", "DevCtl", "Fatal", "FatalErr", OLD_NAME),
    name("express", "DevCtl", "Unsupported", "UnsupReq", OLD_NAME),
    name("express", "DevSta", "UncorrErr", "NonFatalErr", OLD_NAME),
    name("express", "DevSta", "UnsuppReq", "UnsupReq", OLD_NAME),
    name("aer", "CESta", "NonFatalErr", "AdvNonFatalErr", OLD_NAME),
    name("aer", "CEMsk", "NonFatalErr", "AdvNonFatalErr", OLD_NAME),
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

const OLD_NAME: &str = "a name of lspci before 3.6, in the text of a dump";

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
    left_out("sriov", "title", "(SR-IOV)", TITLE_WORDS),
    left_out("ari", "title", "(ARI)", TITLE_WORDS),
    left_out("dvsec", "title", ": CXL", "name of the vendor; the number is compared"),
    left_out("dvsec", "CXL", "", BODY),
    left_out("dvsec", "FB", "", BODY),
    left_out("dvsec", "Range", "", BODY),
    left_out("dvsec", "GPF ", "", BODY),
    left_out("dvsec", "Block", "", BODY),
    left_out("dvsec", "AlternateBus:", "", BODY),
    left_out("dvsec", "FuncMap ", "", BODY),
    left_out("dvsec", "Cache Size ", "", BODY),
    left_out("dvsec", "Register Locator DVSEC", "", BODY),
    left_out("dvsec", "PCIe DVSEC for ", "", BODY),
    left_out("dvsec", "Non-CXL Function Map DVSEC", "", BODY),
    left_out("dvsec", "<Wrong length", "", BODY),
    left_out("vendor", "title", ": Intel Feature Detection", INTEL),
    left_out("vendor", "title", ": Intel Capabilities v1", INTEL),
    left_out("vendor", "title", ": Intel <unknown>", INTEL),
    left_out("vendor", "CapA:", "", INTEL),
    left_out("vendor", "CapB:", "", INTEL),
    left_out("vendor", "CapC:", "", INTEL),
];

const LINK_NOTE: &str =
    "not decoding but a judgement, made of one end of the link; here both ends are compared";
const UNREAD: &str = "nothing was read of this function: lspci repeats what the kernel noted";
const KERNEL_KNEW: &str =
    "the lspci that made the dump had it from the kernel, the dump has configuration space only";
const KERNEL: &str = "not part of configuration space";
const CARDBUS: &str = "windows and control of CardBus bridges are not decoded here";
const TITLE_WORDS: &str = "abbreviation behind the name";
const BODY: &str = "bodies of designated vendor-specific capabilities are not decoded here";
const INTEL: &str = "bodies of vendor-specific capabilities are not decoded here, except Virtio's";

pub const REFUSED: &[Refused] = &[
    refused("acer.lspci.txt", "a first line of more than 255 characters"),
    refused("huananzhi-x99-bd4.lspci.txt", "a message in the middle of a hex row"),
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
