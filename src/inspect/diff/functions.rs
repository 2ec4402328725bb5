//! A function on both sides.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::inspect::capability::CapabilityEntry;
use crate::inspect::show::{Details, FieldValue, RegisterValue, details};
use crate::machine::Function;
use crate::pci::Bdf;

use super::leaves::{Leaves, leaves, worded};
use super::replaced::{Replaced, WHY};
use super::vocabulary::{fits, group, is_counter, retold_by, volatile};
use super::{Change, Comparison, Half, NotCompared, RegisterChange, Which, incomparable, told};

/// What is being put together.
#[derive(Default)]
pub(super) struct Found {
    changes: Vec<Change>,
    not_told: BTreeMap<(Which, String), Vec<String>>,
}

impl Found {
    /// A value that differs; `None` where there is no such thing.
    pub fn change(&mut self, path: &str, first: Option<FieldValue>, second: Option<FieldValue>) {
        // The kernel lists a counter once it is not zero.
        let number = |side: &Option<FieldValue>| i128::from(side.as_ref().and_then(|v| v.raw).unwrap_or(0));
        let delta = is_counter(path).then(|| i64::try_from(number(&second) - number(&first)).ok()).flatten();
        let hidden = volatile(path).map(str::to_owned);
        let change = Change {
            group: group(path),
            path: path.to_owned(),
            first,
            second,
            delta,
            register: None,
            hidden,
        };
        self.changes.push(change);
    }

    /// A value that one side does not tell.
    pub fn not_told(&mut self, side: Which, why: String, path: &str) {
        if !why.is_empty() {
            self.not_told.entry((side, why)).or_default().push(path.to_owned());
        }
    }

    /// Marks what repeats something else, and puts everything in order.
    pub fn comparison(mut self) -> Comparison {
        let shown: Vec<String> =
            self.changes.iter().filter(|c| c.hidden.is_none()).map(|c| c.path.clone()).collect();
        for change in self.changes.iter_mut().filter(|c| c.hidden.is_none()) {
            let by = retold_by(&change.path);
            let told = shown.iter().find(|other| **other != change.path && by.iter().any(|p| fits(p, other)));
            change.hidden = told.map(|other| format!("{other} says the same"));
        }
        let order = |c: &Change| (c.group, c.path != "presence", c.path.clone());
        self.changes.sort_by_cached_key(order);
        let not_compared = |((side, why), paths)| NotCompared { side, why, paths };
        Comparison {
            changes: self.changes,
            not_compared: self.not_told.into_iter().map(not_compared).collect(),
        }
    }
}

/// Both functions of a pair, and what was replaced on their sides.
struct Pair<'a> {
    functions: (&'a Function, &'a Function),
    replaced: [Option<&'a Replaced>; 2],
}

impl Pair<'_> {
    /// The side on which something was replaced, if it was.
    fn replaced(&self, is: impl Fn(&Replaced, Bdf) -> bool) -> Option<Which> {
        let sides = [(Which::First, self.functions.0), (Which::Second, self.functions.1)];
        let found = sides.into_iter().zip(self.replaced).find(|((_, function), replaced)| {
            replaced.is_some_and(|replaced| is(replaced, function.address))
        });
        found.map(|((side, _), _)| side)
    }
}

/// Compares a pair. `addresses` are those of the second side's functions on the first.
pub fn functions(
    first: Half<'_>,
    second: Half<'_>,
    pair: (&Function, &Function),
    addresses: &BTreeMap<Bdf, Bdf>,
) -> Comparison {
    let answer =
        |half: Half<'_>, function: &Function| details(half.inspection, function, half.interrupts, false);
    let mut answers = (answer(first, pair.0), answer(second, pair.1));
    let mut found = Found::default();
    let pair = Pair { functions: pair, replaced: incomparable(first, second) };
    registers(&mut found, &pair, &answers);
    capabilities(&mut found, &pair, &answers);
    let other = (rest(&mut answers.0), rest(&mut answers.1));
    values(&mut found, &pair, other, addresses);
    found.comparison()
}

/// The answer without what is compared by itself.
fn rest(details: &mut Details) -> Leaves {
    details.registers.clear();
    details.fields.clear();
    details.capabilities.clear();
    details.unread.clear();
    // Numbers, texts and lists of them: that always becomes JSON.
    leaves(&serde_json::to_value(details).unwrap_or_default())
}

