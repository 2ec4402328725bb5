//! Readings of a machine at the beginning and at the end of a time, and looks at its links in between: of the live machine
//! while time passes, of a simulated one at some moments. While a command loads the machine, it is read in full each time.

use std::time::{Duration, Instant};

use crate::check::history::{History, Work};
use crate::machine::interrupts::{Line, read_interrupts};
use crate::machine::reading::Depth;
use crate::machine::{self, Machine, Scope};
use crate::simulate::clock::{DURATION, duration};
use crate::simulate::scenario::Scenario;
use crate::simulate::source as simulated;
use crate::tree::source::{Kind, Opened, Source};

use super::super::arguments::{CheckOptions, Global, Selection};
use super::super::progress::Progress;
use super::super::run::{Failure, NO_INPUT, Need, Session, USAGE, moment, open_any};
use super::command::Load;

/// A machine at a moment.
pub struct Moment {
    /// The machine.
    pub machine: Machine,
    /// `/proc/interrupts`, if the source has it.
    pub interrupts: Option<Vec<Line>>,
}

/// What the readings gave.
pub struct Observed {
    /// The last reading, with everything around it.
    pub session: Session,
    /// The first one.
    pub first: Moment,
    /// The last one that was made from beginning to end while the command was running, and when.
    pub loaded: Option<(Moment, Duration)>,
    /// Links at every reading.
    pub history: History,
    /// Time between the first and the last reading.
    pub elapsed: Duration,
    /// What is to be told, a line each.
    pub complaints: Vec<String>,
}

/// Ended by a signal, as shells say it for SIGINT: 128 + 2.
const INTERRUPTED: u8 = 130;
/// How often links are looked at, at most.
const TICK: Duration = Duration::from_secs(1);
/// How often links of a simulated machine are looked at, at most.
const LOOKS: u64 = 120;

/// What `--for` says.
pub fn time(options: &CheckOptions) -> Result<Option<Duration>, Failure> {
    let Some(text) = &options.time else { return Ok(None) };
    let wrong = || Failure::new(USAGE, format!("--for {text}: expected {DURATION}, and more than none"));
    match duration(text).ok_or_else(wrong)? {
        0 => Err(wrong()),
        microseconds => Ok(Some(Duration::from_micros(microseconds))),
    }
}

/// Reads a machine at least twice.
pub fn observe(
    global: &Global,
    selection: &Selection,
    options: &CheckOptions,
    time: Option<Duration>,
    need: Need,
) -> Result<Observed, Failure> {
    let failed = |error: simulated::SimulationError| Failure::new(NO_INPUT, error);
    match open_any(global.from.as_deref())? {
        Opened::Source(source) if source.kind == Kind::Live => {
            if global.at.is_some() {
                return Err(Failure::new(USAGE, "--at: only a scenario (--from FILE.toml) has moments"));
            }
            live(source, global, selection, options, time, need)
        }
        Opened::Source(source) => Err(Failure::new(
            USAGE,
            format!(
                "--for, --while: {} does not change; expected this machine or a scenario",
                source.description
            ),
        )),
        Opened::Description { name, text, at } => {
            if options.command.is_some() {
                let text = "--while: a command cannot load a simulated machine; use --for and --busy";
                return Err(Failure::new(USAGE, text));
            }
            let at = moment(at.as_deref(), global.at.as_deref())?;
            let scenario = simulated::from_text(&text, &name, None).map_err(failed)?;
            let time = time.unwrap_or(TICK);
            simulation(&scenario, at, global, selection, (time, work(options)), need)
        }
    }
}

fn scope<'a>(
    global: &Global,
    depth: Depth,
    wanted: &'a (dyn Fn(crate::pci::Bdf) -> bool + Sync),
) -> Scope<'a> {
    let deadline = Duration::from_secs_f64(global.deadline);
    Scope { depth, wanted, wake: global.wake, deadline, vital_product_data: false }
}

fn read(
    source: &Source,
    global: &Global,
    selection: &Selection,
    depth: Depth,
    watch: &mut dyn FnMut(usize, usize) -> bool,
) -> Result<Moment, Failure> {
    // What is judged is compared with the others.
    let wanted = |address| depth != Depth::Summary || selection.wants(address);
    let live = source.kind == Kind::Live;
    let mut interrupts = None;
    let around = || {
        if depth != Depth::Summary {
            interrupts = read_interrupts(&*source.tree);
        }
    };
    let scope = scope(global, depth, &wanted);
    let machine = machine::load_watched(&*source.tree, live, scope, around, live.then_some(watch));
    let mut machine = machine.map_err(|e| Failure::new(NO_INPUT, e))?;
    selection.settle(&mut machine);
    Ok(Moment { machine, interrupts })
}

/// Whether functions have work while no command gives them any.
fn work(options: &CheckOptions) -> Work {
    if options.busy { Work::Steady } else { Work::Unknown }
}

