//! `check` as text: by function, worst first.

use crate::check::finding::Status;
use crate::inspect::check::{Check, CheckExplanation, Counts, Evidence, Report};
use crate::pci::Bdf;

use super::super::style::{Style, Tone, paragraph};

/// The whole answer.
pub fn check(answer: &Check, style: Style) -> String {
    let mut out = String::new();
    let folded = folded(&answer.findings);
    let mut groups: Vec<(Option<Bdf>, String, Vec<&Report>)> = Vec::new();
    for report in &answer.findings {
        if folded.iter().any(|fold| is_same(fold[0], report)) {
            continue;
        }
        if groups.last().is_none_or(|(address, ..)| *address != report.address) {
            groups.push((report.address, heading(answer, report.address, style), Vec::new()));
        }
        if let Some((_, _, reports)) = groups.last_mut() {
            reports.push(report);
        }
    }
    let worst = |reports: &[&Report]| reports.iter().map(|r| r.status).max();
    // A stable sort: within the same severity the order of the addresses stays.
    groups.sort_by_key(|(_, _, reports)| std::cmp::Reverse(worst(reports)));
    for (_, heading, reports) in &groups {
        out.push_str(heading);
        function(&mut out, reports, style);
    }
    for same in &folded {
        let addresses: Vec<String> =
            same.iter().filter_map(|r| r.address).take(SHOWN).map(|a| a.to_string()).collect();
        let names = format!("{} functions", same.len());
        let more = if same.len() > SHOWN { ", …" } else { "" };
        out.push_str(&format!("{}  {}{more}\n", style.paint(Tone::Heading, &names), addresses.join(", ")));
        function(&mut out, &same[..1], style);
    }
    for note in &answer.notes {
        out.push_str(&format!("note: {note}\n"));
    }
    let functions = match answer.functions.len() {
        1 => "1 function".to_owned(),
        count => format!("{count} functions"),
    };
    let result = style.paint(tone(answer.result), &answer.result.name().to_uppercase());
    let readings = answer.seconds.map_or_else(String::new, |seconds| {
        let load = if answer.under_load == Some(true) { " under load" } else { "" };
        format!(", two readings {seconds} s apart{load}")
    });
    let counts = counts(answer.counts);
    out.push_str(&format!("{result}: {functions}, profile {}{readings}: {counts}\n", answer.profile));
    out
}

/// From how many functions on the same thing is said once.
const SAME: usize = 4;
/// How many of them are named.
const SHOWN: usize = 3;

fn is_same(a: &Report, b: &Report) -> bool {
    let key = |r: &Report| (r.status, r.address.is_none());
    let words = |r: &Report| r.check == b.check && r.summary == b.summary;
    key(a) == key(b) && words(a)
}

/// Warnings and unknowns that many functions have in the same words. Failures and what is wrong with presence are told of
/// each function.
fn folded(findings: &[Report]) -> Vec<Vec<&Report>> {
    let foldable = |r: &&Report| {
        matches!(r.status, Status::Warn | Status::Unknown)
            && !r.check.starts_with("presence-")
            && r.address.is_some()
    };
    let mut same: std::collections::BTreeMap<(&str, &str, Status), Vec<&Report>> = Default::default();
    for report in findings.iter().filter(foldable) {
        same.entry((&report.check, &report.summary, report.status)).or_default().push(report);
    }
    let mut folded: Vec<Vec<&Report>> = same.into_values().filter(|reports| reports.len() >= SAME).collect();
    folded.sort_by_key(|reports| (reports[0].status != Status::Warn, reports[0].address));
    folded
}

fn heading(answer: &Check, address: Option<Bdf>, style: Style) -> String {
    let Some(address) = address else { return format!("{}\n", style.paint(Tone::Heading, "machine")) };
    let place = answer.functions.binary_search_by_key(&address, |f| f.address).ok();
    let device = place.and_then(|place| answer.functions.get(place)).map_or("", |f| f.device.as_str());
    format!("{}  {device}\n", style.paint(Tone::Heading, &address.to_string()))
}

fn tone(status: Status) -> Tone {
    match status {
        Status::Fail => Tone::Bad,
        Status::Warn | Status::Unknown => Tone::Warn,
        Status::Pass => Tone::Good,
        Status::NotApplicable => Tone::Faint,
    }
}

/// How many of each kind, in words.
fn counts(counts: Counts) -> String {
    let words = Status::ALL.iter().map(|status| format!("{} {}", counts.of(*status), status.name()));
    words.collect::<Vec<_>>().join(", ")
}

const COLUMN: usize = 9;

