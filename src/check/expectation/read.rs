//! An expectation from its TOML file.

use crate::document::nearest::nearest;
use crate::document::{self, Mistake, Node, Table, Value};
use crate::pci::PartialBdf;
use crate::pci::quantity::{LINK_SPEEDS, lanes};

use super::pattern::{Pattern, Patterns};
use super::{Entry, Expectation, IDENTITY, LinkWanted, Place, Places, Wanted, facts};

const KEYS: [&str; 2] = ["machine", "device"];
const DEVICE: [&str; 19] = [
    "where",
    "id",
    "class",
    "subsystem",
    "revision",
    "device_serial_number",
    "part_number",
    "serial_number",
    "count",
    "driver",
    "driver_version",
    "firmware",
    "link",
    "msix_vectors",
    "rebar",
    "numa_node",
    "slot",
    "below",
    "virtual_functions",
];
const LINK: [&str; 5] = ["speed", "width", "max_speed", "max_width", "retimers"];

impl Expectation {
    /// Reads an expectation. The error is one line that names file and line.
    pub fn parse(text: &str, file: &str) -> Result<Expectation, String> {
        let table = document::parse(text).map_err(|mistake| mistake.in_file(file))?;
        read(&table, file).map_err(|mistake| mistake.in_file(file))
    }
}

fn read(table: &Table, file: &str) -> Result<Expectation, Mistake> {
    table.only("an expectation", &KEYS)?;
    let mut expectation = Expectation { file: file.to_owned(), ..Expectation::default() };
    if let Some(machine) = table.table("machine")? {
        machine.only("[machine]", &facts::MACHINE.map(|(key, _)| key))?;
        for (key, _) in facts::MACHINE {
            if let Some(wanted) = patterns(machine, key)? {
                expectation.machine.push((key, wanted));
            }
        }
    }
    for device in table.tables("device")? {
        expectation.devices.push(entry(device, file)?);
    }
    if expectation.machine.is_empty() && expectation.devices.is_empty() {
        let text = "expected [machine] or [[device]]; `pciscope check --learn` writes a file to begin with";
        return Err(Mistake::new(0, text));
    }
    Ok(expectation)
}

fn entry(table: &Table, file: &str) -> Result<Entry, Mistake> {
    table.only("[[device]]", &DEVICE)?;
    let mut entry = Entry { line: table.line, file: file.to_owned(), ..Entry::default() };
    entry.places = places(table, "where")?;
    for key in IDENTITY {
        if let Some(wanted) = patterns(table, key)? {
            entry.identity.push((key, wanted));
        }
    }
    let selects = |key: &str| matches!(key, "id" | "class" | "subsystem");
    if entry.places.is_none() && !entry.identity.iter().any(|(key, _)| selects(key)) {
        let text = "[[device]]: expected `where`, `id`, `class` or `subsystem`, by which devices are found";
        return Err(Mistake::new(table.line, text));
    }
    entry.count = number(table, "count")?;
    entry.driver = patterns(table, "driver")?;
    entry.driver_version = patterns(table, "driver_version")?;
    entry.firmware = patterns(table, "firmware")?;
    if let Some(link) = table.table("link")? {
        entry.link = read_link(link)?;
    }
    entry.msix_vectors = number(table, "msix_vectors")?;
    if let Some(rebar) = table.table("rebar")? {
        for (key, node) in &rebar.entries {
            let bar = key.parse().ok().filter(|bar| *bar < 6);
            let bar = bar.ok_or_else(|| {
                Mistake::new(
                    node.line,
                    format!("`{key}` is not known in rebar: expected the number of a BAR, 0 to 5"),
                )
            })?;
            entry.rebar.push((bar, Wanted { line: node.line, value: size(node, key)? }));
        }
    }
    entry.numa_node = match table.get("numa_node") {
        Some(node) => Some(Wanted { line: node.line, value: node.signed("numa_node")? }),
        None => None,
    };
    entry.slot = patterns(table, "slot")?;
    entry.below = places(table, "below")?;
    entry.virtual_functions = number(table, "virtual_functions")?;
    Ok(entry)
}

