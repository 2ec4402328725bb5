//! Everything that is read of one function, in the right order and once.
//!
//! The order matters (reading a sleeping function wakes it; reading 4 KiB from a function that does not answer can take
//! a minute): sleep first, then what the kernel calls it, then four doublewords of configuration space, then the rest if
//! somebody answers.

use std::time::{Duration, Instant};

use crate::pci::capability::express::{self, PortType};
use crate::pci::decode::{self, Context};
use crate::pci::extended::{aer, doe, dvsec};
use crate::pci::header;
use crate::pci::space::{ConfigBytes, ConfigSpace, HEADER_SIZE, Loader};
use crate::pci::walk::{self, Located};
use crate::pci::{Bdf, capability};
use crate::tree::{Cause, Tree, TreeError, printable, read_text};

use super::attributes::{self, Attribute, Kind, When};
use super::vital_product_data::{self, VitalProductData};

/// How much is read of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// What one line of `list` needs: header, standard capability list, link, MSI-X.
    Summary,
    /// Every capability, and the attributes that `show` prints.
    Detail,
    /// Every capability and every attribute.
    Full,
    /// Also every byte of configuration space that no capability claims, for a hex dump.
    Bytes,
}

/// An attribute's text, or why there is none.
pub type Answer = Result<String, Cause>;

/// Answers by the place of their attribute in [`attributes::ALL`].
pub type Answers = Vec<(u8, Answer)>;

/// Why a function counts as asleep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Asleep {
    /// Its own `power_state` is D3cold.
    PowerState,
    /// The kernel has no `power_state`; it is runtime-suspended and may go to D3cold.
    RuntimeSuspended,
    /// A bridge above it is in D3cold.
    BridgeAbove,
}

/// What was read of one function.
#[derive(Debug, Clone)]
pub struct Reading {
    /// Its address.
    pub address: Bdf,
    /// Configuration space as far as it was read.
    pub space: ConfigSpace,
    /// Size of `config` as `stat` gave it.
    pub config_size: Option<u64>,
    /// Why configuration space could not be read (further), with the offset.
    pub config_error: Option<(u16, Cause)>,
    /// Set if nothing was read of configuration space because that would wake the function.
    pub asleep: Option<Asleep>,
    /// Number of reads of configuration space.
    pub config_reads: u32,
    /// Answers by place in [`attributes::ALL`].
    pub answers: Answers,
    /// Vital product data, if it was asked for.
    pub vital_product_data: Option<VitalProductData>,
}

/// What is wanted of one function.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    /// The function.
    pub address: Bdf,
    /// How much.
    pub depth: Depth,
    /// A bridge above it sleeps.
    pub bridge_asleep: bool,
    /// Read it even though that wakes it.
    pub wake: bool,
    /// Read only what the kernel remembers of it: the function itself does not answer in time.
    pub remembered: bool,
    /// Read its vital product data and nothing else.
    pub vital_product_data: bool,
}

/// Folder in which Linux lists all functions.
pub const DEVICES: &str = "sys/bus/pci/devices";

impl Reading {
    /// A reading of which nothing is known but why.
    pub fn failed(address: Bdf, cause: Cause) -> Self {
        Reading { config_error: Some((0, cause)), ..Reading::empty(address) }
    }

    pub(super) fn empty(address: Bdf) -> Self {
        Reading {
            address,
            space: ConfigSpace::new(0),
            config_size: None,
            config_error: None,
            asleep: None,
            config_reads: 0,
            answers: Vec::new(),
            vital_product_data: None,
        }
    }

