//! Every seed of `fuzz/seeds`, and thousands of changed copies of each, through the fuzz targets: none panics, all end.
//!
//! `fuzz/README.md` says how to fuzz in earnest.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;

#[path = "../fuzz/targets/acpi.rs"]
mod acpi;
#[path = "../fuzz/targets/archive.rs"]
mod archive;
#[path = "../fuzz/targets/config_space.rs"]
mod config_space;
#[path = "../fuzz/targets/hexdump.rs"]
mod hexdump;
#[path = "../fuzz/targets/interrupts.rs"]
mod interrupts;
#[path = "../fuzz/targets/msix_table.rs"]
mod msix_table;
#[path = "../fuzz/targets/vpd.rs"]
mod vpd;

/// Changed copies of each seed.
const COPIES: u64 = 200;

/// A plain generator (xorshift64*), so that every run is the same.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit.max(1)
    }
}

/// A few bytes set, inserted, removed, or the end cut off.
fn change(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=random.below(8) {
        let at = random.below(bytes.len());
        match random.below(6) {
            0 if !bytes.is_empty() => bytes[at] = random.below(256) as u8,
            1 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
            2 if !bytes.is_empty() => bytes[at] = [0, 0xff, 0x7f, 0x80][random.below(4)],
            3 => bytes.insert(at.min(bytes.len()), random.below(256) as u8),
            4 if !bytes.is_empty() => drop(bytes.remove(at)),
            5 if random.below(4) == 0 => bytes.truncate(at),
            _ => {}
        }
    }
    bytes
}

fn run(name: &str, target: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(name);
    let mut seeds: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    seeds.sort();
    assert!(!seeds.is_empty(), "{} holds no seeds", folder.display());
    for seed in seeds {
        let bytes = std::fs::read(&seed).unwrap();
        target(&bytes);
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        for _ in 0..COPIES {
            target(&change(&bytes, &mut random));
        }
    }
}

#[test]
fn configuration_space() {
    run("config_space", config_space::run);
}

#[test]
fn archives() {
    run("archive", archive::run);
}

#[test]
fn dumps() {
    run("hexdump", hexdump::run);
}

#[test]
fn interrupts_and_log() {
    run("interrupts", interrupts::run);
}

#[test]
fn firmware_tables() {
    run("acpi", acpi::run);
}

#[test]
fn vector_tables() {
    run("msix_table", msix_table::run);
}

#[test]
fn vital_product_data() {
    run("vpd", vpd::run);
}
