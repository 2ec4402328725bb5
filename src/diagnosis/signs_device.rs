//! Signs of everything but the bus: addresses, interrupts, memory access, the device's own parts, driver, program.

use crate::kernel_log::Level;

use super::sign::{BASE, DAY, MINUTES, Now, Place, Rate, Seen, Sign, With};
use super::state::Fact;

/// BARs as kernels up to 6.0 count them, and as later ones name them.
const BARS: &[i64] = &[0, 1, 2, 3, 4, 5];
const BAR_NAMES: &[&str] = &["BAR "];
/// Resources that kernels up to 6.0 count from 7 on: VF BARs and bridge windows (include/linux/pci.h).
const BEYOND: &[i64] = &[7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
const MEMORY: &[&str] = &["[mem", "[???"];
/// What the kernel keeps free below every hot-plug port (DEFAULT_HOTPLUG_MMIO_SIZE in drivers/pci/pci.c). With an empty
/// slot nobody misses it.
const RESERVE: &[&str] = &["[mem size 0x00200000"];

/// What a register reads where nobody answers.
const NOBODY: &[i64] = &[0xffff_ffff];

/// Drivers that hand devices to guests: whether they get one says nothing of the device.
const FOR_GUESTS: &[&str] = &["vfio-pci", "pci-stub", "pciback", "xen-pciback"];

/// Signs of this family.
pub static SIGNS: &[Sign] = &[
    Sign {
        id: "no-address",
        says: "there was no room for a BAR, and no later attempt found any",
        events: &[
            Seen::with("resources.no-space", &[With::Number("bar", BARS), With::Word("resource", MEMORY)]),
            Seen::with(
                "resources.no-space",
                &[With::Word("bar_name", BAR_NAMES), With::Word("resource", MEMORY)],
            ),
            Seen::with(
                "resources.not-assigned",
                &[With::Number("bar", BARS), With::Word("resource", MEMORY)],
            ),
            Seen::with(
                "resources.not-assigned",
                &[With::Word("bar_name", BAR_NAMES), With::Word("resource", MEMORY)],
            ),
        ],
        undone_by: &["resources.assigned", "pci.function-found", "nvidia.started", "nvme.started"],
        until_assigned: true,
        ..BASE
    },
    Sign {
        id: "no-window",
        says: "there was no room for a bridge's memory window or for the BARs of virtual functions",
        place: Place::OwnOrAbove,
        events: &[
            Seen::with(
                "resources.no-space",
                &[With::Number("bar", BEYOND), With::NotWord("resource", RESERVE)],
            ),
            Seen::with(
                "resources.no-space",
                &[With::Word("bar_name", &["VF BAR", "bridge window"]), With::NotWord("resource", RESERVE)],
            ),
            Seen::with(
                "resources.not-assigned",
                &[With::Number("bar", BEYOND), With::NotWord("resource", RESERVE)],
            ),
            Seen::with(
                "resources.not-assigned",
                &[With::Word("bar_name", &["VF BAR", "bridge window"]), With::NotWord("resource", RESERVE)],
            ),
        ],
        undone_by: &["resources.assigned"],
        until_assigned: true,
        ..BASE
    },
    Sign {
        id: "address-missed",
        says: "a driver could not use the device because a BAR has no address",
        events: &[
            Seen::any("resources.cannot-enable"),
            Seen::any("resources.cannot-map"),
            Seen::any("nvidia.bar-invalid"),
        ],
        undone_by: &["pci.function-found", "nvidia.started", "nvme.started"],
        until_assigned: true,
        ..BASE
    },
    Sign {
        id: "register-without-address",
        says: "a memory BAR has no address",
        states: &[Now::Check("bar-unassigned")],
        ..BASE
    },
    Sign {
        id: "addresses-assigned",
        says: "every memory BAR has an address now",
        states: &[Now::Fact(Fact::AddressesAssigned)],
        ..BASE
    },
    Sign {
        id: "address-lost",
        says: "a BAR register does not hold the address that the kernel noted",
        states: &[Now::Check("bar-lost-after-reset")],
        ..BASE
    },
    Sign {
        id: "address-not-forwarded",
        says: "a bridge above does not forward the device's addresses",
        states: &[Now::Check("bridge-window-small")],
        ..BASE
    },
    Sign {
        id: "address-conflict",
        says: "firmware gave addresses that two devices claim",
        events: &[Seen::any("resources.conflict")],
        until_assigned: true,
        ..BASE
    },
    Sign {
        id: "reservation-overlaps",
        says: "a BAR lay where firmware reserves addresses, as one does that firmware left unset",
        events: &[Seen::any("resources.reservation-ignored")],
        aftermath: Some(MINUTES),
        ..BASE
    },
    Sign {
        id: "addresses-taken",
        says: "another driver, or the kernel itself, holds the addresses of a BAR",
        events: &[Seen::any("resources.taken")],
        ..BASE
    },
    Sign {
        id: "bus-numbers-missing",
        says: "firmware left no bus numbers for what is behind a bridge",
        place: Place::OwnOrAbove,
        events: &[Seen::with("pci.no-bus-number", &[With::Lacks("reason")])],
        ..BASE
    },
    Sign {
        id: "errors-handled-twice",
        says: "the kernel handles errors behind VMD although firmware kept them to itself",
        events: &[Seen::with("aer.enabled", &[With::VolumeManagement])],
        ..BASE
    },
    Sign {
        id: "errors-kept-by-firmware",
        says: "firmware kept error handling (AER) to itself: without lines in the log nothing is proved",
        place: Place::Anywhere,
        events: &[
            Seen::with("acpi.osc-not-supported", &[With::Word("features", &["AER"])]),
            Seen::any("acpi.osc-refused"),
            Seen::any("aer.not-owned"),
        ],
        ..BASE
    },
    Sign {
        id: "extended-space-missing",
        says: "the kernel reaches 256 bytes only of a PCI Express function",
        states: &[Now::Check("presence-config-length")],
        ..BASE
    },
    Sign {
        id: "aspm-forbidden-and-on",
        says: "firmware forbids ASPM (FADT) and left it on",
        states: &[Now::Fact(Fact::AspmForbiddenAndOn)],
        ..BASE
    },
    Sign {
        id: "switched-off-by-command-line",
        says: "an option on the kernel command line did this",
        states: &[Now::Fact(Fact::NoExtendedSpaceByOption)],
        ..BASE
    },
    Sign {
        id: "message-interrupts-refused",
        says: "the driver could not enable MSI-X or MSI",
        events: &[
            Seen::any("nvidia.msi-x-failed"),
            Seen::any("nvidia.msi-failed"),
            Seen::any("interrupts.driver-got-none"),
            // ENOSPC is what the kernel answers when it has no vectors (Documentation/PCI/msi-howto.rst).
            Seen::with("pci.probe-failed", &[With::Number("error", &[-28])]),
            Seen::with("interrupts.msi-refused", &[With::NotWord("reason", &["disallowed"])]),
        ],
        undone_by: &["pci.function-found", "nvidia.started", "nvme.started"],
        ..BASE
    },
    Sign {
        id: "message-interrupts-on",
        says: "message interrupts are on now",
        states: &[Now::Fact(Fact::MessageInterruptsOn)],
        ..BASE
    },
    Sign {
        id: "no-interrupt",
        says: "the driver got no interrupt of any kind",
        events: &[Seen::any("nvidia.no-interrupts"), Seen::any("interrupts.mismatch")],
        undone_by: &["pci.function-found", "nvidia.started", "nvme.started"],
        states: &[Now::Check("irq-none")],
        ..BASE
    },
    Sign {
        id: "interrupt-lost",
        says: "interrupts were set up and did not arrive",
        events: &[
            Seen::with("nvidia.rm-init-failed", &[With::Number("rm_status", &[0x45])]),
            Seen::any("iommu.interrupt-blocked"),
        ],
        ..BASE
    },
    Sign {
        id: "interrupts-lost-often",
        says: "interrupts did not arrive, several times within hours",
        events: &[Seen::any("nvme.interrupt-lost")],
        rate: Some(Rate { times: 3, seconds_apart: 3600 }),
        ..BASE
    },
    Sign {
        id: "interrupt-late",
        says: "a command was done and its interrupt had not come",
        events: &[Seen::any("nvme.interrupt-lost")],
        ..BASE
    },
    Sign {
        id: "interrupt-nobody-took",
        says: "an interrupt kept coming that no driver took, and was switched off",
        events: &[Seen::any("interrupts.nobody-cared"), Seen::any("interrupts.switched-off")],
        ..BASE
    },
    Sign {
        id: "vectors-used-up",
        says: "the processors have no interrupt vectors left",
        place: Place::Anywhere,
        events: &[Seen::any("interrupts.vectors-exhausted")],
        ..BASE
    },
    Sign {
        id: "vectors-wrong",
        says: "message interrupts are off, masked, pending, or their table cannot be right",
        states: &[
            Now::Check("msix-off-while-bound"),
            Now::Check("msix-function-mask"),
            Now::Check("msix-geometry"),
            Now::Check("msix-table-all-ones"),
            Now::Fact(Fact::PendingUnmasked),
        ],
        ..BASE
    },
    Sign {
        id: "messages-forbidden",
        says: "firmware forbids message interrupts (FADT)",
        place: Place::Anywhere,
        events: &[Seen::any("acpi.no-msi")],
        ..BASE
    },
    Sign {
        id: "memory-access-refused",
        says: "the IOMMU stopped the device from reading or writing memory that nobody gave it",
        events: &[Seen::any("iommu.fault"), Seen::any("iommu.event"), Seen::any("iommu.arm-context-fault")],
        aftermath: Some(DAY),
        ..BASE
    },
    Sign {
        id: "translation-timeout",
        says: "the device did not answer the IOMMU's request to forget translations (ATS)",
        events: &[Seen::any("iommu.invalidation-timeout")],
        aftermath: Some(DAY),
        ..BASE
    },
    Sign {
        id: "memory-errors",
        says: "the device's memory makes errors",
        events: &[Seen::with("nvidia.xid", &[With::Level(Level::Memory)]), Seen::any("amdgpu.memory-error")],
        aftermath: Some(DAY),
        over_by: &["started", "found-again"],
        ..BASE
    },
    Sign {
        id: "firmware-silent",
        says: "the device's own processor does not answer its driver",
        events: &[
            Seen::with("nvidia.xid", &[With::Number("xid", &[119, 120])]),
            Seen::with("nvidia.rm-init-failed", &[With::Number("init_status", &[0x60, 0x61, 0x62])]),
            Seen::any("nvidia.firmware-left-over"),
            Seen::any("amdgpu.firmware-silent"),
            Seen::any("wireless.firmware-silent"),
        ],
        undone_by: &["nvidia.started"],
        aftermath: Some(DAY),
        over_by: &["started", "recovered", "found-again"],
        ..BASE
    },
    Sign {
        id: "engine-failed",
        says: "the device did not do in time what its driver asked, or said that it failed",
        events: &[
            Seen::with("nvidia.xid", &[With::Level(Level::Device), With::NotNumber("xid", &[119, 120])]),
            // What is not fatal ends no program, except where traffic stands still (kernel_log/sxid.rs).
            Seen::with("nvidia.switch-error", &[With::Word("severity", &["Fatal"])]),
            Seen::with("nvidia.switch-error", &[With::Number("sxid", &[11_004, 12_028, 19_084])]),
            Seen::any("amdgpu.ring-timeout"),
            Seen::any("mlx5.health"),
            Seen::any("xhci.dead"),
            Seen::with("nvme.controller-down", &[With::NotNumber("controller_status", &[0xffff_ffff])]),
            Seen::with("nvme.not-ready", &[With::NotNumber("controller_status", &[0xffff_ffff])]),
            Seen::with("nvme.not-ready", &[With::Lacks("controller_status")]),
            Seen::with("nvme.command-timeout", &[With::NotWord("what", &["aborting"])]),
            Seen::any("ethernet.hardware-hang"),
            Seen::any("ethernet.firmware-failed"),
            Seen::with("ethernet.not-stopping", &[With::NotNumber("value", NOBODY)]),
            Seen::with("wireless.no-access", &[With::NotNumber("value", NOBODY)]),
            Seen::with("ahci.reset-failed", &[With::NotNumber("value", NOBODY)]),
            Seen::any("storage.firmware-failed"),
            Seen::with("storage.lockup", &[With::NotNumber("value", NOBODY)]),
            Seen::with("storage.lockup", &[With::Lacks("value")]),
            Seen::any("wireless.reset-failed"),
            Seen::any("idxd.halted"),
            Seen::any("storage.reset-failed"),
            Seen::any("cxl.mailbox-timeout"),
            Seen::any("power.pending-transaction"),
        ],
        aftermath: Some(DAY),
        over_by: &["started", "recovered", "found-again"],
        ..BASE
    },
    Sign {
        id: "device-slow",
        says: "the device did not do something in time, or its firmware was started anew; the driver went on",
        events: &[
            Seen::with("nvme.command-timeout", &[With::Word("what", &["aborting"])]),
            Seen::any("ethernet.transmit-hang"),
            Seen::any("ethernet.transmit-timeout"),
            Seen::any("ethernet.command-timeout"),
            Seen::any("gpu.hang"),
            Seen::any("wireless.firmware-failed"),
        ],
        aftermath: Some(DAY),
        over_by: &["started", "recovered", "found-again"],
        ..BASE
    },
    Sign {
        id: "driver-alarm",
        says: "the driver says that the device hangs, died or does not answer, in words that the catalogue does not know",
        events: &[Seen::any("driver.alarm")],
        undone_by: &["driver.recovered", "wireless.recovered"],
        ..BASE
    },
    Sign {
        id: "driver-complaint",
        says: "the driver says that something failed, in words that the catalogue does not know",
        events: &[Seen::any("driver.complaint")],
        ..BASE
    },
    Sign {
        id: "registers-stuck",
        says: "several bits for which the driver waited did not change",
        events: &[Seen::any("ethernet.register-stuck")],
        rate: Some(Rate { times: 3, seconds_apart: 60 }),
        ..BASE
    },
    Sign {
        id: "start-failed",
        says: "RmInitAdapter failed at a step that the bus does not explain",
        events: &[
            Seen::with(
                "nvidia.rm-init-failed",
                &[
                    With::NotNumber("init_status", &[0x22, 0x60, 0x61, 0x62]),
                    With::NotNumber("rm_status", &[0x0f, 0x45]),
                ],
            ),
            Seen::with(
                "nvidia.rm-init-failed",
                &[With::Number("init_status", &[0x22]), With::NotNumber("rm_status", &[0x0f, 0x45, 0x56])],
            ),
        ],
        undone_by: &["nvidia.started"],
        ..BASE
    },
    Sign {
        id: "not-the-expected",
        says: "another device is there than the expectation names",
        states: &[Now::Check("identity-expected")],
        ..BASE
    },
    Sign {
        id: "header-wrong",
        says: "its header or its capability list makes no sense",
        states: &[Now::Check("presence-header-type"), Now::Check("caps-integrity")],
        ..BASE
    },
    Sign {
        id: "header-ignored",
        says: "its header made no sense when the kernel looked for it",
        events: &[Seen::any("pci.unknown-header")],
        ..BASE
    },
    Sign {
        id: "virtual-function-silent",
        says: "a virtual function that was created does not answer: header type 7f and class ffffff are all-ones",
        events: &[Seen::with("pci.function-found", &[With::Number("class", &[0xff_ffff])])],
        ..BASE
    },
    Sign {
        id: "product-data-silent",
        says: "the device does not hand out its vital product data",
        events: &[Seen::with("pci.vital-product-data", &[With::Lacks("value")])],
        ..BASE
    },
    Sign {
        id: "hot-plug-commands-unanswered",
        says: "the hot-plug controller never said that its commands were completed",
        events: &[Seen::any("pciehp.command-timeout")],
        ..BASE
    },
    Sign {
        id: "recovery-asked-for",
        says: "the driver says that the GPU has to be recovered (Xid 154)",
        events: &[Seen::with(
            "nvidia.xid",
            &[With::Number("xid", &[154]), With::NotWord("action", &["None"])],
        )],
        ..BASE
    },
    Sign {
        id: "recovery-no-longer-asked-for",
        says: "the driver says that the GPU needs no recovery any more (Xid 154)",
        events: &[Seen::with("nvidia.xid", &[With::Number("xid", &[154]), With::Word("action", &["None"])])],
        ..BASE
    },
    Sign {
        id: "program-failed",
        says: "the program that used the device made a mistake",
        events: &[Seen::with("nvidia.xid", &[With::Level(Level::Application)])],
        aftermath: Some(MINUTES),
        ..BASE
    },
    Sign {
        id: "program-missed-memory",
        says: "a program had the device reach for memory that the program does not have",
        events: &[Seen::any("amdgpu.page-fault")],
        aftermath: Some(MINUTES),
        ..BASE
    },
    Sign {
        id: "program-suspected",
        says: "an engine of the device stopped for one program, which may be why",
        events: &[Seen::with("nvidia.xid", &[With::Level(Level::Depends), With::FirstAdvice("RESTART_APP")])],
        aftermath: Some(MINUTES),
        ..BASE
    },
    Sign {
        id: "program-cleaned-up",
        says: "the driver cleaned up after a program that did not end by itself (Xid 45)",
        events: &[Seen::with("nvidia.xid", &[With::Number("xid", &[45])])],
        aftermath: Some(MINUTES),
        ..BASE
    },
    Sign {
        id: "number-unexplained",
        says: "an Xid whose number is not in NVIDIA's catalogue, or of which it does not say where the trouble is",
        events: &[Seen::with(
            "nvidia.xid",
            &[With::Level(Level::Depends), With::NotFirstAdvice("RESTART_APP")],
        )],
        ..BASE
    },
    Sign {
        id: "driver-failed",
        says: "the driver gave the device up, does not support it, or does not fit the programs",
        events: &[
            Seen::with("nvidia.xid", &[With::Level(Level::Driver)]),
            Seen::any("gpu.wedged"),
            Seen::any("nvidia.not-supported"),
            Seen::any("nvidia.version-mismatch"),
            Seen::any("nvidia.removed-in-use"),
        ],
        aftermath: Some(DAY),
        over_by: &["started", "recovered", "found-again"],
        ..BASE
    },
    Sign {
        id: "bound-elsewhere",
        says: "another driver has the device",
        events: &[Seen::any("nvidia.bound-elsewhere")],
        ..BASE
    },
    Sign {
        id: "driver-did-not-start",
        says: "the driver did not start the device",
        events: &[
            Seen::with(
                "pci.probe-failed",
                &[With::NotNumber("error", &[-517, -28]), With::NotDriver(FOR_GUESTS)],
            ),
            Seen::any("ethernet.start-failed"),
            Seen::any("nvidia.adapter-not-started"),
            Seen::any("nvidia.cannot-attach"),
            Seen::any("nvidia.none-started"),
            Seen::any("nvme.given-up"),
            Seen::any("power.resume-failed"),
            Seen::any("xhci.resume-failed"),
        ],
        undone_by: &["nvidia.started", "nvme.started"],
        ..BASE
    },
    Sign {
        id: "another-answers",
        says: "another device answers than the kernel enumerated",
        states: &[Now::Check("presence-config-vs-sysfs-id")],
        ..BASE
    },
    Sign {
        id: "switched-off",
        says: "memory decode or bus mastering is off although a driver is bound",
        states: &[Now::Check("cmd-memory-decode"), Now::Check("cmd-bus-master")],
        ..BASE
    },
    Sign {
        id: "ends-disagree",
        says: "the two ends of the link are set up differently (payload size, ASPM)",
        events: &[Seen::any("pci.payload-size")],
        states: &[Now::Check("mps-path-mismatch"), Now::Check("aspm-ends-differ")],
        ..BASE
    },
    Sign {
        id: "errors-masked",
        says: "all errors of the device are masked",
        states: &[Now::Fact(Fact::ErrorsMasked)],
        ..BASE
    },
    Sign {
        id: "read-in-part",
        says: "only the header of its configuration space could be read (64 bytes: no root)",
        states: &[Now::Fact(Fact::HeaderOnly)],
        ..BASE
    },
    Sign {
        id: "kernel-crashed",
        says: "the kernel itself broke: what follows may follow from it",
        place: Place::Anywhere,
        events: &[Seen::any("kernel.crash")],
        ..BASE
    },
];
