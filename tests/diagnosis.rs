//! Diagnosis against what people found who fixed what a log shows (`PCISCOPE_CORPUS/kernel-logs`).

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::path::PathBuf;

use pciscope::diagnosis::{Sources, Subject, Verdict, diagnose, verdicts};
use pciscope::kernel_log::Log;
use pciscope::kernel_log::source::events_of;
use pciscope::pci::Bdf;
use pciscope::simulate::fault::{self, Call, Fault, Given, ParameterKind, Target};
use pciscope::simulate::kernel::KERNELS;
use pciscope::simulate::state::Machine;
use pciscope::simulate::{library, output, source};

#[path = "diagnosis/adapters.rs"]
mod adapters;
#[path = "diagnosis/any_log.rs"]
mod any_log;
#[path = "diagnosis/captures.rs"]
mod captures;
#[path = "diagnosis/drivers.rs"]
mod drivers;
#[path = "diagnosis/order.rs"]
mod order;
#[path = "diagnosis/shapes.rs"]
mod shapes;

/// Everybody who is not well, with verdict and rule.
fn ill(text: &str) -> Vec<String> {
    let log = events_of(&mut text.as_bytes()).unwrap();
    let sources = Sources::new(Some(&log), None);
    let found = diagnose(&sources);
    let ill = found.iter().filter(|d| d.verdict.name() != "healthy");
    ill.map(|d| {
        let who = match &d.subject {
            Subject::Function(address) => address.to_string(),
            Subject::Named(name) => name.clone(),
        };
        format!("{who} {} {}", d.verdict.name(), d.rule.map_or("-", |rule| rule.id))
    })
    .collect()
}

/// What each log's verdict is in our words, and, where the log has one, the device.
const EXPECTED: &[(&str, Verdict, &str)] = {
    use Verdict::*;
    &[
        ("001", BarNotAssigned, "0000:3a:04.0"),
        ("003", BarNotAssigned, "0000:00:00.0"),
        ("005", FirmwareConfiguration, "0000:06:08.1"),
        ("007", BarNotAssigned, "0000:03:00.0"),
        ("009", Healthy, ""),
        ("011", BarNotAssigned, "0000:03:00.0"),
        ("013", BarNotAssigned, "0006:03:00.2"),
        ("015", BarNotAssigned, "0000:02:00.1"),
        ("017", PowerStateStuck, "0000:39:00.0"),
        ("019", PowerStateStuck, "0000:06:00.0"),
        ("021", PowerStateStuck, "0000:03:00.0"),
        ("023", SurpriseRemoved, "0000:03:00.0"),
        ("025", SurpriseRemoved, "0000:73:00.0"),
        ("027", PowerStateStuck, "0000:01:00.0"),
        ("029", ResetFailed, "0000:01:00.0"),
        ("031", ErrorStorm, "0000:01:00.0"),
        ("033", ContainedByDpc, "0000:00:1b.0"),
        ("035", ErrorStorm, "0000:00:1d.0"),
        ("037", ErrorStorm, "0000:00:1d.0"),
        ("039", ErrorStorm, "0000:00:1c.5"),
        ("041", ErrorStorm, "0006:01:00.0"),
        ("043", ErrorStorm, "0000:07:04.0"),
        ("045", ErrorStorm, "0000:2b:00.0"),
        ("047", ErrorStorm, ""),
        ("049", ContainedByDpc, "0000:30:03.0"),
        ("051", ContainedByDpc, "0000:00:16.0"),
        ("053", DmaFault, "0000:07:00.0"),
        ("055", InterruptsUnavailable, "0000:00:03.0"),
        ("057", DeviceFirmware, "0000:16:00.0"),
        ("059", SurpriseRemoved, "0000:17:01.0"),
        ("061", DegradedLink, "10002:02:00.0"),
        ("063", LinkDown, ""),
        ("065", LinkDown, "0000:01:00.0"),
        ("067", FallenOffBus, "0000:05:00.0"),
        ("069", FirmwareConfiguration, "10000:e0:06.0"),
        ("071", SurpriseRemoved, "0000:39:00.0"),
        ("073", ErrorStorm, "0000:01:00.0"),
        ("075", ErrorStorm, "0000:00:1c.5"),
        ("077", Healthy, ""),
        ("079", Misconfigured, "0000:01:10.0"),
        ("081", FirmwareConfiguration, "0000:09:00.0"),
        ("083", ContainedByDpc, "0000:5f:00.0"),
        ("085", ErrorStorm, "0000:00:03.1"),
        ("087", SurpriseRemoved, "0000:03:00.0"),
        ("089", LinkDown, "0000:02:00.0"),
        ("101", FallenOffBus, "0000:01:00.0"),
        ("103", FallenOffBus, "0000:01:00.0"),
        ("105", DeviceFirmware, "0000:0a:00.0"),
        ("109", Healthy, ""),
    ]
};

