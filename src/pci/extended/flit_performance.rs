//! Flit Performance Measurement, extended capability ID 0033h. PCIe 6.2, 7.8.12.

use crate::pci::decode::{Builder, Specification};
use crate::pci::register::{Meaning, Quantity, RegisterType};
use crate::pci::walk::{Anomaly, List};
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x33,
    key: "flit_performance",
    name: "Flit Performance Measurement",
    section: "PCIe 6.2, 7.8.12",
    layout: Some(layout),
    registers: &[Capability::REGISTER, Control::REGISTER, Status::REGISTER, LtssmStatus::REGISTER],
};

/// How far a measurement came.
const TRACKING: Meaning =
    Meaning::Choice(&[(0, "not started"), (1, "started"), (2, "completed"), (3, "counter overflow")]);

register! {
    /// How much can be measured at once.
    pub struct Capability(u32) at 0x04, "capability", "FlitPerfCap", "PCIe 6.2, 7.8.12.2" {
        /// Which MSI or MSI-X vector is used.
        9:0 flit_performance_interrupt_vector Ro "IntMsgNum",
        /// Changes of the link's state that can be tracked at once: 0 to 5.
        12:10 ltssm_tracking_register_count HwInit "LTSSMCount",
    }
    /// What is measured.
    pub struct Control(u32) at 0x08, "control", "FlitPerfCtl", "PCIe 6.2, 7.8.12.3" {
        /// Measurement runs.
        0 flit_latency_measurement_enable Rw "En",
        /// Which latency of a flit is measured.
        3:1 flit_response_type Rw "Response" = Meaning::Choice(&[
            (0, "none"),
            (1, "flit to Ack"),
            (2, "flit to Nak"),
            (4, "Nak to replay"),
        ]),
        /// Flits to be measured; 0 for the worst of all until measurement is ended.
        10:6 number_of_instances_to_track Rw "Instances",
        /// Interrupts when a flit takes longer.
        13:11 interrupt_if_delay_exceeds Rw "IntDelay" = Meaning::Choice(&[
            (0, "never"),
            (1, "100 ns"),
            (2, "200 ns"),
            (3, "300 ns"),
        ]),
        /// Times from L0 to Recovery because of a framing error or because software asked for it.
        14 track_l0_to_recovery Rw "L0toRecovery",
        /// Times how long a lane takes to come back after L0p.
        15 track_l0p_widening Rw "L0p",
        /// Times from L1 to L0.
        16 track_l1_to_l0 Rw "L1.0toL0",
        /// Times from L1.1 to L0.
        17 track_l1_1_to_l0 Rw "L1.1toL0",
        /// Times from L1.2 to L0.
        18 track_l1_2_to_l0 Rw "L1.2toL0",
        /// Changes of state to be measured; 0 for the worst of all until measurement is ended.
        23:19 number_of_instances_to_track_for_ltssm_transition Rw "LTSSMInstances",
        /// Interrupts when one of the first three takes longer.
        26:24 ltssm_state_transition_tracker_interrupt Rw "LTSSMInt" = Meaning::Choice(&[
            (0, "never"),
            (1, "6.4 ms"),
            (2, "12.8 ms"),
            (3, "19.2 ms"),
        ]),
        /// Interrupts when one of the last two takes longer.
        29:27 ltssm_state_transition_tracker_l12_interrupt Rw "L12Int" = Meaning::Choice(&[
            (0, "never"),
            (1, "1 s"),
            (2, "2 s"),
            (3, "3 s"),
            (4, "4 s"),
            (5, "5 s"),
            (6, "10 s"),
        ]),
    }
    /// What measuring flits gave.
    pub struct Status(u32) at 0x0c, "status", "FlitPerfSta", "PCIe 6.2, 7.8.12.4" {
        /// How far it came.
        1:0 flit_latency_tracking_status Ro "Status" = TRACKING,
        /// Flits that were measured.
        6:2 flit_latency_tracking Ro "Tracked",
        /// An interrupt was made because a flit took long.
        7 interrupt_generated_based_on_trigger_event Rw1c "Int",
        /// The sum of all latencies, or the longest one. Devices of before PCIe 6.3 may count in other units than 8 ns.
        23:8 flit_latency_tracking_counter Ro "Latency" = Meaning::Quantity(eight_nanoseconds),
    }
    /// What measuring one change of the link's state gave.
    pub struct LtssmStatus(u32) at 0x10 in "ltssm", "tracking_status", "LTSSMPerfSta", "PCIe 6.2, 7.8.12.5" {
        /// How far it came.
        1:0 ltssm_state_transition_tracking_status Ros "Status" = TRACKING,
        /// Changes that were measured.
        6:2 ltssm_state_transition_tracking Ros "Tracked",
        /// An interrupt was made because a change took long.
        7 interrupt_generated_based_on_trigger_event Rw1cs "Int",
        /// The sum of all times, or the longest one.
        23:8 ltssm_state_transition_tracking_counter Ros "Time" = Meaning::Quantity(sixty_four_microseconds),
    }
}

