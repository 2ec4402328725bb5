//! The formats of `check` for other programs are what those programs expect.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::path::Path;
use std::process::Command;

use serde_json::Value;

fn pciscope(arguments: &[&str]) -> (String, i32) {
    let output = Command::new(env!("CARGO_BIN_EXE_pciscope"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("SOURCE_DATE_EPOCH", "1700000000")
        .env("PCISCOPE_IDS", "embedded")
        .args(arguments)
        .output()
        .unwrap();
    (String::from_utf8(output.stdout).unwrap(), output.status.code().unwrap())
}

const BROKEN: &str = "sysfs-fixtures/broken/all-ones";
const SOUND: &str = "sysfs-fixtures/broken/msix-driver-owns-bar";

/// Facts of the specification (ocp-diag-core, json_spec/output): what every line has, what comes first and last, which
/// words there are, and that the result of a run is FAIL if any diagnosis is.
fn check_ocptv(text: &str) -> Vec<Value> {
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let facts = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ocptv-facts.json");
    let facts = serde_json::from_str(&std::fs::read_to_string(facts).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&facts).unwrap();
    for line in &lines {
        let error = validator.validate(line).err().map(|error| error.to_string());
        assert_eq!(error, None, "{line}");
    }
    assert_eq!(lines[0]["schemaVersion"], serde_json::json!({ "major": 2, "minor": 0 }));
    for (number, line) in lines.iter().enumerate() {
        assert_eq!(line["sequenceNumber"], number);
        assert_eq!(line["timestamp"], "2023-11-14T22:13:20Z");
        let kinds = ["schemaVersion", "testRunArtifact", "testStepArtifact"];
        assert_eq!(kinds.iter().filter(|kind| line.get(**kind).is_some()).count(), 1, "{line}");
    }
    let start = &lines[1]["testRunArtifact"]["testRunStart"];
    for key in ["name", "version", "commandLine", "parameters", "dutInfo"] {
        assert!(start.get(key).is_some(), "{key}");
    }
    let hardware: Vec<&str> = start["dutInfo"]["hardwareInfos"]
        .as_array()
        .unwrap()
        .iter()
        .map(|h| h["hardwareInfoId"].as_str().unwrap())
        .collect();
    let mut open = None;
    let mut failed = false;
    for line in lines[2..lines.len() - 1].iter().map(|line| &line["testStepArtifact"]) {
        let id = line["testStepId"].as_str().unwrap();
        if line.get("testStepStart").is_some() {
            assert_eq!(open.replace(id), None);
        } else if let Some(end) = line.get("testStepEnd") {
            assert_eq!(open.take(), Some(id));
            assert_eq!(end["status"], "COMPLETE");
        } else {
            let diagnosis = &line["diagnosis"];
            assert_eq!(open, Some(id));
            let kind = diagnosis["type"].as_str().unwrap();
            assert!(["PASS", "FAIL", "UNKNOWN"].contains(&kind));
            failed |= kind == "FAIL";
            assert!(diagnosis["verdict"].as_str().unwrap().len() > 5);
            if let Some(id) = diagnosis.get("hardwareInfoId") {
                assert!(hardware.contains(&id.as_str().unwrap()));
            }
        }
    }
    assert_eq!(open, None);
    let end = &lines[lines.len() - 1]["testRunArtifact"]["testRunEnd"];
    let pair = (end["status"].as_str().unwrap(), end["result"].as_str().unwrap());
    // Valid Test Result and Test Status Combinations of the specification: no others.
    let valid =
        [("SKIP", "NOT_APPLICABLE"), ("ERROR", "NOT_APPLICABLE"), ("COMPLETE", "PASS"), ("COMPLETE", "FAIL")];
    assert!(valid.contains(&pair), "{pair:?}");
    assert_eq!(end["result"] == "FAIL", failed);
    lines
}

#[test]
fn ocptv_follows_its_specification() {
    let (text, status) = pciscope(&["--from", BROKEN, "--format", "ocptv", "check"]);
    assert_eq!(status, 2);
    check_ocptv(&text);
    assert!(text.contains("\"verdict\":\"presence-config-all-ones-fail\""));
    // A function of which only the log speaks, an expectation that is not met, two readings.
    let gone = file("gone.toml", "[[device]]\nwhere = \"ff:00.0\"\n");
    let flaps = "sysfs-fixtures/scenarios/gpu-falls-off-the-bus.toml";
    let more = ["--for", "20s", "--expect", &gone, "--profile", "gpu-server"];
    let (text, status) = pciscope(&[&["--from", flaps, "--format", "ocptv", "check"][..], &more].concat());
    assert_eq!(status, 2);
    check_ocptv(&text);
    assert!(text.contains("\"verdict\":\"presence-count-fail\""), "{text}");
    let (text, status) = pciscope(&["--from", SOUND, "--format", "ocptv", "check"]);
    let lines = check_ocptv(&text);
    assert_eq!(lines[lines.len() - 1]["testRunArtifact"]["testRunEnd"]["result"], "PASS", "{status}");
    // What is unknown and counts is no pass.
    let asleep = ["--from", "sysfs-fixtures/broken/asleep-d3cold", "--format", "ocptv", "check", "82:00.0"];
    let (text, status) = pciscope(&asleep);
    assert_eq!(status, 3);
    let lines = check_ocptv(&text);
    let end = &lines[lines.len() - 1]["testRunArtifact"]["testRunEnd"];
    assert_eq!(*end, serde_json::json!({ "status": "ERROR", "result": "NOT_APPLICABLE" }));
}

/// Elements that Jenkins takes (junit-10.xsd of its xunit plugin, MIT licence), with the attributes that each must and may
/// have.
const JUNIT: &[(&str, &[&str], &[&str])] = &[
    ("testsuites", &[], &["name", "time", "tests", "failures", "errors"]),
    (
        "testsuite",
        &["name", "tests", "failures", "errors"],
        &["skipped", "time", "timestamp", "hostname", "id"],
    ),
    ("testcase", &["name"], &["classname", "time", "group"]),
    ("skipped", &[], &["type", "message"]),
    ("error", &[], &["type", "message"]),
    ("failure", &[], &["type", "message"]),
    ("system-out", &[], &[]),
];

#[test]
fn junit_is_well_formed_and_counts_right() {
    let (text, _) = pciscope(&["--from", BROKEN, "--format", "junit", "check"]);
    let mut reader = quick_xml::Reader::from_str(&text);
    let (mut cases, mut failures) = (0, 0);
    loop {
        use quick_xml::events::Event;
        let element = match reader.read_event().unwrap() {
            Event::Eof => break,
            Event::Start(element) | Event::Empty(element) => element,
            _ => continue,
        };
        let name = String::from_utf8(element.name().as_ref().to_vec()).unwrap();
        cases += usize::from(name == "testcase");
        failures += usize::from(name == "failure");
        let (_, required, optional) = JUNIT.iter().find(|(known, ..)| *known == name).expect(&name);
        let has: Vec<String> = element
            .attributes()
            .map(|a| String::from_utf8(a.unwrap().key.as_ref().to_vec()).unwrap())
            .collect();
        assert!(required.iter().all(|key| has.iter().any(|has| has == key)), "{name}: {has:?}");
        let known = |key: &String| required.contains(&key.as_str()) || optional.contains(&key.as_str());
        assert!(has.iter().all(known), "{name}: {has:?}");
    }
    let head = text.lines().nth(1).unwrap();
    assert!(
        head.contains(&format!("tests=\"{cases}\"")) && head.contains(&format!("failures=\"{failures}\"")),
        "{head}"
    );
    assert!(failures >= 3, "{failures}");
}

#[test]
fn json_is_what_its_schema_says() {
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schema/check.json");
    let schema = serde_json::from_str(&std::fs::read_to_string(schema).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for folder in [BROKEN, SOUND, "sysfs-fixtures/machines/two-socket-gpu-server"] {
        let (text, _) =
            pciscope(&["--from", folder, "--format", "json", "check", "--all", "--profile", "gpu-server"]);
        let answer: Value = serde_json::from_str(&text).unwrap();
        if let Err(error) = validator.validate(&answer) {
            panic!("{folder}: {error}");
        }
        let counts = answer["counts"].as_object().unwrap().values().map(|c| c.as_u64().unwrap()).sum::<u64>();
        assert_eq!(counts as usize, answer["findings"].as_array().unwrap().len());
    }
}

#[test]
fn prometheus_has_one_series_a_finding() {
    let entries = file("entries.toml", &"[[device]]\nwhere = \"82:00.0\"\n".repeat(3));
    let storm = "sysfs-fixtures/scenarios/error-storm.toml";
    let once = |arguments: &[&str]| {
        let (text, _) = pciscope(&[&["--format", "prometheus", "--from"][..], arguments].concat());
        // Without the value: a series is its name and its labels.
        let series: Vec<&str> = text
            .lines()
            .filter(|l| !l.starts_with('#'))
            .filter_map(|l| Some(l.rsplit_once(' ')?.0))
            .collect();
        let distinct: std::collections::BTreeSet<&str> = series.iter().copied().collect();
        assert!(series.len() > 5 && series.len() == distinct.len(), "{arguments:?}: {text}");
        text
    };
    once(&[storm, "check", "--for", "20s", "--expect", &entries, "--profile", "gpu-server"]);
    let text = once(&[SOUND, "check", "--expect", &entries]);
    for entry in ["0", "1", "2"] {
        let series = format!("{{check=\"presence-count\",status=\"fail\",entry=\"{entry}\"}} 1");
        let passed = series.replace("fail", "pass");
        assert!(text.contains(&series) || text.contains(&passed), "{text}");
    }
    for machine in std::fs::read_dir("sysfs-fixtures/broken").unwrap() {
        let folder = machine.unwrap().path();
        once(&[folder.to_str().unwrap(), "check"]);
    }
    let text = once(&[BROKEN, "check"]);
    assert!(text.contains(
        "pciscope_check_status{check=\"presence-config-all-ones\",status=\"fail\",segment=\"0000\",bus=\"82\",device=\"00\",function=\"0\"} 1"
    ));
}

#[test]
fn exit_status_follows_what_was_found() {
    for (folder, more, expected) in [
        (BROKEN, &["--fail-on", "fail"][..], 2),
        (BROKEN, &["--only", "devsta-sticky"], 3),
        // Unknown, or not made because it applies to nothing: one rule.
        (BROKEN, &["--only", "devsta-sticky", "--fail-on", "fail"], 0),
        ("sysfs-fixtures/broken/capability-loop", &["--only", "sriov-incomplete"], 3),
        ("sysfs-fixtures/broken/capability-loop", &["--only", "sriov-incomplete", "--fail-on", "unknown"], 3),
        ("sysfs-fixtures/broken/capability-loop", &["--only", "sriov-incomplete", "--fail-on", "fail"], 0),
        ("sysfs-fixtures/broken/asleep-d3cold", &["82:00.0"], 3),
        ("sysfs-fixtures/broken/asleep-d3cold", &["82:00.0", "--fail-on", "fail"], 0),
        ("sysfs-fixtures/machines/two-socket-gpu-server", &["--only", "msix-pending"], 1),
        (
            "sysfs-fixtures/machines/two-socket-gpu-server",
            &["--only", "msix-pending", "--fail-on", "unknown"],
            0,
        ),
        ("sysfs-fixtures/machines/two-socket-gpu-server", &["ff:00.0"], 3),
        ("sysfs-fixtures/machines/two-socket-gpu-server", &["--only", "nothing"], 64),
        ("sysfs-fixtures/machines/two-socket-gpu-server", &["--profile", "./missing.toml"], 66),
    ] {
        let arguments = [&["--from", folder, "check"][..], more].concat();
        assert_eq!(pciscope(&arguments).1, expected, "{arguments:?}");
    }
}

#[test]
fn a_check_that_was_asked_for_and_not_made_is_unknown_in_every_format() {
    for (only, why) in [
        ("link-flap", "needs two readings"),
        ("link-expected", "needs an expectation"),
        ("link-retimers", "needs an expectation"),
        ("sriov-incomplete", "applies to nothing that was checked"),
    ] {
        let asked = |format: &str| pciscope(&["--from", SOUND, "--format", format, "check", "--only", only]);
        let (text, status) = asked("json");
        assert_eq!(status, 3, "{only}");
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (&answer["result"], &answer["counts"]["unknown"]),
            (&"unknown".into(), &1.into()),
            "{only}"
        );
        let summary = answer["findings"][0]["summary"].as_str().unwrap();
        assert!(summary.contains(why), "{summary}");
        let (text, status) = asked("text");
        assert!(status == 3 && text.contains("\nUNKNOWN: "), "{text}");
        let (text, _) = asked("junit");
        assert!(text.contains("errors=\"1\"") && text.contains("<error type=\"unknown\""), "{text}");
        let (text, _) = asked("ocptv");
        assert!(text.contains(&format!("\"verdict\":\"{only}-unknown\"")), "{text}");
        let (text, _) = asked("prometheus");
        assert!(text.contains(&format!("{{check=\"{only}\",status=\"unknown\"}} 1")), "{text}");
    }
}

/// A machine whose firmware keeps control, and gives its reason only in the log.
const KEPT: &str = "[    0.000000] Linux version 6.8.0 (x86_64-linux-gnu-gcc-13)
[    0.900000] ACPI: PCI Root Bridge [PC00] (domain 0000 [bus 00-7f])
[    1.000000] acpi PNP0A08:00: _OSC: OS supports [ExtendedConfig ASPM ClockPM Segments MSI HPX-Type3]
[    1.100000] acpi PNP0A08:00: _OSC: platform retains control of PCIe features (AE_NOT_FOUND)
";

#[test]
fn evidence_of_the_kernel_log_stands_in_the_log() {
    let machine = "sysfs-fixtures/machines/two-socket-gpu-server";
    let virtual_machine = "sysfs-fixtures/machines/qemu-q35-gpu";
    let kept = file("kept.log", KEPT);
    let own = |machine: &str| format!("{machine}/var/log/dmesg");
    let only = "aer-os-owned,aspm-firmware-locked,osc-granted,host-no-64bit-window";
    let mut said = Vec::new();
    for (machine, log) in [
        (machine, own(machine)),
        (virtual_machine, own(virtual_machine)),
        (machine, kept.clone()),
        ("sysfs-fixtures/broken/all-ones", kept),
    ] {
        let arguments =
            ["--from", machine, "--log", &log, "--format", "json", "check", "--all", "--only", only];
        let (text, _) = pciscope(&arguments);
        let answer: Value = serde_json::from_str(&text).unwrap();
        let log = std::fs::read_to_string(&log).unwrap();
        let evidence = |f: &Value| f["evidence"].as_array().unwrap().clone();
        let all: Vec<Value> = answer["findings"].as_array().unwrap().iter().flat_map(evidence).collect();
        let cited: Vec<&str> = all
            .iter()
            .filter(|e| e["path"] == "kernel log")
            .map(|e| e["decoded"].as_str().unwrap())
            .collect();
        assert!(!cited.is_empty(), "{machine}");
        for line in &cited {
            let (number, words) = line.strip_prefix("line ").and_then(|l| l.split_once(": ")).expect(line);
            let there = log.lines().nth(number.parse::<usize>().unwrap() - 1);
            assert_eq!(there, Some(words), "{machine}");
        }
        said.extend(all.iter().map(|e| format!("{}: {}", e["path"], e["decoded"])));
    }
    let has = |words: &str| said.iter().any(|said| said.contains(words));
    assert!(has("platform retains control of PCIe features (AE_NOT_FOUND)"), "{said:?}");
    assert!(has("root bus resource [mem 0x"), "{said:?}");
    assert!(has("no entry for 0000:"), "{said:?}");
}

/// A GPU that is slow for ten seconds of thirty.
const SLOW: &str = r#"
title = "x"
base = "two-socket-gpu-server"
[[event]]
at = "10s"
fault = "link-speed-reduced"
function = "0000:82:00.0"
[[event]]
at = "20s"
clear = "link-speed-reduced"
function = "0000:82:00.0"
"#;

#[test]
fn a_gpu_that_was_slow_in_between_is_told_if_it_had_work() {
    let scenario = file("slow.toml", SLOW);
    let (learned, _) = pciscope(&["--from", &scenario, "--at", "5s", "check", "--learn"]);
    let learned = file("learned-slow.toml", &learned);
    for (more, expected) in [(&[][..], 0), (&["--busy"], 2)] {
        for what in [
            &["--profile", "gpu-server", "--only", "link-speed-below-path"][..],
            &["--expect", &learned, "--only", "link-expected"],
        ] {
            let arguments =
                [&["--from", &scenario, "--at", "5s", "check", "--for", "30s"][..], what, more].concat();
            let (text, status) = pciscope(&arguments);
            assert_eq!(status, expected, "{arguments:?}: {text}");
        }
    }
}

/// A file for one test.
fn file(name: &str, text: &str) -> String {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn what_was_learned_is_what_is_expected() {
    for (place, machine) in [
        "sysfs-fixtures/machines/two-socket-gpu-server",
        "sysfs-fixtures/machines/qemu-q35-gpu",
        "sysfs-fixtures/machines/two-socket-gpu-server.toml",
        "sysfs-fixtures/machines/laptop-gtx1650.toml",
    ]
    .iter()
    .enumerate()
    {
        let (text, status) = pciscope(&["--from", machine, "check", "--learn"]);
        assert_eq!(status, 0, "{machine}");
        let learned = file(&format!("learned-{place}.toml"), &text);
        let arguments = ["--from", machine, "--format", "json", "check", "--expect", &learned, "--all"];
        let (text, _) = pciscope(&arguments);
        let answer: Value = serde_json::from_str(&text).unwrap();
        let expected = |f: &&Value| {
            let check = f["check"].as_str().unwrap();
            check.ends_with("-expected") && check != "identity-class-expected" || check == "presence-count"
        };
        let findings: Vec<&Value> = answer["findings"].as_array().unwrap().iter().filter(expected).collect();
        assert!(findings.len() > 20, "{machine}: {}", findings.len());
        for finding in findings {
            assert_eq!(finding["status"], "pass", "{machine}: {finding}");
        }
    }
}

#[test]
fn virtual_functions_are_learned_where_there_can_be_some() {
    for (folder, expected) in [
        ("sysfs-fixtures/broken/virtual-function", "virtual_functions = 2"),
        ("sysfs-fixtures/machines/two-socket-gpu-server", "virtual_functions = 0"),
    ] {
        let (text, _) = pciscope(&["--from", folder, "check", "--learn"]);
        assert!(text.contains(expected), "{folder}: {text}");
    }
}

#[test]
fn another_card_than_expected_is_told_with_the_line() {
    let (text, _) =
        pciscope(&["--from", "sysfs-fixtures/machines/two-socket-gpu-server.toml", "check", "--learn"]);
    let learned = file("learned-wrong-card.toml", &text);
    let line = text.lines().position(|line| line == "where = \"0000:82:00.0\"").unwrap() + 2;
    let scenario = "title = \"x\"\nbase = \"two-socket-gpu-server\"\n[[event]]\nat = \"1s\"\nfault = \"wrong-device-in-slot\"\nfunction = \"0000:82:00.0\"\n";
    let scenario = file("wrong-card.toml", scenario);
    let (text, status) = pciscope(&["--from", &scenario, "--format", "json", "check", "--expect", &learned]);
    assert_eq!(status, 2);
    let answer: Value = serde_json::from_str(&text).unwrap();
    let of = |check: &str| {
        let mut all = answer["findings"].as_array().unwrap().iter();
        all.find(|f| f["check"] == check && f["address"] == "0000:82:00.0").unwrap().clone()
    };
    let finding = of("identity-expected");
    assert_eq!(finding["status"], "fail");
    let said = finding["summary"].as_str().unwrap();
    assert!(said.contains(&format!("learned-wrong-card.toml:{line}")), "{said}");
    assert_eq!(of("driver-expected")["status"], "fail");
}

#[test]
fn mistakes_in_an_expectation_are_told_with_line_and_nearest_name() {
    for (text, expected) in [
        ("[[device]]\nwhere = \"82:00.0\"\ndrvier = \"nvidia\"\n", ":3: `drvier` is not known in [[device]]"),
        ("[[device]]\nwhere = \"82:00.0\"\ndrvier = \"nvidia\"\n", "nearest: driver"),
        ("[[device]]\nid = \"10de:[2\"\n", ":2: `id`: `10de:[2`: a [ is not closed"),
        ("[[device]]\nid = \"/(/\"\n", ":2: `id`: `/(/` is no regular expression"),
        ("[[device]]\nwhere = \"82.0\"\n", ":2: `where`"),
        ("[[device]]\ndriver = \"nvidia\"\n", ":2: [[device]]: expected `where`, `id`"),
        ("[[device]]\nwhere = \"82:00.0\"\nlink = { speed = \"33 GT/s\" }\n", "nearest: 32 GT/s"),
        ("[[device]]\nwhere = \"82:00.0\"\nlink = { width = 3 }\n", ":3: `width` is 3"),
        ("[[device]]\nwhere = \"82:00.0\"\nrebar = { 1 = \"32\" }\n", "a size such as"),
        ("[machine]\nbios = \"1\"\n", ":2: `bios` is not known in [machine]"),
        ("# nothing\n", "expected [machine] or [[device]]"),
        ("[[device]\n", ":1: not valid TOML"),
    ] {
        let path = file("mistake.toml", text);
        let output = Command::new(env!("CARGO_BIN_EXE_pciscope"))
            .args(["--from", SOUND, "check", "--expect", &path])
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(64), "{said}");
        assert!(said.contains(expected) && said.lines().count() == 1, "{said:?}, expected {expected}");
    }
}

#[test]
fn two_readings_of_a_scenario_are_two_moments() {
    let scenario = "sysfs-fixtures/scenarios/error-storm.toml";
    let arguments =
        ["--from", scenario, "--at", "10s", "--format", "json", "check", "18:00.0", "--for", "60s"];
    let (text, _) = pciscope(&[&arguments[..], &["--only", "aer-correctable,aer-cor-rate"]].concat());
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(answer["seconds"], 60.0);
    let said: Vec<&str> =
        answer["findings"].as_array().unwrap().iter().map(|f| f["summary"].as_str().unwrap()).collect();
    // 25 in a minute are less than x16 at 32 GT/s may have.
    assert_eq!(said, ["correctable errors were counted: RxErr 25; new in these 60 s"]);
}

/// What is still running of a group of processes.
fn running(mark: &str) -> bool {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines.map(|line| String::from_utf8_lossy(&line).into_owned()).any(|line| {
        // Not this program, which has the command among its arguments.
        line.contains(mark) && !line.contains("pciscope")
    })
}

#[test]
fn a_command_that_loads_ends_with_the_check_and_its_failure_is_told() {
    let program = || Command::new(env!("CARGO_BIN_EXE_pciscope"));
    let output =
        program().args(["check", "--while", "sleep 1.6; exit 4", "--fail-on", "fail"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("--while: `sleep 1.6; exit 4` failed: exit status 4"), "{said}");
    assert!(matches!(output.status.code(), Some(2 | 3)), "{:?}", output.status);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("under load:"), "{text}");
    // The time is over: the command and what it started are ended.
    program().args(["check", "--while", "sleep 987.1 & sleep 987.2", "--for", "1500ms"]).output().unwrap();
    assert!(!running("987."));
    // Ctrl-C.
    let mut child = program()
        .args(["check", "--while", "trap '' INT; sleep 986.1 & sleep 986.2"])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    while !running("986.2") {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let id = nix::unistd::Pid::from_raw(child.id() as i32);
    nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGINT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(!running("986."));
}

#[test]
fn one_function_is_judged_within_the_whole_machine() {
    // The memory errors are those of another GPU.
    let source = ["--from", "sysfs-fixtures/scenarios/memory-errors.toml", "check", "--format", "json"];
    let findings = |address: &[&str]| -> Vec<Value> {
        let (text, _) = pciscope(&[&source[..], address].concat());
        let answer: Value = serde_json::from_str(&text).unwrap();
        answer["findings"].as_array().unwrap().clone()
    };
    let whole = findings(&[]);
    let failing = |findings: &[Value], address: &str| -> Vec<String> {
        let mine = findings.iter().filter(|f| f["address"] == address && f["status"] == "fail");
        mine.map(|f| f["check"].as_str().unwrap().to_owned()).collect()
    };
    assert!(!failing(&whole, "0000:bb:00.0").is_empty());
    let one = findings(&["18:00.0"]);
    assert_eq!(failing(&one, "0000:18:00.0"), failing(&whole, "0000:18:00.0"));
    assert_eq!(failing(&one, "0000:bb:00.0"), [""; 0]);
    let osc = |findings: &[Value]| findings.iter().find(|f| f["check"] == "osc-granted").cloned();
    let source = ["--from", "sysfs-fixtures/machines/two-socket-gpu-server", "check", "--format", "json"];
    let of = |more: &[&str]| -> Vec<Value> {
        let (text, _) = pciscope(&[&source[..], &["--profile", "gpu-server"], more].concat());
        serde_json::from_str::<Value>(&text).unwrap()["findings"].as_array().unwrap().clone()
    };
    let whole = osc(&of(&[]));
    assert!(whole.is_some());
    assert_eq!(whole, osc(&of(&["00:00.0"])));
}

#[test]
fn what_was_asked_for_and_is_not_there_is_no_pass_in_any_format() {
    let source = ["--from", "eight-gpu-server", "check"];
    for wanted in [["-d", "dead:"], ["-s", "77:00.0"]] {
        let in_format = |format: &str| pciscope(&[&source[..], &wanted, &["--format", format]].concat());
        let (text, status) = in_format("json");
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&answer["result"], status), (&Value::from("unknown"), 3), "{wanted:?}");
        let (text, status) = in_format("ocptv");
        let lines = check_ocptv(&text);
        let end = &lines.last().unwrap()["testRunArtifact"]["testRunEnd"];
        assert_eq!(status, 3);
        assert_ne!(end["result"], "PASS", "{end}");
        let (text, _) = in_format("junit");
        assert!(text.contains("<error type=\"unknown\""), "{text}");
        let (text, _) = in_format("text");
        assert!(!text.contains("PASS:"), "{text}");
    }
    let empty = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(empty.path().join("sys/bus/pci/devices")).unwrap();
    let (text, status) = pciscope(&["--from", empty.path().to_str().unwrap(), "check", "--format", "json"]);
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["result"], "unknown");
    assert_eq!(status, 3);
}

