//! `check`.

mod command;
mod observe;

use std::time::Duration;

use crate::check::earlier::{Earlier, of_unknown_age};
use crate::check::expectation::{Expectation, facts::read_facts, learn::learn};
use crate::check::finding::Status;
use crate::check::history::History;
use crate::check::profile::{EMBEDDED, Profile, Setting};
use crate::check::registry::{self, Severity};
use crate::check::subject::Surroundings;
use crate::check::{not_made, run, under_load};
use crate::inspect::check::{self, explanations};
use crate::inspect::suggest::{Known, nearest};
use crate::machine::reading::Depth;
use crate::machine::{Function, Machine, State};
use crate::render::{junit, ocptv, prometheus, text};

use super::arguments::{CheckOptions, Format, Global, Selection};
use super::progress::Progress;
use super::run::{
    Failure, INTERNAL, NO_INPUT, NOT_FOUND, Need, Outcome, Session, USAGE, check_log, json, open_source, say,
    style,
};
use observe::{Moment, Observed};

/// The check that every entry of an expectation finds its devices.
const COUNT: &str = "presence-count";
/// Something failed.
const FAILED: u8 = 2;
/// Something was warned about.
const WARNED: u8 = 1;

pub fn run(global: &Global, selection: &Selection, options: &CheckOptions) -> Result<Outcome, Failure> {
    for id in options.only.iter().chain(&options.skip) {
        known(id)?;
    }
    let mut profile = profile(&options.profile)?;
    if options.list {
        return list(global, &profile);
    }
    let time = observe::time(options)?;
    for id in &options.only {
        switch_on(&mut profile, id);
    }
    let mut expectation = options.expect.as_deref().map(expectation).transpose()?;
    if (expectation.is_some() || options.learn) && selection.is_named() {
        let text =
            "--expect, --learn: an expectation is of the whole machine; leave addresses and filters out";
        return Err(Failure::new(USAGE, text));
    }
    if options.learn && global.format != Format::Text {
        return Err(Failure::new(USAGE, "check --learn: it writes TOML; leave --format out"));
    }
    let asked = |id: &str| options.only.iter().any(|only| only == id);
    let product_data = registry::find("vpd-readable").is_some_and(|c| profile.severity(c) != Severity::Off)
        && (options.only.is_empty() || asked("vpd-readable"))
        || expectation.as_ref().is_some_and(Expectation::needs_vital_product_data);
    let need = Need {
        depth: Depth::Full,
        platform: true,
        log: true,
        vital_product_data: product_data,
        everybody: true,
    };
    check_log(global)?;
    let twice = time.is_some() || options.command.is_some();
    let (mut session, before) = if twice {
        if global.log.is_some() {
            let text = "--log: with --for and --while the log is that of the machine itself; leave it out";
            return Err(Failure::new(USAGE, text));
        }
        let observed = observe::observe(global, selection, options, time, need)?;
        let Observed { session, first, loaded, history, elapsed, complaints } = observed;
        (session, Some(Before { first, loaded, history, elapsed, complaints }))
    } else {
        let source = open_source(global)?;
        let mut progress = Progress::patient();
        let session = Session::read(source, global, selection, need, &mut |done, all| {
            progress.tell(|| format!("check: {done} of {all} functions"))
        });
        progress.end();
        (session?, None)
    };
    let notes = std::mem::take(&mut session.notes);
    // That a function does not answer is what its presence check tells.
    let told: Vec<String> = session.machine.wanted.iter().map(|address| format!("{address}: ")).collect();
    session.complaints.retain(|complaint| !told.iter().any(|address| complaint.starts_with(address)));
    let inspection = session.inspection();
    if expectation.is_some() || options.learn {
        let deadline = Duration::from_secs_f64(global.deadline);
        let facts = read_facts(inspection.tree, inspection.live, &session.machine, deadline);
        expectation.get_or_insert_default().facts = facts;
    }
    let earlier = before.as_ref().map(|before| before.earlier(before.elapsed));
    let around = Surroundings {
        interrupts: session.interrupts.as_deref(),
        live: inspection.live,
        mmio: options.mmio,
        busy: options.busy,
        named: options.busy || selection.is_named(),
        log: session.log.as_ref(),
        expectation: expectation.as_ref().filter(|_| options.expect.is_some()),
        earlier: earlier.as_ref(),
        ..Surroundings::new(&session.machine, &session.platform, inspection.tree, &profile)
    };
    if let (true, Some(expectation)) = (options.learn, &expectation) {
        let title = |function: &Function| crate::inspect::list::title(inspection.names, function);
        let (text, complaints) = learn(around, &expectation.facts, &title);
        let mut outcome = session.outcome(text);
        outcome.complaints.extend(complaints);
        return Ok(outcome);
    }
    let wanted = |check: &registry::Check| {
        let named = |ids: &[String]| ids.iter().any(|id| id == check.id);
        // An entry of an expectation that finds nothing would leave every other check of it without anything to judge.
        let counts = check.id == COUNT && options.expect.is_some();
        (options.only.is_empty() || named(&options.only) || counts) && !named(&options.skip)
    };
    let mut findings = run::run(around, functions(&session.machine), &wanted);
    if let Some(before) = &before
        && let Some((moment, since)) = &before.loaded
    {
        let earlier = before.earlier(*since);
        let loaded = Surroundings {
            machine: &moment.machine,
            interrupts: moment.interrupts.as_deref(),
            busy: true,
            earlier: Some(&earlier),
            ..around
        };
        let loaded = run::run(loaded, functions(&moment.machine), &wanted);
        let there = |address| {
            let after = session.machine.get(address).map(|function| function.presence.state);
            matches!(after, Some(State::Answering | State::Asleep))
        };
        findings = under_load::together(loaded, findings, &there);
    }
    if !twice {
        of_unknown_age(&mut findings);
    }
    findings.extend(not_made::of_nothing(&session.machine, &session.complaints));
    let not_made = not_made::add(&mut findings, &options.only, twice, options.expect.is_some());
    // Formats for other programs list what passed: a test that is not named was not made.
    let others = !matches!(global.format, Format::Text | Format::Json);
    let mut answer =
        check::check(inspection, &options.profile, &findings, &options.only, options.all || others, notes);
    answer.seconds = before.as_ref().map(|before| before.elapsed.as_millis() as f64 / 1000.0);
    answer.under_load = before.as_ref().map(|before| before.loaded.is_some());
    let text = match global.format {
        Format::Json => json(&answer)?,
        Format::Junit => junit::junit(&answer, &command_line()),
        Format::Ocptv => {
            ocptv::ocptv(&answer, &command_line(), now()?).map_err(|e| Failure::new(INTERNAL, e))?
        }
        Format::Prometheus => prometheus::prometheus(&answer),
        Format::Text => text::check::check(&answer, session.style),
    };
    let status = exit_status(answer.result, options.fail_on.into());
    let mut outcome = session.outcome(text);
    outcome.complaints.extend(before.map(|before| before.complaints).unwrap_or_default());
    // These are findings too: as such they decide the exit status, and --fail-on has a say.
    not_made.iter().for_each(|line| say(line));
    outcome.status = match (status, outcome.complaints.is_empty()) {
        (FAILED, _) | (_, true) => status,
        (_, false) => NOT_FOUND,
    };
    Ok(outcome)
}

