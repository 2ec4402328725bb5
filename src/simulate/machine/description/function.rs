//! Reads the description of a function.

use super::ranges::{msix, range};
use super::values::{ids, number_or_flag, pair, payload_code, rate};
use super::{FunctionDescription, Range, Slot, Windows};
use crate::pci::Bdf;
use crate::pci::capability::express::PortType;
use crate::simulate::document::{Mistake, Node, Table, Value};
use crate::simulate::nearest::nearest;

const PORTS: [(&str, PortType); 8] = [
    ("endpoint", PortType::Endpoint),
    ("legacy-endpoint", PortType::LegacyEndpoint),
    ("root-port", PortType::RootPort),
    ("upstream-port", PortType::UpstreamPort),
    ("downstream-port", PortType::DownstreamPort),
    ("pcie-to-pci-bridge", PortType::PcieToPciBridge),
    ("integrated-endpoint", PortType::RootComplexIntegratedEndpoint),
    ("event-collector", PortType::RootComplexEventCollector),
];

/// Names that a function may have.
pub const FUNCTION_KEYS: [&str; 27] = [
    "address",
    "part",
    "ids",
    "subsystem",
    "class",
    "revision",
    "port",
    "buses",
    "maximum",
    "current",
    "payload",
    "capabilities",
    "bars",
    "windows",
    "msix",
    "vectors",
    "interrupt_name",
    "irq",
    "driver",
    "node",
    "group",
    "slot",
    "reset_methods",
    "label",
    "power",
    "registers",
    "messages",
];

/// Reads a function; what it does not say itself comes from its part.
pub fn function(own: &Table, parts: Option<&Table>) -> Result<FunctionDescription, Mistake> {
    let merged;
    let table = match own.get("part") {
        None => own,
        Some(node) => {
            let name = node.text("part")?;
            let known = || parts.iter().flat_map(|p| p.entries.iter().map(|(n, _)| n.as_str()));
            let part = parts.and_then(|parts| parts.get(name)).ok_or_else(|| {
                let names: Vec<&str> = known().collect();
                node.expected("part", &format!("one of {}{}", names.join(", "), nearest(name, known())))
            })?;
            merged = own.over(part.table(name)?);
            &merged
        }
    };
    table.only("a function", &FUNCTION_KEYS)?;
    let text = table.needed_text("a function", "address")?;
    let address: Bdf =
        text.parse().map_err(|e: crate::pci::address::AddressError| Mistake::new(own.line, e.to_string()))?;
    let port = table.get("port").map(|node| node.choice("port", &PORTS)).transpose()?;
    let maximum = rate(table, "maximum")?.unwrap_or((1, 1));
    let current = match table.get("current") {
        Some(Node { value: Value::Boolean(false), .. }) => None,
        Some(_) => rate(table, "current")?,
        None => Some(maximum),
    };
    let payload = match table.table("payload")? {
        None => (1, 1),
        Some(payload) => {
            payload.only("payload", &["supported", "set"])?;
            let supported = payload_code(payload, "supported")?.unwrap_or(1);
            (supported, payload_code(payload, "set")?.unwrap_or(supported))
        }
    };
    let ranges: Vec<Range> = table.tables("bars")?.into_iter().map(range).collect::<Result<_, _>>()?;
    let msix = table.table("msix")?.map(|table| msix(table, &ranges)).transpose()?;
    Ok(FunctionDescription {
        line: own.line,
        address,
        ids: ids(table, "ids")?.unwrap_or((0x1234, 0x0001)),
        subsystem: ids(table, "subsystem")?.unwrap_or((0, 0)),
        class: match table.number("class")?.unwrap_or(0xff_0000) {
            class @ 0..=0xff_ffff => class,
            class => {
                let text = format!("`class` is {class:#x}: expected 24 bits, such as 0x030000");
                return Err(Mistake::new(table.get("class").map_or(own.line, |n| n.line), text));
            }
        },
        revision: table.number("revision")?.unwrap_or(0),
        port,
        buses: pair(table, "buses")?,
        maximum,
        current,
        payload,
        capabilities: capabilities(table)?,
        ranges,
        windows: match table.table("windows")? {
            None => Windows::default(),
            Some(windows) => {
                windows.only("windows", &["io", "memory", "prefetchable"])?;
                Windows {
                    io: pair(windows, "io")?,
                    memory: pair(windows, "memory")?,
                    prefetchable: pair(windows, "prefetchable")?,
                }
            }
        },
        msix,
        vectors: table.number("vectors")?.unwrap_or(0),
        interrupt_name: table.text("interrupt_name")?.map(str::to_owned),
        pin_interrupt: table.number("irq")?.unwrap_or(0),
        driver: table.text("driver")?.map(str::to_owned),
        node: table.number("node")?,
        group: table.number("group")?,
        slot: table.table("slot")?.map(slot).transpose()?,
        reset_methods: table.text("reset_methods")?.map(str::to_owned),
        label: table.text("label")?.map(str::to_owned),
        power: power(table)?,
        registers: match table.table("registers")? {
            None => Vec::new(),
            Some(registers) => {
                let number = |(path, node): (String, &Node)| {
                    Ok((path.clone(), number_or_flag(node, &path)?, node.line))
                };
                registers.flat().into_iter().map(number).collect::<Result<_, Mistake>>()?
            }
        },
        messages: table.texts("messages")?,
    })
}

/// `["power@40", "express"]`: names with or without a hexadecimal offset.
fn capabilities(table: &Table) -> Result<Vec<(String, Option<u16>, usize)>, Mistake> {
    table
        .list("capabilities")?
        .iter()
        .map(|node| {
            let text = node.text("capabilities")?;
            let (name, offset) = match text.split_once('@') {
                None => (text, None),
                Some((name, offset)) => {
                    let number = u16::from_str_radix(offset, 16).map_err(|_| {
                        node.expected("capabilities", "NAME or NAME@OFFSET with the offset in hexadecimal")
                    })?;
                    (name, Some(number))
                }
            };
            if !crate::pci::catalogue::all().any(|s| s.key == name) {
                let hint = nearest(name, crate::pci::catalogue::all().map(|s| s.key));
                return Err(node.expected("capabilities", &format!("the first part of a dotted path{hint}")));
            }
            Ok((name.to_owned(), offset, node.line))
        })
        .collect()
}

fn slot(table: &Table) -> Result<Slot, Mistake> {
    table.only("slot", &["number", "hot_plug", "watts"])?;
    Ok(Slot {
        number: table.number("number")?.unwrap_or(0),
        hot_plug: table.boolean("hot_plug")?.unwrap_or(false),
        watts: table.number("watts")?.unwrap_or(75),
    })
}

fn power(table: &Table) -> Result<[String; 3], Mistake> {
    let awake = ["D0", "active", "on"];
    let Some(power) = table.table("power")? else { return Ok(awake.map(str::to_owned)) };
    power.only("power", &["state", "runtime_status", "control"])?;
    let of = |key: &str, otherwise: &str| -> Result<String, Mistake> {
        Ok(power.text(key)?.unwrap_or(otherwise).to_owned())
    };
    Ok([of("state", awake[0])?, of("runtime_status", awake[1])?, of("control", awake[2])?])
}
