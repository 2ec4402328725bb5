//! Root Complex Link Declaration, extended capability ID 0005h: to what an element of the root complex is linked.
//! PCIe 6.2, 7.9.8.

use crate::pci::decode::{Builder, Specification};
use crate::pci::register::{Meaning, Quantity, RegisterType};
use crate::pci::walk::{Anomaly, List};
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x05,
    key: "link_declaration",
    name: "Root Complex Link Declaration",
    section: "PCIe 6.2, 7.9.8",
    layout: Some(layout),
    registers: &[
        ElementSelfDescription::REGISTER,
        LinkDescription::REGISTER,
        LinkAddress::REGISTER,
        LinkConfigurationAddress::REGISTER,
    ],
};

register! {
    /// What the element is.
    pub struct ElementSelfDescription(u32) at 0x04, "element_self_description", "Desc", "PCIe 6.2, 7.9.8.2" {
        /// What kind of element it is.
        3:0 element_type Ro "EltType" = Meaning::Choice(&[
            (0, "configuration space element"),
            (1, "system egress port or internal sink"),
            (2, "internal root complex link"),
        ]),
        /// How many links are declared; at least 1.
        15:8 number_of_link_entries HwInit "NumLinks",
        /// Component of the root complex that the element is part of; counts from 1.
        23:16 component_id HwInit "ComponentID" = Meaning::Hex,
        /// Number of the element's port in that component; 0 is the default egress port.
        31:24 port_number HwInit "PortNumber" = Meaning::Hex,
    }
    /// One link and the element at its other end.
    pub struct LinkDescription(u32) at 0x10 in "link", "description", "Desc", "PCIe 6.2, 7.9.8.3.1" {
        /// The entry declares a link.
        0 link_valid HwInit "LinkValid",
        /// Whether the address is that of registers in memory or of a function.
        1 link_type HwInit "LinkType" = Meaning::Choice(&[(0, "memory-mapped"), (1, "configuration space")]),
        /// The register block at the address has an RCRB Header that governs the element.
        2 associate_rcrb_header HwInit "AssocRCRB",
        /// Component that the other end is part of.
        23:16 target_component_id HwInit "TargetComponent" = Meaning::Hex,
        /// Number of the other end's port in that component.
        31:24 target_port_number HwInit "TargetPort" = Meaning::Hex,
    }
    /// Where the other end's register block is in memory; for Link Type 0.
    pub struct LinkAddress(u64) at 0x18 in "link", "address", "Addr", "PCIe 6.2, 7.9.8.3.2.1" {
        /// Base address.
        63:12 base_address HwInit "Addr" = Meaning::Quantity(pages),
    }
    /// Which function the other end is; for Link Type 1.
    pub struct LinkConfigurationAddress(u64) at 0x18 in "link", "configuration_address", "Addr", "PCIe 6.2, 7.9.8.3.2.2" {
        /// How many bits the bus number has; 0 stands for 8.
        2:0 bus_number_bits HwInit "N",
        /// Function number.
        14:12 function_number HwInit "Func",
        /// Device number.
        19:15 device_number HwInit "Dev",
        /// In the lowest bits, as many as N says, the bus number; above it the base address of the configuration space, 0 for
        /// the default one.
        63:20 bus_number_and_base_address HwInit "Bus" = Meaning::Hex,
    }
}

fn pages(number: u64) -> Quantity {
    Quantity::Offset(number << 12)
}

impl LinkConfigurationAddress {
    fn bus_bits(self) -> u32 {
        20 + match self.bus_number_bits() {
            0 => 8,
            bits => bits as u32,
        }
    }

    /// Bus number of the function.
    pub fn bus_number(self) -> u8 {
        (self.0 >> 20 & ((1 << (self.bus_bits() - 20)) - 1)) as u8
    }

    /// Base address of the memory-mapped configuration space; 0 for the default one.
    pub fn configuration_space_base_address(self) -> u64 {
        self.0 >> self.bus_bits() << self.bus_bits()
    }
}

