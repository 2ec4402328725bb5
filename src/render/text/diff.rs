//! `diff` as text: what differs, by function and group; what many functions have in common is said once.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::inspect::diff::vocabulary::Group;
use crate::inspect::diff::{Change, Comparison, Diff, FunctionDiff, Lone, NotCompared, Which};
use crate::inspect::show::FieldValue;

use super::super::style::{Style, Tone, paragraph};

/// From how many functions on the same thing is said once.
const SAME: usize = 3;
/// How many of them are named, and how many paths of values that were not compared.
const SHOWN: usize = 3;

/// How many functions that went the same way are named.
const MEMBERS: usize = 12;
/// From how many values on they are only counted.
const MANY: usize = 40;

/// What tells changes apart: the path, and both values in words.
type Key<'a> = (&'a str, Option<&'a str>, Option<&'a str>);

/// What many functions have in common.
struct Common<'a> {
    changes: BTreeMap<Key<'a>, Vec<(&'a FunctionDiff, &'a Change)>>,
    reasons: BTreeMap<(Which, &'a str), usize>,
}

impl<'a> Common<'a> {
    fn of(functions: &'a [FunctionDiff]) -> Self {
        let mut common = Common { changes: BTreeMap::new(), reasons: BTreeMap::new() };
        for function in functions {
            // Of each function it is said whether it answers.
            for change in function.comparison.changes.iter().filter(|c| c.group != Group::Presence) {
                common.changes.entry(key(change)).or_default().push((function, change));
            }
            let reasons = function.comparison.not_compared.iter().map(|m| (m.side, m.why.as_str()));
            for reason in reasons.collect::<BTreeSet<_>>() {
                *common.reasons.entry(reason).or_insert(0) += 1;
            }
        }
        common.changes.retain(|_, members| members.len() >= SAME);
        common.reasons.retain(|_, count| *count >= SAME);
        common
    }

    /// The changes that the same functions have in common.
    fn together(&self) -> Vec<(Vec<&'a FunctionDiff>, Vec<&'a Change>)> {
        let mut all: Vec<(Vec<&FunctionDiff>, Vec<&Change>)> = Vec::new();
        for members in self.changes.values() {
            let Some((_, change)) = members.first() else { continue };
            let functions: Vec<&FunctionDiff> = members.iter().map(|(f, _)| *f).collect();
            let same = |known: &[&FunctionDiff]| {
                known.iter().map(|f| f.address).eq(functions.iter().map(|f| f.address))
            };
            match all.iter_mut().find(|(known, _)| same(known)) {
                Some((_, changes)) => changes.push(change),
                None => all.push((functions, vec![change])),
            }
        }
        all.iter_mut()
            .for_each(|(_, changes)| changes.sort_by(|a, b| (a.group, &a.path).cmp(&(b.group, &b.path))));
        all
    }

    fn none() -> Self {
        Common { changes: BTreeMap::new(), reasons: BTreeMap::new() }
    }

    /// The changes that only this function has, or few others.
    fn own<'c>(&self, comparison: &'c Comparison) -> Vec<&'c Change> {
        comparison.changes.iter().filter(|c| !self.changes.contains_key(&key(c))).collect()
    }

    fn own_reasons<'c>(&self, comparison: &'c Comparison) -> Vec<&'c NotCompared> {
        let known = |m: &&NotCompared| self.reasons.contains_key(&(m.side, m.why.as_str()));
        comparison.not_compared.iter().filter(|m| !known(m)).collect()
    }
}

fn key(change: &Change) -> Key<'_> {
    fn words(value: &Option<FieldValue>) -> Option<&str> {
        value.as_ref().map(|v| v.text.as_str())
    }
    (&change.path, words(&change.first), words(&change.second))
}

/// The whole answer.
pub fn diff(answer: &Diff, style: Style) -> String {
    let mut out = String::new();
    for (name, side) in [("first", &answer.first), ("second", &answer.second)] {
        paragraph(&mut out, name, &format!("{}, {}", side.source, functions(side.functions)), 8, style);
    }
    for (which, lone) in [("first", &answer.only_first), ("second", &answer.only_second)] {
        only(&mut out, which, lone, style);
    }
    if !answer.machine.changes.is_empty() || !answer.machine.not_compared.is_empty() {
        out.push_str(&format!("{}\n", style.paint(Tone::Heading, "machine")));
        comparison(&mut out, &answer.machine, &Common::none(), style);
    }
    let common = Common::of(&answer.functions);
    for function in &answer.functions {
        let found = &function.comparison;
        if !common.own(found).is_empty() || !common.own_reasons(found).is_empty() {
            out.push_str(&heading(function, style));
            comparison(&mut out, found, &common, style);
        }
    }
    for (members, changes) in common.together() {
        let names: Vec<String> = members.iter().take(MEMBERS).map(|f| f.address.to_string()).collect();
        let more = match members.len().saturating_sub(MEMBERS) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let count = functions(members.len());
        // Colours take no columns: the label is written by itself.
        let mut named = String::new();
        paragraph(&mut named, &count, &format!("{}{more}", names.join(", ")), count.len() + 2, style);
        out.push_str(&named.replacen(&count, &style.paint(Tone::Heading, &count), 1));
        lines(&mut out, rows(&changes, false), style);
    }
    for ((side, why), count) in &common.reasons {
        let text =
            format!("not compared, of {count} functions: the {} side does not tell: {why}", side.name());
        paragraph(&mut out, "", &text, 0, style);
    }
    for note in &answer.notes {
        out.push_str(&format!("note: {note}\n"));
    }
    out.push_str(&summary(answer, style));
    out
}

