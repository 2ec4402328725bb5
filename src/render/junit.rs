//! `check` as JUnit XML, for continuous integration: a test suite a function, a test case a check.
//!
//! There is no status for unknown in the format: it is an error, because a test that could not be made is not passed.
//! What does not apply is skipped.

use quick_xml::escape::escape;

use crate::check::finding::Status;
use crate::inspect::check::{Check, Report};

/// The answer with all findings; `command` is what was run.
pub fn junit(answer: &Check, command: &str) -> String {
    let counts = answer.counts;
    let total = |c: crate::inspect::check::Counts| c.pass + c.warn + c.fail + c.unknown + c.not_applicable;
    let numbers = |c: crate::inspect::check::Counts| {
        format!("tests=\"{}\" failures=\"{}\" errors=\"{}\"", total(c), c.fail, c.unknown)
    };
    // Jenkins' schema (junit-10.xsd of its xunit plugin) has `skipped` at a suite and not at the root.
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"{}\" {}>\n",
        escape(command),
        numbers(counts)
    );
    for group in answer.findings.chunk_by(|a, b| a.address == b.address) {
        let name = group[0].address.map_or_else(|| "machine".to_owned(), |a| a.to_string());
        let mut counts = crate::inspect::check::Counts::default();
        group.iter().for_each(|report| counts.add(report.status));
        let (numbers, skipped) = (numbers(counts), counts.not_applicable);
        out.push_str(&format!("  <testsuite name=\"{name}\" {numbers} skipped=\"{skipped}\">\n"));
        for report in group {
            out.push_str(&case(&name, report));
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

fn case(suite: &str, report: &Report) -> String {
    // Each entry of an expectation is a test of its own: two of one name would be taken for one.
    let entry = report.entry.map(|number| format!("[{number}]")).unwrap_or_default();
    let open = format!("    <testcase classname=\"{suite}\" name=\"{}{entry}\"", escape(&report.check));
    let (message, details) = (escape(&report.summary), details(report));
    let details = escape(&details);
    let inner = match report.status {
        Status::Pass => return format!("{open}/>\n"),
        Status::NotApplicable => format!("<skipped message=\"{message}\"/>"),
        Status::Unknown => format!("<error type=\"unknown\" message=\"{message}\"/>"),
        Status::Fail => format!("<failure type=\"fail\" message=\"{message}\">{details}</failure>"),
        // A warning does not fail a test; it is kept as what the test printed.
        Status::Warn => format!("<system-out>warn: {message}\n{details}</system-out>"),
    };
    format!("{open}>\n      {inner}\n    </testcase>\n")
}

fn details(report: &Report) -> String {
    let mut lines = Vec::new();
    if let (Some(expected), Some(found)) = (&report.expected, &report.found) {
        lines.push(format!("expected {expected}; found {found}"));
    }
    for evidence in &report.evidence {
        let place = evidence.offset.map_or_else(String::new, |offset| format!(" at {offset:#x}"));
        let raw = evidence.raw.as_ref().map_or_else(String::new, |raw| format!("{raw}, "));
        lines.push(format!("{}{place}: {raw}{}", evidence.path, evidence.decoded));
    }
    if let (Some(action), Some(who)) = (&report.action, report.who) {
        lines.push(format!("{}: {action}", who.name()));
    }
    lines.join("\n")
}
