//! pciscope reads, decodes and judges PCI Express devices.
//!
//! The folders in reading order: [`tree`] (where bytes come from), [`pci`] (configuration space and its registers).

pub mod pci;
pub mod tree;
