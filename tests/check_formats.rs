//! The formats of `check` for other programs are what those programs expect.
#![allow(clippy::unwrap_used, reason = "tests")]

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
    assert_eq!(end["status"], "COMPLETE");
    assert_eq!(end["result"] == "FAIL", failed);
    lines
}

#[test]
fn ocptv_follows_its_specification() {
    let (text, status) = pciscope(&["--from", BROKEN, "--format", "ocptv", "check"]);
    assert_eq!(status, 2);
    check_ocptv(&text);
    assert!(text.contains("\"verdict\":\"presence-config-all-ones-fail\""));
    let (text, status) = pciscope(&["--from", SOUND, "--format", "ocptv", "check"]);
    let lines = check_ocptv(&text);
    assert_eq!(lines[lines.len() - 1]["testRunArtifact"]["testRunEnd"]["result"], "PASS", "{status}");
}

#[test]
fn junit_is_well_formed_and_counts_right() {
    let (text, _) = pciscope(&["--from", BROKEN, "--format", "junit", "check"]);
    let mut reader = quick_xml::Reader::from_str(&text);
    let (mut cases, mut failures) = (0, 0);
    loop {
        use quick_xml::events::Event;
        match reader.read_event().unwrap() {
            Event::Eof => break,
            Event::Start(e) | Event::Empty(e) if e.name().as_ref() == b"testcase" => cases += 1,
            Event::Start(e) if e.name().as_ref() == b"failure" => failures += 1,
            _ => {}
        }
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
    let (text, _) = pciscope(&["--from", BROKEN, "--format", "prometheus", "check"]);
    let series: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let distinct: std::collections::BTreeSet<&str> = series.iter().copied().collect();
    assert_eq!(series.len(), distinct.len());
    assert!(text.contains(
        "pciscope_check_status{check=\"presence-config-all-ones\",status=\"fail\",segment=\"0000\",bus=\"82\",device=\"00\",function=\"0\"} 1"
    ));
}

#[test]
fn exit_status_follows_what_was_found() {
    for (folder, more, expected) in [
        (BROKEN, &["--fail-on", "fail"][..], 2),
        (BROKEN, &["--only", "devsta-sticky"], 3),
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
