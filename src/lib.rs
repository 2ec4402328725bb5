//! pciscope reads, decodes and judges PCI Express devices.
//!
//! The folders in reading order: [`tree`] (where bytes come from), [`pci`] (configuration space and its registers),
//! [`names`] (what devices are called).

pub mod names;
pub mod pci;
pub mod tree;
