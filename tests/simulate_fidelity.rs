//! Simulated faults against the same faults under a real kernel, file by file and line by line.
//!
//! Needs the captures that lie beside the corpus (`$PCISCOPE_CORPUS/../captures`). Of each, the healthy capture of the
//! same machine is broken by the simulator; then every file of the function and of the port above it, their registers,
//! their log lines and events must be those of the real kernel. Everything in which they differ is in
//! `simulate_fidelity/differences.rs` with its reason; what is listed and does not differ any more fails as well.
#![allow(clippy::expect_used, clippy::panic, reason = "a test")]

#[path = "simulate_fidelity/cases.rs"]
mod cases;
#[path = "simulate_fidelity/compare.rs"]
mod compare;
#[path = "simulate_fidelity/differences.rs"]
mod differences;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use cases::{CASES, Case, Step, Value};
use differences::{DIFFERENCES, LEFT_OUT};
use pciscope::pci::Bdf;
use pciscope::simulate::captured;
use pciscope::simulate::fault::{self, Call, Given, effect};
use pciscope::simulate::state::Machine;

#[test]
fn faults_look_as_under_a_real_kernel() {
    let Some(corpus) = std::env::var_os("PCISCOPE_CORPUS") else {
        println!("skipped: PCISCOPE_CORPUS is not set; {} captured faults were not compared", CASES.len());
        return;
    };
    let folder = PathBuf::from(corpus).join("../captures");
    every_capture_is_named(&folder);
    let mut bases: BTreeMap<&str, Machine> = BTreeMap::new();
    let mut unlisted = Vec::new();
    let mut occurred = BTreeSet::new();
    let (mut compared, mut differing) = (0, 0);
    for case in CASES {
        let healthy = bases.entry(case.base).or_insert_with(|| load(&folder, case.base)).clone();
        let real = load(&folder, case.capture);
        let simulated = broken(healthy.clone(), case);
        let found = compare::compare(case, &healthy, &simulated, &real);
        println!("{}: {} compared, {} differ", case.capture, found.compared, found.differences.len());
        compared += found.compared;
        differing += found.differences.len();
        for difference in found.differences {
            let listed = DIFFERENCES.iter().position(|listed| {
                matches(listed.capture, case.capture) && matches(listed.what, &difference.what)
            });
            match listed {
                Some(place) => drop(occurred.insert(place)),
                None => unlisted.push(format!("{}: {difference}", case.capture)),
            }
        }
    }
    println!(
        "{} faults of {} captures compared: {compared} values, {differing} differ, {} reasons; {} captures left out",
        CASES.len(),
        CASES.iter().map(|case| case.capture).collect::<BTreeSet<_>>().len(),
        DIFFERENCES.len(),
        LEFT_OUT.iter().map(|(names, _)| names.len()).sum::<usize>()
    );
    let gone: Vec<String> = (0..DIFFERENCES.len())
        .filter(|place| !occurred.contains(place))
        .map(|place| format!("{}: {}", DIFFERENCES[place].capture, DIFFERENCES[place].what))
        .collect();
    assert!(unlisted.is_empty(), "not listed in differences.rs:\n{}", unlisted.join("\n"));
    assert!(gone.is_empty(), "listed in differences.rs and no difference any more:\n{}", gone.join("\n"));
}

/// Whether a text is what a pattern says, in which `*` stands for anything.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, rest)) => text.strip_prefix(head).is_some_and(|tail| {
            (0..=tail.len()).any(|at| tail.is_char_boundary(at) && matches(rest, &tail[at..]))
        }),
    }
}

/// A capture is compared, or a machine to start from, or left out with a reason.
fn every_capture_is_named(folder: &Path) {
    let entries = folder.read_dir().unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let there: BTreeSet<String> = entries
        .filter_map(|entry| entry.expect("the folder can be read").file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".tar.zst").map(str::to_owned))
        .collect();
    let used: BTreeSet<&str> = CASES.iter().flat_map(|case| [case.capture, case.base]).collect();
    let left_out: BTreeSet<&str> = LEFT_OUT.iter().flat_map(|(names, _)| names.iter().copied()).collect();
    for name in &there {
        let known = usize::from(used.contains(name.as_str())) + usize::from(left_out.contains(name.as_str()));
        assert_eq!(known, 1, "{name}: compare it in cases.rs or name it in LEFT_OUT, one of the two");
    }
    for name in used.union(&left_out) {
        assert!(there.contains(*name), "{name}: there is no such capture");
    }
}

fn load(folder: &Path, name: &str) -> Machine {
    let unpacked =
        tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a temporary folder");
    let status = Command::new("tar")
        .arg("--zstd")
        .arg("-xf")
        .arg(folder.join(format!("{name}.tar.zst")))
        .arg("-C")
        .arg(unpacked.path())
        .args(["sys", "proc", "var", "capture/manifest.tsv"])
        .status();
    assert!(status.expect("tar is on PATH").success(), "{name} cannot be unpacked");
    captured::load(unpacked.path(), None, 0).unwrap_or_else(|mistake| panic!("{}", mistake.in_file(name)))
}

fn broken(mut machine: Machine, case: &Case) -> Machine {
    let address: Bdf = case.function.parse().expect("an address");
    machine.now = machine.log.last().map_or(0, |line| line.time) + 1_000_000;
    for step in case.steps {
        let done = match step {
            Step::Unbind => effect::unbind(&mut machine, address),
            Step::Remove => effect::remove(&mut machine, address),
            Step::Fault(name, values) => fault::find(name).and_then(|fault| {
                let mut call = Call::new(fault, Some(address));
                for (name, value) in *values {
                    let known = call.values.iter_mut().find(|(known, _)| known == name);
                    known.unwrap_or_else(|| panic!("{}: no parameter {name}", fault.name)).1 = match value {
                        Value::Number(number) => Given::Number(*number),
                        Value::Word(word) => Given::Text((*word).to_owned()),
                        Value::Flag(flag) => Given::Flag(*flag),
                    };
                }
                fault::apply(fault, &mut machine, &call)
            }),
        };
        done.unwrap_or_else(|mistake| panic!("{}", mistake.in_file(case.capture)));
        machine.now += 1_000_000;
    }
    machine.now += 1_000_000_000;
    machine
}
