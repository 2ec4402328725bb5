//! A report as Markdown that can be read as it is and fits into a ticket.

use crate::inspect::check::Evidence;
use crate::inspect::diagnose::Advised;
use crate::inspect::report::requests::Request;
use crate::inspect::report::{Audience, Report};

use super::words;

/// A part of the text. Where there is not enough room, those of the highest rank go first.
struct Part {
    rank: u8,
    /// What it is called when it is left out.
    name: String,
    text: String,
    /// What is left of it before it is left out, the longest last.
    shorter: Vec<String>,
    /// What is missing of it then, for the list of what is left out; empty where it says the same in fewer words.
    loses: &'static str,
}

/// Least characters that there is room for: a title, what happened, and what is asked.
pub const SMALLEST: usize = 400;

/// Rank of requests: they are the last to go, after everything else was left out or made short.
const REQUEST: u8 = 1;

/// The text, at most `limit` characters of it: whole parts, the most important ones; what is left out is named.
pub fn markdown(report: &Report, limit: Option<usize>) -> String {
    let mut parts = parts(report);
    let Some(limit) = limit else { return parts.into_iter().map(|p| p.text).collect() };
    let mut gone: Vec<String> = Vec::new();
    loop {
        let note = left_out(&gone);
        let length: usize =
            parts.iter().map(|p| p.text.chars().count()).sum::<usize>() + note.chars().count();
        if length > limit && shorten(&mut parts, &mut gone) {
            continue;
        }
        let text: String = parts.into_iter().map(|p| p.text).collect();
        // That something is missing is said whatever else is cut.
        let room = limit.saturating_sub(note.chars().count());
        return if room > 0 { cut(text, room) + &note } else { cut(text + &note, limit) };
    }
}

/// Makes the text shorter by one step; false if nothing is left to leave out.
fn shorten(parts: &mut Vec<Part>, gone: &mut Vec<String>) -> bool {
    let last = parts.iter().enumerate().max_by_key(|(place, part)| (part.rank, *place));
    let Some((place, rank)) = last.map(|(place, part)| (place, part.rank)) else { return false };
    if rank > REQUEST {
        remove(parts, place, gone);
        return true;
    }
    // Then requests become short, the last one first, and then the beginning, up to its first sentence: what is asked
    // is worth more than how it is introduced.
    if let Some((part, text)) =
        parts.iter_mut().rev().find_map(|part| part.shorter.pop().map(|text| (part, text)))
    {
        part.text = text;
        if !part.loses.is_empty() && !gone.iter().any(|name| name == part.loses) {
            gone.push(part.loses.to_owned());
        }
        return true;
    }
    if parts.len() > 1 {
        remove(parts, place, gone);
        return true;
    }
    false
}

/// Leaves out a part, and with the last request the heading over them.
fn remove(parts: &mut Vec<Part>, place: usize, gone: &mut Vec<String>) {
    let part = parts.remove(place);
    let is_request = part.name.starts_with("request ");
    if part.name != HEADING {
        gone.push(part.name);
    }
    if is_request && !parts.iter().any(|part| part.name.starts_with("request ")) {
        parts.retain(|part| part.name != HEADING);
    }
}

/// Name of the heading over the requests.
const HEADING: &str = "requests";

/// A limit that has not even room for the beginning gets as much of it as fits.
fn cut(text: String, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text;
    }
    text.chars().take(limit.saturating_sub(1)).chain((limit > 0).then_some('…')).collect()
}

fn left_out(gone: &[String]) -> String {
    match gone {
        [] => String::new(),
        gone => {
            let mut names: Vec<&str> = gone.iter().rev().map(String::as_str).collect();
            names.dedup();
            format!("\nLeft out for want of room: {}.\n", names.join(", "))
        }
    }
}

