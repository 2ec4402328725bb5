//! The answers of the commands as data: one file a command, printed by `render/` as text or JSON.
//!
//! These structures are the JSON that pciscope prints; their schemas are in `docs/schema/`.

pub mod capability;
pub mod capability_name;
pub mod check;
pub mod containment;
pub mod diagnose;
pub mod diff;
pub mod doe_features;
pub mod explain;
pub mod explain_log;
pub mod explain_packet;
pub mod explain_verdict;
pub mod field;
pub mod general;
pub mod list;
pub mod log;
pub mod msix;
pub mod packet;
pub mod path;
pub mod rcd_link;
pub mod report;
pub mod show;
pub mod simulations;
pub mod suggest;
pub mod together;
pub mod value;
pub mod vital_product_data;

use crate::machine::platform::Platform;
use crate::machine::{Function, Machine};
use crate::names::Names;
use crate::tree::Tree;

/// What every answer is made from.
#[derive(Clone, Copy)]
pub struct Inspection<'a> {
    /// The machine as far as it was read.
    pub machine: &'a Machine,
    /// Where it was read from.
    pub tree: &'a dyn Tree,
    /// Whether that is the machine that this program runs on.
    pub live: bool,
    /// What devices are called.
    pub names: &'a Names,
    /// What firmware and command line decided; empty for commands that do not need it.
    pub platform: &'a Platform,
}

/// An identifier as people and programs write it: `0x10de`.
pub(crate) fn hex4(value: u16) -> String {
    format!("{value:#06x}")
}

/// Name of a device, with the vendor's in front; `None` if neither is known.
pub(crate) fn device_name(names: &Names, function: &Function) -> Option<String> {
    let (vendor_id, device_id) = (function.identity.vendor_id?, function.identity.device_id?);
    let vendor = names.vendor(vendor_id);
    match (vendor, names.device(vendor_id, device_id)) {
        (Some(vendor), Some(device)) => Some(format!("{vendor} {device}")),
        (Some(vendor), None) => Some(format!("{vendor} device {device_id:04x}")),
        (None, _) => None,
    }
}
