//! `show --field`: what a name stands for in one function, and single registers and fields of it.

use std::collections::BTreeMap;

use crate::inspect::show::{Decoded, FieldValue, RegisterValue, field_value};
use crate::inspect::suggest::Known;
use crate::machine::Function;
use crate::pci::Bdf;
use crate::pci::decode::Placed;
use crate::pci::register::{Field, Register};

/// Answer of `show --field`.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct Fields {
    /// The function that was asked; empty if it was not found or does not answer.
    pub functions: Vec<FunctionFields>,
    /// What was noticed while reading.
    pub notes: Vec<String>,
}

/// What was asked of one function.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct FunctionFields {
    /// Address.
    #[schemars(with = "String")]
    pub address: Bdf,
    /// The registers that were named, or whose fields were, by dotted path.
    pub registers: BTreeMap<String, RegisterValue>,
    /// The fields that were named, and those of registers that were, by dotted path.
    pub fields: BTreeMap<String, FieldValue>,
}

impl FunctionFields {
    /// Nothing of a function yet.
    pub fn new(function: &Function) -> Self {
        FunctionFields { address: function.address, registers: BTreeMap::new(), fields: BTreeMap::new() }
    }

    /// Adds a register, found at `path`, and its field with this key, or all of them.
    pub fn add(&mut self, path: &str, placed: &Placed, key: Option<&str>) {
        for field in placed.register.fields.iter().filter(|field| key.is_none_or(|key| key == field.key)) {
            self.fields.insert(format!("{path}.{}", field.key), field_value(field, placed.raw));
        }
        self.registers.insert(path.to_owned(), RegisterValue::of(placed));
    }
}

/// What a name stands for in one function.
#[derive(Debug, Clone, Copy)]
pub enum Found<'a> {
    /// One field of one register.
    Field(&'a Placed, &'static Field),
    /// A whole register.
    Register(&'a Placed),
}

/// Everything that a name stands for, with dotted paths. Names are dotted paths (`express.link_status`), parts of them from
/// the end of the path (`link_status.current_link_speed`), repeated groups (`rebar.entry`), and short names (`LnkSta`,
/// `LnkSta.Speed`), if need be in other letter case; `[0]` may be left out.
pub fn find<'a>(decoded: &'a Decoded, name: &str) -> Vec<(String, Found<'a>)> {
    let wanted = name.replace("[0]", "");
    let found = named(decoded, &wanted, |text| text == wanted);
    if !found.is_empty() {
        return found;
    }
    named(decoded, &wanted.to_lowercase(), |text| text.eq_ignore_ascii_case(&wanted))
}

/// Everything that a name stands for. `same` says whether a text is the name; `wanted` is the name as paths are written.
fn named<'a>(decoded: &'a Decoded, wanted: &str, same: impl Fn(&str) -> bool) -> Vec<(String, Found<'a>)> {
    let (end, below) = (format!(".{wanted}"), format!("{wanted}."));
    let mut exact = Vec::new();
    let mut partial = Vec::new();
    for (capability, placed) in decoded.registers() {
        let capability = capability.replace("[0]", "");
        let register = placed.register;
        let path = format!("{capability}.{}", placed.path());
        let plain = path.replace("[0]", "");
        // As people know it: LnkSta, MSI-X, UESta.
        let shorts = [register.short.to_owned(), format!("{capability}.{}", register.short)];
        if same(&plain) {
            exact.push((path.clone(), Found::Register(placed)));
        } else if plain.starts_with(&below) || groups(&capability, placed).contains(&wanted.to_owned()) {
            exact.extend(fields(placed).map(|f| (format!("{path}.{}", f.key), Found::Field(placed, f))));
        } else if plain.ends_with(&end) || shorts.iter().any(|short| same(short)) {
            partial.push((path.clone(), Found::Register(placed)));
        }
        for field in fields(placed) {
            let full = format!("{path}.{}", field.key);
            let plain_field = format!("{plain}.{}", field.key);
            let by_short = [&plain, &shorts[0], &shorts[1]].map(|r| format!("{r}.{}", field.short));
            if same(&plain_field) {
                exact.push((full, Found::Field(placed, field)));
            } else if plain_field.ends_with(&end)
                || by_short.iter().any(|short| same(short))
                || same(&format!("{}.{}", register.short, field.key))
                || same(field.short)
            {
                partial.push((full, Found::Field(placed, field)));
            }
        }
    }
    if exact.is_empty() { partial } else { exact }
}

/// Paths of the repeated groups that a register is in, without the index of the last one.
fn groups(capability: &str, placed: &Placed) -> Vec<String> {
    let mut path = capability.to_owned();
    let mut groups = Vec::new();
    for (group, index) in placed.within.into_iter().chain(placed.group) {
        path.push_str(&format!(".{group}"));
        groups.push(path.clone());
        if index > 0 {
            path.push_str(&format!("[{index}]"));
        }
    }
    groups
}

/// The fields of a register.
pub fn fields(placed: &Placed) -> impl Iterator<Item = &'static Field> + use<> {
    let register: &'static Register = placed.register;
    register.fields.iter()
}

/// A register's number in hexadecimal.
pub fn register_text(placed: &Placed) -> String {
    match placed.raw {
        Some(raw) => format!("{raw:#0width$x}", width = usize::from(placed.register.width) * 2 + 2),
        None => "not read".to_owned(),
    }
}

/// Everything of a function that has a name, for suggestions.
pub fn names(decoded: &Decoded) -> Vec<Known> {
    let mut names = Vec::new();
    for (capability, placed) in decoded.registers() {
        let path = format!("{capability}.{}", placed.path());
        let short = placed.register.short;
        names.extend(fields(placed).map(|f| Known {
            path: format!("{path}.{}", f.key),
            others: vec![f.short.to_owned(), format!("{short}.{}", f.short)],
        }));
        names.push(Known { path, others: vec![short.to_owned()] });
    }
    names
}
