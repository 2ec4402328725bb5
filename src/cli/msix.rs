//! `msix`.

use crate::inspect::msix::msix;
use crate::machine::reading::Depth;
use crate::render::text;

use super::arguments::{Global, Selection};
use super::run::{Failure, Outcome, Session, json};

pub fn run(global: &Global, selection: &Selection, mmio: bool) -> Result<Outcome, Failure> {
    let mut session = Session::open(global, selection, Depth::Full, true)?;
    let notes = std::mem::take(&mut session.notes);
    let answer = msix(session.inspection(), session.interrupts.as_deref(), selection.is_named(), mmio, notes);
    let text = if session.json {
        json(&answer)?
    } else {
        let pages: Vec<String> =
            answer.functions.iter().map(|f| text::msix::function(f, session.style)).collect();
        let none = if pages.is_empty() && session.complaints.is_empty() {
            "no function here has MSI-X\n"
        } else {
            ""
        };
        format!("{}{none}{}", pages.join("\n"), text::notes(&answer.notes))
    };
    Ok(session.outcome(text))
}
