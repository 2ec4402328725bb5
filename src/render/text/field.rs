//! `show --field`: one value, or the fields of a register or capability, a line each.

use crate::inspect::show::{Decoded, field_value};
use crate::pci::decode::Placed;
use crate::pci::register::{Field, Register};

/// What a name stands for in one function.
#[derive(Debug, Clone, Copy)]
pub enum Found<'a> {
    /// One field of one register.
    Field(&'a Placed, &'static Field),
    /// A whole register.
    Register(&'a Placed),
}

/// Everything that a name stands for, with dotted paths. Names are dotted paths (`express.link_status`), parts of them
/// from the end of the path (`link_status.current_link_speed`), and short names (`LnkSta`, `LnkSta.Speed`); `[0]` may be
/// left out.
pub fn find<'a>(decoded: &'a Decoded, name: &str) -> Vec<(String, Found<'a>)> {
    let wanted = name.replace("[0]", "");
    let mut exact = Vec::new();
    let mut partial = Vec::new();
    for (capability, placed) in decoded.registers() {
        let capability = capability.replace("[0]", "");
        let register = placed.register;
        let path = format!("{capability}.{}", placed.path());
        let plain = path.replace("[0]", "");
        // As people know it: LnkSta, MSI-X, UESta.
        let shorts = [register.short.to_owned(), format!("{capability}.{}", register.short)];
        if plain == wanted {
            exact.push((path.clone(), Found::Register(placed)));
        } else if plain.starts_with(&format!("{wanted}.")) {
            exact.extend(fields(placed).map(|f| (format!("{path}.{}", f.key), Found::Field(placed, f))));
        } else if plain.ends_with(&format!(".{wanted}")) || shorts.contains(&wanted) {
            partial.push((path.clone(), Found::Register(placed)));
        }
        for field in fields(placed) {
            let full = format!("{path}.{}", field.key);
            let plain_field = format!("{plain}.{}", field.key);
            let by_short = [&plain, &shorts[0], &shorts[1]].map(|r| format!("{r}.{}", field.short));
            if plain_field == wanted {
                exact.push((full, Found::Field(placed, field)));
            } else if plain_field.ends_with(&format!(".{wanted}"))
                || by_short.contains(&wanted)
                || format!("{}.{}", register.short, field.key) == wanted
                || field.short == wanted
            {
                partial.push((full, Found::Field(placed, field)));
            }
        }
    }
    if exact.is_empty() { partial } else { exact }
}

fn fields(placed: &Placed) -> impl Iterator<Item = &'static Field> {
    let register: &'static Register = placed.register;
    register.fields.iter()
}

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
        Found::Register(placed) => match placed.raw {
            Some(raw) => format!("{raw:#0width$x}", width = usize::from(placed.register.width) * 2 + 2),
            None => "not read".to_owned(),
        },
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

/// Paths of a function that resemble a name which is none, nearest first.
pub fn nearest(decoded: &Decoded, name: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for (capability, placed) in decoded.registers() {
        let register = format!("{capability}.{}", placed.path());
        paths.extend(fields(placed).map(|f| format!("{register}.{}", f.key)));
        paths.push(register);
    }
    nearest_of(paths, name)
}

/// The three of the paths that resemble the name most, nearest first.
pub fn nearest_of(paths: Vec<String>, name: &str) -> Vec<String> {
    let wanted = name.rsplit('.').next().unwrap_or(name);
    let mut candidates: Vec<(usize, String)> = paths
        .into_iter()
        .map(|path| {
            let last = path.rsplit('.').next().unwrap_or(&path);
            let distance = distance(&path, name).min(distance(last, wanted) + 1);
            (distance, path)
        })
        .collect();
    candidates.sort();
    candidates.into_iter().take(3).map(|(_, path)| path).collect()
}

/// Number of letters to insert, delete or replace to make one word of the other (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(200).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(200).enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_how_far_words_are_apart() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "ab"), 2);
    }
}