fn functions(count: usize) -> String {
    match count {
        1 => "1 function".to_owned(),
        count => format!("{count} functions"),
    }
}

fn summary(answer: &Diff, style: Style) -> String {
    let changed = |c: &Comparison| c.changes.iter().any(|change| change.hidden.is_none());
    let shown = |c: &Comparison| c.changes.iter().any(|change| change.hidden.is_some());
    let hidden = match answer.hidden {
        0 => String::new(),
        _ if shown(&answer.machine) || answer.functions.iter().any(|f| shown(&f.comparison)) => String::new(),
        1 => "; 1 value that changes all the time or repeats another is hidden (--all)".to_owned(),
        count => format!("; {count} values that change all the time or repeat others are hidden (--all)"),
    };
    let matched = match answer.matched_by.name() {
        "address" => String::new(),
        name => format!(", matched by {name}"),
    };
    let compared = format!("{} compared{matched}", functions(answer.compared));
    let not_compared = match answer.not_compared {
        0 => String::new(),
        1 => "; 1 value not compared: one side does not tell it".to_owned(),
        count => format!("; {count} values not compared: one side does not tell them"),
    };
    if !answer.different {
        let what = match answer.not_compared {
            0 => style.paint(Tone::Good, "no difference"),
            _ => "no difference in what both sides tell".into(),
        };
        return format!("{what}: {compared}{not_compared}{hidden}\n");
    }
    let count = answer.functions.iter().filter(|f| changed(&f.comparison)).count();
    let machine = if changed(&answer.machine) { ", and the machine as a whole" } else { "" };
    let lone = match (answer.only_first.len(), answer.only_second.len()) {
        (0, 0) => String::new(),
        (a, b) => format!("; {a} only in the first, {b} only in the second"),
    };
    format!(
        "{}: {count} of {compared}{machine}{lone}{not_compared}{hidden}\n",
        style.paint(Tone::Warn, "different")
    )
}

fn only(out: &mut String, which: &str, lone: &[Lone], style: Style) {
    if lone.is_empty() {
        return;
    }
    out.push_str(&format!("{}\n", style.paint(Tone::Heading, &format!("only in the {which}"))));
    for function in lone {
        let address = style.paint(Tone::Name, &function.address.to_string());
        out.push_str(&format!("  {address}  {}\n", function.device));
    }
}

fn heading(function: &FunctionDiff, style: Style) -> String {
    let mut addresses = function.address.to_string();
    if function.second_address != function.address {
        addresses = format!("{addresses} -> {}", function.second_address);
    }
    format!("{}  {}\n", style.paint(Tone::Heading, &addresses), function.device)
}

fn comparison(out: &mut String, comparison: &Comparison, common: &Common<'_>, style: Style) {
    lines(out, rows(&common.own(comparison), true), style);
    for missing in common.own_reasons(comparison) {
        not_compared(out, missing, style);
    }
}

fn lines(out: &mut String, rows: Vec<Row<'_>>, style: Style) {
    let width = rows.iter().map(|r| r.path.len()).max().unwrap_or(0).min(56);
    let mut group = None;
    for row in rows {
        // The name of the group stands at its first line only.
        let name = if group == Some(row.group) { "" } else { row.group.name() };
        group = Some(row.group);
        line(out, name, &row, width, style);
    }
}

/// What one line says: a value that differs, or a register with all of its fields that do.
struct Row<'a> {
    group: Group,
    path: Cow<'a, str>,
    text: String,
}

/// From how many entries of a list on the same is said once.
const ENTRIES: usize = 3;

