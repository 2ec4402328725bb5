//! Readiness Time Reporting, extended capability ID 0022h: how long the function needs until it answers configuration
//! requests. PCIe 6.2, 7.9.16.

use crate::pci::decode::{Builder, Specification};
use crate::pci::register::{Meaning, Quantity, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x22,
    key: "readiness_time",
    name: "Readiness Time Reporting",
    section: "PCIe 6.2, 7.9.16",
    layout: Some(layout),
    registers: &[ReadinessTimeReporting1::REGISTER, ReadinessTimeReporting2::REGISTER],
};

register! {
    /// Times after a reset.
    pub struct ReadinessTimeReporting1(u32) at 0x04, "readiness_time_reporting_1", "RTR1", "PCIe 6.2, 7.9.16.2" {
        /// After a conventional reset; reserved where Status has Immediate Readiness.
        11:0 reset_time HwInit "ResetTime" = Meaning::Quantity(readiness_time),
        /// After the link came up.
        23:12 dl_up_time HwInit "DLUpTime" = Meaning::Quantity(readiness_time),
        /// All four times hold something.
        31 valid HwInit "Valid",
    }
    /// Times after a reset of the function alone, and after sleep.
    pub struct ReadinessTimeReporting2(u32) at 0x08, "readiness_time_reporting_2", "RTR2", "PCIe 6.2, 7.9.16.3" {
        /// After a function level reset.
        11:0 flr_time HwInit "FLRTime" = Meaning::Quantity(readiness_time),
        /// After leaving D3hot for D0.
        23:12 d3hot_to_d0_time HwInit "D3hotToD0Time" = Meaning::Quantity(readiness_time),
    }
}

/// Value in bits 8:0, scale in bits 11:9: each step is a factor of 32, and 6 and 7 are reserved.
fn readiness_time(encoding: u64) -> Quantity {
    let (value, scale) = (encoding & 0x1ff, encoding >> 9 & 7);
    Quantity::Nanoseconds((scale < 6).then(|| value << (5 * scale)))
}

fn layout(builder: &mut Builder<'_>) {
    builder.load(0x04, 8);
    builder.add::<ReadinessTimeReporting1>();
    builder.add::<ReadinessTimeReporting2>();
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;
    use super::*;

    #[test]
    fn both_registers_are_one_read() {
        let decoded = Case::new(0x22).body(&[0x8080_aa1e, 0x0080_a00a]).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (1, 8));
        for (path, value) in [
            ("readiness_time_reporting_1.reset_time", 0xa1e),
            ("readiness_time_reporting_1.dl_up_time", 0x80a),
            ("readiness_time_reporting_1.valid", 1),
            ("readiness_time_reporting_2.flr_time", 0x00a),
            ("readiness_time_reporting_2.d3hot_to_d0_time", 0x80a),
        ] {
            assert_eq!(decoded.field(path), value, "{path}");
        }
        let short = Case::new(0x22).limit(0x108).decode();
        assert_eq!(short.raw("readiness_time_reporting_1"), Some(0));
        assert_eq!(short.raw("readiness_time_reporting_2"), None);
    }

    /// The specification's own examples: A1Eh is about a second, 80Ah about ten milliseconds.
    #[test]
    fn times() {
        assert_eq!(readiness_time(0xa1e), Quantity::Nanoseconds(Some(30 * 33_554_432)));
        assert_eq!(readiness_time(0x80a), Quantity::Nanoseconds(Some(10 * 1_048_576)));
        assert_eq!(readiness_time(0x1ff), Quantity::Nanoseconds(Some(511)));
        assert_eq!(readiness_time(0xc01), Quantity::Nanoseconds(None));
    }
}
