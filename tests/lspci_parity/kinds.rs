//! Which of our capabilities a title of lspci means.

use pciscope::pci::walk::List;

/// How titles start, with the list and the key in our catalogue. Of several that fit, the longest counts.
const KINDS: &[(List, &str, &str)] = &[
    (List::Standard, "Null", "null"),
    (List::Standard, "Power Management", "power"),
    (List::Standard, "AGP version", "agp"),
    (List::Standard, "Vital Product Data", "vpd"),
    (List::Standard, "Slot ID", "slot_id"),
    (List::Standard, "MSI", "msi"),
    (List::Standard, "CompactPCI hot-swap", "compactpci_hot_swap"),
    (List::Standard, "PCI-X", "pcix"),
    (List::Standard, "HyperTransport", "hypertransport"),
    (List::Standard, "Vendor Specific Information", "vendor"),
    (List::Standard, "Debug port", "debug_port"),
    (List::Standard, "CompactPCI central resource control", "compactpci_resource_control"),
    (List::Standard, "Hot-plug capable", "hot_plug"),
    (List::Standard, "Subsystem", "subsystem"),
    (List::Standard, "AGP3", "agp8x"),
    (List::Standard, "Secure device", "secure_device"),
    (List::Standard, "Express", "express"),
    (List::Standard, "MSI-X", "msix"),
    (List::Standard, "SATA HBA", "sata"),
    (List::Standard, "PCI Advanced Features", "advanced_features"),
    (List::Standard, "Enhanced Allocation", "enhanced_allocation"),
    (List::Extended, "Null", "null_extended"),
    (List::Extended, "Advanced Error Reporting", "aer"),
    (List::Extended, "Virtual Channel", "virtual_channel"),
    (List::Extended, "Device Serial Number", "serial_number"),
    (List::Extended, "Power Budgeting", "power_budgeting"),
    (List::Extended, "Root Complex Link", "link_declaration"),
    (List::Extended, "Root Complex Internal Link", "internal_link_control"),
    (List::Extended, "Root Complex Event Collector", "event_collector"),
    (List::Extended, "Root Complex Event Collector Endpoint Association", "event_collector"),
    (List::Extended, "Multi-Function Virtual Channel", "mfvc"),
    (List::Extended, "Root Complex Register Block", "rcrb"),
    (List::Extended, "Vendor Specific Information", "vsec"),
    (List::Extended, "Access Control Services", "acs"),
    (List::Extended, "Alternative Routing-ID Interpretation", "ari"),
    (List::Extended, "Address Translation Service", "ats"),
    (List::Extended, "Single Root I/O Virtualization", "sriov"),
    (List::Extended, "Multi-Root I/O Virtualization", "mriov"),
    (List::Extended, "Multicast", "multicast"),
    (List::Extended, "Page Request Interface", "page_request"),
    (List::Extended, "Physical Resizable BAR", "rebar"),
    (List::Extended, "Dynamic Power Allocation", "dpa"),
    (List::Extended, "Transaction Processing Hints", "tph"),
    (List::Extended, "Latency Tolerance Reporting", "ltr"),
    (List::Extended, "Secondary PCI Express", "secondary"),
    (List::Extended, "Protocol Multiplexing", "pmux"),
    (List::Extended, "Process Address Space ID", "pasid"),
    (List::Extended, "LN Requester", "ln_requester"),
    (List::Extended, "Downstream Port Containment", "dpc"),
    (List::Extended, "L1 PM Substates", "l1ss"),
    (List::Extended, "Precision Time Measurement", "ptm"),
    (List::Extended, "PCI Express over M_PHY", "mphy"),
    (List::Extended, "FRS Queueing", "frs"),
    (List::Extended, "Readiness Time Reporting", "readiness_time"),
    (List::Extended, "Designated Vendor-Specific", "dvsec"),
    (List::Extended, "Virtual Resizable BAR", "vf_rebar"),
    (List::Extended, "Data Link Feature", "data_link_feature"),
    (List::Extended, "Physical Layer 16.0 GT/s", "physical_16gt"),
    (List::Extended, "Lane Margining at the Receiver", "lane_margining"),
    (List::Extended, "Hierarchy ID", "hierarchy_id"),
    (List::Extended, "Native PCIe Enclosure Management", "npem"),
    (List::Extended, "Physical Layer 32.0 GT/s", "physical_32gt"),
    (List::Extended, "Data Object Exchange", "doe"),
    (List::Extended, "Device 3", "device3"),
    (List::Extended, "Integrity & Data Encryption", "ide"),
    (List::Extended, "Physical Layer 64.0 GT/s", "physical_64gt"),
    (List::Extended, "Flit Logging", "flit_logging"),
    (List::Extended, "Flit Error Injection", "flit_error_injection"),
    (List::Extended, "MMIO Register Block Locator", "mmio_locator"),
];

/// Capabilities that are decoded and not compared, because there are no rules for what lspci prints of them yet. The
/// list goes down, never up.
pub const WITHOUT_RULES: &[&str] = &[];

/// What a title says.
pub enum Kind<'a> {
    /// A capability that both know, and the rest of the title.
    Known(&'static str, &'a str),
    /// lspci has no name for the ID.
    Unknown(u16),
    /// The list ends here because it is broken.
    Broken(&'a str),
}

/// What a title means; `None` if nothing is known of it.
pub fn kind(list: List, title: &str) -> Option<Kind<'_>> {
    if title.starts_with('<') {
        return Some(Kind::Broken(title));
    }
    let number = title
        .strip_prefix("Extended Capability ID 0x")
        .or_else(|| title.strip_prefix("Capability ID 0x"))
        .or_else(|| title.strip_prefix('#'));
    if let Some(number) = number {
        let digits = number.split(' ').next()?;
        return u16::from_str_radix(digits, 16).ok().map(Kind::Unknown);
    }
    let known = KINDS.iter().filter(|k| k.0 == list && title.starts_with(k.1)).max_by_key(|k| k.1.len())?;
    Some(Kind::Known(known.2, &title[known.1.len()..]))
}
