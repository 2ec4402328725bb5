//! A configuration space that is written through the same register tables that decode it.

use super::document::Mistake;
use super::nearest::nearest;
use crate::pci::catalogue;
use crate::pci::decode::{self, Placed, Specification};
use crate::pci::header;
use crate::pci::register::Field;
use crate::pci::space::ConfigSpace;
use crate::pci::walk::{self, List, Located};

/// Bytes of a configuration space: 64, 256 or 4096 of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    bytes: Vec<u8>,
    /// The same as what decodes it wants it.
    space: ConfigSpace,
}

/// Where a dotted path leads: a register, or a field of one.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Offset of the register.
    pub offset: u16,
    /// Width of the register in bytes.
    pub width: u8,
    /// The field; `None` for the whole register.
    pub field: Option<&'static Field>,
}

impl Config {
    /// Zeros: no capabilities.
    pub fn zeros(length: usize) -> Self {
        Config::from_bytes(&vec![0; length])
    }

    /// The bytes that a function was found with.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Config { bytes: bytes.to_vec(), space: ConfigSpace::from_bytes(bytes) }
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Leaves only the first bytes.
    pub fn truncate(&mut self, length: usize) {
        self.bytes.truncate(length);
        self.space = ConfigSpace::from_bytes(&self.bytes);
    }

    /// A little-endian number of 1 to 8 bytes; bytes behind the end read as ones, as hardware answers.
    pub fn number(&self, offset: u16, width: u8) -> u64 {
        let byte = |at: usize| self.bytes.get(at).copied().unwrap_or(0xff);
        let start = usize::from(offset);
        (start..start + usize::from(width)).rev().fold(0, |value, at| value << 8 | u64::from(byte(at)))
    }

    /// Stores a little-endian number. Writes behind the end are lost, as in hardware.
    pub fn store(&mut self, offset: u16, width: u8, value: u64) {
        let start = usize::from(offset);
        for (at, byte) in (start..start + usize::from(width)).zip(value.to_le_bytes()) {
            if let Some(place) = self.bytes.get_mut(at) {
                *place = byte;
            }
        }
        // Whole doublewords.
        let (from, to) = (start & !3, (start + usize::from(width)).next_multiple_of(4));
        if let Some(bytes) = self.bytes.get(from..to.min(self.bytes.len())) {
            self.space.store(from as u16, bytes);
        }
    }

    /// Header Type without the multi-function bit.
    pub fn layout(&self) -> u8 {
        (self.number(0x0e, 1) & 0x7f) as u8
    }

    /// Capabilities of both lists.
    pub fn located(&self) -> Vec<Located> {
        let mut space = &self.space;
        let mut found = walk::standard(&mut space, self.layout()).found;
        if self.bytes.len() > 256 {
            found.extend(walk::extended(&mut space).found);
        }
        found
    }

    /// Offset of a capability by the first part of its dotted path.
    pub fn capability(&self, key: &str) -> Option<u16> {
        let of_key = |l: &&Located| catalogue::find(l.list, l.id).is_some_and(|s| s.key == key);
        self.located().iter().find(of_key).map(|l| l.offset)
    }

    /// Every register with the first part of its dotted path.
    fn registers(&self) -> Vec<(String, Placed)> {
        self.registers_of(|_| true)
    }

    /// The registers of the capabilities whose name, the first part of a dotted path, is wanted.
    fn registers_of(&self, wanted: impl Fn(&str) -> bool) -> Vec<(String, Placed)> {
        let space = &self.space;
        let mut all: Vec<(String, Placed)> = Vec::new();
        if wanted("header") {
            all.extend(header::registers(space).into_iter().map(|p| ("header".to_owned(), p)));
        }
        let located = self.located();
        let of_key = |l: &&Located| catalogue::find(l.list, l.id).is_none_or(|s| wanted(s.key));
        let chosen: Vec<Located> = located.iter().filter(of_key).copied().collect();
        if let (Some(context), false) = (header::context(space), chosen.is_empty()) {
            // What the layouts take from the PCI Express capability, which may not be among the chosen ones.
            let context = decode::with_express(space, context, &located);
            let (capabilities, _) = decode::capabilities(&mut &*space, context, &chosen);
            for capability in capabilities {
                let key = capability.path();
                all.extend(capability.registers.iter().map(|p| (key.clone(), *p)));
            }
        }
        all
    }

    /// Where a dotted path leads.
    pub fn place(&self, path: &str) -> Result<Place, Mistake> {
        self.find(path).map_or_else(|| find(&self.registers(), path), Ok)
    }

    /// Whether a dotted path leads anywhere here.
    pub fn has(&self, path: &str) -> bool {
        self.find(path).is_some()
    }

    /// Where a dotted path leads, if it leads anywhere here.
    pub fn find(&self, path: &str) -> Option<Place> {
        let key = path.split(['.', '[']).next().unwrap_or(path);
        locate(&self.registers_of(|name| name == key), path)
    }

    /// The number at a dotted path; 0 if it leads nowhere.
    pub fn value(&self, path: &str) -> u64 {
        let Some(place) = self.find(path) else { return 0 };
        let raw = self.number(place.offset, place.width);
        place.field.map_or(raw, |field| field.extract(raw))
    }

