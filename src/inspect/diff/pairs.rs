//! Which function of one side is which of the other.

use std::collections::BTreeMap;

use crate::machine::Function;
use crate::pci::Bdf;
use crate::pci::extended::serial_number;

use super::{Half, incomparable};

/// By what functions are put together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Matching {
    /// By address.
    #[default]
    Address,
    /// By the physical slot that they are in, and their place below it.
    Slot,
    /// By the serial number of the device.
    Serial,
    /// By what they are: vendor, device, subsystem.
    Id,
}

impl Matching {
    /// The word for it, as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Matching::Address => "address",
            Matching::Slot => "slot",
            Matching::Serial => "serial",
            Matching::Id => "id",
        }
    }
}

/// Functions put together, each list in the order of the addresses.
#[derive(Debug, Default)]
pub struct Pairs<'a> {
    /// Functions that both sides have.
    pub both: Vec<(&'a Function, &'a Function)>,
    /// Functions that only the first side has.
    pub only_first: Vec<&'a Function>,
    /// Functions that only the second side has.
    pub only_second: Vec<&'a Function>,
    /// By what they were put together: by address where no function has what was asked for.
    pub used: Matching,
    /// What is not certain.
    pub notes: Vec<String>,
}

/// Puts the functions of two sides together. Those without a key of the kind that is wanted, such as a root port that is in
/// no slot, are put together by address.
pub fn pairs<'a>(first: Half<'a>, second: Half<'a>, matching: Matching) -> Pairs<'a> {
    let mut pairs = Pairs::default();
    // The number of a device is not its pseudonym.
    let replaced = incomparable(first, second).iter().any(|replaced| replaced.is_some());
    let matching = match matching {
        Matching::Serial if replaced => {
            pairs.notes.push(
                "serial numbers of one side are pseudonyms, which match nothing of the other: functions are put together by address"
                    .to_owned(),
            );
            Matching::Address
        }
        matching => matching,
    };
    let (mut keyed, mut others) = (BTreeMap::<String, [Vec<&Function>; 2]>::new(), BTreeMap::new());
    for (side, half) in [first, second].into_iter().enumerate() {
        for function in &half.inspection.machine.functions {
            match key(half, function, matching) {
                Some(key) => keyed.entry(key).or_default()[side].push(function),
                None => others.entry(function.address).or_insert([None, None])[side] = Some(function),
            }
        }
    }
    if !keyed.is_empty() {
        pairs.used = matching;
    }
    for (key, [a, b]) in keyed {
        if a.len().min(b.len()) > 0 && a.len().max(b.len()) > 1 {
            pairs.notes.push(format!(
                "{key}: {} functions on the first side and {} on the second, put together in the order of their addresses",
                a.len(),
                b.len()
            ));
        }
        let count = a.len().min(b.len());
        pairs.both.extend(a.iter().copied().zip(b.iter().copied()));
        pairs.only_first.extend(&a[count..]);
        pairs.only_second.extend(&b[count..]);
    }
    unread(&mut pairs.both, &mut pairs.only_first, &mut others, (second, 1), |a, b| (a, b));
    unread(&mut pairs.both, &mut pairs.only_second, &mut others, (first, 0), |b, a| (a, b));
    if matching == Matching::Id {
        untold_subsystem(&mut pairs);
    }
    for sides in others.into_values() {
        match sides {
            [Some(a), Some(b)] => pairs.both.push((a, b)),
            [Some(a), None] => pairs.only_first.push(a),
            [None, Some(b)] => pairs.only_second.push(b),
            [None, None] => {}
        }
    }
    pairs.both.sort_by_key(|(a, _)| a.address);
    pairs.only_first.sort_by_key(|f| f.address);
    pairs.only_second.sort_by_key(|f| f.address);
    pairs
}

/// Functions whose key only one side has, because the device, or its function 0, cannot be read on the other, or because the
/// other source does not tell: they are put together by address, as a device that died is. `silent` is the side that may not have been able to read it.
fn unread<'a>(
    both: &mut Vec<(&'a Function, &'a Function)>,
    alone: &mut Vec<&'a Function>,
    others: &mut BTreeMap<Bdf, [Option<&'a Function>; 2]>,
    (half, silent): (Half<'a>, usize),
    pair: fn(&'a Function, &'a Function) -> (&'a Function, &'a Function),
) {
    let is_silent = |function: &Function| !function.answers() || function.unread().is_some();
    alone.retain(|function| {
        let Some(sides) = others.get_mut(&function.address) else { return true };
        let zero = half.inspection.machine.get(Bdf { function: 0, ..function.address });
        let partner =
            sides[silent].filter(|f| is_silent(f) || zero.is_some_and(is_silent) || same_device(function, f));
        let Some(partner) = partner.filter(|_| sides[1 - silent].is_none()) else { return true };
        sides[silent] = None;
        both.push(pair(function, partner));
        false
    });
}

fn same_device(a: &Function, b: &Function) -> bool {
    let device = |f: &Function| f.identity.vendor_id.zip(f.identity.device_id);
    device(a).is_some() && device(a) == device(b)
}

/// Where one side does not tell the subsystem, the same device at the same address is the same function.
fn untold_subsystem(pairs: &mut Pairs<'_>) {
    let untold = |f: &Function| f.identity.subsystem.is_none();
    let Pairs { both, only_first, only_second, .. } = pairs;
    only_first.retain(|a| {
        let same = |b: &&Function| b.address == a.address && same_device(a, b) && (untold(a) || untold(b));
        let Some(place) = only_second.iter().position(same) else { return true };
        both.push((a, only_second.remove(place)));
        false
    });
}

fn key(half: Half<'_>, function: &Function, matching: Matching) -> Option<String> {
    match matching {
        Matching::Address => None,
        Matching::Slot => in_slot(half, function),
        Matching::Serial => serial(half, function),
        Matching::Id => {
            let i = &function.identity;
            let (vendor, device) = (i.vendor_id?, i.device_id?);
            let (sv, sd) = i.subsystem.unwrap_or_default();
            Some(format!("id {vendor:04x}:{device:04x} {sv:04x}:{sd:04x}"))
        }
    }
}

/// The slot, and the way below it by device and function numbers, which do not change with the buses.
fn in_slot(half: Half<'_>, function: &Function) -> Option<String> {
    let mut way = Vec::new();
    let mut at = function;
    // A hierarchy is not deeper than there are buses.
    for _ in 0..256 {
        let a = at.address;
        way.push(format!("{:02x}.{:x}", a.device, a.function));
        let device = format!("{:04x}:{:02x}:{:02x}", a.domain, a.bus, a.device);
        if let Some(slot) = half.inspection.platform.slot(&device) {
            way.reverse();
            return Some(format!("slot {}, {}", slot.name, way.join("/")));
        }
        at = half.inspection.machine.parent(at)?;
    }
    None
}

/// The serial number, which function 0 has for the others of its device (PCIe 6.2, 7.9.3), and the function's number.
fn serial(half: Half<'_>, function: &Function) -> Option<String> {
    let number = |function: &Function| {
        let number: serial_number::SerialNumber = function.register(&serial_number::SPECIFICATION)?;
        Some(number.eui_64()).filter(|n| *n != 0 && *n != u64::MAX)
    };
    let zero = Bdf { function: 0, ..function.address };
    let number = number(function).or_else(|| number(half.inspection.machine.get(zero)?))?;
    Some(format!("serial number {number:016x}, function {}", function.address.function))
}
