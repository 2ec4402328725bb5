//! From located capabilities to registers with values.

use super::capability::express;
use super::register::{Register, RegisterType};
use super::space::{CONFIG_SPACE_SIZE, CONVENTIONAL_SIZE, ConfigBytes, ConfigSpace};
use super::walk::{Anomaly, List, Located};

/// What a capability's layout may depend on besides its own bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Context {
    /// Header Type without the multi-function bit: 0, 1 or 2.
    pub header_layout: u8,
    /// Vendor ID.
    pub vendor_id: u16,
    /// Device ID.
    pub device_id: u16,
    /// Class code, 24 bits: base class, subclass, programming interface.
    pub class: u32,
    /// Device/Port Type out of the PCI Express capability, if there is one (PCIe 6.2, 7.5.3.2).
    pub port_type: Option<u8>,
    /// Maximum Link Width in lanes out of the PCI Express capability's Link Capabilities, if it is known
    /// (PCIe 6.2, 7.5.3.6): how many lanes the per-lane registers are for.
    pub link_width: Option<u8>,
    /// Flit Mode Status out of the PCI Express capability's Link Status 2, if it is known (PCIe 6.2, 7.5.3.20): how the
    /// packets look that a port logs.
    pub flit_mode: Option<bool>,
}

/// What is known of a kind of capability.
#[derive(Debug)]
pub struct Specification {
    /// The list on which its ID counts.
    pub list: List,
    /// Capability ID.
    pub id: u16,
    /// First part of the dotted path.
    pub key: &'static str,
    /// Name in the words of the specification.
    pub name: &'static str,
    /// Where it is specified.
    pub section: &'static str,
    /// Places the registers; `None` where the capability is only named and its bytes are shown raw.
    pub layout: Option<fn(&mut Builder<'_>)>,
    /// Every register that the layout may place, for documentation, schemas and tests.
    pub registers: &'static [&'static Register],
}

/// A register at its place, with its value if it was read.
#[derive(Debug, Clone, Copy)]
pub struct Placed {
    /// The table.
    pub register: &'static Register,
    /// The repeated group that it belongs to and the index in it, for example `("entry", 0)`.
    pub group: Option<(&'static str, u16)>,
    /// The repeated group in which that group is, where groups are nested, for example `("selective_stream", 1)`.
    pub within: Option<(&'static str, u16)>,
    /// Offset in configuration space.
    pub offset: u16,
    /// The raw value; `None` if it was not read.
    pub raw: Option<u64>,
}

/// A capability with all its registers.
#[derive(Debug, Clone)]
pub struct Capability {
    /// Where it is.
    pub located: Located,
    /// What it is; `None` for an ID that is not known.
    pub specification: Option<&'static Specification>,
    /// How many capabilities of the same kind come before it in the list.
    pub instance: u16,
    /// Registers in the order of the specification.
    pub registers: Vec<Placed>,
    /// The offset behind its last byte, as far as its own registers tell.
    pub end: u16,
    /// The part whose layout is not known, as the offset of its first byte and that behind its last one; see
    /// [`shown_raw`].
    pub undecoded: Option<(u16, u16)>,
}

impl Capability {
    /// First part of the dotted path, with the index if it is not the first of its kind: `msix`, `vsec[1]`.
    /// Unknown IDs are `capability_16`, `extended_00ff`.
    pub fn path(&self) -> String {
        let key = match (self.specification, self.located.list) {
            (Some(specification), _) => specification.key.to_owned(),
            (None, List::Standard) => format!("capability_{:02x}", self.located.id),
            (None, List::Extended) => format!("extended_{:04x}", self.located.id),
        };
        if self.instance == 0 { key } else { format!("{key}[{}]", self.instance) }
    }

    /// What of it is not read, and why, if there is something.
    pub fn not_read(&self) -> Option<&'static str> {
        let rows = super::left_out::not_read_of(self.specification?.key);
        rows.into_iter().find_map(|row| {
            let placed = self.registers.iter().find(|p| p.register.key == row.register)?;
            placed.raw.is_none_or(row.when).then_some(row.text)
        })
    }

    /// The first register of the type, if it is there and was read.
    pub fn get<R: RegisterType>(&self) -> Option<R> {
        self.registers
            .iter()
            .find(|p| std::ptr::eq(p.register, R::REGISTER))
            .and_then(|p| p.raw)
            .map(R::from_raw)
    }

    /// Bytes of it that are reserved and not zero, with their offsets.
    pub fn reserved_bytes(&self, space: &ConfigSpace) -> Vec<(u16, u8)> {
        let header = if self.located.list == List::Standard { 2 } else { 4 };
        let header = self.located.offset..self.located.offset.saturating_add(header);
        let raw = self.undecoded.unwrap_or_default();
        let mut bytes = super::reserved::bytes(&self.registers, self.end, space);
        bytes.retain(|(offset, _)| !header.contains(offset) && !(raw.0..raw.1).contains(offset));
        bytes
    }

    /// The raw values of all registers of the type, in order; `None` for those that were not read.
    pub fn all<R: RegisterType>(&self) -> impl Iterator<Item = Option<u64>> {
        self.registers.iter().filter(|p| std::ptr::eq(p.register, R::REGISTER)).map(|p| p.raw)
    }
}

impl Placed {
    /// Path behind the capability's: `link_status`, `entry[0].control`.
    pub fn path(&self) -> String {
        let mut path = String::new();
        for (group, index) in self.within.into_iter().chain(self.group) {
            path.push_str(&format!("{group}[{index}]."));
        }
        path + self.register.key
    }
}

/// Places the registers of one capability, reading what they need.
pub struct Builder<'a> {
    bytes: &'a mut dyn ConfigBytes,
    /// What the layout may depend on.
    pub context: Context,
    /// The capability.
    pub located: Located,
    /// Offset of the next capability's header behind this one, or the end of the list's region.
    pub room_end: u16,
    registers: Vec<Placed>,
    anomalies: Vec<Anomaly>,
    end: u16,
    undecoded: Option<(u16, u16)>,
}

