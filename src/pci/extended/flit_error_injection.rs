//! Flit Error Injection, extended capability ID 0034h. PCIe 6.2, 7.8.13.

use crate::pci::decode::{Builder, Specification};
use crate::pci::register::{Meaning, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x34,
    key: "flit_error_injection",
    name: "Flit Error Injection",
    section: "PCIe 6.2, 7.8.13",
    layout: Some(layout),
    registers: &[
        Capability::REGISTER,
        Control1::REGISTER,
        Control2::REGISTER,
        Status::REGISTER,
        OrderedSetControl1::REGISTER,
        OrderedSetControl2::REGISTER,
        OrderedSetTxStatus::REGISTER,
        OrderedSetRxStatus::REGISTER,
    ],
};

/// How far an injection came.
const INJECTION: Meaning =
    Meaning::Choice(&[(0, "not started"), (1, "started"), (2, "completed"), (3, "error")]);

register! {
    /// All bits are reserved.
    pub struct Capability(u32) at 0x04, "capability", "FlitEiCap", "PCIe 6.2, 7.8.13.2" {}
    /// Into which flits errors are put, and how often.
    pub struct Control1(u32) at 0x08, "control_1", "FlitEiCtl1", "PCIe 6.2, 7.8.13.3" {
        /// Injection runs.
        0 flit_error_injection_enable Rw "En",
        /// Puts errors into what is sent.
        1 inject_errors_on_transmitted_flits Rw "Tx",
        /// Puts errors into what is received.
        2 inject_errors_on_received_flits Rw "Rx",
        /// At 2.5 GT/s.
        3 enable_at_2_5_gt_s Rw "2.5GT/s",
        /// At 5.0 GT/s.
        4 enable_at_5_0_gt_s Rw "5.0GT/s",
        /// At 8.0 GT/s.
        5 enable_at_8_0_gt_s Rw "8.0GT/s",
        /// At 16.0 GT/s.
        6 enable_at_16_0_gt_s Rw "16.0GT/s",
        /// At 32.0 GT/s.
        7 enable_at_32_0_gt_s Rw "32.0GT/s",
        /// At 64.0 GT/s.
        8 enable_at_64_0_gt_s Rw "64.0GT/s",
        /// Errors until injection ends; 0 for no end.
        20:16 number_of_errors_injected Rw "Number of errors",
        /// Flits between two errors; 0 for 1 to 127 at random.
        28:21 spacing_between_injected_errors Rw "Spacing between errors",
        /// Which flits are chosen. The last two are meant for uncorrectable errors only.
        31:29 injection_on_flit_type Rw "Flit Type" = Meaning::Choice(&[
            (0, "any"),
            (1, "any but IDLE"),
            (2, "payload"),
            (3, "NOP"),
            (4, "IDLE"),
            (5, "payload, then the same sequence number"),
            (6, "payload, then one chosen sequence number"),
        ]),
    }
    /// What errors they are.
    pub struct Control2(u32) at 0x0c, "control_2", "FlitEiCtl2", "PCIe 6.2, 7.8.13.4" {
        /// Further flits in a row that get the error too.
        2:0 consecutive_error_injection Rw "Consecutive" = Meaning::Choice(&[
            (0, "none"),
            (1, "1"),
            (2, "2"),
            (3, "3"),
            (4, "4"),
            (5, "5"),
            (6, "6"),
            (7, "7 to 15 at random"),
        ]),
        /// Whether the error can be corrected.
        4:3 error_type_being_injected Rw "Type" = Meaning::Choice(&[
            (0, "random"),
            (1, "correctable in one group"),
            (2, "correctable in three groups"),
            (3, "uncorrectable"),
        ]),
        /// Which byte of the group gets a correctable error; distance of the bytes that get an uncorrectable one.
        11:5 error_offset_within_flit Rw "Offset",
        /// What is done to the byte; 0 for something at random.
        19:12 error_magnitude Rw "Magnitude",
    }
    /// How far injection came.
    pub struct Status(u32) at 0x10, "status", "FlitEiSts", "PCIe 6.2, 7.8.13.5" {
        /// Of what is sent.
        1:0 flit_error_tx_injection_status Ro "Tx" = INJECTION,
        /// Of what is received.
        3:2 flit_error_rx_injection_status Ro "Rx" = INJECTION,
    }
    /// Into which ordered sets errors are put, how often, and in which state of the link.
    pub struct OrderedSetControl1(u32) at 0x14, "ordered_set_control_1", "FlitEiOsCtl1", "PCIe 6.2, 7.8.13.6" {
        /// Injection runs.
        0 ordered_set_error_injection_enable Rws "En",
        /// Puts errors into what is sent.
        1 inject_errors_on_transmitted_ordered_sets Rws "Tx",
        /// Puts errors into what is received.
        2 inject_errors_on_received_ordered_sets Rws "Rx",
        /// Errors until injection ends; 0 for no end.
        7:3 number_of_errors_injected Rws "Number of errors",
        /// Ordered sets between two errors; 0 for 1 to 127 at random.
        15:8 spacing_between_injected_errors Rws "Spacing between errors",
        /// Into TS0.
        16 inject_error_on_ts0_os Rws "TS0",
        /// Into TS1.
        17 inject_error_on_ts1_os Rws "TS1",
        /// Into TS2.
        18 inject_error_on_ts2_os Rws "TS2",
        /// Into SKP.
        19 inject_error_on_skp_os Rws "SKP",
        /// Into EIEOS.
        20 inject_error_on_eieos_os Rws "EIEOS",
        /// Into EIOS.
        21 inject_error_on_eios_os Rws "EIOS",
        /// Into SDS.
        22 inject_error_on_sds_os Rws "SDS",
        /// In Polling.
        23 inject_error_in_polling_state Rws "Poll",
        /// In Configuration.
        24 inject_error_in_configuration_state Rws "Conf",
        /// In L0.
        25 inject_error_in_l0_state Rws "L0",
        /// In Recovery, except for equalization.
        26 inject_error_in_non_eq_recovery_state Rws "NoEq",
        /// In phases 0 and 1 of equalization.
        27 inject_error_in_recovery_equalization_phase_0_and_1 Rws "Eq01",
        /// In phase 2 of equalization.
        28 inject_error_in_recovery_equalization_phase_2 Rws "Eq2",
        /// In phase 3 of equalization.
        29 inject_error_in_recovery_equalization_phase_3 Rws "Eq3",
    }
    /// Which bytes of an ordered set get errors, on which lanes.
    pub struct OrderedSetControl2(u32) at 0x18, "ordered_set_control_2", "FlitEiOsCtl2", "PCIe 6.2, 7.8.13.7" {
        /// One bit a byte; 0 for one at random.
        15:0 error_injection_bytes Rws "Bytes" = Meaning::Hex,
        /// One bit a lane.
        31:16 lane_number_for_error_injection Rws "Lanes" = Meaning::Hex,
    }
}