    /// The number at a dotted path, as it stands in the register.
    pub fn get(&self, path: &str) -> Result<u64, Mistake> {
        let place = self.place(path)?;
        let raw = self.number(place.offset, place.width);
        Ok(place.field.map_or(raw, |field| field.extract(raw)))
    }

    /// Sets the number at a dotted path, whatever software may do to it: this is the hardware.
    pub fn set(&mut self, path: &str, value: u64) -> Result<(), Mistake> {
        self.set_at(path, self.place(path)?, value)
    }

    /// Sets several. None of them may be one that decides where the others are.
    pub fn set_all(&mut self, values: &[(&str, u64)]) -> Result<(), Mistake> {
        let keys: Vec<&str> =
            values.iter().map(|(path, _)| path.split(['.', '[']).next().unwrap_or(path)).collect();
        let registers = self.registers_of(|name| keys.contains(&name));
        values.iter().try_for_each(|(path, value)| self.set_at(path, find(&registers, path)?, *value))
    }

    /// Sets one-bit fields; the paths are separated by spaces.
    pub fn set_flags(&mut self, paths: &str) -> Result<(), Mistake> {
        let values: Vec<(&str, u64)> = paths.split_whitespace().map(|path| (path, 1)).collect();
        self.set_all(&values)
    }

    fn set_at(&mut self, path: &str, place: Place, value: u64) -> Result<(), Mistake> {
        let raw = self.number(place.offset, place.width);
        let (set, fits) = match place.field {
            Some(field) => {
                let set = field.insert(raw, value);
                (set, field.extract(set) == value)
            }
            None => (value, place.width == 8 || value >> (8 * u32::from(place.width)) == 0),
        };
        if !fits {
            let bits = place.field.map_or(u32::from(place.width) * 8, |f| u32::from(f.high - f.low) + 1);
            return Err(Mistake::new(0, format!("`{path}` = {value:#x}: expected a number of {bits} bits")));
        }
        self.store(place.offset, place.width, set);
        Ok(())
    }

    /// Sets a number if the path leads anywhere; says whether it did.
    pub fn set_if_there(&mut self, path: &str, value: u64) -> bool {
        self.find(path).is_some_and(|place| self.set_at(path, place, value).is_ok())
    }

    /// Adds a capability at the end of its list. `offset`: where; otherwise behind what is there.
    pub fn add(&mut self, specification: &Specification, offset: Option<u16>) -> Result<u16, Mistake> {
        let list = specification.list;
        let located = self.located();
        let last = located.iter().rfind(|l| l.list == list);
        let given = offset.is_some();
        let offset = match offset {
            Some(offset) => offset,
            None => self.end_of(list, &located),
        };
        if given
            && let Some((key, start, end)) =
                self.extents().into_iter().find(|(_, s, e)| (*s..*e).contains(&offset))
        {
            let text = format!(
                "`{}` at {offset:#x} lies in `{key}`, which has {start:#x} to {:#x}: expected a free offset",
                specification.key,
                end - 1
            );
            return Err(Mistake::new(0, text));
        }
        let limit = if list == List::Standard { 0x100 } else { self.bytes.len() as u16 };
        if offset % 4 != 0 || offset + 4 > limit || offset < 0x40 {
            let name = specification.key;
            return Err(Mistake::new(
                0,
                format!(
                    "no room for `{name}` at {offset:#x}: expected a multiple of 4 inside the list's region"
                ),
            ));
        }
        match (list, last) {
            (List::Standard, Some(last)) => self.store(last.offset + 1, 1, offset.into()),
            (List::Standard, None) => {
                let status = self.number(0x06, 2);
                self.store(0x06, 2, status | 0x10);
                self.store(0x34, 1, offset.into());
            }
            (List::Extended, Some(last)) => {
                let head = self.number(last.offset, 4) & 0xf_ffff;
                self.store(last.offset, 4, head | u64::from(offset) << 20);
            }
            (List::Extended, None) if offset != 0x100 => {
                return Err(Mistake::new(0, "the first extended capability must be at 0x100".to_owned()));
            }
            (List::Extended, None) => {}
        }
        match list {
            List::Standard => self.store(offset, 1, specification.id.into()),
            List::Extended => {
                let version = if specification.key == "aer" { 2 } else { 1 };
                self.store(offset, 4, u64::from(specification.id) | version << 16);
            }
        }
        Ok(offset)
    }

    /// Capabilities by offset: first part of their dotted path, first byte, and the byte behind the last one.
    fn extents(&self) -> Vec<(&'static str, u16, u16)> {
        let Some(context) = header::context(&self.space) else { return Vec::new() };
        let (capabilities, _) = decode::capabilities(&mut &self.space, context, &self.located());
        let key = |located: &Located| catalogue::find(located.list, located.id).map_or("?", |s| s.key);
        let mut all: Vec<_> =
            capabilities.iter().map(|c| (key(&c.located), c.located.offset, c.end)).collect();
        all.sort_by_key(|(_, start, _)| *start);
        all
    }

