//! Flit Logging, extended capability ID 0032h. PCIe 6.2, 7.7.8.

use crate::pci::decode::{Builder, Specification};
use crate::pci::register::{Meaning, Quantity, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x32,
    key: "flit_logging",
    name: "Flit Logging",
    section: "PCIe 6.2, 7.7.8",
    layout: Some(layout),
    registers: &[
        FlitErrorLog1::REGISTER,
        FlitErrorLog2::REGISTER,
        FlitErrorCounterControl::REGISTER,
        FlitErrorCounterStatus::REGISTER,
        FberMeasurementControl::REGISTER,
        FberMeasurementStatus1::REGISTER,
        FberMeasurementStatus2::REGISTER,
        LaneCorrectableCounter::REGISTER,
    ],
};

/// Link widths as they are encoded since PCI Express 6.0: 0 to 4 stand for x1 to x16.
pub(super) fn link_width(encoding: u64) -> Quantity {
    Quantity::Width((encoding < 5).then(|| 1 << encoding))
}

register! {
    /// The oldest flit with an error that was not taken note of yet.
    pub struct FlitErrorLog1(u32) at 0x04, "flit_error_log_1", "Log1", "PCIe 6.2, 7.7.8.2" {
        /// There is an entry. Clearing the bit brings the next one.
        0 flit_error_log_valid Rw1cs "Valid",
        /// Width of the link at the time.
        3:1 flit_error_link_width Ros "Link Width" = Meaning::Quantity(link_width),
        /// Flits since the one of the entry before; 0 for the first entry, 15 for 15 and more.
        7:4 flit_offset_from_last_logged_flit_in_error Ros "Flit offset",
        /// Which of the five flits behind it had errors as well.
        12:8 consecutive_flit_error_after_last_flit_error Ros "Consecutive errors" = Meaning::Hex,
        /// There are more entries.
        13 more_entries_valid Ros "More entries",
        /// The checksum was right, but what kind of flit it is was not understood.
        14 unrecognized_flit Ros "Unrecognized flit",
        /// The error could not be corrected.
        15 fec_uncorrectable_error_in_flit Ros "FEC uncorrectable",
        /// Syndrome parity of the first group of the error correcting code.
        23:16 syndrome_parity_for_ecc_group_0 Ros "SyndParityGrp0" = Meaning::Hex,
        /// Syndrome check of the first group of the error correcting code.
        31:24 syndrome_check_for_ecc_group_0 Ros "SyndCheckGrp0" = Meaning::Hex,
    }
    /// More of the same entry.
    pub struct FlitErrorLog2(u32) at 0x08, "flit_error_log_2", "Log2", "PCIe 6.2, 7.7.8.3" {
        /// Syndrome parity of the second group of the error correcting code.
        7:0 syndrome_parity_for_ecc_group_1 Ros "SyndParityGrp1" = Meaning::Hex,
        /// Syndrome check of the second group of the error correcting code.
        15:8 syndrome_check_for_ecc_group_1 Ros "SyndCheckGrp1" = Meaning::Hex,
        /// Syndrome parity of the third group of the error correcting code.
        23:16 syndrome_parity_for_ecc_group_2 Ros "SyndParityGrp2" = Meaning::Hex,
        /// Syndrome check of the third group of the error correcting code.
        31:24 syndrome_check_for_ecc_group_2 Ros "SyndCheckGrp2" = Meaning::Hex,
    }
    /// Which errors are counted.
    pub struct FlitErrorCounterControl(u16) at 0x0c, "flit_error_counter_control", "CntCtl", "PCIe 6.2, 7.7.8.4" {
        /// The counter runs.
        0 flit_error_counter_enable Rw "Flit Error Counter En",
        /// Interrupts when the counter exceeds its trigger.
        1 flit_error_counter_interrupt_enable Rw "Flit Error Counter Interrupt En",
        /// What is counted.
        3:2 events_to_count Rw "Events to count" = Meaning::Choice(&[
            (0, "corrected and invalid flits, framing errors"),
            (1, "corrected flits"),
            (2, "invalid flits"),
            (3, "corrected and invalid flits, framing errors, bad ordered sets"),
        ]),
        /// Count above which there is an event; 0 for never.
        11:4 trigger_event_on_error_count Rw "Trigger Event on Error Count",
    }
    /// How many errors there were lately. The counter also goes down at a fixed rate.
    pub struct FlitErrorCounterStatus(u16) at 0x0e, "flit_error_counter_status", "CntSts", "PCIe 6.2, 7.7.8.5" {
        /// Width of the link when counting began.
        2:0 link_width_when_error_counter_started Ros "Link Width when Error Counter Started" = Meaning::Quantity(link_width),
        /// The counter exceeded its trigger.
        3 interrupt_generated_based_on_trigger_event_count Rw1cs "Interrupt Generated based on Trigger Event Count",
        /// Errors; stays at 255.
        15:8 flit_error_counter Ros "FlitErr",
    }
    /// Whether bit errors are counted and which.
    pub struct FberMeasurementControl(u32) at 0x10, "fber_measurement_control", "MeasCtl", "PCIe 6.2, 7.7.8.6" {
        /// The counters run.
        0 fber_measurement_enable Rw "En",
        /// Clears the counters when 1 is written.
        1 clear_fber_counters Wo "Clear",
        /// What the counters of the lanes count.
        3:2 granularity_of_per_lane_error_reported Rw "Granularity" = Meaning::Choice(&[
            (0, "all corrected bits"),
            (1, "even corrected bits"),
            (2, "odd corrected bits"),
            (3, "mismatches of skip ordered sets"),
        ]),
        /// Deprecated.
        4 report_longest_burst_vs_first_burst Rw "LongestBurst",
    }
    /// Flits received while measuring.
    pub struct FberMeasurementStatus1(u32) at 0x14, "fber_measurement_status_1", "MeasSts1", "PCIe 6.2, 7.7.8.7" {
        /// Stays at its highest value.
        31:0 flit_counter Ros "Flit Counter",
    }
    /// Invalid flits received while measuring.
    pub struct FberMeasurementStatus2(u32) at 0x18, "fber_measurement_status_2", "MeasSts2", "PCIe 6.2, 7.7.8.8" {
        /// Stays at its highest value.
        15:0 invalid_flit_counter Ros "Invalid Flit Counter",
    }
    /// Half of FBER Measurement Status 3 to 10: bit errors of one lane that were corrected.
    pub struct LaneCorrectableCounter(u16) at 0x1c in "lane", "correctable_counter", "MeasSts", "PCIe 6.2, 7.7.8.9" {
        /// Stays at its highest value.
        15:0 count Ro "Count",
    }
}

