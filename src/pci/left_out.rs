//! What of a capability is not read, and what is not decoded, each with the reason.

/// Part of a capability that is not read because its content is decided by a write, or a read would do something.
#[derive(Debug)]
pub struct NotRead {
    /// Key of the capability.
    pub capability: &'static str,
    /// Key of the register that decides what is to be seen.
    pub register: &'static str,
    /// Whether something is not read where the register holds this value.
    pub when: fn(u64) -> bool,
    /// What is not read and why: a line.
    pub text: &'static str,
}

const fn not_read(capability: &'static str, register: &'static str, text: &'static str) -> NotRead {
    NotRead { capability, register, when: |_| true, text }
}

const fn not_read_when(
    capability: &'static str,
    register: &'static str,
    when: fn(u64) -> bool,
    text: &'static str,
) -> NotRead {
    NotRead { capability, register, when, text }
}

/// All of them.
pub static NOT_READ: &[NotRead] = &[
    not_read(
        "vpd",
        "address",
        "the data: each four bytes of it need a write; the kernel's file has them (--vpd)",
    ),
    not_read(
        "hypertransport",
        "switch_info",
        "counters and ranges of the switch: which one is seen takes a write",
    ),
    not_read(
        "hypertransport",
        "interrupt_index",
        "the interrupt definitions: which one is seen takes a write",
    ),
    not_read("hypertransport", "configuration_address", "the data: reading it reads another register"),
    not_read("hypertransport", "address_mapping_index", "the windows: which one is seen takes a write"),
    not_read("hypertransport", "direct_route", "the spaces: which one is seen takes a write"),
    not_read("hot_plug", "dword_select", "the controller's registers: which one is seen takes a write"),
    not_read(
        "flattening_portal_bridge",
        "vector_access_control",
        "the vectors: which part is seen takes a write",
    ),
    not_read_when(
        "power",
        "control_status",
        |raw| raw >> 13 & 3 != 0,
        "the other power values: which one the data register shows takes a write to Data Select",
    ),
    not_read_when(
        "vendor",
        "structure_type",
        |raw| raw == 5,
        "the window into the function's memory: what it shows takes a write, and to read it reads the function",
    ),
    not_read_when(
        "vendor",
        "structure_type",
        |raw| !matches!(raw, 1..=4 | 8 | 9),
        "the structure: of a kind that is not known a read may do something",
    ),
    not_read_when(
        "vendor",
        "intel_structure",
        |raw| raw >> 4 == 1,
        "the registers of feature detection: which one is seen takes a write",
    ),
    not_read(
        "sata",
        "location",
        "the registers behind index and data: which one is seen takes a write to the index",
    ),
    not_read(
        "power_budgeting",
        "data_select",
        "the other entries of the list: which one the data register shows takes a write to Data Select",
    ),
    not_read_when(
        "tph",
        "capability",
        |raw| raw >> 9 & 3 == 2,
        "the table of steering tags: it is in the MSI-X table, in memory of the function",
    ),
    not_read(
        "mphy",
        "phy_control_address",
        "the registers of the physical layer: which one is seen takes a write to the address",
    ),
    not_read_when(
        "frs",
        "message_queue",
        |raw| raw >> 20 > 1,
        "the messages behind the oldest one: to see the next takes a write that removes the oldest",
    ),
    not_read(
        "lane_margining",
        "port_capabilities",
        "the margins: to measure one takes writes of commands, which disturb the link",
    ),
    not_read_when(
        "alternate_protocol",
        "capabilities",
        |raw| raw & 0xff > 1,
        "the other protocols: which one the data registers describe takes a write to the index",
    ),
    not_read(
        "sfi",
        "cam_address",
        "the data register: to read it reads a function below the port, at an address that takes a write",
    ),
    not_read(
        "doe",
        "capabilities",
        "the mailbox: objects go in by writes, and a reader in between would take a piece of somebody else's",
    ),
];

/// The rows of [`NOT_READ`] about a capability.
pub fn not_read_of(capability: &str) -> impl Iterator<Item = &'static NotRead> {
    NOT_READ.iter().filter(move |row| row.capability == capability)
}

/// Why nothing, or not all, of a capability is decoded, by its key.
pub static NOT_DECODED: &[(&str, &str)] = &[
    ("vendor", "the body is the vendor's; those of virtio devices and of Intel's host bridges are decoded"),
    ("compactpci_resource_control", "no public source has the layout; PICMG 2.13 is sold to members only"),
    ("secure_device", "kinds other than AMD's IOMMU are not public"),
    ("agp8x", "no public source has the layout; AGP 3.0 puts its registers behind ID 02h"),
    ("vsec", "the body is the vendor's"),
    ("mriov", "no public source has the layout; MR-IOV 1.0 is for members of the PCI-SIG only"),
    ("dvsec", "the body is a vendor's; those of the CXL Consortium are decoded"),
    ("captured_data", "no public source has the layout; PCI Express 7.0 is for members of the PCI-SIG only"),
];

/// Why nothing, or not all, of a capability is decoded.
pub fn why_not_decoded(capability: &str) -> Option<&'static str> {
    NOT_DECODED.iter().find(|(key, _)| *key == capability).map(|(_, text)| *text)
}

#[cfg(test)]
mod tests {
    use super::super::catalogue::{DECODED, all};
    use super::*;

    #[test]
    fn what_is_not_decoded_has_a_reason() {
        for specification in all().filter(|s| s.layout.is_none()) {
            assert!(why_not_decoded(specification.key).is_some(), "{}", specification.key);
        }
        for (key, _) in NOT_DECODED {
            assert!(all().any(|s| s.key == *key), "{key}");
        }
    }

    #[test]
    fn what_is_not_read_belongs_to_a_register() {
        for NotRead { capability, register, text, .. } in NOT_READ {
            let specification = DECODED.iter().find(|s| s.key == *capability);
            let found = specification.is_some_and(|s| s.registers.iter().any(|r| r.key == *register));
            assert!(found && !text.is_empty(), "{capability}.{register}");
        }
    }
}
