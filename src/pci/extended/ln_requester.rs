//! LN Requester, extended capability ID 001Ch: being told when a line of memory changes. PCIe 5.0, 7.9.14; PCI Express 6.0
//! dropped it.

use crate::pci::decode::{Builder, Specification};
use crate::pci::quantity::power_of_two;
use crate::pci::register::{Meaning, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x1c,
    key: "ln_requester",
    name: "LN Requester",
    section: "PCIe 5.0, 7.9.14",
    layout: Some(layout),
    registers: &[LnrCapability::REGISTER, LnrControl::REGISTER],
};

register! {
    /// How many lines of memory the function can watch.
    pub struct LnrCapability(u16) at 0x04, "capability", "LNRCap", "PCIe 5.0, 7.9.14.2" {
        /// Lines of 64 bytes.
        0 lnr_64_supported Ro "LNR-64",
        /// Lines of 128 bytes.
        1 lnr_128_supported Ro "LNR-128",
        /// Most lines at a time.
        12:8 lnr_registration_max Ro "RegistrationMax" = Meaning::Quantity(power_of_two),
    }
    /// How many lines of memory the function may watch.
    pub struct LnrControl(u16) at 0x06, "control", "LNRCtl", "PCIe 5.0, 7.9.14.3" {
        /// May watch lines.
        0 lnr_enable Rw "Enable",
        /// Size of a line.
        1 lnr_cls Rw "CLS" = Meaning::Choice(&[(0, "64 bytes"), (1, "128 bytes")]),
        /// Most lines at a time.
        12:8 lnr_registration_limit Rw "RegistrationLimit" = Meaning::Quantity(power_of_two),
    }
}

fn layout(builder: &mut Builder<'_>) {
    builder.load(0x04, 4);
    builder.add::<LnrCapability>();
    builder.add::<LnrControl>();
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;

    #[test]
    fn both_registers_are_one_read() {
        let decoded = Case::new(0x1c).body(&[0x0503_1f02]).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (1, 4));
        for (path, value) in [
            ("capability.lnr_64_supported", 0),
            ("capability.lnr_128_supported", 1),
            ("capability.lnr_registration_max", 31),
            ("control.lnr_enable", 1),
            ("control.lnr_cls", 1),
            ("control.lnr_registration_limit", 5),
        ] {
            assert_eq!(decoded.field(path), value, "{path}");
        }
        assert_eq!(Case::new(0x1c).limit(0x104).decode().raw("capability"), None);
    }
}