    /// The text of an attribute, if it was read.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.answer(name)?.as_ref().ok().map(String::as_str)
    }

    /// The answer to an attribute: `None` if it was not asked for.
    pub fn answer(&self, name: &str) -> Option<&Answer> {
        let index = attributes::index(name)?;
        self.answers.iter().find(|(i, _)| *i == index).map(|(_, answer)| answer)
    }

    /// Last component of a link.
    pub fn link_name(&self, name: &str) -> Option<&str> {
        self.text(name).map(|target| target.rsplit('/').next().unwrap_or(target))
    }

    /// Asks for an attribute, given with its place in the table, unless it was asked for before.
    fn ask(&mut self, folder: &dyn Tree, index: usize, attribute: &Attribute) {
        let Ok(index) = u8::try_from(index) else { return };
        if self.answers.iter().any(|(asked, _)| *asked == index) {
            return;
        }
        let answer = match attribute.kind {
            Kind::Text => read_text(folder, attribute.name),
            Kind::Link => folder.read_link(attribute.name).map(|target| printable(target.into_bytes())),
            Kind::Folder => folder.list(attribute.name).map(|names| printable(names.join("\n").into_bytes())),
            Kind::Bytes => {
                self.vital_product_data = Some(vital_product_data::read(folder, attribute.name));
                return;
            }
        };
        self.answers.push((index, answer.map_err(|e| e.cause)));
    }

    fn ask_when(&mut self, folder: &dyn Tree, when: When) {
        for (index, attribute) in attributes::ALL.iter().enumerate().filter(|(_, a)| a.when == when) {
            self.ask(folder, index, attribute);
        }
    }

    fn ask_by_name(&mut self, folder: &dyn Tree, name: &str) {
        for (index, attribute) in attributes::ALL.iter().enumerate().filter(|(_, a)| a.name == name) {
            self.ask(folder, index, attribute);
        }
    }

    fn is_bridge(&self) -> bool {
        self.space.u8(0x0e).is_some_and(|layout| layout & 0x7f == 1)
    }

    fn has_names(&self, folder: &str) -> bool {
        self.text(folder).is_some_and(|names| !names.is_empty())
    }
}

/// Reads one function.
pub fn read(tree: &dyn Tree, order: Order) -> Reading {
    read_at(tree, &format!("{DEVICES}/{}", order.address), order, Vec::new())
}

/// Reads the function whose folder is at `path`. `known` are the answers that there are already.
pub fn read_at(tree: &dyn Tree, path: &str, order: Order, known: Answers) -> Reading {
    read_within(tree, path, order, known, None)
}

/// The same; of configuration space, only what can be read within `deadline`, in pieces. For reads that take long but
/// end: those of the live machine may not end, and are made in another process.
pub fn read_within(
    tree: &dyn Tree,
    path: &str,
    order: Order,
    known: Answers,
    deadline: Option<Duration>,
) -> Reading {
    let mut reading = Reading { answers: known, ..Reading::empty(order.address) };
    let folder = match tree.enter(path) {
        Ok(folder) => folder,
        Err(error) => {
            reading.config_error = Some((0, error.cause));
            return reading;
        }
    };
    let folder = &*folder;
    reading.ask_when(folder, When::Presence);
    if !order.wake {
        reading.asleep = asleep(&mut reading, folder, order.bridge_asleep);
    }
    if order.vital_product_data {
        if reading.asleep.is_none() {
            reading.ask_when(folder, When::VitalProductData);
        }
        return reading;
    }
    reading.ask_when(folder, When::Always);
    if reading.asleep.is_none() && !order.remembered {
        read_config(&mut reading, folder, order.depth, deadline);
    }
    if reading.text("uevent").is_none_or(|text| !text.contains("PCI_ID=")) {
        reading.ask_when(folder, When::WithoutUevent);
    }
    if reading.space.u8(8).is_none() {
        // A function that sleeps or is gone still has the revision that the kernel noted; `uevent` lacks it.
        reading.ask_by_name(folder, "revision");
    }
    if reading.asleep.is_none() && !order.remembered {
        if reading.space.u32(0) == Some(u32::MAX) && !answers(&reading.space) {
            // Whether the kernel marked it disconnected shows in one attribute; each reads the dead device once more.
            reading.ask_by_name(folder, "current_link_speed");
        } else if reading.space.limit() <= 128 && !has_no_link(&reading) {
            reading.ask_when(folder, When::WithoutLink);
        }
    }
    if order.depth >= Depth::Detail {
        read_detail(&mut reading, folder);
    }
    if order.depth >= Depth::Full {
        read_everything(&mut reading, folder);
    }
    if order.depth == Depth::Bytes {
        // Bytes that no capability claims may tell that there is no AER. Shallower readings do not have them and ask;
        // a capture is to answer those too.
        reading.ask_when(folder, When::DetailOfErrors);
    }
    reading
}

