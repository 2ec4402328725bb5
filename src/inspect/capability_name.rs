//! What people call a capability: its name, its abbreviations, its ID.

use crate::pci::decode::Specification;
use crate::pci::extended::dvsec;

/// Other names of capabilities than their own, by key: those of the specification, of Linux (`PCI_CAP_ID_*` and
/// `PCI_EXT_CAP_ID_*` in include/uapi/linux/pci_regs.h), of lspci and of setpci (`CAP_*`, `ECAP_*`). Letter case and what
/// is no letter or digit does not count.
static ABBREVIATIONS: &[(&str, &[&str])] = &[
    ("power", &["PM", "PCI Power Management"]),
    ("slot_id", &["SLOTID"]),
    ("msi", &["Message Signaled Interrupts", "Message Signalled Interrupts"]),
    ("compactpci_hot_swap", &["CHSWP"]),
    ("hypertransport", &["HT"]),
    ("vendor", &["VNDR", "Vendor Specific Information"]),
    ("debug_port", &["DBG"]),
    ("compactpci_resource_control", &["CCRC"]),
    ("hot_plug", &["SHPC"]),
    ("subsystem", &["SSVID"]),
    ("agp8x", &["AGP3"]),
    ("secure_device", &["SECDEV"]),
    ("express", &["EXP", "PCIe"]),
    ("sata", &["SATA HBA"]),
    ("advanced_features", &["AF", "PCI Advanced Features"]),
    ("enhanced_allocation", &["EA"]),
    ("flattening_portal_bridge", &["FPB"]),
    ("aer", &["ERR"]),
    ("virtual_channel", &["VC"]),
    ("serial_number", &["DSN"]),
    ("power_budgeting", &["PWR", "PB"]),
    ("link_declaration", &["RCLD", "RCLINK", "Root Complex Link"]),
    ("internal_link_control", &["RCILC", "RCILINK", "Root Complex Internal Link"]),
    ("event_collector", &["RCEC", "RCECOLL", "Root Complex Event Collector"]),
    ("virtual_channel_mfvc", &["VC9", "VC2"]),
    ("vsec", &["VNDR", "Vendor Specific Information"]),
    ("multicast", &["MCAST"]),
    ("page_request", &["PRI"]),
    ("tph", &["TPHR", "Transaction Processing Hints"]),
    ("secondary", &["SECPCI", "SECPCIE"]),
    ("ln_requester", &["LNR"]),
    ("l1ss", &["L1PM"]),
    ("mphy", &["M-PCIe"]),
    ("readiness_time", &["RTR"]),
    ("dvsec", &["CXL", "Designated Vendor-Specific"]),
    ("data_link_feature", &["DLF", "DLNK"]),
    ("physical_16gt", &["PL_16GT", "16GT"]),
    ("lane_margining", &["LMR"]),
    ("hierarchy_id", &["HIER_ID"]),
    ("physical_32gt", &["PL_32GT", "32GT"]),
    ("device3", &["DEV3"]),
    ("ide", &["Integrity & Data Encryption"]),
    ("physical_64gt", &["PL_64GT", "64GT"]),
    ("streamlined_vc", &["SVC"]),
    ("mmio_locator", &["MRBL"]),
];

/// Other names of the capability with this key.
pub fn abbreviations(key: &str) -> &'static [&'static str] {
    ABBREVIATIONS.iter().find(|(of, _)| *of == key).map_or(&[], |(_, names)| names)
}

/// Whether a capability is called so: its key, its name with or without what stands in brackets behind it, an abbreviation,
/// what a vendor uses it for, or its ID.
pub fn is_name_of(specification: &Specification, name: &str) -> bool {
    if let Some(id) = capability_id(name) {
        return specification.id == id;
    }
    let wanted = plain(name);
    let same = |text: &str| plain(text) == wanted;
    let kinds =
        || specification.key == dvsec::SPECIFICATION.key && dvsec::KINDS.iter().any(|k| is_kind(k, &wanted));
    !wanted.is_empty()
        && (same(specification.key)
            || same(specification.name)
            || abbreviations(specification.key).iter().any(|text| same(text))
            || kinds())
}

