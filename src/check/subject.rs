//! What a check looks at, and the only way in which it gets registers.

use std::ops::Deref;

use crate::kernel_log::Log;
use crate::machine::interrupts::Line;
use crate::machine::platform::Platform;
use crate::machine::{Function, Machine, link};
use crate::pci::Bdf;
use crate::pci::capability::express::{self, PortType};
use crate::pci::decode::Specification;
use crate::pci::header::HeaderType;
use crate::pci::register::RegisterType;
use crate::pci::space::CONVENTIONAL_SIZE;
use crate::pci::walk::List;
use crate::tree::Tree;

use super::earlier::Earlier;
use super::expectation::Expectation;
use super::finding::{Proof, Skip};
use super::gathered::Gathered;
use super::numa::Nodes;
use super::profile::Profile;

/// The machine as checks see it.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// The machine.
    pub machine: &'a Machine,
    /// What its functions say of its NUMA nodes.
    pub nodes: Nodes<'a>,
    /// Firmware, command line, what the kernel log says of the platform.
    pub platform: &'a Platform,
    /// `/proc/interrupts`, if the source has it.
    pub interrupts: Option<&'a [Line]>,
    /// The source, for windows behind BARs.
    pub tree: &'a dyn Tree,
    /// The source is the machine that this program runs on.
    pub live: bool,
    /// Memory of devices may be read on machines other than x86 too.
    pub mmio: bool,
    /// What decides between warning and failure, and thresholds.
    pub profile: &'a Profile,
    /// The functions are known to be busy, so that running slowly is not excused by idling.
    pub busy: bool,
    /// What is judged was named, or all is said to be busy: a load is a load of these.
    pub named: bool,
    /// The kernel log, if there is one.
    pub log: Option<&'a Log>,
    /// What the machine is expected to be.
    pub expectation: Option<&'a Expectation>,
    /// The same machine some time before.
    pub earlier: Option<&'a Earlier<'a>>,
}

impl<'a> Surroundings<'a> {
    /// A machine of which nothing is known but itself, from a source that is not the live machine.
    pub fn new(
        machine: &'a Machine,
        platform: &'a Platform,
        tree: &'a dyn Tree,
        profile: &'a Profile,
    ) -> Surroundings<'a> {
        Surroundings {
            machine,
            nodes: Nodes::of(machine),
            platform,
            interrupts: None,
            tree,
            live: false,
            mmio: false,
            profile,
            busy: false,
            named: false,
            log: None,
            expectation: None,
            earlier: None,
        }
    }
}

/// One function with its machine.
pub struct Subject<'a> {
    /// The machine.
    pub around: Surroundings<'a>,
    /// The function.
    pub function: &'a Function,
    /// Its kind, if it is PCI Express.
    pub port: Option<PortType>,
    pub(super) gathered: Gathered,
    standard_known: bool,
    extended_known: bool,
}

/// A register that was read, with its proof.
#[derive(Debug, Clone)]
pub struct Read<R> {
    /// The register.
    pub value: R,
    /// Where it is.
    pub proof: Proof,
}

impl<R> Deref for Read<R> {
    type Target = R;
    fn deref(&self) -> &R {
        &self.value
    }
}

impl<R: RegisterType> Read<R> {
    /// The proof with the field that decides.
    pub fn field(&self, key: &str) -> Proof {
        let mut proof = self.proof.clone();
        if let Proof::Register { field, .. } = &mut proof {
            *field = R::REGISTER.field(key);
        }
        proof
    }
}

/// Why there is no register of the capability.
fn missing(function: &Function, list: List, name: &str, known: bool) -> Skip {
    if known {
        return Skip::not_applicable(format!("it has no {name} capability"));
    }
    let lost = || match function.lost_capability() {
        Some((name, _)) => format!("the kernel found {name} in it, and it is not there now (caps-integrity)"),
        None => "the list could not be followed to its end".to_owned(),
    };
    let why = function.unread().unwrap_or_else(lost);
    let which = match list {
        List::Standard => "standard",
        List::Extended => "extended",
    };
    Skip::unknown(format!("{}: the {which} capability list is not known: {why}", function.address))
}

