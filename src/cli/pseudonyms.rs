//! Replacing personal data before a report is made: what is reported is a capture of the source, in memory.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use crate::evidence::capture::{Captured, Order, capture};
use crate::evidence::recording::Kept;
use crate::evidence::redact::{self, redact};
use crate::evidence::{about, as_tree};
use crate::tree::Tree;
use crate::tree::source::{Kind, Source};

use super::arguments::{Global, Redaction};
use super::capture::{Redacting, redaction};
use super::progress::Progress;
use super::run::{Failure, NO_INPUT};

/// Most bytes of a log that is named.
const LOG: u64 = 512 << 20;

/// A source as a report shows it.
pub struct Shown {
    /// The source.
    pub source: Source,
    /// The options, without what is in the source now.
    pub global: Global,
    /// What was done about personal data; `None` of a simulated machine, which has none.
    pub personal_data: Option<&'static str>,
    /// When the source was captured, if it is a capture.
    pub captured: Option<String>,
}

/// Replaces personal data unless that was done before, is not wanted, or the machine is simulated.
pub fn shown(source: Source, global: &Global, wanted: &Redaction) -> Result<Shown, Failure> {
    let captured = about::read(&*source.tree).map(|about| about.time);
    let source = if wanted.no_redact { source } else { without_folders(source, global) };
    let as_it_is = |source, personal_data| {
        let (global, captured) = (global.clone(), captured.clone());
        Shown { source, global, personal_data, captured }
    };
    if source.kind == Kind::Simulation && global.log.is_none() {
        return Ok(as_it_is(source, None));
    }
    let Source { tree, kind, description, mut notes } = source;
    let key = match redaction(wanted, &*tree, &mut notes)? {
        Redacting::With(key) => key,
        Redacting::No => {
            let source = Source { tree, kind, description, notes };
            return Ok(as_it_is(source, Some("serial numbers, addresses and names are as they are")));
        }
        Redacting::Before(..) if global.log.is_none() => {
            let source = Source { tree, kind, description, notes };
            return Ok(as_it_is(source, Some("replaced by pseudonyms when it was captured")));
        }
        Redacting::Before(..) if wanted.no_redact => {
            let source = Source { tree, kind, description, notes };
            return Ok(as_it_is(
                source,
                Some("replaced by pseudonyms when it was captured; the log is as it is"),
            ));
        }
        Redacting::Before(..) => {
            let text = "--log: the capture holds pseudonyms, and its key is not known here: personal data of another log would stay as it is; leave --log out, or give --no-redact";
            return Err(Failure::new(super::run::USAGE, text));
        }
    };
    let tree: Arc<dyn Tree> = Arc::from(tree);
    let order = Order {
        live: kind == Kind::Live,
        wake: global.wake,
        vital_product_data: false,
        mmio: false,
        deadline: Duration::from_secs_f64(global.deadline),
    };
    let mut progress = Progress::patient();
    let read = capture(&tree, order, &mut |done, all| {
        progress.tell(|| format!("report: {done} of {all} functions"))
    });
    progress.end();
    let Captured { mut recording, notes: more, .. } = read.map_err(|error| Failure::new(NO_INPUT, error))?;
    notes.extend(more);
    if let Some(file) = &global.log {
        recording.remove_below("var/log");
        recording.keep("var/log/dmesg", Kept::File { bytes: log(file)?, size: None });
    }
    let redaction = redact(&mut recording, key, &redact::hosts(&*tree));
    let source = Source {
        tree: Box::new(as_tree(&recording)),
        kind: Kind::Archive,
        description: redaction.text(&description),
        notes: notes.iter().map(|note| redaction.text(note)).collect(),
    };
    let global = Global { log: None, ..global.clone() };
    let personal_data = Some("serial numbers, addresses and names are replaced by pseudonyms");
    Ok(Shown { source, global, personal_data, captured })
}

/// The source, called by the names of its files: folders on the way tell who works where.
fn without_folders(source: Source, global: &Global) -> Source {
    let mut source = source;
    for path in [&global.from, &global.log].into_iter().flatten() {
        let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        if path.contains('/') && !name.is_empty() {
            source.description = source.description.replace(path.as_str(), name);
            source.notes.iter_mut().for_each(|note| *note = note.replace(path.as_str(), name));
        }
    }
    source
}

/// The bytes of a log, unpacked.
fn log(file: &str) -> Result<Vec<u8>, Failure> {
    let failed = |error: std::io::Error| Failure::new(NO_INPUT, format!("--log {file}: {error}"));
    let read = |stream: &mut dyn Read| {
        let mut bytes = Vec::new();
        stream.take(LOG).read_to_end(&mut bytes).map(|_| bytes)
    };
    let bytes = match file {
        "-" => read(&mut std::io::stdin().lock()),
        file => std::fs::File::open(file).and_then(|mut stream| read(&mut stream)),
    };
    let bytes = bytes.map_err(failed)?;
    if bytes.starts_with(&[0x1f, 0x8b]) {
        return read(&mut flate2::read::MultiGzDecoder::new(bytes.as_slice())).map_err(failed);
    }
    Ok(bytes)
}
