//! The three numbers of `RmInitAdapter failed! (0x22:0x56:742)`: step, reason, and line of NVIDIA's source.
//!
//! Sources: open-gpu-kernel-modules, src/nvidia/arch/nvalloc/unix/src/osinit.c (RM_INIT_STATUS, RM_SET_ERROR), nvstatuscodes.h
//! (NV_STATUS). In which versions which line of osinit.c is the one of a failed attach was read in 193 tags, 515 to 595.

/// The step at which it failed, in NVIDIA's words.
pub fn step(number: i64) -> Option<&'static str> {
    if (0x30..=0x32).contains(&number) {
        return Some("one of three steps about the VBIOS");
    }
    let at = STEPS.binary_search_by_key(&number, |(n, _)| *n).ok()?;
    Some(STEPS[at].1)
}

/// The reason, in NVIDIA's words without `NV_ERR_`.
pub fn reason(number: i64) -> Option<&'static str> {
    match number {
        0xffff => Some("GENERIC"),
        _ => REASONS.get(usize::try_from(number).ok()?).copied(),
    }
}

/// What step and reason mean together, where that is known.
pub fn meaning(step: i64, reason: i64) -> &'static str {
    match (step, reason) {
        (_, 0x0f) => "the GPU was lost from the bus while it was started",
        (0x22, 0x56) => {
            "the GPU's registers read as no GPU that the driver knows, mostly all-ones. Because they were fine when the driver \
             was bound, the GPU has left the bus since, or its memory decoding or BARs are gone; it does not mean that the \
             GPU is not supported"
        }
        (0x11, 0x45) => "interrupts of the GPU are not delivered: MSI or MSI-X is lost on the way",
        (0x62, 0x65) => "the GPU's system processor (GSP) did not start in time",
        (0x62, 0x40) => {
            "the GPU's system processor (GSP) cannot be started in the state that the GPU is in; a reset may help"
        }
        (0x26, 0x56) => "DMA could not be configured",
        (0x24, 0x1c) => "the GPU has not enough power: its power cables are not connected or do not deliver",
        (0x25, 0x40) => "the GPU stopped while its state was loaded; `fallen off the bus` before it says why",
        (_, 0x62) => "the GPU must be reset first",
        (0x22 | 0x24 | 0x25, _) => {
            "the GPU answered when the driver was bound and could not be started; the lines before say why"
        }
        (0x60..=0x62, _) => "the firmware of the GPU could not be loaded or started",
        _ => "the GPU could not be started; the lines before say why",
    }
}

/// RM_INIT_STATUS.
const STEPS: &[(i64, &str)] = &[
    (0x10, "REG_SETUP"),
    (0x11, "SYS_ENVIRONMENT"),
    (0x20, "ALLOC_GPU"),
    (0x21, "CREATE_DEV"),
    (0x22, "GPUMGR_ATTACH_GPU"),
    (0x23, "PRE_INIT"),
    (0x24, "STATE_INIT"),
    (0x25, "LOAD"),
    (0x26, "DMA_CONFIGURATION"),
    (0x27, "EXPANDED_VISIBILITY"),
    (0x40, "SCALABILITY"),
    (0x41, "WATCHDOG"),
    (0x42, "USERD_BAR1"),
    (0x43, "GPUDB"),
    (0x44, "ALLOC_RMAPI"),
    (0x45, "GPUINFO"),
    (0x60, "FW_POLICY"),
    (0x61, "FW_FETCH"),
    (0x62, "FW_INIT"),
];

