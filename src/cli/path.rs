//! `path`.

use crate::inspect::path::path;
use crate::machine::reading::Depth;
use crate::render::text;

use super::arguments::{Global, Selection};
use super::run::{Failure, Outcome, Session, json};

pub fn run(global: &Global, selection: &Selection) -> Result<Outcome, Failure> {
    let mut session = Session::open(global, selection, Depth::Full, true)?;
    let notes = std::mem::take(&mut session.notes);
    let answer = path(session.inspection(), session.interrupts.as_deref(), notes);
    let text = if session.json {
        json(&answer)?
    } else {
        let pages: Vec<String> =
            answer.functions.iter().map(|f| text::path::function(f, session.style)).collect();
        format!("{}{}", pages.join("\n"), text::notes(&answer.notes))
    };
    Ok(session.outcome(text))
}
