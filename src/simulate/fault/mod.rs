//! What can break: a plain function each, with its documentation, in one list.
//!
//! A fault changes everything that it changes in reality: registers at both ends of the link, what the kernel keeps in
//! sysfs (copies stay as they are), memory behind BARs, and what the kernel and its drivers say. Families share a
//! mechanism and a file; [`effect`] holds what several families do.

mod aspm;
mod bus;
mod config_space;
mod driver;
pub mod effect;
mod errors;
mod interrupts;
mod link;
mod low_memory;
mod power;
mod resources;
mod slot;

use super::document::{Mistake, Node, Value};
use super::nearest::nearest;
use super::state::Machine;
use crate::pci::Bdf;

/// What a fault is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The machine as a whole.
    Machine,
    /// Any function.
    Function,
    /// A function with a link to a port above it.
    Linked,
    /// A port with a link to something below it.
    Port,
}

/// What a fault can be told.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub kind: ParameterKind,
    /// The largest number that it may be.
    pub most: u64,
    /// What it means, in one sentence.
    pub doc: &'static str,
}

/// What a parameter holds, with what is assumed if it is not given.
#[derive(Debug, Clone, Copy)]
pub enum ParameterKind {
    /// A number.
    Number(u64),
    /// One of several words; the first is assumed.
    Choice(&'static [&'static str]),
    /// Yes or no.
    Flag(bool),
    /// Text.
    Text(&'static str),
    /// A list of words.
    Words(&'static [&'static str]),
}

/// A fault.
pub struct Fault {
    /// Its name.
    pub name: &'static str,
    /// What a person would see; what of it is sourced and what is derived.
    pub doc: &'static str,
    /// What it is about.
    pub on: Target,
    /// Capabilities that the function must have, by the first part of their dotted path.
    pub needs: &'static [&'static str],
    /// The diagnosis that is right for it; `healthy` where only a qualification objects.
    pub verdict: &'static str,
    /// Where another one is right, because of the machine as it is after the fault or of what the fault was told; the first
    /// that is given counts.
    pub exception: fn(&Machine, &Call) -> Option<&'static str>,
    /// What it can be told.
    pub parameters: &'static [Parameter],
    /// Breaks the machine.
    pub apply: fn(&mut Machine, &Call) -> Result<(), Mistake>,
}

impl Fault {
    /// The diagnosis that is right on that machine, as it is after the fault.
    pub fn verdict_on(&self, machine: &Machine, call: &Call) -> &'static str {
        (self.exception)(machine, call).unwrap_or(self.verdict)
    }

    /// The first sentence of the documentation.
    pub fn summary(&self) -> String {
        let text = self.doc.trim().replace('\n', " ");
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        text.split_once(". ").map_or(text.clone(), |(first, _)| format!("{first}."))
    }
}

/// A fault with what it was told.
#[derive(Debug, Clone, Default)]
pub struct Call {
    /// The function; `None` for faults of the whole machine.
    pub function: Option<Bdf>,
    /// Values by the names of the parameters.
    pub values: Vec<(&'static str, Given)>,
}

/// A value of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// A number.
    Number(u64),
    /// A word, or text.
    Text(String),
    /// Yes or no.
    Flag(bool),
    /// Words.
    Words(Vec<String>),
}

impl Call {
    /// A call with everything as it is assumed.
    pub fn new(fault: &Fault, function: Option<Bdf>) -> Self {
        let value = |parameter: &Parameter| {
            let value = match parameter.kind {
                ParameterKind::Number(number) => Given::Number(number),
                ParameterKind::Choice(words) => Given::Text(words.first().copied().unwrap_or("").to_owned()),
                ParameterKind::Flag(flag) => Given::Flag(flag),
                ParameterKind::Text(text) => Given::Text(text.to_owned()),
                ParameterKind::Words(words) => Given::Words(words.iter().map(|w| (*w).to_owned()).collect()),
            };
            (parameter.name, value)
        };
        Call { function, values: fault.parameters.iter().map(value).collect() }
    }

    /// Takes a value from a file.
    pub fn set(&mut self, parameter: &Parameter, node: &Node) -> Result<(), Mistake> {
        let name = parameter.name;
        let value = match parameter.kind {
            ParameterKind::Number(_) => {
                let number = node.number(name)?;
                if number > parameter.most {
                    let text = format!("`{name}` is {number}: expected {} at most", parameter.most);
                    return Err(Mistake::new(node.line, text));
                }
                Given::Number(number)
            }
            ParameterKind::Flag(_) => Given::Flag(node.boolean(name)?),
            ParameterKind::Text(_) => Given::Text(node.text(name)?.to_owned()),
            ParameterKind::Choice(words) => {
                let choices: Vec<(&str, &str)> = words.iter().map(|word| (*word, *word)).collect();
                Given::Text(node.choice(name, &choices)?.to_owned())
            }
            ParameterKind::Words(_) => match &node.value {
                Value::List(list) => Given::Words(
                    list.iter().map(|n| n.text(name).map(str::to_owned)).collect::<Result<_, _>>()?,
                ),
                _ => return Err(node.expected(name, "a list of words")),
            },
        };
        self.values.retain(|(known, _)| *known != name);
        self.values.push((name, value));
        Ok(())
    }

