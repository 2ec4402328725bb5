//! Events on a line of time, as inline SVG whose colours come from the page. Numbers are those of the table below it.

use crate::inspect::report::timeline::{Entry, Timeline};
use crate::kernel_log::event::Level;

const WIDTH: f64 = 400.0;
const LEFT: f64 = 16.0;
const RIGHT: f64 = 384.0;
/// Marks that are nearer than this are one.
const NEAR: f64 = 18.0;

struct Mark {
    at: f64,
    first: usize,
    last: usize,
    level: &'static str,
}

/// The picture; empty if there are no two moments.
pub fn picture(timeline: &Timeline) -> String {
    let times: Vec<f64> = timeline.entries.iter().filter_map(time).collect();
    // Where the log has no seconds, the order is all that is known.
    let known = times.len() == timeline.entries.len();
    let at = |place: usize, entry: &Entry| if known { time(entry).unwrap_or(0.0) } else { place as f64 };
    let all: Vec<f64> = timeline.entries.iter().enumerate().map(|(place, e)| at(place, e)).collect();
    let (Some(first), Some(last)) =
        (all.iter().copied().reduce(f64::min), all.iter().copied().reduce(f64::max))
    else {
        return String::new();
    };
    if last <= first {
        return String::new();
    }
    let x = |value: f64| LEFT + (value - first) / (last - first) * (RIGHT - LEFT);
    let mut marks: Vec<Mark> = Vec::new();
    let mut ordered: Vec<(usize, f64, &Entry)> =
        timeline.entries.iter().enumerate().map(|(place, entry)| (place, x(all[place]), entry)).collect();
    ordered.sort_by(|a, b| a.1.total_cmp(&b.1));
    for (place, at, entry) in ordered {
        let level = class(entry);
        match marks.last_mut() {
            Some(mark) if at - mark.at < NEAR => {
                mark.first = mark.first.min(place);
                mark.last = mark.last.max(place);
                if rank(level) > rank(mark.level) {
                    mark.level = level;
                }
            }
            _ => marks.push(Mark { at, first: place, last: place, level }),
        }
    }
    let mut out = format!(
        "<svg class=\"time\" viewBox=\"0 0 {WIDTH} 86\" role=\"img\" aria-label=\"events over time\">"
    );
    out.push_str(&format!("<line class=\"axis\" x1=\"{LEFT}\" y1=\"48\" x2=\"{RIGHT}\" y2=\"48\"/>"));
    for (index, mark) in marks.iter().enumerate() {
        let label = match (mark.first + 1, mark.last + 1) {
            (a, b) if a == b => a.to_string(),
            (a, b) => format!("{a}\u{2013}{b}"),
        };
        // Neighbours stand on different lines.
        let y = if index % 2 == 0 { 32 } else { 16 };
        let anchor = if mark.at < 40.0 {
            "start"
        } else if mark.at > 360.0 {
            "end"
        } else {
            "middle"
        };
        out.push_str(&format!(
            "<line class=\"stem\" x1=\"{x:.1}\" y1=\"{}\" x2=\"{x:.1}\" y2=\"48\"/><circle class=\"{}\" cx=\"{x:.1}\" cy=\"48\" r=\"6\"/>\
             <text class=\"number\" x=\"{x:.1}\" y=\"{y}\" text-anchor=\"{anchor}\">{label}</text>",
            y + 3,
            mark.level,
            x = mark.at
        ));
    }
    let (from, to) = match known {
        true => (format!("{first:.1} s"), format!("{last:.1} s after the start")),
        false => ("first".to_owned(), "last, in the order of the log".to_owned()),
    };
    out.push_str(&format!(
        "<text class=\"faint\" x=\"{LEFT}\" y=\"76\">{from}</text><text class=\"faint\" x=\"{RIGHT}\" y=\"76\" text-anchor=\"end\">{to}</text></svg>"
    ));
    out
}

fn time(entry: &Entry) -> Option<f64> {
    entry.first.microseconds.map(|time| time as f64 / 1e6)
}

/// How an event looks.
pub fn class(entry: &Entry) -> &'static str {
    match entry.level {
        Level::Information => "calm",
        Level::Consequence => "after",
        _ => "bad",
    }
}

fn rank(class: &str) -> u8 {
    match class {
        "bad" => 2,
        "after" => 1,
        _ => 0,
    }
}