/// NV_STATUS from 0 on.
#[rustfmt::skip]
const REASONS: &[&str] = &[
    "OK", "BROKEN_FB", "BUFFER_TOO_SMALL", "BUSY_RETRY", "CALLBACK_NOT_SCHEDULED", "CARD_NOT_PRESENT",
    "CYCLE_DETECTED", "DMA_IN_USE", "DMA_MEM_NOT_LOCKED", "DMA_MEM_NOT_UNLOCKED", "DUAL_LINK_INUSE",
    "ECC_ERROR", "FIFO_BAD_ACCESS", "FREQ_NOT_SUPPORTED", "GPU_DMA_NOT_INITIALIZED", "GPU_IS_LOST",
    "GPU_IN_FULLCHIP_RESET", "GPU_NOT_FULL_POWER", "GPU_UUID_NOT_FOUND", "HOT_SWITCH", "I2C_ERROR",
    "I2C_SPEED_TOO_HIGH", "ILLEGAL_ACTION", "IN_USE", "INFLATE_COMPRESSED_DATA_FAILED",
    "INSERT_DUPLICATE_NAME", "INSUFFICIENT_RESOURCES", "INSUFFICIENT_PERMISSIONS", "INSUFFICIENT_POWER",
    "INVALID_ACCESS_TYPE", "INVALID_ADDRESS", "INVALID_ARGUMENT", "INVALID_BASE", "INVALID_CHANNEL",
    "INVALID_CLASS", "INVALID_CLIENT", "INVALID_COMMAND", "INVALID_DATA", "INVALID_DEVICE",
    "INVALID_DMA_SPECIFIER", "INVALID_EVENT", "INVALID_FLAGS", "INVALID_FUNCTION", "INVALID_HEAP",
    "INVALID_INDEX", "INVALID_IRQ_LEVEL", "INVALID_LIMIT", "INVALID_LOCK_STATE", "INVALID_METHOD",
    "INVALID_OBJECT", "INVALID_OBJECT_BUFFER", "INVALID_OBJECT_HANDLE", "INVALID_OBJECT_NEW",
    "INVALID_OBJECT_OLD", "INVALID_OBJECT_PARENT", "INVALID_OFFSET", "INVALID_OPERATION", "INVALID_OWNER",
    "INVALID_PARAM_STRUCT", "INVALID_PARAMETER", "INVALID_PATH", "INVALID_POINTER", "INVALID_REGISTRY_KEY",
    "INVALID_REQUEST", "INVALID_STATE", "INVALID_STRING_LENGTH", "INVALID_READ", "INVALID_WRITE",
    "INVALID_XLATE", "IRQ_NOT_FIRING", "IRQ_EDGE_TRIGGERED", "MEMORY_TRAINING_FAILED", "MISMATCHED_SLAVE",
    "MISMATCHED_TARGET", "MISSING_TABLE_ENTRY", "MODULE_LOAD_FAILED", "MORE_DATA_AVAILABLE",
    "MORE_PROCESSING_REQUIRED", "MULTIPLE_MEMORY_TYPES", "NO_FREE_FIFOS", "NO_INTR_PENDING", "NO_MEMORY",
    "NO_SUCH_DOMAIN", "NO_VALID_PATH", "NOT_COMPATIBLE", "NOT_READY", "NOT_SUPPORTED", "OBJECT_NOT_FOUND",
    "OBJECT_TYPE_MISMATCH", "OPERATING_SYSTEM", "OTHER_DEVICE_FOUND", "OUT_OF_RANGE",
    "OVERLAPPING_UVM_COMMIT", "PAGE_TABLE_NOT_AVAIL", "PID_NOT_FOUND", "PROTECTION_FAULT", "RC_ERROR",
    "REJECTED_VBIOS", "RESET_REQUIRED", "STATE_IN_USE", "SIGNAL_PENDING", "TIMEOUT", "TIMEOUT_RETRY",
    "TOO_MANY_PRIMARIES", "UVM_ADDRESS_IN_USE", "MAX_SESSION_LIMIT_REACHED", "LIB_RM_VERSION_MISMATCH",
    "PRIV_SEC_VIOLATION", "GPU_IN_DEBUG_MODE", "FEATURE_NOT_ENABLED", "RESOURCE_LOST", "PMU_NOT_READY",
    "FLCN_ERROR", "FATAL_ERROR", "MEMORY_ERROR", "INVALID_LICENSE", "NVLINK_INIT_ERROR",
    "NVLINK_MINION_ERROR", "NVLINK_CLOCK_ERROR", "NVLINK_TRAINING_ERROR", "NVLINK_CONFIGURATION_ERROR",
    "RISCV_ERROR", "FABRIC_MANAGER_NOT_PRESENT", "ALREADY_SIGNALLED", "QUEUE_TASK_SLOT_NOT_AVAILABLE",
    "KEY_ROTATION_IN_PROGRESS", "TEST_ONLY_CODE_NOT_ENABLED", "SECURE_BOOT_FAILED", "INSUFFICIENT_ZBC_ENTRY",
    "NVLINK_FABRIC_NOT_READY", "NVLINK_FABRIC_FAILURE", "GPU_MEMORY_ONLINING_FAILURE",
    "REDUCTION_MANAGER_NOT_AVAILABLE", "THRESHOLD_CROSSED", "RESOURCE_RETIREMENT_ERROR",
    "FABRIC_STATE_OUT_OF_SYNC", "BUFFER_FULL", "BUFFER_EMPTY", "MC_FLA_OFFSET_TABLE_FULL",
];

