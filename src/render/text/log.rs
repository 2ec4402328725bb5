//! `log` as text.

use crate::inspect::log::{EventAnswer, LogAnswer, Moment};
use crate::kernel_log::KnownFrom;

use super::super::style::{Style, Tone};

/// Columns that are kept for the message on a narrow terminal.
const LEAST_MESSAGE: usize = 40;

/// Events boot by boot, a line each: when, which function, what kind, the message.
pub fn log(answer: &LogAnswer, style: Style) -> String {
    let mut out = String::new();
    let width = |get: fn(&EventAnswer) -> String| answer.events.iter().map(|e| get(e).chars().count()).max();
    let columns = [
        width(|e| moment(&e.first)).unwrap_or(0),
        width(device).unwrap_or(0),
        width(|e| e.kind.to_owned()).unwrap_or(0),
    ];
    let mut boot = None;
    // The events stand boot by boot.
    for event in &answer.events {
        if answer.boots.len() > 1 && boot != Some(event.boot) {
            boot_heading(&mut out, answer, event.boot, style);
            boot = Some(event.boot);
        }
        row(&mut out, event, columns, style);
    }
    if answer.events.iter().any(is_guessed) {
        out.push_str(
            "? the line names no function: it is the one that its driver named just before or after\n",
        );
    }
    if answer.events.is_empty() {
        out.push_str(&match (answer.lines, answer.recognized) {
            (0, _) => "not known: the log is empty\n".to_owned(),
            (lines, true) => format!("no trouble in {lines} lines\n"),
            (lines, false) => format!("not known: none of the {lines} lines is one of a kernel log\n"),
        });
    }
    if answer.missing_before > 0 {
        out.push_str(&format!(
            "{} earlier records of this boot are no longer in the kernel's buffer: what they said is not known\n",
            answer.missing_before
        ));
    }
    if answer.left_out > 0 {
        out.push_str(&format!(
            "{} events with which nothing is wrong (--all prints them)\n",
            answer.left_out
        ));
    }
    out
}

fn boot_heading(out: &mut String, answer: &LogAnswer, number: usize, style: Style) {
    let Some(boot) = answer.boots.get(number) else { return };
    let names = [boot.name.as_str(), boot.kernel.as_deref().unwrap_or_default()];
    let name: Vec<&str> = names.into_iter().filter(|n| !n.is_empty()).collect();
    let heading = format!("boot {} of {}, from line {}", number + 1, answer.boots.len(), boot.first_line);
    out.push_str(&style.paint(Tone::Heading, &heading).to_string());
    out.push_str(&if name.is_empty() { "\n".to_owned() } else { format!("  {}\n", name.join(", ")) });
}

fn row(out: &mut String, event: &EventAnswer, columns: [usize; 3], style: Style) {
    let mut message = event.message.clone();
    if event.evidence.len() > 1 {
        message.push_str(&format!(" (+{} lines)", event.evidence.len() - 1));
    }
    let prefix = columns.iter().sum::<usize>() + 6;
    if let Some(width) = style.width {
        let room = width.saturating_sub(prefix).max(LEAST_MESSAGE);
        if message.chars().count() > room {
            message = message.chars().take(room - 1).chain(['…']).collect();
        }
    }
    let kind = format!("{:<w$}", event.kind, w = columns[2]);
    let line = format!(
        "{:<a$}  {:<b$}  {}  {message}",
        moment(&event.first),
        device(event),
        style.paint(Tone::Heading, &kind),
        a = columns[0],
        b = columns[1],
    );
    out.push_str(line.trim_end());
    out.push('\n');
    if event.count > 1 {
        let indent = " ".repeat(prefix);
        out.push_str(&format!("{indent}{} times, last {}\n", event.count, moment(&event.last)));
    }
}

fn device(event: &EventAnswer) -> String {
    let mark = if is_guessed(event) { "?" } else { "" };
    event.device.as_ref().map_or_else(|| "-".to_owned(), |device| format!("{device}{mark}"))
}

/// Whether the function is known from another line only.
fn is_guessed(event: &EventAnswer) -> bool {
    matches!(event.known_from, Some(KnownFrom::Before | KnownFrom::After))
}

/// Seconds since start, else the time of day, else nothing.
fn moment(moment: &Moment) -> String {
    match (moment.microseconds, &moment.clock) {
        (Some(time), _) => format!("{}.{:06}", time / 1_000_000, time % 1_000_000),
        (None, Some(clock)) => clock.clone(),
        (None, None) => "-".to_owned(),
    }
}
