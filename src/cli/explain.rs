//! `explain`.

use crate::check::registry;
use crate::inspect::explain::{Explain, check, explain, paths};
use crate::render::text;

use super::arguments::{Format, Global};
use super::run::{Failure, Outcome, USAGE, json, style};

pub fn run(global: &Global, name: &str) -> Result<Outcome, Failure> {
    // `check:` and `field:` pick one kind of thing.
    let answer = match name.split_once(':') {
        Some(("check", name)) => Explain { matches: check(name) },
        Some(("field", name)) => explain(name),
        _ => {
            let mut matches = check(name);
            matches.extend(explain(name).matches);
            Explain { matches }
        }
    };
    if answer.matches.is_empty() {
        let mut known = paths();
        known.extend(registry::all().map(|c| c.id.to_owned()));
        let name_only = name.split_once(':').map_or(name, |(_, rest)| rest);
        let nearest = text::field::nearest_of(known, name_only);
        let text = format!("explain {name}: nothing is called so; nearest: {}", nearest.join(", "));
        return Err(Failure::new(USAGE, text));
    }
    let text = match global.format {
        Format::Json => json(&answer)?,
        _ => text::explain::explain(&answer, style(global)),
    };
    Ok(Outcome { text, complaints: Vec::new(), status: 0 })
}
