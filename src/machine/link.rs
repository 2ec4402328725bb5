//! The link of a function, and its other end.
//!
//! One register tells nothing: a link is as fast as the slower of its two ends allows, an idle GPU is slow on purpose,
//! and an end that does not answer tells nothing at all. So both ends are always looked at.

use crate::pci::Bdf;
use crate::pci::capability::express::{
    self, Capabilities, LinkCapabilities, LinkCapabilities2, LinkControl, LinkControl2, LinkStatus, PortType,
    SlotStatus,
};
use crate::pci::quantity::{LINK_SPEEDS, lanes, speed_mts};

use super::{Function, Machine, State};

/// Speed and width of a link. `null` is unknown or none; never 0, 63 or 255.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, schemars::JsonSchema)]
pub struct Rate {
    /// Speed in MT/s per lane: 2500, 5000, 8000, 16000, 32000, 64000 or 128000.
    pub speed_mts: Option<u32>,
    /// Number of lanes.
    pub width: Option<u8>,
}

impl Rate {
    /// Whether it is known to be lower than the other in speed or width.
    pub fn is_below(self, other: Rate) -> bool {
        let below = |a: Option<u32>, b: Option<u32>| matches!((a, b), (Some(a), Some(b)) if a < b);
        below(self.speed_mts, other.speed_mts) || below(self.width.map(u32::from), other.width.map(u32::from))
    }

    /// The lower of the two in speed and in width; unknown where one of them is.
    pub fn lower(self, other: Rate) -> Rate {
        Rate {
            speed_mts: self.speed_mts.zip(other.speed_mts).map(|(a, b)| a.min(b)),
            width: self.width.zip(other.width).map(|(a, b)| a.min(b)),
        }
    }
}

/// Whether packets can flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LinkState {
    /// The link is up.
    Up,
    /// The link is down: an empty slot, or a device that is gone.
    Down,
    /// It cannot be told.
    Unknown,
}

/// Where the figures come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LinkSource {
    /// The function's own Link Capabilities and Link Status.
    ConfigurationSpace,
    /// The kernel's `current_link_*` and `max_link_*`, which it reads from the same registers.
    Attributes,
}

/// One end of a link.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Link {
    /// Whether packets can flow, as this end sees it.
    pub state: LinkState,
    /// What was negotiated.
    pub current: Rate,
    /// What this end can do.
    pub maximum: Rate,
    /// Highest speed that software lets this end negotiate (Target Link Speed), in MT/s.
    pub target_speed_mts: Option<u32>,
    /// The link is being trained.
    pub training: Option<bool>,
    /// Software disabled the link (Link Disable; downstream ports only).
    pub disabled: Option<bool>,
    /// Where the figures come from.
    pub source: LinkSource,
}

/// The port type of a function, if it is PCI Express.
pub fn port_type(function: &Function) -> Option<PortType> {
    let capabilities: Capabilities = function.register(&express::SPECIFICATION)?;
    PortType::from_raw(capabilities.device_port_type() as u8)
}

/// The link of a function as it sees it; `None` for functions without one (conventional PCI, functions integrated in
/// the root complex, virtual functions, whose link registers are the physical function's) and for functions of which
/// nothing tells.
pub fn link(function: &Function) -> Option<Link> {
    if function.is_virtual() {
        return None;
    }
    from_registers(function).or_else(|| from_attributes(function))
}