impl<'a> Builder<'a> {
    /// A builder for the capability at `located`.
    pub fn new(bytes: &'a mut dyn ConfigBytes, context: Context, located: Located, room_end: u16) -> Self {
        let header = if located.list == List::Standard { 2 } else { 4 };
        Builder {
            bytes,
            context,
            located,
            room_end,
            registers: Vec::with_capacity(8),
            anomalies: Vec::new(),
            end: located.offset.saturating_add(header),
            undecoded: None,
        }
    }

    /// Reads `length` bytes from `offset` (relative to the capability) in one go. Call it once for each region whose
    /// size is known, before placing registers: on hardware, one read is better than many.
    pub fn load(&mut self, offset: u16, length: u16) -> bool {
        self.bytes.load(self.located.offset.saturating_add(offset), length)
    }

    /// A number of 1 to 8 bytes at `offset` relative to the capability, read if need be.
    pub fn value(&mut self, offset: u16, width: u8) -> Option<u64> {
        let absolute = self.located.offset.checked_add(offset)?;
        if !self.bytes.load(absolute, width.into()) {
            return None;
        }
        self.bytes.space().value(absolute, width)
    }

    /// Places the register at its own offset.
    pub fn add<R: RegisterType>(&mut self) -> Option<R> {
        self.place::<R>(None, None, R::REGISTER.offset)
    }

    /// Places the register at another offset relative to the capability: where the layout moves it.
    pub fn add_at<R: RegisterType>(&mut self, offset: u16) -> Option<R> {
        self.place::<R>(None, None, offset)
    }

    /// Places the register as part of its repeated group: `entry[index].register`.
    pub fn add_in<R: RegisterType>(&mut self, index: u16, offset: u16) -> Option<R> {
        self.place::<R>(None, R::REGISTER.group.map(|group| (group, index)), offset)
    }

    /// Places the register as part of its group where that is part of another: `stream[outer].association[index].register`.
    pub fn add_within<R: RegisterType>(&mut self, outer: u16, index: u16, offset: u16) -> Option<R> {
        let outer = R::REGISTER.within.map(|within| (within, outer));
        self.place::<R>(outer, R::REGISTER.group.map(|group| (group, index)), offset)
    }

