//! Text for people: one command a file.

pub mod anomaly;
pub mod check;
pub mod diagnose;
pub mod diff;
pub mod explain;
pub mod explain_log;
pub mod field;
pub mod hex;
pub mod list;
pub mod log;
pub mod msix;
pub mod path;
mod registers;
mod resources;
pub mod show;
pub mod tree;
pub mod vital_product_data;

use crate::machine::State;
use crate::machine::aer::{Aer, ErrorsSeen};
use crate::machine::aspm::States;
use crate::machine::link::{Link, LinkState, Rate};
use crate::pci::extended::aer::{CorrectableStatus, UncorrectableStatus};
use crate::pci::register::{Register, RegisterType};

use super::style::Tone;
use crate::inspect::value::{speed_number, speed_text};

/// Lines of notes, if there are any.
pub fn notes(notes: &[String]) -> String {
    notes.iter().map(|note| format!("note: {note}\n")).collect()
}

/// Speed and width: `32 GT/s x16`, `unknown`.
pub fn rate(rate: Rate) -> String {
    match (rate.speed_mts, rate.width) {
        (Some(speed), Some(width)) => format!("{} x{width}", speed_text(speed)),
        (Some(speed), None) => format!("{} x?", speed_text(speed)),
        (None, Some(width)) => format!("? GT/s x{width}"),
        (None, None) => "unknown".to_owned(),
    }
}

/// A link now and at most: `32 GT/s x16`, `2.5/32 GT/s x16`, `8/32 GT/s x8/16`, `down (32 GT/s x16)`.
pub fn link_now_and_most(link: &Link) -> (Tone, String) {
    let (now, most) = (link.current, link.maximum);
    if link.state == LinkState::Down {
        return (Tone::Faint, format!("down (can {})", rate(most)));
    }
    let number = |value: Option<u32>| value.map_or("?".to_owned(), speed_number);
    let speed = match (now.speed_mts, most.speed_mts) {
        (now, most) if now == most => number(now),
        (now, most) => format!("{}/{}", number(now), number(most)),
    };
    let lanes = |value: Option<u8>| value.map_or("?".to_owned(), |w| w.to_string());
    let width = match (now.width, most.width) {
        (now, most) if now == most => lanes(now),
        (now, most) => format!("{}/{}", lanes(now), lanes(most)),
    };
    let known = now.speed_mts.is_some() && now.width.is_some();
    let tone = if now.is_below(most) || !known { Tone::Warn } else { Tone::Good };
    (tone, format!("{speed} GT/s x{width}"))
}

/// Link power states: `L0s L1 L1.2`, `off`.
pub fn states(states: States) -> String {
    let all = [
        (states.l0s, "L0s"),
        (states.l1, "L1"),
        (states.l1_1 == Some(true), "L1.1"),
        (states.l1_2 == Some(true), "L1.2"),
    ];
    let on: Vec<&str> = all.into_iter().filter(|(on, _)| *on).map(|(_, name)| name).collect();
    if on.is_empty() { "none".to_owned() } else { on.join(" ") }
}

/// Errors seen, by the short names of Device Status; `none`.
pub fn errors(seen: ErrorsSeen) -> (Tone, String) {
    let all = [
        (seen.fatal, "FatalErr"),
        (seen.non_fatal, "NonFatalErr"),
        (seen.correctable, "CorrErr"),
        (seen.unsupported_request, "UnsupReq"),
    ];
    let on: Vec<&str> = all.into_iter().filter(|(on, _)| *on).map(|(_, name)| name).collect();
    match on.as_slice() {
        [] => (Tone::Faint, "none".to_owned()),
        _ => (if seen.fatal { Tone::Bad } else { Tone::Warn }, on.join(" ")),
    }
}

/// The colour of a presence.
pub fn presence_tone(state: State) -> Tone {
    match state {
        State::Answering => Tone::Good,
        State::Asleep | State::NotReady => Tone::Warn,
        State::Unknown => Tone::Warn,
        State::AllOnes | State::Disconnected | State::Absent => Tone::Bad,
    }
}

/// Short names of fields, as lspci and the kernel write them, for keys out of one of the registers.
pub fn short_names(registers: &[&Register], keys: &[&'static str]) -> String {
    let short =
        |key: &&'static str| registers.iter().find_map(|r| r.field(key)).map_or(*key, |field| field.short);
    keys.iter().map(short).collect::<Vec<_>>().join(" ")
}

/// Uncorrectable and correctable errors whose status bits are set; empty if none is, `None` if they were not read.
pub fn latched(aer: &Aer) -> Option<String> {
    let uncorrectable = short_names(&[UncorrectableStatus::REGISTER], aer.uncorrectable_status.as_ref()?);
    let correctable = short_names(&[CorrectableStatus::REGISTER], aer.correctable_status.as_ref()?);
    let names = [uncorrectable, correctable].into_iter().filter(|names| !names.is_empty());
    Some(names.collect::<Vec<_>>().join(" "))
}

/// Yes, no or unknown.
pub fn yes(value: Option<bool>) -> &'static str {
    match value {
        Some(true) => "yes",
        Some(false) => "no",
        None => "unknown",
    }
}