/// What was run, as it would be typed.
fn command_line() -> String {
    let plain = |word: &str| {
        !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:,@=%+*".contains(c))
    };
    let typed = |word: String| if plain(&word) { word } else { format!("'{}'", word.replace('\'', "'\\''")) };
    let words = std::env::args_os().skip(1).map(|word| typed(word.to_string_lossy().into_owned()));
    std::iter::once("pciscope".to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}

/// What was read before the last reading.
struct Before {
    first: Moment,
    loaded: Option<(Moment, Duration)>,
    history: History,
    elapsed: Duration,
    complaints: Vec<String>,
}

impl Before {
    /// The first reading, as seen from one that was made so long after it.
    fn earlier(&self, elapsed: Duration) -> Earlier<'_> {
        Earlier {
            machine: &self.first.machine,
            interrupts: self.first.interrupts.as_deref(),
            elapsed,
            history: &self.history,
        }
    }
}

/// Reads an expectation.
pub fn expectation(file: &str) -> Result<Expectation, Failure> {
    let text = std::fs::read_to_string(file).map_err(|e| Failure::new(NO_INPUT, format!("{file}: {e}")))?;
    Expectation::parse(&text, file).map_err(|e| Failure::new(USAGE, e))
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
pub fn functions(machine: &Machine) -> Vec<&Function> {
    let mut addresses = machine.wanted.clone();
    for function in machine.wanted() {
        addresses.extend(machine.path(function).iter().map(|f| f.address));
    }
    addresses.sort_unstable();
    addresses.dedup();
    addresses.into_iter().filter_map(|address| machine.get(address)).collect()
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
        return Profile::parse(&text).map_err(|mistake| Failure::new(USAGE, mistake.in_file(name)));
    }
    match Profile::embedded(name) {
        Some(profile) => profile.map_err(|e| Failure::new(INTERNAL, format!("profile {name}: {e}"))),
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

fn list(global: &Global, profile: &Profile) -> Result<Outcome, Failure> {
    let mut checks = explanations();
    for check in &mut checks {
        check.severity = registry::find(check.id).map_or(check.severity, |c| profile.severity(c).name());
    }
    let text = match global.format {
        Format::Json => json(&checks)?,
        Format::Text => text::check::list(&checks, style(global)),
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
