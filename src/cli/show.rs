//! `show`.

use crate::inspect::explain::is_path;
use crate::inspect::field::{self, Fields, Found, FunctionFields};
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
    name: Option<&str>,
    raw: bool,
    hex: bool,
    vpd: bool,
) -> Result<Outcome, Failure> {
    let depth = match (hex, global.format) {
        (true, _) => Depth::Bytes,
        (false, Format::Text) => Depth::Detail,
        (false, _) => Depth::Full,
    };
    let mut session = Session::open_with(global, selection, depth, name.is_none(), vpd)?;
    let notes = std::mem::take(&mut session.notes);
    if let Some(name) = name {
        let text = if session.json {
            let functions = one_function(&session)?.map(|function| fields_as_data(function, name));
            json(&Fields { functions: functions.transpose()?.into_iter().collect(), notes })?
        } else {
            match one_function(&session)? {
                Some(function) => fields_as_text(function, name, raw)?,
                None => String::new(),
            }
        };
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

/// The only function that was asked for; `None` if there is none or it does not answer: the complaint says why, and a
/// script must not take an empty line for a value.
fn one_function(session: &Session) -> Result<Option<&Function>, Failure> {
    let functions: Vec<_> = session.machine.wanted().collect();
    match functions.as_slice() {
        [] => Ok(None),
        [function] => Ok(Some(*function).filter(|f| f.answers())),
        several => {
            let addresses: Vec<String> = several.iter().take(8).map(|f| f.address.to_string()).collect();
            let more = if several.len() > 8 { ", …" } else { "" };
            let text = format!(
                "--field: expected one function, got {}{more}; name one of them",
                addresses.join(", ")
            );
            Err(Failure::new(USAGE, text))
        }
    }
}

/// Everything that the name stands for, which is one thing or all that lies below it.
fn find<'a>(
    function: &Function,
    decoded: &'a Decoded,
    name: &str,
) -> Result<Vec<(String, Found<'a>)>, Failure> {
    let found = field::find(decoded, name);
    match found.as_slice() {
        [] if is_path(name) => {
            // The name is right, only this function has no such thing, or it was not read.
            let known = function.standard_list_known() && function.extended_list_known();
            let why = match function.unread() {
                Some(why) if !known => format!("{name} was not read: {why}"),
                None if !known => {
                    format!("{name} is not known: a capability list cannot be followed to its end")
                }
                _ => format!("{name}: it has no such register"),
            };
            Err(Failure::new(NOT_FOUND, format!("{}: {why}", function.address)))
        }
        [] => {
            let nearest = nearest(field::names(decoded), name);
            let text = format!("--field {name}: no such field in {}; {nearest}", function.address);
            Err(Failure::new(USAGE, text))
        }
        _ if field::is_ambiguous(&found, name) => {
            let paths: Vec<&str> = found.iter().take(8).map(|(path, _)| path.as_str()).collect();
            let text = format!("--field {name}: could be {}; name one of them", paths.join(", "));
            Err(Failure::new(USAGE, text))
        }
        _ => Ok(found),
    }
}

fn fields_as_text(function: &Function, name: &str, raw: bool) -> Result<String, Failure> {
    let decoded = Decoded::new(function);
    let found = find(function, &decoded, name)?;
    Ok(match found.as_slice() {
        [(_, one)] if raw || matches!(one, Found::Field(..)) => {
            format!("{}\n", text::field::value(*one, raw))
        }
        found => text::field::lines(found, raw),
    })
}

fn fields_as_data(function: &Function, name: &str) -> Result<FunctionFields, Failure> {
    let decoded = Decoded::new(function);
    let mut fields = FunctionFields::new(function);
    for (path, found) in find(function, &decoded, name)? {
        match found {
            Found::Register(placed) => fields.add(&path, placed, None),
            Found::Field(placed, field) => {
                let register = path.strip_suffix(field.key).and_then(|path| path.strip_suffix('.'));
                fields.add(register.unwrap_or(&path), placed, Some(field.key));
            }
        }
    }
    Ok(fields)
}