/// What is sent and what is received have the same fields.
macro_rules! ordered_set_status {
    ($(#[doc = $doc:literal])* $name:ident at $offset:literal, $key:literal, $short:literal, $section:literal) => {
        register! {
            $(#[doc = $doc])*
            pub struct $name(u32) at $offset, $key, $short, $section {
                /// Into TS0.
                1:0 injection_status_ts0 Ros "TS0" = INJECTION,
                /// Into TS1.
                3:2 injection_status_ts1 Ros "TS1" = INJECTION,
                /// Into TS2.
                5:4 injection_status_ts2 Ros "TS2" = INJECTION,
                /// Into SKP.
                7:6 injection_status_skp Ros "SKP" = INJECTION,
                /// Into EIEOS.
                9:8 injection_status_eieos Ros "EIEOS" = INJECTION,
                /// Into EIOS.
                11:10 injection_status_eios Ros "EIOS" = INJECTION,
                /// Into SDS.
                13:12 injection_status_sds Ros "SDS" = INJECTION,
                /// In Polling.
                15:14 injection_status_polling Ros "Polling" = INJECTION,
                /// In Configuration.
                17:16 injection_status_configuration Ros "Configuration" = INJECTION,
                /// In L0.
                19:18 injection_status_l0 Ros "L0" = INJECTION,
                /// In Recovery, except for equalization.
                21:20 injection_status_non_eq_recovery Ros "non-EQ recovery" = INJECTION,
                /// In phases 0 and 1 of equalization.
                23:22 injection_status_recovery_equalization_phase_0_and_1 Ros "Eq01" = INJECTION,
                /// In phase 2 of equalization.
                25:24 injection_status_recovery_equalization_phase_2 Ros "Eq2" = INJECTION,
                /// In phase 3 of equalization.
                27:26 injection_status_recovery_equalization_phase_3 Ros "Eq3" = INJECTION,
            }
        }
    };
}

ordered_set_status! {
    /// How far injection into ordered sets that are sent came.
    OrderedSetTxStatus at 0x1c, "ordered_set_tx_status", "FlitEiOsTx", "PCIe 6.2, 7.8.13.8"
}
ordered_set_status! {
    /// How far injection into ordered sets that are received came.
    OrderedSetRxStatus at 0x20, "ordered_set_rx_status", "FlitEiOsRx", "PCIe 6.2, 7.8.13.9"
}

fn layout(builder: &mut Builder<'_>) {
    builder.load(0x04, 0x20);
    builder.add::<Capability>();
    builder.add::<Control1>();
    builder.add::<Control2>();
    builder.add::<Status>();
    builder.add::<OrderedSetControl1>();
    builder.add::<OrderedSetControl2>();
    builder.add::<OrderedSetTxStatus>();
    builder.add::<OrderedSetRxStatus>();
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;

    #[test]
    fn every_register_in_one_read() {
        let body =
            [0, 0x8067_010b, 0x0007_f03f, 0x0000_0006, 0x2149_0719, 0x8001_00ff, 0x0800_0001, 0x0000_0300];
        let decoded = Case::new(0x34).body(&body).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (1, 32));
        for (path, value) in [
            ("control_1.flit_error_injection_enable", 1),
            ("control_1.inject_errors_on_transmitted_flits", 1),
            ("control_1.inject_errors_on_received_flits", 0),
            ("control_1.enable_at_2_5_gt_s", 1),
            ("control_1.enable_at_32_0_gt_s", 0),
            ("control_1.enable_at_64_0_gt_s", 1),
            ("control_1.number_of_errors_injected", 7),
            ("control_1.spacing_between_injected_errors", 3),
            ("control_1.injection_on_flit_type", 4),
            ("control_2.consecutive_error_injection", 7),
            ("control_2.error_type_being_injected", 3),
            ("control_2.error_offset_within_flit", 1),
            ("control_2.error_magnitude", 0x7f),
            ("status.flit_error_tx_injection_status", 2),
            ("status.flit_error_rx_injection_status", 1),
            ("ordered_set_control_1.ordered_set_error_injection_enable", 1),
            ("ordered_set_control_1.number_of_errors_injected", 3),
            ("ordered_set_control_1.spacing_between_injected_errors", 7),
            ("ordered_set_control_1.inject_error_on_ts0_os", 1),
            ("ordered_set_control_1.inject_error_on_skp_os", 1),
            ("ordered_set_control_1.inject_error_on_sds_os", 1),
            ("ordered_set_control_1.inject_error_in_configuration_state", 1),
            ("ordered_set_control_1.inject_error_in_recovery_equalization_phase_3", 1),
            ("ordered_set_control_2.error_injection_bytes", 0xff),
            ("ordered_set_control_2.lane_number_for_error_injection", 0x8001),
            ("ordered_set_tx_status.injection_status_ts0", 1),
            ("ordered_set_tx_status.injection_status_recovery_equalization_phase_3", 2),
            ("ordered_set_rx_status.injection_status_eieos", 3),
        ] {
            assert_eq!(decoded.field(path), value, "{path}");
        }
        assert_eq!(decoded.paths().len(), 8);
        assert_eq!(decoded.capability.end, 0x124);
    }

    /// Three bits: lspci shows two of them.
    #[test]
    fn every_type_of_flit() {
        for kind in 0..8u32 {
            let decoded = Case::new(0x34).body(&[0, kind << 29]).decode();
            assert_eq!(decoded.field("control_1.injection_on_flit_type"), u64::from(kind));
        }
    }

    #[test]
    fn truncated() {
        let decoded = Case::new(0x34).limit(0x11c).decode();
        assert_eq!(decoded.raw("ordered_set_control_2"), Some(0));
        assert_eq!(decoded.raw("ordered_set_tx_status"), None);
    }
}