fn from_registers(function: &Function) -> Option<Link> {
    let specification = &express::SPECIFICATION;
    let port = port_type(function)?;
    if !port.has_link() {
        return None;
    }
    let status: LinkStatus = function.register(specification)?;
    let capabilities: LinkCapabilities = function.register(specification)?;
    let raw_width = u64::from(status.negotiated_link_width());
    let downstream = port.is_downstream_facing();
    // Data Link Layer Link Active exists where Link Capabilities says so; an upstream-facing end that can be read has
    // a link by that very fact.
    let reports = capabilities.data_link_layer_link_active_reporting_capable();
    let state = match (downstream, reports) {
        (false, _) => LinkState::Up,
        (true, true) if status.data_link_layer_link_active() => LinkState::Up,
        (true, true) => LinkState::Down,
        (true, false) if raw_width == 0 => LinkState::Down,
        (true, false) => LinkState::Unknown,
    };
    let current = match state {
        LinkState::Down => Rate::default(),
        _ => Rate { speed_mts: speed_mts(status.current_link_speed().into()), width: lanes(raw_width) },
    };
    let control: Option<LinkControl> = function.register(specification);
    let target = function.register::<LinkControl2>(specification).filter(|_| has_second_registers(function));
    Some(Link {
        state,
        current,
        maximum: Rate {
            speed_mts: maximum_speed(function, capabilities),
            width: lanes(capabilities.maximum_link_width().into()),
        },
        target_speed_mts: target.and_then(|t| speed_mts(t.target_link_speed().into())),
        training: downstream.then_some(status.link_training()),
        disabled: control.filter(|_| downstream).map(LinkControl::link_disable),
        source: LinkSource::ConfigurationSpace,
    })
}

/// Max Link Speed is an index into Supported Link Speeds (PCIe 6.2, 7.5.3.6); where that vector reads zero (functions
/// built to version 2.1 and before) the index is the speed itself.
fn maximum_speed(function: &Function, capabilities: LinkCapabilities) -> Option<u32> {
    let vector = function
        .register::<LinkCapabilities2>(&express::SPECIFICATION)
        .filter(|_| has_second_registers(function))
        .map_or(0, LinkCapabilities2::supported_link_speeds_vector);
    let encoded = speed_mts(capabilities.max_link_speed().into());
    match LINK_SPEEDS.iter().enumerate().rev().find(|(bit, _)| vector >> bit & 1 == 1) {
        // The two say the same on sane hardware; the encoding is what lspci and the kernel show first.
        Some((_, speed)) if encoded.is_none() => Some(*speed),
        _ => encoded,
    }
}

/// Whether the registers behind offset 24h exist: from capability version 2 on.
pub fn has_second_registers(function: &Function) -> bool {
    function.register::<Capabilities>(&express::SPECIFICATION).is_some_and(|c| c.version() >= 2)
}

fn from_attributes(function: &Function) -> Option<Link> {
    let reading = &function.reading;
    // All-ones would read as a width of 63: an answer of nobody.
    if matches!(
        function.presence.state,
        State::AllOnes | State::Disconnected | State::NotReady | State::Asleep
    ) {
        return None;
    }
    let speed = |name| reading.text(name).and_then(parse_speed);
    let width = |name| reading.text(name).and_then(|t| t.parse::<u64>().ok()).and_then(lanes);
    reading.text("max_link_speed").or(reading.text("current_link_speed"))?;
    let current = Rate { speed_mts: speed("current_link_speed"), width: width("current_link_width") };
    let maximum = Rate { speed_mts: speed("max_link_speed"), width: width("max_link_width") };
    let width_zero = reading.text("current_link_width") == Some("0");
    if maximum == Rate::default() && current == Rate::default() {
        return None;
    }
    let down = width_zero && maximum != Rate::default();
    Some(Link {
        state: if down { LinkState::Down } else { LinkState::Unknown },
        current: if down { Rate::default() } else { current },
        maximum,
        target_speed_mts: None,
        training: None,
        disabled: None,
        source: LinkSource::Attributes,
    })
}

/// Speed strings of all kernels: `8 GT/s`, `8.0 GT/s PCIe`, `Unknown`, `Unknown speed` (drivers/pci/pci-sysfs.c,
/// drivers/pci/probe.c).
fn parse_speed(text: &str) -> Option<u32> {
    let number = text.split(" GT/s").next().filter(|n| n.len() < text.len())?;
    let (whole, tenths) = number.split_once('.').unwrap_or((number, "0"));
    let mts = whole.parse::<u32>().ok()?.checked_mul(1000)?.checked_add(tenths.parse::<u32>().ok()? * 100)?;
    LINK_SPEEDS.contains(&mts).then_some(mts)
}

