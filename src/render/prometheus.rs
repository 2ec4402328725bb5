//! `check` as Prometheus text, for the textfile collector of node_exporter.
//!
//! The labels segment, bus, device and function are those of node_exporter's `node_pcidevice_*`, so that the two can be
//! joined. A finding of a `[[device]]` of an expectation has the label entry, its number from 0. What does not apply has no
//! series.

use crate::check::finding::Status;
use crate::inspect::check::{Check, Report};

/// The answer with all findings.
pub fn prometheus(answer: &Check) -> String {
    let mut out = String::from(
        "# HELP pciscope_check_status Outcome of a check: 1 for the status that it has.\n\
         # TYPE pciscope_check_status gauge\n",
    );
    for report in answer.findings.iter().filter(|r| r.status != Status::NotApplicable) {
        out.push_str(&format!(
            "pciscope_check_status{{check=\"{}\",status=\"{}\"{}}} 1\n",
            report.check,
            report.status.name(),
            labels(report)
        ));
    }
    out.push_str(
        "# HELP pciscope_check_findings Number of findings of each status.\n\
         # TYPE pciscope_check_findings gauge\n",
    );
    for status in Status::ALL {
        let count = answer.counts.of(status);
        out.push_str(&format!(
            "pciscope_check_findings{{profile=\"{}\",status=\"{}\"}} {count}\n",
            escape(&answer.profile),
            status.name()
        ));
    }
    out
}

fn labels(report: &Report) -> String {
    // Of entries of an expectation there are several, and each has its series.
    let entry = report.entry.map(|number| format!(",entry=\"{number}\"")).unwrap_or_default();
    let Some(a) = report.address else { return entry };
    format!(
        ",segment=\"{:04x}\",bus=\"{:02x}\",device=\"{:02x}\",function=\"{:x}\"{entry}",
        a.domain, a.bus, a.device, a.function
    )
}

/// A label's value (Prometheus exposition formats, text format).
fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