    /// Refuses capabilities that share bytes: what one says would stand in the other.
    pub fn check_overlaps(&self) -> Result<(), Mistake> {
        for pair in self.extents().windows(2) {
            if let [(first, start, end), (second, next, _)] = pair
                && end > next
            {
                let text = format!(
                    "`{second}` at {next:#x} lies in `{first}`, which has {start:#x} to {:#x}: expected a free offset",
                    end - 1
                );
                return Err(Mistake::new(0, text));
            }
        }
        Ok(())
    }

    /// First free offset behind the capabilities of a list, as far as their registers tell.
    fn end_of(&self, list: List, located: &[Located]) -> u16 {
        let start = if list == List::Standard { 0x40 } else { 0x100 };
        let Some(context) = header::context(&self.space) else { return start };
        let (capabilities, _) = decode::capabilities(&mut &self.space, context, located);
        let ends = capabilities.iter().filter(|c| c.located.list == list).map(|c| c.end);
        ends.max().map_or(start, |end| end.next_multiple_of(4))
    }

    /// Bits that software clears by writing one, of every register, with the offset and width of the register.
    pub fn sticky(&self) -> Vec<(u16, u8, u64)> {
        use crate::pci::register::Access;
        self.registers()
            .iter()
            .map(|(_, p)| {
                let mask = p.register.mask(Access::Rw1c) | p.register.mask(Access::Rw1cs);
                (p.offset, p.register.width, mask)
            })
            .filter(|(.., mask)| *mask != 0)
            .collect()
    }
}

/// Where a dotted path leads among registers with the first part of their paths. Without an index the first of several is
/// meant.
pub(super) fn locate(registers: &[(String, Placed)], path: &str) -> Option<Place> {
    registers.iter().find_map(|(first, placed)| {
        let mut rest = behind(path, first, 0)?;
        for (group, index) in placed.within.into_iter().chain(placed.group) {
            rest = behind(rest, group, index)?;
        }
        let (offset, width) = (placed.offset, placed.register.width);
        if rest == placed.register.key {
            return Some(Place { offset, width, field: None });
        }
        let key = behind(rest, placed.register.key, 0)?;
        let field = placed.register.fields.iter().find(|f| f.key == key)?;
        Some(Place { offset, width, field: Some(field) })
    })
}

/// What stands behind `name[index].`; the index 0 may be left out.
fn behind<'a>(path: &'a str, name: &str, index: u16) -> Option<&'a str> {
    let rest = path.strip_prefix(name)?;
    let without = (index == 0).then(|| rest.strip_prefix('.')).flatten();
    without.or_else(|| {
        let (number, rest) = rest.strip_prefix('[')?.split_once("].")?;
        (number.parse() == Ok(index)).then_some(rest)
    })
}

/// The same, or an error that names the nearest path.
pub(super) fn find(registers: &[(String, Placed)], path: &str) -> Result<Place, Mistake> {
    locate(registers, path).ok_or_else(|| {
        let names: Vec<String> = registers
            .iter()
            .flat_map(|(first, placed)| {
                let name = format!("{first}.{}", placed.path());
                placed.register.fields.iter().map(move |f| format!("{name}.{}", f.key))
            })
            .collect();
        let hint = nearest(path, names.iter().map(String::as_str));
        Mistake::new(
            0,
            format!("`{path}` is no register of this function: expected capability.register[.field]{hint}"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pci::capability::express;

    fn sample() -> Config {
        let mut config = Config::zeros(4096);
        config.add(&express::SPECIFICATION, None).unwrap();
        config.set("express.capabilities.version", 2).unwrap();
        config
    }

    #[test]
    fn what_is_set_is_decoded() {
        let mut config = sample();
        config.set("express.link_status.current_link_speed", 5).unwrap();
        assert_eq!(config.get("express.link_status.current_link_speed").unwrap(), 5);
        assert_eq!(config.number(0x40 + 0x12, 2), 5);
        assert_eq!(config.capability("express"), Some(0x40));
    }

    #[test]
    fn mistakes_name_the_nearest_path_and_the_width() {
        let mut config = sample();
        let mistake = config.set("express.link_status.curent_link_speed", 5).unwrap_err();
        assert!(mistake.message.ends_with("nearest: express.link_status.current_link_speed"), "{mistake}");
        let mistake = config.set("express.link_status.current_link_speed", 0x10).unwrap_err();
        assert_eq!(
            mistake.message,
            "`express.link_status.current_link_speed` = 0x10: expected a number of 4 bits"
        );
    }

    #[test]
    fn capabilities_follow_each_other() {
        let mut config = sample();
        let next = config.add(&crate::pci::capability::msix::SPECIFICATION, None).unwrap();
        assert_eq!(next, 0x40 + 0x34, "an endpoint without slot registers");
        let first = config.add(&crate::pci::extended::aer::SPECIFICATION, None).unwrap();
        let second = config.add(&crate::pci::extended::ari::SPECIFICATION, None).unwrap();
        assert!(first == 0x100 && second > 0x100 && second < 0x200, "{second:#x}");
        assert_eq!(config.located().len(), 4);
    }
}
