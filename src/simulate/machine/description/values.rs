//! Values that have a notation of their own: pairs of numbers, identifiers, rates, payload sizes.

use super::Rate;
use crate::simulate::document::{Mistake, Node, Table, Value};

const SPEEDS: [(&str, u64); 6] = [("2.5", 1), ("5", 2), ("8", 3), ("16", 4), ("32", 5), ("64", 6)];

/// A list of two numbers, the first not above the second.
pub fn pair(table: &Table, key: &str) -> Result<Option<(u64, u64)>, Mistake> {
    let Some(node) = table.get(key) else { return Ok(None) };
    match &node.value {
        Value::List(list) if list.len() == 2 => {
            let (first, last) = (list[0].number(key)?, list[1].number(key)?);
            match first <= last {
                true => Ok(Some((first, last))),
                false => Err(Mistake::new(node.line, format!("`{key}`: the first is above the last"))),
            }
        }
        _ => Err(node.expected(key, "a list of two numbers, the first and the last")),
    }
}

/// A register's value: a number, or true and false for one bit.
pub fn number_or_flag(node: &Node, path: &str) -> Result<u64, Mistake> {
    match node.value {
        Value::Boolean(value) => Ok(value.into()),
        _ => node.number(path),
    }
}

/// `"10de:2b85"`.
pub fn ids(table: &Table, key: &str) -> Result<Option<(u64, u64)>, Mistake> {
    let Some(node) = table.get(key) else { return Ok(None) };
    let hex = |text: &str| u16::from_str_radix(text, 16).ok().map(u64::from);
    let pair =
        node.text(key)?.split_once(':').and_then(|(vendor, device)| Some((hex(vendor)?, hex(device)?)));
    pair.map(Some).ok_or_else(|| node.expected(key, "two identifiers in hexadecimal, such as \"10de:2b85\""))
}

/// `{ speed = "32", width = 16 }`.
pub fn rate(table: &Table, key: &str) -> Result<Option<Rate>, Mistake> {
    let Some(rate) = table.table(key)? else { return Ok(None) };
    rate.only(key, &["speed", "width"])?;
    let speed =
        rate.get("speed").ok_or_else(|| Mistake::new(rate.line, format!("`{key}`: `speed` is missing")))?;
    let width = rate.number("width")?.unwrap_or(1);
    if ![1, 2, 4, 8, 12, 16, 32].contains(&width) {
        return Err(Mistake::new(
            rate.line,
            format!("`{key}`: `width` is {width}: expected 1, 2, 4, 8, 12, 16 or 32"),
        ));
    }
    Ok(Some((speed_code(speed)?, width)))
}

/// The encoding of a speed in GT/s, which is written as text.
pub fn speed_code(node: &Node) -> Result<u64, Mistake> {
    node.choice("speed", &SPEEDS)
}

/// The encoding of a payload size in bytes.
pub fn payload_code(table: &Table, key: &str) -> Result<Option<u64>, Mistake> {
    let Some(bytes) = table.number(key)? else { return Ok(None) };
    let code = (0..=5).find(|code| 128 << code == bytes);
    code.map(Some).ok_or_else(|| {
        Mistake::new(table.line, format!("`{key}` is {bytes}: expected 128, 256, 512, 1024, 2048 or 4096"))
    })
}
