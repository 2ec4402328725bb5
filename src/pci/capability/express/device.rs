//! Device Capabilities, Device Control, Device Status. PCIe 6.2, 7.5.3.3 to 7.5.3.5.

use crate::pci::decode::Builder;
use crate::pci::quantity::payload_size;
use crate::pci::register::{Meaning, Quantity};
use crate::register;

register! {
    /// Device Capabilities: payload sizes, latencies, reset and power limit.
    pub struct DeviceCapabilities(u32) at 0x04, "device_capabilities", "DevCap", "PCIe 6.2, 7.5.3.3" {
        /// Largest payload of a packet that the function can take.
        2:0 max_payload_size_supported Ro "MaxPayload" = Meaning::Quantity(payload_size),
        /// How many bits of the function number may be used for additional tags.
        4:3 phantom_functions_supported Ro "PhantFunc",
        /// Uses 8-bit tags as a requester, not 5-bit ones.
        5 extended_tag_field_supported Ro "ExtTag",
        /// Longest exit from L0s that the endpoint can bear.
        8:6 endpoint_l0s_acceptable_latency Ro "L0s" = Meaning::Quantity(l0s_acceptable),
        /// Longest exit from L1 that the endpoint can bear.
        11:9 endpoint_l1_acceptable_latency Ro "L1" = Meaning::Quantity(l1_acceptable),
        /// Attention button on the card; undefined since PCI Express 1.1.
        12 attention_button_present Ro "AttnBtn",
        /// Attention indicator on the card; undefined since PCI Express 1.1.
        13 attention_indicator_present Ro "AttnInd",
        /// Power indicator on the card; undefined since PCI Express 1.1.
        14 power_indicator_present Ro "PwrInd",
        /// Reports errors by its role in the transaction, as all functions since PCI Express 1.1 do.
        15 role_based_error_reporting Ro "RBE",
        /// Can mark ERR_COR messages with a subclass.
        16 err_cor_subclass_capable Ro "ErrCorSubclass",
        /// Takes payloads of the size that it supports, whatever Max_Payload_Size says.
        17 rx_mps_fixed Ro "RxMPSFixed",
        /// Power that the slot grants, as the port above announced it, in units of the scale.
        25:18 captured_slot_power_limit_value Ro "SlotPowerLimit" = Meaning::OfRegister(captured_slot_power_limit),
        /// Unit of the power limit.
        27:26 captured_slot_power_limit_scale Ro "SlotPowerLimitScale" = super::POWER_LIMIT_SCALE,
        /// Can be reset on its own.
        28 function_level_reset_capability Ro "FLReset",
        /// Can send payloads of different sizes to different receivers.
        29 mixed_mps_supported Ro "MixedMPS",
        /// Supports trusted execution environments (TDISP).
        30 tee_io_supported Ro "TEE-IO",
    }

    /// Device Control: which errors are reported, payload sizes, ordering.
    pub struct DeviceControl(u16) at 0x08, "device_control", "DevCtl", "PCIe 6.2, 7.5.3.4" {
        /// Sends ERR_COR messages.
        0 correctable_error_reporting_enable Rw "CorrErr",
        /// Sends ERR_NONFATAL messages.
        1 non_fatal_error_reporting_enable Rw "NonFatalErr",
        /// Sends ERR_FATAL messages.
        2 fatal_error_reporting_enable Rw "FatalErr",
        /// Reports unsupported requests.
        3 unsupported_request_reporting_enable Rw "UnsupReq",
        /// May mark its requests for relaxed ordering.
        4 enable_relaxed_ordering Rw "RlxdOrd",
        /// Largest payload of a packet that the function may send.
        7:5 max_payload_size Rw "MaxPayload" = Meaning::Quantity(payload_size),
        /// May use 8-bit tags.
        8 extended_tag_field_enable Rw "ExtTag",
        /// May use function numbers that are not in use as additional tags.
        9 phantom_functions_enable Rw "PhantFunc",
        /// May draw auxiliary power whether or not PME is enabled.
        10 aux_power_pm_enable Rws "AuxPwr",
        /// May mark its requests as not to be snooped by caches.
        11 enable_no_snoop Rw "NoSnoop",
        /// Most bytes that the function may ask for in one read request.
        14:12 max_read_request_size Rw "MaxReadReq" = Meaning::Quantity(payload_size),
        /// Written as one, resets the function. In a PCI Express to PCI bridge it is Bridge Configuration Retry Enable,
        /// an ordinary read-write bit.
        15 initiate_function_level_reset Wo "FLReset",
    }

    /// Device Status: errors that were detected, whether or not they are reported. They stay until software clears them.
    pub struct DeviceStatus(u16) at 0x0a, "device_status", "DevSta", "PCIe 6.2, 7.5.3.5" {
        /// Detected a correctable error.
        0 correctable_error_detected Rw1c "CorrErr",
        /// Detected a non-fatal error.
        1 non_fatal_error_detected Rw1c "NonFatalErr",
        /// Detected a fatal error.
        2 fatal_error_detected Rw1c "FatalErr",
        /// Received a request that it does not support.
        3 unsupported_request_detected Rw1c "UnsupReq",
        /// There is auxiliary power.
        4 aux_power_detected Ro "AuxPwr",
        /// Waits for completions of its own requests.
        5 transactions_pending Ro "TransPend",
        /// Is, or has been, in the Emergency Power Reduction state.
        6 emergency_power_reduction_detected Rw1c "EmergencyPowerReduction",
    }
}

fn l0s_acceptable(encoding: u64) -> Quantity {
    if encoding < 7 { Quantity::LessThanNanoseconds(64 << encoding) } else { Quantity::NoLimit }
}

fn l1_acceptable(encoding: u64) -> Quantity {
    if encoding < 7 { Quantity::LessThanNanoseconds(1000 << encoding) } else { Quantity::NoLimit }
}

fn captured_slot_power_limit(raw: u64) -> Quantity {
    let limit = DeviceCapabilities(raw as u32).captured_slot_power_limit_milliwatts();
    Quantity::Milliwatts(limit.map(u64::from))
}

impl DeviceCapabilities {
    /// The captured slot power limit in milliwatts; 0 if the slot announced none, `None` for a reserved encoding.
    pub fn captured_slot_power_limit_milliwatts(self) -> Option<u32> {
        super::power_limit(self.captured_slot_power_limit_value(), self.captured_slot_power_limit_scale())
    }
}

pub(super) fn place(builder: &mut Builder<'_>) {
    builder.add::<DeviceCapabilities>();
    builder.add::<DeviceControl>();
    builder.add::<DeviceStatus>();
}
