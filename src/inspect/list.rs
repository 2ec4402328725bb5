//! `list`: one line a function.

use crate::machine::aer::{ErrorsSeen, errors_seen};
use crate::machine::aspm::{self, States};
use crate::machine::function::Identity;
use crate::machine::interrupts::{MsiSummary, MsixSummary, msi_summary, msix_summary};
use crate::machine::link::{self, Link};
use crate::machine::{Function, State};
use crate::names::Names;
use crate::pci::Bdf;
use crate::pci::header::{SecondaryBus, SubordinateBus};

use super::{Inspection, device_name, hex4};

/// Answer of `list`.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct List {
    /// Functions by address.
    pub functions: Vec<Summary>,
    /// What was noticed while reading: names that are no addresses, rows of a dump that could not be used.
    pub notes: Vec<String>,
}

/// What a function is.
#[derive(Debug, Clone, Default, serde::Serialize, schemars::JsonSchema)]
pub struct DeviceNames {
    /// Name of the vendor.
    pub vendor: Option<String>,
    /// Name of the device.
    pub device: Option<String>,
    /// Name of the class.
    pub class: Option<String>,
    /// Name of the subsystem.
    pub subsystem: Option<String>,
}

/// One function in short.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct Summary {
    /// Address: domain, bus, device, function.
    #[schemars(with = "String")]
    pub address: Bdf,
    /// Whether anybody answers.
    pub presence: State,
    /// What that was concluded from; empty for a function that answers.
    pub presence_reason: String,
    /// How many bytes of configuration space can be read of the function as it is now: 0, 64, 256 or 4096.
    pub config_bytes: u16,
    /// Vendor ID, such as `0x10de`.
    pub vendor_id: Option<String>,
    /// Device ID, such as `0x2b85`.
    pub device_id: Option<String>,
    /// Class code, such as `0x030000`.
    pub class: Option<String>,
    /// Revision ID, such as `0xa1`.
    pub revision: Option<String>,
    /// Subsystem vendor ID.
    pub subsystem_vendor_id: Option<String>,
    /// Subsystem ID.
    pub subsystem_id: Option<String>,
    /// Vendor and device ID in configuration space, such as `0x10de:0x2b85`, where they differ from the kernel's.
    pub answers_as: Option<String>,
    /// Names out of pci.ids.
    pub names: DeviceNames,
    /// Name of the driver; `null` if none is bound or the source does not tell.
    pub driver: Option<String>,
    /// The bridge directly above.
    #[schemars(with = "Option<String>")]
    pub parent: Option<Bdf>,
    /// Name of the host bridge in sysfs, such as `pci0000:80`.
    pub host_bridge: Option<String>,
    /// Buses behind a bridge: secondary and subordinate.
    pub buses: Option<(u8, u8)>,
    /// What kind of PCI Express function this is, in words; `null` for others.
    pub port_type: Option<&'static str>,
    /// The function's end of its link; `null` if it has none or was not read.
    pub link: Option<Link>,
    /// MSI-X; `null` if the function has none or was not read.
    pub msix: Option<MsixSummary>,
    /// MSI; `null` if the function has none or was not read.
    pub msi: Option<MsiSummary>,
    /// Link power states that are switched on at this end; `null` if it has no link or was not read.
    pub aspm: Option<States>,
    /// Errors latched in Device Status since they were last cleared; `null` if it cannot tell. Advanced Error Reporting has
    /// status of its own, which only `show` and `path` read.
    pub device_status_errors: Option<ErrorsSeen>,
}

/// Names of a port type (PCIe 6.2, 7.5.3.2).
pub fn port_name(function: &Function) -> Option<&'static str> {
    use crate::pci::capability::express::PortType;
    Some(match link::port_type(function)? {
        PortType::Endpoint => "endpoint",
        PortType::LegacyEndpoint => "legacy endpoint",
        PortType::RootPort => "root port",
        PortType::UpstreamPort => "switch upstream port",
        PortType::DownstreamPort => "switch downstream port",
        PortType::PcieToPciBridge => "PCI Express to PCI bridge",
        PortType::PciToPcieBridge => "PCI to PCI Express bridge",
        PortType::RootComplexIntegratedEndpoint => "root complex integrated endpoint",
        PortType::RootComplexEventCollector => "root complex event collector",
    })
}

/// Names of a function.
pub fn names_of(names: &Names, identity: &Identity) -> DeviceNames {
    let owned = |name: Option<std::borrow::Cow<'_, str>>| name.map(std::borrow::Cow::into_owned);
    let ids = identity.vendor_id.zip(identity.device_id);
    DeviceNames {
        vendor: identity.vendor_id.and_then(|v| owned(names.vendor(v))),
        device: ids.and_then(|(v, d)| owned(names.device(v, d))),
        class: identity.class.and_then(|c| owned(names.class(c))),
        subsystem: ids
            .zip(identity.subsystem)
            .and_then(|((v, d), (sv, sd))| owned(names.subsystem(v, d, sv, sd))),
    }
}

/// One function in short.
pub fn summary(names: &Names, function: &Function) -> Summary {
    let identity = &function.identity;
    let buses = || {
        let secondary: SecondaryBus = function.header()?;
        let subordinate: SubordinateBus = function.header()?;
        matches!(function.header_layout(), Some(1 | 2)).then_some((secondary.number(), subordinate.number()))
    };
    Summary {
        address: function.address,
        presence: function.presence.state,
        presence_reason: function.presence.reason.clone(),
        config_bytes: function.config_bytes(),
        vendor_id: identity.vendor_id.map(hex4),
        device_id: identity.device_id.map(hex4),
        class: identity.class.map(|c| format!("{c:#08x}")),
        revision: identity.revision.map(|r| format!("{r:#04x}")),
        subsystem_vendor_id: identity.subsystem.map(|s| hex4(s.0)),
        subsystem_id: identity.subsystem.map(|s| hex4(s.1)),
        answers_as: identity.answers_as.map(|(v, d)| format!("{v:#06x}:{d:#06x}")),
        names: names_of(names, identity),
        driver: function.driver().map(str::to_owned),
        parent: function.parent,
        host_bridge: function.host_bridge.clone(),
        buses: buses(),
        port_type: port_name(function),
        link: link::link(function),
        msix: msix_summary(function),
        msi: msi_summary(function),
        aspm: aspm::aspm(function).map(|a| a.enabled),
        device_status_errors: errors_seen(function),
    }
}

/// The answer.
pub fn list(inspection: Inspection<'_>, notes: Vec<String>) -> List {
    let functions: Vec<&Function> = inspection.machine.wanted().collect();
    List { functions: crate::machine::in_threads(functions, |f| summary(inspection.names, f)), notes }
}

/// Name of the device for a text line, or the identifiers where there is none.
pub fn title(names: &Names, function: &Function) -> String {
    let ids = match (function.identity.vendor_id, function.identity.device_id) {
        (Some(vendor), Some(device)) => format!("[{vendor:04x}:{device:04x}]"),
        _ => "[identity unknown]".to_owned(),
    };
    match device_name(names, function) {
        Some(name) => format!("{name} {ids}"),
        None => ids,
    }
}
