//! Every check on every fixture: what is not a pass is a golden, so that a new false positive shows as a difference.
//!
//! `CHECKS=overwrite cargo test --test checks` writes the goldens in `tests/checks/` anew. Trees of real machines are
//! checked where `PCISCOPE_CORPUS` points.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use pciscope::check::finding::{Finding, Status};
use pciscope::check::profile::Profile;
use pciscope::check::run;
use pciscope::check::subject::Surroundings;
use pciscope::kernel_log::Log;
use pciscope::machine::{self, Machine, Scope, interrupts, platform, reading::Depth};
use pciscope::pci::Bdf;
use pciscope::simulate::clock::duration_text;
use pciscope::simulate::scenario::Scenario;
use pciscope::simulate::{fault, library, source as simulated};
use pciscope::tree::source::{self, Source};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A machine that was read once, to be judged by several profiles.
struct Loaded {
    source: Source,
    machine: Machine,
    lines: Option<Vec<interrupts::Line>>,
    platform: platform::Platform,
    log: Option<Log>,
}

fn load(source: Source) -> Loaded {
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
    let log = log.ok();
    Loaded { source, machine, lines, platform, log }
}

fn judge(loaded: &Loaded, profile: &str, busy: bool) -> Vec<Finding> {
    let profile = Profile::embedded(profile).unwrap().unwrap();
    let around = Surroundings {
        interrupts: loaded.lines.as_deref(),
        log: loaded.log.as_ref(),
        busy,
        ..Surroundings::new(&loaded.machine, &loaded.platform, &*loaded.source.tree, &profile)
    };
    let findings = run::run(around, loaded.machine.wanted().collect(), &|_| true);
    // Whoever reads it can look it up.
    let bare: Vec<String> = findings
        .iter()
        .filter(|f| matches!(f.status, Status::Warn | Status::Fail) && f.verdict().proofs.is_empty())
        .map(|f| format!("{:?} {}: {}", f.address, f.check.id, f.summary))
        .collect();
    assert!(bare.is_empty(), "without evidence: {bare:#?}");
    findings
}

fn findings(folder: &Path, profile: &str) -> Vec<Finding> {
    judge(&load(source::open(Some(folder.to_str().unwrap())).unwrap()), profile, false)
}

fn head(findings: &[Finding], profile: &str) -> String {
    let counts: Vec<String> =
        Status::ALL.iter().map(|s| format!("{} {}", run::count(findings, *s), s.name())).collect();
    format!("## {profile}: {}\n", counts.join(", "))
}

