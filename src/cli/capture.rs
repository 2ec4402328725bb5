//! `capture`.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use crate::evidence::about::{About, rfc3339};
use crate::evidence::capture::{Captured, Order, capture, unread};
use crate::evidence::{Form, StoreError, store};
use crate::tree::Tree;
use crate::tree::source::{Kind, Source};

use super::arguments::{Format, Global};
use super::run::{Failure, INTERNAL, NO_INPUT, OUTPUT, Outcome, USAGE, json, open_source};

/// What was asked for.
pub struct Wanted<'a> {
    /// Name of the capture.
    pub output: Option<&'a Path>,
    /// A folder instead of an archive.
    pub folder: bool,
    /// Also vital product data.
    pub vital_product_data: bool,
    /// Memory of devices on machines other than x86 too.
    pub mmio: bool,
}

pub fn run(global: &Global, wanted: &Wanted<'_>) -> Result<Outcome, Failure> {
    if global.log.is_some() {
        let text = "--log: a capture keeps the log of its own source; leave it out, and give it to the command that reads the capture";
        return Err(Failure::new(USAGE, text));
    }
    let Source { tree, kind, notes, .. } = open_source(global)?;
    let live = kind == Kind::Live;
    let started = SystemTime::now();
    let path = match wanted.output {
        Some(path) => path.to_owned(),
        None => default_name(started, wanted.folder),
    };
    if path.file_name().is_none() {
        return Err(Failure::new(USAGE, format!("-o {}: expected the name of a file", path.display())));
    }
    if path.symlink_metadata().is_ok() {
        // Better now than after a minute of reading.
        return Err(refused(&StoreError::Exists { path: path.display().to_string() }));
    }
    let order = Order {
        live,
        wake: global.wake,
        vital_product_data: wanted.vital_product_data,
        mmio: wanted.mmio,
        deadline: Duration::from_secs_f64(global.deadline),
    };
    let mut watch = Watch::new();
    let tree: Arc<dyn Tree> = Arc::from(tree);
    let captured = capture(&tree, order, &mut |done, all| watch.tell(done, all));
    watch.end();
    let Captured { recording, machine, kernel, complete } =
        captured.map_err(|error| Failure::new(NO_INPUT, error))?;
    let about = About {
        tool: format!("pciscope {}", env!("CARGO_PKG_VERSION")),
        time: rfc3339(started),
        source: source_name(kind).to_owned(),
        kernel,
        functions: machine.functions.len(),
        complete,
        unread: unread(&recording),
        redaction: None,
        notes,
    };
    let seconds = started.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let form = if wanted.folder { Form::Folder } else { Form::Archive };
    let size = store(&recording, &about, seconds, form, &path, None).map_err(|error| refused(&error))?;
    let text = match global.format {
        Format::Json => json(&about)?,
        _ => summary(&about, &path, size),
    };
    let complaints = if complete {
        Vec::new()
    } else {
        vec!["interrupted: the capture holds what was read by then".to_owned()]
    };
    Ok(Outcome { text, complaints, status: 0 })
}

fn refused(error: &StoreError) -> Failure {
    let status = match error {
        StoreError::Exists { .. } => USAGE,
        StoreError::Io { .. } => OUTPUT,
        StoreError::Sign(_) => INTERNAL,
    };
    Failure::new(status, error)
}

/// `pciscope-20261122T013000Z.tar.zst`: no host name, which would say whose machine it is.
fn default_name(time: SystemTime, folder: bool) -> PathBuf {
    let time: String = rfc3339(time).chars().filter(|c| !matches!(c, '-' | ':')).collect();
    let ending = if folder { "" } else { ".tar.zst" };
    format!("pciscope-{time}{ending}").into()
}

fn source_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Live => "live",
        Kind::Directory => "folder",
        Kind::Archive => "capture",
        Kind::Dump => "dump",
        Kind::RawConfig => "config",
        Kind::Simulation => "simulation",
    }
}

fn summary(about: &About, path: &Path, size: u64) -> String {
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    let mut text = format!(
        "{}: {} function{}, {size} bytes\n",
        path.display(),
        about.functions,
        plural(about.functions)
    );
    let unread = about.unread.len();
    if unread > 0 {
        text.push_str(&format!(
            "{unread} file{} could not be read; capture/about.json in it says which and why\n",
            plural(unread)
        ));
    }
    for note in &about.notes {
        text.push_str(&format!("note: {note}\n"));
    }
    text
}

/// How often a terminal is told how far reading is.
const TELLING: Duration = Duration::from_millis(200);

/// Progress for a terminal, and whether somebody wants it to end.
struct Watch {
    signals: Option<SignalFd>,
    terminal: bool,
    told: Option<Instant>,
}

impl Watch {
    /// From here on, SIGINT and SIGTERM are noticed and do nothing else.
    fn new() -> Self {
        let mut wanted = SigSet::empty();
        wanted.add(Signal::SIGINT);
        wanted.add(Signal::SIGTERM);
        // Where they cannot be noticed they end the program, and nothing is kept.
        let signals = SignalFd::with_flags(&wanted, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)
            .ok()
            .filter(|_| wanted.thread_block().is_ok());
        Watch { signals, terminal: std::io::stderr().is_terminal(), told: None }
    }

    /// Says how far reading is. False: it is to end.
    fn tell(&mut self, done: usize, all: usize) -> bool {
        if self.terminal && self.told.is_none_or(|told| told.elapsed() >= TELLING) {
            self.told = Some(Instant::now());
            // Progress that nobody can see is no loss.
            let _ = write!(std::io::stderr(), "\rcapture: {done} of {all} functions");
        }
        match &mut self.signals {
            Some(signals) => !matches!(signals.read_signal(), Ok(Some(_))),
            None => true,
        }
    }

    /// Clears the line.
    fn end(&self) {
        if self.told.is_some() {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}
