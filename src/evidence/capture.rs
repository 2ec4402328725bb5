//! Reading a machine for a capture.

use std::sync::Arc;
use std::time::Duration;

use crate::kernel_log;
use crate::machine::interrupts::{linux_interrupts, read_interrupts};
use crate::machine::platform::{self, read_platform};
use crate::machine::reading::Depth;
use crate::machine::{self, Machine, Scope, enumerate, vectors};
use crate::tree::{Tree, TreeError};

use super::about::Unread;
use super::earlier_boots;
use super::functions;
use super::recorder::Recorder;
use super::recording::{Kept, Recording};
use super::{surroundings, tools};

/// How a machine is read.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    /// It is the machine that this program runs on.
    pub live: bool,
    /// Read sleeping functions too, although that wakes them.
    pub wake: bool,
    /// Also read vital product data.
    pub vital_product_data: bool,
    /// Read memory of devices on machines other than x86 too.
    pub mmio: bool,
    /// Time that one function, or one file of a driver, may take.
    pub deadline: Duration,
}

/// A machine as it was read.
pub struct Captured {
    /// Every answer.
    pub recording: Recording,
    /// The machine that was read.
    pub machine: Machine,
    /// First line of `/proc/version`.
    pub kernel: Option<String>,
    /// Whether everything was asked for.
    pub complete: bool,
    /// What a reader should know, a line each.
    pub notes: Vec<String>,
}

/// Reads a machine. `watch` is told how many functions were read, and of how many; when it returns false, reading ends,
/// and what there is by then is given back. To be called before the program has started threads.
pub fn capture(
    tree: &Arc<dyn Tree>,
    order: Order,
    watch: &mut dyn FnMut(usize, usize) -> bool,
) -> Result<Captured, TreeError> {
    let Order { live, wake, deadline, vital_product_data, mmio } = order;
    let scope = Scope { depth: Depth::Bytes, wanted: &|_| true, wake, deadline, vital_product_data };
    let recorder = Recorder::new(tree.clone());
    // What a reboot destroys first: the log.
    if live {
        keep_kernel_log(&recorder);
    } else {
        // The recorder notes which logs there are, those of earlier boots too, and why not.
        let _ = kernel_log::source::read_events(kernel_log::source::Source {
            tree: &recorder,
            live: false,
            file: None,
        });
    }
    let mut go_on = true;
    let mut watched = |done, all| {
        go_on &= watch(done, all);
        go_on
    };
    let machine = machine::load_watched(&**tree, live, scope, || (), Some(&mut watched))?;
    let entries = enumerate::enumerate(&recorder, live)?.entries;
    let interrupts = read_interrupts(&recorder);
    let platform = read_platform(&recorder, live, interrupts.as_deref());
    if live && let Some(architecture) = &platform.architecture {
        // Kernels before 6.1 tell it only by a system call.
        let bytes = format!("{architecture}\n").into_bytes();
        recorder.keep(platform::ARCHITECTURE, Kept::File { bytes, size: None });
    }
    let all = machine.functions.len();
    let mut notes = Vec::new();
    go_on &= watch(all, all);
    if live && go_on {
        notes.extend(earlier_boots::keep(&recorder, &mut || {
            go_on &= watch(all, all);
            go_on
        }));
    }
    if go_on {
        surroundings::read_surroundings(&recorder, live, &machine, deadline);
        keep_tools(&**tree, &recorder);
    }
    for function in &machine.functions {
        // What is left is fast, but for registers of devices.
        go_on &= watch(all, all);
        if go_on {
            vectors::read(&recorder, live, function, &platform, mmio);
        }
        linux_interrupts(&recorder, function, interrupts.as_deref());
    }
    let mut recording = recorder.take();
    for entry in &entries {
        if let Some(function) = machine.get(entry.address) {
            functions::keep(&mut recording, &entry.path, &function.reading);
        }
    }
    Ok(Captured { recording, machine, kernel: platform.kernel, complete: go_on, notes })
}

/// Keeps the records of the kernel log as the kernel gives them.
fn keep_kernel_log(recorder: &Recorder) {
    recorder.keep(
        "var/log/kmsg",
        match kernel_log::source::read_live_bytes() {
            Ok(bytes) => Kept::File { bytes, size: None },
            Err(error) => Kept::Failed(error.cause),
        },
    );
}

/// What other programs said when the source was captured.
fn keep_tools(tree: &dyn Tree, recorder: &Recorder) {
    for name in tree.list(tools::FOLDER).unwrap_or_default() {
        // The recorder notes what was read, and why not.
        let _ = crate::tree::read(recorder, &format!("{}/{name}", tools::FOLDER), tools::LIMIT);
    }
}

/// What could not be read, without what is absent.
pub fn unread(recording: &Recording) -> Vec<Unread> {
    let failed = recording.iter().filter_map(|(path, kept)| {
        let (offset, cause) = match kept {
            Kept::Failed(cause) => (0, *cause),
            Kept::Pieces { pieces, .. } => pieces.ended?,
            _ => return None,
        };
        let absent = TreeError::new("", cause).is_absent();
        (!absent).then(|| Unread { path: format!("/{path}"), offset, error: cause.word() })
    });
    failed.collect()
}