fn parts(report: &Report) -> Vec<Part> {
    let mut out = Vec::new();
    let mut part = |rank: u8, name: &str, text: String| {
        if !text.is_empty() {
            out.push(Part { rank, name: name.to_owned(), text, shorter: Vec::new(), loses: "" });
        }
    };
    let lead: Vec<String> = report.opening.iter().map(|text| format!("{}\n\n", plain(text))).collect();
    let title = format!("# {}\n\n", plain(&report.title));
    part(0, "title", format!("{title}{}", lead.concat()));
    let operator = report.audience == Audience::Operator;
    if operator {
        part(REQUEST, "what to do", advice(report, true));
    }
    let qualification = report.audience == Audience::Qualification;
    if !report.requests.is_empty() {
        part(0, HEADING, "## What is asked\n\n".to_owned());
    }
    for request in &report.requests {
        part(REQUEST, &format!("request {}", request.number), one(request));
        let mut proof = evidence(&request.evidence, "     ");
        if !proof.is_empty() {
            proof = format!("   - evidence:{proof}\n");
        }
        part(3, "evidence", format!("{proof}\n"));
    }
    part(
        3,
        "what is already right",
        list(
            "What is already right",
            report.already_right.iter().map(|r| format!("{}{}", plain(&r.what), evidence(&r.evidence, "  "))),
        ),
    );
    part(
        4,
        "what could not be measured",
        list("What could not be measured", report.not_measured.iter().map(|t| plain(t))),
    );
    part(5, "the way to the device", ways(report));
    part(if qualification { 6 } else { 4 }, "the kernel log", timeline(report));
    part(if qualification { 2 } else { 6 }, "findings", findings(report));
    part(
        3,
        "the machine",
        list(
            "The machine",
            words::machine(report).into_iter().map(|(name, text)| format!("{name}: {}", code(&text))),
        ),
    );
    part(7, "registers", registers(report));
    part(8, "the bytes", appendix(report));
    for part in &mut out {
        let mine = report.requests.iter().find(|request| part.name == format!("request {}", request.number));
        part.shorter = match (part.name.as_str(), mine) {
            ("title", _) => {
                part.loses = "the rest of the beginning";
                let about = about_devices(report);
                let first = about.first().copied().into_iter();
                let texts = [
                    first.clone().map(sentence).collect::<Vec<_>>(),
                    about.iter().copied().map(sentence).collect(),
                    about.clone(),
                ];
                let text = |all: &Vec<&str>| {
                    all.iter().map(|text| format!("{}\n\n", plain(text))).collect::<String>()
                };
                let mut all: Vec<String> = texts.iter().map(|all| format!("{title}{}", text(all))).collect();
                all.dedup();
                all.retain(|text| text.len() < part.text.len());
                all
            }
            ("what to do", _) => vec![advice(report, false)],
            (_, Some(request)) => vec![short(request)],
            _ => Vec::new(),
        };
    }
    out
}

/// What the beginning says of each device, or else how it begins.
fn about_devices(report: &Report) -> Vec<&str> {
    let about = |place: String| report.opening.iter().find(|text| text.contains(&place));
    let mut all: Vec<&str> =
        report.patients.iter().filter_map(|p| Some(about(p.place_text())?.as_str())).collect();
    all.dedup();
    if all.is_empty() { report.opening.iter().take(1).map(String::as_str).collect() } else { all }
}

/// The first sentence of a text, with its end.
fn sentence(text: &str) -> &str {
    let ends = text.match_indices(". ").find(|(end, _)| {
        let before = text[..*end].rsplit(' ').next().unwrap_or_default();
        let next = text[end + 2..].chars().next();
        // No sentence ends behind one letter or in front of a small one: "e. g. this".
        before.chars().count() > 1 && next.is_some_and(|c| !c.is_lowercase())
    });
    ends.map_or(text, |(end, _)| &text[..=end])
}

/// A request in one line.
fn short(r: &Request) -> String {
    format!("{}. **{}** ({})\n", r.number, settings(&r.ask), plain(&words::location(r)))
}

fn one(r: &Request) -> String {
    let mut out = format!("{}. **{}**\n", r.number, settings(&r.ask));
    let mut row = |name: &str, text: String| out.push_str(&format!("   - {name}: {text}\n"));
    row("where", plain(&words::location(r)));
    row("who", words::who(r.who).to_owned());
    row("found", plain(&r.found));
    row("should be", plain(&r.should_be));
    let (command, expected) = (code(&r.command), &r.expected_output);
    let verify = match r.verbatim {
        true => format!("{command} prints {}", code(expected)),
        false => format!("{command}; look for: {}", settings(expected)),
    };
    row("verify with", verify);
    row("standing", r.standing.text().to_owned());
    out
}

/// What helps and what does not, with or without the reasons.
fn advice(report: &Report, reasons: bool) -> String {
    let mut out = String::new();
    for device in &report.diagnoses {
        let of = match (report.diagnoses.len(), &device.address) {
            (2.., Some(address)) => format!(": {address}"),
            _ => String::new(),
        };
        let text = |a: &Advised| match reasons {
            true => format!("{} ({}; {})", plain(&a.what), words::who(a.who), plain(a.why)),
            false => plain(&a.what),
        };
        out.push_str(&list(&format!("What to do{of}"), device.to_do.iter().map(text)));
        let text = |a: &Advised| match reasons {
            true => format!("{}: {}", plain(&a.what), plain(a.why)),
            false => plain(&a.what),
        };
        out.push_str(&list(&format!("What will not help{of}"), device.will_not_help.iter().map(text)));
    }
    out
}

fn list(heading: &str, items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.map(|item| format!("- {item}\n")).collect();
    if items.is_empty() { String::new() } else { format!("## {heading}\n\n{}\n", items.concat()) }
}

fn evidence(all: &[Evidence], indent: &str) -> String {
    let line = |e: &Evidence| {
        let place = code(&words::place(e));
        let decoded = if e.path == "kernel log" { code(&e.decoded) } else { plain(&e.decoded) };
        let text = if e.path == "kernel log" { decoded } else { format!("{place} {decoded}") };
        format!("\n{indent}- {text}")
    };
    all.iter().map(line).collect()
}

