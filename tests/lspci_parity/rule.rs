//! How a value is found in a line of lspci, and what pciscope says in its place.

use super::view::{View, words};

/// What to do with the lines of one kind. Flags (`Name+`, `Name-`) need no rule: they are looked up by name.
pub struct Rule {
    /// Key of the capability in the catalogue, or `header`.
    pub capability: &'static str,
    /// How the line starts; what stands there is not looked at again. [`TITLE`] is the first line of a capability.
    pub line: &'static str,
    /// The name of our register, for flags and fields.
    pub register: &'static str,
    /// Replacements made before anything else, where something stands in the way.
    pub rewrite: &'static [(&'static str, &'static str)],
    /// Values, in the order in which they are taken out of the line.
    pub values: &'static [Value],
}

/// The first line of a capability.
pub const TITLE: &str = "title";

/// A rule for lines whose flags need no rewriting.
pub const fn rule(
    capability: &'static str,
    line: &'static str,
    register: &'static str,
    values: &'static [Value],
) -> Rule {
    Rule { capability, line, register, rewrite: &[], values }
}

/// A rule for lines that are rewritten first.
pub const fn rewriting(
    capability: &'static str,
    line: &'static str,
    register: &'static str,
    rewrite: &'static [(&'static str, &'static str)],
    values: &'static [Value],
) -> Rule {
    Rule { capability, line, register, rewrite, values }
}

/// A value in a line.
pub struct Value {
    /// What is before the value, `{}`, and what is behind it. Without anything behind, it goes on to the next comma,
    /// semicolon or end of line; `$` is the end of all lines that belong together.
    pub pattern: &'static str,
    pub say: Say,
}

/// What pciscope says in place of a value.
pub enum Say {
    /// What the field means.
    Field(&'static str),
    /// The bits of the field in hexadecimal, with that many digits.
    Hex(&'static str, usize),
    /// What the field means, where lspci has other words: theirs and ours.
    Words(&'static str, &'static [(&'static str, &'static str)]),
    /// Something made of several fields; gets the words of lspci for those that have the value in them twice.
    With(fn(&View<'_>, &str) -> Option<String>),
    /// `vendor:device` where lspci printed numbers. Names are not compared.
    Ids(fn(&View<'_>) -> Option<String>),
}

/// Shorthand for tables.
pub const fn value(pattern: &'static str, say: Say) -> Value {
    Value { pattern, say }
}

impl Value {
    /// The name for differences.
    pub fn name(&self) -> &'static str {
        match self.say {
            Say::Field(name) | Say::Hex(name, _) | Say::Words(name, _) => name,
            Say::With(_) | Say::Ids(_) => {
                let name = self
                    .pattern
                    .split("{}")
                    .next()
                    .unwrap_or_default()
                    .trim_matches([':', '=', ' ', '#', '(']);
                if name == "[" { self.pattern } else { name }
            }
        }
    }

    /// Theirs and ours, to be equal. `Ok(None)` if theirs says nothing that can be compared.
    pub fn compare(&self, view: &View<'_>, register: &str, text: &str) -> Option<(String, String)> {
        let nothing = || "nothing".to_owned();
        let field = |name| view.field(register, None, name);
        Some(match self.say {
            Say::Field(name) => {
                (text.to_owned(), field(name).map_or_else(nothing, |(field, raw)| words(field, raw)))
            }
            Say::Hex(name, digits) => {
                (text.to_owned(), field(name).map_or_else(nothing, |(_, raw)| format!("{raw:0digits$x}")))
            }
            Say::Words(name, table) => {
                let theirs = table.iter().find(|(theirs, _)| *theirs == text).map_or(text, |(_, ours)| ours);
                (theirs.to_owned(), field(name).map_or_else(nothing, |(field, raw)| words(field, raw)))
            }
            Say::With(ours) => (text.to_owned(), ours(view, text).unwrap_or_else(nothing)),
            Say::Ids(ours) => (ids(text)?.to_owned(), ours(view).unwrap_or_else(nothing)),
        })
    }
}

/// `vendor:device` out of a text that may have names before it.
pub fn ids(text: &str) -> Option<&str> {
    let last = text.rsplit(' ').next()?.trim_matches(['[', ']']);
    let (vendor, device) = last.split_once(':')?;
    let number = |part: &str| part.len() == 4 && part.bytes().all(|b| b.is_ascii_hexdigit());
    (number(vendor) && number(device)).then_some(last)
}

/// Takes a value out of a line and leaves a bar in its place.
pub fn take(line: &mut String, pattern: &str) -> Option<String> {
    let (before, behind) = pattern.split_once("{}")?;
    let word_start = |at: &usize| !line[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
    let mut start = line.match_indices(before).map(|(at, _)| at).find(word_start)?;
    if !matches!(behind, "" | " " | "$") {
        // What stands behind tells which of several starts is meant.
        let end = start + line[start..].find(behind)?;
        start = line[..end].match_indices(before).map(|(at, _)| at).filter(word_start).last()?;
    }
    let from = start + before.len();
    let rest = &line[from..];
    let natural = rest.find([',', ';', '|']).unwrap_or(rest.len());
    let (length, skip) = match behind {
        "" => (natural, 0),
        "$" => (rest.len(), 0),
        " " => (
            rest.trim_start()
                .find(' ')
                .map_or(natural, |at| at + rest.len() - rest.trim_start().len())
                .min(natural),
            0,
        ),
        behind => (rest.find(behind)?, behind.len()),
    };
    let text = rest[..length].trim_matches([' ', '|']).to_owned();
    if text.is_empty() {
        return None;
    }
    line.replace_range(start..from + length + skip, " | ");
    Some(text)
}

#[test]
fn values_are_taken_out_of_a_line() {
    let mut line =
        "Port #0, Speed 16GT/s, Width x4, ASPM L0s L1, L1 <2us | ClockPM- Count=1/2 64bit+".to_owned();
    assert_eq!(take(&mut line, "Speed {}").as_deref(), Some("16GT/s"));
    assert_eq!(take(&mut line, "ASPM {}").as_deref(), Some("L0s L1"));
    assert_eq!(take(&mut line, "L1 {}").as_deref(), Some("<2us"));
    assert_eq!(take(&mut line, "Count={} ").as_deref(), Some("1/2"));
    assert_eq!(take(&mut line, "dth x{}"), None, "not the start of a word");
    assert_eq!(
        line.split_whitespace().collect::<Vec<_>>().join(" "),
        "Port #0, | , Width x4, | , | | ClockPM- | 64bit+"
    );
    let mut line = "1000-1fff [size=4K] [16-bit]".to_owned();
    assert_eq!(take(&mut line, "[{}-bit]").as_deref(), Some("16"));
    assert_eq!(take(&mut line, "[size={}]").as_deref(), Some("4K"));
    assert_eq!(take(&mut line, "{}$").as_deref(), Some("1000-1fff"));
    assert_eq!(ids("Intel Corporation Device [8086:1234]"), Some("8086:1234"));
    assert_eq!(ids("Intel Corporation Device 1234"), None);
}