fn function(out: &mut String, reports: &[&Report], style: Style) {
    for status in [Status::Fail, Status::Warn] {
        for report in reports.iter().filter(|r| r.status == status) {
            wrong(out, report, style);
        }
    }
    for status in [Status::Unknown, Status::NotApplicable] {
        // One line a reason: a function that could not be read has the same one for every check.
        let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
        for report in reports.iter().filter(|r| r.status == status) {
            match reasons.iter_mut().find(|(reason, _)| *reason == report.summary) {
                Some((_, checks)) => checks.push(&report.check),
                None => reasons.push((&report.summary, vec![&report.check])),
            }
        }
        for (reason, checks) in reasons {
            let label = label(status, style);
            let names = if checks.len() > 4 {
                format!("{}, {} and {} more checks", checks[0], checks[1], checks.len() - 2)
            } else {
                checks.join(", ")
            };
            row(out, &label, status, &format!("{names}: {reason}"), style);
        }
    }
    let passed: Vec<&str> =
        reports.iter().filter(|r| r.status == Status::Pass).map(|r| r.check.as_str()).collect();
    if !passed.is_empty() {
        row(out, &label(Status::Pass, style), Status::Pass, &passed.join(" "), style);
    }
}

fn label(status: Status, style: Style) -> String {
    let name = match status {
        Status::Fail => "FAIL",
        Status::Warn => "warn",
        Status::Unknown => "unknown",
        Status::Pass => "pass",
        Status::NotApplicable => "n/a",
    };
    style.paint(tone(status), name)
}

/// A line that begins with a coloured word.
fn row(out: &mut String, label: &str, status: Status, text: &str, style: Style) {
    // Colours take no columns: the label is put in front of a paragraph that leaves room for it.
    let mut body = String::new();
    paragraph(&mut body, "", text, COLUMN + 1, style);
    let plain = self::label(status, Style::PLAIN).len();
    let rest = body.get(plain + 2..).unwrap_or_default();
    out.push_str(&format!("  {label}{rest}"));
}

fn wrong(out: &mut String, report: &Report, style: Style) {
    let head = format!("{}: {}", report.check, report.summary);
    row(out, &label(report.status, style), report.status, &head, style);
    let indented = |out: &mut String, text: &str| paragraph(out, "", text, COLUMN + 1, style);
    if let (Some(expected), Some(found)) = (&report.expected, &report.found) {
        indented(out, &format!("expected {expected}; found {found}"));
    }
    for evidence in &report.evidence {
        indented(out, &evidence_text(evidence));
    }
    if let (Some(action), Some(who)) = (&report.action, report.who) {
        indented(out, &format!("{}: {action}", who.name()));
    }
}

/// `PATH at 0x88, 2 bytes: 0x0142, express.link_control.aspm_control = L1`.
fn evidence_text(evidence: &Evidence) -> String {
    let Evidence { path, offset, width, raw, decoded } = evidence;
    match (offset, width, raw) {
        (Some(offset), Some(width), Some(raw)) => {
            let bytes = if *width == 1 { "1 byte".to_owned() } else { format!("{width} bytes") };
            format!("{path} at {offset:#x}, {bytes}: {raw}, {decoded}")
        }
        _ => format!("{path}: {decoded}"),
    }
}

/// `check --list`: one line a check.
pub fn list(checks: &[CheckExplanation], style: Style) -> String {
    let mut out = String::new();
    let mut family = "";
    let width = checks.iter().map(|c| c.id.len()).max().unwrap_or(0);
    for check in checks {
        if check.family != family {
            family = check.family;
            out.push_str(&format!("{}\n", style.paint(Tone::Heading, family)));
        }
        out.push_str(&format!("  {:<width$}  {:<4}  {}\n", check.id, check.severity, check.rule));
    }
    out
}

/// `explain CHECK`.
pub fn explain(check: &CheckExplanation, style: Style) -> String {
    let mut out = format!("{}  check: {}\n", style.paint(Tone::Heading, check.id), check.rule);
    let mut row = |label: &str, text: &str| paragraph(&mut out, &format!("  {label}"), text, 18, style);
    row("why", check.why);
    row("reads", check.reads);
    row("severity", &format!("{} unless the profile says otherwise", check.severity));
    if let Some(threshold) = &check.threshold {
        row("threshold", threshold);
    }
    for profile in &check.profiles {
        row(profile.profile, &format!("{}: {}", profile.says, profile.why));
    }
    row("what to do", check.remedy);
    row("who", check.who.name());
    row("false positives", check.false_positives);
    row("reference", check.reference);
    out
}
