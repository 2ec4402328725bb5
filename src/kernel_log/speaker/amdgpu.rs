//! AMD GPUs (drivers/gpu/drm/amd/amdgpu). The driver never says that the bus is gone; configuration space tells.

use super::super::event::{Kind, Level, Wording};

const RELIABILITY: &str = "drivers/gpu/drm/amd/amdgpu/amdgpu_ras.c (amdgpu_ras_error_print_error_data)";
const DEVICE: &str = "drivers/gpu/drm/amd/amdgpu/amdgpu_device.c";

/// Everything that this speaker says.
pub const KINDS: &[Kind] = &[
    Kind::new(
        "amdgpu.ring-timeout",
        Level::Device,
        "A ring of the GPU made no progress: work hangs. The program, the driver, the GPU or the way to memory may be why.",
        "drivers/gpu/drm/amd/amdgpu/amdgpu_job.c",
        &[
            Wording::whole(
                "timeout, signaled seq",
                r"ring (?P<ring>\S+) timeout, signaled seq=(?P<sequence>\d+)",
            )
            .of("amdgpu"),
            Wording::whole("timeout, but soft recovered", r"ring (?P<ring>\S+) timeout, but soft recovered")
                .of("amdgpu"),
            Wording::whole("test failed (-", r"ring (?P<ring>\S+) test failed \((?P<error>-\d+)\)")
                .of("amdgpu"),
        ],
    ),
    Kind::new(
        "amdgpu.page-fault",
        Level::Application,
        "The GPU was to reach for memory that is not mapped for the program: a defect of the program, or of the driver.",
        "drivers/gpu/drm/amd/amdgpu/gmc_v9_0.c, gmc_v10_0.c (gmc_v9_0_process_interrupt)",
        &[Wording::whole(
            "page fault (src_id:",
            r"<dev>(?:amdgpu: )?\[\w+\] (?:\S+ )?page fault \(src_id:\d+ ring:\d+ vmid:\d+ pasid:\d+(?:, for process (?P<process>\S*) pid (?P<pid>\d+))?",
        )
        .of("amdgpu")],
    ),
    Kind::new(
        "amdgpu.reset",
        Level::Consequence,
        "The driver resets the GPU.",
        DEVICE,
        &[
            Wording::whole("GPU reset begin", r"<dev>(?:amdgpu: )?GPU reset (?P<state>begin)!").of("amdgpu"),
            Wording::whole("GPU reset succeeded", r"<dev>(?:amdgpu: )?GPU reset (?P<state>succeeded)")
                .of("amdgpu"),
            Wording::whole("succeeded!", r"<dev>(?:amdgpu: )?GPU reset\(\d+\) (?P<state>succeeded)!")
                .of("amdgpu"),
        ],
    ),
    Kind::new(
        "amdgpu.reset-failed",
        Level::Device,
        "The reset of the GPU failed.",
        DEVICE,
        &[
            Wording::whole(
                ") failed",
                r"<dev>(?:amdgpu: )?GPU reset\((?P<count>\d+)\) failed(?: with error (?P<error>-?\d+))?",
            )
            .of("amdgpu"),
            Wording::whole(
                "GPU reset end with ret",
                r"<dev>(?:amdgpu: )?GPU reset end with ret = (?P<error>-?\d+)",
            )
            .of("amdgpu"),
            Wording::whole(
                "resume of IP block",
                r"resume of IP block <(?P<name>[^>]+)> failed (?P<error>-\d+)",
            )
            .of("amdgpu"),
        ],
    ),
    Kind::new(
        "amdgpu.firmware-silent",
        Level::Device,
        "The GPU's own microcontroller does not answer. So it does when the bus is gone.",
        "drivers/gpu/drm/amd/pm/swsmu/smu_cmn.c, drivers/gpu/drm/amd/amdgpu/amdgpu_psp.c",
        &[
            Wording::whole(
                "SMU: ",
                r"(?:<dev>|)(?:amdgpu: )?SMU: (?P<what>No response|I'm not done|I'm very busy)",
            )
            .of("amdgpu"),
            Wording::whole(
                "SMU is in hanged state",
                r"(?:<dev>|)(?:amdgpu: )?SMU is in (?P<what>hanged state)",
            )
            .of("amdgpu"),
            Wording::whole("PSP ", r"PSP (?P<what>load \S+|create ring|firmware loading|resume) failed")
                .of("amdgpu"),
        ],
    ),
    Kind::new(
        "amdgpu.memory-error",
        Level::Memory,
        "The GPU's memory (umc: unified memory controller) made errors that could not be corrected.",
        RELIABILITY,
        &[Wording::whole(
            "uncorrectable hardware errors detected in",
            r"<dev>(?:amdgpu: )?(?:\{\d+\}\s*)?(?:socket: \d+,? die: \d+,? )?(?P<count>[1-9]\d*) (?:new )?uncorrectable hardware errors detected in (?:total in )?umc block",
        )],
    ),
    Kind::new(
        "amdgpu.corrected-errors",
        Level::Information,
        "A part of the GPU made errors, and all of them were corrected.",
        RELIABILITY,
        &[Wording::whole(
            "correctable hardware errors detected in",
            r"<dev>(?:amdgpu: )?(?:\{\d+\}\s*)?(?:socket: \d+,? die: \d+,? )?(?P<count>\d+) (?:new )?correctable hardware errors detected in (?:total in )?(?P<name>\w+) block",
        )],
    ),
    Kind::new(
        "amdgpu.recovery",
        Level::Consequence,
        "The driver takes part in the recovery from an error on the bus.",
        DEVICE,
        &[Wording::whole(
            "PCI error: ",
            r"PCI error: (?P<what>detected callback|slot reset callback|resume callback)",
        )
        .of("amdgpu")],
    ),
    Kind::new(
        "amdgpu.unplugged",
        Level::Information,
        "The GPU was taken out.",
        "drivers/gpu/drm/amd/amdgpu/amdgpu_job.c",
        &[Wording::whole("device unplugged skipping recovery", r"device unplugged skipping recovery")
            .of("amdgpu")],
    ),
];