/// What is not a pass, line by line.
fn in_full(folder: &Path) -> String {
    let mut out = String::new();
    let loaded = load(source::open(Some(folder.to_str().unwrap())).unwrap());
    for profile in ["minimal", "gpu-server"] {
        let findings = judge(&loaded, profile, false);
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

/// How often each check found something, or does not know; without those that know nothing because nothing was read.
fn in_short(loaded: &Loaded) -> String {
    let mut out = String::new();
    for profile in ["minimal", "gpu-server"] {
        let findings = judge(loaded, profile, false);
        out.push_str(&head(&findings, profile));
        let mut found: BTreeMap<(Status, &str), usize> = BTreeMap::new();
        let told = |f: &&Finding| match f.status {
            Status::Warn | Status::Fail => true,
            Status::Unknown => profile == "minimal" && !f.summary.starts_with("nothing was read"),
            _ => false,
        };
        for finding in findings.iter().filter(told) {
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

/// A machine, a profile, and checks that warn, each with the reason why that is right.
type Sound = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// Sound machines in the profile that fits them, and what that profile rightly warns about.
const SOUND: &[Sound] = &[
    (
        "machines/eight-gpu-server.toml",
        "gpu-server",
        &[
            ("acs-redirect-on", "root ports redirect, as Linux sets them where the IOMMU is on"),
            ("mps-low", "the network controllers have 256 bytes where all on the way can do 512"),
        ],
    ),
    (
        "machines/two-socket-gpu-server.toml",
        "gpu-server",
        &[
            ("acs-redirect-on", "root ports redirect, as Linux sets them where the IOMMU is on"),
            ("aer-os-owned", "_OSC refuses AER: errors are nobody's whom Linux could ask"),
            ("mps-low", "the network controller has 256 bytes where all on the way can do 512"),
            ("osc-granted", "_OSC refuses AER"),
            ("report-enables", "nobody enabled reporting, since Linux may not"),
        ],
    ),
    (
        "machines/nvme-storage-server.toml",
        "storage-server",
        &[("mps-low", "the network controllers have 256 bytes where all on the way can do 512")],
    ),
    (
        "machines/laptop-gtx1650.toml",
        "laptop",
        &[("aspm-disabled", "L1 is off at drive and GPU, and both can do it")],
    ),
    (
        "corpus/sysfs-trees/aorus-egpu/2026-05-08T093931Z",
        "workstation",
        &[
            ("aer-correctable-latched", "receiver errors from when the tunnel came up are latched"),
            ("link-lane-errors", "as are those of its lanes"),
        ],
    ),
    (
        "captures/base-a-6.12.tar.zst",
        "minimal",
        &[("numa-unknown", "the emulated host bridge has no node on a machine with two")],
    ),
];

#[test]
fn sound_machines_are_warned_about_what_they_are() {
    let corpus = std::env::var_os("PCISCOPE_CORPUS").map(PathBuf::from);
    for (place, profile, expected) in SOUND {
        let (kind, name) = place.split_once('/').unwrap();
        let folder = match kind {
            "machines" => Some(root().join("sysfs-fixtures/machines")),
            "corpus" => corpus.clone(),
            _ => corpus.as_ref().and_then(|corpus| Some(corpus.parent()?.join(kind))),
        };
        let Some(file) = folder.map(|folder| folder.join(name)).filter(|file| file.exists()) else {
            println!("skipped: {place} is not where PCISCOPE_CORPUS points");
            continue;
        };
        let loaded = match kind {
            "machines" => {
                let text = std::fs::read_to_string(&file).unwrap();
                let scenario = Scenario::read(&text, name, Path::new("."), None).unwrap();
                load(simulated::source(&scenario, None).unwrap())
            }
            _ => load(source::open(file.to_str()).unwrap()),
        };
        let found: BTreeSet<(Status, &str)> = judge(&loaded, profile, false)
            .iter()
            .filter(|f| matches!(f.status, Status::Warn | Status::Fail))
            .map(|f| (f.status, f.check.id))
            .collect();
        assert!(expected.iter().all(|(_, why)| !why.is_empty()));
        let expected: BTreeSet<(Status, &str)> =
            expected.iter().map(|(check, _)| (Status::Warn, *check)).collect();
        assert_eq!(found, expected, "{place} as {profile}");
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
        let loaded = load(source::open(tree.to_str()).unwrap());
        out.push_str(&format!("# {name}\n{}", in_short(&loaded)));
    }
    compare("real-machines.txt", &out);
}

/// Shipped scenarios and machines at every moment at which something happens.
#[test]
fn simulated_machines_are_judged_as_before() {
    let mut out = String::new();
    for shipped in library::MACHINES.iter().chain(library::SCENARIOS) {
        let scenario = Scenario::read(shipped.text, shipped.name, Path::new("."), None).unwrap();
        for at in scenario.moments() {
            // What nothing has happened to yet is in the golden of the machine.
            if at == 0 && scenario.moments().len() > 1 {
                continue;
            }
            let loaded = load(simulated::source(&scenario, Some(at)).unwrap());
            out.push_str(&format!("# {} at {}\n{}", shipped.name, duration_text(at), in_short(&loaded)));
        }
    }
    compare("simulated.txt", &out);
}

/// What a real kernel left, in capture archives.
#[test]
fn captures_are_judged_as_before() {
    let corpus = std::env::var_os("PCISCOPE_CORPUS").map(PathBuf::from);
    let captures = corpus.and_then(|corpus| Some(corpus.parent()?.join("captures"))).filter(|c| c.is_dir());
    let Some(captures) = captures else {
        println!("skipped: no captures beside what PCISCOPE_CORPUS names");
        return;
    };
    let mut out = String::new();
    let mut files: Vec<PathBuf> = std::fs::read_dir(captures).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    for file in files.iter().filter(|file| file.to_string_lossy().ends_with(".tar.zst")) {
        let name = file.file_name().unwrap().to_str().unwrap().trim_end_matches(".tar.zst");
        let loaded = load(source::open(file.to_str()).unwrap());
        out.push_str(&format!("# {name}\n{}", in_short(&loaded)));
        // Nothing is wrong with these: kernels as they came up, and settings that are no faults.
        let sound = ["base-", "cmd-aspm", "cmd-hpmmiosize", "cmd-realloc", "cmd-ports_native", "gpu-healthy"];
        if sound.iter().any(|start| name.starts_with(start)) {
            let failed: Vec<Finding> =
                judge(&loaded, "minimal", false).into_iter().filter(|f| f.status == Status::Fail).collect();
            assert!(failed.is_empty(), "{name}: {failed:#?}");
        }
    }
    compare("captures.txt", &out);
}

/// Firmware that names no node of any host bridge is worse than one that forgets a single one.
#[test]
fn a_server_without_any_numa_node_is_told() {
    let events: String = ["0000:01:00.0", "0000:41:00.0", "0000:82:00.0"]
        .map(|f| format!("[[event]]\nat = \"1s\"\nfault = \"numa-unknown\"\nfunction = \"{f}\"\n"))
        .concat();
    let text = format!("title = \"x\"\nbase = \"two-socket-gpu-server\"\n{events}");
    let scenario = Scenario::read(&text, "x", Path::new("."), None).unwrap();
    let findings = judge(&load(simulated::source(&scenario, None).unwrap()), "minimal", false);
    let warned = |address: &str| {
        let gpu = findings.iter().find(|f| {
            f.check.id == "numa-unknown" && f.address.is_some_and(|found| found.to_string() == address)
        });
        gpu.map(|f| f.status)
    };
    assert_eq!(warned("0000:82:00.0"), Some(Status::Warn));
}

/// Every fault of the simulator on a GPU at work, and the check that tells it; empty for what is no fault, or what only an
/// expectation can tell.
const FAULTS: &[(&str, &str, Status)] = &[
    ("fallen-off-bus", "presence-config-all-ones", Status::Fail),
    ("disconnected", "presence-config-all-ones", Status::Fail),
    ("surprise-removal", "presence-config-all-ones", Status::Fail),
    ("link-down", "presence-parent-link", Status::Fail),
    ("dpc-containment", "dpc-triggered", Status::Fail),
    ("config-not-ready", "presence-not-ready", Status::Fail),
    ("header-only", "presence-config-length", Status::Unknown),
    ("extended-config-missing", "presence-config-length", Status::Warn),
    ("capability-loop", "caps-integrity", Status::Fail),
    ("capability-pointer-corrupt", "caps-integrity", Status::Fail),
    ("header-type-corrupt", "presence-header-type", Status::Fail),
    ("vpd-timeout", "", Status::Pass),
    ("d3cold-asleep", "presence-config-all-ones", Status::Unknown),
    ("power-stuck", "kmsg-fallen-off", Status::Fail),
    ("reset-failed", "presence-config-all-ones", Status::Fail),
    ("link-speed-reduced", "link-speed-below-path", Status::Fail),
    ("link-width-reduced", "link-width-below-path", Status::Fail),
    ("link-flapping", "link-speed-below-path", Status::Fail),
    ("retrain-loop", "link-training", Status::Warn),
    ("equalization-incomplete", "link-eq-incomplete", Status::Warn),
    ("lane-errors", "link-lane-errors", Status::Warn),
    ("target-speed-limited", "link-target-limited", Status::Warn),
    ("autonomous-speed-disabled", "link-hasd-stuck", Status::Fail),
    ("idle-downshift", "link-speed-below-path", Status::Fail),
    ("aspm-enabled", "aspm-enabled", Status::Fail),
    ("aspm-ends-differ", "aspm-ends-differ", Status::Fail),
    ("aspm-locked-by-firmware", "aspm-firmware-locked", Status::Warn),
    ("osc-denied", "osc-granted", Status::Warn),
    ("aer-correctable-storm", "aer-correctable-latched", Status::Warn),
    ("aer-nonfatal", "aer-status-latched", Status::Warn),
    ("aer-fatal", "aer-status-latched", Status::Fail),
    ("aer-unsupported-request", "aer-status-latched", Status::Warn),
    ("aer-masked", "aer-masked", Status::Warn),
    ("completion-timeout", "aer-status-latched", Status::Fail),
    ("payload-size-mismatch", "mps-path-mismatch", Status::Fail),
    ("completion-timeout-disabled", "cto-disabled", Status::Warn),
    ("acs-redirect", "acs-redirect-on", Status::Warn),
    // On bare metal nobody misses it.
    ("acs-missing", "", Status::Pass),
    ("msix-enable-failed", "kmsg-interrupts", Status::Fail),
    ("msix-function-masked", "msix-function-mask", Status::Fail),
    ("msix-vector-masked", "msix-entry", Status::Warn),
    ("msix-pending-stuck", "msix-pending", Status::Warn),
    ("msix-table-all-ones", "msix-table-all-ones", Status::Fail),
    ("msix-table-outside-bar", "msix-geometry", Status::Fail),
    ("vectors-exhausted", "kmsg-interrupts", Status::Warn),
    ("interrupts-not-delivered", "kmsg-rm-init", Status::Fail),
    ("bar-unassigned", "bar-unassigned", Status::Fail),
    ("bar-lost-after-reset", "bar-lost-after-reset", Status::Fail),
    ("large-bar-below-4g", "bar-large-below-4g", Status::Warn),
    ("bridge-window-too-small", "bar-unassigned", Status::Fail),
    ("rebar-at-minimum", "rebar-below-max", Status::Warn),
    // A card of this kind may have none.
    ("rebar-absent", "", Status::Pass),
    ("memory-decode-off", "cmd-memory-decode", Status::Fail),
    ("bus-master-off", "cmd-bus-master", Status::Fail),
    ("slot-power-limit-low", "power-slot-limit", Status::Warn),
    ("slot-power-fault", "power-slot-fault", Status::Fail),
    // Only an expectation knows which card it should be: `tests/check_formats.rs`.
    ("wrong-device-in-slot", "", Status::Pass),
    ("numa-unknown", "numa-unknown", Status::Warn),
    ("driver-wedged", "kmsg-rm-init", Status::Fail),
    ("gpu-memory-error", "kmsg-xid154", Status::Fail),
    ("iommu-fault", "kmsg-iommu", Status::Warn),
];

#[test]
fn each_fault_is_told_by_its_check_and_not_drowned() {
    let known: Vec<&str> = fault::all().map(|fault| fault.name).collect();
    let listed: Vec<&str> = FAULTS.iter().map(|(name, ..)| *name).collect();
    assert_eq!(known, listed);
    let simulated = |fault: Option<&str>| {
        let event = fault.map_or_else(String::new, |fault| {
            let about = match fault::find(fault).unwrap().on {
                fault::Target::Machine => "",
                _ => "function = \"0000:82:00.0\"\n",
            };
            format!("[[event]]\nat = \"10s\"\nfault = \"{fault}\"\n{about}")
        });
        let text = format!("title = \"x\"\nbase = \"two-socket-gpu-server\"\n{event}");
        let scenario = Scenario::read(&text, "x", Path::new("."), None).unwrap();
        judge(&load(simulated::source(&scenario, None).unwrap()), "gpu-server", true)
    };
    let bad = |f: &Finding| matches!(f.status, Status::Warn | Status::Fail);
    let sound: BTreeSet<(Option<Bdf>, &str)> =
        simulated(None).iter().filter(|f| bad(f)).map(|f| (f.address, f.check.id)).collect();
    let mut wrong = Vec::new();
    for (name, check, status) in FAULTS {
        let findings = simulated(Some(name));
        let said: BTreeSet<Status> =
            findings.iter().filter(|f| f.check.id == *check).map(|f| f.status).collect();
        if !check.is_empty() && !said.contains(status) {
            wrong.push(format!("{name}: {check} says {said:?}, expected {status:?}"));
        }
        // Everything that was not there before speaks of the device, of the port above it, or of the machine.
        let near = ["0000:82:00.0", "0000:82:00.1", "0000:80:01.1"];
        let new: Vec<String> = findings
            .iter()
            .filter(|f| f.status == Status::Fail && !sound.contains(&(f.address, f.check.id)))
            .map(|f| format!("{} {}", f.address.map_or_else(String::new, |a| a.to_string()), f.check.id))
            .collect();
        let far: Vec<&String> = new.iter().filter(|f| !near.iter().any(|near| f.starts_with(near))).collect();
        if new.len() > 7 || !far.is_empty() {
            wrong.push(format!("{name}: {new:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
