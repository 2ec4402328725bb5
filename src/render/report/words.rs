//! Words that the page and the ticket have in common.

use crate::check::finding::{Status, Who};
use crate::inspect::check::Evidence;
use crate::inspect::log::Moment;
use crate::inspect::report::Report;
use crate::inspect::report::requests::Request;

/// Who does something, as a heading.
pub fn who(who: Who) -> &'static str {
    match who {
        Who::Operator => "whoever has root on the machine",
        Who::Firmware => "whoever may change firmware (BIOS) settings",
        Who::Provider => "whoever can touch the machine",
        Who::Replacement => "whoever can replace the part",
        Who::Driver => "whoever makes the driver",
        Who::Nobody => "nobody: it is so by design",
    }
}

/// A status as a label.
pub fn status(status: Status) -> &'static str {
    match status {
        Status::Fail => "FAIL",
        Status::Unknown => "unknown",
        Status::Warn => "warn",
        Status::Pass => "pass",
        Status::NotApplicable => "not applicable",
    }
}

/// Where a piece of evidence is: file, offset and raw value.
pub fn place(evidence: &Evidence) -> String {
    let offset = evidence.offset.map(|o| format!(" at {o:#x}")).unwrap_or_default();
    let raw = evidence.raw.as_ref().map(|raw| format!(": {raw}")).unwrap_or_default();
    format!("{}{offset}{raw}", evidence.path)
}

/// When something happened: time of day if the log tells, else seconds since the start.
pub fn moment(moment: &Moment) -> String {
    match (&moment.clock, moment.microseconds) {
        (Some(clock), _) => clock.clone(),
        (None, Some(time)) => format!("{}.{:06}", time / 1_000_000, time % 1_000_000),
        (None, None) => "-".to_owned(),
    }
}

/// Where a request is to be carried out.
pub fn location(request: &Request) -> String {
    let slot = request.slot.as_ref().map(|s| format!("slot {s}"));
    let device = request.device.map(|d| format!("device {d}"));
    let port = request.port.map(|p| format!("port {p}"));
    let parts: Vec<String> = [slot, device, port].into_iter().flatten().collect();
    if parts.is_empty() { "the machine as a whole".to_owned() } else { parts.join(", ") }
}

/// The machine in one line each.
pub fn machine(report: &Report) -> Vec<(&'static str, String)> {
    let facts = &report.machine;
    let together = |parts: [&Option<String>; 3]| {
        let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    };
    let board = &facts.board;
    let rows = [
        ("machine", together([&board.vendor, &board.product, &None])),
        ("board", together([&board.board_vendor, &board.board, &None])),
        ("firmware", together([&board.firmware_vendor, &board.firmware_version, &board.firmware_date])),
        ("kernel", facts.kernel.clone()),
        ("command line", facts.command_line.clone()),
        ("started", facts.started.clone()),
        ("captured", facts.captured.clone()),
        ("read from", Some(facts.source.clone())),
        ("personal data", facts.personal_data.clone()),
        ("made by", Some(facts.program.clone())),
    ];
    rows.into_iter().filter_map(|(name, text)| Some((name, text?))).collect()
}
