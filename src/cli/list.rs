//! `list`.

use crate::inspect::list::{self, title};
use crate::machine::in_threads;
use crate::machine::reading::Depth;
use crate::render::text;

use super::arguments::{Global, Selection};
use super::run::{Failure, Outcome, Session, json};

pub fn run(global: &Global, selection: &Selection, tree: bool) -> Result<Outcome, Failure> {
    let mut session = Session::open(global, selection, Depth::Summary, false)?;
    let notes = std::mem::take(&mut session.notes);
    let names = &session.names;
    let text = if session.json {
        json(&list::list(session.inspection(), notes))?
    } else if tree {
        let answer = list::list(session.inspection(), notes);
        let titles: Vec<String> = session.machine.wanted().map(|f| title(names, f)).collect();
        text::tree::tree(&answer, &titles, session.style)
    } else {
        let functions: Vec<_> = session.machine.wanted().collect();
        let rows = in_threads(functions, |f| text::list::row(names, f));
        text::list::list(&rows, &notes, session.style)
    };
    Ok(session.outcome(text))
}
