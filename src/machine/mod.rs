//! What Linux and the hierarchy add to configuration space: a machine with its functions.
//!
//! [`load`] reads the functions that a command asks for, each once and as far as the command needs
//! ([`reading::Depth`]), and concludes [`presence`] first. The other files answer one question each about a function
//! or its place: [`link`], [`aspm`], [`aer`], [`interrupts`], [`vectors`], [`power`], [`platform`].

pub mod aer;
pub mod aspm;
pub mod attributes;
pub mod enumerate;
pub mod function;
pub mod interrupts;
pub mod link;
pub mod platform;
pub mod power;
pub mod presence;
pub mod reading;
pub mod vectors;
mod wire;
pub mod worker;

use std::collections::HashMap;
use std::time::Duration;

use crate::pci::Bdf;
use crate::pci::header::{HeaderType, SecondaryBus, SubordinateBus};
use crate::tree::{Directory, Tree, TreeError};

use enumerate::{Entry, Enumeration};
pub use function::Function;
pub use presence::State;
use reading::{Depth, Order, Reading};

/// What is to be read.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// How much of each wanted function.
    pub depth: Depth,
    /// Which functions are wanted. The bridges above them are read as well.
    pub wanted: &'a (dyn Fn(Bdf) -> bool + Sync),
    /// Read sleeping functions too, although that wakes them.
    pub wake: bool,
    /// Time that one function of the live machine may take.
    pub deadline: Duration,
}

/// Time that one function may take unless the user says otherwise. A function that answers takes less than a
/// millisecond; one whose link is up and that does not answer costs up to 50 ms a doubleword (PCIe 6.2, 2.8, default
/// Completion Timeout range) and is left after four.
pub const DEADLINE: Duration = Duration::from_millis(2000);

/// A machine as far as it was read.
#[derive(Debug, Default)]
pub struct Machine {
    /// Functions by address. Those that were not wanted are there with what a bridge on the way to a wanted one needs.
    pub functions: Vec<Function>,
    /// Addresses of the functions that were wanted.
    pub wanted: Vec<Bdf>,
    /// Names in the folder of functions that are no addresses.
    pub strange: Vec<String>,
    index: HashMap<Bdf, usize>,
}

impl Machine {
    /// A function by address.
    pub fn get(&self, address: Bdf) -> Option<&Function> {
        self.index.get(&address).map(|i| &self.functions[*i])
    }

    /// The bridge above a function.
    pub fn parent(&self, function: &Function) -> Option<&Function> {
        self.get(function.parent?)
    }

    /// Functions directly below a bridge.
    pub fn children(&self, bridge: Bdf) -> impl Iterator<Item = &Function> {
        self.functions.iter().filter(move |f| f.parent == Some(bridge))
    }

    /// From the topmost bridge down to the function.
    pub fn path(&self, function: &Function) -> Vec<&Function> {
        let mut path = vec![];
        let mut current = self.get(function.address);
        while let Some(function) = current {
            // A tree from a stranger may claim that a bridge is above itself.
            if path.iter().any(|f: &&Function| f.address == function.address) {
                break;
            }
            path.push(function);
            current = self.parent(function);
        }
        path.reverse();
        path
    }

    /// The wanted functions.
    pub fn wanted(&self) -> impl Iterator<Item = &Function> {
        self.wanted.iter().filter_map(|address| self.get(*address))
    }
}

/// Reads the machine. `live` says that the tree is the machine that this program runs on, whose reads may block; it
/// must be called before the program has started threads.
pub fn load(tree: &dyn Tree, live: bool, scope: Scope<'_>) -> Result<Machine, TreeError> {
    let Enumeration { entries, strange } = enumerate::enumerate(tree)?;
    let orders = orders(tree, &entries, scope);
    let readings = if live {
        let open = || Ok(Box::new(Directory::live()?) as Box<dyn Tree>);
        worker::read_all(&orders, scope.deadline, &open)
            .map_err(|errno| TreeError::errno("a worker process for reading", errno))?
    } else {
        in_threads(&orders, |order| reading::read(tree, *order))
    };
    let read: Vec<(Bdf, Reading)> = readings.into_iter().map(|r| (r.address, r)).collect();
    let by_address: HashMap<Bdf, &Entry> = entries.iter().map(|e| (e.address, e)).collect();
    let mut functions = in_threads_owned(read, |(address, reading)| {
        let entry = by_address.get(&address).copied().cloned();
        let none = Entry { address, parent: None, host_bridge: None, linked: false };
        Function::new(&entry.unwrap_or(none), reading)
    });
    functions.sort_by_key(|f| f.address);
    if entries.iter().any(|e| !e.linked) {
        parents_by_bus_number(&mut functions);
    }
    let index = functions.iter().enumerate().map(|(i, f)| (f.address, i)).collect();
    let wanted = entries.iter().map(|e| e.address).filter(|a| (scope.wanted)(*a)).collect();
    Ok(Machine { functions, wanted, strange, index })
}

