//! What the mailboxes of Data Object Exchange understand, as the kernel found it out (`doe_features`).
//!
//! The kernel asked at boot and keeps the answers, a file each, called `doe_discovery` or `VENDOR:TYPE` in hexadecimal
//! (Documentation/ABI/testing/sysfs-bus-pci, drivers/pci/doe.c).

use crate::machine::Function;

/// A kind of data object.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct DoeFeature {
    /// Vendor ID of whoever defined it, such as `0x0001`, the PCI-SIG.
    pub vendor_id: String,
    /// Data object type.
    pub object_type: u8,
    /// What it is; `null` if that is not known.
    pub name: Option<&'static str>,
}

/// What the function's mailboxes understand; `None` if the source does not tell.
pub fn doe_features(function: &Function) -> Option<Vec<DoeFeature>> {
    let names = function.reading.text("doe_features")?;
    let mut features: Vec<(u16, u8)> = names.lines().filter_map(parse).collect();
    features.sort_unstable();
    let feature = |(vendor, object_type): (u16, u8)| DoeFeature {
        vendor_id: super::hex4(vendor),
        object_type,
        name: name(vendor, object_type),
    };
    Some(features.into_iter().map(feature).collect())
}

fn parse(file: &str) -> Option<(u16, u8)> {
    if file == "doe_discovery" {
        return Some((PCI_SIG, 0));
    }
    let (vendor, object_type) = file.split_once(':')?;
    let vendor = vendor.trim_start_matches("0x");
    Some((u16::from_str_radix(vendor, 16).ok()?, u8::from_str_radix(object_type, 16).ok()?))
}

const PCI_SIG: u16 = 0x0001;
const CXL: u16 = 0x1e98;

/// Data object types (PCIe 6.2, 6.30.1; kernel: PCI_DOE_FEATURE_* and CXL_DOE_PROTOCOL_*).
fn name(vendor: u16, object_type: u8) -> Option<&'static str> {
    Some(match (vendor, object_type) {
        (PCI_SIG, 0) => "DOE Discovery",
        (PCI_SIG, 1) => "CMA/SPDM",
        (PCI_SIG, 2) => "Secured CMA/SPDM",
        (CXL, 0) => "CXL Compliance",
        (CXL, 2) => "CXL Table Access (CDAT)",
        _ => return None,
    })
}

/// The features in one line.
pub fn text(features: &[DoeFeature]) -> String {
    let one = |f: &DoeFeature| {
        let name = f.name.map(|name| format!(" {name}")).unwrap_or_default();
        format!("{}:{:02x}{name}", f.vendor_id.trim_start_matches("0x"), f.object_type)
    };
    features.iter().map(one).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files() {
        assert_eq!(parse("doe_discovery"), Some((1, 0)));
        assert_eq!(parse("0001:02"), Some((1, 2)));
        assert_eq!(parse("0x1e98:02"), Some((0x1e98, 2)));
        assert_eq!((parse("0001"), parse("power"), parse("0001:100")), (None, None, None));
        assert_eq!(name(0x1e98, 2), Some("CXL Table Access (CDAT)"));
        assert_eq!(name(0x10de, 0), None);
    }
}
