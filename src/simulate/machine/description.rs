//! A machine as it is described: what a person writes, before the kernel comes and looks.

use super::consistency;
use crate::pci::Bdf;
use crate::pci::capability::express::PortType;
use crate::simulate::document::{Mistake, Node, Table, Value};
use crate::simulate::kernel::Kernel;
use crate::simulate::nearest::nearest;

/// A whole machine.
#[derive(Debug, Clone)]
pub struct Description {
    /// One line for people.
    pub title: String,
    /// The kernel that is imitated.
    pub kernel: Kernel,
    /// What `uname -r` says.
    pub release: String,
    /// The kernel's command line.
    pub command_line: String,
    /// Active ASPM policy: default, performance, powersave, powersupersave.
    pub aspm_policy: String,
    /// Board vendor, product name and firmware version as DMI tells them.
    pub board: [String; 3],
    /// Local APIC IDs and NUMA nodes of the processors.
    pub processors: Vec<(u64, u64)>,
    /// Which IOMMU there is.
    pub iommu: Iommu,
    /// Interrupts are remapped.
    pub interrupt_remapping: bool,
    /// FADT, IAPC_BOOT_ARCH (ACPI 6.5, 5.2.9.3): no MSI, no ASPM.
    pub fadt: (bool, bool),
    /// Where the memory-mapped configuration space of domain 0 lies.
    pub ecam: u64,
    /// Host bridges.
    pub host_bridges: Vec<HostBridge>,
    /// Functions.
    pub functions: Vec<FunctionDescription>,
    /// Files that are added as they are: path and text.
    pub files: Vec<(String, String)>,
}

/// The IOMMU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Iommu {
    /// None in use.
    None,
    /// AMD-Vi.
    Amd,
    /// Intel VT-d.
    Intel,
}

/// Features that `_OSC` is about (PCI Firmware 3.3, 4.5.1), in the order of the kernel's table pci_osc_control_bit.
pub const OSC_CONTROLS: [&str; 7] =
    ["PCIeHotplug", "SHPCHotplug", "PME", "AER", "PCIeCapability", "LTR", "DPC"];

/// A host bridge with its windows.
#[derive(Debug, Clone)]
pub struct HostBridge {
    /// Line in the file.
    pub line: usize,
    /// Domain.
    pub domain: u32,
    /// First and last bus.
    pub buses: (u8, u8),
    /// ACPI name, `PNP0A08:00`.
    pub acpi: String,
    /// What firmware keeps for itself; the kernel gets the rest of [`OSC_CONTROLS`].
    pub osc_refused: Vec<String>,
    /// NUMA node, if firmware says.
    pub node: Option<u64>,
    /// I/O window, first and last.
    pub io: Option<(u64, u64)>,
    /// Memory below 4 GiB.
    pub memory: Option<(u64, u64)>,
    /// Memory above 4 GiB.
    pub high_memory: Option<(u64, u64)>,
}

/// A link: encoded speed (1 for 2.5 GT/s) and lanes.
pub type Rate = (u64, u64);

/// What an address range is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// I/O space.
    Io,
    /// Memory below 4 GiB.
    Memory32,
    /// Memory that may lie anywhere.
    Memory64,
    /// Prefetchable memory that may lie anywhere.
    Prefetchable64,
    /// The expansion ROM, switched off.
    Rom,
}

/// An address range of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// Line in `resource`: 0 to 5 BARs, 6 the ROM, 7 to 12 BARs of virtual functions.
    pub line: usize,
    /// Size in bytes; of the BAR of virtual functions, of all of them together.
    pub size: u64,
    /// What it is.
    pub kind: Kind,
    /// First address, if the description says.
    pub address: Option<u64>,
}

/// Line of `resource` for the expansion ROM.
pub const ROM_LINE: usize = 6;
/// Line of `resource` for the first BAR of virtual functions.
pub const VF_LINE: usize = 7;

/// Where the tables of MSI-X are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Msix {
    /// Vectors that the function has.
    pub vectors: u64,
    /// BAR of both tables.
    pub bar: u64,
    /// Offset of the vector table.
    pub table: u64,
    /// Offset of the pending bits.
    pub pending: u64,
}

/// The slot below a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// Physical slot number.
    pub number: u64,
    /// A card may be changed while the machine runs.
    pub hot_plug: bool,
    /// Watts that the slot may give.
    pub watts: u64,
}

/// Windows of a bridge; what is not said follows from what is below.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Windows {
    /// I/O space, in steps of 4 KiB.
    pub io: Option<(u64, u64)>,
    /// Memory below 4 GiB, in steps of 1 MiB.
    pub memory: Option<(u64, u64)>,
    /// Prefetchable memory, in steps of 1 MiB.
    pub prefetchable: Option<(u64, u64)>,
}