    fn value(&self, name: &str) -> Option<&Given> {
        self.values.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// A number; 0 if the fault has no such parameter.
    pub fn number(&self, name: &str) -> u64 {
        match self.value(name) {
            Some(Given::Number(number)) => *number,
            _ => 0,
        }
    }

    /// A word; empty if the fault has no such parameter.
    pub fn word(&self, name: &str) -> &str {
        match self.value(name) {
            Some(Given::Text(text)) => text,
            _ => "",
        }
    }

    /// Yes or no; no if the fault has no such parameter.
    pub fn flag(&self, name: &str) -> bool {
        matches!(self.value(name), Some(Given::Flag(true)))
    }

    /// Words; none if the fault has no such parameter.
    pub fn words(&self, name: &str) -> &[String] {
        match self.value(name) {
            Some(Given::Words(words)) => words,
            _ => &[],
        }
    }

    /// The function that the fault is about.
    pub fn address(&self) -> Result<Bdf, Mistake> {
        self.function
            .ok_or_else(|| Mistake::new(0, "this fault needs `function`, an address such as 0000:82:00.0"))
    }
}

/// Families in the order in which they are listed.
const FAMILIES: [&[Fault]; 10] = [
    bus::ALL,
    config_space::ALL,
    power::ALL,
    link::ALL,
    aspm::ALL,
    errors::ALL,
    interrupts::ALL,
    resources::ALL,
    slot::ALL,
    driver::ALL,
];

/// Every fault.
pub fn all() -> impl Iterator<Item = &'static Fault> {
    FAMILIES.iter().copied().flatten()
}

/// The fault of that name.
pub fn find(name: &str) -> Result<&'static Fault, Mistake> {
    all().find(|fault| fault.name == name).ok_or_else(|| {
        let hint = nearest(name, all().map(|fault| fault.name));
        let text =
            format!("there is no fault `{name}`: expected a name that `pciscope simulate list` prints{hint}");
        Mistake::new(0, text)
    })
}

/// Why a fault makes no sense for a function, if it does not.
pub fn objection(fault: &Fault, machine: &Machine, function: Option<Bdf>) -> Option<String> {
    let Some(address) = function else {
        return (fault.on != Target::Machine)
            .then(|| format!("{} needs `function`, an address such as 0000:82:00.0", fault.name));
    };
    let function = match machine.function(address) {
        Ok(function) => function,
        Err(mistake) => return Some(mistake.message),
    };
    let missing = fault.needs.iter().find(|key| function.enumerated.capability(key).is_none());
    if let Some(key) = missing {
        return Some(format!("{}: {address} has no capability `{key}`", fault.name));
    }
    match fault.on {
        Target::Linked if effect::port_above(machine, address).is_none() => {
            Some(format!("{}: {address} has no link to a port above it", fault.name))
        }
        Target::Port if effect::below_port(machine, address).is_empty() => {
            Some(format!("{}: {address} is no port with something below it", fault.name))
        }
        _ => None,
    }
}

/// Breaks the machine.
pub fn apply(fault: &Fault, machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    if let Some(text) = objection(fault, machine, call.function) {
        return Err(Mistake::new(0, text));
    }
    machine.lag = 0;
    (fault.apply)(machine, call)
}

/// Declares the faults of a family: documentation, name, function, what it is about, capabilities that it needs, the
/// right diagnosis, parameters.
macro_rules! faults {
    ($(
        $(#[doc = $doc:literal])*
        $name:literal => $apply:ident on $on:ident needs [$($needs:literal),*] verdict $verdict:literal
        $(or $exception:ident)? takes [$($parameter:expr),* $(,)?];
    )*) => {
        /// Faults of this family.
        pub const ALL: &[$crate::simulate::fault::Fault] = &[$(
            $crate::simulate::fault::Fault {
                name: $name,
                doc: concat!($($doc, "\n"),*),
                on: $crate::simulate::fault::Target::$on,
                needs: &[$($needs),*],
                verdict: $verdict,
                exception: $crate::simulate::fault::exception!($($exception)?),
                parameters: &[$($parameter),*],
                apply: $apply,
            }
        ),*];
    };
}
use faults;

/// The exception to a verdict, or none.
macro_rules! exception {
    () => {
        |_, _| None
    };
    ($exception:ident) => {
        $exception
    };
}
use exception;

/// A number as parameter.
const fn number(name: &'static str, assumed: u64, doc: &'static str) -> Parameter {
    number_to(name, assumed, u64::MAX, doc)
}

/// A number as parameter that may be no larger than `most`.
const fn number_to(name: &'static str, assumed: u64, most: u64, doc: &'static str) -> Parameter {
    Parameter { name, kind: ParameterKind::Number(assumed), most, doc }
}

/// A choice as parameter.
const fn choice(name: &'static str, words: &'static [&'static str], doc: &'static str) -> Parameter {
    Parameter { name, kind: ParameterKind::Choice(words), most: u64::MAX, doc }
}

/// Yes or no as parameter.
const fn flag(name: &'static str, assumed: bool, doc: &'static str) -> Parameter {
    Parameter { name, kind: ParameterKind::Flag(assumed), most: u64::MAX, doc }
}

/// Words as parameter.
const fn words(name: &'static str, assumed: &'static [&'static str], doc: &'static str) -> Parameter {
    Parameter { name, kind: ParameterKind::Words(assumed), most: u64::MAX, doc }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_everything_is_documented() {
        let mut names: Vec<&str> = all().map(|fault| fault.name).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
        for fault in all() {
            let name = fault.name;
            assert!(
                name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
                "{name}"
            );
            assert!(fault.doc.len() > 100, "{name}: says too little");
            assert!(fault.parameters.iter().all(|p| p.doc.len() > 5), "{name}");
        }
    }
}