fn read_detail(reading: &mut Reading, folder: &dyn Tree) {
    reading.ask_when(folder, When::Detail);
    if !reading.has_names("msi_irqs") || reading.is_bridge() {
        reading.ask_when(folder, When::DetailWithoutMessages);
    }
    if reading.text("power/control") != Some("on") {
        reading.ask_when(folder, When::DetailOfSuspension);
    }
    // The extended list is only read of a function that answers; a sleeping or dead one still has its attributes.
    let extended = walk::extended(&mut &reading.space);
    let conventional = reading.config_size.is_some_and(|size| (1..=256).contains(&size));
    let sound = conventional || extended.complete && extended.anomalies.is_empty();
    if !sound || extended.found.iter().any(|l| l.id == aer::SPECIFICATION.id) {
        reading.ask_when(folder, When::DetailOfErrors);
    }
    if extended.found.iter().any(|l| l.id == doe::SPECIFICATION.id) {
        reading.ask_when(folder, When::DetailOfObjectExchange);
    }
    if is_restricted_cxl(&reading.space, &extended.found) {
        reading.ask_when(folder, When::DetailOfRestrictedCxl);
    }
}

/// Whether it is a Restricted CXL Device: an endpoint integrated in the root complex with the DVSEC of CXL devices
/// (CXL 3.1, 8.1.3 and 9.11.1). `extended` is its extended capability list.
fn is_restricted_cxl(space: &ConfigSpace, extended: &[Located]) -> bool {
    let cxl = extended.iter().any(|l| l.id == dvsec::SPECIFICATION.id && dvsec::is_cxl_device(space, l));
    let port = || {
        let layout = header::context(space)?.header_layout;
        express::port_type(space, &walk::standard(&mut &*space, layout).found)
    };
    cxl && port() == Some(PortType::RootComplexIntegratedEndpoint as u8)
}

fn read_everything(reading: &mut Reading, folder: &dyn Tree) {
    reading.ask_when(folder, When::DetailWithoutMessages);
    reading.ask_when(folder, When::DetailOfSuspension);
    reading.ask_when(folder, When::Everything);
    if reading.has_names("link") {
        reading.ask_when(folder, When::EverythingOfLink);
    }
    if reading.is_bridge() || reading.asleep.is_some() {
        reading.ask_when(folder, When::EverythingOfBridge);
    }
}

/// Whether reading configuration space would wake the function (kernel: pci_config_pm_runtime_get in
/// drivers/pci/pci-sysfs.c resumes the parents, and the function itself if it is in D3cold).
fn asleep(reading: &mut Reading, folder: &dyn Tree, bridge_asleep: bool) -> Option<Asleep> {
    if bridge_asleep {
        return Some(Asleep::BridgeAbove);
    }
    match reading.text("power_state") {
        // D3cold is also what the kernel notes of a device that it could not wake (kernel: pci_raw_set_power_state in
        // drivers/pci/pci.c). One that runtime power management did not suspend does not sleep: it is gone.
        Some("D3cold") => {
            reading.ask_by_name(folder, "power/runtime_status");
            let status = reading.text("power/runtime_status");
            status
                .is_none_or(|status| matches!(status, "suspended" | "suspending"))
                .then_some(Asleep::PowerState)
        }
        Some(_) => None,
        // Kernels before 5.15 have no power_state; suspended and allowed to go to D3cold is as near as they tell.
        None => {
            reading.ask_by_name(folder, "power/runtime_status");
            if reading.text("power/runtime_status") != Some("suspended") {
                return None;
            }
            reading.ask_by_name(folder, "d3cold_allowed");
            (reading.text("d3cold_allowed") == Some("1")).then_some(Asleep::RuntimeSuspended)
        }
    }
}

/// Whether sysfs says that the function whose folder is at `path` sleeps, without reading it; and the answers that this
/// took. For bridges, before those below are read.
pub fn is_asleep(tree: &dyn Tree, path: &str, address: Bdf) -> (bool, Answers) {
    let mut reading = Reading::empty(address);
    let Ok(folder) = tree.enter(path) else { return (false, Vec::new()) };
    reading.ask_when(&*folder, When::Presence);
    (asleep(&mut reading, &*folder, false).is_some(), reading.answers)
}

fn has_no_link(reading: &Reading) -> bool {
    // Without a capability list there is no PCI Express capability, hence no link.
    reading.space.u16(6).is_some_and(|status| status & 0x10 == 0)
}

