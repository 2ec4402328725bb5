//! Whether a side tells of a value that it does not have, so that its absence says something.

use crate::machine::Function;
use crate::pci::walk::List;
use crate::tree::Cause;

use super::vocabulary::{Origin, origin};

/// `Ok`: the function has no such thing. Otherwise the reason why that is not known; empty if other values tell it.
pub fn absence(function: &Function, path: &str) -> Result<(), String> {
    match origin(path) {
        Origin::Derived => Err(String::new()),
        Origin::Conclusion => Err("it could not be concluded".to_owned()),
        Origin::File(name) => file(function, name, false),
        Origin::NeededFile(name) => file(function, name, true),
        Origin::Config => configuration(function),
        Origin::ConfigAndFile(name) => configuration(function).and_then(|()| file(function, name, false)),
    }
}

fn file(function: &Function, name: &str, needed: bool) -> Result<(), String> {
    match function.reading.answer(name) {
        Some(Ok(_)) => Ok(()),
        Some(Err(Cause::Errno(nix::errno::Errno::ENOENT))) if !needed => Ok(()),
        Some(Err(cause)) => Err(format!("{name}: {cause}")),
        None => Err(format!("{name}: it was not looked at")),
    }
}

/// Whether configuration space was read as far as anything is in it.
pub fn configuration(function: &Function) -> Result<(), String> {
    function.unread().map_or(Ok(()), Err)
}

/// Whether the list of capabilities was read to its end.
pub fn list(function: &Function, list: List) -> Result<(), String> {
    let known = match list {
        List::Standard => function.standard_list_known(),
        List::Extended => function.extended_list_known(),
    };
    match known {
        true => Ok(()),
        false => Err(function.unread().unwrap_or_else(|| "the list was not read to its end".to_owned())),
    }
}
