//! PCI Hot-Plug, capability ID 0Ch: the Standard Hot-Plug Controller of a bridge with PCI slots. Standard Hot-Plug
//! Controller 1.0.
//!
//! The controller's own registers are behind a window: which of them the doubleword at 04h shows is decided by a write
//! to the selector. So that doubleword is not read.

use crate::pci::decode::{Builder, Specification};
use crate::pci::register::RegisterType;
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Standard,
    id: 0x0c,
    key: "hot_plug",
    name: "PCI Hot-Plug",
    section: "Standard Hot-Plug Controller 1.0",
    layout: Some(layout),
    registers: &[DwordSelect::REGISTER],
};

register! {
    /// Which doubleword of the controller's registers the window at 04h shows. The byte behind it tells whether an
    /// interrupt or a system error is pending; its bits are not public.
    pub struct DwordSelect(u8) at 0x02, "dword_select", "DWORDSelect", "Standard Hot-Plug Controller 1.0" {
        /// Number of the doubleword.
        7:0 index Rw "index",
    }
}

/// Bytes of the capability.
const SIZE: u16 = 8;

fn layout(builder: &mut Builder<'_>) {
    builder.add::<DwordSelect>();
    builder.reaches(SIZE);
}

#[cfg(test)]
mod tests {
    use super::super::testing::{decode, placed, reads};
    use super::*;
    use crate::pci::decode::Context;

    #[test]
    fn the_window_is_left_alone() {
        let bytes = [0x0c, 0, 0x05, 0x00, 1, 2, 3, 4];
        let (capability, _) = decode(Context::default(), &bytes);
        assert_eq!(placed(&capability), [("dword_select", 2)]);
        assert_eq!((capability.get(), capability.end), (Some(DwordSelect(5)), 0x48));
        assert!(reads(Context::default(), &bytes).is_empty());
    }
}
