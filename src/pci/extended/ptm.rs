//! Precision Time Measurement, extended capability ID 001Fh. PCIe 6.2, 7.9.15.

use crate::pci::decode::{Builder, Specification};
use crate::pci::register::{Meaning, Quantity, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x1f,
    key: "ptm",
    name: "Precision Time Measurement",
    section: "PCIe 6.2, 7.9.15",
    layout: Some(layout),
    registers: &[PtmCapability::REGISTER, PtmControl::REGISTER],
};

register! {
    /// Which parts the function can play.
    pub struct PtmCapability(u32) at 0x04, "capability", "PTMCap", "PCIe 6.2, 7.9.15.2" {
        /// Can ask for the time.
        0 ptm_requester_capable HwInit "Requester",
        /// Can answer with the time.
        1 ptm_responder_capable HwInit "Responder",
        /// Can be the source of the time.
        2 ptm_root_capable HwInit "Root",
        /// Follows the stricter rules of enhanced precision time measurement.
        3 eptm_capable HwInit "ePTM",
        /// Link Control can choose how the propagation delay is to be read.
        4 ptm_propagation_delay_adaptation_capable HwInit "PropDelayAdaptation",
        /// Period of the function's own clock; unknown where it has none and passes the time on.
        15:8 local_clock_granularity HwInit "PTMClockGranularity" = Meaning::Quantity(granularity),
    }
    /// Which parts the function plays.
    pub struct PtmControl(u32) at 0x08, "control", "PTMControl", "PCIe 6.2, 7.9.15.3" {
        /// Takes part.
        0 ptm_enable Rw "Enabled",
        /// Is the source of the time.
        1 root_select Rw "RootSelected",
        /// Expected accuracy, set by software; unknown where something on the way does not tell.
        15:8 effective_granularity Rw "PTMEffectiveGranularity" = Meaning::Quantity(granularity),
    }
}

fn granularity(encoding: u64) -> Quantity {
    match encoding {
        0 => Quantity::Unknown,
        0xff => Quantity::MoreThanNanoseconds(254),
        nanoseconds => Quantity::Nanoseconds(Some(nanoseconds)),
    }
}

fn layout(builder: &mut Builder<'_>) {
    builder.load(0x04, 8);
    builder.add::<PtmCapability>();
    builder.add::<PtmControl>();
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;
    use super::*;

    #[test]
    fn both_registers_are_one_read() {
        let decoded = Case::new(0x1f).body(&[0x0000_041e, 0x0000_ff03]).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (1, 8));
        for (path, value) in [
            ("capability.ptm_requester_capable", 0),
            ("capability.ptm_responder_capable", 1),
            ("capability.ptm_root_capable", 1),
            ("capability.eptm_capable", 1),
            ("capability.ptm_propagation_delay_adaptation_capable", 1),
            ("capability.local_clock_granularity", 4),
            ("control.ptm_enable", 1),
            ("control.root_select", 1),
            ("control.effective_granularity", 0xff),
        ] {
            assert_eq!(decoded.field(path), value, "{path}");
        }
        assert_eq!(granularity(0), Quantity::Unknown);
        assert_eq!(granularity(254), Quantity::Nanoseconds(Some(254)));
        assert_eq!(granularity(255), Quantity::MoreThanNanoseconds(254));
        let short = Case::new(0x1f).limit(0x108).decode();
        assert_eq!((short.raw("capability"), short.raw("control")), (Some(0), None));
    }
}