#[test]
fn an_entry_that_finds_nothing_is_told_whichever_checks_are_made() {
    let source = ["--from", "eight-gpu-server", "check", "--only", "link-expected", "--expect"];
    let judged = |text: &str| {
        let file = file("entry.toml", text);
        pciscope(&[&source[..], &[file.as_str()]].concat())
    };
    let there = "[[device]]\nwhere = \"18:00.0\"\nlink = { max_speed = \"32 GT/s\" }\n";
    assert_eq!(judged(there).1, 0);
    let (text, status) =
        judged(&format!("{there}[[device]]\nwhere = \"77:00.0\"\nlink = {{ max_speed = \"32 GT/s\" }}\n"));
    assert_eq!(status, 2, "{text}");
    let (text, status) =
        judged("[[device]]\nwhere = [\"18:00.0\", \"77:00.0\"]\nlink = { max_speed = \"32 GT/s\" }\n");
    assert_eq!(status, 2, "{text}");
    assert!(text.contains("nothing is at 77:00.0"), "{text}");
    // One of two, whichever it is.
    let (text, status) = judged(
        "[[device]]\ncount = 1\nwhere = [\"18:00.0\", \"77:00.0\"]\nlink = { max_speed = \"32 GT/s\" }\n",
    );
    assert_eq!(status, 0, "{text}");
    // A device that does not answer is not there.
    let file = file("dead.toml", "[[device]]\nwhere = \"82:00.0\"\n");
    let dead = [
        "--from",
        "sysfs-fixtures/scenarios/gpu-falls-off-the-bus.toml",
        "check",
        "--only",
        "presence-count",
    ];
    let (text, status) = pciscope(&[&dead[..], &["--expect", &file]].concat());
    assert_eq!(status, 2, "{text}");
    // How long the file's path is must not matter: lines are broken at spaces.
    let text: Vec<&str> = text.split_whitespace().collect();
    assert!(text.join(" ").contains("the kernel lists it, and it does not answer"), "{text:?}");
}

