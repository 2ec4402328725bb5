//! From arguments to exit status.

use std::io::{ErrorKind, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use clap::error::ErrorKind as Usage;

use crate::inspect::Inspection;
use crate::kernel_log::Log;
use crate::machine::interrupts::Line;
use crate::machine::platform::Platform;
use crate::machine::reading::Depth;
use crate::machine::{self, Machine, Scope};
use crate::names::Names;
use crate::render::style::Style;
use crate::simulate;
use crate::tree::source::{self, Kind, Opened, Source};

use super::arguments::{Arguments, Color, Command, Format, Global, Selection};

/// Wrong usage (sysexits.h: EX_USAGE).
pub const USAGE: u8 = 64;
/// The source cannot be read (EX_NOINPUT).
pub const NO_INPUT: u8 = 66;
/// Standard output could not be written (EX_IOERR).
pub const OUTPUT: u8 = 74;
/// A defect of pciscope (EX_SOFTWARE).
pub const INTERNAL: u8 = 70;
/// Something that was asked for was not found or does not answer.
pub const NOT_FOUND: u8 = 3;

/// Why a command ended without doing what was asked.
pub struct Failure {
    /// Exit status.
    pub status: u8,
    /// One line.
    pub message: String,
}

impl Failure {
    /// A failure with its exit status.
    pub fn new(status: u8, message: impl ToString) -> Self {
        Failure { status, message: message.to_string() }
    }
}

/// What a command gives back: the text to print, and lines about what was asked for and is not there.
pub struct Outcome {
    /// For standard output.
    pub text: String,
    /// For standard error; if there is any, the exit status is 3 unless `status` says otherwise.
    pub complaints: Vec<String>,
    /// Exit status; 0 leaves it to the complaints.
    pub status: u8,
}

impl Outcome {
    /// Text and nothing to complain about.
    pub fn text(text: String) -> Self {
        Outcome { text, complaints: Vec::new(), status: 0 }
    }
}

/// Runs the program with the arguments of this process.
pub fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            if matches!(error.kind(), Usage::DisplayHelp) {
                let _ = error.print();
                return ExitCode::SUCCESS;
            }
            let text = match error.kind() {
                Usage::DisplayHelpOnMissingArgumentOrSubcommand => {
                    "simulate: expected list, build, test or machine; `pciscope simulate --help` explains them"
                        .to_owned()
                }
                _ => format!("{}; `pciscope --help` explains the options", one_line(&error.to_string())),
            };
            say(&text);
            return USAGE.into();
        }
    };
    match dispatch(arguments) {
        Ok(outcome) => finish(&outcome),
        Err(failure) => {
            say(&failure.message);
            failure.status.into()
        }
    }
}

/// One line on standard error. If that cannot be written, nobody is left to tell.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "pciscope: {line}");
}

/// The first paragraph of a message, on one line.
fn one_line(message: &str) -> String {
    let message = message.strip_prefix("error: ").unwrap_or(message);
    let paragraph = message.split("\n\n").next().unwrap_or(message);
    paragraph.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn finish(outcome: &Outcome) -> ExitCode {
    if let Err(failure) = print(&outcome.text) {
        say(&failure.message);
        return failure.status.into();
    }
    for complaint in &outcome.complaints {
        say(complaint);
    }
    match (outcome.status, outcome.complaints.is_empty()) {
        (0, true) => ExitCode::SUCCESS,
        (0, false) => NOT_FOUND.into(),
        (status, _) => status.into(),
    }
}

/// Writes to standard output. False: the reader went away (`pciscope show | head`), and nobody is left to tell.
pub fn print(text: &str) -> Result<bool, Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::new(OUTPUT, format!("standard output: {error}"))),
    }
}

