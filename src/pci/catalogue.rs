//! Every capability ID that the PCI-SIG has assigned, up to PCI Express 7.0.
//!
//! A capability whose registers are declared has its own file and is listed in [`DECODED`]. The others are named here
//! and shown raw.

use super::decode::Specification;
use super::walk::List;
use super::{capability, extended};

/// Capabilities with a register table, each list in the order of IDs.
pub static DECODED: &[&Specification] = &[
    &capability::power::SPECIFICATION,
    &capability::agp::SPECIFICATION,
    &capability::vpd::SPECIFICATION,
    &capability::slot_id::SPECIFICATION,
    &capability::msi::SPECIFICATION,
    &capability::compactpci_hot_swap::SPECIFICATION,
    &capability::pcix::SPECIFICATION,
    &capability::hypertransport::SPECIFICATION,
    &capability::vendor::SPECIFICATION,
    &capability::debug_port::SPECIFICATION,
    &capability::hot_plug::SPECIFICATION,
    &capability::subsystem::SPECIFICATION,
    &capability::secure_device::SPECIFICATION,
    &capability::express::SPECIFICATION,
    &capability::msix::SPECIFICATION,
    &capability::sata::SPECIFICATION,
    &capability::advanced_features::SPECIFICATION,
    &capability::enhanced_allocation::SPECIFICATION,
    &capability::flattening_portal_bridge::SPECIFICATION,
    &extended::aer::SPECIFICATION,
    &extended::virtual_channel::SPECIFICATION,
    &extended::serial_number::SPECIFICATION,
    &extended::power_budgeting::SPECIFICATION,
    &extended::link_declaration::SPECIFICATION,
    &extended::internal_link_control::SPECIFICATION,
    &extended::event_collector::SPECIFICATION,
    &extended::mfvc::SPECIFICATION,
    &extended::virtual_channel::MFVC_SPECIFICATION,
    &extended::rcrb::SPECIFICATION,
    &extended::vsec::SPECIFICATION,
    &extended::acs::SPECIFICATION,
    &extended::ari::SPECIFICATION,
    &extended::ats::SPECIFICATION,
    &extended::sriov::SPECIFICATION,
    &extended::multicast::SPECIFICATION,
    &extended::page_request::SPECIFICATION,
    &extended::rebar::SPECIFICATION,
    &extended::dpa::SPECIFICATION,
    &extended::tph::SPECIFICATION,
    &extended::ltr::SPECIFICATION,
    &extended::secondary::SPECIFICATION,
    &extended::pmux::SPECIFICATION,
    &extended::pasid::SPECIFICATION,
    &extended::ln_requester::SPECIFICATION,
    &extended::dpc::SPECIFICATION,
    &extended::l1ss::SPECIFICATION,
    &extended::ptm::SPECIFICATION,
    &extended::mphy::SPECIFICATION,
    &extended::frs::SPECIFICATION,
    &extended::readiness_time::SPECIFICATION,
    &extended::dvsec::SPECIFICATION,
    &extended::rebar::VF_SPECIFICATION,
    &extended::data_link_feature::SPECIFICATION,
    &extended::physical_16gt::SPECIFICATION,
    &extended::lane_margining::SPECIFICATION,
    &extended::hierarchy_id::SPECIFICATION,
    &extended::npem::SPECIFICATION,
    &extended::physical_32gt::SPECIFICATION,
    &extended::alternate_protocol::SPECIFICATION,
    &extended::sfi::SPECIFICATION,
    &extended::shadow_functions::SPECIFICATION,
    &extended::doe::SPECIFICATION,
    &extended::device3::SPECIFICATION,
    &extended::ide::SPECIFICATION,
    &extended::physical_64gt::SPECIFICATION,
    &extended::flit_logging::SPECIFICATION,
    &extended::flit_performance::SPECIFICATION,
    &extended::flit_error_injection::SPECIFICATION,
    &extended::streamlined_vc::SPECIFICATION,
    &extended::mmio_locator::SPECIFICATION,
    &extended::nop_flit::SPECIFICATION,
    &extended::siov::SPECIFICATION,
    &extended::physical_128gt::SPECIFICATION,
];

const fn named(
    list: List,
    id: u16,
    key: &'static str,
    name: &'static str,
    section: &'static str,
) -> Specification {
    Specification { list, id, key, name, section, layout: None, registers: &[] }
}

