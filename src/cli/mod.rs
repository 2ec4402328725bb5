//! The command line: what people type, and one file a command.

mod arguments;
mod capture;
mod check;
mod diagnose;
mod diff;
mod explain;
mod list;
mod log;
mod msix;
mod path;
mod progress;
mod pseudonyms;
mod report;
mod run;
mod show;
mod simulate;
mod verify;

pub use run::run;