fn dispatch(arguments: Arguments) -> Result<Outcome, Failure> {
    let Arguments { global, command } = arguments;
    if global.version {
        return version(&global);
    }
    let Some(command) = command else {
        return Err(Failure::new(
            USAGE,
            "expected a command: list, show, msix, path, check, diagnose, diff, report, log, explain, capture, verify or simulate; `pciscope --help` explains them",
        ));
    };
    if !(global.deadline > 0.0 && global.deadline <= 3600.0) {
        return Err(Failure::new(USAGE, "--deadline: expected a number of seconds above 0 and up to 3600"));
    }
    if !matches!(global.format, Format::Text | Format::Json) && !matches!(command, Command::Check { .. }) {
        return Err(Failure::new(
            USAGE,
            "--format: this command prints text or json; the others are for check",
        ));
    }
    match command {
        Command::Check { selection, options } => super::check::run(&global, &selection, &options),
        Command::Diagnose { selection, options } => super::diagnose::run(&global, &selection, &options),
        Command::List { selection, tree } => super::list::run(&global, &selection, tree),
        Command::Show { selection, field, raw, hex, vpd } => {
            super::show::run(&global, &selection, field.as_deref(), raw, hex, vpd)
        }
        Command::Msix { selection, mmio } => super::msix::run(&global, &selection, mmio),
        Command::Explain { name } => super::explain::run(&global, &name.join(" ")),
        Command::Log { addresses, all } => super::log::run(&global, &addresses, all),
        Command::Capture { output, folder, vpd, mmio, sign, with_tools, redaction } => {
            let (output, sign) = (output.as_deref(), sign.as_deref());
            let vital_product_data = vpd;
            let wanted = super::capture::Wanted {
                output,
                folder,
                vital_product_data,
                mmio,
                sign,
                with_tools,
                redaction,
            };
            super::capture::run(&global, &wanted)
        }
        Command::Verify { file, signers } => super::verify::run(&global, &file, signers.as_deref()),
        Command::Diff { first, second, by, slot, device, all } => {
            let chosen = super::diff::Chosen { slot: slot.as_ref(), device: device.as_ref() };
            super::diff::run(&global, (&first, second.as_deref()), by.into(), chosen, all)
        }
        Command::Report { selection, options } => super::report::run(&global, &selection, &options),
        Command::Path { selection } => super::path::run(&global, &selection),
        Command::Simulate(command) => super::simulate::run(&global, command),
    }
}

fn version(global: &Global) -> Result<Outcome, Failure> {
    let mut text = format!("pciscope {}\n", env!("CARGO_PKG_VERSION"));
    if global.verbose {
        let names = names(global)?;
        for line in names.version_lines() {
            text.push_str(&line);
            text.push('\n');
        }
    }
    Ok(Outcome { text, complaints: Vec::new(), status: 0 })
}

/// The table of names.
pub fn names(global: &Global) -> Result<Names, Failure> {
    let embedded = global.ids.as_deref().is_some_and(|name| name.as_os_str() == "embedded");
    if embedded {
        return Ok(Names::embedded());
    }
    let names = Names::choose(global.ids.as_deref()).map_err(|e| Failure::new(NO_INPUT, e))?;
    if let Some(warning) = names.warning() {
        say(&warning);
    }
    Ok(names)
}

/// What an argument names: a source, or something that is simulated. A scenario or machine that is shipped may be named by
/// its name; a file or folder that is really called so comes first.
pub fn open_any(argument: Option<&str>) -> Result<Opened, Failure> {
    let shipped = argument.filter(|name| !Path::new(name).exists()).and_then(|name| {
        let (base, at) = name.split_once('@').map_or((name, None), |(base, at)| (base, Some(at.to_owned())));
        let found = simulate::library::find(base)?;
        Some(Opened::Description { name: base.to_owned(), text: found.text.to_owned(), at })
    });
    shipped.map_or_else(|| source::open_any(argument).map_err(|e| Failure::new(NO_INPUT, e)), Ok)
}

/// Opens what `--from` names, at the moment that `--at` says.
pub fn open_source(global: &Global) -> Result<Source, Failure> {
    let failed = |error: simulate::scenario::SimulationError| Failure::new(NO_INPUT, error);
    match open_any(global.from.as_deref())? {
        Opened::Source(source) => match &global.at {
            None => Ok(source),
            Some(_) => Err(Failure::new(USAGE, "--at: only a scenario (--from FILE.toml) has moments")),
        },
        Opened::Description { name, text, at } => {
            let at = moment(at.as_deref(), global.at.as_deref())?;
            let scenario = simulate::source::from_text(&text, &name, None).map_err(failed)?;
            simulate::source::source(&scenario, at).map_err(failed)
        }
    }
}

/// The moment that was written behind the name of a scenario, or with `--at`.
pub fn moment(behind: Option<&str>, option: Option<&str>) -> Result<Option<u64>, Failure> {
    match (behind, option) {
        (Some(_), Some(_)) => {
            Err(Failure::new(USAGE, "--at: the scenario names a moment already, FILE@TIME"))
        }
        (None, None) => Ok(None),
        (Some(text), None) | (None, Some(text)) => {
            simulate::source::moment(text).map(Some).map_err(|e| Failure::new(USAGE, e))
        }
    }
}

/// What a command needs of a source.
#[derive(Debug, Clone, Copy)]
pub struct Need {
    /// How much of each function.
    pub depth: Depth,
    /// Firmware and command line as well.
    pub platform: bool,
    /// With them the events of the kernel log.
    pub log: bool,
    /// Vital product data.
    pub vital_product_data: bool,
    /// Every function, whichever were asked for: what judges one compares it with the others.
    pub everybody: bool,
}

