//! A few registers behind a BAR, wherever they come from.

use super::raw::Mapping;

/// A readable range of a BAR.
#[derive(Debug)]
pub struct Window(Kind);

#[derive(Debug)]
enum Kind {
    Mapped(Mapping),
    Stored(Vec<u8>),
}

impl Window {
    /// Registers of a device, mapped.
    pub(super) fn mapped(mapping: Mapping) -> Self {
        Window(Kind::Mapped(mapping))
    }

    /// Registers as a capture or fixture stored them.
    pub fn stored(bytes: Vec<u8>) -> Self {
        Window(Kind::Stored(bytes))
    }

    /// The 32-bit register at `offset` in the window; `None` outside of it or unaligned.
    pub fn u32(&self, offset: usize) -> Option<u32> {
        match &self.0 {
            Kind::Mapped(mapping) => mapping.read(offset),
            Kind::Stored(bytes) if offset.is_multiple_of(4) => {
                let bytes = bytes.get(offset..offset.checked_add(4)?)?;
                Some(u32::from_le_bytes(bytes.try_into().ok()?))
            }
            Kind::Stored(_) => None,
        }
    }
}