/// A function.
#[derive(Debug, Clone)]
pub struct FunctionDescription {
    /// Line in the file.
    pub line: usize,
    /// Address.
    pub address: Bdf,
    /// Vendor and device ID.
    pub ids: (u64, u64),
    /// Subsystem vendor ID and subsystem ID.
    pub subsystem: (u64, u64),
    /// Class code, 24 bits.
    pub class: u64,
    /// Revision.
    pub revision: u64,
    /// What it is on PCI Express; `None` for conventional functions.
    pub port: Option<PortType>,
    /// Secondary and subordinate bus of a bridge.
    pub buses: Option<(u64, u64)>,
    /// The fastest link that it can.
    pub maximum: Rate,
    /// The link that it has; `None` where there is none.
    pub current: Option<Rate>,
    /// Encoded payload sizes: supported, set (0 for 128 bytes).
    pub payload: (u64, u64),
    /// Capabilities in order: first part of the dotted path, and offset.
    pub capabilities: Vec<(String, Option<u16>, usize)>,
    /// Address ranges.
    pub ranges: Vec<Range>,
    /// Windows of a bridge.
    pub windows: Windows,
    /// Tables of MSI-X.
    pub msix: Option<Msix>,
    /// Vectors that the driver took.
    pub vectors: u64,
    /// How the driver calls its interrupts; `{}` is the number of the vector.
    pub interrupt_name: Option<String>,
    /// Interrupt of the pin; 0 for none.
    pub pin_interrupt: u64,
    /// The driver.
    pub driver: Option<String>,
    /// NUMA node, where it is not that of the host bridge.
    pub node: Option<u64>,
    /// IOMMU group.
    pub group: Option<u64>,
    /// The slot below a port.
    pub slot: Option<Slot>,
    /// `reset_method`.
    pub reset_methods: Option<String>,
    /// What firmware calls it (`label`).
    pub label: Option<String>,
    /// `power_state`, `power/runtime_status` and `power/control`.
    pub power: [String; 3],
    /// Registers by dotted path, with their lines.
    pub registers: Vec<(String, u64, usize)>,
    /// What its driver says when it starts.
    pub messages: Vec<String>,
}

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

const SPEEDS: [(&str, u64); 6] = [("2.5", 1), ("5", 2), ("8", 3), ("16", 4), ("32", 5), ("64", 6)];

/// Reads a description.
pub fn read(table: &Table) -> Result<Description, Mistake> {
    table.only("a machine", &MACHINE_KEYS)?;
    let kernel = table.get("kernel").map_or(Ok(Kernel::V6_8), |node| Kernel::named(node, "kernel"))?;
    let board = table.table("board")?;
    if let Some(board) = board {
        board.only("board", &["vendor", "product", "firmware"])?;
    }
    let of_board = |key, otherwise: &str| -> Result<String, Mistake> {
        let text = board.map(|board| board.text(key)).transpose()?.flatten();
        Ok(text.unwrap_or(otherwise).to_owned())
    };
    let host_bridges: Vec<HostBridge> =
        table.tables("host_bridge")?.into_iter().map(host_bridge).collect::<Result<_, _>>()?;
    let parts = table.table("part")?;
    let functions: Vec<FunctionDescription> =
        table.tables("function")?.into_iter().map(|f| function(f, parts)).collect::<Result<_, _>>()?;
    consistency::buses(&host_bridges, &functions)?;
    let mut seen = std::collections::BTreeSet::new();
    for function in &functions {
        if !seen.insert(function.address) {
            let text = format!("{} is described twice", function.address);
            return Err(Mistake::new(function.line, text));
        }
        let here = |bridge: &&HostBridge| {
            let bus = function.address.bus;
            bridge.domain == function.address.domain && (bridge.buses.0..=bridge.buses.1).contains(&bus)
        };
        if host_bridges.iter().find(here).is_none() {
            let text = format!("{}: no host bridge has this bus", function.address);
            return Err(Mistake::new(function.line, text));
        }
    }
    let remapping = table.boolean("interrupt_remapping")?.unwrap_or(false);
    const IOMMUS: [(&str, Iommu); 3] = [("none", Iommu::None), ("amd", Iommu::Amd), ("intel", Iommu::Intel)];
    Ok(Description {
        title: table.text("title")?.unwrap_or("a machine").to_owned(),
        kernel,
        release: table.text("release")?.unwrap_or(kernel.release()).to_owned(),
        command_line: table.text("command_line")?.unwrap_or("ro quiet").to_owned(),
        aspm_policy: table.text("aspm_policy")?.unwrap_or("default").to_owned(),
        board: [
            of_board("vendor", "Example")?,
            of_board("product", "Example Board")?,
            of_board("firmware", "1.0")?,
        ],
        processors: processors(table)?,
        iommu: table.get("iommu").map_or(Ok(Iommu::None), |node| node.choice("iommu", &IOMMUS))?,
        interrupt_remapping: remapping,
        fadt: (
            table.boolean("fadt_no_msi")?.unwrap_or(false),
            table.boolean("fadt_no_aspm")?.unwrap_or(false),
        ),
        ecam: table.number("ecam")?.unwrap_or(0xe000_0000),
        host_bridges,
        functions,
        files: match table.table("files")? {
            None => Vec::new(),
            Some(files) => {
                let text = |(path, node): &(String, Node)| Ok((path.clone(), node.text(path)?.to_owned()));
                files.entries.iter().map(text).collect::<Result<_, Mistake>>()?
            }
        },
    })
}

