//! `diff`: two machines or two moments, field by field.
//!
//! Both sides are what `show` prints for programs, value by value under its dotted path; there is no second list of
//! fields. What one side does not tell is not a difference: it is not compared, and the reason is given.

mod functions;
pub mod leaves;
mod machines;
pub mod pairs;
pub mod replaced;
mod told;
pub mod vocabulary;

use std::collections::BTreeMap;

use crate::machine::Function;
use crate::machine::board::Board;
use crate::machine::interrupts::Line;
use crate::pci::Bdf;

use super::Inspection;
use super::list::title;
use super::show::FieldValue;
use pairs::{Matching, Pairs};
use replaced::Replaced;
use vocabulary::Group;

/// Answer of `diff`.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct Diff {
    /// Whether anything differs that is not hidden.
    pub different: bool,
    /// By what functions of the two sides were put together: by address where nothing has what was asked for.
    pub matched_by: Matching,
    /// The first side.
    pub first: Side,
    /// The second side.
    pub second: Side,
    /// How many pairs of functions were compared.
    pub compared: usize,
    /// How many of their values, and of those of the machine as a whole, were not compared because one side does not tell
    /// them: of these, nothing is known.
    pub not_compared: usize,
    /// Functions that only the first side has.
    pub only_first: Vec<Lone>,
    /// Functions that only the second side has.
    pub only_second: Vec<Lone>,
    /// What differs of the machine as a whole.
    pub machine: Comparison,
    /// Pairs of which something differs or could not be compared.
    pub functions: Vec<FunctionDiff>,
    /// How many differing values are hidden, because they change all the time or say the same as another (`--all` shows them).
    pub hidden: usize,
    /// What was noticed while reading.
    pub notes: Vec<String>,
}

/// One of the two sides.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct Side {
    /// What it is.
    pub source: String,
    /// How many functions it has.
    pub functions: usize,
}

/// A function that only one side has.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct Lone {
    /// Its address.
    #[schemars(with = "String")]
    pub address: Bdf,
    /// Name and identifiers.
    pub device: String,
}

/// A function on both sides.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct FunctionDiff {
    /// Its address on the first side.
    #[schemars(with = "String")]
    pub address: Bdf,
    /// Its address on the second side.
    #[schemars(with = "String")]
    pub second_address: Bdf,
    /// Name and identifiers, on the first side.
    pub device: String,
    /// What differs, and what could not be compared.
    #[serde(flatten)]
    pub comparison: Comparison,
}

/// What two things differ in.
#[derive(Debug, Clone, Default, serde::Serialize, schemars::JsonSchema)]
pub struct Comparison {
    /// The values that differ, by group and path.
    pub changes: Vec<Change>,
    /// What one side does not tell.
    pub not_compared: Vec<NotCompared>,
}

/// A value that differs.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct Change {
    /// What it belongs to.
    pub group: Group,
    /// Its dotted path, as in `show --format json`.
    pub path: String,
    /// The value on the first side; `null` if it has no such thing.
    pub first: Option<FieldValue>,
    /// The value on the second side; `null` if it has no such thing.
    pub second: Option<FieldValue>,
    /// By how much a counter went up; negative where it went down, as after a restart. `null` for what is no counter.
    pub delta: Option<i64>,
    /// The register that it is in.
    pub register: Option<RegisterChange>,
    /// Why it is hidden unless `--all`; `null` if it is not.
    pub hidden: Option<String>,
}

/// A register that differs.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct RegisterChange {
    /// Its short name.
    pub short: &'static str,
    /// Offset in configuration space, on the first side.
    pub offset: u16,
    /// Width in bytes.
    pub width: u8,
    /// The value on the first side.
    pub first: u64,
    /// The value on the second side.
    pub second: u64,
}

/// Values that one side does not tell.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct NotCompared {
    /// Which side does not tell.
    pub side: Which,
    /// Why.
    pub why: String,
    /// The paths of the values that only the other side tells.
    pub paths: Vec<String>,
}

