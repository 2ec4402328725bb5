//! Intel and other GPUs (drivers/gpu/drm/xe, i915, nouveau).

use super::super::event::{Kind, Level, Wording};

/// Everything that this speaker says.
pub const KINDS: &[Kind] = &[
    Kind::new(
        "gpu.all-ones",
        Level::Bus,
        "The driver read all-ones from the GPU: it does not answer on the bus.",
        "drivers/gpu/drm/i915/intel_uncore.c; drivers/gpu/drm/nouveau/nvkm/engine/device/base.c",
        &[
            Wording::whole("device lost from bus", r"<dev>(?:amdgpu: )?device lost from bus!"),
            Wording::whole(
                "MMIO access returns 0xFFFFFFFF",
                r"Device is non-operational; MMIO access returns 0xFFFFFFFF",
            )
            .of("i915"),
            Wording::whole("unknown chipset (ffffffff)", r"<dev>unknown chipset \(ffffffff\)"),
        ],
    ),
    Kind::new(
        "gpu.hang",
        Level::Driver,
        "An engine of the GPU did not get on with its work; the driver resets it. Programs cause it as well as drivers.",
        "drivers/gpu/drm/i915/i915_gpu_error.c (i915_error_state_store)",
        &[Wording::whole("GPU HANG: ecode", r"<dev>(?:\[drm\] )?GPU HANG: ecode [0-9a-fx:]+")],
    ),
    Kind::new(
        "gpu.wedged",
        Level::Driver,
        "The driver gave the GPU up until it is bound anew.",
        "drivers/gpu/drm/xe/xe_device.c (xe_device_declare_wedged); drivers/gpu/drm/drm_drv.c (drm_dev_wedged_event); \
         drivers/gpu/drm/i915/i915_gem.c",
        &[
            Wording::whole(
                "declared device",
                r"CRITICAL: Xe has declared device (?P<device><bdf>) as wedged",
            ),
            Wording::whole(
                "device wedged, needs recovery",
                r"<dev>(?:\[drm\] )?device wedged, needs recovery",
            ),
            Wording::whole(
                "ize GPU, declaring it wedged",
                r"<dev>(?:\[drm\] )?(?:\*ERROR\* )?(?:GT\d+: )?Failed to (?:re-)?initialize GPU, declaring it wedged",
            ),
        ],
    ),
];
