//! Whether a machine is what a qualified one should be: checks, profiles, findings.
//!
//! A check is metadata ([`Check`]) and one small function from what was read to a [`finding::Judged`]. Registers are got
//! through [`subject::Subject`], which turns whatever was not read into `unknown` and whatever does not exist into
//! `not-applicable`, so that no check can pass on something that nobody read. Whether what a check finds is a warning or
//! a failure is decided by the [`profile`], because for ASPM, ACS and the like there is no answer that is right
//! everywhere. [`registry`] lists the checks; there is one file a family. Two kinds are only made when there is something
//! to compare with: an [`expectation`] of the machine, or a reading of it [`earlier`].

pub mod earlier;
pub mod expectation;
pub mod finding;
mod gathered;
pub mod history;
pub mod not_made;
pub mod numa;
pub mod profile;
pub mod registry;
pub mod run;
pub mod subject;
pub mod under_load;

mod aer;
mod aspm;
pub mod bars;
mod bottleneck;
mod bridge;
mod containment;
mod control;
mod control_2;
mod device;
mod error_registers;
mod expected;
mod features;
mod identity;
mod interrupts;
mod isolation;
mod link;
mod link_excuses;
mod link_state;
mod log;
mod over_time;
mod platform;
mod power;
mod presence;
mod slot;
mod slot_map;
mod translation;
mod vector_table;

pub use registry::{Check, Of};

#[cfg(test)]
#[allow(clippy::expect_used, clippy::panic, reason = "tests")]
mod testing;
#[cfg(test)]
mod tests;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests_by_design;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests_over_time;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests_unread;
