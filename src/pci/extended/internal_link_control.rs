//! Root Complex Internal Link Control, extended capability ID 0006h: a link between two components of the root complex.
//! PCIe 6.2, 7.9.9.

use crate::pci::capability::express::link::{ASPM, l0s_exit, l1_exit};
use crate::pci::decode::{Builder, Specification};
use crate::pci::quantity;
use crate::pci::register::{Meaning, Quantity, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x06,
    key: "internal_link_control",
    name: "Root Complex Internal Link Control",
    section: "PCIe 6.2, 7.9.9",
    layout: Some(layout),
    registers: &[LinkCapabilities::REGISTER, LinkControl::REGISTER, LinkStatus::REGISTER],
};

register! {
    /// What the link can do.
    pub struct LinkCapabilities(u32) at 0x04, "link_capabilities", "RCLnkCap", "PCIe 6.2, 7.9.9.2" {
        /// Fastest speed.
        3:0 max_link_speed Ro "Speed" = Meaning::Quantity(speed),
        /// Number of lanes.
        9:4 maximum_link_width Ro "Width" = Meaning::Quantity(width),
        /// Power states that the link may enter on its own when idle.
        11:10 aspm_support Ro "ASPM" = ASPM,
        /// Time from L0s to L0.
        14:12 l0s_exit_latency Ro "L0s" = Meaning::Quantity(l0s_exit),
        /// Time from L1 to L0.
        17:15 l1_exit_latency Ro "L1" = Meaning::Quantity(l1_exit),
        /// All speeds; empty before PCI Express 3.0.
        24:18 supported_link_speeds_vector Ro "Speeds" = Meaning::Quantity(quantity::speeds),
    }
    /// What the link is told to do.
    pub struct LinkControl(u16) at 0x08, "link_control", "RCLnkCtl", "PCIe 6.2, 7.9.9.3" {
        /// Power states that the link enters on its own when idle.
        1:0 aspm_control Rw "ASPM" = ASPM,
        /// Sends longer training sequences, for test equipment.
        7 extended_synch Rw "ExtSynch",
    }
    /// What the link is doing now.
    pub struct LinkStatus(u16) at 0x0a, "link_status", "RCLnkSta", "PCIe 6.2, 7.9.9.4" {
        /// Speed at which the link runs; undefined while it is down.
        3:0 current_link_speed Ro "Speed" = Meaning::Quantity(speed),
        /// Number of lanes that the link uses; undefined while it is down.
        9:4 negotiated_link_width Ro "Width" = Meaning::Quantity(width),
    }
}

/// A speed; a root complex that does not tell reports 0.
fn speed(encoding: u64) -> Quantity {
    if encoding == 0 { Quantity::Unknown } else { quantity::speed(encoding) }
}

/// A width of 1, 2, 4, 8 or 16 lanes; a root complex that does not tell reports 0.
fn width(encoding: u64) -> Quantity {
    match encoding {
        0 => Quantity::Unknown,
        12 | 32 => Quantity::Width(None),
        _ => quantity::width(encoding),
    }
}

fn layout(builder: &mut Builder<'_>) {
    builder.load(0x04, 8);
    builder.add::<LinkCapabilities>();
    builder.add::<LinkControl>();
    builder.add::<LinkStatus>();
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;
    use super::*;

    #[test]
    fn all_three_registers_are_one_read() {
        let capabilities = 3 | 16 << 4 | 3 << 10 | 4 << 12 | 2 << 15 | 0b111 << 18;
        let decoded = Case::new(0x06).body(&[capabilities, 0x0082_0081]).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (1, 8));
        for (path, value) in [
            ("link_capabilities.max_link_speed", 3),
            ("link_capabilities.maximum_link_width", 16),
            ("link_capabilities.aspm_support", 3),
            ("link_capabilities.l0s_exit_latency", 4),
            ("link_capabilities.l1_exit_latency", 2),
            ("link_capabilities.supported_link_speeds_vector", 7),
            ("link_control.aspm_control", 1),
            ("link_control.extended_synch", 1),
            ("link_status.current_link_speed", 2),
            ("link_status.negotiated_link_width", 8),
        ] {
            assert_eq!(decoded.field(path), value, "{path}");
        }
        assert_eq!(decoded.paths().len(), 3);
        assert_eq!(Case::new(0x06).limit(0x108).decode().raw("link_status"), None);
    }

    #[test]
    fn zero_is_not_told() {
        assert_eq!((speed(0), width(0)), (Quantity::Unknown, Quantity::Unknown));
        assert_eq!((speed(1), width(16)), (Quantity::Speed(Some(2500)), Quantity::Width(Some(16))));
        assert_eq!((speed(8), width(12)), (Quantity::Speed(None), Quantity::Width(None)));
    }
}
