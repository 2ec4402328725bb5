//! Latency Tolerance Reporting, extended capability ID 0018h. PCIe 6.2, 7.8.2.

use crate::pci::decode::{Builder, Specification};
use crate::pci::quantity::ltr_latency;
use crate::pci::register::{Meaning, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x18,
    key: "ltr",
    name: "Latency Tolerance Reporting",
    section: "PCIe 6.2, 7.8.2",
    layout: Some(layout),
    registers: &[MaxSnoop::REGISTER, MaxNoSnoop::REGISTER],
};

register! {
    /// The longest latency that the function may report for requests that snoop, set by firmware for the platform.
    pub struct MaxSnoop(u16) at 0x04, "max_snoop", "Max snoop latency", "PCIe 6.2, 7.8.2.2" {
        /// Value in bits 9:0, scale (a factor of 32 each step) in bits 12:10.
        12:0 latency Rw "Max snoop latency" = Meaning::Quantity(ltr_latency),
    }

    /// The longest latency that the function may report for requests that do not snoop.
    pub struct MaxNoSnoop(u16) at 0x06, "max_no_snoop", "Max no snoop latency", "PCIe 6.2, 7.8.2.3" {
        /// Value in bits 9:0, scale (a factor of 32 each step) in bits 12:10.
        12:0 latency Rw "Max no snoop latency" = Meaning::Quantity(ltr_latency),
    }
}

fn layout(builder: &mut Builder<'_>) {
    builder.load(0x04, 4);
    builder.add::<MaxSnoop>();
    builder.add::<MaxNoSnoop>();
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;

    #[test]
    fn both_registers_are_one_read() {
        let decoded = Case::new(0x18).body(&[0x1003_0c47]).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (1, 4));
        assert_eq!(decoded.field("max_snoop.latency"), 0x0c47);
        assert_eq!(decoded.field("max_no_snoop.latency"), 0x1003);
        assert_eq!(Case::new(0x18).limit(0x104).decode().raw("max_snoop"), None);
    }
}