fn eight_nanoseconds(units: u64) -> Quantity {
    Quantity::Nanoseconds(Some(units * 8))
}

fn sixty_four_microseconds(units: u64) -> Quantity {
    Quantity::Nanoseconds(Some(units * 64_000))
}

/// Most changes of state that can be tracked at once.
const MOST_TRACKED: u16 = 5;

fn layout(builder: &mut Builder<'_>) {
    builder.load(0x04, 0x0c);
    let capability = builder.add::<Capability>();
    builder.add::<Control>();
    builder.add::<Status>();
    let Some(capability) = capability else { return };
    let mut count = capability.ltssm_tracking_register_count() as u16;
    if count > MOST_TRACKED {
        let offset = builder.located.offset + Capability::REGISTER.offset;
        builder.anomaly(Anomaly::ReservedValue { offset, raw: capability.raw() });
        count = MOST_TRACKED.min(builder.room().saturating_sub(0x10) / 4);
    }
    if count > 0 {
        builder.load(0x10, 4 * count);
    }
    for index in 0..count {
        builder.add_in::<LtssmStatus>(index, 0x10 + 4 * index);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;
    use super::*;

    #[test]
    fn two_changes_of_state_are_tracked() {
        let body = [0x0000_0803, 0x1109_5103, 0x0000_640e, 0x0000_0205, 0x0001_0083];
        let decoded = Case::new(0x33).body(&body).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (2, 20));
        for (path, value) in [
            ("capability.flit_performance_interrupt_vector", 3),
            ("capability.ltssm_tracking_register_count", 2),
            ("control.flit_latency_measurement_enable", 1),
            ("control.flit_response_type", 1),
            ("control.number_of_instances_to_track", 4),
            ("control.interrupt_if_delay_exceeds", 2),
            ("control.track_l0_to_recovery", 1),
            ("control.track_l0p_widening", 0),
            ("control.track_l1_to_l0", 1),
            ("control.number_of_instances_to_track_for_ltssm_transition", 1),
            ("control.ltssm_state_transition_tracker_interrupt", 1),
            ("control.ltssm_state_transition_tracker_l12_interrupt", 2),
            ("status.flit_latency_tracking_status", 2),
            ("status.flit_latency_tracking", 3),
            ("status.flit_latency_tracking_counter", 0x64),
            ("ltssm[0].tracking_status.ltssm_state_transition_tracking_status", 1),
            ("ltssm[0].tracking_status.ltssm_state_transition_tracking", 1),
            ("ltssm[0].tracking_status.ltssm_state_transition_tracking_counter", 2),
            ("ltssm[1].tracking_status.ltssm_state_transition_tracking_status", 3),
            ("ltssm[1].tracking_status.interrupt_generated_based_on_trigger_event", 1),
            ("ltssm[1].tracking_status.ltssm_state_transition_tracking_counter", 0x100),
        ] {
            assert_eq!(decoded.field(path), value, "{path}");
        }
        assert_eq!(eight_nanoseconds(0x64), Quantity::Nanoseconds(Some(800)));
        assert_eq!(sixty_four_microseconds(2), Quantity::Nanoseconds(Some(128_000)));
        assert_eq!(decoded.capability.end, 0x118);
    }

    #[test]
    fn as_many_registers_as_there_can_be() {
        assert_eq!(Case::new(0x33).decode().paths().len(), 3);
        assert_eq!(Case::new(0x33).body(&[0x1400]).decode().paths().len(), 3 + 5);
        let decoded = Case::new(0x33).body(&[0x1c00]).decode();
        assert_eq!(decoded.paths().len(), 3 + 5);
        assert_eq!(decoded.anomalies, [Anomaly::ReservedValue { offset: 0x104, raw: 0x1c00 }]);
        assert_eq!(Case::new(0x33).body(&[0x1c00]).next(0x118).decode().paths().len(), 3 + 2);
        let decoded = Case::new(0x33).body(&[0x0800]).limit(0x114).decode();
        assert_eq!(
            (decoded.raw("ltssm[0].tracking_status"), decoded.raw("ltssm[1].tracking_status")),
            (Some(0), None)
        );
    }
}
