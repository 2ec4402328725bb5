//! Link Capabilities, Link Control, Link Status. PCIe 6.2, 7.5.3.6 to 7.5.3.8.

use crate::pci::decode::Builder;
use crate::pci::quantity::{speed, width};
use crate::pci::register::{Meaning, Quantity};
use crate::register;

/// Power states of the link in Link Capabilities and Link Control, and where those registers have a likeness.
pub(in crate::pci) const ASPM: Meaning =
    Meaning::Choice(&[(0, "none"), (1, "L0s"), (2, "L1"), (3, "L0s L1")]);
const READ_COMPLETION_BOUNDARY: Meaning = Meaning::Choice(&[(0, "64 bytes"), (1, "128 bytes")]);
const DRS_SIGNALING: Meaning =
    Meaning::Choice(&[(0, "not reported"), (1, "interrupt"), (2, "DRS to FRS signaling")]);

register! {
    /// Link Capabilities: what this end of the link can do.
    pub struct LinkCapabilities(u32) at 0x0c, "link_capabilities", "LnkCap", "PCIe 6.2, 7.5.3.6" {
        /// Fastest speed of this port.
        3:0 max_link_speed Ro "Speed" = Meaning::Quantity(speed),
        /// Number of lanes of this port.
        9:4 maximum_link_width Ro "Width" = Meaning::Quantity(width),
        /// Power states that the link may enter on its own when idle.
        11:10 aspm_support Ro "ASPM" = ASPM,
        /// Time from L0s to L0.
        14:12 l0s_exit_latency Ro "L0s" = Meaning::Quantity(l0s_exit),
        /// Time from L1 to L0.
        17:15 l1_exit_latency Ro "L1" = Meaning::Quantity(l1_exit),
        /// Tolerates that the reference clock stops in L1 and L2/L3 (upstream ports).
        18 clock_power_management Ro "ClockPM",
        /// Can report that the link went down unexpectedly (downstream ports).
        19 surprise_down_error_reporting_capable Ro "Surprise",
        /// Link Status says whether the data link layer is up (downstream ports).
        20 data_link_layer_link_active_reporting_capable Ro "LLActRep",
        /// Can report changes of speed or width (downstream ports).
        21 link_bandwidth_notification_capability Ro "BwNot",
        /// The port follows the rules under which ASPM is optional; set since PCI Express 3.0.
        22 aspm_optionality_compliance HwInit "ASPMOptComp",
        /// Number of the port in its component.
        31:24 port_number HwInit "Port",
    }

    /// Link Control: what this end of the link is told to do.
    pub struct LinkControl(u16) at 0x10, "link_control", "LnkCtl", "PCIe 6.2, 7.5.3.7" {
        /// Power states that the link enters on its own when idle.
        1:0 aspm_control Rw "ASPM" = ASPM,
        /// Precision time messages use interpretation B of the propagation delay.
        2 ptm_propagation_delay_adaptation_interpretation_b Rw "PTMDelayB",
        /// Address boundary at which completions may be split.
        3 read_completion_boundary Rw "RCB" = READ_COMPLETION_BOUNDARY,
        /// Turns the link off (downstream ports).
        4 link_disable Rw "LnkDisable",
        /// Written as one, trains the link anew (downstream ports).
        5 retrain_link Wo "Retrain",
        /// Both ends have the same reference clock.
        6 common_clock_configuration Rw "CommClk",
        /// Sends longer training sequences, for test equipment.
        7 extended_synch Rw "ExtSynch",
        /// May let the reference clock stop.
        8 enable_clock_power_management Rw "ClockPM",
        /// Must not change the width but to correct errors.
        9 hardware_autonomous_width_disable Rw "AutWidDis",
        /// Link Bandwidth Management Status raises an interrupt (downstream ports).
        10 link_bandwidth_management_interrupt_enable Rw "BWInt",
        /// Link Autonomous Bandwidth Status raises an interrupt (downstream ports).
        11 link_autonomous_bandwidth_interrupt_enable Rw "AutBWInt",
        /// Separate reference clocks with independent spread spectrum (downstream ports).
        12 sris_clocking Rw "SRIS",
        /// Keeps the link from using flit mode (downstream ports).
        13 flit_mode_disable Rw "FltModeDis",
        /// What a Device Readiness Status message causes (downstream ports).
        15:14 drs_signaling_control Rw "DRS" = DRS_SIGNALING,
    }

    /// Link Status: what the link is doing now.
    pub struct LinkStatus(u16) at 0x12, "link_status", "LnkSta", "PCIe 6.2, 7.5.3.8" {
        /// Speed at which the link runs; undefined while it is down.
        3:0 current_link_speed Ro "Speed" = Meaning::Quantity(speed),
        /// Number of lanes that the link uses; undefined while it is down.
        9:4 negotiated_link_width Ro "Width" = Meaning::Quantity(width),
        /// Training error; undefined since PCI Express 1.1.
        10 training_error Ro "TrErr",
        /// Training is in progress (downstream ports).
        11 link_training Ro "Train",
        /// Uses the reference clock of the slot.
        12 slot_clock_configuration HwInit "SlotClk",
        /// The data link layer is up; 0 if Link Capabilities does not announce that it is reported.
        13 data_link_layer_link_active Ro "DLActive",
        /// The link was trained anew, or changed speed or width because it was unreliable (downstream ports).
        14 link_bandwidth_management_status Rw1c "BWMgmt",
        /// The link changed speed or width on its own, not because it was unreliable (downstream ports).
        15 link_autonomous_bandwidth_status Rw1c "ABWMgmt",
    }
}

/// L0s exit latency. Each encoding is a range of which the upper end counts; the last one has none.
pub(in crate::pci) fn l0s_exit(encoding: u64) -> Quantity {
    if encoding < 7 {
        Quantity::LessThanNanoseconds(64 << encoding)
    } else {
        Quantity::MoreThanNanoseconds(4000)
    }
}

/// L1 exit latency, and L0p exit latency, which has the same ranges.
pub(in crate::pci) fn l1_exit(encoding: u64) -> Quantity {
    if encoding < 7 {
        Quantity::LessThanNanoseconds(1000 << encoding)
    } else {
        Quantity::MoreThanNanoseconds(64_000)
    }
}

pub(super) fn place(builder: &mut Builder<'_>) {
    builder.add::<LinkCapabilities>();
    builder.add::<LinkControl>();
    builder.add::<LinkStatus>();
}
