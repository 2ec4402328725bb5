//! NVIDIA's Xid numbers: what each means, where the trouble is, and what NVIDIA recommends.
//!
//! Numbers, names, descriptions and the two recommendations are those of NVIDIA's Xid catalogue (docs.nvidia.com/deploy/
//! xid-errors/analyzing-xid-catalog.html, as of October 2025), names without `ROBUST_CHANNEL_`; those the catalogue lacks are
//! from nverror.h of open-gpu-kernel-modules (515 to 595). The level is our own reading of both. Numbers that the catalogue
//! calls unused are left out, except where nverror.h describes them.

use super::event::Level;
use Level::{Application, Bus, Consequence, Depends, Device, Driver, Information, Memory, Power};

/// One Xid.
#[derive(Debug, PartialEq, Eq)]
pub struct Xid {
    /// The number.
    pub number: i64,
    /// NVIDIA's name for it.
    pub name: &'static str,
    /// What it means.
    pub means: &'static str,
    /// Where the trouble is.
    pub level: Level,
    /// NVIDIA's immediate action; empty if the catalogue has none.
    pub immediate: &'static str,
    /// NVIDIA's investigatory action; empty if the catalogue has none.
    pub investigatory: &'static str,
}

/// Where the table is from.
pub const SOURCE: &str =
    "NVIDIA, Xid catalogue (docs.nvidia.com/deploy/xid-errors); open-gpu-kernel-modules, nverror.h";

/// The Xid of that number, if it is known.
pub fn of(number: i64) -> Option<&'static Xid> {
    XIDS.binary_search_by_key(&number, |xid| xid.number).ok().map(|at| &XIDS[at])
}

/// Where the trouble is that an event speaks of: of an Xid its number tells.
pub fn level(event: &super::event::Event) -> Level {
    match event.number("xid").and_then(of) {
        Some(xid) if event.kind.id == "nvidia.xid" => xid.level,
        _ => event.kind.level,
    }
}

/// What the words of NVIDIA's recommendations stand for; `None` for those that speak for themselves.
pub fn action(word: &str) -> Option<&'static str> {
    Some(match word {
        "RESTART_APP" => "restart the program",
        "RESET_GPU" => "reset the GPU (nvidia-smi --gpu-reset, or restart the machine)",
        "RESTART_BM" => "restart the machine (bare metal)",
        "RESTART_VM" => "restart the virtual machine",
        "RESTART_FM" => "restart the fabric manager",
        "CONTACT_SUPPORT" => "contact the vendor's support",
        "CHECK_APP/CUDA" => "check the program with the tools of CUDA",
        "CHECK_MECHANICALS" => "check cables and seating",
        "CHECK_UVM" => "check unified memory",
        "UPDATE_SWFW" => "update software and firmware",
        "INVESTIGATE_SW" | "INVESTIGATE_SW_USER" => "look for the cause in software",
        "INVESTIGATE_LINK_SI" => "look at the signal quality of the link",
        "IGNORE" => "nothing",
        word if word.starts_with("WORKFLOW_") || word.ends_with("_FLOW") => {
            "follow the workflow of that name in NVIDIA's document"
        }
        _ => return None,
    })
}

const fn x(
    number: i64,
    name: &'static str,
    means: &'static str,
    level: Level,
    immediate: &'static str,
    investigatory: &'static str,
) -> Xid {
    Xid { number, name, means, level, immediate, investigatory }
}

