//! Simulated machines: what is shipped shows what it says, every fault works on every machine, the log speaks the
//! kernel's words, and real `lspci` reads the folders.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "simulate/strangers.rs"]
mod strangers;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use pciscope::pci::Bdf;
use pciscope::simulate::fault::{self, Call, Fault, ParameterKind, Target};
use pciscope::simulate::folder::write;
use pciscope::simulate::kernel::{KERNELS, Kernel};
use pciscope::simulate::scenario::Scenario;
use pciscope::simulate::state::Machine;
use pciscope::simulate::{expectation, library, output, source};

fn scenario(name: &str, kernel: Option<Kernel>) -> Scenario {
    source::scenario(name, kernel).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn shipped_scenarios_show_what_they_expect_in_every_kernel() {
    for shipped in library::SCENARIOS {
        let own = scenario(shipped.name, None);
        assert!(!own.expectations.is_empty(), "{}: expects nothing", shipped.name);
        let (_, differences) = expectation::check(&own).unwrap();
        assert!(differences.is_empty(), "{differences:#?}");
        for (_, kernel) in KERNELS {
            // Wording differs; what must hold in all is that it can be made.
            let other = scenario(shipped.name, Some(kernel));
            other.machine_at(None).unwrap_or_else(|error| panic!("{error}"));
        }
    }
}

#[test]
fn everything_that_is_committed_is_shipped() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("sysfs-fixtures");
    for (folder, shipped) in [("machines", library::MACHINES), ("scenarios", library::SCENARIOS)] {
        let names: BTreeSet<String> = root
            .join(folder)
            .read_dir()
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter_map(|name| name.strip_suffix(".toml").map(str::to_owned))
            .collect();
        let known: BTreeSet<String> = shipped.iter().map(|s| s.name.to_owned()).collect();
        assert_eq!(names, known, "{folder}: src/simulate/library.rs lists what is in the folder");
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    for shipped in library::SCENARIOS {
        let files = |_| output::files(&scenario(shipped.name, None).machine_at(None).unwrap());
        assert_eq!(files(0), files(1), "{}", shipped.name);
    }
}

/// Every combination of choices that matters: each choice of each parameter once, the others as assumed.
fn calls(fault: &Fault, function: Option<Bdf>) -> Vec<Call> {
    let mut all = vec![Call::new(fault, function)];
    for parameter in fault.parameters {
        let values: Vec<fault::Given> = match parameter.kind {
            ParameterKind::Choice(words) => {
                words[1..].iter().map(|word| fault::Given::Text((*word).to_owned())).collect()
            }
            ParameterKind::Flag(assumed) => vec![fault::Given::Flag(!assumed)],
            _ => Vec::new(),
        };
        for value in values {
            let mut call = Call::new(fault, function);
            call.values.retain(|(name, _)| *name != parameter.name);
            call.values.push((parameter.name, value));
            all.push(call);
        }
    }
    all
}

/// Every fault on every function of every machine where it makes sense.
fn each(mut look: impl FnMut(&str, &Machine, &Fault, &Machine)) {
    for (place, shipped) in library::MACHINES.iter().enumerate() {
        // The kernels on the first machine, the machines with their own.
        let kernels = if place == 0 { KERNELS.map(|(_, kernel)| Some(kernel)).to_vec() } else { vec![None] };
        for kernel in kernels {
            let healthy = scenario(shipped.name, kernel).machine_at(None).unwrap();
            for fault in fault::all() {
                let functions: Vec<Option<Bdf>> = match fault.on {
                    Target::Machine => vec![None],
                    _ => representatives(&healthy),
                };
                for function in functions {
                    if fault::objection(fault, &healthy, function).is_some() {
                        continue;
                    }
                    for call in calls(fault, function) {
                        let mut machine = healthy.clone();
                        machine.now = 60_000_000;
                        let what =
                            format!("{}, {}, {function:?}, {:?}", shipped.name, fault.name, call.values);
                        match fault::apply(fault, &mut machine, &call) {
                            Ok(()) => look(&what, &healthy, fault, &machine),
                            // A fault may refuse what only its own look at the machine can tell, in one line.
                            Err(mistake) => assert!(
                                !mistake.message.contains('\n')
                                    && !mistake.message.contains("is no register"),
                                "{what}: {mistake}"
                            ),
                        }
                    }
                }
            }
        }
    }
}

/// One function of each kind, which is enough to see every fault.
fn representatives(machine: &Machine) -> Vec<Option<Bdf>> {
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for (address, function) in &machine.functions {
        let kind = (function.enumerated.number(0, 4), machine.driver(*address), function.config.layout());
        if seen.insert(kind) {
            all.push(Some(*address));
        }
    }
    all
}

/// Lines that are no errors and have no pattern of their own: each starts like this behind its device.
const PLAIN: [&str; 22] = [
    "reg 0x",
    "BAR ",
    "NVRM: (PCI ID:",
    "NVRM: This PCI I/O region assigned to your NVIDIA device is invalid:",
    "NVRM: GPU at PCI:",
    "DMAR: DRHD: handling fault status reg",
    "nvme nvme",
    "irq ",
    "acpi ",
    "xHCI host controller not responding, assume dead",
    "AHCI controller unavailable!",
    "NVRM: fallen off the bus",
    "NVRM: The NVIDIA probe routine failed",
    "NVRM: None of the NVIDIA",
    "pci_bus ",
    "VPD access failed",
    "timed out waiting for pending transaction",
    "enabling device",
    "NVRM: The NVIDIA GPU",
    "NVRM: installed in this system has",
    "Device config space inaccessible",
    "unknown header type",
];

#[test]
fn every_fault_changes_something_and_every_line_is_in_the_words_of_the_kernel() {
    let text =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kernel-log-patterns.json"));
    let patterns: serde_json::Value = serde_json::from_str(&text.unwrap()).unwrap();
    let patterns: Vec<regex::Regex> = patterns
        .as_array()
        .unwrap()
        .iter()
        .map(|p| regex::Regex::new(p["regex"].as_str().unwrap()).expect("a pattern"))
        .collect();
    let (mut matched, mut seen) = (0, BTreeSet::new());
    let mut worked = BTreeSet::new();
    each(|what, healthy, fault, broken| {
        if !worked.contains(fault.name) && output::files(healthy) != output::files(broken) {
            worked.insert(fault.name);
        }
        let known: BTreeSet<&str> = healthy.log.iter().map(|line| line.text.as_str()).collect();
        for line in broken.log.iter().filter(|line| !known.contains(line.text.as_str())) {
            if !seen.insert(line.text.clone()) {
                continue;
            }
            let text = line.text.trim_end();
            let behind = text.split_once(": ").map_or(text, |(_, rest)| rest);
            let plain = PLAIN.iter().any(|start| text.starts_with(start) || behind.starts_with(start));
            match patterns.iter().any(|pattern| pattern.is_match(text)) {
                true => matched += 1,
                false => assert!(plain, "{what}: no pattern knows `{text}`"),
            }
        }
    });
    let all: BTreeSet<&str> = fault::all().map(|fault| fault.name).collect();
    assert_eq!(worked, all, "every fault makes sense on some shipped machine");
    println!("{matched} lines match their patterns, of {}", seen.len());
    assert!(matched > 200, "{matched} lines");
}

fn lspci(folder: &Path, options: &[&str]) -> Option<(String, String)> {
    let output = Command::new("lspci")
        .args(["-A", "linux-sysfs", "-O"])
        .arg(format!("sysfs.path={}", folder.join("sys/bus/pci").display()))
        .args(options)
        .output()
        .ok()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}: {}", folder.display(), text(&output.stderr));
    Some((text(&output.stdout), text(&output.stderr)))
}