/// One of the sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Which {
    /// The first.
    First,
    /// The second.
    Second,
}

impl Which {
    /// The word for it, as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Which::First => "first",
            Which::Second => "second",
        }
    }
}

/// Everything that a side is made from.
#[derive(Clone, Copy)]
pub struct Half<'a> {
    /// The machine and what was read of it.
    pub inspection: Inspection<'a>,
    /// `/proc/interrupts`, if the source has it.
    pub interrupts: Option<&'a [Line]>,
    /// The board, if the source tells.
    pub board: &'a Board,
    /// What the source is, in one line.
    pub source: &'a str,
    /// Personal data of it that was replaced; `None` if nothing was.
    pub replaced: Option<&'a Replaced>,
}

/// What was replaced on either side and cannot be compared with the other one; nothing if both have the same pseudonyms.
fn incomparable<'a>(first: Half<'a>, second: Half<'a>) -> [Option<&'a Replaced>; 2] {
    match (first.replaced, second.replaced) {
        (Some(a), Some(b)) if a.pseudonyms == b.pseudonyms => [None, None],
        sides => sides.into(),
    }
}

/// Compares two machines. `wanted` chooses among pairs, of which either function may be missing; `all` keeps hidden values.
pub fn diff(
    first: Half<'_>,
    second: Half<'_>,
    matching: Matching,
    wanted: &dyn Fn(&Function) -> bool,
    all: bool,
    mut notes: Vec<String>,
) -> Diff {
    let Pairs { both, only_first, only_second, used, notes: ambiguous } =
        pairs::pairs(first, second, matching);
    notes.extend(ambiguous);
    let addresses: BTreeMap<Bdf, Bdf> = both.iter().map(|(a, b)| (b.address, a.address)).collect();
    let both: Vec<_> = both.into_iter().filter(|(a, b)| wanted(a) || wanted(b)).collect();
    let compared = both.len();
    let of_pair = |(a, b): (&Function, &Function)| FunctionDiff {
        address: a.address,
        second_address: b.address,
        device: title(first.inspection.names, a),
        comparison: functions::functions(first, second, (a, b), &addresses),
    };
    let mut functions = crate::machine::in_threads(both, of_pair);
    let mut machine = machines::machines(first, second);
    let mut hidden = 0;
    for comparison in functions.iter_mut().map(|f| &mut f.comparison).chain([&mut machine]) {
        let count = comparison.changes.iter().filter(|change| change.hidden.is_some()).count();
        hidden += count;
        if !all {
            comparison.changes.retain(|change| change.hidden.is_none());
        }
    }
    functions.retain(|f| !f.comparison.changes.is_empty() || !f.comparison.not_compared.is_empty());
    let comparisons = functions.iter().map(|f| &f.comparison).chain([&machine]);
    let not_compared = comparisons.flat_map(|c| &c.not_compared).map(|missing| missing.paths.len()).sum();
    let lone = |half: Half<'_>, functions: Vec<&Function>| -> Vec<Lone> {
        let functions = functions.into_iter().filter(|f| wanted(f));
        functions.map(|f| Lone { address: f.address, device: title(half.inspection.names, f) }).collect()
    };
    let side = |half: Half<'_>| Side {
        source: half.source.to_owned(),
        functions: half.inspection.machine.functions.len(),
    };
    let (only_first, only_second) = (lone(first, only_first), lone(second, only_second));
    let changed = |c: &Comparison| c.changes.iter().any(|change| change.hidden.is_none());
    Diff {
        different: !only_first.is_empty()
            || !only_second.is_empty()
            || changed(&machine)
            || functions.iter().any(|f| changed(&f.comparison)),
        matched_by: used,
        first: side(first),
        second: side(second),
        compared,
        not_compared,
        only_first,
        only_second,
        machine,
        functions,
        hidden,
        notes,
    }
}