/// What has to be read of which function: the wanted ones, the bridges above them, and, where the hierarchy is only in
/// bus numbers, the header of every other.
fn orders(tree: &dyn Tree, entries: &[Entry], scope: Scope<'_>) -> Vec<Order> {
    let parents: HashMap<Bdf, Bdf> = entries.iter().filter_map(|e| Some((e.address, e.parent?))).collect();
    let flat = entries.iter().any(|e| !e.linked);
    let mut needed: HashMap<Bdf, Depth> = HashMap::new();
    for entry in entries.iter().filter(|e| (scope.wanted)(e.address)) {
        needed.insert(entry.address, scope.depth);
        let mut current = parents.get(&entry.address);
        // A summary line tells of the function alone.
        while let Some(bridge) = current.filter(|_| scope.depth > Depth::Summary) {
            if needed.insert(*bridge, scope.depth).is_some() {
                break;
            }
            current = parents.get(bridge);
        }
    }
    let mut asleep: HashMap<Bdf, bool> = HashMap::new();
    let needed_or_flat = entries.iter().filter(|e| flat || needed.contains_key(&e.address));
    needed_or_flat
        .map(|entry| Order {
            address: entry.address,
            depth: needed.get(&entry.address).copied().unwrap_or(if flat {
                scope.depth
            } else {
                Depth::Summary
            }),
            bridge_asleep: !scope.wake && bridge_asleep(tree, &parents, &mut asleep, entry.parent),
            wake: scope.wake,
            remembered: false,
        })
        .collect()
}

/// Whether the bridge or one above it sleeps. Asked once per bridge.
fn bridge_asleep(
    tree: &dyn Tree,
    parents: &HashMap<Bdf, Bdf>,
    known: &mut HashMap<Bdf, bool>,
    bridge: Option<Bdf>,
) -> bool {
    let mut path = Vec::new();
    let mut current = bridge;
    let mut sleeps = false;
    while let Some(bridge) = current {
        match known.get(&bridge) {
            Some(answer) => {
                sleeps = *answer;
                break;
            }
            None if path.contains(&bridge) => break,
            None => path.push(bridge),
        }
        current = parents.get(&bridge).copied();
    }
    for bridge in path.into_iter().rev() {
        sleeps = sleeps || reading::is_asleep(tree, bridge);
        known.insert(bridge, sleeps);
    }
    sleeps
}

/// In a flat tree the bridge above is the one whose secondary bus the function is on.
fn parents_by_bus_number(functions: &mut [Function]) {
    let bridges: Vec<(u32, u8, Bdf)> = functions
        .iter()
        .filter(|f| matches!(f.header_layout(), Some(1 | 2)))
        .filter_map(|f| {
            let secondary = f.header::<SecondaryBus>()?.number();
            let subordinate = f.header::<SubordinateBus>()?.number();
            (secondary != 0 && secondary <= subordinate).then_some((f.address.domain, secondary, f.address))
        })
        .collect();
    for function in functions.iter_mut().filter(|f| f.parent.is_none() && f.host_bridge.is_none()) {
        let here = (function.address.domain, function.address.bus);
        let above = bridges.iter().find(|(domain, bus, bridge)| {
            (*domain, *bus) == here && *bridge != function.address && bridge.bus != function.address.bus
        });
        function.parent = above.map(|(_, _, bridge)| *bridge);
    }
}

/// Fewer items than this are not worth a thread.
const WORTH_A_THREAD: usize = 64;

fn in_threads<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    in_threads_owned(items.iter().collect(), work)
}

/// Does the work for every item, on all processors if there is much of it; results keep the order.
pub fn in_threads_owned<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from).min(8);
    if items.len() < WORTH_A_THREAD || processors == 1 {
        return items.into_iter().map(work).collect();
    }
    let share = items.len().div_ceil(processors);
    let mut rest = items.into_iter();
    let chunks: Vec<Vec<T>> = (0..processors).map(|_| rest.by_ref().take(share).collect()).collect();
    let work = &work;
    std::thread::scope(|scope| {
        let handles: Vec<_> = chunks
            .into_iter()
            .map(|chunk| scope.spawn(move || chunk.into_iter().map(work).collect::<Vec<R>>()))
            .collect();
        handles
            .into_iter()
            .flat_map(|handle| match handle.join() {
                Ok(results) => results,
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .collect()
    })
}

/// Header type with the multi-function bit taken out, for tests and the tree view.
pub fn is_bridge(function: &Function) -> bool {
    function.header::<HeaderType>().is_some_and(|h| h.layout() == 1)
}