/// A register of any function.
pub fn register<R: RegisterType>(
    function: &Function,
    specification: &'static Specification,
) -> Result<Read<R>, Skip> {
    let known = || match specification.list {
        List::Standard => function.standard_list_known(),
        List::Extended => function.extended_list_known(),
    };
    register_with(function, specification, known)
}

fn register_with<R: RegisterType>(
    function: &Function,
    specification: &'static Specification,
    known: impl Fn() -> bool,
) -> Result<Read<R>, Skip> {
    if !function.answers() {
        let (state, reason) = (function.presence.state.name(), &function.presence.reason);
        return Err(Skip::unknown(format!("{} is {state}: {reason}", function.address)));
    }
    let Some(located) = function.find(specification) else {
        return Err(missing(function, specification.list, specification.name, known()));
    };
    let offset = located.offset + R::REGISTER.offset;
    let raw = function.space().and_then(|space| space.value(offset, R::REGISTER.width));
    let Some(raw) = raw else {
        let name = R::REGISTER.short;
        let why = function.unread().unwrap_or_else(|| "it lies outside what was read".to_owned());
        return Err(Skip::unknown(format!("{}: {name} was not read: {why}", function.address)));
    };
    let capability = specification.key;
    let proof = Proof::Register {
        address: function.address,
        capability,
        register: R::REGISTER,
        field: None,
        offset,
        raw,
    };
    Ok(Read { value: R::from_raw(raw), proof })
}

/// A register of the header of any function.
pub fn header<R: RegisterType>(function: &Function) -> Result<Read<R>, Skip> {
    let raw = function.space().and_then(|space| space.value(R::REGISTER.offset, R::REGISTER.width));
    let Some(raw) = raw else {
        let name = R::REGISTER.short;
        let why = function.unread().unwrap_or_else(|| "it was not read".to_owned());
        return Err(Skip::unknown(format!("{}: {name} was not read: {why}", function.address)));
    };
    let proof = Proof::Register {
        address: function.address,
        capability: "header",
        register: R::REGISTER,
        field: None,
        offset: R::REGISTER.offset,
        raw,
    };
    Ok(Read { value: R::from_raw(raw), proof })
}

impl<'a> Subject<'a> {
    /// A function to be checked.
    pub fn new(around: Surroundings<'a>, function: &'a Function) -> Self {
        Subject {
            around,
            function,
            port: link::port_type(function),
            gathered: Gathered::default(),
            standard_known: function.standard_list_known(),
            extended_known: function.extended_list_known(),
        }
    }

    /// Its address.
    pub fn address(&self) -> Bdf {
        self.function.address
    }

    /// A register of a capability: unknown if it was not read, not applicable if the function does not have it.
    pub fn register<R: RegisterType>(&self, specification: &'static Specification) -> Result<Read<R>, Skip> {
        register_with(self.function, specification, || match specification.list {
            List::Standard => self.standard_known,
            List::Extended => self.extended_known,
        })
    }

    /// Whether it has the capability; unknown if the list was not read.
    pub fn has(&self, specification: &'static Specification) -> Result<bool, Skip> {
        if self.function.find(specification).is_some() {
            return Ok(true);
        }
        let known = match specification.list {
            List::Standard => self.standard_known,
            List::Extended => self.extended_known,
        };
        match known {
            true => Ok(false),
            false => Err(missing(self.function, specification.list, specification.name, known)),
        }
    }