fn registers(found: &mut Found, both: &Pair<'_>, answers: &(Details, Details)) {
    let (first, second) = answers;
    let pair = both.functions;
    let paths: BTreeSet<&String> = first.registers.keys().chain(second.registers.keys()).collect();
    for path in paths {
        match (first.registers.get(path), second.registers.get(path)) {
            (Some(a), Some(b)) => match (a.raw, b.raw) {
                (Some(x), Some(y)) if x != y => {
                    let here = |r: &Replaced, address| r.in_registers(address, a.offset, a.width.into());
                    match both.replaced(here) {
                        Some(side) => found.not_told(side, WHY.to_owned(), path),
                        None => register(found, path, (a, x), (b, y), answers),
                    }
                }
                (None, Some(_)) => found.not_told(Which::First, unread(pair.0), path),
                (Some(_), None) => found.not_told(Which::Second, unread(pair.1), path),
                _ => {}
            },
            (Some(a), None) => lone(found, Which::Second, (pair.1, second), path, a),
            (None, Some(b)) => lone(found, Which::First, (pair.0, first), path, b),
            (None, None) => {}
        }
    }
}

fn unread(function: &Function) -> String {
    function.unread().unwrap_or_else(|| "it was not read".to_owned())
}

/// A register that differs: its fields that do, or the register itself if none does.
fn register(
    found: &mut Found,
    path: &str,
    (a, x): (&RegisterValue, u64),
    (b, y): (&RegisterValue, u64),
    answers: &(Details, Details),
) {
    let change =
        RegisterChange { short: a.short, offset: a.offset, width: a.width.max(b.width), first: x, second: y };
    let before = found.changes.len();
    let dotted = format!("{path}.");
    let fields = answers.0.fields.range(dotted.clone()..).take_while(|(name, _)| name.starts_with(&dotted));
    for (name, one) in fields {
        // A register `a.b` is no part of the register `a`, though its path starts with it.
        let own = !name[dotted.len()..].contains('.');
        let other = answers.1.fields.get(name);
        if own && other.is_some_and(|other| (other.raw, &other.text) != (one.raw, &one.text)) {
            found.change(name, Some(one.clone()), other.cloned());
        }
    }
    if found.changes.len() == before {
        let digits = usize::from(change.width) * 2 + 2;
        let value = |raw: u64| {
            let text = format!("{raw:#0digits$x}");
            Some(FieldValue { raw: Some(raw), value: raw.into(), text })
        };
        found.change(path, value(x), value(y));
    }
    for made in &mut found.changes[before..] {
        made.register = Some(change.clone());
    }
}

/// A register that only one side has. That its capability is missing is told of the capability.
fn lone(
    found: &mut Found,
    missing: Which,
    (function, details): (&Function, &Details),
    path: &str,
    register: &RegisterValue,
) {
    if let Err(why) = told::configuration(function) {
        return found.not_told(missing, why, path);
    }
    let capability = path.split('.').next().unwrap_or(path);
    let known = capability == "header" || details.capabilities.iter().any(|c| c.path == capability);
    let Some(raw) = register.raw.filter(|_| known) else { return };
    let digits = usize::from(register.width) * 2 + 2;
    let value = Some(FieldValue { raw: Some(raw), value: raw.into(), text: format!("{raw:#0digits$x}") });
    match missing {
        Which::First => found.change(path, None, value),
        Which::Second => found.change(path, value, None),
    }
}

fn capabilities(found: &mut Found, both: &Pair<'_>, answers: &(Details, Details)) {
    let pair = both.functions;
    let by_path = |details: &Details| -> BTreeMap<String, CapabilityEntry> {
        details.capabilities.iter().map(|c| (c.path.clone(), c.clone())).collect()
    };
    let (first, second) = (by_path(&answers.0), by_path(&answers.1));
    let paths: BTreeSet<&String> = first.keys().chain(second.keys()).collect();
    for path in paths {
        let name = format!("capabilities[{path}]");
        match (first.get(path), second.get(path)) {
            (Some(a), Some(b)) => {
                if (a.offset, a.version) != (b.offset, b.version) {
                    found.change(&name, Some(place(a)), Some(place(b)));
                }
                let bytes = |c: &CapabilityEntry| c.undecoded.as_ref().map(|u| u.bytes.clone());
                let (x, y) = (bytes(a), bytes(b));
                let length = [&x, &y].into_iter().flatten().map(String::len).max().unwrap_or(0);
                let here = |r: &Replaced, address| r.in_registers(address, a.offset, length);
                if x == y || a.offset != b.offset {
                } else if let Some(side) = both.replaced(here) {
                    found.not_told(side, WHY.to_owned(), &format!("{name}.undecoded"));
                } else {
                    let text = |bytes: String| worded("", &Value::String(bytes));
                    found.change(&format!("{name}.undecoded"), x.map(text), y.map(text));
                }
            }
            (Some(a), None) => match told::list(pair.1, a.list) {
                Ok(()) => found.change(&name, Some(place(a)), None),
                Err(why) => found.not_told(Which::Second, why, &name),
            },
            (None, Some(b)) => match told::list(pair.0, b.list) {
                Ok(()) => found.change(&name, None, Some(place(b))),
                Err(why) => found.not_told(Which::First, why, &name),
            },
            (None, None) => {}
        }
    }
}

