//! Every check on every fixture: what is not a pass is a golden, so that a new false positive shows as a difference.
//!
//! `CHECKS=overwrite cargo test --test checks` writes the goldens in `tests/checks/` anew. Trees of real machines are
//! checked where `PCISCOPE_CORPUS` points.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pciscope::check::finding::{Finding, Status};
use pciscope::check::profile::Profile;
use pciscope::check::run;
use pciscope::check::subject::Surroundings;
use pciscope::machine::{self, Scope, interrupts, platform, reading::Depth};
use pciscope::tree::source;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn findings(folder: &Path, profile: &str) -> Vec<Finding> {
    let source = source::open(Some(folder.to_str().unwrap())).unwrap();
    let scope = Scope {
        depth: Depth::Full,
        wanted: &|_| true,
        wake: false,
        deadline: Duration::from_secs(2),
        vital_product_data: false,
    };
    let tree = &*source.tree;
    let machine = machine::load(tree, false, scope).unwrap();
    let lines = interrupts::read_interrupts(tree);
    let (platform, log) = platform::read_platform_and_log(tree, false, lines.as_deref(), None);
    let profile = Profile::embedded(profile).unwrap().unwrap();
    let around = Surroundings {
        interrupts: lines.as_deref(),
        log: log.as_ref(),
        ..Surroundings::new(&machine, &platform, tree, &profile)
    };
    run::run(around, machine.wanted().collect(), &|_| true)
}

fn head(findings: &[Finding], profile: &str) -> String {
    let counts: Vec<String> =
        Status::ALL.iter().map(|s| format!("{} {}", run::count(findings, *s), s.name())).collect();
    format!("## {profile}: {}\n", counts.join(", "))
}

/// What is not a pass, line by line.
fn in_full(folder: &Path) -> String {
    let mut out = String::new();
    for profile in ["minimal", "gpu-server"] {
        let findings = findings(folder, profile);
        out.push_str(&head(&findings, profile));
        for finding in &findings {
            let place = finding.address.map_or_else(|| "machine".to_owned(), |a| a.to_string());
            let (status, check) = (finding.status.name(), finding.check.id);
            if matches!(finding.status, Status::Warn | Status::Fail) {
                out.push_str(&format!("{place} {status} {check}: {}\n", finding.summary));
            } else if finding.status == Status::Unknown && !finding.summary.starts_with("nothing was read") {
                out.push_str(&format!("{place} {status} {check}\n"));
            }
        }
    }
    out
}

/// How often each check found something.
fn in_short(folder: &Path) -> String {
    let mut out = String::new();
    for profile in ["minimal", "gpu-server"] {
        let findings = findings(folder, profile);
        out.push_str(&head(&findings, profile));
        let mut found: BTreeMap<(Status, &str), usize> = BTreeMap::new();
        for finding in findings.iter().filter(|f| matches!(f.status, Status::Warn | Status::Fail)) {
            *found.entry((finding.status, finding.check.id)).or_default() += 1;
        }
        for ((status, check), count) in found.into_iter().rev() {
            out.push_str(&format!("{} {check}: {count}\n", status.name()));
        }
    }
    out
}

fn compare(name: &str, text: &str) {
    let file = root().join("tests/checks").join(name);
    if std::env::var("CHECKS").is_ok_and(|v| v == "overwrite") {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, text).unwrap();
    }
    let golden = std::fs::read_to_string(&file).unwrap_or_default();
    for (line, (was, is)) in golden.lines().zip(text.lines()).enumerate() {
        assert_eq!(is, was, "tests/checks/{name}, line {}; see the head of this file", line + 1);
    }
    assert_eq!(
        golden.lines().count(),
        text.lines().count(),
        "tests/checks/{name}; see the head of this file"
    );
}

fn folders(below: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(below).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()).collect();
    folders.sort();
    folders
}

