//! TPH Requester, extended capability ID 0017h: hints where in the system data of a request will be used. PCIe 6.2, 7.9.13.

use crate::pci::decode::{Builder, Specification};
use crate::pci::quantity::minus_one;
use crate::pci::register::{Meaning, RegisterType};
use crate::pci::walk::{Anomaly, List};
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x17,
    key: "tph",
    name: "TPH Requester",
    section: "PCIe 6.2, 7.9.13",
    layout: Some(layout),
    registers: &[TphRequesterCapability::REGISTER, TphRequesterControl::REGISTER, SteeringTag::REGISTER],
};

register! {
    /// From where the function can take the steering tags of its hints.
    pub struct TphRequesterCapability(u32) at 0x04, "capability", "TPHCap", "PCIe 6.2, 7.9.13.2" {
        /// Can give hints without a steering tag; always set.
        0 no_st_mode_supported Ro "No ST mode",
        /// Can choose the steering tag by interrupt vector.
        1 interrupt_vector_mode_supported Ro "Interrupt vector mode",
        /// Can choose the steering tag in its own way.
        2 device_specific_mode_supported Ro "Device specific mode",
        /// Can give hints with 16-bit steering tags.
        8 extended_tph_requester_supported Ro "Extended requester",
        /// Where the table of steering tags is.
        10:9 st_table_location Ro "Steering table" = Meaning::Choice(&[
            (0, "none"),
            (1, "in this capability"),
            (2, "in the MSI-X table"),
        ]),
        /// Entries of that table; undefined where there is none.
        26:16 st_table_size Ro "ST table size" = Meaning::Quantity(minus_one),
    }
    /// Whether the function gives hints.
    pub struct TphRequesterControl(u32) at 0x08, "control", "TPHCtl", "PCIe 6.2, 7.9.13.3" {
        /// How the steering tag is chosen.
        2:0 st_mode_select Rw "ST mode" = Meaning::Choice(&[
            (0, "no steering tag"),
            (1, "interrupt vector"),
            (2, "device specific"),
        ]),
        /// Which hints may be given.
        9:8 tph_requester_enable Rw "Enable" = Meaning::Choice(&[
            (0, "none"),
            (1, "with 8-bit steering tags"),
            (3, "with 8-bit and 16-bit steering tags"),
        ]),
    }
    /// One entry of the table of steering tags.
    pub struct SteeringTag(u16) at 0x0c in "st_table", "steering_tag", "ST", "PCIe 6.2, 7.9.13.4" {
        /// Lower 8 bits of the tag.
        7:0 st_lower Rw "Lower" = Meaning::Hex,
        /// Upper 8 bits, where 16-bit steering tags are supported.
        15:8 st_upper Rw "Upper" = Meaning::Hex,
    }
}

/// ST Table Location: the table is in the capability.
const IN_CAPABILITY: u32 = 1;
/// ST Table Location that is reserved.
const RESERVED_LOCATION: u32 = 3;
/// Most entries of a table in the capability.
const MOST_ENTRIES: u16 = 64;

fn layout(builder: &mut Builder<'_>) {
    builder.load(0x04, 8);
    let capability = builder.add::<TphRequesterCapability>().unwrap_or(TphRequesterCapability(0));
    builder.add::<TphRequesterControl>();
    let entries = capability.st_table_size() as u16 + 1;
    let location = capability.st_table_location();
    if location == RESERVED_LOCATION || location == IN_CAPABILITY && entries > MOST_ENTRIES {
        let offset = builder.located.offset + TphRequesterCapability::REGISTER.offset;
        builder.anomaly(Anomaly::ReservedValue { offset, raw: capability.raw() });
    }
    if location != IN_CAPABILITY || entries > MOST_ENTRIES {
        return;
    }
    builder.reaches(0x0c + 2 * entries);
    let room = builder.room_end.saturating_sub(builder.located.offset).saturating_sub(0x0c) / 2;
    let entries = entries.min(room);
    if entries > 0 {
        builder.load(0x0c, 2 * entries);
    }
    for index in 0..entries {
        builder.add_in::<SteeringTag>(index, 0x0c + 2 * index);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;
    use super::*;

    #[test]
    fn a_table_in_the_capability() {
        let decoded = Case::new(0x17).body(&[0x0003_0307, 0x0000_0101, 0x0000_abcd, 0x1234_0056]).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (2, 8 + 8));
        for (path, value) in [
            ("capability.no_st_mode_supported", 1),
            ("capability.interrupt_vector_mode_supported", 1),
            ("capability.device_specific_mode_supported", 1),
            ("capability.extended_tph_requester_supported", 1),
            ("capability.st_table_location", 1),
            ("capability.st_table_size", 3),
            ("control.st_mode_select", 1),
            ("control.tph_requester_enable", 1),
            ("st_table[0].steering_tag.st_lower", 0xcd),
            ("st_table[0].steering_tag.st_upper", 0xab),
            ("st_table[2].steering_tag.st_lower", 0x56),
            ("st_table[3].steering_tag.st_upper", 0x12),
        ] {
            assert_eq!(decoded.field(path), value, "{path}");
        }
        assert_eq!(decoded.paths().len(), 2 + 4);
        assert_eq!(decoded.capability.end, 0x114);
    }

    #[test]
    fn a_table_elsewhere_is_not_read() {
        let decoded = Case::new(0x17).body(&[0x07ff_0405, 0x0000_0302]).decode();
        assert_eq!((decoded.read_bytes, decoded.paths().len()), (8, 2));
        assert!(decoded.anomalies.is_empty());
    }

    #[test]
    fn what_cannot_be_is_said() {
        for capability in [0x0000_0601, 0x0040_0201] {
            let decoded = Case::new(0x17).body(&[capability]).decode();
            assert_eq!(decoded.anomalies, [Anomaly::ReservedValue { offset: 0x104, raw: capability.into() }]);
            assert_eq!(decoded.paths().len(), 2, "no table is read");
        }
        let decoded = Case::new(0x17).body(&[0x003f_0201]).next(0x110).decode();
        assert_eq!(decoded.paths().len(), 2 + 2, "nor does it reach into what comes next");
        assert_eq!(decoded.anomalies, [Anomaly::Overlap { first: 0x100, second: 0x110, first_end: 0x18c }]);
        assert_eq!(Case::new(0x17).body(&[0x003f_0201]).decode().paths().len(), 2 + 64);
    }

    #[test]
    fn truncated() {
        let decoded = Case::new(0x17).body(&[0x003f_0201]).limit(0x110).decode();
        assert_eq!(decoded.raw("st_table[1].steering_tag"), Some(0));
        assert_eq!(decoded.raw("st_table[2].steering_tag"), None);
        assert_eq!(Case::new(0x17).limit(0x104).decode().paths().len(), 2);
    }
}
