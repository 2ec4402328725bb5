//! Advanced Features, capability ID 13h: Function Level Reset for functions without the PCI Express capability.
//! PCIe 6.2, 7.9.21.

use crate::pci::decode::{Builder, Specification};
use crate::pci::register::{Meaning, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Standard,
    id: 0x13,
    key: "advanced_features",
    name: "Advanced Features",
    section: "PCIe 6.2, 7.9.21",
    layout: Some(layout),
    registers: &[Length::REGISTER, Capabilities::REGISTER, Control::REGISTER, Status::REGISTER],
};

register! {
    /// How long the capability is.
    pub struct Length(u8) at 0x02, "capability_length", "Len", "PCIe 6.2, 7.9.21.1" {
        /// In bytes; always 6.
        7:0 length Ro "Len" = Meaning::Unit("bytes"),
    }

    /// What the function can do.
    pub struct Capabilities(u8) at 0x03, "capabilities", "AFCap", "PCIe 6.2, 7.9.21.2" {
        /// Tells in its status whether transactions are pending; needed for the reset.
        0 transactions_pending HwInit "TP",
        /// Can be reset on its own.
        1 function_level_reset HwInit "FLR",
    }

    /// The reset.
    pub struct Control(u8) at 0x04, "control", "AFCtrl", "PCIe 6.2, 7.9.21.3" {
        /// Writing 1 resets the function; reads as 0.
        0 initiate_function_level_reset Wo "FLR",
    }

    /// What is under way.
    pub struct Status(u8) at 0x05, "status", "AFStatus", "PCIe 6.2, 7.9.21.4" {
        /// Requests of the function have not been completed.
        0 transactions_pending Ro "TP",
    }
}

fn layout(builder: &mut Builder<'_>) {
    builder.load(0x04, 2);
    builder.add::<Length>();
    builder.add::<Capabilities>();
    builder.add::<Control>();
    builder.add::<Status>();
}

#[cfg(test)]
mod tests {
    use super::super::testing::{decode, decode_in, placed, reads};
    use super::*;
    use crate::pci::decode::Context;

    /// What the ICH10 USB controller says; lspci calls it: AFCap: TP+ FLR+; AFCtrl: FLR-; AFStatus: TP-.
    #[test]
    fn a_function_that_can_be_reset() {
        let bytes = [0x13, 0, 0x06, 0x03, 0x00, 0x00];
        let (capability, anomalies) = decode(Context::default(), &bytes);
        assert!(anomalies.is_empty());
        assert_eq!(
            placed(&capability),
            [("capability_length", 2), ("capabilities", 3), ("control", 4), ("status", 5)]
        );
        let capabilities: Capabilities = capability.get().unwrap();
        assert!(capabilities.transactions_pending() && capabilities.function_level_reset());
        assert_eq!((capability.get(), capability.get()), (Some(Control(0)), Some(Status(0))));
        assert_eq!(capability.end, 0x46);
        assert_eq!(reads(Context::default(), &bytes), [(4, 4)]);
    }

    #[test]
    fn what_cannot_be_read_has_no_value() {
        let mut space = vec![0; 0x44];
        space[0x40..].copy_from_slice(&[0x13, 0, 0x06, 0x03]);
        let (capability, _) = decode_in(Context::default(), &space);
        assert_eq!((capability.get(), capability.get::<Status>()), (Some(Capabilities(3)), None));
    }
}
