//! The table that is part of the program.
//!
//! `build/device_names.rs` writes it and this file reads it. It is searched where it lies: nothing is parsed or
//! allocated at the start of the program, and there is nothing for the loader to relocate (the tables of the crate
//! that it is made from cost 3 MB of relocations in every process).
//!
//! # Format
//!
//! All numbers have their most significant byte first, so that keys compare as bytes do.
//!
//! | offset | bytes | what |
//! | --- | --- | --- |
//! | 0 | 8 | `PCINAMES` |
//! | 8 | 16 | date as `2025.07.11`, or `unknown`; filled up with zeros |
//! | 24 | 8 | checksum: FNV-1a, 64 bits, over key, name and a zero byte of every entry in the order of the tables |
//! | 32 | 6 x 4 | number of entries in each of the six tables |
//! | 56 | | the tables, one behind the other: vendors, devices, subsystems, classes, subclasses, programming interfaces |
//! | | | the names, UTF-8, without anything between them |
//!
//! An entry is its key, the offset of its name in the names (4 bytes) and the length of its name (2 bytes). A key
//! includes those above it: vendor (2 bytes); vendor, device (4); vendor, device, subsystem vendor, subsystem device
//! (8); base class (1); base class, subclass (2); base class, subclass, programming interface (3). Entries are sorted
//! by key and no key comes twice.

use super::{Date, Entry};

static BUILT_IN: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/device_names.bin"));

/// Fewer vendors than this, and the table is not a table of PCI IDs: the build found an empty or a damaged one.
const FEWEST_VENDORS: u32 = 2400;

const HEADER_BYTES: usize = 56;
const KEY_BYTES: [usize; 6] = [2, 4, 8, 1, 2, 3];
const NAME_REFERENCE_BYTES: usize = 6;

/// A table of names in the format above. Anything else, or a part of one, is a table with fewer names.
#[derive(Debug, Clone, Copy)]
pub struct Embedded {
    bytes: &'static [u8],
}

impl Embedded {
    /// The table that is part of the program.
    pub fn built_in() -> Self {
        Embedded { bytes: BUILT_IN }
    }

    #[cfg(test)]
    pub(super) fn built_in_bytes() -> &'static [u8] {
        BUILT_IN
    }

    #[cfg(test)]
    pub(super) fn from_bytes(bytes: &'static [u8]) -> Self {
        Embedded { bytes }
    }

    /// When the PCI ID Repository published it; `None` if it is not the table that the crate was published with.
    pub fn date(&self) -> Option<Date> {
        std::str::from_utf8(self.bytes.get(8..24)?).ok().and_then(Date::parse)
    }

    /// Checksum of the contents.
    pub fn checksum(&self) -> u64 {
        let bytes = self.bytes.get(24..32).and_then(|bytes| <[u8; 8]>::try_from(bytes).ok());
        bytes.map_or(0, u64::from_be_bytes)
    }

    /// Number of vendors, devices, subsystems, classes, subclasses and programming interfaces.
    pub fn counts(&self) -> [u32; 6] {
        std::array::from_fn(|table| number(self.bytes, 32 + 4 * table, 4).unwrap_or(0))
    }

    /// Whether it has as many vendors as a table of PCI IDs has.
    pub fn is_plausible(&self) -> bool {
        self.counts()[0] >= FEWEST_VENDORS
    }

    /// The name of an entry.
    pub fn name(&self, entry: Entry) -> Option<&'static str> {
        let (table, key) = match entry {
            Entry::Vendor(vendor) => (0, u64::from(vendor)),
            Entry::Device(vendor, device) => (1, join(vendor, device)),
            Entry::Subsystem(vendor, device, subvendor, subdevice) => {
                (2, join(vendor, device) << 32 | join(subvendor, subdevice))
            }
            Entry::Class(base) => (3, u64::from(base)),
            Entry::Subclass(base, subclass) => (4, u64::from(base) << 8 | u64::from(subclass)),
            Entry::ProgrammingInterface(base, subclass, interface) => {
                (5, u64::from(base) << 16 | u64::from(subclass) << 8 | u64::from(interface))
            }
        };
        self.find(table, &key.to_be_bytes()[8 - KEY_BYTES[table]..])
    }

    fn find(&self, table: usize, key: &[u8]) -> Option<&'static str> {
        let counts = self.counts();
        let bytes_of =
            |table: usize| (counts[table] as usize).checked_mul(KEY_BYTES[table] + NAME_REFERENCE_BYTES);
        let mut start = HEADER_BYTES;
        for earlier in 0..table {
            start = start.checked_add(bytes_of(earlier)?)?;
        }
        let mut pool = start;
        for later in table..counts.len() {
            pool = pool.checked_add(bytes_of(later)?)?;
        }
        let entries = self.bytes.get(start..start.checked_add(bytes_of(table)?)?)?;
        let width = key.len() + NAME_REFERENCE_BYTES;
        let (mut low, mut high) = (0, entries.len() / width);
        while low < high {
            let middle = low + (high - low) / 2;
            let entry = entries.get(middle * width..(middle + 1) * width)?;
            let (found, reference) = entry.split_at(key.len());
            match found.cmp(key) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => {
                    let start = pool.checked_add(number(reference, 0, 4)? as usize)?;
                    let end = start.checked_add(number(reference, 4, 2)? as usize)?;
                    return std::str::from_utf8(self.bytes.get(start..end)?).ok();
                }
            }
        }
        None
    }
}