fn read(text: &str) -> Log {
    events_of(&mut text.as_bytes()).unwrap()
}

fn logs() -> Vec<(String, String)> {
    let Some(corpus) = std::env::var_os("PCISCOPE_CORPUS") else {
        println!("PCISCOPE_CORPUS is not set: real kernel logs are skipped");
        return Vec::new();
    };
    let folder = PathBuf::from(corpus).join("kernel-logs");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    paths.iter().map(|path| (name(path), std::fs::read_to_string(path).unwrap())).collect()
}

fn name(subject: &Subject) -> String {
    match subject {
        Subject::Function(address) => address.to_string(),
        Subject::Named(name) => name.clone(),
    }
}

#[test]
fn real_logs_are_diagnosed_as_by_those_who_fixed_them() {
    let (mut agree, mut differ, mut others) = (0, Vec::new(), Vec::new());
    for (file, text) in logs() {
        let (_, expected, device) = EXPECTED.iter().find(|(number, ..)| file.starts_with(number)).unwrap();
        let log = read(&text);
        let sources = Sources::new(Some(&log), None);
        let found = diagnose(&sources);
        let worst = found.iter().map(|d| d.verdict).max_by_key(|v| v.weight()).unwrap_or(Verdict::Healthy);
        let of_device = found.iter().find(|d| name(&d.subject) == *device).map(|d| d.verdict);
        let right = worst == *expected && (device.is_empty() || of_device == Some(*expected));
        agree += usize::from(right);
        let all: Vec<String> = found
            .iter()
            .filter(|d| d.verdict != Verdict::Healthy)
            .map(|d| format!("{} {} by {}", name(&d.subject), d.verdict.name(), d.rule.map_or("", |r| r.id)))
            .collect();
        if !right {
            differ.push(format!("{file}: expected {} {device}; found {all:?}", expected.name()));
        }
        let mixed: Vec<&String> = all.iter().filter(|a| !a.contains(expected.name())).collect();
        if right && !mixed.is_empty() {
            others.push(format!("{file}: also {mixed:?}"));
        }
    }
    println!("{agree} agree\n{}\n--\n{}", differ.join("\n"), others.join("\n"));
    assert!(
        std::env::var_os("PCISCOPE_CORPUS").is_none() || agree >= 45,
        "{agree} agree\n{}",
        differ.join("\n")
    );
}