/// A capability that is nothing but its header.
const fn empty(list: List, key: &'static str, section: &'static str) -> Specification {
    Specification { list, id: 0, key, name: "Null", section, layout: Some(|_| {}), registers: &[] }
}

/// Capabilities that are named only.
pub static NAMED: &[Specification] = &[
    empty(List::Standard, "null", "PCI Code and ID Assignment 1.11, 2"),
    named(List::Standard, 0x01, "power", "Power Management", "PCI Power Management 1.2, 3.2"),
    named(List::Standard, 0x02, "agp", "AGP", "AGP 3.0"),
    named(List::Standard, 0x03, "vpd", "Vital Product Data", "PCIe 6.2, 7.9.18"),
    named(List::Standard, 0x04, "slot_id", "Slot Identification", "PCI-to-PCI Bridge 1.2, 13.4"),
    named(List::Standard, 0x05, "msi", "MSI", "PCIe 6.2, 7.7.1"),
    named(List::Standard, 0x06, "compactpci_hot_swap", "CompactPCI Hot Swap", "PICMG 2.1"),
    named(List::Standard, 0x07, "pcix", "PCI-X", "PCI-X 2.0, 7.2"),
    named(List::Standard, 0x08, "hypertransport", "HyperTransport", "HyperTransport 3.1, 7"),
    named(List::Standard, 0x09, "vendor", "Vendor-Specific", "PCIe 6.2, 7.9.4"),
    named(List::Standard, 0x0a, "debug_port", "Debug Port", "EHCI 1.0, appendix C"),
    named(
        List::Standard,
        0x0b,
        "compactpci_resource_control",
        "CompactPCI Central Resource Control",
        "PICMG 2.13",
    ),
    named(List::Standard, 0x0c, "hot_plug", "PCI Hot-Plug", "Standard Hot-Plug Controller 1.0"),
    named(List::Standard, 0x0d, "subsystem", "Subsystem ID and Subsystem Vendor ID", "PCIe 6.2, 7.9.23"),
    named(List::Standard, 0x0e, "agp8x", "AGP 8x", "AGP 3.0"),
    named(List::Standard, 0x10, "express", "PCI Express", "PCIe 6.2, 7.5.3"),
    named(List::Standard, 0x11, "msix", "MSI-X", "PCIe 6.2, 7.7.2"),
    named(List::Standard, 0x12, "sata", "SATA Data/Index Configuration", "Serial ATA AHCI 1.3.1, 2.4"),
    named(List::Standard, 0x13, "advanced_features", "Advanced Features", "PCIe 6.2, 7.9.21"),
    named(List::Standard, 0x14, "enhanced_allocation", "Enhanced Allocation", "PCIe 6.2, 7.8.5"),
    named(List::Standard, 0x15, "flattening_portal_bridge", "Flattening Portal Bridge", "PCIe 6.2, 7.8.11"),
    empty(List::Extended, "null_extended", "PCIe 6.2, 7.6.3"),
    named(List::Extended, 0x01, "aer", "Advanced Error Reporting", "PCIe 6.2, 7.8.4"),
    named(List::Extended, 0x03, "serial_number", "Device Serial Number", "PCIe 6.2, 7.9.3"),
    named(List::Extended, 0x0b, "vsec", "Vendor-Specific Extended Capability", "PCIe 6.2, 7.9.5"),
    named(List::Extended, 0x0d, "acs", "Access Control Services", "PCIe 6.2, 7.7.11"),
    named(List::Extended, 0x0e, "ari", "Alternative Routing-ID Interpretation", "PCIe 6.2, 7.8.8"),
    named(List::Extended, 0x10, "sriov", "Single Root I/O Virtualization", "PCIe 6.2, 9.3.3"),
    named(List::Extended, 0x11, "mriov", "Multi-Root I/O Virtualization", "MR-IOV 1.0"),
    named(List::Extended, 0x15, "rebar", "Resizable BAR", "PCIe 6.2, 7.8.6"),
    named(List::Extended, 0x18, "ltr", "Latency Tolerance Reporting", "PCIe 6.2, 7.8.2"),
    named(List::Extended, 0x19, "secondary", "Secondary PCI Express", "PCIe 6.2, 7.7.3"),
    named(List::Extended, 0x1d, "dpc", "Downstream Port Containment", "PCIe 6.2, 7.9.14"),
    named(List::Extended, 0x1e, "l1ss", "L1 PM Substates", "PCIe 6.2, 7.8.3"),
    named(List::Extended, 0x23, "dvsec", "Designated Vendor-Specific Extended Capability", "PCIe 6.2, 7.9.6"),
    named(List::Extended, 0x24, "vf_rebar", "VF Resizable BAR", "PCIe 6.2, 9.3.7.5"),
    named(List::Extended, 0x26, "physical_16gt", "Physical Layer 16.0 GT/s", "PCIe 6.2, 7.7.5"),
    named(List::Extended, 0x2a, "physical_32gt", "Physical Layer 32.0 GT/s", "PCIe 6.2, 7.7.6"),
    named(List::Extended, 0x39, "physical_128gt", "Physical Layer 128.0 GT/s", "PCIe 7.0"),
    named(List::Extended, 0x3a, "captured_data", "Captured Data", "PCIe 7.0"),
];

