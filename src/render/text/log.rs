//! `log` as text.

use crate::inspect::log::{EventAnswer, LogAnswer, Moment};

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
    for (number, boot) in answer.boots.iter().enumerate() {
        let mut events = answer.events.iter().filter(|e| e.boot == number).peekable();
        if answer.boots.len() > 1 && events.peek().is_some() {
            let names = [boot.name.as_str(), boot.kernel.as_deref().unwrap_or_default()];
            let name: Vec<&str> = names.into_iter().filter(|n| !n.is_empty()).collect();
            let heading =
                format!("boot {} of {}, from line {}", number + 1, answer.boots.len(), boot.first_line);
            out.push_str(&style.paint(Tone::Heading, &heading).to_string());
            out.push_str(&if name.is_empty() { "\n".to_owned() } else { format!("  {}\n", name.join(", ")) });
        }
        for event in events {
            row(&mut out, event, columns, style);
        }
    }
    if answer.events.is_empty() {
        out.push_str(&format!("no trouble in {} lines\n", answer.lines));
    }
    if answer.left_out > 0 {
        out.push_str(&format!(
            "{} events with which nothing is wrong (--all prints them)\n",
            answer.left_out
        ));
    }
    out
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
    event.device.clone().unwrap_or_else(|| "-".to_owned())
}

/// Seconds since start, else the time of day, else nothing.
fn moment(moment: &Moment) -> String {
    match (moment.microseconds, &moment.clock) {
        (Some(time), _) => format!("{}.{:06}", time / 1_000_000, time % 1_000_000),
        (None, Some(clock)) => clock.clone(),
        (None, None) => "-".to_owned(),
    }
}
