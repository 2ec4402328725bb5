//! `check` as output of the Open Compute Project's Test and Validation specification, version 2.0 (ocp-diag-core,
//! json_spec): one JSON object a line; a test step a function, a diagnosis a check.
//!
//! The verdict is the check with its outcome. A warning is a PASS there, with its own verdict and message; what does not
//! apply is left out.

use std::time::SystemTime;

use serde_json::{Value, json};

use crate::check::finding::Status;
use crate::inspect::check::{Check, Report};
use crate::machine::board::Board;

/// The answer with all findings; `command` is what was run.
pub fn ocptv(answer: &Check, command: &str, now: SystemTime) -> Result<String, serde_json::Error> {
    let mut lines = Lines {
        out: String::new(),
        number: 0,
        timestamp: humantime::format_rfc3339_seconds(now).to_string(),
    };
    lines.push(json!({ "schemaVersion": { "major": 2, "minor": 0 } }))?;
    let hardware: Vec<Value> = answer
        .functions
        .iter()
        .map(|f| json!({ "hardwareInfoId": f.address.to_string(), "name": f.device, "location": f.address.to_string() }))
        .collect();
    lines.push(json!({ "testRunArtifact": { "testRunStart": {
        "name": "pciscope check",
        "version": env!("CARGO_PKG_VERSION"),
        "commandLine": command,
        "parameters": { "profile": answer.profile },
        "dutInfo": {
            "dutInfoId": "machine",
            "platformInfos": platforms(&answer.board),
            "softwareInfos": firmware(&answer.board).into_iter().flatten().collect::<Vec<_>>(),
            "hardwareInfos": hardware,
        },
    }}}))?;
    for (step, group) in answer.findings.chunk_by(|a, b| a.address == b.address).enumerate() {
        let id = step.to_string();
        let name = group[0].address.map_or_else(|| "check-machine".to_owned(), |a| format!("check-{a}"));
        let step = |body: Value| {
            let mut step = json!({ "testStepId": id });
            if let (Some(step), Value::Object(body)) = (step.as_object_mut(), body) {
                step.extend(body);
            }
            json!({ "testStepArtifact": step })
        };
        lines.push(step(json!({ "testStepStart": { "name": name } })))?;
        for report in group.iter().filter(|r| r.status != Status::NotApplicable) {
            lines.push(step(json!({ "diagnosis": diagnosis(report) })))?;
        }
        lines.push(step(json!({ "testStepEnd": { "status": "COMPLETE" } })))?;
    }
    let (status, result) = end(answer);
    lines.push(json!({ "testRunArtifact": { "testRunEnd": { "status": status, "result": result } } }))?;
    Ok(lines.out)
}

/// Status and result of the run, one of the four pairs that the specification allows (Valid Test Result and Test Status
/// Combinations). What is unknown and counts prevented a verdict; where nothing was judged, nothing was tested.
fn end(answer: &Check) -> (&'static str, &'static str) {
    let judged = answer.counts.pass + answer.counts.warn > 0;
    match answer.result {
        _ if answer.counts.fail > 0 => ("COMPLETE", "FAIL"),
        Status::Fail => ("COMPLETE", "FAIL"),
        Status::Unknown => ("ERROR", "NOT_APPLICABLE"),
        Status::Pass | Status::Warn if judged => ("COMPLETE", "PASS"),
        Status::Pass | Status::Warn | Status::NotApplicable => ("SKIP", "NOT_APPLICABLE"),
    }
}

/// What the machine and its board are called.
fn platforms(board: &Board) -> Vec<Value> {
    let name = |maker: &Option<String>, name: &Option<String>| {
        let words: Vec<&str> = [maker, name].into_iter().flatten().map(String::as_str).collect();
        (!words.is_empty()).then(|| json!({ "info": words.join(" ") }))
    };
    let machine = name(&board.vendor, &board.product);
    let board = name(&board.board_vendor, &board.board);
    machine.into_iter().chain(board).collect()
}

/// The firmware of the machine, with its date.
fn firmware(board: &Board) -> Option<[Value; 1]> {
    let mut firmware = json!({
        "softwareInfoId": "firmware",
        "name": board.firmware_vendor.as_deref().unwrap_or("firmware"),
        "version": board.firmware_version.as_ref()?,
        "softwareType": "FIRMWARE",
    });
    if let Some(date) = &board.firmware_date {
        firmware["revision"] = date.clone().into();
    }
    Some([firmware])
}

fn diagnosis(report: &Report) -> Value {
    let kind = match report.status {
        Status::Fail => "FAIL",
        Status::Unknown => "UNKNOWN",
        _ => "PASS",
    };
    let mut diagnosis = json!({
        "verdict": format!("{}-{}", report.check, report.status.name()),
        "type": kind,
    });
    if !report.summary.is_empty() {
        let action = report.action.as_ref().map_or_else(String::new, |a| format!("; {a}"));
        diagnosis["message"] = format!("{}{action}", report.summary).into();
    }
    if let Some(address) = report.address {
        diagnosis["hardwareInfoId"] = address.to_string().into();
        diagnosis["subcomponent"] = json!({ "type": "BUS", "name": "PCI Express" });
    }
    diagnosis
}

struct Lines {
    out: String,
    number: u64,
    timestamp: String,
}

impl Lines {
    fn push(&mut self, mut line: Value) -> Result<(), serde_json::Error> {
        line["sequenceNumber"] = self.number.into();
        line["timestamp"] = self.timestamp.clone().into();
        self.number += 1;
        self.out.push_str(&serde_json::to_string(&line)?);
        self.out.push('\n');
        Ok(())
    }
}
