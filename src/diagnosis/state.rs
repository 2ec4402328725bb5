//! What of the machine's state is a sign: presence, findings of checks, and facts about the port above.
//!
//! Registers are judged by the checks (`check/`), so that `check` and `diagnose` cannot differ. Facts are what a diagnosis
//! needs besides: which end of the link says what, and what the log says of a whole branch.

use std::collections::HashMap;

use crate::check::finding::{Finding, Proof, Status};
use crate::check::profile::{Profile, Setting};
use crate::check::registry::{self, Severity};
use crate::check::run;
use crate::check::subject::{self, Surroundings};
use crate::kernel_log::Event;
use crate::machine::link::{self, LinkState};
use crate::machine::{self, Function, Machine, State, vectors};
use crate::pci::Bdf;
use crate::pci::bars::{Resource, resources};
use crate::pci::capability::express::{self, LinkControl, LinkStatus, PortType, SlotStatus};
use crate::pci::capability::{msi, msix};
use crate::pci::extended::aer::{self, CorrectableMask, UncorrectableMask};
use crate::pci::header::Command;
use crate::pci::register::RegisterType;

use super::sign::{self, Now};

/// A fact that no single check tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact {
    /// The slot below the port above is empty (Presence Detect State 0).
    SlotEmpty,
    /// A card is seen in it.
    SlotOccupied,
    /// A card is seen in the port's own slot.
    OwnSlotOccupied,
    /// A card is seen in the port's own slot, its link is down, nobody took it down, and nothing is listed behind it.
    CardWithoutLink,
    /// The port above says that its link is down.
    LinkAboveDown,
    /// The port above says that its link is up.
    LinkAboveUp,
    /// The bridge above leads to other buses than the kernel knows.
    BusNumbersWrong,
    /// An interrupt is pending and its vector is not masked: it does not leave the device.
    PendingUnmasked,
    /// Link Disable is set at the port above.
    LinkDisabled,
    /// Link Training is set at the port above.
    LinkTraining,
    /// The port above is in containment (DPC Trigger Status).
    Contained,
    /// The kernel's runtime power management of the device is in error.
    PowerError,
    /// The slot of the port above has a power fault.
    SlotPowerFault,
    /// What is in the slot answers, or the port's link is up, and the slot's power controller reports no fault.
    SlotHasPower,
    /// Every memory BAR has an address.
    AddressesAssigned,
    /// MSI-X or MSI is on, and not masked as a whole.
    MessageInterruptsOn,
    /// The link runs slower than both its ends can.
    RunsBelowBothEnds,
    /// Equalization is not complete and asked for again.
    EqualizationUnfinished,
    /// The FADT forbids ASPM, and it is on.
    AspmForbiddenAndOn,
    /// The kernel command line keeps the kernel from extended configuration space.
    NoExtendedSpaceByOption,
    /// All uncorrectable and correctable errors of the device are masked.
    ErrorsMasked,
    /// Only the header could be read.
    HeaderOnly,
    /// From the log: a switch and what is behind it stopped answering together.
    BranchVanished,
    /// From the log: the link is far slower than the device can.
    MuchSlowerAtBoot,
    /// From the log: a device below the port was found or started.
    FoundBelow,
    /// The root port received fatal errors, and counted none of its own.
    FatalErrorsReceived,
}

/// Checks that tell what is well: what clears the hardware when the trouble is elsewhere.
pub const CLEARING: [&str; 7] = [
    "presence-config-all-ones",
    "link-width-below-path",
    "aer-status-latched",
    "bar-unassigned",
    "bar-lost-after-reset",
    "cmd-memory-decode",
    "msix-off-while-bound",
];
/// Checks whose findings facts are made from.
const OF_FACTS: [&str; 9] = [
    "presence-parent-link",
    "bridge-bus-numbers",
    "dpc-triggered",
    "power-slot-fault",
    "link-eq-incomplete",
    "link-eq-request",
    "aspm-enabled",
    "presence-not-ready",
    "aer-correctable-latched",
];

/// The machine's state as diagnosis sees it.
pub struct Scene<'a> {
    /// Everything that checks look at.
    pub around: Surroundings<'a>,
    findings: HashMap<(Bdf, &'static str), Finding>,
}

/// The profile by which diagnosis asks the checks: everything that it uses is on.
pub fn profile() -> Profile {
    let mut profile = Profile::default();
    for check in registry::all().filter(|check| check.severity == Severity::Off) {
        let why = "diagnosis uses it".to_owned();
        let setting = Setting { severity: Some(Severity::Warn), threshold: None, why };
        profile.settings.insert(check.id.to_owned(), setting);
    }
    profile
}

