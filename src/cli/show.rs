//! `show`.

use crate::inspect::explain::explain;
use crate::inspect::show::{Decoded, show};
use crate::machine::interrupts::Line;
use crate::machine::reading::Depth;
use crate::machine::{Function, in_order};
use crate::render::text;

use super::arguments::{Format, Global, Selection};
use super::run::{Failure, NOT_FOUND, Outcome, Session, USAGE, json, print};

pub fn run(
    global: &Global,
    selection: &Selection,
    field: Option<&str>,
    raw: bool,
    hex: bool,
    vpd: bool,
) -> Result<Outcome, Failure> {
    let depth = match (hex, global.format) {
        (true, _) => Depth::Bytes,
        (false, Format::Text) => Depth::Detail,
        (false, _) => Depth::Full,
    };
    let mut session = Session::open_with(global, selection, depth, field.is_none(), vpd)?;
    let notes = std::mem::take(&mut session.notes);
    if let Some(field) = field {
        let text = one_field(&session, field, raw)?;
        return Ok(session.outcome(text));
    }
    let lines = session.interrupts.as_deref();
    let text = if session.json {
        json(&show(session.inspection(), lines, hex, notes))?
    } else {
        print_pages(&session, lines, hex)?;
        text::notes(&notes)
    };
    Ok(session.outcome(text))
}

fn print_pages(session: &Session, lines: Option<&[Line]>, hex: bool) -> Result<(), Failure> {
    let functions: Vec<_> = session.machine.wanted().collect();
    let mut left = functions.len();
    let page = |f: &Function| text::show::function(session.inspection(), f, lines, hex, session.style);
    in_order(functions, page, |mut page| {
        left -= 1;
        if left > 0 {
            page.push('\n');
        }
        print(&page)
    })
}

fn one_field(session: &Session, name: &str, raw: bool) -> Result<String, Failure> {
    let functions: Vec<_> = session.machine.wanted().collect();
    let function = match functions.as_slice() {
        [function] => *function,
        [] => return Ok(String::new()),
        several => {
            let addresses: Vec<String> = several.iter().take(8).map(|f| f.address.to_string()).collect();
            let more = if several.len() > 8 { ", …" } else { "" };
            let text = format!(
                "--field: expected one function, got {}{more}; name one of them",
                addresses.join(", ")
            );
            return Err(Failure::new(USAGE, text));
        }
    };
    if !function.answers() {
        // The complaint says why; a script must not take an empty line for a value.
        return Ok(String::new());
    }
    let decoded = Decoded::new(function);
    let found = text::field::find(&decoded, name);
    match found.as_slice() {
        [] if !explain(name).matches.is_empty() => {
            // The name is right, only this function has no such thing, or it was not read.
            let known = function.standard_list_known() && function.extended_list_known();
            let why = match function.unread() {
                Some(why) if !known => format!("{name} was not read: {why}"),
                _ => format!("{name}: it has no such register"),
            };
            Err(Failure::new(NOT_FOUND, format!("{}: {why}", function.address)))
        }
        [] => {
            let nearest = text::field::nearest(&decoded, name);
            let text = format!(
                "--field {name}: no such field in {}; nearest: {}",
                function.address,
                nearest.join(", ")
            );
            Err(Failure::new(USAGE, text))
        }
        [(path, one)] => Ok(match one {
            text::field::Found::Register(_) if !raw => text::field::lines(&[(path.clone(), *one)], false),
            one => format!("{}\n", text::field::value(*one, raw)),
        }),
        several if is_ambiguous(several, name) => {
            let paths: Vec<&str> = several.iter().take(8).map(|(path, _)| path.as_str()).collect();
            let text = format!("--field {name}: could be {}; name one of them", paths.join(", "));
            Err(Failure::new(USAGE, text))
        }
        several => Ok(text::field::lines(several, raw)),
    }
}

/// Several fields are meant if they all lie below the name; otherwise the name was too short to tell them apart.
fn is_ambiguous(found: &[(String, text::field::Found<'_>)], name: &str) -> bool {
    let wanted = format!("{}.", name.replace("[0]", ""));
    !found.iter().all(|(path, _)| path.replace("[0]", "").starts_with(&wanted))
}