#[test]
fn what_function_mask_masks_is_told_once() {
    let source =
        ["--from", "sysfs-fixtures/scenarios/vectors-masked.toml", "check", "--format", "json", "--all"];
    let (text, _) = pciscope(&[&source[..], &["-s", "09:00.0"]].concat());
    let answer: Value = serde_json::from_str(&text).unwrap();
    let of = |id: &str| {
        let findings = answer["findings"].as_array().unwrap();
        let mine = |f: &&Value| f["check"] == id && f["address"] == "0000:09:00.0";
        findings
            .iter()
            .find(mine)
            .map(|f| (f["status"].clone(), f["summary"].as_str().unwrap().to_owned()))
            .unwrap()
    };
    assert_eq!(of("msix-function-mask").0, "fail");
    assert_eq!(of("msix-entry").0, "not-applicable");
    let (status, summary) = of("msix-pending");
    assert!(status == "warn" && !summary.contains("not masked"), "{status} {summary}");
}

#[test]
fn a_log_that_is_piped_counts_beside_the_state_and_what_is_none_does_not() {
    use std::io::Write;
    use std::process::Stdio;
    let asked = |name: &str, input: &[u8]| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_pciscope"))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["--from", "two-socket-gpu-server", "diagnose", "--log", name])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        (text, output.status.code())
    };
    let lost = b"[  900.000000] NVRM: Xid (PCI:0000:82:00): 79, pid=0, GPU has fallen off the bus.\n";
    let piped = asked("-", lost);
    assert_ne!(piped.1, Some(0), "{}", piped.0);
    assert!(piped.0.contains("fallen off the bus"), "{}", piped.0);
    for none in [&b""[..], b"hello\nworld\n", &[0x9b; 5000]] {
        let (text, status) = asked("-", none);
        assert_eq!(status, Some(3), "{text}");
        assert!(text.contains("no line in it is"), "{text}");
    }
}

