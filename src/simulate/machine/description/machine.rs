//! Reads the description of a machine and of its host bridges.

use super::function::function;
use super::values::pair;
use super::{Description, FunctionDescription, HostBridge, Iommu, OSC_CONTROLS};
use crate::simulate::document::{Mistake, Node, Table};
use crate::simulate::kernel::Kernel;
use crate::simulate::machine::consistency;
use crate::simulate::nearest::nearest;

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