/// Everything that a command works on.
pub struct Session {
    /// The source.
    pub source: Source,
    /// The machine.
    pub machine: Machine,
    /// Firmware and command line.
    pub platform: Platform,
    /// `/proc/interrupts`, if the source has it and the command needs the platform.
    pub interrupts: Option<Vec<Line>>,
    /// Events of the kernel log of the current boot, if there is one and the command needs it.
    pub log: Option<Log>,
    /// Names of devices.
    pub names: Names,
    /// Lines about what was asked for and is not there.
    pub complaints: Vec<String>,
    /// Notes for the answer.
    pub notes: Vec<String>,
    /// How text is to look.
    pub style: Style,
    /// Whether JSON is wanted.
    pub json: bool,
}

impl Session {
    /// Reads what the selection asks for. `platform`: the command needs firmware and command line as well.
    pub fn open(
        global: &Global,
        selection: &Selection,
        depth: Depth,
        platform: bool,
    ) -> Result<Self, Failure> {
        Self::open_with(global, selection, depth, platform, false)
    }

    /// The same, with or without vital product data.
    pub fn open_with(
        global: &Global,
        selection: &Selection,
        depth: Depth,
        platform: bool,
        vital_product_data: bool,
    ) -> Result<Self, Failure> {
        check_log(global)?;
        let need = Need { depth, platform, log: false, vital_product_data, everybody: false };
        Self::read(open_source(global)?, global, selection, need, &mut |_, _| true)
    }

    /// Reads a source that is open. Of the live machine, `watch` is told how many functions were read, and of how many.
    pub fn read(
        source: Source,
        global: &Global,
        selection: &Selection,
        need: Need,
        watch: &mut dyn FnMut(usize, usize) -> bool,
    ) -> Result<Self, Failure> {
        let live = source.kind == Kind::Live;
        let wanted = |address| need.everybody || selection.wants(address);
        let deadline = Duration::from_secs_f64(global.deadline);
        let Need { depth, vital_product_data, .. } = need;
        let scope = Scope { depth, wanted: &wanted, wake: global.wake, deadline, vital_product_data };
        let (mut interrupts, mut about, mut read) = (None, Platform::default(), None);
        let around = || {
            if need.platform {
                interrupts = machine::interrupts::read_interrupts(&*source.tree);
                let (tree, file) = (&*source.tree, global.log.as_deref());
                if need.log {
                    let (platform, log) =
                        machine::platform::read_platform_and_log(tree, live, interrupts.as_deref(), file);
                    (about, read) = (platform, Some(log));
                } else {
                    about = machine::platform::read_platform_with(tree, live, interrupts.as_deref(), file);
                }
            }
        };
        let mut machine = machine::load_watched(&*source.tree, live, scope, around, live.then_some(watch))
            .map_err(|e| Failure::new(NO_INPUT, e))?;
        // A log that a person named must be read; that a machine has none is told by who looks for it.
        let log = match read {
            Some(Err(error)) if global.log.is_some() => return Err(Failure::new(NO_INPUT, error)),
            read => read.and_then(Result::ok),
        };
        let complaints = selection.settle(&mut machine);
        let mut notes = source.notes.clone();
        notes.extend(
            machine.strange.iter().map(|name| {
                format!("sys/bus/pci/devices/{}: not an address, left out", name.escape_default())
            }),
        );
        Ok(Session {
            names: names(global)?,
            style: style(global),
            json: global.format == Format::Json,
            source,
            machine,
            platform: about,
            interrupts,
            log,
            complaints,
            notes,
        })
    }

    /// The parts that answers are made from.
    pub fn inspection(&self) -> Inspection<'_> {
        Inspection {
            machine: &self.machine,
            tree: &*self.source.tree,
            live: self.source.kind == Kind::Live,
            names: &self.names,
            platform: &self.platform,
        }
    }

    /// The outcome of a command that prints `text`.
    pub fn outcome(self, text: String) -> Outcome {
        // The process ends next. To give back the memory of thousands of functions piece by piece takes as long as to
        // read a hundred of them.
        std::mem::forget(self.machine);
        Outcome { text, complaints: self.complaints, status: 0 }
    }
}

/// A log that was named must be there: its absence would look like a machine that says nothing.
pub fn check_log(global: &Global) -> Result<(), Failure> {
    match global.log.as_deref() {
        Some("-") if global.from.as_deref() == Some("-") => {
            Err(Failure::new(USAGE, "--from and --log: both cannot be standard input"))
        }
        None | Some("-") => Ok(()),
        Some(file) => crate::kernel_log::source::check_file(file).map_err(|e| Failure::new(NO_INPUT, e)),
    }
}

/// Serialises an answer.
pub fn json<T: serde::Serialize>(answer: &T) -> Result<String, Failure> {
    crate::render::json::json(answer).map_err(|e| Failure::new(INTERNAL, e))
}

/// How text is to look.
pub fn style(global: &Global) -> Style {
    let out = std::io::stdout();
    let color = match global.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => anstream::AutoStream::choice(&out) != anstream::ColorChoice::Never,
    };
    let width = out.is_terminal().then(terminal_size::terminal_size).flatten().map(|(w, _)| usize::from(w.0));
    Style { color, width }
}
