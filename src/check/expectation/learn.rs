//! An expectation from a known-good machine: what it is now, as a file that a person can shorten and share.

use std::fmt::Write;

use crate::check::finding::Skip;
use crate::check::subject::{Subject, Surroundings};
use crate::inspect::value::{size_text, speed_text};
use crate::machine::{Function, link};
use crate::pci::capability::msix;
use crate::pci::extended::sriov;

use super::facts::{Facts, MACHINE};
use super::{compare, pattern};
use crate::check::bars::rebar_sizes;
use crate::check::expected::slot_name;
use crate::check::link_excuses::slows_down_when_idle;

/// The file, and what could not be learned, a line each. `title` names a function for a comment.
pub fn learn(
    around: Surroundings<'_>,
    facts: &Facts,
    title: &dyn Fn(&Function) -> String,
) -> (String, Vec<String>) {
    let mut out = String::from(
        "# What `pciscope check --learn` saw; `pciscope check --expect FILE` compares a machine with it.\n\
         # Keep what must be so and delete the rest. Text may be a pattern: * ? [a-f], or a regular expression, \"/.../\".\n",
    );
    let mut complaints = Vec::new();
    let known: Vec<(&str, &String)> =
        MACHINE.iter().filter_map(|(key, _)| Some((*key, facts.machine.get(key)?.as_ref().ok()?))).collect();
    if !known.is_empty() {
        out.push_str("\n[machine]\n");
        for (key, text) in known {
            out.push_str(&line(key, &quoted(text)));
        }
    }
    for function in &around.machine.functions {
        // Virtual functions come and go with a number at their physical function, which is learned.
        if function.is_virtual() {
            continue;
        }
        let _ = write!(out, "\n# {}\n", printable(&title(function)));
        if !function.answers() {
            let why = format!(
                "{}: not learned, it is {}: {}",
                function.address,
                function.presence.state.name(),
                function.presence.reason
            );
            let _ = writeln!(out, "# {why}");
            complaints.push(why);
            continue;
        }
        device(&mut out, &Subject::new(around, function), facts);
    }
    (out, complaints)
}

fn device(out: &mut String, subject: &Subject<'_>, facts: &Facts) {
    let function = subject.function;
    out.push_str("[[device]]\n");
    out.push_str(&line("where", &format!("\"{}\"", function.address)));
    for key in ["id", "class", "subsystem", "revision"] {
        if let Some(text) = compare::identity_text(function, key) {
            out.push_str(&line(key, &quoted(&text)));
        }
    }
    let driver = match subject.driver() {
        Ok(driver) => Some(driver),
        Err(Skip::NotApplicable(_)) => Some("none"),
        Err(Skip::Unknown(_)) => None,
    };
    if let Some(driver) = driver {
        out.push_str(&line("driver", &quoted(driver)));
        if let Some(Ok(version)) = facts.driver_versions.get(driver) {
            out.push_str(&line("driver_version", &quoted(version)));
        }
    }
    if let Some(Ok(version)) = facts.firmware.get(&function.address) {
        out.push_str(&line("firmware", &quoted(version)));
    }
    if let Some(text) = link_text(subject) {
        out.push_str(&line("link", &text));
    }
    if let Ok(control) = subject.register::<msix::Control>(&msix::SPECIFICATION) {
        out.push_str(&line("msix_vectors", &control.vectors().to_string()));
    }
    if let Ok(control) = subject.register::<sriov::Control>(&sriov::SPECIFICATION)
        && let Ok(number) = subject.register::<sriov::NumVfs>(&sriov::SPECIFICATION)
    {
        let enabled = if control.vf_enable() { number.number() } else { 0 };
        out.push_str(&line("virtual_functions", &enabled.to_string()));
    }
    if let Ok(sizes) = rebar_sizes(subject) {
        let known =
            sizes.iter().filter_map(|(bar, size, _)| Some(format!("{bar} = \"{}\"", size_text((*size)?))));
        let known: Vec<String> = known.collect();
        if !known.is_empty() {
            out.push_str(&line("rebar", &format!("{{ {} }}", known.join(", "))));
        }
    }
    if let Some(node) = function.reading.text("numa_node").and_then(|text| text.parse::<i64>().ok()) {
        out.push_str(&line("numa_node", &node.to_string()));
    }
    if let Ok((slot, _)) = slot_name(subject, subject.around.platform) {
        out.push_str(&line("slot", &quoted(&slot)));
    }
}

/// The link at its lower end. Of a device that idles at a lower speed, what both ends can is learned instead.
fn link_text(subject: &Subject<'_>) -> Option<String> {
    let upper = subject.upper_end().ok()?;
    let own = link::link(subject.function)?;
    let possible = own.maximum.lower(link::link(upper)?.maximum);
    let mut parts = Vec::new();
    match (own.current.speed_mts, possible.speed_mts) {
        (Some(now), Some(can)) if now < can && slows_down_when_idle(subject) => {
            parts.push(format!("max_speed = \"{}\"", speed_text(can)));
        }
        (Some(now), _) => parts.push(format!("speed = \"{}\"", speed_text(now))),
        _ => {}
    }
    if let Some(width) = own.current.width {
        parts.push(format!("width = {width}"));
    }
    (!parts.is_empty()).then(|| format!("{{ {} }}", parts.join(", ")))
}

fn line(key: &str, value: &str) -> String {
    format!("{key} = {value}\n")
}

/// Text for a comment: one line.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// A pattern that fits this text only, as TOML writes it (TOML 1.0, String).
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in pattern::literal(text).chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::expectation::pattern::Pattern;

    #[test]
    fn what_is_written_is_read_back_and_fits() {
        for text in ["plain", "F12 [beta]*", "a \"b\" \\ c", "tab\there", "/dev/x/", "é"] {
            let file = format!("x = {}\n", quoted(text));
            let table = crate::document::parse(&file).unwrap();
            let pattern = Pattern::parse(table.text("x").unwrap().unwrap()).unwrap();
            assert!(pattern.matches(text), "{file}");
        }
    }
}