fn ways(report: &Report) -> String {
    let mut out = String::new();
    for path in &report.paths {
        out.push_str("```text\n");
        out.push_str(&super::super::text::path::function(path, crate::render::style::Style::PLAIN));
        out.push_str("```\n\n");
    }
    if out.is_empty() { out } else { format!("## Where it is\n\n{}", out.replace("\u{1b}", "")) }
}

fn timeline(report: &Report) -> String {
    let time = &report.timeline;
    if !time.log {
        return "## What the kernel log says\n\nThere is no kernel log in what was read: that nothing is told here says nothing.\n\n"
            .to_owned();
    }
    let mut out = list(
        "What the kernel log says",
        time.entries.iter().map(|e| {
            let count = match e.count {
                1 => String::new(),
                count => format!(" ({count} times, last at {})", words::moment(&e.last)),
            };
            let date = e.date.as_ref().map(|date| format!(" {date}")).unwrap_or_default();
            format!("{}{date}{count}", code(&e.line))
        }),
    );
    if time.left_out > 0 {
        out.push_str(&format!("{} more events are left out.\n\n", time.left_out));
    }
    if time.other_boots > 0 {
        out.push_str(&format!(
            "Other starts of the machine in the log, not shown: {}.\n\n",
            time.other_boots
        ));
    }
    out
}

fn findings(report: &Report) -> String {
    list(
        "Findings",
        report.findings.iter().map(|f| {
            let address = f.address.map_or("the machine".to_owned(), |a| a.to_string());
            let action = match (&f.action, f.who) {
                (Some(action), Some(who)) => format!("\n  - {}: {}", words::who(who), settings(action)),
                _ => String::new(),
            };
            let evidence = evidence(&f.evidence, "  ");
            format!(
                "{} {address}, {}: {}{evidence}{action}",
                words::status(f.status),
                f.check,
                plain(&f.summary)
            )
        }),
    )
}

fn registers(report: &Report) -> String {
    if report.registers.is_empty() {
        return String::new();
    }
    let rows: Vec<String> = report
        .registers
        .iter()
        .map(|r| {
            let fields = plain(&r.fields.join("; ")).replace('|', "\\|");
            format!("| {} | {} | {:#x} | {} | {fields} |\n", r.address, r.short, r.offset, r.raw)
        })
        .collect();
    let head = "| function | register | at | raw | what is in it |\n| --- | --- | --- | --- | --- |\n";
    format!("## Registers that matter\n\n{head}{}\n", rows.concat())
}

fn appendix(report: &Report) -> String {
    let bytes: Vec<String> = report
        .appendix
        .iter()
        .filter(|a| !a.hex.is_empty())
        .map(|a| format!("{} {}\n{}\n", a.address, a.device, a.hex))
        .collect();
    let missing: Vec<String> = report
        .appendix
        .iter()
        .filter_map(|a| Some(format!("- {}: {}\n", a.address, plain(a.missing.as_ref()?))))
        .collect();
    if bytes.is_empty() && missing.is_empty() {
        return String::new();
    }
    let dump = if bytes.is_empty() { String::new() } else { fenced(&bytes.concat()) };
    format!(
        "## Appendix\n\nConfiguration space as it was read; `lspci -F FILE -vvv` decodes it.\n\n{dump}{}\n",
        missing.concat()
    )
}

/// Text between fences that nothing in it can close.
fn fenced(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}text\n{text}{fence}\n\n")
}

/// Text that is shown letter by letter, whatever is in it.
fn code(text: &str) -> String {
    let text = text.replace(['\n', '\r'], " ");
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let space = if text.starts_with('`') || text.ends_with('`') || text.is_empty() { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

/// Running text in which nothing is markup. What cannot be markup where it stands is left as it is: tickets are read as they
/// are written.
fn plain(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let is_word =
        |place: Option<usize>| place.and_then(|p| letters.get(p)).is_some_and(|c| c.is_alphanumeric());
    let links = ["](", "][", "]:"].iter().any(|mark| text.contains(mark));
    let mut out = String::with_capacity(text.len());
    for (place, c) in letters.iter().copied().enumerate() {
        let inside = is_word(place.checked_sub(1)) && is_word(Some(place + 1));
        let escape = match c {
            '\\' | '`' | '<' | '*' => true,
            '_' => !inside,
            '[' | ']' => links,
            '#' | '>' | '+' | '-' => place == 0,
            _ => false,
        };
        match c {
            '\n' | '\r' => out.push(' '),
            c if escape => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

/// The same, with names of settings between backquotes left as they are.
fn settings(text: &str) -> String {
    let pieces = text.split('`').enumerate();
    pieces.map(|(place, piece)| if place % 2 == 1 { format!("`{piece}`") } else { plain(piece) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_ends_where_another_one_begins() {
        for (text, first) in [
            ("It fell off the bus. It must be moved.", "It fell off the bus."),
            ("0000:82:00.0 runs at 2.5 GT/s. Ask.", "0000:82:00.0 runs at 2.5 GT/s."),
            ("Some, e. g. this one. And more.", "Some, e. g. this one."),
            ("One only.", "One only."),
            ("", ""),
        ] {
            assert_eq!(sentence(text), first);
        }
    }
}
