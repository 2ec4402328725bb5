//! `explain`.

use crate::inspect::explain::{explain, names};
use crate::inspect::suggest::nearest;
use crate::render::text;

use super::arguments::{Format, Global};
use super::run::{Failure, Outcome, USAGE, json, style};

pub fn run(global: &Global, name: &str) -> Result<Outcome, Failure> {
    let answer = explain(name);
    if answer.matches.is_empty() {
        if name.contains(' ') {
            let text =
                format!("explain {name}: no kind of event has such a line, and nothing else is called so");
            return Err(Failure::new(USAGE, text));
        }
        let text = format!("explain {name}: nothing is called so; {}", nearest(names(), name));
        return Err(Failure::new(USAGE, text));
    }
    let text = match global.format {
        Format::Json => json(&answer)?,
        _ => text::explain::explain(&answer, style(global)),
    };
    Ok(Outcome { text, complaints: Vec::new(), status: 0 })
}
