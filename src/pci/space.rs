//! Configuration space as far as it was read.
//!
//! On hardware every doubleword is a bus transaction, so nothing is read that is not asked for, and nothing twice.
//! [`ConfigSpace`] holds what was read and knows what was not; [`Loader`] fills one from a source on demand. Both
//! are [`ConfigBytes`], so decoding is written once: over a loader it decides what is read, over a finished space it
//! only looks.

/// Size of the configuration space of a PCI Express function, in bytes.
pub const CONFIG_SPACE_SIZE: u16 = 4096;
/// Size of the configuration space that conventional PCI knows, in bytes.
pub const CONVENTIONAL_SIZE: u16 = 256;
/// Size of the predefined header, in bytes: all that Linux lets an unprivileged user read.
pub const HEADER_SIZE: u16 = 64;

/// Bytes of one function's configuration space, each known or not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigSpace {
    bytes: Vec<u8>,
    known: [u64; 16],
    limit: u16,
}

impl ConfigSpace {
    /// An empty space of which nothing was read; `limit` is how many bytes may be read (0, 64, 128, 256 or 4096).
    pub fn new(limit: u16) -> Self {
        // Only whole doublewords are read and stored.
        ConfigSpace { bytes: Vec::new(), known: [0; 16], limit: limit.min(CONFIG_SPACE_SIZE) & !3 }
    }

    /// A space of which everything is known, up to the length of `bytes` (whole doublewords, at most 4096 bytes).
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let length = bytes.len().min(usize::from(CONFIG_SPACE_SIZE)) & !3;
        let mut space = ConfigSpace::new(length as u16);
        space.store(0, &bytes[..length]);
        space
    }

    /// How many bytes may be read from the function, whether or not they were.
    pub fn limit(&self) -> u16 {
        self.limit
    }

    /// Notes that nothing at or beyond `limit` can be read.
    pub fn set_limit(&mut self, limit: u16) {
        self.limit = self.limit.min(limit);
    }

    /// Stores what was read at `offset`. Only whole doublewords count; the rest is dropped.
    pub fn store(&mut self, offset: u16, bytes: &[u8]) {
        let start = usize::from(offset.next_multiple_of(4));
        let skip = start - usize::from(offset);
        let room = usize::from(self.limit).saturating_sub(start);
        let length = bytes.len().saturating_sub(skip).min(room) & !3;
        if length == 0 {
            return;
        }
        if self.bytes.len() < start + length {
            self.bytes.resize(start + length, 0);
        }
        self.bytes[start..start + length].copy_from_slice(&bytes[skip..skip + length]);
        for dword in start / 4..(start + length) / 4 {
            self.known[dword / 64] |= 1 << (dword % 64);
        }
    }

    /// Whether every byte of the range was read.
    pub fn is_known(&self, offset: u16, length: u16) -> bool {
        let (start, end) = (usize::from(offset), usize::from(offset) + usize::from(length));
        end <= usize::from(CONFIG_SPACE_SIZE)
            && (start / 4..end.div_ceil(4)).all(|d| self.known[d / 64] & (1 << (d % 64)) != 0)
    }

    /// The bytes of the range, if all of them were read.
    pub fn bytes(&self, offset: u16, length: u16) -> Option<&[u8]> {
        let start = usize::from(offset);
        if !self.is_known(offset, length) { None } else { self.bytes.get(start..start + usize::from(length)) }
    }

    /// A little-endian number of 1 to 8 bytes.
    pub fn value(&self, offset: u16, width: u8) -> Option<u64> {
        let bytes = self.bytes(offset, u16::from(width))?;
        Some(bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    /// The byte at `offset`.
    pub fn u8(&self, offset: u16) -> Option<u8> {
        self.value(offset, 1).map(|v| v as u8)
    }

    /// The word at `offset`.
    pub fn u16(&self, offset: u16) -> Option<u16> {
        self.value(offset, 2).map(|v| v as u16)
    }

    /// The doubleword at `offset`.
    pub fn u32(&self, offset: u16) -> Option<u32> {
        self.value(offset, 4).map(|v| v as u32)
    }

    /// The ranges that were read, as (offset, bytes), in ascending order.
    pub fn pieces(&self) -> impl Iterator<Item = (u16, &[u8])> {
        let mut dword = 0usize;
        std::iter::from_fn(move || {
            let known = |d: usize| d < 1024 && self.known[d / 64] & (1 << (d % 64)) != 0;
            while dword < 1024 && !known(dword) {
                dword += 1;
            }
            let start = dword;
            while known(dword) {
                dword += 1;
            }
            (dword > start).then(|| (start as u16 * 4, &self.bytes[start * 4..dword * 4]))
        })
    }

    /// How many bytes were read.
    pub fn known_bytes(&self) -> u16 {
        (self.known.iter().map(|w| w.count_ones()).sum::<u32>() * 4) as u16
    }
}

/// Something that can be asked for bytes of configuration space.
pub trait ConfigBytes {
    /// Sees to it that the range is known, reading it if need be and possible. True if it is known afterwards.
    fn load(&mut self, offset: u16, length: u16) -> bool;
    /// What is known so far.
    fn space(&self) -> &ConfigSpace;
}

impl ConfigBytes for ConfigSpace {
    fn load(&mut self, offset: u16, length: u16) -> bool {
        self.is_known(offset, length)
    }
    fn space(&self) -> &ConfigSpace {
        self
    }
}

impl ConfigBytes for &ConfigSpace {
    fn load(&mut self, offset: u16, length: u16) -> bool {
        self.is_known(offset, length)
    }
    fn space(&self) -> &ConfigSpace {
        self
    }
}

/// Reads from the source; gives how many bytes were read, or the error as the operating system gave it.
pub type ReadConfig<'a, E> = dyn FnMut(u16, &mut [u8]) -> Result<usize, E> + 'a;

/// A configuration space that reads what is asked for, each doubleword at most once.
pub struct Loader<'a, E> {
    space: ConfigSpace,
    source: &'a mut ReadConfig<'a, E>,
    /// The first error that the source gave, with the offset at which it did. Nothing is read after it.
    pub error: Option<(u16, E)>,
    /// Number of reads made, for benches and tests.
    pub reads: u32,
    /// What is read goes here first.
    buffer: Vec<u8>,
}