/// Each choice of each parameter once, the others as assumed.
fn calls(fault: &Fault, function: Option<Bdf>) -> Vec<Call> {
    let mut all = vec![Call::new(fault, function)];
    for parameter in fault.parameters {
        let values: Vec<Given> = match parameter.kind {
            ParameterKind::Choice(words) => words[1..].iter().map(|w| Given::Text((*w).to_owned())).collect(),
            ParameterKind::Flag(assumed) => vec![Given::Flag(!assumed)],
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

/// One endpoint of each kind on which the fault makes sense.
fn targets(fault: &Fault, machine: &Machine) -> Vec<Option<Bdf>> {
    if fault.on == Target::Machine {
        return vec![None];
    }
    let mut seen = BTreeSet::new();
    let endpoints = machine.functions.iter().filter(|(_, f)| f.config.layout() == 0);
    endpoints
        .filter(|(address, f)| seen.insert((f.enumerated.number(0, 4), machine.driver(**address))))
        .map(|(address, _)| Some(*address))
        // Links are judged at function 0 of a device; what no driver uses, nobody misses.
        .filter(|function| function.is_some_and(|f| f.function == 0 && machine.driver(f).is_some()))
        .filter(|function| fault::objection(fault, machine, *function).is_none())
        .collect()
}

/// The first GPU or other endpoint: what a fault of the whole machine is judged by.
fn any_endpoint(machine: &Machine) -> Bdf {
    let linked = |f: &pciscope::simulate::state::Function| {
        f.config.layout() == 0
            && f.enumerated.capability("express").is_some()
            && f.enumerated.capability("aer").is_some()
    };
    *machine.functions.iter().find(|(_, f)| linked(f)).unwrap().0
}

/// The verdict for a function; of one that is gone and of which nothing speaks, that of the port above.
fn verdict_of(machine: &Machine, address: Bdf, above: Option<Bdf>) -> (Verdict, &'static str) {
    let tree = output::tree(machine);
    let found = verdicts(&tree, &|other| other == address || Some(other) == above).unwrap();
    let of = |wanted: Bdf| found.iter().find(|(subject, ..)| *subject == Subject::Function(wanted));
    let own = of(address).or_else(|| above.and_then(of)).unwrap();
    (own.1, own.2.unwrap_or(""))
}

#[test]
fn every_fault_gets_its_verdict_in_every_dialect() {
    let (mut made, mut wrong) = (0, BTreeSet::new());
    let mut done = BTreeSet::new();
    for (round, (version, kernel)) in KERNELS.into_iter().enumerate() {
        let machines: Vec<(&str, Machine)> = library::MACHINES
            .iter()
            .map(|m| (m.name, source::scenario(m.name, Some(kernel)).unwrap().machine_at(None).unwrap()))
            .collect();
        for (number, fault) in fault::all().enumerate() {
            // Another machine, another device and another choice in every dialect.
            let broken = (0..machines.len()).find_map(|step| {
                let (name, healthy) = &machines[(round + number + step) % machines.len()];
                let targets = targets(fault, healthy);
                let function = *targets.get(round % targets.len().max(1))?;
                let all = calls(fault, function);
                let call = all.into_iter().cycle().nth(round.saturating_sub(1))?;
                let mut machine = healthy.clone();
                machine.now = 60_000_000;
                fault::apply(fault, &mut machine, &call).ok()?;
                // When everything has been said: some of it comes a minute later.
                machine.now = machine.log.iter().map(|line| line.since).fold(machine.now, u64::max);
                Some((*name, healthy, machine, call))
            });
            let Some((name, healthy, machine, call)) = broken else { continue };
            let address = call.function.unwrap_or_else(|| any_endpoint(healthy));
            let (found, rule) = verdict_of(&machine, address, healthy.parent(address));
            let expected = fault.verdict_on(&machine, &call);
            made += 1;
            done.insert((fault.name, version));
            if found.name() != expected {
                let driver = healthy.driver(address).unwrap_or_default();
                wrong.insert(format!(
                    "{} {:?}: {version}, {name}, {address} {driver}: expected {expected}, found {} by {rule}",
                    fault.name,
                    call.values,
                    found.name()
                ));
            }
        }
    }
    println!("{made} diagnoses");
    let wrong: Vec<String> = wrong.into_iter().collect();
    assert!(wrong.is_empty(), "{} of {made} differ:\n{}", wrong.len(), wrong.join("\n"));
    for fault in fault::all() {
        for (version, _) in KERNELS {
            assert!(done.contains(&(fault.name, version)), "{} is not diagnosed in {version}", fault.name);
        }
    }
}

#[test]
fn machines_on_which_nothing_is_broken_are_healthy() {
    for shipped in library::MACHINES {
        for (version, kernel) in KERNELS {
            let machine = source::scenario(shipped.name, Some(kernel)).unwrap().machine_at(None).unwrap();
            let found = verdicts(&output::tree(&machine), &|_| true).unwrap();
            assert!(found.len() >= machine.functions.len(), "{}", shipped.name);
            let ill: Vec<String> = found
                .iter()
                .filter(|(_, verdict, _)| *verdict != Verdict::Healthy)
                .map(|(subject, verdict, rule)| format!("{} {} {rule:?}", name(subject), verdict.name()))
                .collect();
            assert!(ill.is_empty(), "{} {version}: {ill:?}", shipped.name);
        }
    }
}

/// What the machine's state shows to be well now, no old line of the log makes ill.
#[test]
fn the_state_is_believed_rather_than_an_old_line() {
    let sound = source::scenario("two-socket-gpu-server", None).unwrap().machine_at(None).unwrap();
    let gpu = any_endpoint(&sound);
    let port = sound.parent(gpu).unwrap();
    for text in [
        format!("pci {gpu}: BAR 1: no space for [mem size 0x400000000 64bit pref]"),
        format!("pci {gpu}: BAR 1: failed to assign [mem size 0x400000000 64bit pref]"),
        format!("nvidia {gpu}: can't enable device: BAR 0 [mem size 0x01000000] not claimed"),
        format!("NVRM: GPU {gpu}: Failed to enable MSI-X."),
        format!("pcieport {port}: pciehp: Slot(1): Power fault"),
    ] {
        let mut machine = sound.clone();
        machine.now = 60_000_000;
        // Behind everything that was logged at start.
        let time = machine.log.iter().map(|line| line.time).max().unwrap_or_default() + 1;
        machine.log.push(pciscope::simulate::state::Line { time, since: 0, text: text.clone() });
        let (verdict, rule) = verdict_of(&machine, gpu, Some(port));
        assert_eq!(verdict, Verdict::Healthy, "{text}: by {rule}");
    }
}

/// A window that did not fit at first, of a port behind which everything has its address now.
#[test]
fn windows_that_were_found_later_are_believed() {
    let sound = source::scenario("two-socket-gpu-server", None).unwrap().machine_at(None).unwrap();
    let gpu = any_endpoint(&sound);
    let port = sound.parent(gpu).unwrap();
    for text in [
        format!("pci {port}: BAR 14: no space for [mem size 0x40000000]"),
        format!("pci {port}: BAR 15: failed to assign [mem size 0x400000000 64bit pref]"),
        format!("pci {port}: bridge window [mem size 0x400000000 64bit pref]: can't assign; no space"),
        format!("pci {port}: bridge window [mem size 0x400000000 64bit pref]: failed to assign"),
        format!("pci {gpu}: BAR 1: can't assign [mem size 0x400000000 64bit pref]"),
        format!(
            "pci {gpu}: BAR 0: [mem 0xfe000000-0xfe003fff 64bit] conflicts with PCI Bus 0000:00 [mem 0xf0000000-0xffffffff]"
        ),
    ] {
        let mut machine = sound.clone();
        machine.now = 60_000_000;
        let time = machine.log.iter().map(|line| line.time).max().unwrap_or_default() + 1;
        machine.log.push(pciscope::simulate::state::Line { time, since: 0, text: text.clone() });
        let found = verdicts(&output::tree(&machine), &|_| true).unwrap();
        let ill: Vec<String> = found
            .iter()
            .filter(|(_, verdict, _)| *verdict != Verdict::Healthy)
            .map(|(subject, verdict, rule)| format!("{} {} {rule:?}", name(subject), verdict.name()))
            .collect();
        assert!(ill.is_empty(), "{text}: {ill:?}");
        // The log alone says what it says.
        let log = read(&format!("[    1.000000] {text}\n"));
        let sources = Sources::new(Some(&log), None);
        let alone = diagnose(&sources);
        let told = [Verdict::BarNotAssigned, Verdict::FirmwareConfiguration];
        assert!(alone.iter().any(|d| told.contains(&d.verdict)), "{text}: {:?}", alone.len());
    }
}

/// A drive that its driver lost, and that somebody took out an hour later: state and log.
#[test]
fn what_was_lost_before_it_was_taken_out_fell_off() {
    let mut machine = source::scenario("nvme-storage-server", None).unwrap().machine_at(None).unwrap();
    let drive: Bdf = "0000:03:00.0".parse().unwrap();
    let port = machine.parent(drive).unwrap();
    let removal = fault::find("surprise-removal").unwrap();
    machine.now = 3_600_000_000;
    let call = calls(removal, Some(drive)).into_iter().next().unwrap();
    fault::apply(removal, &mut machine, &call).unwrap();
    let text = format!("nvme {drive}: controller is down; will reset: CSTS=0xffffffff, PCI_STATUS=0xffff");
    let text = text.replace(&format!("nvme {drive}"), "nvme nvme99");
    let named = format!("nvme nvme99: pci function {drive}");
    let at = machine.log.iter().position(|line| line.time >= 3_600_000_000).unwrap();
    for (step, text) in [named, text].into_iter().enumerate() {
        let line = pciscope::simulate::state::Line { time: 100_000_000 + step as u64, since: 0, text };
        machine.log.insert(at + step, line);
    }
    let found = verdicts(&output::tree(&machine), &|_| true).unwrap();
    let ill = found.iter().filter(|(_, verdict, _)| *verdict != Verdict::Healthy);
    let ill: Vec<String> = ill
        .map(|(subject, verdict, rule)| format!("{} {} {}", name(subject), verdict.name(), rule.unwrap()))
        .collect();
    let expected = [format!("{drive} fallen-off-bus off-the-bus-then-taken-out")];
    assert_eq!(ill, expected, "{port} has no story of its own: {:#?}", &machine.log[at.saturating_sub(3)..]);
}

/// Everybody who is not well in a machine whose log is this alone.
fn ill_with_log(scenario: &str, lines: &[&str]) -> Vec<String> {
    let mut machine = source::scenario(scenario, None).unwrap().machine_at(None).unwrap();
    let line = |(step, text): (usize, &&str)| {
        let time = 100_000_000 + step as u64;
        pciscope::simulate::state::Line { time, since: 0, text: (*text).to_owned() }
    };
    machine.log = lines.iter().enumerate().map(line).collect();
    let found = verdicts(&output::tree(&machine), &|_| true).unwrap();
    let ill = found.iter().filter(|(_, verdict, _)| *verdict != Verdict::Healthy);
    ill.map(|(subject, verdict, rule)| format!("{} {} {}", name(subject), verdict.name(), rule.unwrap()))
        .collect()
}

/// A GPU that fell off and was removed from the list: without the log its port alone tells.
#[test]
fn a_slot_with_a_card_and_without_a_link_is_the_story_where_nothing_else_is_left() {
    let expected = ["0000:80:01.1 link-down card-without-link-now"];
    assert_eq!(ill_with_log("field-note-1", &[]), expected);
    // A slot that is empty is none, and sound machines have some.
    assert!(ill_with_log("two-socket-gpu-server", &[]).is_empty());
}

/// Lines of a card that left its slot, of a machine whose slot sees one now: of a device that is not listed any more the port tells.
#[test]
fn a_slot_that_sees_a_card_is_believed_rather_than_an_unplug_in_the_log() {
    let unplugged = [
        "pcieport 0000:80:01.1: pciehp: Slot(3): Link Down",
        "pcieport 0000:80:01.1: pciehp: Slot(3): Card not present",
        "NVRM: Xid (PCI:0000:81:00): 79, pid=1, name=x, GPU has fallen off the bus.",
    ];
    let ill = ill_with_log("field-note-1", &unplugged);
    assert!(ill.contains(&"0000:81:00.0 fallen-off-bus off-the-bus-by-log".to_owned()), "{ill:?}");
    assert!(!ill.iter().any(|line| line.contains("surprise-removed")), "{ill:?}");
}

/// Logs of the project, and what they are of.
#[test]
fn own_logs() {
    for (file, device, expected) in [
        ("gpu-lost.log", "0000:82:00.0", Verdict::FallenOffBus),
        ("several-boots.log", "0000:01:00.0", Verdict::FallenOffBus),
        ("link-errors.log", "0000:2b:00.0", Verdict::FallenOffBus),
        ("captured-disk-gone.log", "0000:01:00.0", Verdict::FallenOffBus),
        ("unplugged.log", "0000:05:00.0", Verdict::SurpriseRemoved),
    ] {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/logs").join(file);
        let log = read(&std::fs::read_to_string(path).unwrap());
        let sources = Sources::new(Some(&log), None);
        let found = diagnose(&sources);
        let own = found.iter().find(|d| name(&d.subject) == device).unwrap();
        assert_eq!(own.verdict, expected, "{file}: by {:?}", own.rule.map(|r| r.id));
    }
}

/// That another card is in a slot only an expectation tells.
#[test]
fn another_card_is_wrong_where_an_expectation_says_so() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let scenario = root.join("sysfs-fixtures/scenarios/wrong-card.toml");
    let sound = root.join("sysfs-fixtures/machines/nvme-storage-server.toml");
    let run = |source: &PathBuf, arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_pciscope"));
        command.arg("--from").arg(source).args(arguments);
        let output = command.output().unwrap();
        (String::from_utf8(output.stdout).unwrap(), output.status.code())
    };
    let (learned, status) = run(&sound, &["check", "--learn"]);
    assert_eq!(status, Some(0));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("expected.toml");
    std::fs::write(&file, learned).unwrap();
    let expect = ["diagnose", "--expect", file.to_str().unwrap()];
    let (text, status) = run(&sound, &expect);
    assert_eq!((status, text.contains("wrong-device")), (Some(0), false), "{text}");
    let (text, status) = run(&scenario, &expect);
    assert_eq!((status, text.contains("wrong-device (certain")), (Some(2), true), "{text}");
    let (text, status) = run(&scenario, &["diagnose"]);
    assert_eq!(status, Some(0), "{text}");
}
