//! The machine as a whole on both sides: firmware, board, kernel, command line, host bridges.

use std::collections::BTreeSet;

use serde_json::Value;

use super::functions::Found;
use super::leaves::{Leaves, leaves, worded};
use super::replaced::WHY;
use super::{Comparison, Half, Which, incomparable};

/// Compares the surroundings. A value that one side does not have is one that it does not tell.
pub fn machines(first: Half<'_>, second: Half<'_>) -> Comparison {
    let mut found = Found::default();
    let (a, b) = (surroundings(first), surroundings(second));
    let paths: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    for path in paths {
        let there = |leaves: &Leaves| leaves.get(path).filter(|v| !is_empty(v)).cloned();
        let (x, y) = (there(&a), there(&b));
        let value = |value: &Value| Some(worded(path, value));
        let logged = path.starts_with("host_bridges[") || path == "aspm_messages";
        let log = |half: Half<'_>| half.inspection.platform.kernel_log == Some(true);
        let replaced = [Which::First, Which::Second].into_iter().zip(incomparable(first, second));
        let side =
            replaced.filter(|(_, r)| r.is_some_and(|r| r.in_machine(path))).map(|(side, _)| side).next();
        match (&x, &y) {
            (Some(x), Some(y)) if x != y && side.is_some() => {
                found.not_told(side.unwrap_or(Which::First), WHY.to_owned(), path);
            }
            (Some(x), Some(y)) if x != y => found.change(path, value(x), value(y)),
            // Of what the log tells, silence says something where both logs were read.
            (Some(x), None) if logged && log(second) => found.change(path, value(x), None),
            (None, Some(y)) if logged && log(first) => found.change(path, None, value(y)),
            (Some(_), None) => found.not_told(Which::Second, "the source does not tell".to_owned(), path),
            (None, Some(_)) => found.not_told(Which::First, "the source does not tell".to_owned(), path),
            _ => {}
        }
    }
    let mut comparison = found.comparison();
    comparison.changes.iter_mut().for_each(|change| change.group = super::Group::Platform);
    comparison
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

fn surroundings(half: Half<'_>) -> Leaves {
    // Numbers, texts and lists of them: that always becomes JSON.
    let mut all = leaves(&serde_json::to_value(half.inspection.platform).unwrap_or_default());
    let board = leaves(&serde_json::to_value(half.board).unwrap_or_default());
    all.extend(board.into_iter().map(|(path, value)| (format!("board.{path}"), value)));
    all
}