#[test]
fn the_list_of_checks_shows_what_a_profile_makes_of_them() {
    let severity = |more: &[&str], id: &str| {
        let (text, status) = pciscope(&[&["check", "--list"][..], more].concat());
        assert_eq!(status, 0, "{text}");
        let line = text.lines().find(|line| line.trim_start().starts_with(&format!("{id} ")));
        line.unwrap().split_whitespace().nth(1).unwrap().to_owned()
    };
    assert_eq!(severity(&[], "link-speed-below-path"), "warn");
    assert_eq!(severity(&["--profile", "gpu-server"], "link-speed-below-path"), "fail");
    assert_eq!(severity(&[], "driver-bound"), "off");
    assert_eq!(severity(&["--profile", "gpu-server"], "driver-bound"), "warn");
}

#[test]
fn a_changed_class_is_not_what_was_learned() {
    let source = ["--from", "eight-gpu-server", "check"];
    let (text, status) = pciscope(&[&source[..], &["--learn"]].concat());
    assert_eq!(status, 0);
    // As of a controller that was switched from InfiniBand to Ethernet.
    let other = text.replacen("class = \"0x020700\"", "class = \"0x020000\"", 1);
    assert_ne!(other, text);
    let file = file("class.toml", &other);
    let (text, status) =
        pciscope(&[&source[..], &["--expect", &file, "--only", "identity-expected"]].concat());
    assert_eq!(status, 2, "{text}");
    assert!(text.contains("0x020700") || text.contains("020700"), "{text}");
}