/// Addresses as people type them, with or without a domain, or patterns.
fn places(table: &Table, key: &str) -> Result<Option<Wanted<Places>>, Mistake> {
    let Some(node) = table.get(key) else { return Ok(None) };
    let place = |text: &str| match text.parse::<PartialBdf>() {
        Ok(address) => Ok(Place::Address(address)),
        Err(error) if !text.contains(['*', '?', '[', '/']) => Err(Mistake::new(
            node.line,
            format!("`{key}`: {error}; or a pattern for addresses in full, such as \"0000:8[0-3]:00.0\""),
        )),
        Err(_) => {
            let pattern = Pattern::parse(text)
                .map_err(|reason| Mistake::new(node.line, format!("`{key}`: {reason}")))?;
            Ok(Place::Pattern(Patterns::new(vec![pattern])))
        }
    };
    let value = texts(key, node)?.into_iter().map(place).collect::<Result<Vec<_>, _>>()?;
    Ok(Some(Wanted { line: node.line, value: Places(value) }))
}

/// One text or several.
fn texts<'a>(key: &str, node: &'a Node) -> Result<Vec<&'a str>, Mistake> {
    match &node.value {
        Value::Text(text) => Ok(vec![text]),
        Value::List(list) if !list.is_empty() => list.iter().map(|node| node.text(key)).collect(),
        _ => Err(node.expected(key, "text in quotes, or a list of texts of which one must fit")),
    }
}

fn patterns(table: &Table, key: &str) -> Result<Option<Wanted<Patterns>>, Mistake> {
    let Some(node) = table.get(key) else { return Ok(None) };
    let read = |text: &str| {
        Pattern::parse(text).map_err(|reason| Mistake::new(node.line, format!("`{key}`: {reason}")))
    };
    let value = texts(key, node)?.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    Ok(Some(Wanted { line: node.line, value: Patterns::new(value) }))
}

fn number(table: &Table, key: &str) -> Result<Option<Wanted<u64>>, Mistake> {
    let Some(node) = table.get(key) else { return Ok(None) };
    Ok(Some(Wanted { line: node.line, value: node.number(key)? }))
}

fn read_link(table: &Table) -> Result<LinkWanted, Mistake> {
    table.only("link", &LINK)?;
    Ok(LinkWanted {
        speed_mts: speed(table, "speed")?,
        width: width(table, "width")?,
        max_speed_mts: speed(table, "max_speed")?,
        max_width: width(table, "max_width")?,
        retimers: match number(table, "retimers")? {
            Some(wanted) if wanted.value > 2 => {
                let text = "`retimers`: expected 0, 1 or 2, which is what a link can have";
                return Err(Mistake::new(wanted.line, text));
            }
            wanted => wanted,
        },
    })
}

/// `"32 GT/s"`.
fn speed(table: &Table, key: &str) -> Result<Option<Wanted<u32>>, Mistake> {
    let Some(node) = table.get(key) else { return Ok(None) };
    let names = LINK_SPEEDS.map(crate::inspect::value::speed_text);
    let text = node.text(key)?;
    let squeezed = |text: &str| text.replace(' ', "").to_lowercase();
    match names.iter().position(|name| squeezed(name) == squeezed(text)) {
        Some(place) => Ok(Some(Wanted { line: node.line, value: LINK_SPEEDS[place] })),
        None => {
            let hint = nearest(text, names.iter().map(String::as_str));
            Err(node.expected(key, &format!("{}{hint}", names.join(", "))))
        }
    }
}

fn width(table: &Table, key: &str) -> Result<Option<Wanted<u8>>, Mistake> {
    let Some(node) = table.get(key) else { return Ok(None) };
    match lanes(node.number(key)?) {
        Some(value) => Ok(Some(Wanted { line: node.line, value })),
        None => Err(node.expected(key, "a number of lanes: 1, 2, 4, 8, 12, 16 or 32")),
    }
}

/// `"32 GiB"`.
fn size(node: &Node, key: &str) -> Result<u64, Mistake> {
    let wrong = || node.expected(key, "a size such as \"256 MiB\" or \"32 GiB\"");
    let text = node.text(key).map_err(|_| wrong())?;
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let shift = match unit.trim().to_lowercase().as_str() {
        "mib" => 20,
        "gib" => 30,
        "tib" => 40,
        "pib" => 50,
        _ => return Err(wrong()),
    };
    digits.parse::<u64>().ok().and_then(|number| number.checked_mul(1 << shift)).ok_or_else(wrong)
}
