//! Reads the description of a function's address ranges, and of the MSI-X tables that lie in them.

use super::{Kind, Msix, ROM_LINE, Range, VF_LINE};
use crate::simulate::document::{Mistake, Table, Value};

/// One address range.
pub fn range(table: &Table) -> Result<Range, Mistake> {
    table.only("a BAR", &["bar", "size", "kind", "address"])?;
    let node = table.get("bar").ok_or_else(|| Mistake::new(table.line, "a BAR: `bar` is missing"))?;
    let line = match &node.value {
        Value::Text(text) if text == "rom" => ROM_LINE,
        Value::Text(text) if text.starts_with("vf") => {
            let number: usize = text[2..].parse().map_err(|_| node.expected("bar", "\"vf0\" to \"vf5\""))?;
            if number > 5 {
                return Err(node.expected("bar", "\"vf0\" to \"vf5\""));
            }
            VF_LINE + number
        }
        Value::Number(number @ 0..=5) => *number as usize,
        _ => return Err(node.expected("bar", "0 to 5, \"rom\" or \"vf0\" to \"vf5\"")),
    };
    const KINDS: [(&str, Kind); 4] = [
        ("io", Kind::Io),
        ("memory32", Kind::Memory32),
        ("memory64", Kind::Memory64),
        ("prefetchable64", Kind::Prefetchable64),
    ];
    let kind = match table.get("kind") {
        _ if line == ROM_LINE => Kind::Rom,
        Some(node) => node.choice("kind", &KINDS)?,
        None => Kind::Memory32,
    };
    let size = table.get("size").ok_or_else(|| Mistake::new(table.line, "a BAR: `size` is missing"))?;
    let bytes = size.size("size")?;
    if bytes == 0 || !bytes.is_power_of_two() && line < VF_LINE {
        return Err(size.expected("size", "a power of two"));
    }
    Ok(Range { line, size: bytes, kind, address: table.number("address")? })
}

/// Both tables must start at a multiple of eight and lie in a BAR that is described (PCIe 6.2, 7.7.2.3, 7.7.2.4).
pub fn msix(table: &Table, ranges: &[Range]) -> Result<Msix, Mistake> {
    table.only("msix", &["vectors", "bar", "table", "pending"])?;
    let vectors = table.number("vectors")?.unwrap_or(1);
    if !(1..=2048).contains(&vectors) {
        return Err(Mistake::new(table.line, format!("`vectors` is {vectors}: expected 1 to 2048")));
    }
    let bar = table.number("bar")?.unwrap_or(0);
    let range = ranges.iter().find(|range| range.line < ROM_LINE && range.line as u64 == bar);
    let Some(size) = range.filter(|range| range.kind != Kind::Io).map(|range| range.size) else {
        let text = format!("`bar` of `msix` is {bar}: expected the number of one of `bars` that is memory");
        return Err(Mistake::new(table.line, text));
    };
    let offset = table.number("table")?.unwrap_or(0);
    let pending = table.number("pending")?.unwrap_or(offset.saturating_add(vectors * 16));
    for (key, start, bytes) in
        [("table", offset, vectors * 16), ("pending", pending, vectors.div_ceil(64) * 8)]
    {
        let line = table.get(key).map_or(table.line, |node| node.line);
        if start % 8 != 0 {
            return Err(Mistake::new(line, format!("`{key}` is {start:#x}: expected a multiple of 8")));
        }
        if start.checked_add(bytes).is_none_or(|end| end > size) {
            let text =
                format!("`{key}`: {bytes:#x} bytes at {start:#x} end behind BAR {bar}, which has {size:#x}");
            return Err(Mistake::new(line, text));
        }
    }
    Ok(Msix { vectors, bar, table: offset, pending })
}