/// In the order of the numbers.
#[rustfmt::skip]
pub const XIDS: &[Xid] = &[
    x(8, "FIFO_ERROR_IDLE_TIMEOUT", "GPU stopped processing", Depends, "RESTART_APP", "CONTACT_SUPPORT"),
    x(11, "GR_ERROR_MISSING_HW", "Invalid or corrupted push buffer stream", Application, "RESTART_APP", "CHECK_APP/CUDA"),
    x(13, "GR_EXCEPTION", "Graphics engine exception", Application, "RESTART_APP", "WORKFLOW_XID_13"),
    x(14, "FAKE_ERROR", "Fake error, made for tests", Information, "IGNORE", "CONTACT_SUPPORT"),
    x(25, "GR_ILLEGAL_NOTIFY", "Invalid or illegal push buffer stream", Application, "RESTART_APP", "CHECK_APP/CUDA"),
    x(31, "FIFO_ERROR_MMU_ERR_FLT", "GPU memory page fault", Application, "RESTART_APP", "WORKFLOW_XID_31"),
    x(32, "PBDMA_ERROR", "Invalid or corrupted push buffer stream; the quality of the PCI Express link can be why", Bus, "RESTART_APP", "CHECK_APP/CUDA"),
    x(37, "FECS_ERR_UNIMP_FIRMWARE_METHOD", "Driver firmware error", Driver, "IGNORE", "CHECK_APP/CUDA"),
    x(38, "FECS_ERR_WATCHDOG_TIMEOUT", "Driver firmware error", Driver, "IGNORE", "CONTACT_SUPPORT"),
    x(39, "CE0_ERROR", "Copy engine 0 exception", Depends, "RESTART_APP", "CONTACT_SUPPORT"),
    x(40, "CE1_ERROR", "Copy engine 1 exception", Depends, "RESTART_APP", "CONTACT_SUPPORT"),
    x(41, "CE2_ERROR", "Copy engine 2 exception", Depends, "RESTART_APP", "CONTACT_SUPPORT"),
    x(43, "RESETCHANNEL_VERIF_ERROR", "GPU stopped processing for one program, which was ended", Application, "IGNORE", "CONTACT_SUPPORT"),
    x(44, "GR_FAULT_DURING_CTXSW", "Graphics engine fault during context switch", Depends, "IGNORE", "CONTACT_SUPPORT"),
    x(45, "PREEMPTIVE_REMOVAL", "Preemptive cleanup, due to previous errors", Consequence, "WORKFLOW_XID_45", "alone: RESTART_FM; else IGNORE (follow the other Xid)"),
    x(46, "GPU_TIMEOUT_ERROR", "GPU stopped processing", Device, "RESET_GPU", "CONTACT_SUPPORT"),
    x(48, "GPU_ECC_DBE", "Double bit ECC error", Memory, "WORKFLOW_XID_48", "WORKFLOW_XID_48"),
    x(54, "SILENT_RUNNING_PWR_REDUCED_CLOCKING", "Auxiliary power is not connected to the GPU board", Power, "CHECK_MECHANICALS", "CONTACT_SUPPORT"),
    x(56, "DISPLAY_CHANNEL_EXCEPTION", "Display engine error", Device, "CONTACT_SUPPORT", ""),
    x(57, "FB_LINK_TRAINING_FAILURE_ERROR", "Frame buffer link training failure", Memory, "CONTACT_SUPPORT", ""),
    x(58, "FB_MEMORY_ERROR", "Frame buffer memory error", Memory, "CONTACT_SUPPORT", ""),
    x(59, "PMU_ERROR", "Error of the power management unit", Device, "CONTACT_SUPPORT", ""),
    x(60, "SEC2_ERROR", "Video processor exception", Depends, "RESTART_APP", "INVESTIGATE_SW"),
    x(61, "PMU_BREAKPOINT", "Internal micro-controller breakpoint or warning", Device, "CONTACT_SUPPORT", ""),
    x(62, "PMU_HALT_ERROR", "Internal micro-controller halt", Device, "RESET_GPU", "CONTACT_SUPPORT"),
    x(63, "INFOROM_DRAM_RETIREMENT_EVENT", "GPU memory remapping event: a faulty row or page is replaced", Memory, "IGNORE", "IGNORE"),
    x(64, "INFOROM_DRAM_RETIREMENT_FAILURE", "GPU memory remapping failure", Memory, "RESET_GPU", "CONTACT_SUPPORT"),
    x(66, "FECS_ERR_REG_ACCESS_VIOLATION", "Illegal access by driver", Driver, "IGNORE", "INVESTIGATE_SW"),
    x(67, "FECS_ERR_VERIF_VIOLATION", "Illegal access by driver", Driver, "IGNORE", "CONTACT_SUPPORT"),
    x(68, "NVDEC0_ERROR", "Video decoder 0 exception", Depends, "RESTART_APP", "CONTACT_SUPPORT"),
    x(69, "GR_CLASS_ERROR", "Graphics engine class error", Application, "RESTART_APP", "CHECK_APP/CUDA"),
    x(70, "CE3_ERROR", "Copy engine 3 error", Depends, "RESTART_APP", "CONTACT_SUPPORT"),
    x(71, "CE4_ERROR", "Copy engine 4 error", Depends, "RESTART_APP", "CONTACT_SUPPORT"),
    x(72, "CE5_ERROR", "Copy engine 5 error", Depends, "RESTART_APP", "CONTACT_SUPPORT"),
    x(74, "NVLINK_ERROR", "NVLink error (not PCI Express)", Device, "WORKFLOW_NVLINK_ERR", "CONTACT_SUPPORT"),
    x(75, "CE6_ERROR", "Copy engine 6 error", Depends, "RESTART_APP", "CONTACT_SUPPORT"),
    x(76, "CE7_ERROR", "Copy engine 7 error", Depends, "RESTART_APP", "CONTACT_SUPPORT"),
    x(77, "CE8_ERROR", "Copy engine 8 error", Depends, "RESTART_APP", "CONTACT_SUPPORT"),
    x(78, "VGPU_START_ERROR", "vGPU start error", Driver, "UPDATE_SWFW", "UPDATE_SWFW"),
    x(79, "GPU_HAS_FALLEN_OFF_THE_BUS", "GPU has fallen off the bus: it does not answer over PCI Express", Bus, "RESTART_BM", "CONTACT_SUPPORT"),
    x(80, "PBDMA_PUSHBUFFER_CRC_MISMATCH", "Corrupted data sent to the GPU", Depends, "RESTART_APP", "CHECK_APP/CUDA"),
    x(82, "NVJPG0_ERROR", "JPEG engine 0 error", Depends, "RESTART_APP", "CONTACT_SUPPORT"),
    x(83, "NVDEC1_ERROR", "Video decoder 1 error", Depends, "RESTART_APP", "CONTACT_SUPPORT"),
    x(84, "NVDEC2_ERROR", "Video decoder 2 error", Depends, "RESTART_APP", "CONTACT_SUPPORT"),
    x(85, "CE9_ERROR", "Copy engine 9 error", Depends, "RESTART_APP", "CONTACT_SUPPORT"),
    x(86, "OFA0_ERROR", "Optical flow engine exception", Depends, "RESTART_APP", "CONTACT_SUPPORT"),
    x(88, "NVDEC3_ERROR", "Video decoder 3 error", Depends, "RESTART_APP", "CONTACT_SUPPORT"),
    x(89, "NVDEC4_ERROR", "Video decoder 4 error", Depends, "RESTART_APP", "CONTACT_SUPPORT"),
    x(92, "EXCESSIVE_SBE_INTERRUPTS", "High single-bit ECC error rate", Memory, "IGNORE", "CONTACT_SUPPORT"),
    x(93, "INFOROM_ERASE_LIMIT_EXCEEDED", "InfoROM was written more often than provisioned (not fatal)", Device, "IGNORE", "CONTACT_SUPPORT"),
    x(94, "CONTAINED_ERROR", "Contained memory error: only the program that used the memory is affected", Memory, "RESTART_APP", "IGNORE (follows another error)"),
    x(95, "UNCONTAINED_ERROR", "Uncontained memory error: every program on the GPU is affected", Memory, "RESET_GPU", "IGNORE (follows another error)"),
    x(96, "NVDEC5_ERROR", "Video decoder 5 error", Depends, "RESTART_APP", "CONTACT_SUPPORT"),
    x(97, "NVDEC6_ERROR", "Video decoder 6 error", Depends, "RESTART_APP", "CONTACT_SUPPORT"),
    x(98, "NVDEC7_ERROR", "Video decoder 7 error", Depends, "RESTART_APP", "CONTACT_SUPPORT"),
    x(99, "NVJPG1_ERROR", "JPEG engine 1 error", Depends, "RESTART_APP", "CONTACT_SUPPORT"),
    x(100, "NVJPG2_ERROR", "JPEG engine 2 error", Depends, "RESTART_APP", "CONTACT_SUPPORT"),
    x(101, "NVJPG3_ERROR", "JPEG engine 3 error", Depends, "RESTART_APP", "CONTACT_SUPPORT"),
    x(102, "NVJPG4_ERROR", "JPEG engine 4 error", Depends, "RESTART_APP", "CONTACT_SUPPORT"),
    x(103, "NVJPG5_ERROR", "JPEG engine 5 error", Depends, "RESTART_APP", "CONTACT_SUPPORT"),
    x(104, "NVJPG6_ERROR", "JPEG engine 6 error", Depends, "RESTART_APP", "CONTACT_SUPPORT"),
    x(105, "NVJPG7_ERROR", "JPEG engine 7 error", Depends, "RESTART_APP", "CONTACT_SUPPORT"),
    x(106, "SMBPBI_TEST_MESSAGE", "Test message of the management controller", Information, "IGNORE", "IGNORE"),
    x(107, "SMBPBI_TEST_MESSAGE_SILENT", "Silent test message of the management controller", Information, "IGNORE", "IGNORE"),
    x(108, "NVLINK_REMOTE_TRANSLATION_ERROR", "NVLink remote translation error (not PCI Express)", Device, "IGNORE", "XID_137_FLOW"),
    x(109, "CTXSW_TIMEOUT_ERROR", "Context switch timeout", Device, "RESET_GPU", "CONTACT_SUPPORT"),
    x(110, "SEC_FAULT_ERROR", "Security fault", Device, "RESET_GPU", "INVESTIGATE_SW"),
    x(119, "GSP_RPC_TIMEOUT", "The GPU's system processor (GSP) did not answer the driver; often after the bus was lost", Device, "RESET_GPU", "INVESTIGATE_SW"),
    x(120, "GSP_ERROR", "Error of the GPU's system processor (GSP)", Device, "RESET_GPU", "INVESTIGATE_SW"),
    x(121, "C2C_ERROR", "Error of the chip-to-chip link", Device, "IGNORE", "CONTACT_SUPPORT"),
    x(122, "SPI_PMU_RPC_READ_FAIL", "Reading the GPU's flash memory failed", Device, "CONTACT_SUPPORT", ""),
    x(123, "SPI_PMU_RPC_WRITE_FAIL", "Writing the GPU's flash memory failed", Device, "CONTACT_SUPPORT", ""),
    x(124, "SPI_PMU_RPC_ERASE_FAIL", "Erasing the GPU's flash memory failed", Device, "CONTACT_SUPPORT", ""),
    x(125, "INFOROM_FS_ERROR", "InfoROM file system error", Device, "CONTACT_SUPPORT", ""),
    x(126, "CE10_ERROR", "Copy engine 10 error", Depends, "RESTART_APP", "CONTACT_SUPPORT"),
    x(127, "CE11_ERROR", "Copy engine 11 error", Depends, "RESTART_APP", "CONTACT_SUPPORT"),
    x(128, "CE12_ERROR", "Copy engine 12 error", Depends, "RESTART_APP", "CONTACT_SUPPORT"),
    x(129, "CE13_ERROR", "Copy engine 13 error", Depends, "RESTART_APP", "CONTACT_SUPPORT"),
    x(130, "CE14_ERROR", "Copy engine 14 error", Depends, "RESTART_APP", "CONTACT_SUPPORT"),
    x(131, "CE15_ERROR", "Copy engine 15 error", Depends, "RESTART_APP", "CONTACT_SUPPORT"),
    x(132, "CE16_ERROR", "Copy engine 16 error", Depends, "RESTART_APP", "CONTACT_SUPPORT"),
    x(133, "CE17_ERROR", "Copy engine 17 error", Depends, "RESTART_APP", "CONTACT_SUPPORT"),
    x(134, "CE18_ERROR", "Copy engine 18 error", Depends, "RESTART_APP", "CONTACT_SUPPORT"),
    x(135, "CE19_ERROR", "Copy engine 19 error", Depends, "RESTART_APP", "CONTACT_SUPPORT"),
    x(136, "ALI_TRAINING_FAIL", "NVLink training failed (not PCI Express)", Device, "RESET_GPU", "INVESTIGATE_LINK_SI"),
    x(137, "NVLINK_PRIV_ERR", "NVLink privilege error (not PCI Express)", Device, "IGNORE", "XID_137_FLOW"),
    x(139, "OFA1_ERROR", "Optical flow engine 1 error", Depends, "RESTART_APP", "CONTACT_SUPPORT"),
    x(140, "UNRECOVERABLE_ECC_ERROR_ESCAPE", "Unrecovered ECC error", Memory, "RESET_GPU", "CONTACT_SUPPORT"),
    x(141, "FAST_PATH_ERROR", "CUDA fast path error", Depends, "IGNORE", "CONTACT_SUPPORT"),
    x(142, "NVENC3_ERROR", "Video encoder 3 error", Depends, "CONTACT_SUPPORT", ""),
    x(143, "GPU_INIT_ERROR", "GPU initialization error", Device, "RESET_GPU", "CONTACT_SUPPORT"),
    x(144, "NVLINK_SAW_ERROR", "NVLink: SAW error (not PCI Express)", Device, "WORKFLOW_NVLINK5_ERR", "WORKFLOW_NVLINK5_ERR"),
    x(145, "NVLINK_RLW_ERROR", "NVLink: RLW error (not PCI Express)", Device, "WORKFLOW_NVLINK5_ERR", "WORKFLOW_NVLINK5_ERR"),
    x(146, "NVLINK_TLW_ERROR", "NVLink: TLW error (not PCI Express)", Device, "WORKFLOW_NVLINK5_ERR", "WORKFLOW_NVLINK5_ERR"),
    x(147, "NVLINK_TREX_ERROR", "NVLink: TREX error (not PCI Express)", Device, "WORKFLOW_NVLINK5_ERR", "WORKFLOW_NVLINK5_ERR"),
    x(148, "NVLINK_NVLPW_CTRL_ERROR", "NVLink: NVLPW_CTRL error (not PCI Express)", Device, "WORKFLOW_NVLINK5_ERR", "WORKFLOW_NVLINK5_ERR"),
    x(149, "NVLINK_NETIR_ERROR", "NVLink: NETIR error (not PCI Express)", Device, "WORKFLOW_NVLINK5_ERR", "WORKFLOW_NVLINK5_ERR"),
    x(150, "NVLINK_MSE_ERROR", "NVLink: MSE error (not PCI Express)", Device, "WORKFLOW_NVLINK5_ERR", "WORKFLOW_NVLINK5_ERR"),
    x(151, "KEY_ROTATION_ERROR", "Key rotation error", Device, "RESTART_VM", "CONTACT_SUPPORT"),
    x(152, "DLA_SMMU_ERROR", "DLA SMMU error", Device, "IGNORE", "CONTACT_SUPPORT"),
    x(153, "DLA_TIMEOUT", "DLA timeout", Device, "IGNORE", "CONTACT_SUPPORT"),
    x(154, "GPU_RECOVERY_ACTION_CHANGED", "The driver says which action the GPU needs, because of another Xid: 0x0 none, 0x1 GPU reset, 0x2 node reboot, 0x3 drain P2P, 0x4 drain and reset, 0x5 recover IMEX domain", Consequence, "XID_154 (do what the line says)", "informational, regarding another Xid"),
    x(155, "NVLINK_SW_DEFINED_ERROR", "NVLink: software defined error (not PCI Express)", Device, "RESET_GPU", "INVESTIGATE_SW_USER"),
    x(156, "RESOURCE_RETIREMENT_EVENT", "Resource retirement event", Memory, "RESET_GPU", "IGNORE"),
    x(157, "RESOURCE_RETIREMENT_FAILURE", "Resource retirement failure", Memory, "IGNORE", "CONTACT_SUPPORT"),
    x(158, "GPU_FATAL_TIMEOUT", "GPU fatal timeout", Device, "RESET_GPU", "CONTACT_SUPPORT"),
    x(159, "CHI_NON_DATA_ERROR", "CHI non-data error", Device, "CHECK_UVM", "report it if it comes alone"),
    x(160, "CHANNEL_RETIREMENT_EVENT", "Channel retirement event", Memory, "IGNORE", "INVESTIGATE_SW"),
    x(161, "CHANNEL_RETIREMENT_FAILURE", "Channel retirement failure", Memory, "IGNORE", "INVESTIGATE_SW"),
    x(162, "PSHC_REENGAGED", "Power smoothing works again", Information, "", ""),
    x(163, "PSHC_DISENGAGED", "Power smoothing is switched off", Information, "", ""),
    x(164, "PSHC_LOW_LIFETIME", "Power smoothing: low lifetime reached", Device, "", ""),
    x(165, "PSHC_ZERO_LIFETIME", "Power smoothing: lifetime exhausted", Device, "", ""),
    x(166, "NVLINK_SECURE_CRYPTO_ERR", "NVLink traffic came before the link was set up for encryption (not PCI Express)", Device, "", ""),
    x(167, "PCIE_FATAL_TIMEOUT", "Fatal timeout on PCI Express", Bus, "", ""),
    x(168, "REDUCED_GPU_MEMORY_CAPACITY", "Errors in the write protected region: less memory is usable", Memory, "", ""),
    x(169, "SEC2_HALT_ERROR", "Internal micro-controller halt", Device, "", ""),
    x(170, "NVLINK_SECURE_OTHER", "NVLink interrupt in confidential mode (not PCI Express)", Device, "", ""),
    x(171, "UNCORRECTABLE_DRAM_ERROR", "Details to Xid 48: the error was in DRAM", Memory, "", ""),
    x(172, "UNCORRECTABLE_SRAM_ERROR", "Details to Xid 48: the error was in SRAM", Memory, "", ""),
    x(176, "PCIE_CORRECTABLE_ERROR_FAULT", "Too many corrected errors on PCI Express (in nverror.h of 595; not in the catalogue yet)", Bus, "", ""),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_in_order_and_found() {
        assert!(XIDS.is_sorted_by(|a, b| a.number < b.number));
        assert_eq!(of(79).map(|x| (x.level, x.immediate)), Some((Bus, "RESTART_BM")));
        assert_eq!(of(9999), None);
        for xid in XIDS {
            for word in [xid.immediate, xid.investigatory] {
                let one_word = !word.is_empty() && !word.contains(' ');
                assert!(!one_word || action(word).is_some(), "{}: {word}", xid.number);
            }
        }
    }
}
