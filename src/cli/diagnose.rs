//! `diagnose`.

use crate::check::expectation::facts::read_facts;
use crate::check::subject::Surroundings;
use crate::diagnosis::state::{Scene, profile};
use crate::diagnosis::{Diagnosis, Sources, Subject, Verdict, diagnose};
use crate::inspect::diagnose;
use crate::kernel_log::Log;
use crate::kernel_log::source::{Source, read_events};
use crate::machine::reading::Depth;
use crate::names::Names;
use crate::pci::Bdf;
use crate::render::style::Style;
use crate::render::text;
use crate::tree::Directory;
use crate::tree::source::Kind;

use super::arguments::{DiagnoseOptions, Global, Selection, partial_text};
use super::check::expectation;
use super::run::{
    Failure, NO_INPUT, NOT_FOUND, Need, Outcome, Session, USAGE, check_log, json, names, open_source, style,
};

pub fn run(global: &Global, selection: &Selection, options: &DiagnoseOptions) -> Result<Outcome, Failure> {
    if options.expect.is_some() && selection.is_named() {
        let text = "--expect: an expectation is of the whole machine; leave addresses and filters out";
        return Err(Failure::new(USAGE, text));
    }
    // A log that was named, and nothing else, is all there is: whose log it is nobody knows.
    if global.from.is_none() && global.log.is_some() {
        if options.expect.is_some() {
            let text =
                "--expect: a log alone does not tell what is in the machine; name a source with --from";
            return Err(Failure::new(USAGE, text));
        }
        return log_only(global, selection, options);
    }
    // What made a function go shows at its port and its neighbours, and of one that was removed nothing else is left: the
    // whole machine is read, whatever is asked for.
    // A log that was named may be a stream, which can be read once.
    let need = Need {
        depth: Depth::Full,
        platform: true,
        log: global.log.is_some(),
        vital_product_data: false,
        everybody: true,
    };
    check_log(global)?;
    let mut session =
        Session::read(open_source(global)?, global, &Selection::default(), need, &mut |_, _| true)?;
    let all = session.machine.wanted.clone();
    session.complaints = selection.settle(&mut session.machine);
    let chosen = std::mem::replace(&mut session.machine.wanted, all);
    let mut notes = std::mem::take(&mut session.notes);
    let live = session.source.kind == Kind::Live;
    let log = match (&global.log, session.log.take()) {
        (Some(_), log) => log,
        (None, _) => match read_events(Source { tree: &*session.source.tree, live, file: None }) {
            Ok(log) => Some(log),
            Err(error) => {
                notes.push(format!("the kernel log was not read: {error}"));
                None
            }
        },
    };
    // What is no kernel log says nothing, least of all that all is well.
    let complaint = log.as_ref().and_then(|log| unrecognized(global, log));
    let log = log.filter(|_| complaint.is_none());
    let profile = profile();
    let inspection = session.inspection();
    let mut expectation = options.expect.as_deref().map(expectation).transpose()?;
    if let Some(expectation) = &mut expectation {
        let deadline = std::time::Duration::from_secs_f64(global.deadline);
        expectation.facts = read_facts(inspection.tree, inspection.live, &session.machine, deadline);
    }
    let around = Surroundings {
        interrupts: session.interrupts.as_deref(),
        live: inspection.live,
        mmio: options.mmio,
        busy: options.busy,
        log: log.as_ref(),
        expectation: expectation.as_ref(),
        ..Surroundings::new(&session.machine, &session.platform, inspection.tree, &profile)
    };
    let scene = Scene::new(around);
    let sources = Sources::new(log.as_ref(), Some(&scene));
    let mut outcome =
        answer(global, (selection, &chosen), options, &sources, &session.names, session.style, notes)?;
    // That a function does not answer is what its verdict says.
    let told: Vec<String> = chosen.iter().map(|address| format!("{address}: ")).collect();
    let spoken = |complaint: &String| told.iter().any(|address| complaint.starts_with(address));
    outcome
        .complaints
        .extend(missing(selection, &outcome.found, &session.complaints).into_iter().filter(|c| !spoken(c)));
    outcome.complaints.extend(complaint);
    drop(sources);
    drop(scene);
    let status = status(outcome.verdict, &outcome.complaints);
    let Answered { text, complaints, .. } = outcome;
    Ok(Outcome { status, complaints, ..session.outcome(text) })
}

