//! What a conclusion about the machine rests on, so that a person can look it up.

use crate::kernel_log::event::Evidence;

use super::platform::Platform;

/// A file, or a line of the kernel log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Basis {
    /// A file or a folder of the machine.
    File {
        /// Path from the root.
        path: &'static str,
        /// What it holds, as far as it matters.
        text: String,
    },
    /// A line of the kernel log, as it stands there.
    Line(Evidence),
}

/// The kernel command line, whole.
pub fn command_line(platform: &Platform) -> Vec<Basis> {
    let text = platform.command_line.clone();
    text.map(|text| Basis::File { path: "proc/cmdline", text }).into_iter().collect()
}

/// Lines, as far as there are any.
pub fn lines<'a>(lines: impl IntoIterator<Item = &'a Evidence>) -> Vec<Basis> {
    lines.into_iter().cloned().map(Basis::Line).collect()
}