/// What is known of an ID, if anything.
pub fn find(list: List, id: u16) -> Option<&'static Specification> {
    let same = |s: &Specification| s.list == list && s.id == id;
    DECODED.iter().copied().find(|s| same(s)).or_else(|| NAMED.iter().find(|s| same(s)))
}

/// All capabilities, decoded ones first.
pub fn all() -> impl Iterator<Item = &'static Specification> {
    let decoded = |s: &Specification| DECODED.iter().any(|d| (d.list, d.id) == (s.list, s.id));
    DECODED.iter().copied().chain(NAMED.iter().filter(move |s| !decoded(s)))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// 22 standard and 56 extended IDs are assigned (extended 0Ch and 14h are not).
    #[test]
    fn every_assigned_id_is_known_once() {
        let count = |list| all().filter(|s| s.list == list).map(|s| s.id).collect::<HashSet<_>>().len();
        assert_eq!((count(List::Standard), count(List::Extended)), (22, 57));
        let keys: HashSet<_> = all().map(|s| s.key).collect();
        assert_eq!(keys.len(), all().count(), "a key names one capability");
    }

    #[test]
    fn fields_neither_overlap_nor_leave_their_register() {
        let header = super::super::header::REGISTERS.iter().copied();
        for register in DECODED.iter().flat_map(|s| s.registers.iter().copied()).chain(header) {
            let mut taken = 0u64;
            let mut keys = HashSet::new();
            let mut shorts = HashSet::new();
            for field in register.fields {
                let place = format!("{}.{}", register.key, field.key);
                assert!(
                    field.high >= field.low && field.high < register.width * 8,
                    "{place} leaves its register"
                );
                assert_eq!(taken & field.mask(), 0, "{place} overlaps another field");
                assert!(keys.insert(field.key), "{place} is there twice");
                assert!(shorts.insert(field.short), "{place} shares the short name {}", field.short);
                assert!(
                    !field.doc.trim().is_empty() && !field.short.is_empty(),
                    "{place} has no doc or no short name"
                );
                taken |= field.mask();
            }
            assert!(!register.doc.trim().is_empty() && !register.section.is_empty(), "{}", register.key);
            assert!(
                register.offset.is_multiple_of(u16::from(register.width.min(4))),
                "{} is unaligned",
                register.key
            );
        }
    }

    #[test]
    fn registers_of_a_capability_have_different_keys() {
        for specification in DECODED {
            assert!(specification.layout.is_some(), "{}", specification.key);
            let keys: HashSet<_> = specification.registers.iter().map(|r| r.key).collect();
            assert_eq!(keys.len(), specification.registers.len(), "{}", specification.key);
        }
    }

    proptest::proptest! {
        /// What is written into the fields of a register is read back, and a register is put together again from them.
        #[test]
        fn every_register_survives_encoding(raw in proptest::num::u64::ANY) {
            let header = super::super::header::REGISTERS.iter().copied();
            for register in DECODED.iter().flat_map(|s| s.registers.iter().copied()).chain(header) {
                let width = u32::from(register.width) * 8;
                let raw = raw & (u64::MAX >> (64 - width));
                let mut built = 0;
                for field in register.fields {
                    built = field.insert(built, field.extract(raw));
                }
                assert_eq!(built, raw & register.defined(), "{}", register.key);
                for field in register.fields {
                    let without = field.insert(raw, 0);
                    assert_eq!(field.extract(without), 0, "{}.{}", register.key, field.key);
                    assert_eq!(without | raw & field.mask(), raw, "{}.{}", register.key, field.key);
                }
            }
        }
    }
}