/// What was complained of and is no complaint, because the log speaks of it: a device that was removed.
fn missing(selection: &Selection, found: &[String], complaints: &[String]) -> Vec<String> {
    let here = |complaint: &&String| {
        !selection.addresses.iter().any(|a| {
            let text = partial_text(a);
            complaint.starts_with(&format!("{text}: ")) && found.iter().any(|f| f.ends_with(&text))
        })
    };
    complaints.iter().filter(here).cloned().collect()
}

/// That what was named as a log is none.
pub(super) fn unrecognized(global: &Global, log: &Log) -> Option<String> {
    let name = global.log.as_deref().filter(|_| !log.recognized)?;
    Some(format!("{name}: {}", crate::kernel_log::EXPECTED))
}

fn log_only(global: &Global, selection: &Selection, options: &DiagnoseOptions) -> Result<Outcome, Failure> {
    check_log(global)?;
    let nothing = Directory::live().map_err(|e| Failure::new(NO_INPUT, e))?;
    let source = Source { tree: &nothing, live: false, file: global.log.as_deref() };
    let log: Log = read_events(source).map_err(|e| Failure::new(NO_INPUT, e))?;
    let sources = Sources::new(Some(&log), None);
    let notes = log.notes.clone();
    let mut answered =
        answer(global, (selection, &[]), options, &sources, &names(global)?, style(global), notes)?;
    answered.complaints.extend(unrecognized(global, &log));
    for address in &selection.addresses {
        let text = partial_text(address);
        if !answered.found.iter().any(|found| found.ends_with(&text)) {
            answered.complaints.push(format!("{text}: the log does not speak of it"));
        }
    }
    let status = status(answered.verdict, &answered.complaints);
    Ok(Outcome { text: answered.text, complaints: answered.complaints, status })
}

struct Answered {
    text: String,
    verdict: Verdict,
    found: Vec<String>,
    complaints: Vec<String>,
}

fn answer(
    global: &Global,
    (selection, chosen): (&Selection, &[Bdf]),
    options: &DiagnoseOptions,
    sources: &Sources<'_>,
    names: &Names,
    style: Style,
    notes: Vec<String>,
) -> Result<Answered, Failure> {
    let mut diagnoses: Vec<Diagnosis<'_>> = diagnose(sources);
    if selection.is_named() {
        // What the log knows of a function that is not listed any more is asked for by its address too.
        let listed = |address| sources.scene.is_some_and(|scene| scene.machine().get(address).is_some());
        diagnoses.retain(|d| match &d.subject {
            Subject::Function(address) => {
                if listed(*address) {
                    chosen.contains(address)
                } else {
                    selection.wants(*address) && selection.device.is_none()
                }
            }
            Subject::Named(_) => false,
        });
    }
    let found = diagnoses.iter().filter_map(|d| match &d.subject {
        Subject::Function(address) => Some(address.to_string()),
        Subject::Named(_) => None,
    });
    let found: Vec<String> = found.collect();
    let answer = diagnose::diagnose(sources, &diagnoses, names, options.why, notes);
    let named = selection.is_named();
    let text = match global.format {
        super::arguments::Format::Json => json(&answer)?,
        _ => text::diagnose::diagnose(&answer, named || options.all, style),
    };
    Ok(Answered { text, verdict: answer.verdict, found, complaints: Vec::new() })
}

/// What was asked for and is not known counts as unknown unless something is broken.
fn status(verdict: Verdict, complaints: &[String]) -> u8 {
    match (verdict.status(), complaints.is_empty()) {
        (2, _) | (_, true) => verdict.status(),
        (_, false) => NOT_FOUND,
    }
}