/// Names that a machine may have.
pub const MACHINE_KEYS: [&str; 17] = [
    "title",
    "kernel",
    "release",
    "command_line",
    "aspm_policy",
    "board",
    "processors",
    "iommu",
    "interrupt_remapping",
    "fadt_no_msi",
    "fadt_no_aspm",
    "ecam",
    "host_bridge",
    "part",
    "function",
    "files",
    "boot",
];

/// `processors = [{ apic = 0, node = 0 }, …]`; without it eight on node 0.
fn processors(table: &Table) -> Result<Vec<(u64, u64)>, Mistake> {
    let list = table.tables("processors")?;
    if list.is_empty() {
        return Ok((0..8).map(|n| (2 * n, 0)).collect());
    }
    list.into_iter()
        .map(|processor| {
            processor.only("a processor", &["apic", "node"])?;
            Ok((processor.number("apic")?.unwrap_or(0), processor.number("node")?.unwrap_or(0)))
        })
        .collect()
}

fn host_bridge(table: &Table) -> Result<HostBridge, Mistake> {
    const KEYS: [&str; 8] = ["domain", "buses", "acpi", "osc_refused", "node", "io", "memory", "high_memory"];
    table.only("a host bridge", &KEYS)?;
    let osc_refused = table.texts("osc_refused")?;
    for (name, node) in osc_refused.iter().zip(table.list("osc_refused")?) {
        if !OSC_CONTROLS.contains(&name.as_str()) {
            let hint = nearest(name, OSC_CONTROLS);
            return Err(node.expected("osc_refused", &format!("{}{hint}", OSC_CONTROLS.join(", "))));
        }
    }
    let bus = |number: u64| {
        u8::try_from(number).map_err(|_| Mistake::new(table.line, "`buses`: expected 0 to 255"))
    };
    let (first, last) = pair(table, "buses")?.unwrap_or((0, 255));
    Ok(HostBridge {
        line: table.line,
        domain: u32::try_from(table.number("domain")?.unwrap_or(0))
            .map_err(|_| Mistake::new(table.line, "`domain`: expected a number of 32 bits"))?,
        buses: (bus(first)?, bus(last)?),
        acpi: table.text("acpi")?.unwrap_or("PNP0A08:00").to_owned(),
        osc_refused,
        node: table.number("node")?,
        io: pair(table, "io")?,
        memory: pair(table, "memory")?,
        high_memory: pair(table, "high_memory")?,
    })
}

/// A list of two numbers, the first not above the second.
fn pair(table: &Table, key: &str) -> Result<Option<(u64, u64)>, Mistake> {
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

fn function(own: &Table, parts: Option<&Table>) -> Result<FunctionDescription, Mistake> {
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

/// A register's value: a number, or true and false for one bit.
pub fn number_or_flag(node: &Node, path: &str) -> Result<u64, Mistake> {
    match node.value {
        Value::Boolean(value) => Ok(value.into()),
        _ => node.number(path),
    }
}

/// `"10de:2b85"`.
fn ids(table: &Table, key: &str) -> Result<Option<(u64, u64)>, Mistake> {
    let Some(node) = table.get(key) else { return Ok(None) };
    let hex = |text: &str| u16::from_str_radix(text, 16).ok().map(u64::from);
    let pair =
        node.text(key)?.split_once(':').and_then(|(vendor, device)| Some((hex(vendor)?, hex(device)?)));
    pair.map(Some).ok_or_else(|| node.expected(key, "two identifiers in hexadecimal, such as \"10de:2b85\""))
}

/// `{ speed = "32", width = 16 }`.
fn rate(table: &Table, key: &str) -> Result<Option<Rate>, Mistake> {
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

fn range(table: &Table) -> Result<Range, Mistake> {
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
fn msix(table: &Table, ranges: &[Range]) -> Result<Msix, Mistake> {
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
