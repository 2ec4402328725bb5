//! `list` as text: one line a function.

use crate::inspect::list::title;
use crate::machine::aer::errors_seen;
use crate::machine::interrupts::msix_summary;
use crate::machine::{Function, aspm, link};
use crate::names::Names;

use super::super::style::{Style, Tone, cut};
use super::{errors, link_now_and_most, presence_tone, states};

const HEADINGS: [&str; 7] = ["ADDRESS", "PRESENCE", "LINK NOW/MAX", "MSI-X", "ASPM", "DEVSTA", "DRIVER"];
const LAST: &str = "DEVICE";

/// The columns of one function and its title.
pub struct Row {
    cells: [(Tone, String); 7],
    title: String,
}

/// Makes the columns of one function.
pub fn row(names: &Names, function: &Function) -> Row {
    // `-`: the function has none. `?`: it is not known.
    let unknown = || (Tone::Warn, "?".to_owned());
    let none = || (Tone::Faint, "-".to_owned());
    let lists_read = function.standard_list_known();
    let without = |known: bool| if known { none() } else { unknown() };
    let msix = msix_summary(function).map(|m| match (m.enabled, m.function_masked) {
        (true, false) => (Tone::Good, format!("{} on", m.vectors)),
        (true, true) => (Tone::Warn, format!("{} masked", m.vectors)),
        (false, _) => (Tone::Faint, format!("{} off", m.vectors)),
    });
    let aspm = aspm::aspm(function).map(|a| a.enabled).map(|a| match a.is_empty() {
        true => (Tone::Faint, "off".to_owned()),
        false => (Tone::Name, states(a)),
    });
    let driver = match (function.driver(), function.driver_known()) {
        (Some(driver), _) => (Tone::Good, driver.to_owned()),
        (None, true) => none(),
        (None, false) => unknown(),
    };
    Row {
        cells: [
            (Tone::Name, function.address.to_string()),
            (presence_tone(function.presence.state), function.presence.state.name().to_owned()),
            link::link(function).as_ref().map(link_now_and_most).unwrap_or_else(|| without(lists_read)),
            msix.unwrap_or_else(|| without(lists_read)),
            aspm.unwrap_or_else(|| without(lists_read)),
            errors_seen(function).map(errors).unwrap_or_else(|| without(lists_read)),
            driver,
        ],
        title: title(names, function),
    }
}

/// Lays out the rows.
pub fn list(rows: &[Row], notes: &[String], style: Style) -> String {
    let mut widths = HEADINGS.map(str::len);
    for row in rows {
        for (width, (_, text)) in widths.iter_mut().zip(&row.cells) {
            *width = (*width).max(text.chars().count());
        }
    }
    let used: usize = widths.iter().map(|w| w + 2).sum();
    let room = style.width.map(|columns| columns.saturating_sub(used).max(12));
    let mut out = String::with_capacity(rows.len() * 128);
    let mut head: String =
        HEADINGS.iter().zip(widths).map(|(name, width)| format!("{name:width$}  ")).collect();
    head.push_str(LAST);
    out.push_str(&style.paint(Tone::Heading, &head));
    out.push('\n');
    for row in rows {
        for ((tone, text), width) in row.cells.iter().zip(widths) {
            let padding = width - text.chars().count() + 2;
            if style.color {
                out.push_str(&style.paint(*tone, text));
            } else {
                out.push_str(text);
            }
            out.extend(std::iter::repeat_n(' ', padding));
        }
        match room {
            Some(room) => out.push_str(&cut_title(&row.title, room)),
            None => out.push_str(&row.title),
        }
        out.push('\n');
    }
    out.push_str(&super::notes(notes));
    out
}
/// A title cut in its name: the identifiers behind it are what a device is found by.
fn cut_title(title: &str, room: usize) -> String {
    match title.rsplit_once(" [") {
        Some((name, identifiers)) => {
            let identifiers = format!(" [{identifiers}");
            cut(name, room.saturating_sub(identifiers.chars().count())) + &identifiers
        }
        None => cut(title, room),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_survive_a_narrow_terminal() {
        let title = "NVIDIA Corporation GB202 [GeForce RTX 5090] [10de:2b85]";
        assert_eq!(cut_title(title, 80), title);
        assert_eq!(cut_title(title, 30), "NVIDIA Corporatio… [10de:2b85]");
        assert_eq!(cut_title("[10de:2b85]", 12), "[10de:2b85]");
    }
}
