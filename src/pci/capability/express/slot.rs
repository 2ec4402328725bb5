//! Slot Capabilities, Slot Control, Slot Status, and their successors. PCIe 6.2, 7.5.3.9 to 7.5.3.11 and 7.5.3.21 to
//! 7.5.3.23.

use crate::pci::decode::Builder;
use crate::pci::register::{Meaning, Quantity};
use crate::register;

const INDICATOR: Meaning = Meaning::Choice(&[(1, "on"), (2, "blinking"), (3, "off")]);
const POWER: Meaning = Meaning::Choice(&[(0, "on"), (1, "off")]);

register! {
    /// Slot Capabilities: what the slot has and how much power it grants.
    pub struct SlotCapabilities(u32) at 0x14, "slot_capabilities", "SltCap", "PCIe 6.2, 7.5.3.9" {
        /// There is a button with which people ask for removal.
        0 attention_button_present HwInit "AttnBtn",
        /// Power of the slot can be switched.
        1 power_controller_present HwInit "PwrCtrl",
        /// There is a sensor for the manually operated retention latch.
        2 mrl_sensor_present HwInit "MRL",
        /// There is an attention indicator.
        3 attention_indicator_present HwInit "AttnInd",
        /// There is a power indicator.
        4 power_indicator_present HwInit "PwrInd",
        /// The device may be pulled without notice.
        5 hot_plug_surprise HwInit "Surprise",
        /// Supports hot-plug operations.
        6 hot_plug_capable HwInit "HotPlug",
        /// Power that the slot grants, in units of the scale.
        14:7 slot_power_limit_value HwInit "PowerLimit" = Meaning::OfRegister(slot_power_limit),
        /// Unit of the power limit.
        16:15 slot_power_limit_scale HwInit "PowerLimitScale" = super::POWER_LIMIT_SCALE,
        /// There is a lock that holds the device.
        17 electromechanical_interlock_present HwInit "Interlock",
        /// Hot-plug commands are complete at once and not reported as such.
        18 no_command_completed_support HwInit "NoCompl",
        /// Number on the chassis; 0 if the device is not in a slot.
        31:19 physical_slot_number HwInit "Slot",
    }

    /// Slot Control: which events are reported; indicators, power and lock.
    pub struct SlotControl(u16) at 0x18, "slot_control", "SltCtl", "PCIe 6.2, 7.5.3.10" {
        /// Reports a press of the attention button.
        0 attention_button_pressed_enable Rw "AttnBtn",
        /// Reports a power fault.
        1 power_fault_detected_enable Rw "PwrFlt",
        /// Reports a change of the retention latch.
        2 mrl_sensor_changed_enable Rw "MRL",
        /// Reports that a device came or went.
        3 presence_detect_changed_enable Rw "PresDet",
        /// Reports that a command is complete.
        4 command_completed_interrupt_enable Rw "CmdCplt",
        /// Reports by interrupt.
        5 hot_plug_interrupt_enable Rw "HPIrq",
        /// Attention indicator.
        7:6 attention_indicator_control Rw "AttnInd" = INDICATOR,
        /// Power indicator.
        9:8 power_indicator_control Rw "PwrInd" = INDICATOR,
        /// Power of the slot: set means off.
        10 power_controller_control Rw "Power" = POWER,
        /// Written as one, toggles the lock.
        11 electromechanical_interlock_control Wo "Interlock",
        /// Reports that the data link layer came up or went down.
        12 data_link_layer_state_changed_enable Rw "LinkChg",
        /// Keeps the port from sending the slot power limit when the link comes up.
        13 auto_slot_power_limit_disable Rw "AutoPwrLimitDis",
        /// Presence is told by the slot's pins only, not by the link as well.
        14 in_band_pd_disable Rw "InBandPDDis",
    }

    /// Slot Status: what the slot is doing, and which events happened. Events stay until software clears them.
    pub struct SlotStatus(u16) at 0x1a, "slot_status", "SltSta", "PCIe 6.2, 7.5.3.11" {
        /// The attention button was pressed.
        0 attention_button_pressed Rw1c "AttnBtn",
        /// The power controller detected a fault.
        1 power_fault_detected Rw1c "PowerFlt",
        /// The retention latch was opened or closed.
        2 mrl_sensor_changed Rw1c "Changed MRL",
        /// A device came or went.
        3 presence_detect_changed Rw1c "Changed PresDet",
        /// A command is complete.
        4 command_completed Rw1c "CmdCplt",
        /// The retention latch is open.
        5 mrl_sensor_state Ro "MRL",
        /// There is a device in the slot. Ports without a slot always say so.
        6 presence_detect_state Ro "PresDet",
        /// The lock is engaged.
        7 electromechanical_interlock_status Ro "Interlock",
        /// The data link layer came up or went down.
        8 data_link_layer_state_changed Rw1c "LinkState",
    }
}

register! {
    /// Slot Capabilities 2.
    pub struct SlotCapabilities2(u32) at 0x34, "slot_capabilities_2", "SltCap2", "PCIe 6.2, 7.5.3.21" {
        /// In-Band PD Disable in Slot Control is supported.
        0 in_band_pd_disable_supported HwInit "InBandPDDis",
    }

    /// Slot Control 2: no field is defined.
    pub struct SlotControl2(u16) at 0x38, "slot_control_2", "SltCtl2", "PCIe 6.2, 7.5.3.22" {}

    /// Slot Status 2: no field is defined.
    pub struct SlotStatus2(u16) at 0x3a, "slot_status_2", "SltSta2", "PCIe 6.2, 7.5.3.23" {}
}

fn slot_power_limit(raw: u64) -> Quantity {
    Quantity::Milliwatts(SlotCapabilities(raw as u32).slot_power_limit_milliwatts().map(u64::from))
}

impl SlotCapabilities {
    /// The power that the slot grants in milliwatts; `None` for a reserved encoding.
    pub fn slot_power_limit_milliwatts(self) -> Option<u32> {
        super::power_limit(self.slot_power_limit_value(), self.slot_power_limit_scale())
    }
}

pub(super) fn place(builder: &mut Builder<'_>) {
    builder.add::<SlotCapabilities>();
    builder.add::<SlotControl>();
    builder.add::<SlotStatus>();
}

pub(super) fn place2(builder: &mut Builder<'_>) {
    builder.add::<SlotCapabilities2>();
    builder.add::<SlotControl2>();
    builder.add::<SlotStatus2>();
}
