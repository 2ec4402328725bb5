//! `diff`.

use crate::evidence::about::{self, About};
use crate::inspect::diff::pairs::Matching;
use crate::inspect::diff::replaced::Replaced;
use crate::inspect::diff::{Diff, Half, diff};
use crate::machine::Function;
use crate::machine::board::{Board, read_board};
use crate::machine::reading::Depth;
use crate::pci::select::{DeviceFilter, SlotFilter};
use crate::render::text;

use super::arguments::{Global, Selection};
use super::run::{Failure, NOT_FOUND, Outcome, Session, USAGE, json};

/// Something differs.
const DIFFERENT: u8 = 1;

/// Which functions are compared.
#[derive(Clone, Copy)]
pub struct Chosen<'a> {
    /// By address, on either side.
    pub slot: Option<&'a SlotFilter>,
    /// By identifiers.
    pub device: Option<&'a DeviceFilter>,
}

impl Chosen<'_> {
    fn wants(&self, function: &Function) -> bool {
        let i = &function.identity;
        let named = |filter: &DeviceFilter| match (i.vendor_id, i.device_id) {
            (Some(vendor), Some(device)) => filter.matches(vendor, device, i.class.unwrap_or(0)),
            _ => false,
        };
        self.slot.is_none_or(|s| s.matches(function.address)) && self.device.is_none_or(named)
    }
}

pub fn run(
    global: &Global,
    (first, second): (&str, Option<&str>),
    matching: Matching,
    chosen: Chosen<'_>,
    all: bool,
) -> Result<Outcome, Failure> {
    if global.log.is_some() {
        return Err(Failure::new(USAGE, "--log: of which of the two? a capture has its own log in it"));
    }
    if global.at.is_some() {
        return Err(Failure::new(
            USAGE,
            "--at: of which of the two? write the moment behind the file: FILE@TIME",
        ));
    }
    if second.is_some() && global.from.is_some() {
        return Err(Failure::new(USAGE, "--from: diff was given two sources already"));
    }
    let second = second.or(global.from.as_deref());
    if first == "-" && second == Some("-") {
        return Err(Failure::new(USAGE, "diff: both cannot be standard input"));
    }
    let (first, second) = (open(global, Some(first))?, open(global, second)?);
    let mut notes = Vec::new();
    for (which, side) in [("first", &first), ("second", &second)] {
        notes.extend(side.session.notes.iter().map(|note| format!("{which}: {note}")));
    }
    if [&first, &second].iter().any(|side| side.session.platform.kernel_log == Some(true)) {
        notes.push("events of the kernel logs are not compared: see `pciscope log` of each".to_owned());
    }
    let answer = diff(first.half(), second.half(), matching, &|f| chosen.wants(f), all, notes);
    let text =
        if first.session.json { json(&answer)? } else { text::diff::diff(&answer, first.session.style) };
    let mut outcome = Outcome::text(text);
    outcome.complaints = complaints(&answer, chosen);
    outcome.status = match (answer.different, outcome.complaints.is_empty()) {
        (true, _) => DIFFERENT,
        (false, true) => 0,
        (false, false) => NOT_FOUND,
    };
    // The process ends next; see `Session::outcome`.
    std::mem::forget((first.session.machine, second.session.machine));
    Ok(outcome)
}

/// Nothing was compared although functions were named.
fn complaints(answer: &Diff, chosen: Chosen<'_>) -> Vec<String> {
    let named = chosen.slot.is_some() || chosen.device.is_some();
    let none = answer.compared + answer.only_first.len() + answer.only_second.len() == 0;
    match named && none {
        true => vec!["no function on either side matches what was asked for".to_owned()],
        false => Vec::new(),
    }
}

struct Opened {
    session: Session,
    board: Board,
    replaced: Option<Replaced>,
}

impl Opened {
    fn half(&self) -> Half<'_> {
        Half {
            inspection: self.session.inspection(),
            interrupts: self.session.interrupts.as_deref(),
            board: &self.board,
            source: &self.session.source.description,
            replaced: self.replaced.as_ref(),
        }
    }
}

/// Opens one side. The root of this machine is this machine, not a folder that resembles one.
fn open(global: &Global, source: Option<&str>) -> Result<Opened, Failure> {
    let source = source.map(|source| if source == "/" { "live" } else { source });
    let global = Global { from: source.map(str::to_owned), ..global.clone() };
    let session = Session::open(&global, &Selection::default(), Depth::Full, true)?;
    let board = read_board(&*session.source.tree);
    let replaced = about::read(&*session.source.tree).and_then(replaced);
    Ok(Opened { session, board, replaced })
}

/// What a capture says of personal data in it.
fn replaced(about: About) -> Option<Replaced> {
    let mut replaced = Replaced { pseudonyms: about.pseudonyms, ..Replaced::default() };
    about.redaction?.iter().for_each(|one| replaced.add(&one.path, &one.ranges));
    Some(replaced)
}