#[test]
fn lspci_reads_every_moment_of_every_scenario_and_every_machine() {
    let place = tempfile::tempdir().unwrap();
    for (number, shipped) in library::SCENARIOS.iter().chain(library::MACHINES).enumerate() {
        let scenario = scenario(shipped.name, None);
        let moments = scenario.moments();
        for (step, at) in moments.iter().copied().enumerate() {
            let folder = place.path().join(format!("{number}-{step}"));
            let machine = scenario.machine_at(Some(at)).unwrap();
            write(&machine, &folder).unwrap();
            // Everything at the end, what is decoded at every step.
            let all: [&[&str]; 4] = [&["-vvv"], &["-tv"], &["-nnk"], &["-xxxx"]];
            let count = if step + 1 == moments.len() { 4 } else { 1 };
            for options in &all[..count] {
                let Some((text, errors)) = lspci(&folder, options) else {
                    println!("skipped: lspci is not installed");
                    return;
                };
                // Debian's lspci looks for the modules of the running kernel, which are none of ours.
                let errors: Vec<&str> = errors.lines().filter(|line| !line.contains("libkmod")).collect();
                assert!(errors.is_empty(), "{} at {at}: {errors:?}", shipped.name);
                if *options == ["-vvv"] {
                    let shown =
                        text.lines().filter(|l| l.starts_with(|c: char| c.is_ascii_hexdigit())).count();
                    assert_eq!(shown, machine.functions.len(), "{} at {at}", shipped.name);
                    lspci_agrees(&machine, &text);
                }
            }
        }
    }
}

/// A function that answers with a header type that does not exist, or not at all, is told as such, and no other is.
fn lspci_agrees(machine: &Machine, text: &str) {
    let strange = |f: &&pciscope::simulate::state::Function| output::config_bytes(f)[0x0e] & 0x7f == 0x7f;
    let count = machine.functions.values().filter(strange).count();
    assert_eq!(text.matches("!!! Unknown header type 7f").count(), count, "{text}");
}

#[test]
fn a_folder_is_never_overwritten() {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("something"), "").unwrap();
    let machine = scenario("two-socket-gpu-server", None).machine_at(None).unwrap();
    let error = write(&machine, place.path()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists);
}

/// Since Linux 6.16 ten errors of a function are printed within 5 s; all of them are counted.
#[test]
fn recent_kernels_print_few_of_many_errors() {
    let text = |version: &str| {
        format!(
            "title = \"storm\"\nbase = \"eight-gpu-server\"\nkernel = \"{version}\"\n[[event]]\nat = \"1m\"\n\
             fault = \"aer-correctable-storm\"\nfunction = \"0000:18:00.0\"\ncount = 200\nevery_ms = 100\n"
        )
    };
    for (version, printed, told) in [("6.12", 200, 0), ("7.2", 40, 3)] {
        let machine =
            source::from_text(&text(version), "storm.toml", None).unwrap().machine_at(None).unwrap();
        let count = |words: &str| machine.log.iter().filter(|line| line.text.contains(words)).count();
        let messages = count("error message received from 0000:18:00.0");
        assert_eq!((messages, count("aer_ratelimit: 40 callbacks suppressed")), (printed, told), "{version}");
        let counted =
            machine.text(&machine.attribute("0000:18:00.0".parse().unwrap(), "aer_dev_correctable"));
        assert!(counted.is_some_and(|text| text.contains("TOTAL_ERR_COR 200")), "{version}");
    }
}
