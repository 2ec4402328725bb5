//! Slots as firmware describes them: System Slots, SMBIOS 3.7 (DMTF DSP0134), 7.10.

use crate::pci::Bdf;
use crate::tree::{Tree, TreeError, printable, read};

/// Where the kernel gives the structures (Documentation/ABI/testing/sysfs-firmware-dmi-tables), to root only.
pub const PATH: &str = "sys/firmware/dmi/tables/DMI";
/// Most bytes of it.
const LIMIT: usize = 1 << 20;
/// 7.10: System Slots.
const SLOTS: u8 = 9;
/// 7.45: the last structure.
const END: u8 = 127;

/// A slot as firmware describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirmwareSlot {
    /// Offset of its structure in the table, in bytes.
    pub offset: usize,
    /// What is printed beside it: `PCIE_SLOT3`. Empty if firmware does not say.
    pub designation: String,
    /// Number of lanes of its data bus: 1 to 32; `None` for slots that are not PCI Express and for unknown ones.
    pub lanes: Option<u8>,
    /// The function in it or the port above it, whichever firmware means; `None` if it says none.
    pub address: Option<Bdf>,
}

/// Reads all of them. `Err`: the table is absent or cannot be read.
pub fn firmware_slots(tree: &dyn Tree) -> Result<Vec<FirmwareSlot>, TreeError> {
    Ok(parse(&read(tree, PATH, LIMIT)?))
}

/// Structures up to the first that does not fit (6.1.2, 6.1.3).
fn parse(table: &[u8]) -> Vec<FirmwareSlot> {
    let mut slots = Vec::new();
    let mut at = 0;
    while let Some([kind, length]) = table.get(at..).and_then(|rest| rest.first_chunk()) {
        let (kind, end) = (*kind, at + usize::from(*length));
        let Some(body) = table.get(at..end).filter(|body| body.len() >= 4) else { break };
        let strings = table.get(end..).unwrap_or_default();
        // Strings end with a zero each, and the list of them with another one.
        let Some(size) = strings.windows(2).position(|pair| pair == [0, 0]) else { break };
        if kind == SLOTS {
            slots.push(slot(at, body, &strings[..size]));
        }
        if kind == END {
            break;
        }
        at = end + size + 2;
    }
    slots
}

fn slot(offset: usize, body: &[u8], strings: &[u8]) -> FirmwareSlot {
    let byte = |at: usize| body.get(at).copied();
    let name =
        byte(0x04).and_then(|number| strings.split(|b| *b == 0).nth(usize::from(number).checked_sub(1)?));
    // 7.10.2: 08h is x1, 0Eh is x32.
    let lanes = match byte(0x06) {
        Some(code @ 0x08..=0x0e) => Some([1, 2, 4, 8, 12, 16, 32][usize::from(code - 0x08)]),
        _ => None,
    };
    // Since version 2.6. All-ones: no address (7.10.8, 7.10.9).
    let address = || {
        let domain = u16::from_le_bytes([byte(0x0d)?, byte(0x0e)?]);
        let (bus, device) = (byte(0x0f)?, byte(0x10)?);
        let none = domain == u16::MAX || (bus, device) == (u8::MAX, u8::MAX);
        let address = Bdf { domain: domain.into(), bus, device: device >> 3, function: device & 7 };
        (!none).then_some(address)
    };
    FirmwareSlot {
        offset,
        designation: name.map(|name| printable(name.to_vec())).unwrap_or_default().trim().to_owned(),
        lanes,
        address: address(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A structure with its strings.
    fn structure(kind: u8, body: &[u8], strings: &[&str]) -> Vec<u8> {
        let mut bytes = vec![kind, body.len() as u8 + 4, 1, 0];
        bytes.extend(body);
        strings.iter().for_each(|text| bytes.extend([text.as_bytes(), &[0]].concat()));
        bytes.extend(if strings.is_empty() { &[0, 0][..] } else { &[0] });
        bytes
    }

    fn table() -> Vec<u8> {
        let first = [1, 0xa5, 0x0b, 4, 3, 1, 0, 0, 0, 0, 0, 0x41, 0x08];
        let second = [2, 0xa5, 0x0d, 3, 3, 2, 0, 0, 0, 0xff, 0xff, 0xff, 0xff];
        [
            structure(0, &[1; 14], &["BIOS"]),
            structure(9, &first, &["SLOT 1"]),
            structure(9, &second, &["x", "SLOT 2 "]),
            // Version 2.0, without an address.
            structure(9, &[1, 6, 5, 3, 3, 2, 0, 0], &["PCI"]),
            structure(127, &[], &[]),
            structure(9, &first, &["behind the end"]),
        ]
        .concat()
    }

    #[test]
    fn slots_are_read_with_their_lanes_and_addresses() {
        let slots = parse(&table());
        let shown: Vec<_> = slots
            .iter()
            .map(|s| (s.designation.as_str(), s.lanes, s.address.map(|a| a.to_string())))
            .collect();
        assert_eq!(
            shown,
            [
                ("SLOT 1", Some(8), Some("0000:41:01.0".to_owned())),
                ("SLOT 2", Some(16), None),
                ("PCI", None, None)
            ]
        );
    }

    #[test]
    fn tables_that_break_off_end() {
        let table = table();
        for length in 0..table.len() {
            assert!(parse(&table[..length]).len() <= 3);
        }
    }
}
