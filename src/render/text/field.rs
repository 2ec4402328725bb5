//! `show --field` as text: one value, or the fields of a register or capability, a line each.

use crate::inspect::field::{Found, fields, register_text};
use crate::inspect::show::field_value;

/// The value alone: text, or with `raw` the number as it stands in the register.
pub fn value(found: Found<'_>, raw: bool) -> String {
    match found {
        Found::Field(placed, field) => {
            let value = field_value(field, placed.raw);
            match (raw, value.raw) {
                (true, Some(number)) => number.to_string(),
                _ => value.text,
            }
        }
        Found::Register(placed) => register_text(placed),
    }
}

/// A register's or capability's fields, a line each.
pub fn lines(found: &[(String, Found<'_>)], raw: bool) -> String {
    let mut rows = Vec::new();
    for (path, found) in found {
        match found {
            Found::Register(placed) if !raw => {
                let all = fields(placed)
                    .map(|f| (format!("{path}.{}", f.key), value(Found::Field(placed, f), false)));
                rows.push((path.clone(), value(*found, true)));
                rows.extend(all);
            }
            found => rows.push((path.clone(), value(*found, raw))),
        }
    }
    let width = rows.iter().map(|(path, _)| path.chars().count()).max().unwrap_or(0);
    rows.iter().map(|(path, value)| format!("{path:width$}  {value}\n")).collect()
}