/// Lanes that have a counter.
const LANES: u16 = 16;

fn layout(builder: &mut Builder<'_>) {
    builder.load(0x04, 0x38);
    builder.add::<FlitErrorLog1>();
    builder.add::<FlitErrorLog2>();
    builder.add::<FlitErrorCounterControl>();
    builder.add::<FlitErrorCounterStatus>();
    builder.add::<FberMeasurementControl>();
    builder.add::<FberMeasurementStatus1>();
    builder.add::<FberMeasurementStatus2>();
    for lane in 0..LANES {
        builder.add_in::<LaneCorrectableCounter>(lane, 0x1c + 2 * lane);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;
    use super::*;

    #[test]
    fn every_register_in_one_read() {
        let body = [
            0x2211_e957,
            0x6655_4433,
            0x050c_0aab,
            0x0000_000d,
            0x0001_0000,
            0x0000_0007,
            0x0002_0001,
            0,
            0,
            0,
            0,
            0,
            0,
            0xffff_000f,
        ];
        let decoded = Case::new(0x32).body(&body).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (1, 56));
        for (path, value) in [
            ("flit_error_log_1.flit_error_log_valid", 1),
            ("flit_error_log_1.flit_error_link_width", 3),
            ("flit_error_log_1.flit_offset_from_last_logged_flit_in_error", 5),
            ("flit_error_log_1.consecutive_flit_error_after_last_flit_error", 9),
            ("flit_error_log_1.more_entries_valid", 1),
            ("flit_error_log_1.unrecognized_flit", 1),
            ("flit_error_log_1.fec_uncorrectable_error_in_flit", 1),
            ("flit_error_log_1.syndrome_parity_for_ecc_group_0", 0x11),
            ("flit_error_log_1.syndrome_check_for_ecc_group_0", 0x22),
            ("flit_error_log_2.syndrome_check_for_ecc_group_1", 0x44),
            ("flit_error_log_2.syndrome_parity_for_ecc_group_2", 0x55),
            ("flit_error_counter_control.flit_error_counter_enable", 1),
            ("flit_error_counter_control.flit_error_counter_interrupt_enable", 1),
            ("flit_error_counter_control.events_to_count", 2),
            ("flit_error_counter_control.trigger_event_on_error_count", 0xaa),
            ("flit_error_counter_status.link_width_when_error_counter_started", 4),
            ("flit_error_counter_status.interrupt_generated_based_on_trigger_event_count", 1),
            ("flit_error_counter_status.flit_error_counter", 5),
            ("fber_measurement_control.fber_measurement_enable", 1),
            ("fber_measurement_control.granularity_of_per_lane_error_reported", 3),
            ("fber_measurement_status_1.flit_counter", 0x1_0000),
            ("fber_measurement_status_2.invalid_flit_counter", 7),
            ("lane[0].correctable_counter.count", 1),
            ("lane[1].correctable_counter.count", 2),
            ("lane[14].correctable_counter.count", 15),
            ("lane[15].correctable_counter.count", 0xffff),
        ] {
            assert_eq!(decoded.field(path), value, "{path}");
        }
        assert_eq!(decoded.paths().len(), 7 + 16);
        assert_eq!(decoded.capability.end, 0x13c);
    }

    #[test]
    fn widths_and_truncation() {
        assert_eq!(link_width(0), Quantity::Width(Some(1)));
        assert_eq!(link_width(4), Quantity::Width(Some(16)));
        assert_eq!(link_width(5), Quantity::Width(None));
        let decoded = Case::new(0x32).limit(0x120).decode();
        assert_eq!(decoded.raw("lane[1].correctable_counter"), Some(0));
        assert_eq!(decoded.raw("lane[2].correctable_counter"), None);
    }
}
