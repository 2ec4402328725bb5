//! NVIDIA's driver while a GPU works: Xid, loss of the bus, what follows (open-gpu-kernel-modules, src/nvidia and kernel-open).

use super::super::event::{Kind, Level, Wording};

const OS: &str =
    "NVIDIA open-gpu-kernel-modules, src/nvidia/arch/nvalloc/unix/src/osinit.c (osHandleGpuLost)";
const RM: &str = "NVIDIA open-gpu-kernel-modules, src/nvidia/src/kernel";

/// Everything that this speaker says.
pub const KINDS: &[Kind] = &[
    Kind::new(
        "nvidia.xid",
        Level::Depends,
        "The driver reports an error by number; `explain xid N` says what the number means.",
        "NVIDIA, Xid Errors (docs.nvidia.com/deploy/xid-errors); open-gpu-kernel-modules, nverror.h",
        // GPU instances (MIG) follow the address; pid and name came and went with the driver's version. Of Xid 154 the new
        // recovery action tells events apart: the last one holds, and `None` takes back what was asked for before.
        &[Wording::whole(
            "Xid (",
            r"^NVRM: (?:GPU(?P<gpu_index>\d+) )?Xid \((?:PCI:)?<gpu>(?: GPU-I:(?P<instance>\d+))?(?: GPU-CI:\d+)?\): (?P<xid>\d+),(?: pid=(?P<pid>'?[^,]*'?),)?(?: name=(?P<process>[^,]*),)? ?(?P<message>GPU recovery action changed from 0x[0-9a-f]+ \([^)]*\) to 0x[0-9a-f]+ \((?P<action>[^)]*)\).*|.*)$",
        )
        .of("nvidia")],
    ),
    Kind::new(
        "nvidia.fallen-off-the-bus",
        Level::Bus,
        "The GPU no longer answers: its registers read all-ones. Xid 79 says the same, but this also comes without it.",
        OS,
        &[Wording::whole(
            "has fallen off the bus",
            r"^NVRM: GPU (?:at )?(?:PCI:)?<gpu>:? (?:GPU )?has fallen off the bus",
        )
        .of("nvidia")],
    ),
    Kind::new(
        "nvidia.probe-fallen-off",
        Level::Bus,
        "When the driver was loaded the GPU did not answer: its registers read all-ones.",
        "NVIDIA open-gpu-kernel-modules, src/nvidia/arch/nvalloc/unix/src/osapi.c (rm_is_supported_device)",
        &[
            Wording::first("NVRM: The NVIDIA GPU ", r"^NVRM: The NVIDIA GPU <gpu>$").of("nvidia"),
            Wording::further(
                "installed in this system has",
                r"^NVRM: \(PCI ID: (?P<vendor_id>[0-9a-f]{4}):(?P<device_id>[0-9a-f]{4})\) installed in this system has",
            )
            .of("nvidia"),
            Wording::further("fallen off the bus and is not", r"^NVRM: fallen off the bus and is not responding to commands")
                .of("nvidia"),
            Wording::whole(
                "fallen off the bus and is not",
                r"^NVRM: The NVIDIA GPU <gpu> \(PCI ID: (?P<vendor_id>[0-9a-f]{4}):(?P<device_id>[0-9a-f]{4})\) installed in this system has fallen off the bus",
            )
            .of("nvidia"),
        ],
    ),
    Kind::new(
        "nvidia.gpu-identified",
        Level::Information,
        "The identifier of a GPU, printed before its first Xid.",
        "NVIDIA open-gpu-kernel-modules, src/nvidia/arch/nvalloc/unix/src/os.c (nvErrorLog)",
        &[
            Wording::whole(
                "NVRM: GPU at ",
                r"^NVRM: GPU at (?:PCI:)?<gpu>: (?P<gpu_identifier>GPU-[0-9a-f-]{36})",
            )
            .of("nvidia"),
            // Serial numbers are not taken over.
            Wording::whole("GPU serial number is", r"^NVRM: GPU <gpu>: GPU serial number is").of("nvidia"),
            Wording::whole("GPU Board Serial Number", r"^NVRM: GPU Board Serial Number").of("nvidia"),
        ],
    ),
    Kind::new(
        "nvidia.crash-dump",
        Level::Consequence,
        "The driver kept a dump of the GPU's state, which nvidia-bug-report.sh collects as long as the module stays loaded.",
        OS,
        &[
            Wording::first("A GPU crash dump has been created", r"^NVRM: A GPU crash dump has been created").of("nvidia"),
            Wording::further("nvidia-bug-report.sh as root", r"^NVRM: nvidia-bug-report\.sh as root to collect").of("nvidia"),
            Wording::further("kernel module is unloaded", r"^NVRM: the NVIDIA kernel module is unloaded").of("nvidia"),
        ],
    ),
    Kind::new(
        "nvidia.gpu-lost-inside",
        Level::Consequence,
        "A part of the driver noticed that the GPU is lost, or went on talking to one that does not answer.",
        RM,
        &[
            Wording::whole("GPU_IS_LOST", r"^NVRM: (?:GPU(?P<gpu_index>\d+) )?(?P<message>.*GPU_IS_LOST.*)$").of("nvidia"),
            Wording::whole("SANITY_CHECK failed", r"^NVRM: (?:GPU(?P<gpu_index>\d+) )?(?P<message>.*SANITY_CHECK failed.*)$").of("nvidia"),
            Wording::whole("GPU lost from the bus", r"^NVRM: (?:GPU(?P<gpu_index>\d+) )?(?P<message>.*GPU lost from the bus.*)$").of("nvidia"),
        ],
    ),
    Kind::new(
        "nvidia.all-channels-stopped",
        Level::Consequence,
        "The driver stops the work of all programs because of an error; the number is that of the error's Xid.",
        RM,
        &[Wording::whole(
            "RC all channels for critical",
            r"^NVRM: (?:GPU(?P<gpu_index>\d+) )?(?P<message>.*RC all channels for critical error (?P<xid>\d+).*)$",
        )
        .of("nvidia")],
    ),
    Kind::new(
        "nvidia.bad-register-read",
        Level::Consequence,
        "A register of the GPU read as a value that none holds. 0xbadf…: the GPU answered that the access failed inside it; \
         all-ones: nobody answered.",
        "NVIDIA open-gpu-kernel-modules, src/nvidia/src/kernel/gpu (gpuHandleSanityCheckRegReadError)",
        &[Wording::whole(
            "Possible bad register read",
            r"^NVRM: (?:GPU(?P<gpu_index>\d+) )?(?P<message>.*Possible bad register read(?:.*regvalue: 0x(?P<value>[0-9a-f]+))?.*)$",
        )
        .of("nvidia")],
    ),
    Kind::new(
        "nvidia.display-stuck",
        Level::Consequence,
        "The display part of the driver waits for a GPU that makes no progress.",
        "NVIDIA open-gpu-kernel-modules, src/nvidia-modeset",
        &[
            Wording::whole("display engine channel state", r"^nvidia-modeset: ERROR: GPU:(?P<modeset_index>\d+): Failed to query display engine channel state").of("nvidia"),
            Wording::whole("waiting for GPU progress", r"^nvidia-modeset: ERROR: GPU:(?P<modeset_index>\d+): Error while waiting for GPU progress").of("nvidia"),
            Wording::whole("Idling display engine timed out", r"^nvidia-modeset: ERROR: GPU:(?P<modeset_index>\d+): Idling display engine timed out").of("nvidia"),
        ],
    ),
    Kind::new(
        "nvidia.removed-in-use",
        Level::Driver,
        "Somebody removes the GPU while programs use it. The removal waits, uninterruptibly, until all of them closed it.",
        "NVIDIA open-gpu-kernel-modules, kernel-open/nvidia/nv-pci.c",
        &[Wording::whole(
            "with non-zero usage count",
            r"^NVRM: Attempting to remove (?:minor )?device <gpu> with non-zero usage count",
        )
        .of("nvidia")],
    ),
    Kind::new(
        "nvidia.switch-error",
        Level::Device,
        "NVSwitch, the switch of NVLink, reports an error by number (SXid); `explain sxid N` says what the number means.",
        "NVIDIA, Fabric Manager User Guide, NVSwitch SXid Errors",
        &[
            // What follows the first line is about the same error.
            Wording::further("SXid (", r"SXid \(PCI:<gpu>\): (?P<sxid>\d+), (?:Severity \d+ Engine instance .*|Data \{.*)$"),
            Wording::first(
                "SXid (",
                r"SXid \(PCI:<gpu>\): (?P<sxid>\d+), (?:(?P<severity>Fatal|Non-fatal),? ?)?(?P<message>.*)$",
            ),
        ],
    ),
    Kind::new(
        "nvidia.modeset-ownership",
        Level::Information,
        "A program wanted to drive the display and another one does already.",
        "NVIDIA open-gpu-kernel-modules, kernel-open/nvidia-drm",
        &[Wording::whole("Failed to grab modeset ownership", r"\[nvidia-drm\] \[GPU ID 0x(?P<value>[0-9a-f]{8})\] Failed to grab modeset ownership")],
    ),
];
