//! Dynamic Power Allocation, extended capability ID 0016h: power limits within D0. PCIe 6.2, 7.9.12.

use crate::pci::decode::{Builder, Specification};
use crate::pci::quantity::minus_one;
use crate::pci::register::{Meaning, Quantity, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x16,
    key: "dpa",
    name: "Dynamic Power Allocation",
    section: "PCIe 6.2, 7.9.12",
    layout: Some(layout),
    registers: &[
        DpaCapability::REGISTER,
        DpaLatencyIndicator::REGISTER,
        DpaStatus::REGISTER,
        DpaControl::REGISTER,
        SubstatePowerAllocation::REGISTER,
    ],
};

register! {
    /// Which substates there are, and the units of what is said of them.
    pub struct DpaCapability(u32) at 0x04, "capability", "DPACap", "PCIe 6.2, 7.9.12.2" {
        /// Number of substates; the register holds the highest one.
        4:0 substate_max Ro "Substates" = Meaning::Quantity(minus_one),
        /// Unit of the transition latency values.
        9:8 transition_latency_unit Ro "Tlunit" = Meaning::Choice(&[(0, "1 ms"), (1, "10 ms"), (2, "100 ms")]),
        /// Factor for the power allocations, in watts.
        13:12 power_allocation_scale Ro "PAS" = Meaning::Choice(&[(0, "10.0x"), (1, "1.0x"), (2, "0.1x"), (3, "0.01x")]),
        /// Longest time to get into a substate whose latency indicator is 0, in the unit.
        23:16 transition_latency_value_0 Ro "Xlcy0" = Meaning::OfRegister(|raw| DpaCapability(raw as u32).transition_latency(0)),
        /// Longest time to get into a substate whose latency indicator is 1, in the unit.
        31:24 transition_latency_value_1 Ro "Xlcy1" = Meaning::OfRegister(|raw| DpaCapability(raw as u32).transition_latency(1)),
    }
    /// Which of the two latency values is that of each substate.
    pub struct DpaLatencyIndicator(u32) at 0x08, "latency_indicator", "DPALatInd", "PCIe 6.2, 7.9.12.3" {
        /// One bit for each substate: clear for value 0, set for value 1.
        31:0 transition_latency_indicator_bits Ro "LatInd" = Meaning::Hex,
    }
    /// Which substate the function is in.
    pub struct DpaStatus(u16) at 0x0c, "status", "DPASta", "PCIe 6.2, 7.9.12.4" {
        /// The substate; 0 has the most power.
        4:0 substate_status Ro "Substate",
        /// The control register chooses the substate. Set by a reset, cleared by writing 1.
        8 substate_control_enabled Rw1c "CtlEnabled",
    }
    /// Which substate the function has to be in.
    pub struct DpaControl(u16) at 0x0e, "control", "DPACtl", "PCIe 6.2, 7.9.12.5" {
        /// The substate.
        4:0 substate_control Rw "Substate",
    }
    /// Power in one substate.
    pub struct SubstatePowerAllocation(u8) at 0x10 in "substate", "power_allocation", "DPAPwrAlloc", "PCIe 6.2, 7.9.12.6" {
        /// To be multiplied by the Power Allocation Scale to get watts.
        7:0 power_allocation Ro "PwrAlloc",
    }
}

impl DpaCapability {
    /// Power in a substate.
    pub fn milliwatts(self, allocation: SubstatePowerAllocation) -> u32 {
        let unit = match self.power_allocation_scale() {
            0 => 10_000,
            1 => 1000,
            2 => 100,
            _ => 10,
        };
        u32::from(allocation.power_allocation()) * unit
    }

    /// One of the two latency values.
    pub fn transition_latency(self, which: u8) -> Quantity {
        let unit: Option<u64> =
            [1_000_000, 10_000_000, 100_000_000].get(self.transition_latency_unit() as usize).copied();
        let value =
            if which == 0 { self.transition_latency_value_0() } else { self.transition_latency_value_1() };
        Quantity::Nanoseconds(unit.map(|nanoseconds| nanoseconds * u64::from(value)))
    }
}

fn layout(builder: &mut Builder<'_>) {
    builder.load(0x04, 12);
    let capability = builder.add::<DpaCapability>();
    builder.add::<DpaLatencyIndicator>();
    builder.add::<DpaStatus>();
    builder.add::<DpaControl>();
    let Some(capability) = capability else { return };
    let substates = capability.substate_max() as u16 + 1;
    builder.reaches(0x10 + substates);
    let room = builder.room_end.saturating_sub(builder.located.offset).saturating_sub(0x10);
    let substates = substates.min(room);
    if substates > 0 {
        builder.load(0x10, substates);
    }
    for substate in 0..substates {
        builder.add_in::<SubstatePowerAllocation>(substate, 0x10 + substate);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;
    use super::*;
    use crate::pci::walk::Anomaly;

    #[test]
    fn five_substates() {
        let body = [0x0503_2104, 0x0000_0018, 0x0002_0102, 0x0a14_1e28, 0x0000_0005];
        let decoded = Case::new(0x16).body(&body).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (2, 12 + 8));
        for (path, value) in [
            ("capability.substate_max", 4),
            ("capability.transition_latency_unit", 1),
            ("capability.power_allocation_scale", 2),
            ("capability.transition_latency_value_0", 3),
            ("capability.transition_latency_value_1", 5),
            ("latency_indicator.transition_latency_indicator_bits", 0x18),
            ("status.substate_status", 2),
            ("status.substate_control_enabled", 1),
            ("control.substate_control", 2),
            ("substate[0].power_allocation.power_allocation", 40),
            ("substate[4].power_allocation.power_allocation", 5),
        ] {
            assert_eq!(decoded.field(path), value, "{path}");
        }
        let capability = decoded.capability.get::<DpaCapability>().unwrap();
        assert_eq!(capability.milliwatts(SubstatePowerAllocation(40)), 4000);
        let latencies = [0, 1].map(|which| capability.transition_latency(which));
        assert_eq!(latencies, [30, 50].map(|ms| Quantity::Nanoseconds(Some(ms * 1_000_000))));
        assert_eq!(DpaCapability(0x300).transition_latency(0), Quantity::Nanoseconds(None));
        assert_eq!(decoded.paths().len(), 4 + 5);
        assert_eq!(decoded.capability.end, 0x115);
    }

    #[test]
    fn all_scales_and_no_more_substates_than_there_is_room() {
        let scales = [0, 1, 2, 3].map(|s| DpaCapability(s << 12).milliwatts(SubstatePowerAllocation(255)));
        assert_eq!(scales, [2_550_000, 255_000, 25_500, 2550]);
        let decoded = Case::new(0x16).body(&[0x1f]).next(0x114).decode();
        assert_eq!(decoded.paths().len(), 4 + 4);
        assert_eq!(decoded.anomalies, [Anomaly::Overlap { first: 0x100, second: 0x114, first_end: 0x130 }]);
    }

    #[test]
    fn truncated() {
        let decoded = Case::new(0x16).body(&[0x1f]).limit(0x114).decode();
        assert_eq!(decoded.raw("substate[3].power_allocation"), Some(0));
        assert_eq!(decoded.raw("substate[4].power_allocation"), None);
        assert_eq!(Case::new(0x16).limit(0x104).decode().paths().len(), 4);
    }
}
