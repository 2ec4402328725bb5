//! GPF DVSEC for CXL Port, DVSEC ID 4, and GPF DVSEC for CXL Device, DVSEC ID 5. CXL 3.1, 8.1.6 and 8.1.7. GPF is Global
//! Persistent Flush: caches are written to persistent memory when power fails.

use super::Body;
use crate::pci::register::{Meaning, Quantity};
use crate::register;

/// Unit of a time.
const SCALE: Meaning = Meaning::Choice(&[
    (0, "1 µs"),
    (1, "10 µs"),
    (2, "100 µs"),
    (3, "1 ms"),
    (4, "10 ms"),
    (5, "100 ms"),
    (6, "1 s"),
    (7, "10 s"),
]);

register! {
    /// How long the port waits for what is below it in the first phase, in which caches are emptied.
    pub struct Phase1Control(u16) at 0x0c, "gpf_phase_1_control", "GPFPhase1Ctl", "CXL 3.1, 8.1.6.1" {
        /// Number of units.
        3:0 port_gpf_phase_1_timeout_base Rw "Base" = Meaning::OfRegister(time),
        /// The unit.
        11:8 port_gpf_phase_1_timeout_scale Rw "Scale" = SCALE,
    }
    /// How long the port waits for what is below it in the second phase, in which memory is made persistent.
    pub struct Phase2Control(u16) at 0x0e, "gpf_phase_2_control", "GPFPhase2Ctl", "CXL 3.1, 8.1.6.2" {
        /// Number of units.
        3:0 port_gpf_phase_2_timeout_base Rw "Base" = Meaning::OfRegister(time),
        /// The unit.
        11:8 port_gpf_phase_2_timeout_scale Rw "Scale" = SCALE,
    }
    /// How long the device takes at most to make its memory persistent.
    pub struct Phase2Duration(u16) at 0x0a, "gpf_phase_2_duration", "GPFPhase2Dur", "CXL 3.1, 8.1.7.1" {
        /// Number of units.
        3:0 device_gpf_phase_2_time_base Ro "Base" = Meaning::OfRegister(time),
        /// The unit.
        11:8 device_gpf_phase_2_time_scale Ro "Scale" = SCALE,
    }
    /// How much power the device needs meanwhile.
    pub struct Phase2Power(u32) at 0x0c, "gpf_phase_2_power", "GPFPhase2Power", "CXL 3.1, 8.1.7.2" {
        /// In milliwatts.
        31:0 gpf_phase_2_active_power Ro "Power" = Meaning::Quantity(milliwatts),
    }
}

fn milliwatts(power: u64) -> Quantity {
    Quantity::Milliwatts(Some(power))
}

/// The number in the unit that is beside it, which stands at the same place in all three registers.
fn time(raw: u64) -> Quantity {
    let register = Phase1Control(raw as u16);
    let (base, scale) = (register.port_gpf_phase_1_timeout_base(), register.port_gpf_phase_1_timeout_scale());
    Quantity::Nanoseconds(nanoseconds(base, scale))
}

/// A time in nanoseconds; `None` where the scale is reserved.
pub fn nanoseconds(base: u16, scale: u16) -> Option<u64> {
    (scale < 8).then(|| u64::from(base) * 1_000 * 10u64.pow(scale.into()))
}

/// Places the registers of a port; gives how many bytes they need.
pub(super) fn port(body: &mut Body<'_, '_>) -> u16 {
    const NEEDED: u16 = 0x10;
    body.load(NEEDED);
    body.add::<Phase1Control>();
    body.add::<Phase2Control>();
    NEEDED
}

/// Places the registers of a device; gives how many bytes they need.
pub(super) fn device(body: &mut Body<'_, '_>) -> u16 {
    const NEEDED: u16 = 0x10;
    body.load(NEEDED);
    body.add::<Phase2Duration>();
    body.add::<Phase2Power>();
    NEEDED
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_fields, cxl, wrong_length};
    use super::*;

    #[test]
    fn of_a_port() {
        let decoded = cxl(4, 0, 0x10, &[0, 0x0603_0502]).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (2, 12));
        assert_fields(
            &decoded,
            &[
                ("gpf_phase_1_control.port_gpf_phase_1_timeout_base", 2),
                ("gpf_phase_1_control.port_gpf_phase_1_timeout_scale", 5),
                ("gpf_phase_2_control.port_gpf_phase_2_timeout_base", 3),
                ("gpf_phase_2_control.port_gpf_phase_2_timeout_scale", 6),
            ],
        );
        let short = cxl(4, 0, 0x0e, &[0, 0x0603_0502]).decode();
        assert_eq!(short.paths()[2..], ["gpf_phase_1_control"]);
        assert_eq!(short.anomalies, wrong_length(0, 0x0e));
    }

    #[test]
    fn of_a_device() {
        let decoded = cxl(5, 0, 0x10, &[0x0603_0000, 51]).decode();
        assert_fields(
            &decoded,
            &[
                ("gpf_phase_2_duration.device_gpf_phase_2_time_base", 3),
                ("gpf_phase_2_duration.device_gpf_phase_2_time_scale", 6),
                ("gpf_phase_2_power.gpf_phase_2_active_power", 51),
            ],
        );
        assert_eq!(nanoseconds(3, 6), Some(3_000_000_000));
        assert_eq!(nanoseconds(2, 0), Some(2_000));
        assert_eq!(nanoseconds(15, 7), Some(150_000_000_000));
        assert_eq!(nanoseconds(15, 8), None);
        assert_eq!(cxl(5, 0, 0x10, &[0, 51]).limit(0x10c).decode().raw("gpf_phase_2_power"), None);
    }
}
