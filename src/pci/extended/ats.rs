//! Address Translation Services, extended capability ID 000Fh. PCIe 6.2, 10.5.1.

use crate::pci::decode::{Builder, Specification};
use crate::pci::register::{Meaning, Quantity, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x0f,
    key: "ats",
    name: "Address Translation Services",
    section: "PCIe 6.2, 10.5.1",
    layout: Some(layout),
    registers: &[AtsCapability::REGISTER, AtsControl::REGISTER],
};

register! {
    /// How the function caches address translations.
    pub struct AtsCapability(u16) at 0x04, "capability", "ATSCap", "PCIe 6.2, 10.5.1.2" {
        /// Invalidate requests that the function accepts before it holds back others. 0 stands for 32, but for a virtual
        /// function it stands for the queue of its physical one.
        4:0 invalidate_queue_depth Ro "Invalidate Queue Depth",
        /// Untranslated addresses are always aligned to 4096 bytes.
        5 page_aligned_request Ro "PageAligned",
        /// Heeds Global Invalidate in invalidate requests.
        6 global_invalidate_supported Ro "GlobalInvalidate",
        /// May set Relaxed Ordering in translation requests.
        7 relaxed_ordering_supported Ro "RelaxedOrdering",
        /// Uses the memory attributes that come with translations.
        8 ats_memory_attributes_supported Ro "MemAttr",
    }
    /// Whether the function caches address translations.
    pub struct AtsControl(u16) at 0x06, "control", "ATSCtl", "PCIe 6.2, 10.5.1.3" {
        /// Smallest unit of translations and invalidations.
        4:0 smallest_translation_unit Rw "Smallest Translation Unit" = Meaning::Quantity(translation_unit),
        /// Memory attributes that need not be sent, because they are the default.
        13:11 ats_memory_attributes_default Rw "MemAttrDefault",
        /// May send memory attributes with its requests.
        14 ats_memory_attributes_enable Rw "MemAttr",
        /// Caches translations.
        15 enable Rw "Enable",
    }
}

fn translation_unit(encoding: u64) -> Quantity {
    Quantity::Bytes((encoding < 32).then(|| 4096 << encoding))
}

fn layout(builder: &mut Builder<'_>) {
    builder.load(0x04, 4);
    builder.add::<AtsCapability>();
    builder.add::<AtsControl>();
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;
    use super::*;

    #[test]
    fn both_registers_are_one_read() {
        let decoded = Case::new(0x0f).body(&[0xe801_01e2]).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (1, 4));
        for (path, value) in [
            ("capability.invalidate_queue_depth", 2),
            ("capability.page_aligned_request", 1),
            ("capability.global_invalidate_supported", 1),
            ("capability.relaxed_ordering_supported", 1),
            ("capability.ats_memory_attributes_supported", 1),
            ("control.smallest_translation_unit", 1),
            ("control.ats_memory_attributes_default", 5),
            ("control.ats_memory_attributes_enable", 1),
            ("control.enable", 1),
        ] {
            assert_eq!(decoded.field(path), value, "{path}");
        }
        assert_eq!(Case::new(0x0f).limit(0x104).decode().raw("capability"), None);
    }

    #[test]
    fn translation_units() {
        assert_eq!(translation_unit(0), Quantity::Bytes(Some(4096)));
        assert_eq!(translation_unit(31), Quantity::Bytes(Some(8 << 40)));
    }
}
