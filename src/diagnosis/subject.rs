//! Whom a line of the log is about.

use std::collections::{BTreeMap, BTreeSet};

use crate::kernel_log::{Event, Log};
use crate::pci::Bdf;

use super::topology;

/// Whom a diagnosis is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A function.
    Function(Bdf),
    /// Something that the log names otherwise: a controller such as `nvme0`, an interrupt, a host controller.
    Named(String),
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Subject::Function(address) => address.fmt(f),
            Subject::Named(name) => f.write_str(name),
        }
    }
}

/// Whose lines name a device, for those of the same driver that name none.
#[derive(Default)]
pub(super) struct Speakers {
    /// Devices by boot and driver.
    devices: BTreeMap<(usize, String), BTreeSet<Bdf>>,
    /// Controllers by boot and driver: with several, nobody knows which is which device.
    controllers: BTreeMap<(usize, String), BTreeSet<String>>,
}

impl Speakers {
    pub(super) fn new(log: Option<&Log>) -> Self {
        let mut speakers = Speakers::default();
        let known = log.into_iter().flat_map(|log| &log.events).filter(|event| !event.is_from_words_alone());
        for event in known {
            for driver in drivers(event) {
                let key = (event.boot, driver.to_owned());
                if let Some(device) = event.device {
                    speakers.devices.entry(key.clone()).or_default().insert(device);
                }
                if let Some(controller) = event.text("controller") {
                    speakers.controllers.entry(key).or_default().insert(controller.to_owned());
                }
            }
        }
        speakers
    }

    /// The only device of the driver that wrote the line.
    pub(super) fn device(&self, event: &Event, name: &str) -> Option<Bdf> {
        if name.starts_with("irq ") {
            return None;
        }
        drivers(event).find_map(|driver| {
            let key = (event.boot, driver.to_owned());
            let only = self.devices.get(&key).filter(|devices| devices.len() == 1)?.first().copied();
            only.filter(|_| self.controllers.get(&key).is_none_or(|controllers| controllers.len() <= 1))
        })
    }
}

/// The driver that wrote a line: as the line says, else who speaks so.
fn drivers(event: &Event) -> impl Iterator<Item = &str> {
    let speaker =
        event.kind.id.split('.').next().filter(|s| matches!(*s, "nvidia" | "nvme" | "amdgpu" | "mlx5"));
    event.driver.as_deref().into_iter().chain(speaker)
}

/// Whom an event is about.
pub fn of_event(event: &Event) -> Vec<Subject> {
    // What was injected is about the function that it was injected into; aer-inject speaks in the name of the port.
    if event.kind.id == "aer.injected" {
        let devices: BTreeSet<Bdf> = event.address("source").into_iter().chain(event.device).collect();
        return devices.into_iter().map(Subject::Function).collect();
    }
    // A message that a port received for another function is about that one.
    if event.kind.id.starts_with("aer.") || event.kind.id.starts_with("apei.") {
        let port = event.device;
        let numbered = || topology::requester(port?, event.number("source_id").filter(|id| *id > 0)?);
        if matches!(event.kind.id, "aer.message" | "aer.no-details")
            && let Some(source) = event.address("source").or_else(numbered)
        {
            return vec![Subject::Function(source)];
        }
    }
    if let Some(device) = event.device {
        return vec![Subject::Function(device)];
    }
    if let Some(irq) = event.number("irq") {
        return vec![Subject::Named(format!("irq {irq}"))];
    }
    let name = ["controller", "name", "interface"].into_iter().find_map(|field| event.text(field));
    let known = matches!(
        event.kind.id.split('.').next(),
        Some(
            "nvme"
                | "nvidia"
                | "amdgpu"
                | "mlx5"
                | "gpu"
                | "storage"
                | "driver"
                | "wireless"
                | "ethernet"
                | "link"
                | "eeh"
                | "mce"
                | "apei"
                | "iommu"
        )
    );
    let speaker = || event.kind.id.split('.').next().unwrap_or_default().to_owned();
    match name {
        Some(name) if known => vec![Subject::Named(name.to_owned())],
        None if known => vec![Subject::Named(event.driver.clone().unwrap_or_else(speaker))],
        _ => Vec::new(),
    }
}
