//! `show --field`: single registers and fields of one function.

use std::collections::BTreeMap;

use crate::inspect::show::{FieldValue, RegisterValue, field_value};
use crate::machine::Function;
use crate::pci::Bdf;
use crate::pci::decode::Placed;

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