/// The other end of a function's link.
pub fn partner<'a>(machine: &'a Machine, function: &Function) -> Option<&'a Function> {
    match port_type(function) {
        Some(port) if port.is_downstream_facing() => {
            // Link registers of a multi-function device are those of function 0 (PCIe 6.2, 7.5.3.6).
            machine.children(function.address).min_by_key(|child| child.address)
        }
        Some(port) if !port.has_link() => None,
        _ => machine.parent(function).filter(|p| port_type(p).is_none_or(PortType::is_downstream_facing)),
    }
}

/// Both ends of one link, upper end first.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct Hop {
    /// The root port or switch downstream port.
    #[schemars(with = "String")]
    pub upper: Bdf,
    /// The endpoint or switch upstream port below it.
    #[schemars(with = "String")]
    pub lower: Bdf,
    /// The link as the upper end sees it.
    pub upper_link: Option<Link>,
    /// The link as the lower end sees it.
    pub lower_link: Option<Link>,
    /// What both ends can do: the lower of their maxima; unknown unless both were read.
    pub possible: Rate,
    /// What runs: from the lower end if it answers, else from the upper end.
    pub current: Rate,
    /// Whether the link runs below what both ends can do. `null` if that is not known. Slower than possible is normal
    /// for a device that saves power while idle.
    pub below_possible: Option<bool>,
    /// A card is seen in the slot (Presence Detect State), where the upper end has a slot.
    pub slot_occupied: Option<bool>,
}

/// The links on the way from the root port to the function, topmost first.
pub fn hops(path: &[&Function]) -> Vec<Hop> {
    path.windows(2)
        // Where configuration space was not read, the kernel's attributes at both ends tell of a link.
        .filter(|pair| match port_type(pair[0]) {
            Some(port) => port.is_downstream_facing(),
            None => link(pair[0]).is_some() && link(pair[1]).is_some(),
        })
        .map(|pair| hop(pair[0], pair[1]))
        .collect()
}

fn hop(upper: &Function, lower: &Function) -> Hop {
    let (upper_link, lower_link) = (link(upper), link(lower));
    let maximum = |l: &Option<Link>| l.as_ref().map(|l| l.maximum).unwrap_or_default();
    let current = |l: &Option<Link>| l.as_ref().map(|l| l.current).unwrap_or_default();
    let possible = maximum(&upper_link).lower(maximum(&lower_link));
    let current = if lower_link.is_some() { current(&lower_link) } else { current(&upper_link) };
    let complete = |rate: Rate| rate.speed_mts.is_some() && rate.width.is_some();
    let known = complete(possible) && complete(current);
    Hop {
        upper: upper.address,
        lower: lower.address,
        possible,
        current,
        below_possible: known.then(|| current.is_below(possible)),
        slot_occupied: slot_occupied(upper),
        upper_link,
        lower_link,
    }
}

/// Presence Detect State of the slot below a port, where there is one.
pub fn slot_occupied(port: &Function) -> Option<bool> {
    let capabilities: Capabilities = port.register(&express::SPECIFICATION)?;
    if !capabilities.slot_implemented() || !port_type(port)?.is_downstream_facing() {
        return None;
    }
    port.register::<SlotStatus>(&express::SPECIFICATION).map(SlotStatus::presence_detect_state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speed_strings_of_every_kernel() {
        for (text, expected) in [
            ("2.5 GT/s PCIe", Some(2500)),
            ("8 GT/s", Some(8000)),
            ("32.0 GT/s PCIe", Some(32000)),
            ("Unknown", None),
            ("Unknown speed", None),
            ("", None),
            ("4294967295 GT/s", None),
            ("66 MHz PCI-X", None),
        ] {
            assert_eq!(parse_speed(text), expected, "{text}");
        }
    }

    #[test]
    fn unknown_is_never_below() {
        let rate = |s, w| Rate { speed_mts: s, width: w };
        assert!(rate(Some(2500), Some(16)).is_below(rate(Some(8000), Some(16))));
        assert!(rate(Some(8000), Some(8)).is_below(rate(Some(8000), Some(16))));
        assert!(!rate(None, None).is_below(rate(Some(8000), Some(16))));
        assert_eq!(rate(Some(8000), None).lower(rate(Some(2500), Some(4))), rate(Some(2500), None));
    }
}
