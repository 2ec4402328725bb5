//! What is said of the trees of a real kernel in which one thing each was broken: all verdicts, in one table to be looked at.

use std::path::{Path, PathBuf};

use pciscope::diagnosis::{Verdict, verdicts};
use pciscope::tree::source;

/// Captures of machines in which nothing is wrong: kernels as they came up, settings that are no faults, drivers that are not
/// there on purpose. Two others that should be are not: in `base-iommu` the IOMMU did stop a storage adapter, and in
/// `cfg-numvfs` the drive did not start its virtual functions.
const SOUND: [&str; 23] = [
    "base-a-6.1",
    "base-a-6.12",
    "base-acpi-hotplug",
    "base-cxl",
    "base-min-6.12",
    "cfg-blacklisted",
    "cfg-stub",
    "cfg-sysfs-reset",
    "cfg-unbound",
    "cfg-vfio",
    "cmd-aspm_force",
    "cmd-aspm_off",
    "cmd-bus_perf",
    "cmd-hpmmiosize",
    "cmd-noaer",
    "cmd-ports_native",
    "cmd-realloc",
    "dpc-present",
    "gpu-healthy",
    "hp-add",
    "mmap-bound",
    "mmap-relaxed",
    "zoo",
];

/// Captures in which something is otherwise than usual and nobody is ill, and why.
const NOT_TOLD: [(&str, &str); 25] = [
    ("aer-advisory", "the emulated port says nothing of an advisory error"),
    ("aer-cor-latched", "latched, and never reported"),
    ("aer-swinject", "a test by injection"),
    ("bar-64g", "the large BAR got its address"),
    ("cfg-intx-disable", "the line is shared: whose handler waits is not known, and `check` says so mildly"),
    ("cfg-parity-status", "bits of Status that stay from whenever: `check` tells"),
    ("cfg-serr-off", "a setting"),
    ("cmd-aspm_powersupersave", "a setting"),
    ("cmd-bus_peer2peer", "a setting"),
    ("cmd-lockdown", "a setting; what could not be read is not in the capture"),
    ("cmd-nocrs", "a setting"),
    ("cmd-nomsi", "a setting: drivers use the pin"),
    ("gpu-aspm-policy", "a setting"),
    ("gpu-cesta", "corrected errors of lanes, latched, and never reported: `check` tells"),
    ("gpu-d3hot", "nobody uses it, and it sleeps"),
    ("gpu-mps-perf", "a setting"),
    ("gpu-rebar-small", "it works: `check` tells what would be faster"),
    ("hp-del-attention", "taken out in order"),
    ("hp-del-nvme", "taken out in order"),
    ("hp-presence-lost", "it answers over a link that is up, whatever the slot says"),
    ("hp-sysfs-remove", "removed by hand, and the log says nothing"),
    ("link-bw-mgmt", "the link changed its speed and has it again"),
    ("link-setpci-readonly", "nothing was changed"),
    ("mmap-nodriver", "drivers that are not there on purpose"),
    ("mmap-unbound", "drivers that are not there on purpose"),
];

/// Every verdict but `healthy`, with the rule, of every capture.
#[test]
fn captures_are_diagnosed_as_in_the_table() {
    let corpus = std::env::var_os("PCISCOPE_CORPUS").map(PathBuf::from);
    let captures = corpus.and_then(|corpus| Some(corpus.parent()?.join("captures"))).filter(|c| c.is_dir());
    let Some(captures) = captures else {
        println!("skipped: no captures beside what PCISCOPE_CORPUS names");
        return;
    };
    let mut files: Vec<PathBuf> = std::fs::read_dir(captures).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let mut out = String::new();
    let mut unsound = Vec::new();
    for file in files.iter().filter(|file| file.to_string_lossy().ends_with(".tar.zst")) {
        let name = file.file_name().unwrap().to_str().unwrap().trim_end_matches(".tar.zst");
        let tree = source::open(file.to_str()).unwrap().tree;
        let found = verdicts(&*tree, &|_| true).unwrap();
        assert!(!found.is_empty(), "{name}");
        out.push_str(&format!("# {name}\n"));
        let ill = || found.iter().filter(|(_, verdict, _)| *verdict != Verdict::Healthy);
        let not_told = NOT_TOLD.iter().any(|(known, _)| *known == name);
        if ill().next().is_none() != (SOUND.contains(&name) || not_told) {
            unsound.push(format!("{name}: {} verdicts", ill().count()));
        }
        for (subject, verdict, rule) in ill() {
            let who = super::name(subject);
            out.push_str(&format!("{who} {} by {}\n", verdict.name(), rule.unwrap_or("nothing")));
        }
    }
    assert!(unsound.is_empty(), "{unsound:#?}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diagnosis/captures.txt");
    if std::env::var_os("CHECKS").is_some_and(|value| value == "overwrite") {
        std::fs::write(&path, &out).unwrap();
    }
    let before = std::fs::read_to_string(&path).unwrap_or_default();
    let differs: Vec<(&str, &str)> =
        before.lines().zip(out.lines()).filter(|(b, a)| b != a).take(5).collect();
    assert!(before == out, "differs from {}: {differs:#?}; CHECKS=overwrite writes it anew", path.display());
}
