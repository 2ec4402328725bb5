//! Turns the table of the crate `pci-ids` into one run of bytes that the program searches as it is.
//!
//! The format is described in `src/names/embedded.rs`, which reads it. Why the crate's own table is not used in the
//! program, and why its date has to be found out, is in `docs/device-names.md`.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use pci_ids::{Classes, Vendors};

/// Tables whose checksum is known, and their dates. docs/device-names.md says how to add one.
const KNOWN_TABLES: &[(u64, &str)] = &[(0x554e_d160_1930_a29f, "2025.07.11")];

/// Fewer vendors than this, and the table is not a table of PCI IDs (2,445 in July 2025; none are ever removed).
const FEWEST_VENDORS: usize = 2400;

/// Entries with keys of one width: the key, most significant byte first, and the name.
type Table = Vec<(Vec<u8>, &'static str)>;

/// Writes the table to `path`.
pub fn write(path: &Path) -> io::Result<()> {
    let tables = tables();
    let checksum = checksum(&tables);
    let date = KNOWN_TABLES.iter().find(|(known, _)| *known == checksum).map(|(_, date)| *date);
    let vendors = tables[0].len();
    if vendors < FEWEST_VENDORS {
        println!(
            "cargo:warning=the crate pci-ids has a table with only {vendors} vendors: \
             the program will use the system's pci.ids instead"
        );
    } else if date.is_none() {
        println!(
            "cargo:warning=the table of the crate pci-ids is not the one it was published with \
             (checksum {checksum:016x}): its date is unknown, see docs/device-names.md"
        );
    }
    std::fs::write(path, blob(&tables, checksum, date.unwrap_or("unknown"))?)
}

/// Vendors, devices, subsystems, classes, subclasses, programming interfaces, each sorted by key.
fn tables() -> [Table; 6] {
    let mut tables: [Table; 6] = Default::default();
    let [vendors, devices, subsystems, classes, subclasses, interfaces] = &mut tables;
    for vendor in Vendors::iter() {
        let vendor_key = vendor.id().to_be_bytes();
        vendors.push((vendor_key.to_vec(), vendor.name()));
        for device in vendor.devices() {
            let device_key = [vendor_key, device.id().to_be_bytes()].concat();
            for subsystem in device.subsystems() {
                let own = [subsystem.subvendor().to_be_bytes(), subsystem.subdevice().to_be_bytes()].concat();
                subsystems.push(([device_key.clone(), own].concat(), subsystem.name()));
            }
            devices.push((device_key, device.name()));
        }
    }
    for class in Classes::iter() {
        classes.push((vec![class.id()], class.name()));
        for subclass in class.subclasses() {
            subclasses.push((vec![class.id(), subclass.id()], subclass.name()));
            for interface in subclass.prog_ifs() {
                interfaces.push((vec![class.id(), subclass.id(), interface.id()], interface.name()));
            }
        }
    }
    for table in &mut tables {
        table.sort_by(|(a, _), (b, _)| a.cmp(b));
        table.dedup_by(|(later, _), (first, _)| later == first);
    }
    tables
}

/// FNV-1a, 64 bits, over every key and name, so that it depends on what the table says and not on how it is stored.
fn checksum(tables: &[Table]) -> u64 {
    let bytes =
        tables.iter().flatten().flat_map(|(key, name)| key.iter().copied().chain(name.bytes()).chain([0]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn blob(tables: &[Table], checksum: u64, date: &str) -> io::Result<Vec<u8>> {
    let mut bytes = b"PCINAMES".to_vec();
    let mut date = date.as_bytes().to_vec();
    date.resize(16, 0);
    bytes.extend(date);
    bytes.extend(checksum.to_be_bytes());
    for table in tables {
        bytes.extend(u32::try_from(table.len()).map_err(io::Error::other)?.to_be_bytes());
    }
    let mut pool = Vec::new();
    let mut pooled = HashMap::new();
    for (key, name) in tables.iter().flatten() {
        let offset = *pooled.entry(*name).or_insert_with(|| {
            pool.extend(name.bytes());
            pool.len() - name.len()
        });
        bytes.extend(key);
        bytes.extend(u32::try_from(offset).map_err(io::Error::other)?.to_be_bytes());
        bytes.extend(u16::try_from(name.len()).map_err(io::Error::other)?.to_be_bytes());
    }
    bytes.extend(pool);
    Ok(bytes)
}