impl<'a> Scene<'a> {
    /// Makes the checks that signs are made from, of the wanted functions and the bridges above them.
    pub fn new(around: Surroundings<'a>) -> Self {
        let machine = around.machine;
        let mut addresses: Vec<Bdf> = machine.wanted.clone();
        addresses.extend(machine.wanted().flat_map(|f| machine.path(f)).map(|f| f.address));
        addresses.sort_unstable();
        addresses.dedup();
        let functions = addresses.into_iter().filter_map(|address| machine.get(address)).collect();
        let used = |check: &registry::Check| {
            let in_sign = sign::all().flat_map(|sign| sign.states).any(|now| *now == Now::Check(check.id));
            in_sign || CLEARING.contains(&check.id) || OF_FACTS.contains(&check.id)
        };
        let findings = run::run(around, functions, &used);
        let keyed = findings.into_iter().filter_map(|f| Some(((f.address?, f.check.id), f))).collect();
        Scene { around, findings: keyed }
    }

    /// The machine.
    pub fn machine(&self) -> &'a Machine {
        self.around.machine
    }

    /// What that check said of a function.
    pub fn finding(&self, address: Bdf, check: &'static str) -> Option<&Finding> {
        self.findings.get(&(address, check))
    }

    /// Whether the resource has an address now that a line of the log names, as the kernel lists them (include/linux/pci.h: 0 to 5
    /// are BARs, 6 is the ROM, 7 to 12 are BARs of virtual functions, 13 to 16 windows of a bridge); `None` if that is not known.
    pub fn has_address(&self, event: &Event) -> Option<bool> {
        let function = self.machine().get(event.device?)?;
        let listed = resources(function.reading.text("resource")?)?;
        let number = match (event.text("bar_name"), event.number("bar")) {
            (Some("ROM"), _) => Some(6),
            (Some("bridge window"), _) => None,
            (Some(name), _) => match name.strip_prefix("VF BAR ") {
                Some(number) => Some(7 + number.parse::<usize>().ok()?),
                None => Some(name.strip_prefix("BAR ")?.parse().ok()?),
            },
            // Which numbers windows have depends on how the kernel was built.
            (None, Some(7..)) if function.header_layout() == Some(1) => None,
            (None, number) => Some(usize::try_from(number?).ok()?),
        };
        let Some(number) = number else {
            let wanted = event.text("resource").unwrap_or_default();
            let of_kind = |window: &&Resource| {
                window.is_memory() && window.is_prefetchable() == wanted.contains("pref")
            };
            let windows = listed.get(13..)?;
            let has = windows.iter().flatten().filter(of_kind).any(|window| window.is_assigned());
            return (has || windows.iter().all(Option::is_some)).then_some(has);
        };
        Some(listed.get(number).copied().flatten()?.is_assigned())
    }

    /// Whether everything behind a bridge has an address for its memory BARs; false for what is no bridge, and where that is not known.
    pub fn is_bridge_without_want(&self, bridge: Bdf) -> bool {
        if self.machine().get(bridge).and_then(Function::header_layout) != Some(1) {
            return false;
        }
        let mut bridges = vec![bridge];
        while let Some(bridge) = bridges.pop() {
            for below in self.machine().children(bridge) {
                let finding = self.finding(below.address, "bar-unassigned");
                if !finding.is_some_and(|f| matches!(f.status, Status::Pass | Status::NotApplicable)) {
                    return false;
                }
                bridges.push(below.address);
            }
        }
        true
    }

    /// The proofs if the check found something that is more than mild.
    fn wrong(&self, address: Bdf, check: &'static str) -> Option<(String, Vec<Proof>)> {
        let finding = self.finding(address, check)?;
        let wrong = matches!(finding.status, Status::Fail | Status::Warn) && !finding.verdict().mild;
        wrong.then(|| (finding.summary.to_string(), finding.verdict().proofs.clone()))
    }

    /// What is seen of it, if it is: a clause and the proofs.
    pub fn look(&self, function: &Function, now: Now) -> Option<(String, Vec<Proof>)> {
        match now {
            Now::Presence(state) => (function.presence.state == state).then(|| self.presence(function)),
            // What a root port received may be of any device below it, which says so itself.
            Now::Check("aer-fatal") if received_only(function) => None,
            Now::Check(check) => self.wrong(function.address, check),
            Now::Fact(fact) => self.fact(function, fact),
        }
    }

    fn presence(&self, function: &Function) -> (String, Vec<Proof>) {
        let check = match function.presence.state {
            State::NotReady => "presence-not-ready",
            _ => "presence-config-all-ones",
        };
        let proofs =
            self.finding(function.address, check).map(|f| f.verdict().proofs.clone()).unwrap_or_default();
        let says = match function.presence.state {
            State::Answering => "configuration space is answered".to_owned(),
            _ => function.presence.reason.clone(),
        };
        (says, proofs)
    }

    fn fact(&self, function: &Function, fact: Fact) -> Option<(String, Vec<Proof>)> {
        let address = function.address;
        match fact {
            Fact::PowerError => {
                let text = function.reading.text("power/runtime_status").filter(|text| *text == "error")?;
                let proof = Proof::Attribute { address, name: "power/runtime_status", text: text.to_owned() };
                Some(("runtime power management is in error".to_owned(), vec![proof]))
            }
            Fact::RunsBelowBothEnds => {
                let above = self.machine().parent(function)?;
                let hop = link::hops(&[above, function]).into_iter().next()?;
                let (now, can) = hop.current.speed_mts.zip(hop.possible.speed_mts)?;
                let status = subject::register::<LinkStatus>(function, &express::SPECIFICATION).ok()?;
                let says = format!(
                    "the link {} to {address} runs at {} GT/s, both ends can {} GT/s",
                    above.address,
                    f64::from(now) / 1000.0,
                    f64::from(can) / 1000.0
                );
                (now < can).then(|| (says, vec![status.field("current_link_speed")]))
            }
            Fact::EqualizationUnfinished => {
                let above = self.machine().parent(function)?.address;
                let (says, mut proofs) = self.wrong(above, "link-eq-incomplete")?;
                proofs.extend(self.wrong(above, "link-eq-request")?.1);
                Some((says, proofs))
            }
            Fact::AspmForbiddenAndOn => {
                (self.around.platform.fadt_no_aspm == Some(true)).then_some(())?;
                self.wrong(address, "aspm-enabled")
            }
            Fact::NoExtendedSpaceByOption => {
                let platform = self.around.platform;
                platform.has_option("pci", "nommconf").then_some(())?;
                let text = platform.command_line.clone()?;
                let proof = Proof::File { path: "proc/cmdline".to_owned(), text };
                Some(("pci=nommconf is on the kernel command line".to_owned(), vec![proof]))
            }
            Fact::ErrorsMasked => {
                let all = |register: &crate::pci::register::Register, raw: u32| {
                    u64::from(raw) & register.defined() == register.defined()
                };
                let (one, two) = (
                    subject::register::<UncorrectableMask>(function, &aer::SPECIFICATION).ok()?,
                    subject::register::<CorrectableMask>(function, &aer::SPECIFICATION).ok()?,
                );
                let masked = all(UncorrectableMask::REGISTER, one.0) && all(CorrectableMask::REGISTER, two.0);
                masked.then(|| ("every error is masked".to_owned(), vec![one.proof, two.proof]))
            }
            Fact::HeaderOnly => {
                let express = function.config_bytes() == 64 && !function.standard_list_known();
                let text = format!("{} bytes can be read", function.config_bytes());
                let says = function.unread().unwrap_or_else(|| text.clone());
                express.then(|| (says, vec![Proof::Attribute { address, name: "config", text }]))
            }
            Fact::BusNumbersWrong => {
                self.wrong(self.machine().parent(function)?.address, "bridge-bus-numbers")
            }
            Fact::PendingUnmasked => self.pending_unmasked(function),
            Fact::SlotHasPower => self.slot_has_power(function),
            Fact::OwnSlotOccupied => self.fact_of_port(function, Fact::SlotOccupied),
            Fact::CardWithoutLink => {
                let lists = self.machine().children(address).next().is_some();
                let disabled = self.fact_of_port(function, Fact::LinkDisabled).is_some();
                (!lists && !disabled).then(|| self.wrong(address, "presence-parent-link"))?
            }
            Fact::FatalErrorsReceived => {
                received_only(function).then(|| self.wrong(address, "aer-fatal")).flatten()
            }
            Fact::AddressesAssigned => {
                // Of a bridge its windows count as well.
                let finding = self.finding(address, "bar-unassigned").filter(|f| f.status == Status::Pass)?;
                let says = "every memory BAR has an address".to_owned();
                (function.header_layout() == Some(0)).then(|| (says, finding.verdict().proofs.clone()))
            }
            Fact::MessageInterruptsOn => {
                let msix = subject::register::<msix::Control>(function, &msix::SPECIFICATION).ok();
                let msi = subject::register::<msi::Control>(function, &msi::SPECIFICATION).ok();
                let msix = msix.filter(|control| control.enable() && !control.function_mask());
                let msi = msi.filter(|control| control.enable());
                msix.map(|control| ("MSI-X is on".to_owned(), vec![control.field("enable")]))
                    .or_else(|| msi.map(|control| ("MSI is on".to_owned(), vec![control.field("enable")])))
            }
            Fact::BranchVanished | Fact::MuchSlowerAtBoot | Fact::FoundBelow => None,
            _ => self.fact_of_port(self.port_above(function)?, fact),
        }
    }

    /// What answers has power, and so has what a link leads to; a fault that the power controller noted stays until software
    /// clears it (PCIe 6.2, 7.5.3.11).
    fn slot_has_power(&self, function: &Function) -> Option<(String, Vec<Proof>)> {
        let downwards = link::port_type(function).is_some_and(|port| port.is_downstream_facing());
        let port = if downwards { function } else { self.port_above(function)? };
        let noted = self.wrong(port.address, "power-slot-fault").is_some();
        let well = if downwards {
            link::link(port).is_some_and(|link| link.state == LinkState::Up)
        } else {
            function.presence.state == State::Answering
        };
        let status = subject::register::<SlotStatus>(port, &express::SPECIFICATION).ok();
        let proofs = status.map(|status| status.field("power_fault_detected")).into_iter().collect();
        let says = if downwards { "its link is up" } else { "the device answers" };
        (well && !noted).then(|| (format!("{says}, and {} reports no power fault", port.address), proofs))
    }

    /// A device sends a pending message at once unless the vector or the function is masked (PCIe 6.2, 6.1.4.5).
    fn pending_unmasked(&self, function: &Function) -> Option<(String, Vec<Proof>)> {
        let control: msix::Control = function.register(&msix::SPECIFICATION)?;
        let command: Command = function.header()?;
        (control.enable() && !control.function_mask() && command.bus_master_enable()).then_some(())?;
        let Surroundings { tree, live, platform, mmio, .. } = self.around;
        let table = vectors::read(tree, live, function, platform, mmio)?.ok()?;
        let stuck = table.vectors.iter().find(|v| !v.masked && v.pending == Some(true) && v.address != 0)?;
        let (place, _) = vectors::places(function)?;
        let path = format!("sys/bus/pci/devices/{}/resource{}", function.address, place.bar);
        let text = format!("vector {} is pending and not masked", stuck.index);
        Some((text.clone(), vec![Proof::File { path, text }]))
    }

    /// The port above the device; of a bridge's other functions that of function 0.
    fn port_above(&self, function: &Function) -> Option<&'a Function> {
        let above = self.machine().parent(function)?;
        link::port_type(above).is_some_and(|port| port.is_downstream_facing()).then_some(above)
    }

    /// What of a port tells of a device below it that is not listed any more.
    pub fn look_from_port(&self, port: &Function, now: Now) -> Option<(String, Vec<Proof>)> {
        let downwards = link::port_type(port).is_some_and(|port| port.is_downstream_facing());
        match now {
            Now::Fact(fact) if downwards => self.fact_of_port(port, fact),
            _ => None,
        }
    }

    fn fact_of_port(&self, port: &Function, fact: Fact) -> Option<(String, Vec<Proof>)> {
        let address = port.address;
        let status = || subject::register::<LinkStatus>(port, &express::SPECIFICATION).ok();
        let slot = || subject::register::<SlotStatus>(port, &express::SPECIFICATION).ok();
        match fact {
            Fact::SlotEmpty | Fact::SlotOccupied => {
                let occupied = link::slot_occupied(port)?;
                let says = if occupied { "sees a card" } else { "sees no card" };
                (occupied == (fact == Fact::SlotOccupied)).then(|| {
                    Some((format!("{address} {says}"), vec![slot()?.field("presence_detect_state")]))
                })?
            }
            Fact::LinkAboveDown | Fact::LinkAboveUp => {
                let wanted = if fact == Fact::LinkAboveDown { LinkState::Down } else { LinkState::Up };
                let says = if fact == Fact::LinkAboveDown { "down" } else { "up" };
                (link::link(port)?.state == wanted).then(|| {
                    Some((
                        format!("{address} says that its link is {says}"),
                        vec![status()?.field("data_link_layer_link_active")],
                    ))
                })?
            }
            Fact::LinkDisabled => {
                let control = subject::register::<LinkControl>(port, &express::SPECIFICATION).ok()?;
                control
                    .link_disable()
                    .then(|| (format!("{address} has Link Disable set"), vec![control.field("link_disable")]))
            }
            Fact::LinkTraining => {
                let status = status()?;
                status
                    .link_training()
                    .then(|| (format!("{address} trains its link"), vec![status.field("link_training")]))
            }
            Fact::Contained => self.wrong(address, "dpc-triggered"),
            Fact::SlotPowerFault => self.wrong(address, "power-slot-fault"),
            _ => None,
        }
    }
}

/// Whether a function counted no fatal error of its own (`aer_dev_fatal`), so that those that a root port counted were messages
/// which it received (Linux Documentation/ABI/testing/sysfs-bus-pci-devices-aer, aer_rootport_total_err_fatal).
fn received_only(function: &Function) -> bool {
    let own = machine::aer::counters(function, "aer_dev_fatal").and_then(|counters| counters.total);
    link::port_type(function) == Some(PortType::RootPort) && own == Some(0)
}