    /// Where the extended list ends, as proof that something is not on it: the header of its last capability, or what stands
    /// at 100h of a function without any. Empty if that was not read.
    pub fn end_of_extended_list(&self) -> Vec<Proof> {
        let last = self.function.located.iter().rfind(|located| located.list == List::Extended);
        let (offset, decoded) = match last {
            Some(last) => (last.offset, "header of the last extended capability"),
            None => (CONVENTIONAL_SIZE, "no extended capability"),
        };
        let raw = self.function.space().and_then(|space| space.u32(offset));
        let address = self.address();
        raw.map(|raw| Proof::Bytes { address, offset, width: 4, raw: raw.into(), decoded })
            .into_iter()
            .collect()
    }

    /// A register of the header.
    pub fn header<R: RegisterType>(&self) -> Result<Read<R>, Skip> {
        header(self.function)
    }

    /// A text attribute of sysfs: unknown if the source does not have it.
    pub fn attribute(&self, name: &'static str) -> Result<(&'a str, Proof), Skip> {
        let text = self.text(name)?;
        Ok((text, Proof::Attribute { address: self.address(), name, text: text.to_owned() }))
    }

    /// The same without the proof.
    pub fn text(&self, name: &str) -> Result<&'a str, Skip> {
        match self.function.reading.answer(name) {
            Some(Ok(text)) => Ok(text),
            Some(Err(cause)) => Err(Skip::unknown(format!("{name}: {cause}"))),
            None => Err(Skip::unknown(format!("{name} was not read"))),
        }
    }

    /// The kind of port; not applicable to functions that are not PCI Express.
    pub fn port(&self) -> Result<PortType, Skip> {
        match self.port {
            Some(port) => Ok(port),
            None => {
                self.register::<express::Capabilities>(&express::SPECIFICATION)?;
                Err(Skip::unknown("the port type is a reserved value"))
            }
        }
    }

    /// Its header layout.
    pub fn layout(&self) -> Result<u8, Skip> {
        Ok(self.header::<HeaderType>()?.layout())
    }

    /// Only for functions with a link register of their own: neither virtual functions nor what is integrated in the root
    /// complex.
    pub fn with_link(&self) -> Result<PortType, Skip> {
        let port = self.port()?;
        if !port.has_link() {
            return Err(Skip::not_applicable("it is integrated in the root complex and has no link"));
        }
        if self.function.is_virtual() {
            return Err(Skip::not_applicable(
                "the link of a virtual function is that of its physical function",
            ));
        }
        Ok(port)
    }

    /// Only for ports above a link.
    pub fn downstream_port(&self) -> Result<PortType, Skip> {
        let port = self.with_link()?;
        match port.is_downstream_facing() {
            true => Ok(port),
            false => Err(Skip::not_applicable("only the port above a link has this")),
        }
    }

    /// The upper end of the link of which this is the lower end. Not applicable where the link is judged elsewhere.
    pub fn upper_end(&self) -> Result<&'a Function, Skip> {
        let port = self.with_link()?;
        if port.is_downstream_facing() {
            return Err(Skip::not_applicable("the link below is judged at its lower end"));
        }
        let upper = link::partner(self.around.machine, self.function);
        let upper = upper
            .ok_or_else(|| Skip::unknown("the port above is not known, so its end of the link is not"))?;
        match link::partner(self.around.machine, upper) {
            Some(lowest) if lowest.address != self.address() => Err(Skip::not_applicable(format!(
                "the link is that of the whole device and judged at {}",
                lowest.address
            ))),
            _ => Ok(upper),
        }
    }

    /// The driver; not applicable without one, unknown if the source does not tell.
    pub fn driver(&self) -> Result<&'a str, Skip> {
        match self.function.driver() {
            Some(driver) => Ok(driver),
            None if self.function.driver_known() => Err(Skip::not_applicable("no driver is bound")),
            None => Err(Skip::unknown("the source does not tell whether a driver is bound")),
        }
    }

    /// Base class: the upper byte of the class code; 3 is a display controller.
    pub fn base_class(&self) -> Option<u8> {
        self.function.identity.class.map(|class| (class >> 16) as u8)
    }
}
