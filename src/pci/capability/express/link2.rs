//! Link Capabilities 2, Link Control 2, Link Status 2. PCIe 6.2, 7.5.3.18 to 7.5.3.20.

use crate::pci::decode::Builder;
use crate::pci::quantity::{speed, speeds};
use crate::pci::register::{Meaning, Quantity};
use crate::register;

const DE_EMPHASIS: Meaning = Meaning::Choice(&[(0, "-6 dB"), (1, "-3.5 dB")]);
const CROSSLINK: Meaning = Meaning::Choice(&[
    (0, "not supported"),
    (1, "upstream port"),
    (2, "downstream port"),
    (3, "not completed"),
]);
const DOWNSTREAM_COMPONENT: Meaning = Meaning::Choice(&[
    (0, "not determined"),
    (1, "link down, not present"),
    (2, "link down, present"),
    (4, "link up, present"),
    (5, "link up, present and DRS received"),
]);

register! {
    /// Link Capabilities 2: all speeds of this end of the link.
    pub struct LinkCapabilities2(u32) at 0x2c, "link_capabilities_2", "LnkCap2", "PCIe 6.2, 7.5.3.18" {
        /// Speeds of this port; none in functions older than PCI Express 3.0.
        7:1 supported_link_speeds_vector Ro "Supported Link Speeds" = Meaning::Quantity(speeds),
        /// Can be connected to another port of the same direction.
        8 crosslink_supported Ro "Crosslink",
        /// Speeds at which the port can send skip ordered sets at the lower rate, for SRIS.
        15:9 lower_skp_os_generation_supported_speeds_vector HwInit "SkpGen" = Meaning::Quantity(speeds),
        /// Speeds at which the port can receive skip ordered sets at the lower rate.
        22:16 lower_skp_os_reception_supported_speeds_vector HwInit "SkpRcv" = Meaning::Quantity(speeds),
        /// Link Status 2 says whether there is a retimer.
        23 retimer_presence_detect_supported HwInit "Retimer",
        /// Link Status 2 says whether there are two retimers.
        24 two_retimers_presence_detect_supported HwInit "2Retimers",
        /// Supports Device Readiness Status messages.
        31 drs_supported HwInit "DRS",
    }

    /// Link Control 2: speed limit, equalization and compliance tests.
    pub struct LinkControl2(u16) at 0x30, "link_control_2", "LnkCtl2", "PCIe 6.2, 7.5.3.19" {
        /// Fastest speed that the link may use; also the speed of compliance tests. 0 means 2.5 GT/s.
        3:0 target_link_speed Rws "Target Link Speed" = Meaning::Quantity(target_speed),
        /// Forces the link into compliance tests.
        4 enter_compliance Rws "EnterCompliance",
        /// Must not change the speed but to correct errors.
        5 hardware_autonomous_speed_disable Rws "SpeedDis",
        /// De-emphasis that the port asks for at 5 GT/s (downstream ports).
        6 selectable_de_emphasis HwInit "Selectable De-emphasis" = DE_EMPHASIS,
        /// Transmitter voltage; 0 is the normal range.
        9:7 transmit_margin Rws "Transmit Margin",
        /// Sends the modified compliance pattern.
        10 enter_modified_compliance Rws "EnterModifiedCompliance",
        /// Sends skip ordered sets between compliance patterns.
        11 compliance_sos Rws "ComplianceSOS",
        /// Transmitter preset of compliance tests; at 5 GT/s the de-emphasis.
        15:12 compliance_preset_de_emphasis Rws "Compliance Preset/De-emphasis",
    }

    /// Link Status 2: equalization, retimers, flit mode, presence.
    pub struct LinkStatus2(u16) at 0x32, "link_status_2", "LnkSta2", "PCIe 6.2, 7.5.3.20" {
        /// De-emphasis at 5 GT/s; undefined at other speeds.
        0 current_de_emphasis_level Ro "Current De-emphasis Level" = DE_EMPHASIS,
        /// Equalization for 8 GT/s is complete.
        1 equalization_8gts_complete Ros "EqualizationComplete",
        /// Phase 1 of the equalization for 8 GT/s succeeded.
        2 equalization_8gts_phase_1_successful Ros "EqualizationPhase1",
        /// Phase 2 of the equalization for 8 GT/s succeeded.
        3 equalization_8gts_phase_2_successful Ros "EqualizationPhase2",
        /// Phase 3 of the equalization for 8 GT/s succeeded.
        4 equalization_8gts_phase_3_successful Ros "EqualizationPhase3",
        /// The link asks for its equalization at 8 GT/s to be done again.
        5 link_equalization_request_8gts Rw1cs "LinkEqualizationRequest",
        /// There is at least one retimer on the link.
        6 retimer_presence_detected Ros "Retimer",
        /// There are two retimers on the link.
        7 two_retimers_presence_detected Ros "2Retimers",
        /// Which direction the port took on a crosslink.
        9:8 crosslink_resolution Ro "CrosslinkRes" = CROSSLINK,
        /// The link runs in flit mode.
        10 flit_mode_status Ro "FltMode",
        /// What is at the other end (downstream ports that support DRS).
        14:12 downstream_component_presence Ro "DownstreamComp" = DOWNSTREAM_COMPONENT,
        /// Received a Device Readiness Status message.
        15 drs_message_received Rw1c "DRS",
    }
}

/// Ports that know 2.5 GT/s only may hardwire the field to 0.
fn target_speed(encoding: u64) -> Quantity {
    speed(encoding.max(1))
}

pub(super) fn place(builder: &mut Builder<'_>) {
    builder.add::<LinkCapabilities2>();
    builder.add::<LinkControl2>();
    builder.add::<LinkStatus2>();
}
