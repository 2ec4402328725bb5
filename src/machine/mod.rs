//! What Linux and the hierarchy add to configuration space: a machine with its functions.
//!
//! [`load`] reads the functions that a command asks for, each once and as far as the command needs
//! ([`reading::Depth`]), and concludes [`presence`] first. The other files answer one question each about a function
//! or its place: [`link`], [`aspm`], [`aer`], [`interrupts`], [`vectors`], [`power`], [`platform`].

pub mod above_4g;
pub mod aer;
pub mod aspm;
pub mod attributes;
pub mod basis;
pub mod board;
pub mod enumerate;
pub mod error_sources;
pub mod files;
pub mod function;
pub mod interrupts;
pub mod link;
pub mod platform;
pub mod power;
pub mod presence;
pub mod reading;
pub mod smbios;
mod threads;
pub mod vectors;
pub mod vital_product_data;
pub mod wall_clock;
mod wire;
pub mod worker;

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use nix::errno::Errno;

use crate::pci::Bdf;
use crate::pci::header::{HeaderType, SecondaryBus, SubordinateBus};
use crate::tree::{Cause, Directory, Tree, TreeError};

use enumerate::{Entry, Enumeration};
pub use function::Function;
pub use presence::State;
use reading::{Answers, Depth, Order, Reading};
pub use threads::{in_order, in_threads};
use vital_product_data::VitalProductData;

/// What is to be read.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// How much of each wanted function.
    pub depth: Depth,
    /// Which functions are wanted. The bridges above them are read as well.
    pub wanted: &'a (dyn Fn(Bdf) -> bool + Sync),
    /// Read sleeping functions too, although that wakes them.
    pub wake: bool,
    /// Time that one function may take: of the live machine altogether, of any other tree for configuration space.
    pub deadline: Duration,
    /// Also read the vital product data of the wanted functions that answer and have it.
    pub vital_product_data: bool,
}

/// Time that one function may take unless the user says otherwise. A function that answers takes less than a
/// millisecond; one whose link is up and that does not answer costs up to 50 ms a doubleword (PCIe 6.2, 2.8, default
/// Completion Timeout range) and is left after four.
pub const DEADLINE: Duration = Duration::from_millis(2000);

/// A machine as far as it was read.
#[derive(Debug, Default)]
pub struct Machine {
    /// Functions in the order of their addresses. Those that were not wanted are there with what a bridge on the way to
    /// a wanted one needs.
    pub functions: Vec<Function>,
    /// Addresses of the functions that were wanted.
    pub wanted: Vec<Bdf>,
    /// Names in the folder of functions that are no addresses.
    pub strange: Vec<String>,
    /// Whether vital product data was asked for.
    pub vital_product_data: bool,
    /// Names of IOMMU groups with the places of their functions, in ascending order.
    groups: Vec<(String, usize)>,
    /// Of each virtual function the address of its physical function, in ascending order.
    physical: Vec<Bdf>,
    /// Bridges with the places of the functions below them, in ascending order.
    below: Vec<(Bdf, usize)>,
    /// Of each function the place of the bridge above it, without the links that would close a circle.
    above: Vec<Option<usize>>,
}

/// Most bridges that are followed upwards: a domain has no more than 256 buses, whatever a tree claims.
pub const MOST_LEVELS: usize = 256;

impl Machine {
    /// A machine of these functions, in the order of their addresses; none of them is wanted yet.
    pub fn from_functions(functions: Vec<Function>) -> Machine {
        let mut below: Vec<(Bdf, usize)> =
            functions.iter().enumerate().filter_map(|(place, f)| Some((f.parent?, place))).collect();
        below.sort_unstable();
        let above = without_circles(&functions);
        let group = |f: &Function| Some(f.reading.link_name("iommu_group")?.to_owned());
        let mut groups: Vec<(String, usize)> =
            functions.iter().enumerate().filter_map(|(place, f)| Some((group(f)?, place))).collect();
        groups.sort_unstable();
        let mut physical: Vec<Bdf> =
            functions.iter().filter_map(|f| f.reading.link_name("physfn")?.parse().ok()).collect();
        physical.sort_unstable();
        Machine { functions, groups, physical, below, above, ..Machine::default() }
    }

