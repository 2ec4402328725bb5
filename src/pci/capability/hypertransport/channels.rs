//! Sets of virtual channels, and retry of packets with errors.

use crate::pci::decode::Builder;
use crate::pci::register::Meaning;
use crate::register;

use super::Block;

register! {
    /// Sets of virtual channels.
    pub struct VcSets(u32) at 0x04, "vc_sets", "VCSets", "HyperTransport 3.1, 7" {
        /// Sets that the device supports.
        7:0 supported Ro "Supported" = Meaning::Hex,
        /// Sets in use on link 1.
        15:8 link_1_enabled Rw "Link1" = Meaning::Hex,
        /// Sets in use on link 0.
        23:16 link_0_enabled Rw "Link0" = Meaning::Hex,
    }

    /// Buckets of the streaming channels.
    pub struct StreamBuckets(u32) at 0x08, "stream_buckets", "Stream", "HyperTransport 3.1, 7" {
        /// Depth of a bucket.
        7:0 bucket_depth Rw "Depth",
        /// Interval at which it is filled.
        15:8 interval Rw "Interval",
        /// Streaming channels that the device supports.
        23:16 channels_supported Ro "Channels" = Meaning::Choice(&[(0, "0"), (1, "0 to 3"), (2, "0 to 15")]),
    }

    /// Buckets of the channels without flow control.
    pub struct NonFlowControlBuckets(u16) at 0x0c, "non_flow_control_buckets", "NonFC", "HyperTransport 3.1, 7" {
        /// Depth of a bucket.
        7:0 bucket_depth Rw "Depth",
        /// Interval at which it is filled.
        15:8 interval Rw "Interval",
    }

    /// Retry on link 0.
    pub struct RetryControl0(u8) at 0x04, "retry_control_0", "Retry Control 0", "HyperTransport 3.1, 7" {
        /// Packets with errors are sent again.
        0 link_retry_enable Rw "LRetEn",
        /// Makes one error.
        1 force_single_error Rw "FSErr",
        /// An overflow of the counter raises the nonfatal interrupt.
        2 rollover_nonfatal_enable Rw "RolNEn",
        /// Makes one stomped packet.
        3 force_single_stomp Rw "FSStomp",
        /// A retry raises the nonfatal interrupt.
        4 retry_nonfatal_enable Rw "RetNEn",
        /// A failed retry raises the fatal interrupt.
        5 retry_fatal_enable Rw "RetFEn",
        /// How often to try before the link counts as failed.
        7:6 allowed_attempts Rw "Attempts",
    }

    /// What happened on link 0.
    pub struct RetryStatus0(u8) at 0x05, "retry_status_0", "Retry Status 0", "HyperTransport 3.1, 7" {
        /// A retry was sent.
        0 retry_sent Rw1c "RetSnt",
        /// The counter overflowed.
        1 count_rollover Rw1c "CntRol",
        /// A stomped packet came.
        2 stomp_received Rw1c "StompRcv",
    }

    /// Retry on link 1.
    pub struct RetryControl1(u8) at 0x06, "retry_control_1", "Retry Control 1", "HyperTransport 3.1, 7" {
        /// Packets with errors are sent again.
        0 link_retry_enable Rw "LRetEn",
        /// Makes one error.
        1 force_single_error Rw "FSErr",
        /// An overflow of the counter raises the nonfatal interrupt.
        2 rollover_nonfatal_enable Rw "RolNEn",
        /// Makes one stomped packet.
        3 force_single_stomp Rw "FSStomp",
        /// A retry raises the nonfatal interrupt.
        4 retry_nonfatal_enable Rw "RetNEn",
        /// A failed retry raises the fatal interrupt.
        5 retry_fatal_enable Rw "RetFEn",
        /// How often to try before the link counts as failed.
        7:6 allowed_attempts Rw "Attempts",
    }

    /// What happened on link 1.
    pub struct RetryStatus1(u8) at 0x07, "retry_status_1", "Retry Status 1", "HyperTransport 3.1, 7" {
        /// A retry was sent.
        0 retry_sent Rw1c "RetSnt",
        /// The counter overflowed.
        1 count_rollover Rw1c "CntRol",
        /// A stomped packet came.
        2 stomp_received Rw1c "StompRcv",
    }

    /// Retries on link 0.
    pub struct RetryCount0(u16) at 0x08, "retry_count_0", "Retry Count 0", "HyperTransport 3.1, 7" {
        /// How many there were.
        15:0 count Rw "count",
    }

    /// Retries on link 1.
    pub struct RetryCount1(u16) at 0x0a, "retry_count_1", "Retry Count 1", "HyperTransport 3.1, 7" {
        /// How many there were.
        15:0 count Rw "count",
    }
}

pub(super) fn vcset(builder: &mut Builder<'_>) {
    builder.load(0x04, 0x0c);
    builder.add::<Block>();
    builder.add::<VcSets>();
    builder.add::<StreamBuckets>();
    builder.add::<NonFlowControlBuckets>();
}

pub(super) fn retry_mode(builder: &mut Builder<'_>) {
    builder.load(0x04, 0x08);
    builder.add::<Block>();
    builder.add::<RetryControl0>();
    builder.add::<RetryStatus0>();
    builder.add::<RetryControl1>();
    builder.add::<RetryStatus1>();
    builder.add::<RetryCount0>();
    builder.add::<RetryCount1>();
}
