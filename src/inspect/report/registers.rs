//! Registers that matter for a report: both ends of the links to the devices that have trouble, and whatever is evidence.

use std::collections::BTreeSet;

use crate::check::finding::{Finding, Proof};
use crate::inspect::show::Decoded;
use crate::inspect::value::text_value;
use crate::pci::Bdf;
use crate::pci::register::Meaning;

use super::Material;
use super::patients::Patient;

/// A register with its value.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct RegisterRow {
    /// The function.
    #[schemars(with = "String")]
    pub address: Bdf,
    /// Dotted path.
    pub path: String,
    /// Short name, as lspci or the kernel write it.
    pub short: &'static str,
    /// Offset in configuration space.
    pub offset: u16,
    /// The value, such as `0x1001`.
    pub raw: String,
    /// What is in it: flags that are set, and values.
    pub fields: Vec<String>,
}

/// Those that tell of a link and of errors.
const TELLING: &[&str] = &[
    "header.command",
    "header.status",
    "express.device_status",
    "express.link_capabilities",
    "express.link_control",
    "express.link_status",
    "express.slot_status",
    "aer.uncorrectable_status",
    "aer.correctable_status",
    "dpc.status",
];

/// The rows, by address and offset.
pub fn registers(material: Material<'_>, patients: &[Patient], findings: &[&Finding]) -> Vec<RegisterRow> {
    let machine = material.inspection.machine;
    let mut proven: BTreeSet<(Bdf, String)> = BTreeSet::new();
    for proof in findings.iter().filter(|f| is_near(f, patients)).flat_map(|f| &f.verdict().proofs) {
        if let Proof::Register { address, capability, register, .. } = proof {
            proven.insert((*address, format!("{capability}.{}", register.key)));
        }
    }
    let mut places: BTreeSet<Bdf> =
        patients.iter().flat_map(|p| p.port.into_iter().chain([p.address])).collect();
    places.extend(proven.iter().map(|(address, _)| *address));
    let mut rows = Vec::new();
    for function in places.iter().filter_map(|address| machine.get(*address)) {
        let close =
            patients.iter().any(|p| p.address == function.address || p.port == Some(function.address));
        for (capability, placed) in Decoded::new(function).registers() {
            let path = format!("{capability}.{}", placed.path());
            let wanted = close && TELLING.contains(&path.as_str())
                || proven.contains(&(function.address, path.clone()));
            let Some(raw) = placed.raw.filter(|_| wanted) else { continue };
            let digits = usize::from(placed.register.width) * 2 + 2;
            let fields = placed.register.fields.iter().filter_map(|field| match field.meaning {
                Meaning::Flag => (field.extract(raw) != 0).then(|| field.key.to_owned()),
                _ => Some(format!("{} {}", field.key, text_value(field, raw))),
            });
            rows.push(RegisterRow {
                address: function.address,
                path,
                short: placed.register.short,
                offset: placed.offset,
                raw: format!("{raw:#0digits$x}"),
                fields: fields.collect(),
            });
        }
    }
    rows.sort_by_key(|row| (row.address, row.offset));
    rows
}

fn is_near(finding: &Finding, patients: &[Patient]) -> bool {
    patients.is_empty() || finding.address.is_some_and(|a| patients.iter().any(|p| p.place.contains(&a)))
}
