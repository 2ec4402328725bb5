//! `path`: the way from the root port to a function, with both ends of every link.

use crate::machine::aer::{self, Aer, ErrorsSeen};
use crate::machine::aspm::{self, Aspm, AspmControl};
use crate::machine::interrupts::Line;
use crate::machine::link::{self, Hop};
use crate::machine::power::{self, Power};
use crate::machine::{Function, State};
use crate::pci::Bdf;
use crate::pci::capability::express::{self, DeviceCapabilities, DeviceControl, LinkControl, LinkStatus};
use crate::pci::extended::acs::{self, AcsControl};
use crate::pci::quantity::payload_size;
use crate::pci::register::{Quantity, RegisterType};

use super::Inspection;
use super::list::{port_name, title};

/// Answer of `path`.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct Path {
    /// One entry for each function that was asked for.
    pub functions: Vec<FunctionPath>,
    /// What was noticed while reading.
    pub notes: Vec<String>,
}

/// The way to one function.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct FunctionPath {
    /// The function.
    #[schemars(with = "String")]
    pub address: Bdf,
    /// Name of the host bridge, such as `pci0000:80`.
    pub host_bridge: Option<String>,
    /// From the topmost bridge to the function.
    pub nodes: Vec<Node>,
    /// The links between them, topmost first.
    pub links: Vec<Hop>,
    /// The link that is slower than others on the way, by speed times width as they run; `null` if all are alike or
    /// none is known.
    #[schemars(with = "Option<(String, String)>")]
    pub narrowest: Option<(Bdf, Bdf)>,
    /// Who decides about ASPM.
    pub aspm_control: AspmControl,
}

/// One function on the way.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct Node {
    /// Address.
    #[schemars(with = "String")]
    pub address: Bdf,
    /// Name and identifiers.
    pub device: String,
    /// Kind of port or endpoint; `null` if it is not PCI Express or was not read.
    pub port_type: Option<&'static str>,
    /// Whether anybody answers.
    pub presence: State,
    /// What that was concluded from.
    pub presence_reason: String,
    /// Name of the driver.
    pub driver: Option<String>,
    /// ASPM at this end of the link.
    pub aspm: Option<Aspm>,
    /// Largest payload that it sends (Max_Payload_Size), in bytes.
    pub max_payload: Option<u64>,
    /// Largest payload that it can handle, in bytes.
    pub max_payload_supported: Option<u64>,
    /// Largest read that it requests, in bytes.
    pub max_read_request: Option<u64>,
    /// Common Clock Configuration, and Slot Clock Configuration.
    pub common_clock: Option<(bool, bool)>,
    /// Errors latched in Device Status.
    pub device_status_errors: Option<ErrorsSeen>,
    /// Advanced Error Reporting.
    pub aer: Aer,
    /// Access Control Services that are switched on, by field name; `null` if it has none or was not read.
    pub acs_enabled: Option<Vec<&'static str>>,
    /// Power state.
    pub power: Power,
}

fn bytes(quantity: Quantity) -> Option<u64> {
    match quantity {
        Quantity::Bytes(bytes) => bytes,
        _ => None,
    }
}

fn node(inspection: Inspection<'_>, function: &Function, lines: Option<&[Line]>) -> Node {
    let specification = &express::SPECIFICATION;
    let capabilities: Option<DeviceCapabilities> = function.register(specification);
    let control: Option<DeviceControl> = function.register(specification);
    let has_link = link::port_type(function).is_some_and(|p| p.has_link());
    let link_control = function.register::<LinkControl>(specification).filter(|_| has_link);
    let link_status = function.register::<LinkStatus>(specification).filter(|_| has_link);
    let acs_control: Option<AcsControl> = function.register(&acs::SPECIFICATION);
    Node {
        address: function.address,
        device: title(inspection.names, function),
        port_type: port_name(function),
        presence: function.presence.state,
        presence_reason: function.presence.reason.clone(),
        driver: function.driver().map(str::to_owned),
        aspm: aspm::aspm(function),
        max_payload: control.and_then(|c| bytes(payload_size(c.max_payload_size().into()))),
        max_payload_supported: capabilities
            .and_then(|c| bytes(payload_size(c.max_payload_size_supported().into()))),
        max_read_request: control.and_then(|c| bytes(payload_size(c.max_read_request_size().into()))),
        common_clock: link_control
            .zip(link_status)
            .map(|(c, s)| (c.common_clock_configuration(), s.slot_clock_configuration())),
        device_status_errors: aer::errors_seen(function),
        aer: aer::aer(inspection.machine, function, inspection.platform, lines),
        acs_enabled: acs_control.map(|c| {
            let fields = AcsControl::REGISTER.fields.iter();
            fields.filter(|f| f.extract(c.0.into()) != 0).map(|f| f.key).collect()
        }),
        power: power::power(function),
    }
}

/// The way to one function.
pub fn function_path(
    inspection: Inspection<'_>,
    function: &Function,
    lines: Option<&[Line]>,
) -> FunctionPath {
    let way = inspection.machine.path(function);
    let links = link::hops(&way);
    let rate = |hop: &Hop| Some(u64::from(hop.current.speed_mts?) * u64::from(hop.current.width?));
    let slowest = links.iter().filter_map(rate).min();
    let narrowest = links
        .iter()
        .find(|hop| rate(hop) == slowest && links.iter().any(|other| rate(other) > slowest))
        .map(|hop| (hop.upper, hop.lower));
    FunctionPath {
        address: function.address,
        host_bridge: function.host_bridge.clone(),
        nodes: way.iter().map(|f| node(inspection, f, lines)).collect(),
        links,
        narrowest,
        aspm_control: aspm::control(inspection.platform, function.host_bridge.as_deref()),
    }
}

/// The answer.
pub fn path(inspection: Inspection<'_>, lines: Option<&[Line]>, notes: Vec<String>) -> Path {
    let functions = inspection.machine.wanted().map(|f| function_path(inspection, f, lines)).collect();
    Path { functions, notes }
}
