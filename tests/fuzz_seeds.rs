//! Every seed of `fuzz/seeds`, and thousands of changed copies of each, the same in every run, through the fuzz targets:
//! each seed reaches what its target is for, none panics, all end.
//!
//! `fuzz/README.md` says how to fuzz in earnest.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use pciscope::pci::catalogue::DECODED;
use pciscope::pci::space::ConfigSpace;
use pciscope::pci::walk::{self, List};
use pciscope::pci::{decode, header};

#[path = "../fuzz/targets/acpi.rs"]
mod acpi;
#[path = "../fuzz/targets/archive.rs"]
mod archive;
#[path = "../fuzz/targets/bug_report.rs"]
mod bug_report;
#[path = "../fuzz/targets/config_space.rs"]
mod config_space;
#[path = "../fuzz/targets/hexdump.rs"]
mod hexdump;
#[path = "../fuzz/targets/interrupts.rs"]
mod interrupts;
#[path = "../fuzz/targets/kernel_log.rs"]
mod kernel_log;
#[path = "../fuzz/targets/msix_table.rs"]
mod msix_table;
#[path = "../fuzz/targets/redaction.rs"]
mod redaction;
#[path = "../fuzz/targets/vpd.rs"]
mod vpd;

/// Changed copies of each seed: as many as take some seconds for each target.
const COPIES: u64 = 1500;

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

/// A target: the name of its files, the body, and how much its seeds find at the least, so that none passes because
/// nothing is reached.
type Target = (&'static str, fn(&[u8]) -> usize, usize);

const TARGETS: [Target; 10] = [
    ("acpi", acpi::run, 2),
    ("archive", archive::run, 90),
    ("bug_report", bug_report::run, 20),
    ("config_space", config_space::run, 1300),
    ("hexdump", hexdump::run, 3),
    ("interrupts", interrupts::run, 300),
    ("kernel_log", kernel_log::run, 1),
    ("msix_table", msix_table::run, 3),
    ("redaction", redaction::run, 25),
    ("vpd", vpd::run, 20),
];

/// Every seed and its changed copies.
fn run(name: &str) {
    let (_, target, least) = TARGETS.iter().find(|(known, ..)| *known == name).unwrap();
    let (mut found, mut runs) = (0, 0);
    for bytes in seeds(name) {
        found += target(&bytes);
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        // A log or an archive is long, and slow to read without optimization.
        let copies = if matches!(name, "archive" | "bug_report" | "kernel_log" | "redaction") {
            COPIES / 20
        } else {
            COPIES
        };
        for _ in 0..copies {
            target(&change(&bytes, &mut random));
        }
        runs += 1 + copies;
    }
    println!("{name}: {runs} inputs; {found} things in the seeds");
    assert!(found >= *least, "{found} things in the seeds of {name}, at least {least} are needed");
}

fn seeds(name: &str) -> impl Iterator<Item = Vec<u8>> {
    let folder = folder("seeds").join(name);
    names(&folder).into_iter().map(move |seed| std::fs::read(folder.join(seed)).unwrap())
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(name)
}

/// Names of what is in a folder, without `.rs`, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.iter_mut().for_each(|name| *name = name.trim_end_matches(".rs").to_owned());
    names.sort();
    names
}

#[test]
fn every_target_takes_part() {
    let known = TARGETS.map(|(name, ..)| name.to_owned());
    for kind in ["targets", "fuzz_targets", "seeds"] {
        assert_eq!(names(&folder(kind)), known, "fuzz/{kind}");
    }
    let manifest = std::fs::read_to_string(folder("Cargo.toml")).unwrap();
    for name in known {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name}");
    }
}

/// Bytes between capabilities of the standard and the extended list in the seeds made here.
const STEPS: (usize, usize) = (0x40, 0x100);

/// Spaces with every capability that is decoded, on lists, with contents that follow no rule.
fn every_capability() -> Vec<Vec<u8>> {
    let of = |list| DECODED.iter().filter(move |s| s.list == list).map(|s| s.id);
    let (mut standard, mut extended) = (of(List::Standard).peekable(), of(List::Extended).peekable());
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let mut spaces = Vec::new();
    while standard.peek().is_some() || extended.peek().is_some() {
        let mut bytes: Vec<u8> = (0..4096).map(|_| random.below(256) as u8).collect();
        bytes[..8].copy_from_slice(&[0x86, 0x80, 0x34, 0x12, 7, 0, 0x10, 0]);
        (bytes[0x0e], bytes[0x34]) = (spaces.len() as u8 & 1, 0);
        let mut link = 0x34;
        for (offset, id) in (0x40..0x100).step_by(STEPS.0).zip(standard.by_ref().take(3)) {
            bytes[link] = offset as u8;
            bytes[offset..offset + 2].copy_from_slice(&[id as u8, 0]);
            link = offset + 1;
        }
        bytes[0x100..0x104].fill(0);
        let mut offset = 0x100;
        for id in extended.by_ref().take(15) {
            let next = offset + STEPS.1;
            // The version, and where the next one is: behind the last is nothing, which ends the list.
            let header = u32::from(id) | 1 << 16 | (next as u32 & 0xffc) << 20;
            bytes[offset..offset + 4].copy_from_slice(&header.to_le_bytes());
            offset = next;
        }
        if let Some(end) = bytes.get_mut(offset..offset + 4) {
            end.fill(0);
        }
        spaces.push(bytes);
    }
    spaces
}

/// `SNAPSHOTS=overwrite cargo test --test fuzz_seeds` writes the seeds anew.
#[test]
fn a_seed_has_every_capability() {
    let mut decoded = BTreeSet::new();
    for (number, bytes) in every_capability().into_iter().enumerate() {
        let file = folder("seeds").join(format!("config_space/every-capability-{number}"));
        if std::env::var("SNAPSHOTS").is_ok_and(|v| v == "overwrite") {
            std::fs::write(&file, &bytes).unwrap();
        }
        let committed = std::fs::read(&file).unwrap_or_default();
        assert!(committed == bytes, "{} is old: see above", file.display());
        let mut space = ConfigSpace::from_bytes(&bytes);
        let mut found = walk::standard(&mut space, bytes[0x0e]).found;
        found.extend(walk::extended(&mut space).found);
        let context = header::context(&space).unwrap();
        let (capabilities, _) = decode::capabilities(&mut space, context, &found);
        let with_registers = capabilities.into_iter().filter(|c| !c.registers.is_empty());
        decoded.extend(with_registers.filter_map(|c| c.specification).map(|s| s.key));
    }
    let missing: Vec<_> = DECODED.iter().map(|s| s.key).filter(|key| !decoded.contains(key)).collect();
    assert!(missing.is_empty(), "no seed has {missing:?}");
}

#[test]
fn configuration_space() {
    run("config_space");
}

#[test]
fn archives() {
    run("archive");
}

#[test]
fn bug_reports() {
    run("bug_report");
}

#[test]
fn personal_data() {
    run("redaction");
}

#[test]
fn dumps() {
    run("hexdump");
}

#[test]
fn interrupts_and_log() {
    run("interrupts");
}

#[test]
fn kernel_logs() {
    run("kernel_log");
}

#[test]
fn firmware_tables() {
    run("acpi");
}

#[test]
fn vector_tables() {
    run("msix_table");
}

#[test]
fn vital_product_data() {
    run("vpd");
}
