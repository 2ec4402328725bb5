//! An answer as single values by dotted path.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::inspect::show::FieldValue;
use crate::inspect::value::{size_text, speed_text};

/// Single values by dotted path.
pub type Leaves = BTreeMap<String, Value>;

/// Lists whose entries have a name of their own, so that they are not told apart by their place.
const NAMED_BY: &[(&str, &str)] = &[
    ("bars", "number"),
    ("windows", "kind"),
    ("interrupts", "vector"),
    ("kernel", "name"),
    ("host_bridges", "name"),
    ("slots", "name"),
];

/// Takes an answer apart: objects and lists of objects down to single values. A list of plain values is one value.
pub fn leaves(answer: &Value) -> Leaves {
    let mut out = Leaves::new();
    walk(String::new(), answer, &mut out);
    out
}

fn walk(path: String, value: &Value, out: &mut Leaves) {
    match value {
        // A field of a register: its words tell the number too.
        Value::Object(field)
            if field.len() == 3 && ["raw", "value", "text"].iter().all(|key| field.contains_key(*key)) =>
        {
            out.insert(path, field["text"].clone());
        }
        Value::Object(object) => {
            for (key, value) in object {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                walk(path, value, out);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for (name, item) in names(&path, items).into_iter().zip(items) {
                walk(format!("{path}[{name}]"), item, out);
            }
        }
        // Pairs of a name and a number: counters.
        Value::Array(items) if !items.is_empty() && items.iter().all(is_pair) => {
            for item in items {
                walk(format!("{path}[{}]", plain(&item[0])), &item[1], out);
            }
        }
        value => {
            out.insert(path, value.clone());
        }
    }
}

fn is_pair(value: &Value) -> bool {
    let single = |v: &Value| !v.is_array() && !v.is_object();
    value.as_array().is_some_and(|pair| pair.len() == 2 && pair.iter().all(single))
}

/// What stands between the brackets: the entry's own name if every entry has a different one, else its place.
fn names(path: &str, items: &[Value]) -> Vec<String> {
    let last = path.rsplit('.').next().unwrap_or(path);
    let places = || (0..items.len()).map(|place| place.to_string()).collect();
    let Some((_, key)) = NAMED_BY.iter().find(|(list, _)| *list == last) else { return places() };
    let named: Vec<String> = items.iter().filter(|i| !i[*key].is_null()).map(|i| plain(&i[*key])).collect();
    let mut distinct = named.clone();
    distinct.sort();
    distinct.dedup();
    if distinct.len() == items.len() { named } else { places() }
}

/// A value without quotes.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

/// A value with the words for it; the last part of the path tells the unit.
pub fn worded(path: &str, value: &Value) -> FieldValue {
    let key = path.rsplit('.').next().unwrap_or(path);
    let text = match value {
        Value::Bool(yes) => (if *yes { "yes" } else { "no" }).to_owned(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(" "),
        Value::Number(number) => match (key, number.as_u64()) {
            ("size", Some(size)) => size_text(size),
            ("address" | "kernel_address" | "base" | "limit" | "data", Some(number)) => {
                format!("{number:#x}")
            }
            (key, Some(speed)) if key.ends_with("speed_mts") => {
                u32::try_from(speed).map_or_else(|_| speed.to_string(), speed_text)
            }
            ("width", Some(width)) => format!("x{width}"),
            _ => number.to_string(),
        },
        Value::String(text) if text.is_empty() => "none".to_owned(),
        value => plain(value),
    };
    FieldValue { raw: value.as_u64(), value: value.clone(), text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn entries_are_called_by_their_names() {
        let answer = json!({
            "link": { "current": { "speed_mts": 2500, "width": 8 } },
            "bars": [{ "number": 1, "size": 65536 }, { "number": 3, "size": null }],
            "interrupts": [{ "vector": null, "count": 3 }],
            "counts": [["RxErr", 5]],
            "reset_methods": ["flr", "bus"],
        });
        let found = leaves(&answer);
        let paths: Vec<&str> = found.keys().map(String::as_str).collect();
        let expected = [
            "bars[1].number",
            "bars[1].size",
            "bars[3].number",
            "bars[3].size",
            "counts[RxErr]",
            "interrupts[0].count",
            "interrupts[0].vector",
            "link.current.speed_mts",
            "link.current.width",
            "reset_methods",
        ];
        assert_eq!(paths, expected);
        let text = |path: &str| worded(path, &found[path]).text;
        assert_eq!(text("link.current.speed_mts"), "2.5 GT/s");
        assert_eq!(text("bars[1].size"), "64 KiB");
        assert_eq!(text("reset_methods"), "flr bus");
    }
}
