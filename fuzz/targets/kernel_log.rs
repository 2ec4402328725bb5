//! A kernel log in any style: records, events, what is diagnosed from them, and the explanation of its first line.
use pciscope::diagnosis::{Sources, diagnose};
use pciscope::inspect::diagnose::diagnose as answer;
use pciscope::inspect::explain::explain;
use pciscope::kernel_log::event::EVIDENCE_LIMIT;
use pciscope::kernel_log::source::events_of;
use pciscope::names::Names;

/// One input. Gives how many events were found.
pub fn run(data: &[u8]) -> usize {
    let mut stream = data;
    let Ok(log) = events_of(&mut stream) else { return 0 };
    for event in &log.events {
        assert!(event.count >= 1 && event.boot < log.boots.len());
        assert!(!event.evidence.is_empty() && event.evidence.len() <= EVIDENCE_LIMIT);
        assert!(event.line() >= 1 && event.last_line <= log.lines);
    }
    let sources = Sources::new(Some(&log), None);
    let diagnoses = diagnose(&sources);
    for diagnosis in &diagnoses {
        assert!(diagnosis.first.is_none_or(|place| place < diagnosis.observations.len()));
    }
    std::hint::black_box(answer(&sources, &diagnoses, &Names::embedded(), true, Vec::new()));
    let text = String::from_utf8_lossy(data);
    std::hint::black_box(explain(text.lines().next().unwrap_or_default()));
    log.events.len()
}
