//! Wireless network adapters (drivers/net/wireless/intel/iwlwifi, drivers/net/wireless/ath, drivers/net/wireless/mediatek/mt76).

use super::super::event::{Kind, Level, Wording};

/// Everything that this speaker says.
pub const KINDS: &[Kind] = &[
    Kind::new(
        "wireless.no-access",
        Level::Depends,
        "The adapter did not grant its driver access. A value of 0xffffffff is all-ones: nothing answers on the bus; any other comes \
         from the adapter.",
        "drivers/net/wireless/intel/iwlwifi/pcie/trans.c (__iwl_trans_pcie_grab_nic_access)",
        &[
            Wording::whole(
                "Timeout waiting for hardware access",
                r"<dev>Timeout waiting for hardware access \(CSR_GP_CNTRL (?P<value>0x[0-9a-f]+)\)",
            )
            .of("iwlwifi"),
            // As a warning it names no device.
            Wording::whole(
                "Timeout waiting for hardware access",
                r"^Timeout waiting for hardware access \(CSR_GP_CNTRL (?P<value>0x[0-9a-f]+)\)",
            )
            .of("iwlwifi"),
        ],
    ),
    Kind::new(
        "wireless.gone",
        Level::Bus,
        "The driver read all-ones from the adapter and removes it.",
        "drivers/net/wireless/intel/iwlwifi/pcie/trans.c (iwl_trans_pcie_removal_wk)",
        &[Wording::whole(
            "Device gone - attempting removal",
            r"<dev>Device gone - attempting (?:removal|reset)",
        )],
    ),
    Kind::new(
        "wireless.firmware-failed",
        Level::Device,
        "The adapter's own firmware crashed or does not answer; the driver starts it anew.",
        "drivers/net/wireless/intel/iwlwifi/pcie/rx.c; drivers/net/wireless/ath/ath10k/pci.c (ath10k_pci_fw_dump_work); \
         drivers/net/wireless/ath/ath11k/mhi.c (ath11k_mhi_op_status_cb), ath12k/mhi.c",
        &[
            Wording::whole("Microcode SW error detected", r"<dev>Microcode SW error detected"),
            Wording::whole("failed to wake target for ", r"<dev>failed to wake target for (?:read|write)32 "),
            Wording::whole("failed to power up mhi: ", r"<dev>failed to power up mhi: (?P<error>-\d+)"),
            Wording::whole("firmware crashed", r"<dev>firmware crashed(?:! \(guid|: MHI_CB_)"),
        ],
    ),
    Kind::new(
        "wireless.recovered",
        Level::Information,
        "The adapter works again after its firmware was started anew.",
        "drivers/net/wireless/ath/ath10k/mac.c (ath10k_reconfig_complete), ath11k/mac.c, ath12k/mac.c",
        &[Wording::whole("successfully recovered", r"<dev>(?:device|pdev \d+) successfully recovered")],
    ),
    Kind::new(
        "wireless.firmware-silent",
        Level::Device,
        "The adapter's own firmware did not hand the adapter over to its driver in time.",
        "drivers/net/wireless/mediatek/mt76/mt792x_core.c (__mt792xe_mcu_drv_pmctrl), mt7615/mcu.c, mt7915/mcu.c (mt7915_driver_own)",
        &[
            Wording::whole("driver own failed", r"<dev>driver own failed"),
            Wording::whole("Timeout for driver own", r"<dev>Timeout for driver own"),
        ],
    ),
    Kind::new(
        "wireless.reset-failed",
        Level::Device,
        "The adapter did not come back from a reset: its driver tried ten times.",
        "drivers/net/wireless/mediatek/mt76/mt7921/mac.c (mt7921_mac_reset_work)",
        &[Wording::whole("chip reset failed", r"<dev>chip reset failed")],
    ),
];
