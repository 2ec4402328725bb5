//! `report`.

use std::path::Path;

use crate::check::run;
use crate::check::subject::Surroundings;
use crate::diagnosis::state::Scene;
use crate::diagnosis::{self, Sources, Verdict};
use crate::inspect::report::management::management;
use crate::inspect::report::settings::SETTINGS;
use crate::inspect::report::{Audience, Material, Report, report};
use crate::machine::board::read_board;
use crate::machine::reading::{DEVICES, Depth};
use crate::machine::wall_clock;
use crate::render::report::{html, markdown};
use crate::render::style::Style;
use crate::render::text;
use crate::tree::MemoryTree;
use crate::tree::source::{Kind, Source};

use super::arguments::{Format, Global, ReportOptions, Selection};
use super::diagnose::unrecognized;
use super::progress::Progress;
use super::pseudonyms;
use super::run::{Failure, INTERNAL, Need, OUTPUT, Outcome, Session, USAGE, check_log, json, open_source};

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    Html,
    Markdown,
    Json,
}

pub fn run(global: &Global, selection: &Selection, options: &ReportOptions) -> Result<Outcome, Failure> {
    let audience: Audience = options.audience.into();
    let kept = kind(global, options.output.as_deref())?;
    if options.max_chars.is_some() && kept != Kept::Markdown {
        return Err(Failure::new(
            USAGE,
            "--max-chars: only Markdown can be made shorter; give -o FILE.md or no -o",
        ));
    }
    if options.max_chars.is_some_and(|limit| limit < markdown::SMALLEST) {
        return Err(Failure::new(
            USAGE,
            format!(
                "--max-chars: expected {} or more: less has no room for what is asked",
                markdown::SMALLEST
            ),
        ));
    }
    let mut profile = super::check::profile(&options.profile)?;
    if audience != Audience::Qualification {
        for id in SETTINGS.iter().flat_map(|setting| setting.checks) {
            super::check::switch_on(&mut profile, id);
        }
    }
    check_log(global)?;
    let need =
        Need { depth: Depth::Bytes, platform: true, log: true, vital_product_data: false, everybody: true };
    let mut progress = Progress::patient();
    // A log that was named, and nothing else, is all there is: whose log it is nobody knows.
    let source = match (&global.from, &global.log) {
        (None, Some(file)) => log_alone(file),
        _ => open_source(global)?,
    };
    let shown = pseudonyms::shown(source, global, &options.redaction)?;
    let (personal_data, captured, own_log) = (shown.personal_data, shown.captured, global.log.is_none());
    let (named, global) = (global, &shown.global);
    let session = Session::read(shown.source, global, selection, need, &mut |done, all| {
        progress.tell(|| format!("report: {done} of {all} functions"))
    });
    progress.end();
    let mut session = session?;
    session.complaints.extend(session.log.as_ref().and_then(|log| unrecognized(named, log)));
    let mut notes = std::mem::take(&mut session.notes);
    notes.extend(session.log.iter().flat_map(|log| log.notes.iter().cloned()));
    let board = read_board(&*session.source.tree);
    let controller = management(&*session.source.tree);
    // Another log may be of another machine.
    let started = own_log.then(|| wall_clock::started(&*session.source.tree)).flatten();
    let inspection = session.inspection();
    let around = Surroundings {
        interrupts: session.interrupts.as_deref(),
        live: inspection.live,
        busy: options.busy,
        log: session.log.as_ref(),
        ..Surroundings::new(&session.machine, &session.platform, inspection.tree, &profile)
    };
    let findings = run::run(around, super::check::functions(&session.machine), &|_| true);
    let asking = diagnosis::state::profile();
    let scene = Scene::new(Surroundings { profile: &asking, ..around });
    let state = (!session.machine.functions.is_empty()).then_some(&scene);
    let sources = Sources::new(session.log.as_ref(), state);
    let diagnoses = diagnosis::diagnose(&sources);
    let diagnoses =
        crate::inspect::diagnose::diagnose(&sources, &diagnoses, &session.names, false, Vec::new());
    let material = Material {
        inspection,
        around,
        findings: &findings,
        diagnoses: &diagnoses.devices,
        board: &board,
        source: &session.source.description,
        profile: &options.profile,
        management: &controller,
        started: started.as_ref(),
        captured: captured.as_deref(),
        personal_data,
    };
    let answer = report(material, audience, notes);
    let written = match kept {
        Kept::Json => json(&answer)?,
        Kept::Markdown => markdown::markdown(&answer, options.max_chars),
        Kept::Html => {
            html::html(&answer, &decoded(&session, &answer)).map_err(|e| Failure::new(INTERNAL, e))?
        }
    };
    // That a device does not answer is what the report is about.
    session
        .complaints
        .retain(|complaint| !answer.patients.iter().any(|p| complaint.starts_with(&p.address.to_string())));
    let text = match &options.output {
        None => written,
        Some(file) => {
            let replaced = if save(file, &written)? { "; replaced what was there" } else { "" };
            format!(
                "{}: {} requests, {} findings{replaced}\n",
                file.display(),
                answer.requests.len(),
                answer.findings.len()
            )
        }
    };
    // A report of a machine of which nothing is known must not look like one of a sound machine.
    let status = match answer.patients.is_empty() && diagnoses.verdict == Verdict::Unknown {
        true => diagnoses.verdict.status(),
        false => 0,
    };
    Ok(Outcome { status, ..session.outcome(text) })
}

