//! Evidence: a machine kept as it was seen, so that a reboot does not destroy it.
//!
//! A capture is a tree ([`crate::tree`]): every command works on it as on the machine. There is no list of what to keep:
//! functions are read by [`crate::machine::load`], and everything else through a [`Recorder`], which notes what the same
//! code that serves the commands asks for, and every answer, errors included. `docs/capturing.md` tells the layout.

pub mod about;
pub mod capture;
mod functions;
mod recorder;
mod recording;
mod store;
mod surroundings;

pub use recorder::Recorder;
pub use recording::{Kept, Recording};
pub use store::{Form, StoreError, store};