#[test]
fn fixtures_are_judged_as_before() {
    for kind in ["machines", "broken"] {
        for folder in folders(&root().join("sysfs-fixtures").join(kind)) {
            let name = folder.file_name().unwrap().to_str().unwrap();
            compare(&format!("{kind}-{name}.txt"), &in_full(&folder));
        }
    }
}

/// The check that must fail, or whose unknown must be told, for each broken fixture.
#[test]
fn the_right_check_tells_what_is_broken() {
    for (fixture, address, check, status) in [
        ("all-ones", "0000:82:00.0", "presence-config-all-ones", Status::Fail),
        ("disconnected", "0000:82:00.0", "presence-config-all-ones", Status::Fail),
        ("not-ready-rrs", "0000:82:00.0", "presence-not-ready", Status::Fail),
        ("asleep-d3cold", "0000:82:00.0", "presence-config-all-ones", Status::Unknown),
        ("asleep-below-bridge", "0000:82:00.0", "presence-config-all-ones", Status::Unknown),
        ("header-only-64", "0000:82:00.0", "presence-config-length", Status::Unknown),
        ("header-type-7f", "0000:01:00.0", "presence-header-type", Status::Fail),
        ("capability-loop", "0000:01:00.0", "caps-integrity", Status::Fail),
        ("pointers-into-header", "0000:01:00.0", "caps-integrity", Status::Fail),
        ("msix-table-outside-bar", "0000:01:00.0", "msix-geometry", Status::Fail),
        ("bar-lost", "0000:01:00.0", "bar-lost-after-reset", Status::Fail),
        ("bar-lost", "0000:01:00.0", "cmd-memory-decode", Status::Fail),
        ("unset-bar", "0000:01:00.0", "bar-unassigned", Status::Fail),
    ] {
        let findings = findings(&root().join("sysfs-fixtures/broken").join(fixture), "minimal");
        let found = findings
            .iter()
            .find(|f| f.check.id == check && f.address.is_some_and(|a| a.to_string() == address));
        assert_eq!(found.map(|f| f.status), Some(status), "{fixture}: {check} of {address}");
    }
}

#[test]
fn sound_machines_have_no_failure() {
    for folder in folders(&root().join("sysfs-fixtures/machines")) {
        for profile in ["minimal", "gpu-server"] {
            let failures: Vec<String> = findings(&folder, profile)
                .into_iter()
                .filter(|f| f.status == Status::Fail)
                .map(|f| format!("{:?} {}: {}", f.address, f.check.id, f.summary))
                .collect();
            assert!(failures.is_empty(), "{}, {profile}: {failures:#?}", folder.display());
        }
    }
}

#[test]
fn trees_of_real_machines_are_judged_as_before() {
    let Some(corpus) = std::env::var_os("PCISCOPE_CORPUS").map(PathBuf::from) else {
        println!("skipped: PCISCOPE_CORPUS does not say where trees of real machines are");
        return;
    };
    let mut out = String::new();
    let mut trees = Vec::new();
    for kind in ["sysfs-trees/aorus-egpu", "sysfs-trees/hwloc", "sysfs-trees/procfs"] {
        let below = corpus.join(kind);
        trees.extend(folders(&below).into_iter().filter(|t| t.join("sys/bus/pci/devices").is_dir()));
    }
    let dumps = ["lspci-dumps/linux-pci", "lspci-dumps/coreboot-ports"];
    for kind in dumps {
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(corpus.join(kind)).unwrap().map(|e| e.unwrap().path()).collect();
        files.sort();
        let readable = |file: &PathBuf| file.is_file() && source::open(file.to_str()).is_ok();
        trees.extend(files.into_iter().filter(readable));
    }
    for tree in trees {
        let name = tree.strip_prefix(&corpus).unwrap().display().to_string();
        out.push_str(&format!("# {name}\n{}", in_short(&tree)));
    }
    compare("real-machines.txt", &out);
}