fn read_config(reading: &mut Reading, folder: &dyn Tree, depth: Depth, deadline: Option<Duration>) {
    let file = match folder.open("config") {
        Ok(file) => file,
        Err(error) => {
            reading.config_error = Some((0, error.cause));
            return;
        }
    };
    let size = file.size();
    reading.config_size = Some(size);
    let limit = u16::try_from(size.min(4096)).unwrap_or(4096);
    if let Some(pieces) = file.pieces() {
        // A dump with holes: everything that there is is at hand.
        reading.space = ConfigSpace::new(limit);
        for (offset, bytes) in pieces.runs {
            reading.space.store(u16::try_from(offset).unwrap_or(u16::MAX), &bytes);
        }
        reading.config_error =
            pieces.ended.map(|(offset, cause)| (u16::try_from(offset).unwrap_or(u16::MAX), cause));
        return;
    }
    let read =
        |offset: u16, buffer: &mut [u8]| file.read_at(offset.into(), buffer).map_err(|e: TreeError| e.cause);
    let mut blocks = Blocks::default();
    let mut patience = deadline.map(Patience::new);
    let mut source = |offset: u16, buffer: &mut [u8]| match (file.is_copy(), &mut patience) {
        (true, _) => blocks.read(offset, buffer, read),
        (false, Some(patience)) => patience.read(offset, buffer, read),
        (false, None) => read(offset, buffer),
    };
    let mut loader = Loader::new(limit, &mut source);
    let subsystem_known = reading.text("uevent").is_some_and(|text| text.contains("PCI_SUBSYS_ID="));
    load(&mut loader, depth, subsystem_known);
    reading.config_error = loader.error;
    reading.config_reads = loader.reads;
    reading.space = loader.into_space();
    if let Some((offset, bytes)) = patience.and_then(|patience| patience.kept) {
        reading.space.store(offset, &bytes);
        let behind = offset.saturating_add(bytes.len() as u16);
        reading.config_error = reading.config_error.take().map(|(_, cause)| (behind, cause));
    }
}

/// Of what takes long to read, small pieces are read until the time is up.
struct Patience {
    deadline: Duration,
    began: Instant,
    /// What was read of the request during which the time was up, with its offset.
    kept: Option<(u16, Vec<u8>)>,
}

impl Patience {
    /// Bytes of a piece: of a function that does not complete requests each takes four times up to 50 ms, the end of the
    /// default range of Completion Timeout (PCIe 6.2, 7.5.3.16).
    const PIECE: usize = 16;

    fn new(deadline: Duration) -> Self {
        Patience { deadline, began: Instant::now(), kept: None }
    }

    fn read(
        &mut self,
        offset: u16,
        buffer: &mut [u8],
        read: impl Fn(u16, &mut [u8]) -> Result<usize, Cause>,
    ) -> Result<usize, Cause> {
        let mut done = 0;
        while done < buffer.len() {
            let end = buffer.len().min(done + Self::PIECE);
            let late = self.began.elapsed() >= self.deadline;
            let milliseconds = u32::try_from(self.deadline.as_millis()).unwrap_or(u32::MAX);
            let answer = match late {
                true => Err(Cause::TimedOut(milliseconds)),
                false => read(offset + done as u16, &mut buffer[done..end]),
            };
            match answer {
                Ok(length) => {
                    done += length;
                    if done < end {
                        break;
                    }
                }
                Err(cause) => {
                    self.kept = Some((offset, buffer[..done].to_vec()));
                    return Err(cause);
                }
            }
        }
        Ok(done)
    }
}

/// Of a copy, where the number of reads counts and not their length, blocks are read and kept.
#[derive(Default)]
struct Blocks {
    bytes: Vec<u8>,
    /// A bit for each block that was read.
    read: u16,
    /// Where the copy ends, once that was seen.
    end: Option<usize>,
}

impl Blocks {
    const SIZE: usize = 256;

    fn read(
        &mut self,
        offset: u16,
        buffer: &mut [u8],
        read: impl Fn(u16, &mut [u8]) -> Result<usize, Cause>,
    ) -> Result<usize, Cause> {
        let start = usize::from(offset);
        let mut stop = start + buffer.len();
        for block in start / Self::SIZE..stop.div_ceil(Self::SIZE) {
            let (from, to) = (block * Self::SIZE, (block + 1) * Self::SIZE);
            if self.read & 1 << block != 0 || self.end.is_some_and(|end| from >= end) {
                continue;
            }
            if self.bytes.len() < to {
                self.bytes.resize(to, 0);
            }
            let length = read(from as u16, &mut self.bytes[from..to])?;
            self.read |= 1 << block;
            if length < Self::SIZE {
                self.end = Some(from + length);
            }
        }
        stop = stop.min(self.end.unwrap_or(stop));
        let there = self.bytes.get(start..stop).unwrap_or_default();
        buffer[..there.len()].copy_from_slice(there);
        Ok(there.len())
    }
}

