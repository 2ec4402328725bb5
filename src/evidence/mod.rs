//! Evidence: a machine kept as it was seen, so that a reboot does not destroy it.
//!
//! A capture is a tree ([`crate::tree`]): every command works on it as on the machine. There is no list of what to keep:
//! functions are read by [`crate::machine::load`], and everything else through a [`Recorder`], which notes what the same
//! code that serves the commands asks for, and every answer, errors included. `docs/capturing.md` tells the layout.

pub mod about;
mod as_tree;
pub mod capture;
mod earlier_boots;
mod functions;
mod lspci_text;
mod recorder;
pub mod recording;
pub mod redact;
pub mod sign;
mod store;
mod surroundings;
pub mod tool;
pub mod tools;
pub mod verify;

pub use as_tree::as_tree;
pub use recorder::Recorder;
pub use recording::{Kept, Recording};
pub use store::{Form, Sign, StoreError, hexadecimal, store};
