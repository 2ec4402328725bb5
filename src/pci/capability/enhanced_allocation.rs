//! Enhanced Allocation, capability ID 14h: resources at addresses that the function itself decides. PCIe 6.2, 7.8.5.
//!
//! Each entry says how long it is and whether its addresses have 32 or 64 bits. An entry that is too short for what it
//! says it holds is an anomaly: what fits is decoded.

use crate::pci::decode::{Builder, Specification};
use crate::pci::register::{Meaning, Quantity, RegisterType};
use crate::pci::walk::{Anomaly, List};
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Standard,
    id: 0x14,
    key: "enhanced_allocation",
    name: "Enhanced Allocation",
    section: "PCIe 6.2, 7.8.5",
    layout: Some(layout),
    registers: &[
        Header::REGISTER,
        BusNumbers::REGISTER,
        Format::REGISTER,
        Base::REGISTER,
        MaxOffset::REGISTER,
        BaseUpper::REGISTER,
        MaxOffsetUpper::REGISTER,
    ],
};

register! {
    /// How many entries there are.
    pub struct Header(u16) at 0x02, "header", "EA", "PCIe 6.2, 7.8.5.1" {
        /// Number of entries.
        5:0 num_entries HwInit "NumEntries",
    }

    /// Buses behind a bridge.
    pub struct BusNumbers(u16) at 0x04, "bus_numbers", "Buses", "PCIe 6.2, 7.8.5.2" {
        /// Number of the bus behind the bridge.
        7:0 fixed_secondary_bus_number HwInit "secondary" = Meaning::Hex,
        /// Highest number of a bus behind the bridge.
        15:8 fixed_subordinate_bus_number HwInit "subordinate" = Meaning::Hex,
    }

    /// What the entry describes. The first entry is at 04h, in bridges at 08h.
    pub struct Format(u32) at 0x04 in "entry", "format", "Entry", "PCIe 6.2, 7.8.5.3" {
        /// How many doublewords of the entry follow this one.
        2:0 entry_size HwInit "EntrySize",
        /// Base Address Register that the entry stands for.
        7:4 bar_equivalent_indicator HwInit "BEI" = BAR_EQUIVALENT,
        /// What the resource is.
        15:8 primary_properties HwInit "PrimaryProperties" = PROPERTIES,
        /// What the resource is to software that does not know its primary properties.
        23:16 secondary_properties HwInit "SecondaryProperties" = PROPERTIES,
        /// Software may move the resource.
        30 writable HwInit "Writable",
        /// The resource is in use.
        31 enable Rw "Enable",
    }

    /// Where the resource begins, lower half. At 04h of the entry.
    pub struct Base(u32) at 0x08 in "entry", "base", "Base", "PCIe 6.2, 7.8.5.3" {
        /// The upper half is there.
        1 is_64bit HwInit "64bit",
        /// Address bits 31:2.
        31:2 address HwInit "Base" = Meaning::Quantity(base),
    }

    /// How far the resource reaches, lower half. At 08h of the entry.
    pub struct MaxOffset(u32) at 0x0c in "entry", "max_offset", "MaxOffset", "PCIe 6.2, 7.8.5.3" {
        /// The upper half is there.
        1 is_64bit HwInit "64bit",
        /// Bits 31:2 of the offset of its last byte; bits 1:0 are 1.
        31:2 offset HwInit "MaxOffset" = Meaning::Quantity(last_byte),
    }

    /// Where the resource begins, upper half. At 0Ch of the entry.
    pub struct BaseUpper(u32) at 0x10 in "entry", "base_upper", "BaseUpper", "PCIe 6.2, 7.8.5.3" {
        /// Address bits 63:32.
        31:0 address HwInit "Base" = Meaning::Hex,
    }

    /// How far the resource reaches, upper half. At 10h of the entry, or at 0Ch if the base has 32 bits.
    pub struct MaxOffsetUpper(u32) at 0x14 in "entry", "max_offset_upper", "MaxOffsetUpper", "PCIe 6.2, 7.8.5.3" {
        /// Bits 63:32 of the offset of its last byte.
        31:0 offset HwInit "MaxOffset" = Meaning::Hex,
    }
}

