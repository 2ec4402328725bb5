//! NVIDIA's driver when it starts: loading, interrupts, RmInitAdapter (open-gpu-kernel-modules, kernel-open/nvidia, osinit.c).

use super::super::event::{Kind, Level, Wording};

const NV: &str = "NVIDIA open-gpu-kernel-modules, kernel-open/nvidia/nv.c (nv_start_device)";
const INIT: &str =
    "NVIDIA open-gpu-kernel-modules, src/nvidia/arch/nvalloc/unix/src/osinit.c (RmInitAdapter)";

/// Everything that this speaker says.
pub const KINDS: &[Kind] = &[
    Kind::new(
        "nvidia.rm-init-failed",
        Level::Depends,
        "The driver could not start the GPU. The three numbers are the step (RM_INIT_STATUS), the reason (NV_STATUS) and a \
         line of NVIDIA's source; `explain \"RmInitAdapter failed! (…)\"` takes them apart.",
        INIT,
        &[Wording::whole(
            "RmInitAdapter failed!",
            r"^NVRM: (?:GPU (?:at )?(?:PCI:)?<gpu>: )?RmInitAdapter failed! \(0x(?P<init_status>[0-9a-fA-F]+):0x(?P<rm_status>[0-9a-fA-F]+):(?P<source_line>\d+)\)",
        )
        .of("nvidia")],
    ),
    Kind::new(
        "nvidia.adapter-not-started",
        Level::Consequence,
        "The GPU was not started; RmInitAdapter's numbers before this say why.",
        NV,
        &[
            Wording::whole(
                "rm_init_adapter failed",
                r"^NVRM: (?:GPU (?:at )?(?:PCI:)?<gpu>: )?rm_init_adapter failed(?:, device minor number| for device bearing minor number) (?P<minor>\d+)",
            )
            .of("nvidia"),
        ],
    ),
    Kind::new(
        "nvidia.cannot-attach",
        Level::Consequence,
        "The driver could not attach the GPU because its registers made no sense; the line with RmInitAdapter follows.",
        INIT,
        &[
            Wording::whole(
                "osInitNvMapping: ***",
                r"^NVRM: (?:GPU(?P<gpu_index>\d+) )?osInitNvMapping: \*\*\* (?P<what>Cannot attach gpu|Cannot get valid gpu instance|cannot allocate GPU lock|Cannot attach bc gpu|Cannot allocate gpuAttachArg)",
            )
            .of("nvidia"),
            Wording::whole(
                "bailing out of RmInitAdapter",
                r"^NVRM: (?:GPU(?P<gpu_index>\d+) )?RmInitAdapter: (?P<what>.*), bailing out of RmInitAdapter",
            )
            .of("nvidia"),
        ],
    ),
    Kind::new(
        "nvidia.msi-x-failed",
        Level::Driver,
        "The driver could not enable MSI-X. A dead GPU fails so too, but so does a healthy one where the kernel has no \
         vectors to give: this alone does not prove that the GPU is gone.",
        "NVIDIA open-gpu-kernel-modules, kernel-open/nvidia/nv-msi.c",
        &[Wording::whole("Failed to enable MSI-X.", r"^NVRM: GPU <gpu>: Failed to enable MSI-X\.").of("nvidia")],
    ),
    Kind::new(
        "nvidia.msi-failed",
        Level::Driver,
        "The driver could not enable MSI either and tries the interrupt pin.",
        "NVIDIA open-gpu-kernel-modules, kernel-open/nvidia/nv-msi.c",
        &[Wording::whole("Failed to enable MSI; falling back", r"^NVRM: GPU <gpu>: Failed to enable MSI; falling back").of("nvidia")],
    ),
    Kind::new(
        "nvidia.no-interrupts",
        Level::Driver,
        "The driver got no interrupt of any kind, and does not use the GPU.",
        NV,
        &[
            Wording::whole("No interrupts of any type", r"^NVRM: GPU <gpu>: No interrupts of any type are available").of("nvidia"),
            Wording::whole("request_irq() failed", r"^NVRM: GPU <gpu>: request_irq\(\) failed \((?P<error>-?\d+)\)").of("nvidia"),
        ],
    ),
    Kind::new(
        "nvidia.bar-invalid",
        Level::Firmware,
        "A BAR of the GPU has no usable address: firmware or the kernel found no room for it.",
        "NVIDIA open-gpu-kernel-modules, kernel-open/nvidia/nv-pci.c",
        &[
            Wording::first("NVIDIA device is invalid", r"^NVRM: This PCI I/O region assigned to your NVIDIA device is invalid").of("nvidia"),
            Wording::further(
                "NVRM: BAR",
                r"^NVRM: BAR(?P<bar>\d) is (?P<megabytes>\d+)M @ 0x(?P<address>[0-9a-f]+) \(PCI:<gpu>\)",
            )
            .of("nvidia"),
            Wording::further("may have misconfigured your GPU", r"^NVRM: The system BIOS may have misconfigured your GPU").of("nvidia"),
        ],
    ),
    Kind::new(
        "nvidia.no-auxiliary-power",
        Level::Power,
        "The GPU's power cables are not connected, or do not deliver.",
        INIT,
        &[Wording::whole(
            "necessary power cables connected",
            r"^NVRM: (?:GPU <gpu>: )?GPU does not have the necessary power cables connected",
        )
        .of("nvidia")],
    ),
    Kind::new(
        "nvidia.firmware-left-over",
        Level::Device,
        "The GPU's protected memory is still set up from an earlier start, so that its firmware cannot be started: the \
         GPU needs a reset.",
        "NVIDIA open-gpu-kernel-modules, src/nvidia/src/kernel/gpu/gsp/kernel_gsp.c",
        &[
            Wording::whole("unexpected WPR2 already up", r"^NVRM: (?:GPU(?P<gpu_index>\d+) )?(?P<message>.*unexpected WPR2 already up.*)$").of("nvidia"),
            Wording::whole("is likely in a bad state", r"^NVRM: (?:GPU(?P<gpu_index>\d+) )?(?P<message>.*the GPU is likely in a bad state.*)$").of("nvidia"),
        ],
    ),
    Kind::new(
        "nvidia.not-supported",
        Level::Driver,
        "The driver does not support this GPU: it is too old or too new for it, or needs the other kind of kernel module.",
        "NVIDIA open-gpu-kernel-modules, src/nvidia/arch/nvalloc/unix/src/osapi.c (rm_is_supported_device)",
        &[Wording::whole(
            "NVRM: The NVIDIA GPU ",
            r"^NVRM: The NVIDIA GPU <gpu> \(PCI ID: (?P<vendor_id>[0-9a-f]{4}):(?P<device_id>[0-9a-f]{4})\) *$",
        )
        .of("nvidia")],
    ),
    Kind::new(
        "nvidia.bound-elsewhere",
        Level::Driver,
        "Another driver has the GPU.",
        "NVIDIA open-gpu-kernel-modules, kernel-open/nvidia/nv-pci.c",
        &[Wording::whole("is already bound to", r"^NVRM: GPU <gpu> is already bound to (?P<name>[\w-]+)").of("nvidia")],
    ),
    Kind::new(
        "nvidia.version-mismatch",
        Level::Driver,
        "Programs and kernel module are of different versions: the module must be loaded anew, or the machine restarted.",
        "NVIDIA open-gpu-kernel-modules, kernel-open/nvidia/nv.c",
        &[Wording::whole("NVRM: API mismatch", r"^NVRM: API mismatch:(?: the client has the version (?P<version>[\d.]+\d))?").of("nvidia")],
    ),
    Kind::new(
        "nvidia.none-started",
        Level::Consequence,
        "The driver was loaded and started no GPU.",
        "NVIDIA open-gpu-kernel-modules, kernel-open/nvidia/nv.c",
        &[
            Wording::first("NVIDIA probe routine", r"^NVRM: The NVIDIA probe routine (?:failed|was not called) for (?P<count>\d+) device").of("nvidia"),
            Wording::further("None of the NVIDIA", r"^NVRM: None of the NVIDIA (?:devices|graphics adapters) were initialized").of("nvidia"),
            Wording::further("No NVIDIA", r"^NVRM: No NVIDIA (?:GPU|devices|graphics adapter) (?:found|probed)").of("nvidia"),
        ],
    ),
    Kind::new(
        "nvidia.started",
        Level::Information,
        "The display part of the driver has this GPU.",
        "NVIDIA open-gpu-kernel-modules, kernel-open/nvidia-drm",
        &[Wording::whole(
            "[drm] Initialized nvidia-drm",
            r"^\[drm\] Initialized nvidia-drm (?P<version>\S+)(?: \d+)? for <gpu> on minor \d+",
        )
        .of("nvidia")],
    ),
    Kind::new(
        "nvidia.loading",
        Level::Information,
        "The driver is loaded.",
        "NVIDIA open-gpu-kernel-modules, kernel-open/nvidia/nv.c",
        &[Wording::whole(
            "NVRM: loading NVIDIA UNIX",
            r"^NVRM: loading NVIDIA UNIX (?P<name>.*Kernel Module\D*?)(?: for \S+)? +(?P<version>\d+\.[\d.]+)",
        )],
    ),
];
