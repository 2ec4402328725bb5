//! Broken machines on demand: the fault simulator.
//!
//! A machine is described in TOML or taken from a captured tree; a scenario says what happens to it and when. The result
//! is a tree like any other: the reader does not know that it is simulated, and as a folder other programs can read it.
//!
//! Read in this order: [`clock`] (virtual time), [`kernel`] (what differs between
//! kernels), [`config`] (registers written through the tables that decode them), [`machine`] (descriptions), [`state`]
//! (the machine while it is simulated), [`fault`] (what can break, a plain function each), [`scenario`] (timelines),
//! [`expectation`] (what must be seen), [`output`] (the tree), [`folder`] (the same on the disk),
//! [`library`] (what is shipped).

pub(crate) use crate::document::{self, nearest};

pub mod captured;
pub mod clock;
pub mod config;
pub mod expectation;
pub mod fault;
pub mod folder;
pub mod generate;
pub mod kernel;
pub mod library;
pub mod machine;
pub mod output;
mod passing;
pub mod scenario;
pub mod source;
pub mod state;
