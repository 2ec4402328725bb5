//! Resizable BAR, extended capability ID 0015h, PCIe 6.2, 7.8.6, and VF Resizable BAR, ID 0024h, 9.3.7.5. Both have the
//! same registers: a pair for each BAR that can be resized.

use crate::pci::decode::{Builder, Specification};
use crate::pci::register::{Meaning, Quantity, Register, RegisterType};
use crate::pci::walk::{Anomaly, List};
use crate::register;

/// Resizable BAR.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x15,
    key: "rebar",
    name: "Resizable BAR",
    section: "PCIe 6.2, 7.8.6",
    layout: Some(layout),
    registers: REGISTERS,
};

/// VF Resizable BAR: the BARs of the virtual functions.
pub static VF_SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x24,
    key: "vf_rebar",
    name: "VF Resizable BAR",
    section: "PCIe 6.2, 9.3.7.5",
    layout: Some(layout),
    registers: REGISTERS,
};

const REGISTERS: &[&Register] = &[ResizableBarCapability::REGISTER, ResizableBarControl::REGISTER];

/// Which Base Address Register; there are six.
fn bar_number(index: u64) -> Quantity {
    if index < 6 { Quantity::Count(index) } else { Quantity::Reserved }
}

register! {
    /// Sizes that the BAR can have, up to 128 TB.
    pub struct ResizableBarCapability(u32) at 0x04 in "entry", "capability", "ReBARCap", "PCIe 6.2, 7.8.6.2" {
        /// Bit 4 stands for 1 MB, each further bit for twice as much.
        31:4 supported_sizes Ro "supported" = Meaning::Quantity(Quantity::Sizes),
    }
    /// Which BAR it is and what size it has.
    pub struct ResizableBarControl(u32) at 0x08 in "entry", "control", "ReBARCtl", "PCIe 6.2, 7.8.6.3" {
        /// Which BAR: 0 to 5.
        2:0 bar_index Ro "BAR" = Meaning::Quantity(bar_number),
        /// How many BARs can be resized: 1 to 6. Defined in the first entry, reserved in the others.
        7:5 number_of_resizable_bars Ro "Number",
        /// Size of the BAR, as a power of two of 1 MB.
        13:8 size Rw "current size" = Meaning::Quantity(bar_size),
        /// Sizes that the BAR can have from 256 TB up: bit 16 stands for 256 TB.
        31:16 upper_supported_sizes Ro "supported upper" = Meaning::Quantity(upper_sizes),
    }
}

fn bar_size(encoding: u64) -> Quantity {
    Quantity::Bytes((encoding < 44).then(|| 1 << (encoding + 20)))
}

fn upper_sizes(bits: u64) -> Quantity {
    Quantity::Sizes(bits << 28)
}

/// All sizes that a BAR can have, out of both its registers: bit 0 stands for 1 MB, bit 43 for 8 EB.
pub fn supported_sizes(capability: ResizableBarCapability, control: ResizableBarControl) -> u64 {
    u64::from(capability.supported_sizes()) | u64::from(control.upper_supported_sizes()) << 28
}

impl ResizableBarControl {
    /// Size of the BAR in bytes; `None` for an encoding beyond 8 EB.
    pub fn size_bytes(self) -> Option<u64> {
        match bar_size(self.size().into()) {
            Quantity::Bytes(bytes) => bytes,
            _ => None,
        }
    }
}

/// Most entries: a function has six BARs.
const MOST_ENTRIES: u16 = 6;
/// Bytes of an entry.
const ENTRY: u16 = 8;

fn layout(builder: &mut Builder<'_>) {
    builder.load(0x04, ENTRY);
    let Some(control) = entry(builder, 0) else { return };
    let mut count = control.number_of_resizable_bars() as u16;
    if !(1..=MOST_ENTRIES).contains(&count) {
        let offset = builder.located.offset + ResizableBarControl::REGISTER.offset;
        builder.anomaly(Anomaly::ReservedValue { offset, raw: control.raw() });
        let room = builder.room_end.saturating_sub(builder.located.offset).saturating_sub(0x04) / ENTRY;
        count = count.min(MOST_ENTRIES).min(room);
    }
    if count > 1 {
        builder.load(0x04 + ENTRY, ENTRY * (count - 1));
    }
    for index in 1..count {
        entry(builder, index);
    }
}

fn entry(builder: &mut Builder<'_>, index: u16) -> Option<ResizableBarControl> {
    builder.add_in::<ResizableBarCapability>(index, 0x04 + ENTRY * index);
    builder.add_in::<ResizableBarControl>(index, 0x08 + ENTRY * index)
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;
    use super::*;

    #[test]
    fn a_graphics_card_with_one_large_bar() {
        let decoded = Case::new(0x15).body(&[0x000f_fc00, 0x0000_0f21]).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (1, 8));
        assert_eq!(decoded.field("entry[0].control.bar_index"), 1);
        assert_eq!(decoded.field("entry[0].control.number_of_resizable_bars"), 1);
        let control = decoded.capability.get::<ResizableBarControl>().unwrap();
        assert_eq!(control.size_bytes(), Some(32 << 30));
        let capability = decoded.capability.get::<ResizableBarCapability>().unwrap();
        assert_eq!(supported_sizes(capability, control), 0x0000_ffc0, "64 MB to 32 GB");
        assert_eq!(decoded.paths(), ["entry[0].capability", "entry[0].control"]);
    }

    #[test]
    fn three_entries_are_two_reads() {
        let body = [0x10, 0x0060, 0x10, 0x0102, 0x8000_0010, 0x8001_2b04];
        let decoded = Case::new(0x24).body(&body).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (2, 24));
        assert_eq!(decoded.capability.path(), "vf_rebar");
        assert_eq!(decoded.field("entry[1].control.size"), 1);
        assert_eq!(decoded.field("entry[2].control.bar_index"), 4);
        let control = ResizableBarControl::from_raw(decoded.raw("entry[2].control").unwrap());
        assert_eq!(control.size_bytes(), Some(1 << 63));
        let sizes = supported_sizes(ResizableBarCapability(0x8000_0010), control);
        assert_eq!(sizes, 1 | 1 << 27 | 1 << 28 | 1 << 43);
        assert_eq!(ResizableBarControl(0x2c00).size_bytes(), None, "16 EB cannot be");
    }

    #[test]
    fn a_number_that_cannot_be_is_said() {
        let decoded = Case::new(0x15).body(&[0x10, 0]).decode();
        assert_eq!(decoded.anomalies, [Anomaly::ReservedValue { offset: 0x108, raw: 0 }]);
        assert_eq!(decoded.paths().len(), 2);
        let decoded = Case::new(0x15).body(&[0x10, 0xe0]).decode();
        assert_eq!(decoded.anomalies, [Anomaly::ReservedValue { offset: 0x108, raw: 0xe0 }]);
        assert_eq!(decoded.paths().len(), 12);
        let decoded = Case::new(0x15).body(&[0x10, 0xe0]).next(0x118).decode();
        assert_eq!(decoded.paths().len(), 4, "nor does it reach into what comes next");
    }

    #[test]
    fn truncated() {
        let decoded = Case::new(0x15).body(&[0x10, 0x40]).limit(0x110).decode();
        assert_eq!((decoded.raw("entry[1].capability"), decoded.raw("entry[1].control")), (Some(0), None));
        assert_eq!(Case::new(0x15).limit(0x104).decode().raw("entry[0].control"), None);
    }
}
