//! `explain`.

use crate::inspect::explain::{Explanation, explain, paths};
use crate::render::text;

use super::arguments::{Format, Global};
use super::run::{Failure, Outcome, USAGE, json, style};

pub fn run(global: &Global, name: &str) -> Result<Outcome, Failure> {
    // A prefix picks one kind of thing.
    let mut answer = explain(name.trim_start_matches("field:").trim_start_matches("fault:"));
    answer.matches.retain(|found| match found {
        Explanation::Fault(_) => !name.starts_with("field:"),
        _ => !name.starts_with("fault:"),
    });
    if answer.matches.is_empty() {
        let nearest = text::field::nearest_of(paths(), name);
        let text = format!("explain {name}: nothing is called so; nearest: {}", nearest.join(", "));
        return Err(Failure::new(USAGE, text));
    }
    let text = match global.format {
        Format::Json => json(&answer)?,
        Format::Text => text::explain::explain(&answer, style(global)),
    };
    Ok(Outcome { text, complaints: Vec::new() })
}
