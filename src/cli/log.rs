//! `log`.

use nix::errno::Errno;

use crate::inspect::log::log;
use crate::kernel_log::Event;
use crate::kernel_log::source::{Source, read_events};
use crate::pci::{Bdf, PartialBdf};
use crate::render::text;
use crate::tree::source::Kind;
use crate::tree::{Cause, MemoryTree, TreeError};

use super::arguments::{Format, Global};
use super::run::{Failure, NO_INPUT, NOT_FOUND, Outcome, json, open_source, style};

/// Prints the events of the log.
pub fn run(global: &Global, addresses: &[PartialBdf], all: bool) -> Result<Outcome, Failure> {
    let events = match global.log.as_deref() {
        // A log by itself: the machine is not looked at.
        Some(file) => {
            let tree = MemoryTree::partial();
            read_events(Source { tree: &tree, live: false, file: Some(file) })
        }
        None => {
            let source = open_source(global)?;
            read_events(Source { tree: &*source.tree, live: source.kind == Kind::Live, file: None })
        }
    };
    let events = events.map_err(|e| Failure::new(NO_INPUT, with_cause(e)))?;
    let wanted =
        |event: &Event| addresses.is_empty() || about(event).any(|a| addresses.iter().any(|w| w.matches(a)));
    let mut complaints: Vec<String> = Vec::new();
    for address in addresses {
        if !events.events.iter().any(|e| about(e).any(|a| address.matches(a))) {
            complaints
                .push(format!("{}: the log does not speak of it", super::arguments::partial_text(address)));
        }
    }
    let answer = log(events, all, wanted);
    let text = match global.format {
        Format::Json => json(&answer)?,
        _ => text::log::log(&answer, style(global)),
    };
    let mut status = 0;
    if !answer.recognized {
        status = NOT_FOUND;
        complaints.push(format!(
            "{}: {}",
            global.log.as_deref().unwrap_or("the log"),
            crate::kernel_log::EXPECTED
        ));
    }
    complaints.extend(answer.notes);
    Ok(Outcome { text, complaints, status })
}

/// Adds what keeps ordinary users out of the live log.
fn with_cause(error: TreeError) -> String {
    let refused = matches!(error.cause, Cause::Errno(Errno::EPERM | Errno::EACCES));
    if refused && error.path == "/dev/kmsg" {
        return format!(
            "{error}: the kernel shows its log to root only (kernel.dmesg_restrict): run as root, or give a log with --log"
        );
    }
    error.to_string()
}

/// Every function that an event speaks of.
fn about(event: &Event) -> impl Iterator<Item = Bdf> + '_ {
    let others =
        ["reporter", "source", "limited_at", "other"].into_iter().filter_map(|name| event.address(name));
    event.device.into_iter().chain(others)
}
