//! `capture`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::evidence::about::{About, rfc3339};
use crate::evidence::capture::{Captured, Order, capture, unread};
use crate::evidence::{Form, StoreError, store};
use crate::tree::Tree;
use crate::tree::source::{Kind, Source};

use super::arguments::{Format, Global};
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
    let mut progress = Progress::catching();
    let tree: Arc<dyn Tree> = Arc::from(tree);
    let captured = capture(&tree, order, &mut |done, all| {
        progress.tell(|| format!("capture: {done} of {all} functions"))
    });
    progress.end();
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