/// Identity, Command, Status, class and header type: enough to know whether somebody answers.
const PROBE: u16 = 16;

/// Reads the header behind the probe: all of it, and the doubleword behind, where mostly the first capability is; or
/// only bus numbers and the capabilities pointer.
fn load_header(bytes: &mut dyn ConfigBytes, layout: u8, whole: bool) {
    let pointer = walk::capabilities_pointer(layout);
    if whole || pointer != 0x34 {
        bytes.load(PROBE, HEADER_SIZE + 4 - PROBE);
        if layout == 2 {
            // Legacy mode base address.
            bytes.load(0x44, 4);
        }
        return;
    }
    if layout == 1 {
        bytes.load(0x18, 4);
    }
    if bytes.space().u16(6).is_some_and(|status| status & 0x10 != 0) {
        bytes.load(pointer, 4);
    }
}

fn load(bytes: &mut dyn ConfigBytes, depth: Depth, subsystem_known: bool) {
    if !bytes.load(0, PROBE) || !answers(bytes.space()) {
        return;
    }
    let Some(context) = header::context(bytes.space()) else { return };
    load_header(bytes, context.header_layout, depth > Depth::Summary || !subsystem_known);
    let standard = walk::standard(bytes, context.header_layout).found;
    if standard.is_empty() {
        // Whether more than the header may be read at all is only known from trying.
        bytes.load(HEADER_SIZE, 4);
    }
    if depth == Depth::Summary {
        for located in standard.iter().filter(|l| l.id == capability::express::SPECIFICATION.id) {
            // Device Capabilities to Link Status: errors seen, link, ASPM.
            bytes.load(located.offset + 4, 16);
        }
        for located in standard.iter().filter(|l| l.id == capability::subsystem::SPECIFICATION.id) {
            if !subsystem_known {
                bytes.load(located.offset + 4, 4);
            }
        }
        return;
    }
    decode_lists(bytes, context, &standard);
    if depth == Depth::Bytes {
        let limit = bytes.space().limit();
        let mut offset = 0;
        while offset < limit {
            bytes.load(offset, 256.min(limit - offset));
            offset += 256;
        }
    }
}

/// Whether the first doublewords are those of something that answers.
pub(super) fn answers(space: &ConfigSpace) -> bool {
    let Some(identity) = space.u32(0) else { return false };
    // A virtual function reads FFFFFFFFh at offset 0 by specification (PCIe 6.2, 9.3.4.1.1 and 9.3.4.1.2).
    let others = || [4, 8, 12].iter().any(|o| space.u32(*o).is_some_and(|v| v != u32::MAX));
    match identity {
        u32::MAX => others(),
        // Kernel: pci_bus_generic_read_dev_vendor_id in drivers/pci/probe.c takes these for an empty slot.
        0xffff_0001 | 0 | 0x0000_ffff | 0xffff_0000 => false,
        _ => true,
    }
}

/// Whether a function has extended configuration space at all (kernel: pci_cfg_space_size in drivers/pci/probe.c).
fn has_extended(context: Context, standard: &[Located]) -> bool {
    let base_and_subclass = context.class >> 8;
    standard.iter().any(|l| matches!(l.id, 0x10 | 0x07)) || base_and_subclass == 0x0600
}

/// Both capability lists of a function that answers.
pub fn locate(bytes: &mut dyn ConfigBytes) -> Vec<Located> {
    let Some(context) = header::context(bytes.space()) else { return Vec::new() };
    let mut found = walk::standard(bytes, context.header_layout).found;
    if bytes.space().limit() > 256 && has_extended(context, &found) {
        found.extend(walk::extended(bytes).found);
    }
    found
}

fn decode_lists(bytes: &mut dyn ConfigBytes, context: Context, standard: &[Located]) {
    decode::capabilities(bytes, context, standard);
    if bytes.space().limit() > 256 && has_extended(context, standard) {
        let extended = walk::extended(bytes).found;
        let context = decode::with_express(bytes.space(), context, standard);
        decode::capabilities(bytes, context, &extended);
    }
}

#[cfg(test)]
#[path = "reading_tests.rs"]
mod tests;