/// A source in which there is nothing: the log is read beside it.
fn log_alone(file: &str) -> Source {
    // Nobody is listed: that is not the same as a machine without devices, and what looks at them says so.
    let mut nothing = MemoryTree::partial();
    nothing.add_folder(DEVICES.to_owned());
    Source {
        tree: Box::new(nothing),
        kind: Kind::Archive,
        description: format!("{file}, a kernel log without the machine that it is of"),
        notes: Vec::new(),
    }
}

/// The text of `show` for each function of the appendix.
fn decoded(session: &Session, answer: &Report) -> Vec<String> {
    let inspection = session.inspection();
    let lines = session.interrupts.as_deref();
    let page = |address| match session.machine.get(address) {
        Some(function) => text::show::function(inspection, function, lines, false, Style::PLAIN),
        None => String::new(),
    };
    answer.appendix.iter().map(|a| page(a.address)).collect()
}

fn kind(global: &Global, output: Option<&Path>) -> Result<Kept, Failure> {
    let by_format = match global.format {
        Format::Json => Kept::Json,
        _ => Kept::Markdown,
    };
    let Some(file) = output else { return Ok(by_format) };
    match file.extension().and_then(|e| e.to_str()) {
        Some("html" | "htm") => Ok(Kept::Html),
        Some("md" | "txt") => Ok(Kept::Markdown),
        Some("json") => Ok(Kept::Json),
        _ => Err(Failure::new(
            USAGE,
            format!("-o {}: expected a name that ends in .html, .md or .json", file.display()),
        )),
    }
}

/// Writes the file whole or not at all, under another name first. Gives whether an earlier one was replaced: a report can
/// be made again, which a capture cannot. A link under the name is replaced and not followed.
fn save(file: &Path, text: &str) -> Result<bool, Failure> {
    let failed = |error: std::io::Error| Failure::new(OUTPUT, format!("{}: {error}", file.display()));
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let beside = file.with_file_name(format!(".{name}.partial-{}", std::process::id()));
    let there = file.symlink_metadata().is_ok();
    // Nothing that has this name is written to, and no link with it is followed.
    let mut partial =
        std::fs::File::options().write(true).create_new(true).open(&beside).map_err(|error| {
            Failure::new(OUTPUT, format!("{}: {error}; nothing was written", beside.display()))
        })?;
    let written = std::io::Write::write_all(&mut partial, text.as_bytes());
    written.and_then(|()| std::fs::rename(&beside, file)).map_err(|error| {
        // It can be made again; that what is left of it cannot be removed is told by the error as well.
        let _ = std::fs::remove_file(&beside);
        failed(error)
    })?;
    Ok(there)
}