/// `Flex Bus Port` is `PCIe DVSEC for Flex Bus Port`, `GPF` is two kinds.
fn is_kind(kind: &dvsec::Kind, wanted: &str) -> bool {
    let name = plain(kind.name);
    let core = name.trim_start_matches("pciedvsecfor");
    let core = core.trim_end_matches("dvsec");
    let first = core.split("dvsecfor").next().unwrap_or(core);
    [name.as_str(), core, first].contains(&wanted)
}

/// A capability ID as people write one: `0x1d`, `0x001d`, or as `show` prints it, `1dh`.
pub fn capability_id(name: &str) -> Option<u16> {
    let lower = name.to_ascii_lowercase();
    let digits = match lower.strip_prefix("0x") {
        Some(digits) => digits,
        // `each` has the form too, but is a word.
        None => lower.strip_suffix('h').filter(|digits| digits.starts_with(|c: char| c.is_ascii_digit()))?,
    };
    let sound = (1..=4).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit());
    if sound { u16::from_str_radix(digits, 16).ok() } else { None }
}

/// Letters and digits in lower case, without an abbreviation in brackets and the word capability at the end.
fn plain(name: &str) -> String {
    let name = name.trim();
    let name = match name.strip_suffix(')').and_then(|name| name.rsplit_once(" (")) {
        Some((name, "with MFVC")) => &format!("{name} with MFVC"),
        Some((name, _)) => name,
        None => name,
    };
    let letters: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let end = |text: &str, end: &str| text.strip_suffix(end).filter(|t| !t.is_empty()).map(str::to_owned);
    let letters = end(&letters, "structure").unwrap_or(letters);
    let letters = end(&letters, "capability").unwrap_or(letters);
    end(&letters, "extended").unwrap_or(letters)
}

/// A name in words as paths are written: `Link Capabilities 2 Register` is `link_capabilities_2`.
pub fn underscored(name: &str) -> String {
    let lower = name.trim().to_lowercase();
    let lower = lower.strip_suffix(" register").or_else(|| lower.strip_suffix(" field")).unwrap_or(&lower);
    let words =
        lower.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '.').filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pci::catalogue;

    fn keys(name: &str) -> Vec<&'static str> {
        catalogue::all().filter(|s| is_name_of(s, name)).map(|s| s.key).collect()
    }

    #[test]
    fn names_abbreviations_and_ids() {
        for (name, expected) in [
            ("ACS", &["acs"][..]),
            ("pm", &["power"]),
            ("Power Management", &["power"]),
            ("MSI-X", &["msix"]),
            ("SR-IOV", &["sriov"]),
            ("Single Root I/O Virtualization (SR-IOV)", &["sriov"]),
            ("Access Control Services Extended Capability", &["acs"]),
            ("Lane Margining at the Receiver", &["lane_margining"]),
            ("Virtual Channel", &["virtual_channel"]),
            ("Virtual Channel (with MFVC)", &["virtual_channel_mfvc"]),
            ("VNDR", &["vendor", "vsec"]),
            ("CXL", &["dvsec"]),
            ("Flex Bus Port", &["dvsec"]),
            ("Register Locator", &["dvsec"]),
            ("GPF", &["dvsec"]),
            ("0x1d", &["dpc"]),
            ("0x10", &["express", "sriov"]),
            ("0x0010", &["express", "sriov"]),
            ("001Dh", &["dpc"]),
            ("0x3b", &[]),
            ("", &[]),
            ("capability", &[]),
            ("!", &[]),
        ] {
            assert_eq!(keys(name), expected, "{name}");
        }
        assert_eq!(
            (capability_id("each"), capability_id("0x12345"), capability_id("0x")),
            (None, None, None)
        );
    }

    #[test]
    fn every_capability_is_found_by_what_show_prints_of_it_and_every_abbreviation_belongs_to_one() {
        for specification in catalogue::all() {
            assert!(keys(specification.name).contains(&specification.key), "{}", specification.name);
        }
        for (key, names) in ABBREVIATIONS {
            assert!(catalogue::all().any(|s| s.key == *key) && !names.is_empty(), "{key}");
            for name in *names {
                assert!(keys(name).contains(key), "{name}");
            }
        }
    }

    #[test]
    fn names_in_words() {
        assert_eq!(underscored("Link Capabilities 2 Register"), "link_capabilities_2");
        assert_eq!(underscored("hot-plug capable"), "hot_plug_capable");
    }
}