/// Where a capability is.
fn place(capability: &CapabilityEntry) -> FieldValue {
    let version = match capability.version {
        0 => String::new(),
        version => format!(", version {version}"),
    };
    let text = format!("at {:#x}{version}", capability.offset);
    FieldValue { raw: Some(capability.offset.into()), value: capability.offset.into(), text }
}

/// Addresses of other functions, which on the second side may have others.
const OTHERS: [&str; 3] = ["parent", "link_partner", "physical_function"];

fn values(
    found: &mut Found,
    both: &Pair<'_>,
    (first, mut second): (Leaves, Leaves),
    addresses: &BTreeMap<Bdf, Bdf>,
) {
    let pair = both.functions;
    for path in OTHERS {
        let Some(Value::String(text)) = second.get_mut(path) else { continue };
        if let Some(same) = text.parse().ok().and_then(|address| addresses.get(&address)) {
            *text = same.to_string();
        }
    }
    let lengths = (first.get("config_bytes").cloned(), second.get("config_bytes").cloned());
    if lengths.0 != lengths.1 {
        for (side, function) in [(Which::First, pair.0), (Which::Second, pair.1)] {
            // How much was read says something of the function only where all that there is was read.
            if let Err(why) = told::configuration(function).and_then(|()| only_header(function)) {
                found.not_told(side, why, "config_bytes");
                second.insert("config_bytes".to_owned(), lengths.0.clone().unwrap_or_default());
            }
        }
    }
    let paths: BTreeSet<&String> = first.keys().chain(second.keys()).collect();
    for path in paths {
        let unknown = |v: &Value| v.is_null() || path == "link.state" && v == "unknown";
        let there = |leaves: &Leaves| leaves.get(path).filter(|v| !unknown(v)).cloned();
        let (a, b) = (there(&first), there(&second));
        // An empty list beside one with entries is told by the entries.
        if [&a, &b].into_iter().flatten().all(|v| v.as_array().is_some_and(Vec::is_empty)) {
            continue;
        }
        if a == b || a.as_ref().zip(b.as_ref()).is_some_and(|(a, b)| same_but_numbered(path, a, b)) {
            continue;
        }
        let value = |value: &Option<Value>| value.as_ref().map(|value| worded(path, value));
        if let Some(side) = both.replaced(|r, address| r.in_value(address, path)) {
            found.not_told(side, WHY.to_owned(), path);
            continue;
        }
        match (&a, &b) {
            (None, Some(_)) => match told::absence(pair.0, path) {
                Ok(()) => found.change(path, None, value(&b)),
                Err(why) => found.not_told(Which::First, why, path),
            },
            (Some(_), None) => match told::absence(pair.1, path) {
                Ok(()) => found.change(path, value(&a), None),
                Err(why) => found.not_told(Which::Second, why, path),
            },
            _ => found.change(path, value(&a), value(&b)),
        }
    }
}

/// Every function has 256 bytes of configuration space (PCI Local Bus 3.0, 6.1): where the header only was read, that is
/// of the source, even if a header without a list of capabilities leaves nothing to be decoded behind it.
fn only_header(function: &Function) -> Result<(), String> {
    match function.reading.space.limit() {
        limit @ (64 | 128) => {
            Err(format!("configuration space from {limit:#x}: the source holds {limit} bytes only"))
        }
        _ => Ok(()),
    }
}

/// Handlers of interrupts are numbered in the order in which drivers start: `nvme0q1`, `nvme1q1`.
fn same_but_numbered(path: &str, a: &Value, b: &Value) -> bool {
    let letters = |value: &Value| value.as_str().map(|t| t.replace(|c: char| c.is_ascii_digit(), ""));
    fits("interrupts[*].actions", path) && letters(a).is_some() && letters(a) == letters(b)
}