/// `TAG LINE,` a line, of the open modules.
const ATTACH_LINES: &str = include_str!("nvidia_attach_lines.txt");

/// The versions of the open modules in which that line of osinit.c is the one that reports a failed attach (step 0x22):
/// runs of consecutive versions, as first and last of each. Empty if it is none of those known; closed modules have
/// other lines.
pub fn versions_with_line(line: i64) -> Vec<(&'static str, &'static str)> {
    let mut tags: Vec<(Vec<u32>, &str, i64)> = ATTACH_LINES
        .lines()
        .filter_map(|row| {
            let (tag, line) = row.trim().trim_end_matches(',').split_once(' ')?;
            let version = tag.split('.').map(|part| part.parse().ok()).collect::<Option<Vec<u32>>>()?;
            Some((version, tag, line.parse().ok()?))
        })
        .collect();
    tags.sort();
    let mut runs: Vec<(&str, &str)> = Vec::new();
    let mut before = None;
    for (version, tag, its_line) in &tags {
        let branch = version.first().copied();
        if *its_line == line {
            match runs.last_mut() {
                Some(run) if before == Some((line, branch)) => run.1 = tag,
                _ => runs.push((tag, tag)),
            }
        }
        before = Some((*its_line, branch));
    }
    runs
}

/// The numbers in `RmInitAdapter failed! (0x22:0x56:742)`, `RmInitAdapter 0x22:0x56:742` or `0x22:0x56:742`.
pub fn numbers(text: &str) -> Option<(i64, i64, i64)> {
    let inside = match text.split_once("RmInitAdapter") {
        Some((_, rest)) => rest.trim_start().strip_prefix("failed!").unwrap_or(rest),
        None => text,
    };
    let mut parts = inside.trim().trim_matches(['(', ')']).split(':');
    let hex = |text: &str| i64::from_str_radix(text.trim().strip_prefix("0x")?, 16).ok();
    let (step, reason, line) = (hex(parts.next()?)?, hex(parts.next()?)?, parts.next()?.trim().parse().ok()?);
    parts.next().is_none().then_some((step, reason, line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_names() {
        assert_eq!(
            numbers("NVRM: GPU 0000:82:00.0: RmInitAdapter failed! (0x22:0x56:742)"),
            Some((0x22, 0x56, 742))
        );
        assert_eq!(numbers("0x25:0x40:1238"), Some((0x25, 0x40, 1238)));
        assert_eq!(numbers("RmInitAdapter 0x25:0x40:1238"), Some((0x25, 0x40, 1238)));
        assert_eq!(numbers("22:56:742"), None);
        assert_eq!((step(0x22), reason(0x56)), (Some("GPUMGR_ATTACH_GPU"), Some("NOT_SUPPORTED")));
        assert_eq!(
            (reason(0x0f), reason(0x65), reason(0x8a)),
            (Some("GPU_IS_LOST"), Some("TIMEOUT"), Some("MC_FLA_OFFSET_TABLE_FULL"))
        );
        assert_eq!((step(0x99), reason(0x8b), reason(-1)), (None, None, None));
    }

    #[test]
    fn a_line_of_the_source_tells_versions() {
        assert_eq!(versions_with_line(742), [("570.86.15", "570.181"), ("575.51.02", "575.64.05")]);
        assert_eq!(versions_with_line(894), [("595.44.02", "595.45.04")]);
        assert!(versions_with_line(1238).is_empty());
    }
}