/// Changes put together: fields by register, entries of lists that went the same way.
fn rows<'a>(changes: &[&'a Change], with_raw: bool) -> Vec<Row<'a>> {
    let register = |c: &'a Change| c.register.as_ref().and_then(|_| c.path.rsplit_once('.'));
    let entry = |c: &Change| (c.register.is_none() && c.path.contains('[')).then(|| any_entry(&c.path));
    let mut rows: Vec<(Cow<'a, str>, Vec<&'a Change>)> = Vec::new();
    for change in changes {
        let same_register = |members: &[&'a Change]| {
            let of = register(change).map(|(of, _)| of);
            of.is_some()
                && members.iter().all(|m| m.group == change.group && register(m).map(|(o, _)| o) == of)
        };
        let same_list = |members: &[&Change]| {
            entry(change).is_some()
                && members.iter().all(|m| entry(m) == entry(change) && values(m) == values(change))
        };
        if let Some((path, members)) = rows.iter_mut().rev().find(|(_, members)| same_register(members)) {
            *path = register(change).map_or("", |(of, _)| of).into();
            members.push(change);
        } else if let Some((_, members)) = rows.iter_mut().rev().find(|(_, members)| same_list(members)) {
            members.push(change);
        } else {
            rows.push((change.path.as_str().into(), vec![change]));
        }
    }
    let mut out = Vec::new();
    for (path, members) in rows {
        let raw = members.first().and_then(|m| m.register.as_ref()).filter(|_| with_raw);
        let raw = raw.map_or(String::new(), |r| {
            let digits = usize::from(r.width) * 2 + 2;
            format!("  ({} at {:#x}: {:#0digits$x} -> {:#0digits$x})", r.short, r.offset, r.first, r.second)
        });
        let hidden = |c: &Change| c.hidden.as_ref().map_or(String::new(), |why| format!("  [{why}]"));
        let group = members.first().map_or(Group::Control, |m| m.group);
        match members.as_slice() {
            [one, .., _] if one.register.is_some() => {
                let text = format!("{}{raw}{}", fields(&members), hidden(one));
                out.push(Row { group, path, text });
            }
            [one, ..] if members.len() >= ENTRIES => {
                let text = format!("{}, {} times{}", values(one), members.len(), hidden(one));
                out.push(Row { group, path: any_entry(&one.path).into(), text });
            }
            several => out.extend(several.iter().map(|one| Row {
                group,
                path: one.path.as_str().into(),
                text: format!("{}{raw}{}", values(one), hidden(one)),
            })),
        }
    }
    out
}

/// A path with `*` in place of what stands between brackets.
fn any_entry(path: &str) -> String {
    let mut out = String::new();
    for (place, piece) in path.split('[').enumerate() {
        match (place, piece.split_once(']')) {
            (0, _) | (_, None) => out.push_str(piece),
            (_, Some((_, rest))) => out.push_str(&format!("[*]{rest}")),
        }
    }
    out
}

/// Fields of one register: those that went the same way together.
fn fields(members: &[&Change]) -> String {
    let mut ways: Vec<(String, Vec<&str>)> = Vec::new();
    for member in members {
        let (way, name) = (values(member), member.path.rsplit('.').next().unwrap_or(&member.path));
        match ways.iter_mut().find(|(known, _)| *known == way) {
            Some((_, names)) => names.push(name),
            None => ways.push((way, vec![name])),
        }
    }
    let ways: Vec<String> = ways.iter().map(|(way, names)| format!("{} {way}", names.join(", "))).collect();
    ways.join("; ")
}

/// Both values.
fn values(change: &Change) -> String {
    // The kernel lists a counter once it is not zero.
    let nothing = if change.delta.is_some() { "0" } else { "none" };
    let text = |v: &Option<FieldValue>| v.as_ref().map_or(nothing.to_owned(), |v| v.text.clone());
    let delta = change.delta.map_or(String::new(), |delta| format!(" ({delta:+})"));
    match (change.path.as_str(), &change.first, &change.second) {
        ("command_line", Some(a), Some(b)) => words(&a.text, &b.text),
        (_, first, second) => format!("{} -> {}{delta}", text(first), text(second)),
    }
}

fn not_compared(out: &mut String, missing: &NotCompared, style: Style) {
    let count = missing.paths.len();
    let what = if count > MANY {
        format!("{count} values")
    } else {
        let names: Vec<&str> = missing.paths.iter().take(SHOWN).map(String::as_str).collect();
        let more = count.saturating_sub(SHOWN);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("{}{more}", names.join(", "))
    };
    let side = missing.side.name();
    let text = format!("not compared: {what}; the {side} side does not tell: {}", missing.why);
    paragraph(out, "", &text, 2, style);
}

fn line(out: &mut String, group: &str, row: &Row<'_>, width: usize, style: Style) {
    let column = 14 + width.max(row.path.len()) + 2;
    // Colours take no columns: the label is written by itself.
    let mut lines = String::new();
    paragraph(&mut lines, "", &row.text, column, style);
    let group = style.paint(Tone::Faint, &format!("{group:<10}"));
    let path = style.paint(Tone::Name, &format!("{:<width$}", row.path));
    out.push_str(&format!("  {group}  {path}  {}", lines.trim_start()));
}

/// Options that were taken away and added.
fn words(first: &str, second: &str) -> String {
    let (a, b): (Vec<&str>, Vec<&str>) =
        (first.split_whitespace().collect(), second.split_whitespace().collect());
    let gone = a.iter().filter(|word| !b.contains(word)).map(|word| format!("-{word}"));
    let new = b.iter().filter(|word| !a.contains(word)).map(|word| format!("+{word}"));
    let words: Vec<String> = gone.chain(new).collect();
    if words.is_empty() { "the same options in another order".to_owned() } else { words.join(" ") }
}
