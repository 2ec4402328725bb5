//! What the Designated Vendor-Specific Extended Capabilities of known vendors are called.

/// A kind of Designated Vendor-Specific Extended Capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// Vendor who defined it.
    pub vendor_id: u16,
    /// Short name of that vendor, as the specification writes it.
    pub vendor: &'static str,
    /// DVSEC ID, chosen by that vendor.
    pub id: u16,
    /// Name in the words of the specification.
    pub name: &'static str,
    /// Where it is specified.
    pub section: &'static str,
}

const fn cxl(id: u16, name: &'static str, section: &'static str) -> Kind {
    Kind { vendor_id: super::CXL as u16, vendor: "CXL", id, name, section }
}

/// All of them. Those of the CXL Consortium: CXL 3.1, 8.1.1 and 14.16.1.
pub static KINDS: &[Kind] = &[
    cxl(0x0, "PCIe DVSEC for CXL Devices", "CXL 3.1, 8.1.3"),
    cxl(0x2, "Non-CXL Function Map DVSEC", "CXL 3.1, 8.1.4"),
    cxl(0x3, "CXL Extensions DVSEC for Ports", "CXL 3.1, 8.1.5"),
    cxl(0x4, "GPF DVSEC for CXL Ports", "CXL 3.1, 8.1.6"),
    cxl(0x5, "GPF DVSEC for CXL Devices", "CXL 3.1, 8.1.7"),
    cxl(0x7, "PCIe DVSEC for Flex Bus Port", "CXL 3.1, 8.2.1.3"),
    cxl(0x8, "Register Locator DVSEC", "CXL 3.1, 8.1.9"),
    cxl(0x9, "MLD DVSEC", "CXL 3.1, 8.1.10"),
    cxl(0xa, "PCIe DVSEC for Test Capability", "CXL 3.1, 14.16.1"),
];

/// The kind with that DVSEC ID of that vendor, if it is known.
pub fn kind(vendor_id: u16, id: u16) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| (kind.vendor_id, kind.id) == (vendor_id, id))
}

#[cfg(test)]
mod tests {
    use super::super::tests::cxl;
    use super::*;

    #[test]
    fn what_has_a_name_is_decoded_and_the_other_way_round() {
        for id in 0..=0x20 {
            let decoded = cxl(id, 0, 0x40, &[0; 14]).decode();
            assert_eq!(decoded.paths().len() > 2, kind(0x1e98, id).is_some(), "{id:#x}");
        }
        assert_eq!(kind(0x8086, 0), None);
    }
}
