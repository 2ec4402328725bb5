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
/// `LnkSta.Speed`), if need be in other letter case; `[0]` may be left out. What the first capability of a kind does not have
/// is looked for in the others: `dvsec.flex_bus_port_status` is there wherever it is.
pub fn find<'a>(decoded: &'a Decoded, name: &str) -> Vec<(String, Found<'a>)> {
    let wanted = name.replace("[0]", "");
    let lower = wanted.to_lowercase();
    let mut found = Vec::new();
    for any_instance in [false, true] {
        if found.is_empty() {
            found = named(decoded, &wanted, any_instance, |text| text == wanted);
        }
        if found.is_empty() {
            found = named(decoded, &lower, any_instance, |text| text.eq_ignore_ascii_case(&wanted));
        }
    }
    found
}

/// A path without the index of its capability: `dvsec.header_2` for `dvsec[1].header_2`.
fn without_instance(path: &str) -> String {
    let (capability, rest) = path.split_once('.').unwrap_or((path, ""));
    let key = capability.split('[').next().unwrap_or(capability);
    if rest.is_empty() { key.to_owned() } else { format!("{key}.{rest}") }
}

/// Whether the name was too short to tell apart what was found; several fields are meant if they all lie below it.
pub fn is_ambiguous(found: &[(String, Found<'_>)], name: &str) -> bool {
    let wanted = name.replace("[0]", "").to_lowercase();
    let below = [format!("{wanted}."), format!("{wanted}[")];
    let lie_below = |path: &str| below.iter().any(|start| path.replace("[0]", "").starts_with(start));
    let capability = |path: &str| path.split('.').next().unwrap_or(path).to_owned();
    // All of one capability, whose index was left out.
    let one = found.windows(2).all(|pair| capability(&pair[0].0) == capability(&pair[1].0));
    found.len() > 1
        && !found.iter().all(|(path, _)| lie_below(path) || one && lie_below(&without_instance(path)))
}

/// Everything that a name stands for. `same` says whether a text is the name; `wanted` is the name as paths are written.
/// With `any_instance` the index of a capability does not count.
fn named<'a>(
    decoded: &'a Decoded,
    wanted: &str,
    any_instance: bool,
    same: impl Fn(&str) -> bool,
) -> Vec<(String, Found<'a>)> {
    let (end, below) = (format!(".{wanted}"), format!("{wanted}."));
    let mut exact = Vec::new();
    let mut partial = Vec::new();
    for (capability, placed) in decoded.registers() {
        let register = placed.register;
        let path = format!("{capability}.{}", placed.path());
        let capability = if any_instance { without_instance(&capability) } else { capability };
        let plain = format!("{capability}.{}", placed.path()).replace("[0]", "");
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::reading::Depth;
    use crate::machine::{DEADLINE, Scope, load};
    use crate::tree::MemoryTree;

    /// A port with three CXL DVSECs: Register Locator, Flex Bus Port, Register Locator.
    fn decoded() -> Decoded {
        let mut config = vec![0; 4096];
        config[..12].copy_from_slice(&[0x86, 0x80, 0x93, 0x0d, 6, 0, 0x10, 0, 1, 0, 0, 6]);
        config[0x34] = 0x40;
        config[0x40..0x44].copy_from_slice(&[0x10, 0, 2, 0]);
        for (offset, next, id, revision, length) in
            [(0x100, 0x140, 8, 0, 0x1c), (0x140, 0x180, 7, 1, 0x14), (0x180, 0, 8, 0, 0x14_u16)]
        {
            let doublewords =
                [0x1_0023 | next << 20, 0x1e98 | revision << 16 | u32::from(length) << 20, id, 0x0001_0100];
            for (place, doubleword) in doublewords.iter().enumerate() {
                config[offset + 4 * place..][..4].copy_from_slice(&doubleword.to_le_bytes());
            }
        }
        let tree = MemoryTree::complete().file("sys/bus/pci/devices/0000:01:00.0/config", config);
        let scope = Scope {
            depth: Depth::Detail,
            wanted: &|_| true,
            wake: false,
            deadline: DEADLINE,
            vital_product_data: false,
        };
        Decoded::new(&load(&tree, false, scope).unwrap().functions[0])
    }

    fn paths(name: &str) -> (Vec<String>, bool) {
        let decoded = decoded();
        let found = find(&decoded, name);
        let ambiguous = is_ambiguous(&found, name);
        (found.into_iter().map(|(path, _)| path).collect(), ambiguous)
    }

    #[test]
    fn what_only_another_capability_of_the_kind_has_is_found_without_its_index() {
        let one = |path: &str| (vec![path.to_owned()], false);
        assert_eq!(paths("dvsec.flex_bus_port_status"), one("dvsec[1].flex_bus_port_status"));
        assert_eq!(paths("DVSEC.Flex_Bus_Port_Status"), one("dvsec[1].flex_bus_port_status"));
        assert_eq!(
            paths("dvsec.flex_bus_port_capability.cache_capable"),
            one("dvsec[1].flex_bus_port_capability.cache_capable")
        );
        assert_eq!(paths("dvsec.FBCap.Cache"), one("dvsec[1].flex_bus_port_capability.cache_capable"));
        // What the first one has is meant; an index that is given counts.
        assert_eq!(paths("dvsec.header_2"), one("dvsec.header_2"));
        assert_eq!(paths("dvsec[1].header_2"), one("dvsec[1].header_2"));
        assert_eq!(paths("dvsec[0].flex_bus_port_status"), one("dvsec[1].flex_bus_port_status"));
        assert_eq!(paths("dvsec[2].flex_bus_port_status").0, Vec::<String>::new());
    }

    #[test]
    fn a_group_is_whole_and_a_name_of_several_is_ambiguous() {
        let (fields, ambiguous) = paths("dvsec.register_block");
        assert!(
            !ambiguous && fields.len() > 1 && fields.iter().all(|f| f.starts_with("dvsec.register_block["))
        );
        assert!(!paths("dvsec[2].register_block").1);
        let (headers, ambiguous) = paths("header_2");
        assert!(ambiguous && headers.len() == 3, "{headers:?}");
    }
}
