//! Root Complex Event Collector Endpoint Association, extended capability ID 0007h: for which integrated endpoints the event
//! collector collects errors and power management events. PCIe 6.2, 7.9.10.

use std::ops::RangeInclusive;

use crate::pci::decode::{Builder, Specification};
use crate::pci::register::{Meaning, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x07,
    key: "event_collector",
    name: "Root Complex Event Collector Endpoint Association",
    section: "PCIe 6.2, 7.9.10",
    layout: Some(layout),
    registers: &[AssociationBitmap::REGISTER, AssociatedBusNumbers::REGISTER],
};

register! {
    /// Devices on the event collector's own bus.
    pub struct AssociationBitmap(u32) at 0x04, "association_bitmap", "RCiEPBitmap", "PCIe 6.2, 7.9.10.2" {
        /// One bit for each device number. The bit of the event collector itself is always set.
        31:0 devices Ro "RCiEPBitmap" = Meaning::Hex,
    }
    /// Further buses; the register exists since version 2 of the capability.
    pub struct AssociatedBusNumbers(u32) at 0x08, "associated_bus_numbers", "AssociatedBusNumbers", "PCIe 6.2, 7.9.10.3" {
        /// The lowest one; FFh if there are none.
        15:8 rcec_next_bus HwInit "RCECNextBus" = Meaning::Hex,
        /// The highest one; 00h if there are none.
        23:16 rcec_last_bus HwInit "RCECLastBus" = Meaning::Hex,
    }
}

impl AssociationBitmap {
    /// The device numbers, lowest first.
    pub fn device_numbers(self) -> impl Iterator<Item = u8> {
        (0..32).filter(move |device| self.0 >> device & 1 == 1)
    }
}

impl AssociatedBusNumbers {
    /// The bus numbers; `None` if there are none.
    pub fn buses(self) -> Option<RangeInclusive<u8>> {
        let (next, last) = (self.rcec_next_bus() as u8, self.rcec_last_bus() as u8);
        (next <= last).then_some(next..=last)
    }
}

/// First version of the capability that has associated bus numbers.
const VERSION_WITH_BUSES: u8 = 2;

fn layout(builder: &mut Builder<'_>) {
    let buses = builder.located.version >= VERSION_WITH_BUSES;
    builder.load(0x04, if buses { 8 } else { 4 });
    builder.add::<AssociationBitmap>();
    if buses {
        builder.add::<AssociatedBusNumbers>();
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;
    use super::*;

    #[test]
    fn devices_and_buses() {
        let decoded = Case::new(0x07).version(2).body(&[0xc000_9742, 0x0008_0200]).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (1, 8));
        let bitmap = decoded.capability.get::<AssociationBitmap>().unwrap();
        assert_eq!(bitmap.device_numbers().collect::<Vec<_>>(), [1, 6, 8, 9, 10, 12, 15, 30, 31]);
        assert_eq!(decoded.field("associated_bus_numbers.rcec_next_bus"), 2);
        assert_eq!(decoded.field("associated_bus_numbers.rcec_last_bus"), 8);
        let buses = decoded.capability.get::<AssociatedBusNumbers>().unwrap();
        assert_eq!(buses.buses(), Some(2..=8));
        assert_eq!(AssociatedBusNumbers(0x0000_ff00).buses(), None);
        assert_eq!(AssociatedBusNumbers(0).buses(), Some(0..=0));
    }

    #[test]
    fn version_1_has_no_buses() {
        let decoded = Case::new(0x07).body(&[0x8000_0000]).decode();
        assert_eq!((decoded.paths().len(), decoded.read_bytes), (1, 4));
        assert_eq!(decoded.capability.get::<AssociatedBusNumbers>(), None);
        assert_eq!(Case::new(0x07).version(2).limit(0x108).decode().raw("associated_bus_numbers"), None);
    }
}
