//! `check`.

use crate::check::finding::Status;
use crate::check::profile::{EMBEDDED, Profile, Setting};
use crate::check::registry::{self, Severity};
use crate::check::run;
use crate::check::subject::Surroundings;
use crate::inspect::check::{self, explanations};
use crate::inspect::suggest::{Known, nearest};
use crate::machine::Function;
use crate::machine::reading::Depth;
use crate::render::{junit, ocptv, prometheus, text};

use super::arguments::{CheckOptions, Format, Global, Selection};
use super::run::{Failure, NO_INPUT, NOT_FOUND, Outcome, Session, USAGE, json, style};

/// Something failed.
const FAILED: u8 = 2;
/// Something was warned about.
const WARNED: u8 = 1;

pub fn run(global: &Global, selection: &Selection, options: &CheckOptions) -> Result<Outcome, Failure> {
    for id in options.only.iter().chain(&options.skip) {
        known(id)?;
    }
    if options.list {
        return list(global);
    }
    let mut profile = profile(&options.profile)?;
    for id in &options.only {
        switch_on(&mut profile, id);
    }
    let mut session = Session::open(global, selection, Depth::Full, true)?;
    let notes = std::mem::take(&mut session.notes);
    let inspection = session.inspection();
    let around = Surroundings {
        machine: &session.machine,
        platform: &session.platform,
        interrupts: session.interrupts.as_deref(),
        tree: inspection.tree,
        live: inspection.live,
        mmio: options.mmio,
        profile: &profile,
        busy: options.busy,
    };
    let wanted = |check: &registry::Check| {
        let named = |ids: &[String]| ids.iter().any(|id| id == check.id);
        (options.only.is_empty() || named(&options.only)) && !named(&options.skip)
    };
    let findings = run::run(around, functions(&session), &wanted);
    // Formats for other programs list what passed: a test that is not named was not made.
    let others = !matches!(global.format, Format::Text | Format::Json);
    let answer =
        check::check(inspection, &options.profile, &findings, &options.only, options.all || others, notes);
    // That a function does not answer is what its presence check tells.
    let told: Vec<String> = session.machine.wanted.iter().map(|address| format!("{address}: ")).collect();
    session.complaints.retain(|complaint| !told.iter().any(|address| complaint.starts_with(address)));
    let mut complaints = Vec::new();
    for id in &options.only {
        let made =
            |f: &&crate::check::finding::Finding| f.check.id == id && f.status != Status::NotApplicable;
        if findings.iter().find(made).is_none() {
            complaints.push(format!("check {id}: applies to nothing that was checked, so it was not made"));
        }
    }
    let text = match global.format {
        Format::Json => json(&answer)?,
        Format::Junit => junit::junit(&answer),
        Format::Ocptv => ocptv::ocptv(&answer, now()?).map_err(|e| Failure::new(super::run::INTERNAL, e))?,
        Format::Prometheus => prometheus::prometheus(&answer),
        Format::Text => text::check::check(&answer, session.style),
    };
    let status = exit_status(answer.result, options.fail_on.into());
    let mut outcome = session.outcome(text);
    outcome.complaints.extend(complaints);
    outcome.status = match (status, outcome.complaints.is_empty()) {
        (FAILED, _) | (_, true) => status,
        (_, false) => NOT_FOUND,
    };
    Ok(outcome)
}

fn exit_status(result: Status, least: Status) -> u8 {
    match result {
        Status::Fail => FAILED,
        Status::Unknown if least <= Status::Unknown => NOT_FOUND,
        Status::Warn if least <= Status::Warn => WARNED,
        _ => 0,
    }
}

/// What is wanted and, of functions that were asked for by name, the bridges above: a link has two ends.
pub fn functions(session: &Session) -> Vec<&Function> {
    let mut addresses = session.machine.wanted.clone();
    for function in session.machine.wanted() {
        addresses.extend(session.machine.path(function).iter().map(|f| f.address));
    }
    addresses.sort_unstable();
    addresses.dedup();
    addresses.into_iter().filter_map(|address| session.machine.get(address)).collect()
}

fn known(id: &str) -> Result<(), Failure> {
    if registry::find(id).is_some() {
        return Ok(());
    }
    let known = registry::all().map(|c| Known { path: c.id.to_owned(), others: Vec::new() }).collect();
    Err(Failure::new(USAGE, format!("{id}: there is no check of that name; {}", nearest(known, id))))
}

/// A check that was asked for by name is made even if the profile has it off.
pub fn switch_on(profile: &mut Profile, id: &str) {
    let off = registry::find(id).is_some_and(|check| profile.severity(check) == Severity::Off);
    if off {
        let setting = profile.settings.entry(id.to_owned()).or_insert_with(|| Setting {
            severity: None,
            threshold: None,
            why: "asked for by name".to_owned(),
        });
        setting.severity = Some(Severity::Warn);
    }
}

/// A profile by name or from a file.
pub fn profile(name: &str) -> Result<Profile, Failure> {
    // As with every file that may be meant instead of a name: it has a slash in it or ends in .toml.
    if name.contains('/') || name.ends_with(".toml") {
        let text =
            std::fs::read_to_string(name).map_err(|e| Failure::new(NO_INPUT, format!("{name}: {e}")))?;
        return Profile::parse(&text).map_err(|e| Failure::new(USAGE, format!("{name}: {e}")));
    }
    match Profile::embedded(name) {
        Some(profile) => {
            profile.map_err(|e| Failure::new(super::run::INTERNAL, format!("profile {name}: {e}")))
        }
        None => {
            let names: Vec<&str> = EMBEDDED.iter().map(|(name, _)| *name).collect();
            let names = names.join(", ");
            Err(Failure::new(
                USAGE,
                format!("--profile {name}: expected one of {names}, or a file with / or .toml"),
            ))
        }
    }
}

fn list(global: &Global) -> Result<Outcome, Failure> {
    let text = match global.format {
        Format::Json => json(&explanations())?,
        Format::Text => text::check::list(&explanations(), style(global)),
        _ => return Err(Failure::new(USAGE, "check --list: expected --format text or json")),
    };
    Ok(Outcome::text(text))
}

/// The time, or what SOURCE_DATE_EPOCH says it is.
fn now() -> Result<std::time::SystemTime, Failure> {
    let Ok(seconds) = std::env::var("SOURCE_DATE_EPOCH") else { return Ok(std::time::SystemTime::now()) };
    let seconds: u64 = seconds.parse().map_err(|_| {
        Failure::new(USAGE, format!("SOURCE_DATE_EPOCH={seconds}: expected seconds since 1970"))
    })?;
    Ok(std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds))
}