    fn place<R: RegisterType>(
        &mut self,
        within: Option<(&'static str, u16)>,
        group: Option<(&'static str, u16)>,
        offset: u16,
    ) -> Option<R> {
        let register = R::REGISTER;
        let absolute = self.located.offset.checked_add(offset)?;
        let raw = self.value(offset, register.width);
        self.registers.push(Placed { register, group, within, offset: absolute, raw });
        self.reaches(offset + u16::from(register.width));
        raw.map(R::from_raw)
    }

    /// Bytes from the capability's first one up to what comes next in its list.
    pub fn room(&self) -> u16 {
        self.room_end.saturating_sub(self.located.offset)
    }

    /// Notes that the capability reaches at least to `offset` (relative, behind the last byte).
    pub fn reaches(&mut self, offset: u16) {
        self.end = self.end.max(self.located.offset.saturating_add(offset));
    }

    /// Notes that the layout is not known from `offset` up to `end` (relative, and no farther than the next capability), and
    /// reads what is shown of that.
    pub fn leave_raw(&mut self, offset: u16, end: u16) {
        let end = end.min(self.room());
        if offset < end {
            let start = self.located.offset;
            let (first, last) = shown_raw((start + offset, start + end));
            self.bytes.load(first, last - first);
            self.undecoded = Some((start + offset, start + end));
        }
    }

    /// Notes something that the specification does not allow.
    pub fn anomaly(&mut self, anomaly: Anomaly) {
        self.anomalies.push(anomaly);
    }

    /// What is known so far.
    pub fn space(&self) -> &ConfigSpace {
        self.bytes.space()
    }
}

/// The context with what the PCI Express capability in `walk` adds to it.
pub fn with_express(space: &ConfigSpace, context: Context, walk: &[Located]) -> Context {
    Context {
        port_type: context.port_type.or_else(|| express::port_type(space, walk)),
        link_width: context.link_width.or_else(|| express::maximum_link_width(space, walk)),
        flit_mode: context.flit_mode.or_else(|| express::flit_mode(space, walk)),
        ..context
    }
}

/// Most bytes of a capability whose registers are not known that are read and shown raw.
pub const RAW_LIMIT: u16 = 64;

/// What is shown of a range that is not decoded: whole doublewords, no more than [`RAW_LIMIT`] bytes.
pub fn shown_raw((start, end): (u16, u16)) -> (u16, u16) {
    (start & !3, end.min((start & !3) + RAW_LIMIT))
}

/// Decodes every capability of a walk. Over a loader this reads the registers; over a finished space it only looks.
///
/// What `context` lacks of the PCI Express capability is taken from the one in `walk`, wherever it is in the list.
/// Whoever decodes the extended list on its own uses [`with_express`] of the standard one first.
pub fn capabilities(
    bytes: &mut dyn ConfigBytes,
    mut context: Context,
    walk: &[Located],
) -> (Vec<Capability>, Vec<Anomaly>) {
    context = with_express(bytes.space(), context, walk);
    let mut decoded: Vec<Capability> = Vec::with_capacity(walk.len());
    let mut anomalies = Vec::new();
    for located in walk {
        let specification = super::catalogue::find(located.list, located.id);
        let region_end = if located.list == List::Standard { 256 } else { 4096 };
        let room_end = walk
            .iter()
            .filter(|other| other.list == located.list && other.offset > located.offset)
            .map(|other| other.offset)
            .min()
            .unwrap_or(region_end);
        let mut builder = Builder::new(bytes, context, *located, room_end);
        match specification.and_then(|s| s.layout) {
            Some(layout) => layout(&mut builder),
            // How long it is, nobody knows.
            None => builder.leave_raw(0, RAW_LIMIT),
        }
        let instance =
            decoded.iter().filter(|c| (c.located.list, c.located.id) == (located.list, located.id)).count();
        anomalies.append(&mut builder.anomalies);
        decoded.push(Capability {
            located: *located,
            specification,
            instance: instance as u16,
            end: builder.end,
            undecoded: builder.undecoded,
            registers: builder.registers,
        });
    }
    anomalies.extend(overlaps(&decoded));
    anomalies.extend(decoded.iter().filter_map(|c| {
        let (list, offset, end) = (c.located.list, c.located.offset, c.end);
        let limit = if list == List::Standard { CONVENTIONAL_SIZE } else { CONFIG_SPACE_SIZE };
        (end > limit).then_some(Anomaly::PastEnd { list, offset, end, limit })
    }));
    (decoded, anomalies)
}

fn overlaps(decoded: &[Capability]) -> Vec<Anomaly> {
    let mut ranges: Vec<(u16, u16)> = decoded.iter().map(|c| (c.located.offset, c.end)).collect();
    ranges.sort_unstable();
    ranges
        .windows(2)
        .filter(|pair| pair[0].1 > pair[1].0)
        .map(|pair| Anomaly::Overlap { first: pair[0].0, second: pair[1].0, first_end: pair[0].1 })
        .collect()
}
