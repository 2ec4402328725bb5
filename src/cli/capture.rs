//! `capture`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::evidence::about::{self, About, Replaced, rfc3339};
use crate::evidence::capture::{Captured, Order, capture, unread};
use crate::evidence::redact::key::{self, Key, KeyError};
use crate::evidence::redact::{self, redact};
use crate::evidence::sign;
use crate::evidence::tools::{self, Which};
use crate::evidence::{Form, Sign, StoreError, store};
use crate::tree::Tree;
use crate::tree::source::{Kind, Source};

use super::arguments::{Format, Global, Redaction, WithTools};
use super::progress::Progress;
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
    /// The key to sign with.
    pub sign: Option<&'a Path>,
    /// Other programs whose answers are kept.
    pub with_tools: Option<WithTools>,
    /// What happens to personal data.
    pub redaction: Redaction,
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
    if wanted.with_tools.is_some() && !live {
        let text =
            "--with-tools: other programs can be asked about this machine only; leave it or --from out";
        return Err(Failure::new(USAGE, text));
    }
    if let Some(key) = wanted.sign
        && let Err(error) = std::fs::File::open(key)
    {
        return Err(Failure::new(NO_INPUT, format!("--sign {}: {}", key.display(), os_words(&error))));
    }
    let order = Order {
        live,
        wake: global.wake,
        vital_product_data: wanted.vital_product_data,
        mmio: wanted.mmio,
        deadline: Duration::from_secs_f64(global.deadline),
    };
    let tree: Arc<dyn Tree> = Arc::from(tree);
    let mut notes = notes;
    let redaction = redaction(&wanted.redaction, &*tree, &mut notes)?;
    let mut progress = Progress::catching();
    let captured = capture(&tree, order, &mut |done, all| {
        progress.tell(|| format!("capture: {done} of {all} functions"))
    });
    progress.end();
    let Captured { mut recording, machine, kernel, complete, notes: more } =
        captured.map_err(|error| Failure::new(NO_INPUT, error))?;
    notes.extend(more);
    let mut passing = Vec::new();
    if let Some(which) = wanted.with_tools.filter(|_| complete) {
        let which = if which == WithTools::Force { Which::All } else { Which::Harmless };
        let mut watch = || progress.tell(|| "capture: other programs".to_owned());
        let told = tools::keep(&mut recording, &machine, which, None, &mut watch);
        notes.extend(told.lasting);
        passing = told.passing;
        progress.end();
    }
    let mut about = About {
        tool: format!("pciscope {}", env!("CARGO_PKG_VERSION")),
        time: rfc3339(started),
        source: source_name(kind).to_owned(),
        kernel,
        functions: machine.functions.len(),
        complete,
        unread: unread(&recording),
        redaction: None,
        pseudonyms: None,
        notes,
    };
    match redaction {
        Redacting::No => {}
        Redacting::Before(replaced, pseudonyms) => {
            about.redaction = Some(replaced);
            about.pseudonyms = pseudonyms;
        }
        Redacting::With(key) => {
            let redaction = redact(&mut recording, key, &redact::hosts(&*tree));
            about.unread = unread(&recording);
            about.kernel = about.kernel.map(|kernel| redaction.text(&kernel));
            about.notes = about.notes.iter().map(|note| redaction.text(note)).collect();
            about.pseudonyms = Some(redaction.pseudonyms());
            about.redaction = Some(redaction.replaced);
        }
    }
    let seconds = started.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let form = if wanted.folder { Form::Folder } else { Form::Archive };
    let mut complaints = Vec::new();
    let sign = |digests: &[u8]| wanted.sign.map_or(Err(String::new()), |key| sign::sign(key, digests));
    let stored = match store(&recording, &about, seconds, form, &path, wanted.sign.map(|_| &sign as Sign<'_>))
    {
        // A wrong passphrase must not cost the evidence.
        Err(StoreError::Sign(reason)) => {
            complaints.push(format!("{reason}; the capture is kept without a signature"));
            store(&recording, &about, seconds, form, &path, None)
        }
        stored => stored,
    };
    let size = stored.map_err(|error| refused(&error))?;
    let text = match global.format {
        Format::Json => json(&about)?,
        _ => {
            summary(&about, &path, size)
                + &passing.iter().map(|line| format!("note: {line}\n")).collect::<String>()
        }
    };
    if !complete {
        complaints.push("interrupted: the capture holds what was read by then".to_owned());
    }
    Ok(Outcome { text, complaints, status: 0 })
}

/// What is to be done about personal data.
pub(super) enum Redacting {
    /// Nothing.
    No,
    /// Nothing: whoever made the source did it.
    Before(Vec<Replaced>, Option<String>),
    /// Replace it, with this key.
    With(Key),
}

/// What is to be done about personal data of a source; a key is made if there is none.
pub(super) fn redaction(
    wanted: &Redaction,
    tree: &dyn Tree,
    notes: &mut Vec<String>,
) -> Result<Redacting, Failure> {
    // Pseudonyms of pseudonyms would match nothing.
    if let Some(About { redaction: Some(replaced), pseudonyms, .. }) = about::read(tree) {
        return Ok(Redacting::Before(replaced, pseudonyms));
    }
    if wanted.no_redact {
        return Ok(Redacting::No);
    }
    let failed = |error: KeyError| Failure::new(NO_INPUT, error);
    if let Some(path) = &wanted.redact_key {
        return Key::of_file(path).map(Redacting::With).map_err(failed);
    }
    let kept = match key::default_path().map(|path| Key::of_file(&path)) {
        Some(Ok(key)) => return Ok(Redacting::With(key)),
        // What is in the way is not passed over: captures of one machine would no longer match.
        Some(Err(error @ KeyError::Shape { .. })) => return Err(failed(error)),
        Some(Err(error)) => error.to_string(),
        None => "no home folder to keep a key in".to_owned(),
    };
    // Evidence must not be lost because a home folder is read-only.
    let key = Key::random().map_err(|error| Failure::new(INTERNAL, format!("/dev/urandom: {error}")))?;
    notes.push(format!("the pseudonyms of this capture match those of no other: {kept}"));
    Ok(Redacting::With(key))
}

fn refused(error: &StoreError) -> Failure {
    let status = match error {
        StoreError::Exists { .. } => USAGE,
        StoreError::Io { .. } | StoreError::Unnamed { .. } => OUTPUT,
        StoreError::Sign(_) => INTERNAL,
    };
    Failure::new(status, error)
}

fn os_words(error: &std::io::Error) -> String {
    match error.raw_os_error() {
        Some(number) => crate::tree::Cause::Errno(nix::errno::Errno::from_raw(number)).to_string(),
        None => error.to_string(),
    }
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
        Kind::BugReport => "bug-report",
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
    match &about.redaction {
        None => text.push_str("nothing in it is replaced: look at it before you hand it on\n"),
        Some(replaced) => {
            let count: usize = replaced.iter().map(|replaced| replaced.count).sum();
            text.push_str(&format!(
                "{count} serial number{}, address{} and names are replaced; capture/about.json says where\n",
                plural(count),
                if count == 1 { "" } else { "es" }
            ));
        }
    }
    for note in &about.notes {
        text.push_str(&format!("note: {note}\n"));
    }
    text
}
