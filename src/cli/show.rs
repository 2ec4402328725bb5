//! `show`.

use crate::inspect::explain::explain;
use crate::inspect::field::{Found, answer, find, names};
use crate::inspect::show::{Decoded, show};
use crate::inspect::suggest::nearest;
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
    let found = find(&decoded, name);
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
            let nearest = nearest(names(&decoded), name);
            let text = format!("--field {name}: no such field in {}; {nearest}", function.address);
            Err(Failure::new(USAGE, text))
        }
        several if is_ambiguous(several, name) => {
            let paths: Vec<&str> = several.iter().take(8).map(|(path, _)| path.as_str()).collect();
            let text = format!("--field {name}: could be {}; name one of them", paths.join(", "));
            Err(Failure::new(USAGE, text))
        }
        found if session.json => json(&answer(found)),
        [(path, one)] => Ok(match one {
            Found::Register(_) if !raw => text::field::lines(&[(path.clone(), *one)], false),
            one => format!("{}\n", text::field::value(*one, raw)),
        }),
        several => Ok(text::field::lines(several, raw)),
    }
}

/// Several fields are meant if they all lie below the name; otherwise the name was too short to tell them apart.
fn is_ambiguous(found: &[(String, Found<'_>)], name: &str) -> bool {
    let wanted = name.replace("[0]", "").to_lowercase();
    let below = [format!("{wanted}."), format!("{wanted}[")];
    let is_below = |path: &str| below.iter().any(|start| path.replace("[0]", "").starts_with(start));
    found.len() > 1 && !found.iter().all(|(path, _)| is_below(path))
}
