//! pciscope reads, decodes and judges PCI Express devices.
//!
//! The folders in reading order: [`tree`] (where bytes come from), [`pci`] (configuration space and its registers),
//! [`kernel_log`] (what the kernel said), [`machine`] (what Linux and the hierarchy add), [`names`] (what devices are
//! called), [`document`] (TOML files of people), [`simulate`] (broken machines on demand), [`check`] (is it as it should
//! be), [`diagnosis`] (what broke), [`inspect`] (the answers of the
//! commands as data), [`evidence`] (captures), [`render`] (words and layout), [`cli`] (what people type).

pub mod check;
pub mod cli;
pub mod diagnosis;
pub mod document;
pub mod evidence;
pub mod inspect;
pub mod kernel_log;
pub mod machine;
pub mod names;
pub mod pci;
pub mod render;
pub mod simulate;
pub mod tree;