fn join(upper: u16, lower: u16) -> u64 {
    u64::from(upper) << 16 | u64::from(lower)
}

/// A number of at most four bytes.
fn number(bytes: &[u8], offset: usize, length: usize) -> Option<u32> {
    let bytes = bytes.get(offset..offset.checked_add(length)?)?;
    Some(bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pci_ids::{Classes, Vendors};

    #[test]
    fn the_table_is_the_one_that_the_crate_was_published_with() {
        let table = Embedded::built_in();
        assert!(table.is_plausible(), "only {} vendors", table.counts()[0]);
        assert_eq!(
            table.date().map(|date| date.to_string()).as_deref(),
            Some("2025.07.11"),
            "checksum {:016x}: the build got another table, see docs/device-names.md",
            table.checksum()
        );
        assert_eq!(&table.counts()[..2], [2445, 19836]);
    }

    #[test]
    fn every_entry_of_the_crate_is_found() {
        let table = Embedded::built_in();
        let mut found = [0; 6];
        let mut check = |kind: usize, entry, name| {
            assert_eq!(table.name(entry), Some(name), "{entry:?}");
            found[kind] += 1;
        };
        for vendor in Vendors::iter() {
            check(0, Entry::Vendor(vendor.id()), vendor.name());
            for device in vendor.devices() {
                check(1, Entry::Device(vendor.id(), device.id()), device.name());
                for s in device.subsystems() {
                    let entry = Entry::Subsystem(vendor.id(), device.id(), s.subvendor(), s.subdevice());
                    check(2, entry, s.name());
                }
            }
        }
        for class in Classes::iter() {
            check(3, Entry::Class(class.id()), class.name());
            for subclass in class.subclasses() {
                check(4, Entry::Subclass(class.id(), subclass.id()), subclass.name());
                for interface in subclass.prog_ifs() {
                    let entry = Entry::ProgrammingInterface(class.id(), subclass.id(), interface.id());
                    check(5, entry, interface.name());
                }
            }
        }
        assert_eq!(found, table.counts(), "and nothing else is in the table");
    }

    #[test]
    fn what_is_not_there_has_no_name() {
        let table = Embedded::built_in();
        for vendor in (0..=u16::MAX).filter(|id| !Vendors::iter().any(|vendor| vendor.id() == *id)).take(500)
        {
            assert_eq!(table.name(Entry::Vendor(vendor)), None);
            assert_eq!(table.name(Entry::Device(vendor, 0)), None);
        }
        assert_eq!(table.name(Entry::Subsystem(0xffff, 0xffff, 0xffff, 0xffff)), None);
        assert_eq!(table.name(Entry::Subclass(0x00, 0x99)), None);
    }

    #[test]
    fn a_damaged_table_has_fewer_names_and_does_not_panic() {
        for length in [0, 7, 8, 24, 32, 55, 56, 57, 1000, 30_000, 700_000, BUILT_IN.len() - 1] {
            let table = Embedded::from_bytes(&BUILT_IN[..length]);
            for id in 0..=255 {
                table.name(Entry::Vendor(id << 8));
                table.name(Entry::Device(0x8086, id << 4));
                table.name(Entry::ProgrammingInterface(id as u8, 0, 0));
            }
            assert_eq!(table.is_plausible(), length >= 56 || length == 55, "{length}");
        }
        let huge: &'static [u8] = [&BUILT_IN[..32], &[0xff; 100]].concat().leak();
        assert_eq!(Embedded::from_bytes(huge).name(Entry::Vendor(0x8086)), None);
    }
}
