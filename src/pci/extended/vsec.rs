//! Vendor-Specific Extended Capability, extended capability ID 000Bh. PCIe 6.2, 7.9.5.

use crate::pci::decode::{Builder, Specification};
use crate::pci::register::{Meaning, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x0b,
    key: "vsec",
    name: "Vendor-Specific Extended Capability",
    section: "PCIe 6.2, 7.9.5",
    layout: Some(layout),
    registers: &[Header::REGISTER],
};

register! {
    /// What the capability is. Whose it is tells the function's Vendor ID.
    pub struct Header(u32) at 0x04, "header", "VSEC", "PCIe 6.2, 7.9.5.2" {
        /// Chosen by the vendor.
        15:0 id Ro "ID" = Meaning::Hex,
        /// Chosen by the vendor.
        19:16 revision Ro "Rev",
        /// Bytes of the whole capability, from its first byte on.
        31:20 length Ro "Len" = Meaning::Unit("bytes"),
    }
}

/// Where the vendor's part begins.
const BODY: u16 = 8;

fn layout(builder: &mut Builder<'_>) {
    if let Some(header) = builder.add::<Header>() {
        builder.reaches(header.length() as u16);
        builder.leave_raw(BODY, header.length() as u16);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;
    use crate::pci::walk::{Anomaly, List};

    #[test]
    fn the_header_tells_the_length() {
        let decoded = Case::new(0x0b).body(&[0x0742_1234]).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (2, 4 + 64), "of the body no more than is shown");
        assert_eq!(decoded.field("header.id"), 0x1234);
        assert_eq!(decoded.field("header.revision"), 2);
        assert_eq!(decoded.field("header.length"), 0x74);
        assert_eq!((decoded.capability.end, decoded.capability.undecoded), (0x174, Some((0x108, 0x174))));
        let short = Case::new(0x0b).body(&[0x0080_1234]).decode();
        assert_eq!((short.reads, short.capability.undecoded), (1, None));
        assert_eq!(Case::new(0x0b).limit(0x104).decode().raw("header"), None);
    }

    #[test]
    fn a_length_into_the_next_capability_or_past_the_end_is_seen() {
        let decoded = Case::new(0x0b).body(&[0x0740_1234]).next(0x140).decode();
        assert_eq!(decoded.capability.undecoded, Some((0x108, 0x140)));
        assert_eq!(decoded.anomalies, [Anomaly::Overlap { first: 0x100, second: 0x140, first_end: 0x174 }]);
        let decoded = Case::new(0x0b).body(&[0xfff0_1234]).decode();
        assert_eq!(
            decoded.anomalies,
            [Anomaly::PastEnd { list: List::Extended, offset: 0x100, end: 0x10ff, limit: 0x1000 }]
        );
    }
}
