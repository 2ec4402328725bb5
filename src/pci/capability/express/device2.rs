//! Device Capabilities 2, Device Control 2, Device Status 2. PCIe 6.2, 7.5.3.15 to 7.5.3.17.

use crate::pci::decode::Builder;
use crate::pci::register::{Meaning, Quantity};
use crate::register;

/// Ranges: A 50 us to 10 ms, B 10 ms to 250 ms, C 250 ms to 4 s, D 4 s to 64 s.
const TIMEOUT_RANGES: Meaning = Meaning::Choice(&[
    (0, "not supported"),
    (1, "range A"),
    (2, "range B"),
    (3, "ranges A, B"),
    (6, "ranges B, C"),
    (7, "ranges A, B, C"),
    (14, "ranges B, C, D"),
    (15, "ranges A, B, C, D"),
]);
const TIMEOUT: Meaning = Meaning::Choice(&[
    (0, "50 us to 50 ms"),
    (1, "50 us to 100 us"),
    (2, "1 ms to 10 ms"),
    (5, "16 ms to 55 ms"),
    (6, "65 ms to 210 ms"),
    (9, "260 ms to 900 ms"),
    (10, "1 s to 3.5 s"),
    (13, "4 s to 13 s"),
    (14, "17 s to 64 s"),
]);
const LIGHTWEIGHT_NOTIFICATION: Meaning =
    Meaning::Choice(&[(0, "not supported"), (1, "64-byte cache lines"), (2, "128-byte cache lines")]);
const OBFF_SUPPORTED: Meaning =
    Meaning::Choice(&[(0, "not supported"), (1, "message"), (2, "WAKE#"), (3, "message and WAKE#")]);
const OBFF_ENABLE: Meaning = Meaning::Choice(&[
    (0, "disabled"),
    (1, "message, variation A"),
    (2, "message, variation B"),
    (3, "WAKE#"),
]);
const EMERGENCY_POWER_REDUCTION: Meaning = Meaning::Choice(&[
    (0, "not supported"),
    (1, "device specific"),
    (2, "form factor specific or device specific"),
]);

register! {
    /// Device Capabilities 2: completion timeouts, atomic operations, tags, prefixes.
    pub struct DeviceCapabilities2(u32) at 0x24, "device_capabilities_2", "DevCap2", "PCIe 6.2, 7.5.3.15" {
        /// Completion timeouts that software may choose.
        3:0 completion_timeout_ranges_supported Ro "Completion Timeout" = TIMEOUT_RANGES,
        /// The completion timeout can be turned off.
        4 completion_timeout_disable_supported Ro "TimeoutDis",
        /// Can forward to functions beyond number 7 (downstream ports).
        5 ari_forwarding_supported Ro "ARIFwd",
        /// Routes atomic operations (switches and root ports).
        6 atomic_op_routing_supported Ro "Routing",
        /// Completes 32-bit atomic operations.
        7 atomic_op_completer_32bit_supported Ro "32bit",
        /// Completes 64-bit atomic operations.
        8 atomic_op_completer_64bit_supported Ro "64bit",
        /// Completes 128-bit compare and swap.
        9 cas_completer_128bit_supported Ro "128bitCAS",
        /// Never lets a posted request pass another one, even if relaxed ordering allows it (switches and root ports).
        10 no_ro_enabled_pr_pr_passing HwInit "NROPrPrP",
        /// Supports Latency Tolerance Reporting.
        11 ltr_mechanism_supported Ro "LTR",
        /// Completes requests with processing hints. With the next bit one field, of which 10b is reserved.
        12 tph_completer_supported Ro "TPHComp",
        /// Completes requests with extended processing hints.
        13 extended_tph_completer_supported Ro "ExtTPHComp",
        /// Lightweight notification; undefined since PCI Express 6.0.
        15:14 ln_system_cls HwInit "LN System CLS" = LIGHTWEIGHT_NOTIFICATION,
        /// Completes requests with 10-bit tags.
        16 tag_10bit_completer_supported HwInit "10BitTagComp",
        /// Can send requests with 10-bit tags.
        17 tag_10bit_requester_supported HwInit "10BitTagReq",
        /// How the function learns when it is cheap to be active (Optimized Buffer Flush/Fill).
        19:18 obff_supported HwInit "OBFF" = OBFF_SUPPORTED,
        /// Knows packet headers with the 3-bit format field.
        20 extended_fmt_field_supported Ro "ExtFmt",
        /// Takes packets with end-end prefixes.
        21 end_end_tlp_prefix_supported HwInit "EETLPPrefix",
        /// Most end-end prefixes on a packet, 1 to 4.
        23:22 max_end_end_tlp_prefixes HwInit "MaxEETLPPrefixes" = Meaning::Quantity(prefixes),
        /// Who can ask the function to save power in an emergency.
        25:24 emergency_power_reduction_supported HwInit "EmergencyPowerReduction" = EMERGENCY_POWER_REDUCTION,
        /// Needs to be set up anew after it saved power in an emergency.
        26 emergency_power_reduction_initialization_required HwInit "EmergencyPowerReductionInit",
        /// Completes deferrable memory writes.
        28 dmwr_completer_supported HwInit "DMWrComp",
        /// Longest deferrable memory write that it completes, as encoded.
        30:29 dmwr_lengths_supported HwInit "DMWrLength",
        /// Supports Function Readiness Status messages.
        31 frs_supported HwInit "FRS",
    }

    /// Device Control 2.
    pub struct DeviceControl2(u16) at 0x28, "device_control_2", "DevCtl2", "PCIe 6.2, 7.5.3.16" {
        /// How long the function waits for a completion.
        3:0 completion_timeout_value Rw "Completion Timeout" = TIMEOUT,
        /// Waits for completions without end.
        4 completion_timeout_disable Rw "TimeoutDis",
        /// Forwards to functions beyond number 7 (downstream ports).
        5 ari_forwarding_enable Rw "ARIFwd",
        /// May send atomic operations.
        6 atomic_op_requester_enable Rw "ReqEn",
        /// Lets no atomic operation out of this port.
        7 atomic_op_egress_blocking Rw "EgressBlck",
        /// May mark requests for ID-based ordering.
        8 ido_request_enable Rw "IDOReq",
        /// May mark completions for ID-based ordering.
        9 ido_completion_enable Rw "IDOCompl",
        /// Sends Latency Tolerance Reporting messages.
        10 ltr_mechanism_enable Rw "LTR",
        /// Asks the function to save power at once.
        11 emergency_power_reduction_request Rw "EmergencyPowerReductionReq",
        /// May use 10-bit tags.
        12 tag_10bit_requester_enable Rw "10BitTagReq",
        /// How the function is told when it is cheap to be active.
        14:13 obff_enable Rw "OBFF" = OBFF_ENABLE,
        /// Lets no packet with an end-end prefix out of this port.
        15 end_end_tlp_prefix_blocking Rw "EETLPPrefixBlk",
    }

    /// Device Status 2: no field is defined.
    pub struct DeviceStatus2(u16) at 0x2a, "device_status_2", "DevSta2", "PCIe 6.2, 7.5.3.17" {}
}

/// 0 stands for four.
fn prefixes(encoding: u64) -> Quantity {
    Quantity::Count(if encoding == 0 { 4 } else { encoding })
}

pub(super) fn place(builder: &mut Builder<'_>) {
    builder.add::<DeviceCapabilities2>();
    builder.add::<DeviceControl2>();
    builder.add::<DeviceStatus2>();
}