/// The simulated machine at a moment and some time later. Without a moment, the second reading is at the end of the timeline.
fn simulation(
    scenario: &Scenario,
    at: Option<u64>,
    global: &Global,
    selection: &Selection,
    (time, work): (Duration, Work),
    need: Need,
) -> Result<Observed, Failure> {
    let length = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    let start = at.unwrap_or_else(|| scenario.end().saturating_sub(length));
    let source = |at: u64| {
        simulated::source_later(scenario, start.saturating_add(at)).map_err(|e| Failure::new(NO_INPUT, e))
    };
    let mut history = History::default();
    let mut quiet = |_: usize, _: usize| true;
    let first = read(&source(0)?, global, selection, need.depth, &mut quiet)?;
    history.look(&first.machine, Duration::ZERO, work);
    let looks = (length / 1_000_000).clamp(1, LOOKS);
    for look in 1..looks {
        // Not at regular intervals: what comes and goes regularly must not hide between them.
        let interval = length / looks;
        let at = interval * look + interval * (look * 7 % 10) / 20;
        let between = read(&source(at)?, global, selection, Depth::Summary, &mut quiet)?;
        history.look(&between.machine, Duration::from_micros(at), work);
    }
    let session = Session::read(source(length)?, global, selection, need, &mut quiet)?;
    history.look(&session.machine, time, work);
    Ok(Observed { session, first, loaded: None, history, elapsed: time, complaints: Vec::new() })
}

fn live(
    source: Source,
    global: &Global,
    selection: &Selection,
    options: &CheckOptions,
    time: Option<Duration>,
    need: Need,
) -> Result<Observed, Failure> {
    let mut progress = Progress::catching();
    let stopped = || Failure::new(INTERRUPTED, "interrupted: nothing was judged");
    let reading = |progress: &mut Progress, depth| {
        read(&source, global, selection, depth, &mut |done, all| {
            progress.tell(|| format!("check: {done} of {all} functions"))
        })
    };
    let first = reading(&mut progress, need.depth)?;
    let mut history = History::default();
    let without_command = work(options);
    history.look(&first.machine, Duration::ZERO, without_command);
    let mut load = match &options.command {
        Some(command) => {
            let load = Load::start(command);
            Some(load.map_err(|e| Failure::new(NO_INPUT, format!("--while: /bin/sh: {e}")))?)
        }
        None => None,
    };
    let mut loaded: Option<(Moment, Duration)> = None;
    let began = Instant::now();
    let mut next = TICK.min(time.unwrap_or(TICK));
    let is_over = |load: &mut Option<Load>| {
        time.is_some_and(|time| began.elapsed() >= time) || load.as_mut().is_some_and(Load::has_ended)
    };
    loop {
        while began.elapsed() < next && !is_over(&mut load) {
            let left = next.saturating_sub(began.elapsed());
            progress.wait(left.min(Duration::from_millis(100)));
            if !progress.tell(|| waiting(began.elapsed(), time, options.command.as_deref())) {
                progress.end();
                // The command ends with `load`.
                return Err(stopped());
            }
        }
        if load.as_mut().is_some_and(Load::has_ended) {
            break;
        }
        let over = is_over(&mut load);
        if load.is_none() && over {
            break;
        }
        let depth = if load.is_some() { need.depth } else { Depth::Summary };
        let since = began.elapsed();
        let look = reading(&mut progress, depth)?;
        // Every reading counts for links; of what counters and registers say, the last one under load holds it all.
        if load.as_mut().is_some_and(|load| !load.has_ended()) {
            history.look(&look.machine, since, Work::Begun);
            loaded = Some((look, since));
        } else {
            history.look(&look.machine, since, without_command);
        }
        if over {
            break;
        }
        // Looking must not itself be the load.
        let cost = began.elapsed().saturating_sub(since);
        next = (began.elapsed() + TICK.max(cost * 10)).min(time.unwrap_or(Duration::MAX));
    }
    if progress.interrupted() {
        progress.end();
        return Err(stopped());
    }
    let mut complaints = Vec::new();
    if let (Some(load), Some(command)) = (&mut load, &options.command) {
        let by_itself = load.has_ended();
        load.stop();
        if let Some(why) = load.failure().filter(|_| by_itself) {
            complaints.push(format!("--while: `{command}` failed: {why}"));
        }
    }
    let elapsed = began.elapsed();
    let session = Session::read(source, global, selection, need, &mut |done, all| {
        progress.tell(|| format!("check: {done} of {all} functions"))
    })?;
    progress.end();
    if progress.interrupted() {
        return Err(stopped());
    }
    history.look(&session.machine, elapsed, without_command);
    if load.is_some() && loaded.is_none() {
        let text =
            "--while: the command ended before the machine could be read; nothing was judged under load";
        complaints.push(text.to_owned());
    }
    // Vital product data is read once, after the load: the device hands it out slowly, and would do so beside its work.
    if let Some((moment, _)) = &mut loaded {
        for function in &mut moment.machine.functions {
            let after = session.machine.get(function.address);
            function.reading.vital_product_data = after.and_then(|f| f.reading.vital_product_data.clone());
        }
    }
    Ok(Observed { session, first, loaded, history, elapsed, complaints })
}

fn waiting(elapsed: Duration, time: Option<Duration>, command: Option<&str>) -> String {
    let seconds = elapsed.as_secs();
    let of = time.map_or_else(String::new, |time| format!(" of {}", crate::check::earlier::seconds(time)));
    let command = command.map_or_else(String::new, |command| format!(" while `{command}` runs"));
    format!("check: {seconds} s{of}{command}")
}