impl<'a, E> Loader<'a, E> {
    /// A loader over `source`, of which at most `limit` bytes may be read.
    pub fn new(limit: u16, source: &'a mut ReadConfig<'a, E>) -> Self {
        let mut space = ConfigSpace::new(limit);
        // The standard list is nearly always read, and much of the extended one when everything is.
        space.bytes.reserve(CONVENTIONAL_SIZE.into());
        Loader { space, source, error: None, reads: 0, buffer: Vec::new() }
    }

    /// Ends loading.
    pub fn into_space(self) -> ConfigSpace {
        self.space
    }
}

impl<E> Loader<'_, E> {
    /// Reads from `start` to `stop`, of which nothing is known yet.
    fn read(&mut self, start: u16, stop: u16) {
        self.buffer.clear();
        self.buffer.resize(usize::from(stop - start), 0);
        self.reads += 1;
        match (self.source)(start, &mut self.buffer) {
            Ok(read) => {
                let read = read.min(self.buffer.len());
                self.space.store(start, &self.buffer[..read]);
                if read < self.buffer.len() {
                    self.space.set_limit(start + (read as u16 & !3));
                }
            }
            Err(error) => self.error = Some((start, error)),
        }
    }
}

impl<E> ConfigBytes for Loader<'_, E> {
    fn load(&mut self, offset: u16, length: u16) -> bool {
        let mut start = offset & !3;
        let end = offset.saturating_add(length).min(CONFIG_SPACE_SIZE).next_multiple_of(4);
        while start < end.min(self.space.limit) && self.error.is_none() {
            let known = |offset: &u16| self.space.is_known(*offset, 4);
            let end = end.min(self.space.limit);
            start = (start..end).step_by(4).find(|offset| !known(offset)).unwrap_or(end);
            let stop = (start..end).step_by(4).find(known).unwrap_or(end);
            if start < stop {
                self.read(start, stop);
            }
            start = stop;
        }
        self.space.is_known(offset, length)
    }

    fn space(&self) -> &ConfigSpace {
        &self.space
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_was_read_and_what_was_not() {
        let mut space = ConfigSpace::new(256);
        space.store(0, &[0xde, 0x10, 0x85, 0x2b]);
        space.store(0x40, &[1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(space.u32(0), Some(0x2b85_10de));
        assert_eq!(space.u16(2), Some(0x2b85));
        assert_eq!(space.u16(0x42), Some(0x0403));
        assert_eq!(space.u16(3), None, "crosses into what was not read");
        assert_eq!(space.u8(0x44), None, "a doubleword that was read in part is not known");
        assert_eq!(space.pieces().map(|(o, b)| (o, b.len())).collect::<Vec<_>>(), [(0, 4), (0x40, 4)]);
        assert_eq!(space.known_bytes(), 8);
        space.store(0xfe, &[0; 64]);
        space.store(0x1000, &[0; 4]);
        assert_eq!(space.known_bytes(), 8, "beyond the limit nothing is stored");
    }

    #[test]
    fn a_loader_reads_each_doubleword_once_and_stops_at_the_end() {
        let mut asked = Vec::new();
        let mut source = |offset: u16, buffer: &mut [u8]| {
            asked.push((offset, buffer.len()));
            let end = 64.min(usize::from(offset) + buffer.len());
            Ok::<usize, ()>(end.saturating_sub(usize::from(offset)))
        };
        let mut loader = Loader::new(4096, &mut source);
        assert!(loader.load(0, 4));
        assert!(loader.load(2, 2));
        assert!(loader.load(0, 16));
        assert!(!loader.load(0x3c, 8), "the source ends at 64");
        assert!(!loader.load(0x40, 4));
        assert_eq!(loader.space().limit(), 64);
        assert_eq!(loader.reads, 3);
        assert_eq!(asked, [(0, 4), (4, 12), (0x3c, 8)]);
    }

    #[test]
    fn part_of_a_doubleword_is_nothing() {
        let mut source = |_: u16, _: &mut [u8]| -> Result<usize, ()> { panic!("nothing to read") };
        let mut loader = Loader::new(2, &mut source);
        assert!(!loader.load(0, 16));
        assert_eq!((loader.into_space().limit(), ConfigSpace::new(67).limit()), (0, 64));
    }

    #[test]
    fn a_loader_stops_at_the_first_error() {
        let mut source = |_: u16, _: &mut [u8]| Err::<usize, &str>("gone");
        let mut loader = Loader::new(4096, &mut source);
        assert!(!loader.load(0, 4) && !loader.load(8, 4));
        assert_eq!((loader.error, loader.reads), (Some((0, "gone")), 1));
    }
}