const BAR_EQUIVALENT: Meaning = Meaning::Choice(&[
    (0, "BAR 0"),
    (1, "BAR 1"),
    (2, "BAR 2"),
    (3, "BAR 3"),
    (4, "BAR 4"),
    (5, "BAR 5"),
    (6, "resource behind the bridge"),
    (7, "not indicated"),
    (8, "expansion ROM"),
    (9, "VF BAR 0"),
    (10, "VF BAR 1"),
    (11, "VF BAR 2"),
    (12, "VF BAR 3"),
    (13, "VF BAR 4"),
    (14, "VF BAR 5"),
]);

const PROPERTIES: Meaning = Meaning::Choice(&[
    (0x00, "memory, non-prefetchable"),
    (0x01, "memory, prefetchable"),
    (0x02, "I/O"),
    (0x03, "memory of virtual functions, prefetchable"),
    (0x04, "memory of virtual functions, non-prefetchable"),
    (0x05, "memory behind the bridge, non-prefetchable"),
    (0x06, "memory behind the bridge, prefetchable"),
    (0x07, "I/O behind the bridge"),
    (0xfd, "memory, not to be used"),
    (0xfe, "I/O, not to be used"),
    (0xff, "entry not to be used"),
]);

fn base(bits: u64) -> Quantity {
    Quantity::Offset(bits << 2)
}

fn last_byte(bits: u64) -> Quantity {
    Quantity::Offset(bits << 2 | 3)
}

fn layout(builder: &mut Builder<'_>) {
    let Some(header) = builder.add::<Header>() else { return };
    let room = builder.room_end.saturating_sub(builder.located.offset);
    let bridge = builder.context.header_layout == 1;
    let mut offset = if bridge { 0x08 } else { 0x04 };
    let count = header.num_entries();
    // What comes first, with the first doubleword of the first entry.
    let end = offset + if count > 0 { 4 } else { 0 };
    builder.load(0x04, end.min(room).saturating_sub(0x04));
    if bridge {
        builder.add::<BusNumbers>();
    }
    for index in 0..count {
        if offset + 4 > room {
            let at = builder.located.offset + Header::REGISTER.offset;
            builder.anomaly(Anomaly::ReservedValue { offset: at, raw: header.raw() });
            break;
        }
        let Some(format) = builder.add_in::<Format>(index, offset) else { break };
        let body = offset + 4;
        let end = body + 4 * format.entry_size() as u16;
        builder.reaches(end);
        let next = if index + 1 < count { 4 } else { 0 };
        builder.load(body, (end + next).min(room).saturating_sub(body));
        if !addresses(builder, index, body, end.min(room)) {
            let at = builder.located.offset + offset;
            builder.anomaly(Anomaly::ReservedValue { offset: at, raw: format.raw() });
        }
        offset = end;
    }
}

/// Places the addresses of an entry, from `body` up to `end`. False if there is not enough room for them.
fn addresses(builder: &mut Builder<'_>, index: u16, body: u16, end: u16) -> bool {
    let fits = |offset: u16| offset + 4 <= end;
    if !fits(body) {
        return false;
    }
    let wide_base = builder.add_in::<Base>(index, body).is_some_and(Base::is_64bit);
    if !fits(body + 4) {
        return false;
    }
    let wide_offset = builder.add_in::<MaxOffset>(index, body + 4).is_some_and(MaxOffset::is_64bit);
    let mut at = body + 8;
    if wide_base {
        if !fits(at) {
            return false;
        }
        builder.add_in::<BaseUpper>(index, at);
        at += 4;
    }
    if wide_offset {
        if !fits(at) {
            return false;
        }
        builder.add_in::<MaxOffsetUpper>(index, at);
    }
    true
}

#[cfg(test)]
#[path = "enhanced_allocation_tests.rs"]
mod tests;