/// Offset of the first link entry, and bytes of each.
const LINKS: u16 = 0x10;
const LINK: u16 = 0x10;

fn layout(builder: &mut Builder<'_>) {
    let Some(element) = builder.add::<ElementSelfDescription>() else { return };
    let count = element.number_of_link_entries() as u16;
    if count == 0 {
        let offset = builder.located.offset + ElementSelfDescription::REGISTER.offset;
        builder.anomaly(Anomaly::ReservedValue { offset, raw: element.raw() });
        return;
    }
    builder.reaches(LINKS + LINK * count);
    let room = builder.room_end.saturating_sub(builder.located.offset).saturating_sub(LINKS) / LINK;
    let count = count.min(room);
    if count > 0 {
        builder.load(LINKS, LINK * count);
    }
    for index in 0..count {
        let at = LINKS + LINK * index;
        let description = builder.add_in::<LinkDescription>(index, at);
        if description.is_some_and(LinkDescription::link_type) {
            builder.add_in::<LinkConfigurationAddress>(index, at + 8);
        } else {
            builder.add_in::<LinkAddress>(index, at + 8);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;
    use super::*;

    #[test]
    fn a_link_to_memory_and_one_to_a_function() {
        let mut body = vec![0x0403_0200, 0, 0, 0x0001_0005, 0, 0xfed1_9000, 0x0000_0001];
        body.extend([0x0203_0003, 0, 0xc5de_8003, 0x0000_0012]);
        let decoded = Case::new(0x05).body(&body).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (2, 4 + 32));
        for (path, value) in [
            ("element_self_description.element_type", 0),
            ("element_self_description.number_of_link_entries", 2),
            ("element_self_description.component_id", 3),
            ("element_self_description.port_number", 4),
            ("link[0].description.link_valid", 1),
            ("link[0].description.link_type", 0),
            ("link[0].description.associate_rcrb_header", 1),
            ("link[0].description.target_component_id", 1),
            ("link[0].address.base_address", 0x001f_ed19),
            ("link[1].description.link_type", 1),
            ("link[1].description.target_port_number", 2),
            ("link[1].configuration_address.bus_number_bits", 3),
            ("link[1].configuration_address.function_number", 0),
            ("link[1].configuration_address.device_number", 0x1d),
        ] {
            assert_eq!(decoded.field(path), value, "{path}");
        }
        let address = decoded.capability.get::<LinkConfigurationAddress>().unwrap();
        assert_eq!(address.bus_number(), 5);
        assert_eq!(address.configuration_space_base_address(), 0x0000_0012_c580_0000);
        assert_eq!(LinkConfigurationAddress(0x1234_5678_9ab0_0000).bus_number(), 0xab);
        assert_eq!(decoded.capability.end, 0x130);
        assert!(decoded.anomalies.is_empty());
    }

    #[test]
    fn a_number_of_links_that_cannot_be_is_said() {
        let decoded = Case::new(0x05).body(&[0x0100_0000]).decode();
        assert_eq!(decoded.anomalies, [Anomaly::ReservedValue { offset: 0x104, raw: 0x0100_0000 }]);
        assert_eq!(decoded.paths().len(), 1);
        let decoded = Case::new(0x05).body(&[0x0000_ff00]).next(0x138).decode();
        assert_eq!(decoded.paths().len(), 1 + 2 * 2, "nor does it reach into what comes next");
        let all = 0x110 + 255 * 16;
        assert_eq!(decoded.anomalies[0], Anomaly::Overlap { first: 0x100, second: 0x138, first_end: all });
    }

    #[test]
    fn truncated() {
        let decoded = Case::new(0x05).body(&[0x0000_0200]).limit(0x118).decode();
        assert_eq!((decoded.raw("link[0].description"), decoded.raw("link[0].address")), (Some(0), None));
        assert_eq!(decoded.paths().len(), 5);
        assert_eq!(Case::new(0x05).limit(0x104).decode().paths().len(), 1);
    }
}
