//! Debug Port, capability ID 0Ah: where a USB 2.0 host controller has the registers of its debug port. Enhanced Host
//! Controller Interface 1.0, appendix C.

use crate::pci::decode::{Builder, Specification};
use crate::pci::register::{Meaning, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Standard,
    id: 0x0a,
    key: "debug_port",
    name: "Debug Port",
    section: "EHCI 1.0, appendix C",
    layout: Some(layout),
    registers: &[Port::REGISTER],
};

register! {
    /// Where the registers of the debug port are.
    pub struct Port(u16) at 0x02, "port", "Debug port", "EHCI 1.0, appendix C" {
        /// Offset in the BAR, in bytes.
        12:0 offset Ro "offset" = Meaning::Hex,
        /// Base Address Register that maps them, stored as its number plus one; lspci prints it as stored.
        15:13 bar Ro "BAR" = Meaning::Choice(&[
            (1, "0"), (2, "1"), (3, "2"), (4, "3"), (5, "4"), (6, "5"),
        ]),
    }
}

fn layout(builder: &mut Builder<'_>) {
    builder.add::<Port>();
}

#[cfg(test)]
mod tests {
    use super::super::testing::{decode, reads};
    use super::*;
    use crate::pci::decode::Context;

    /// What the CK804 USB controller says; lspci calls it: Debug port: BAR=1 offset=0098.
    #[test]
    fn bar_and_offset() {
        let bytes = [0x0a, 0, 0x98, 0x20];
        let (capability, anomalies) = decode(Context::default(), &bytes);
        assert!(anomalies.is_empty());
        let port: Port = capability.get().unwrap();
        assert_eq!((port.bar(), port.offset()), (1, 0x98));
        assert!(reads(Context::default(), &bytes).is_empty());
    }
}