    /// A function by address.
    pub fn get(&self, address: Bdf) -> Option<&Function> {
        let place = self.functions.binary_search_by_key(&address, |f| f.address).ok()?;
        self.functions.get(place)
    }

    /// The bridge above a function.
    pub fn parent(&self, function: &Function) -> Option<&Function> {
        self.get(function.parent?)
    }

    /// Functions directly below a bridge.
    pub fn children(&self, bridge: Bdf) -> impl Iterator<Item = &Function> {
        let start = self.below.partition_point(|(above, _)| *above < bridge);
        let below = self.below[start..].iter().take_while(move |(above, _)| *above == bridge);
        below.map(|(_, place)| &self.functions[*place])
    }

    /// Functions of the IOMMU group of that name.
    pub fn group<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Function> {
        let start = self.groups.partition_point(|(group, _)| group.as_str() < name);
        let group = self.groups[start..].iter().take_while(move |(group, _)| group == name);
        group.map(|(_, place)| &self.functions[*place])
    }

    /// How many virtual functions of a physical one the kernel has.
    pub fn virtual_functions(&self, physical: Bdf) -> usize {
        let start = self.physical.partition_point(|known| *known < physical);
        self.physical[start..].iter().take_while(|known| **known == physical).count()
    }

    /// From the topmost bridge down to the function; at most [`MOST_LEVELS`], the lowest ones.
    pub fn path(&self, function: &Function) -> Vec<&Function> {
        let place = self.functions.binary_search_by_key(&function.address, |f| f.address).ok();
        let upwards = std::iter::successors(place, |place| self.above.get(*place).copied().flatten());
        let mut path: Vec<&Function> =
            upwards.take(MOST_LEVELS).filter_map(|place| self.functions.get(place)).collect();
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
    load_while(tree, live, scope, || ())
}

/// The same, with something that is done meanwhile. It reads no device: that may block. It starts no threads either, or
/// has ended them when it returns.
pub fn load_while(
    tree: &dyn Tree,
    live: bool,
    scope: Scope<'_>,
    meanwhile: impl FnOnce() + Send,
) -> Result<Machine, TreeError> {
    load_watched(tree, live, scope, meanwhile, None)
}

/// Told how many functions were read, and of how many; whether to go on.
pub type Watch<'a> = &'a mut dyn FnMut(usize, usize) -> bool;

/// The same; `watch` is told again and again how far reading is. When it returns false, reading ends, and the others were
/// not read, with `EINTR` as the reason.
pub fn load_watched(
    tree: &dyn Tree,
    live: bool,
    scope: Scope<'_>,
    meanwhile: impl FnOnce() + Send,
    mut watch: Option<Watch<'_>>,
) -> Result<Machine, TreeError> {
    let Enumeration { entries, strange } = enumerate::enumerate(tree, live)?;
    let wanted = entries.iter().map(|e| e.address).filter(|a| (scope.wanted)(*a)).collect();
    let orders = orders(tree, live, &entries, scope);
    let with_product_data = |reading: &Reading| {
        scope.vital_product_data && (scope.wanted)(reading.address) && vital_product_data::may_have(reading)
    };
    let mut functions = if live {
        let (entries, orders): (Vec<&Entry>, Vec<Order>) =
            orders.into_iter().map(|(entry, order, _)| (entry, order)).unzip();
        let open = || Ok(Box::new(Directory::live()?) as Box<dyn Tree>);
        let failed = |errno| TreeError::errno("a worker process for reading", errno);
        let mut watch = |done| watch.as_mut().is_none_or(|watch| watch(done, orders.len()));
        let mut readings = worker::read_all_watched(&orders, scope.deadline, &open, meanwhile, &mut watch)
            .map_err(failed)?;
        // Before there are threads, because of the workers.
        add_vital_product_data(&mut readings, &orders, with_product_data, |orders| {
            worker::read_all(orders, scope.deadline, &open, || ()).map_err(failed)
        })?;
        in_threads(entries.into_iter().zip(readings).collect(), |(e, reading)| Function::new(e, reading))
    } else {
        let read = |(entry, order, answers): (&Entry, Order, _)| {
            let mut reading = reading::read_within(tree, &entry.path, order, answers, Some(scope.deadline));
            if with_product_data(&reading) {
                let order = Order { vital_product_data: true, ..order };
                let more = reading::read_at(tree, &entry.path, order, Vec::new());
                reading.vital_product_data = more.vital_product_data;
            }
            Function::new(entry, reading)
        };
        // On a machine without room for another process there is no thread either: then it is done afterwards.
        let meanwhile = Mutex::new(Some(meanwhile));
        let begin = || {
            let waiting = meanwhile.lock().unwrap_or_else(PoisonError::into_inner).take();
            waiting.into_iter().for_each(|work| work());
        };
        let functions = std::thread::scope(|threads| {
            let _ = std::thread::Builder::new().spawn_scoped(threads, begin);
            match watch {
                None => in_threads(orders, read),
                Some(watch) => until(orders, read, watch),
            }
        });
        begin();
        functions
    };
    if entries.iter().any(|e| !e.linked) {
        parents_by_bus_number(&mut functions);
    }
    Ok(Machine {
        wanted,
        strange,
        vital_product_data: scope.vital_product_data,
        ..Machine::from_functions(functions)
    })
}

/// Reads one function after the other until `watch` returns false; the others were not read.
fn until<'a>(
    orders: Vec<(&'a Entry, Order, Answers)>,
    read: impl Fn((&'a Entry, Order, Answers)) -> Function + Sync,
    watch: Watch<'_>,
) -> Vec<Function> {
    let entries: Vec<&Entry> = orders.iter().map(|(entry, ..)| *entry).collect();
    let mut functions = Vec::with_capacity(entries.len());
    let take = |function| {
        functions.push(function);
        Ok::<bool, Infallible>(watch(functions.len(), entries.len()))
    };
    // Nothing in it fails.
    let Ok(()) = in_order(orders, read, take);
    let not_read =
        |entry: &&Entry| Function::new(entry, Reading::failed(entry.address, Cause::Errno(Errno::EINTR)));
    functions.extend(entries.get(functions.len()..).unwrap_or_default().iter().map(not_read));
    functions
}

/// Adds vital product data to the readings that are wanted with it. An order of its own each, after everything else.
fn add_vital_product_data(
    readings: &mut [Reading],
    orders: &[Order],
    wanted: impl Fn(&Reading) -> bool,
    read: impl FnOnce(&[Order]) -> Result<Vec<Reading>, TreeError>,
) -> Result<(), TreeError> {
    let places: Vec<usize> = (0..readings.len()).filter(|place| wanted(&readings[*place])).collect();
    let order = |place: &usize| Order { vital_product_data: true, ..orders[*place] };
    let more: Vec<Order> = places.iter().map(order).collect();
    for (place, answer) in places.into_iter().zip(read(&more)?) {
        let failed = |(_, cause)| VitalProductData { bytes: Vec::new(), error: Some(cause) };
        readings[place].vital_product_data = answer.vital_product_data.or(answer.config_error.map(failed));
    }
    Ok(())
}

/// Places of the bridges above. A tree from a stranger may claim that a bridge is above itself: the link that closes the
/// circle is left out.
fn without_circles(functions: &[Function]) -> Vec<Option<usize>> {
    let place = |address| functions.binary_search_by_key(&address, |f| f.address).ok();
    let mut above: Vec<Option<usize>> = functions.iter().map(|f| f.parent.and_then(place)).collect();
    // By which walk upwards a function was reached first.
    let mut reached = vec![usize::MAX; above.len()];
    for start in 0..above.len() {
        if reached[start] != usize::MAX {
            continue;
        }
        reached[start] = start;
        let mut here = start;
        while let Some(bridge) = above[here] {
            match reached[bridge] {
                usize::MAX => reached[bridge] = start,
                walk if walk == start => {
                    above[here] = None;
                    break;
                }
                _ => break,
            }
            here = bridge;
        }
    }
    above
}

/// What has to be read of which function: the wanted ones, the bridges above them, and, where the hierarchy is only in
/// bus numbers, the header of every other. `entries` are in the order of their addresses, and so is what comes back, with
/// the answers that are known of bridges.
fn orders<'a>(
    tree: &dyn Tree,
    live: bool,
    entries: &'a [Entry],
    scope: Scope<'_>,
) -> Vec<(&'a Entry, Order, Answers)> {
    let place = |address| entries.binary_search_by_key(&address, |e| e.address).ok();
    let parents: Vec<Option<usize>> = entries.iter().map(|e| e.parent.and_then(place)).collect();
    // A tree from a stranger may claim that a bridge is above itself.
    let above =
        |place: usize| std::iter::successors(parents[place], |bridge| parents[*bridge]).take(MOST_LEVELS);
    let flat = entries.iter().any(|e| !e.linked);
    let mut needed: Vec<Option<Depth>> = entries
        .iter()
        .map(|e| match (scope.wanted)(e.address) {
            true => Some(scope.depth),
            false => flat.then_some(scope.depth),
        })
        .collect();
    let mut is_bridge = vec![false; entries.len()];
    for function in 0..entries.len() {
        if needed[function].is_none() {
            continue;
        }
        for bridge in above(function) {
            // A summary line tells of the function alone.
            if scope.depth > Depth::Summary {
                needed[bridge] = Some(scope.depth);
            }
            if std::mem::replace(&mut is_bridge[bridge], true) {
                break;
            }
        }
    }
    if scope.depth > Depth::Summary {
        // The other end of a port's link: the lowest function below it, which holds the link registers of its device.
        for child in (0..entries.len()).rev() {
            let Some(bridge) = parents[child].filter(|bridge| (scope.wanted)(entries[*bridge].address))
            else {
                continue;
            };
            let lower =
                (0..child).rev().take_while(|c| entries[*c].address.bus == entries[child].address.bus);
            let is_lowest = !lower.into_iter().any(|other| parents[other] == Some(bridge));
            if is_lowest && needed[child].is_none() {
                needed[child] = Some(scope.depth);
                is_bridge[bridge] = true;
            }
        }
    }
    let mut sleeps = vec![false; entries.len()];
    let mut known = vec![Vec::new(); entries.len()];
    if !scope.wake {
        let bridges: Vec<usize> = (0..entries.len()).filter(|place| is_bridge[*place]).collect();
        let look = |bridge: usize| {
            let Entry { path, address, .. } = &entries[bridge];
            (bridge, reading::is_asleep(tree, path, *address))
        };
        // Nothing of this reads a device. Workers are started later, which has to be done without threads.
        let found = if live { bridges.into_iter().map(look).collect() } else { in_threads(bridges, look) };
        for (bridge, (asleep, answers)) in found {
            (sleeps[bridge], known[bridge]) = (asleep, answers);
        }
    }
    let order = |(place, answers): (usize, Answers)| {
        let entry = &entries[place];
        let order = Order {
            address: entry.address,
            depth: needed[place]?,
            bridge_asleep: above(place).any(|bridge| sleeps[bridge]),
            wake: scope.wake,
            remembered: false,
            vital_product_data: false,
        };
        Some((entry, order, answers))
    };
    known.into_iter().enumerate().filter_map(order).collect()
}

/// In a flat tree the bridge above is the one whose secondary bus the function is on.
fn parents_by_bus_number(functions: &mut [Function]) {
    let mut above: HashMap<(u32, u8), Bdf> = HashMap::new();
    for bridge in functions.iter().filter(|f| matches!(f.header_layout(), Some(1 | 2))) {
        let numbers = bridge.header::<SecondaryBus>().zip(bridge.header::<SubordinateBus>());
        let Some((secondary, subordinate)) = numbers.map(|(s, s2)| (s.number(), s2.number())) else {
            continue;
        };
        // A bridge whose secondary bus is its own leads nowhere.
        if secondary != 0 && secondary <= subordinate && secondary != bridge.address.bus {
            above.entry((bridge.address.domain, secondary)).or_insert(bridge.address);
        }
    }
    for function in functions.iter_mut().filter(|f| f.parent.is_none() && f.host_bridge.is_none()) {
        function.parent = above.get(&(function.address.domain, function.address.bus)).copied();
    }
}

/// Header type with the multi-function bit taken out, for tests and the tree view.
pub fn is_bridge(function: &Function) -> bool {
    function.header::<HeaderType>().is_some_and(|h| h.layout() == 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::MemoryTree;

    /// Functions that each claim the next one of `above` as their bridge.
    fn claimed(claims: &[(&str, &str)]) -> Machine {
        let tree = claims.iter().fold(MemoryTree::complete(), |tree, (name, above)| {
            tree.link(
                format!("{}/{name}", reading::DEVICES),
                format!("../../../devices/pci0000:00/{above}/{name}"),
            )
        });
        let scope = Scope {
            depth: Depth::Detail,
            wanted: &|_| true,
            wake: false,
            deadline: Duration::from_millis(1),
            vital_product_data: false,
        };
        load(&tree, false, scope).unwrap()
    }

    fn way(machine: &Machine, place: usize) -> Vec<String> {
        machine.path(&machine.functions[place]).iter().map(|f| f.address.to_string()).collect()
    }

    #[test]
    fn a_way_has_no_more_bridges_than_a_domain_has_buses() {
        let names: Vec<String> = (0..3000).map(|n| format!("{:04x}:{:02x}:00.0", n / 256, n % 256)).collect();
        let claims: Vec<(&str, &str)> =
            (0..names.len()).map(|n| (&*names[n], &*names[n.saturating_sub(1)])).collect();
        let machine = claimed(&claims);
        assert_eq!(way(&machine, 2), names[..3]);
        assert_eq!(way(&machine, 255), names[..256]);
        assert_eq!(way(&machine, 2999), names[2999 - 255..]);
    }

    /// A copy or a simulated machine, one of whose functions takes 50 ms for every four bytes: it costs its time and no more,
    /// keeps what was read of it, and the others are read to their end.
    #[test]
    fn a_slow_function_has_a_deadline_in_every_tree() {
        let mut config = vec![0; 4096];
        config[..4].copy_from_slice(&[0xde, 0x10, 0x85, 0x2b]);
        let path = |bus: u8| format!("{}/0000:{bus:02x}:00.0/config", reading::DEVICES);
        let tree = MemoryTree::complete()
            .file(path(1), config.clone())
            .slow(path(2), config.clone(), Duration::from_millis(50))
            .file(path(3), config.clone());
        let deadline = Duration::from_millis(400);
        let scope = Scope {
            depth: Depth::Bytes,
            wanted: &|_| true,
            wake: false,
            deadline,
            vital_product_data: false,
        };
        let began = std::time::Instant::now();
        let machine = load(&tree, false, scope).unwrap();
        // All of it would take 51 s.
        assert!(began.elapsed() < Duration::from_secs(20));
        let last: Vec<Option<u32>> = machine.functions.iter().map(|f| f.reading.space.u32(4092)).collect();
        assert_eq!(last, [Some(0), None, Some(0)]);
        let slow = &machine.functions[1].reading;
        let error = slow.config_error.unwrap();
        assert_eq!(error.1, crate::tree::Cause::TimedOut(400));
        assert_eq!(slow.space.u32(0), Some(0x2b85_10de));
    }

    #[test]
    fn circles_end() {
        let (a, b, c) = ("0000:01:00.0", "0000:02:00.0", "0000:03:00.0");
        let machine = claimed(&[(a, b), (b, a), (c, b)]);
        assert_eq!(way(&machine, 0), [b, a]);
        assert_eq!(way(&machine, 1), [b]);
        assert_eq!(way(&machine, 2), [b, c]);
        assert_eq!(way(&claimed(&[(a, a)]), 0), [a]);
    }
}
