//! The two capability lists: walking them on any bytes whatsoever.
//!
//! A list that is broken is a finding, not an error: the walk returns what it found plus [`Anomaly`] values, visits
//! no offset twice, and therefore ends.

use super::space::{CONVENTIONAL_SIZE, ConfigBytes, HEADER_SIZE};

/// Which of the two lists a capability is on.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum List {
    /// The list that starts at the capabilities pointer in the header (PCI Local Bus 3.0, 6.7).
    Standard,
    /// The list that starts at offset 100h (PCIe 6.2, 7.6.3).
    Extended,
}

/// Where a capability was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Located {
    /// The list it is on.
    pub list: List,
    /// Capability ID: 8 bits on the standard list, 16 on the extended one.
    pub id: u16,
    /// Offset of its header.
    pub offset: u16,
    /// Capability version; 0 on the standard list, which has no such field.
    pub version: u8,
}

/// Something in configuration space that the specification does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Anomaly {
    /// The list leads back to an offset that was visited before.
    Loop {
        /// The list.
        list: List,
        /// Offset of the capability whose next pointer leads back.
        from: u16,
        /// Where it leads.
        to: u16,
    },
    /// A pointer leads into the predefined header, or, on the extended list, below 100h.
    IntoHeader {
        /// The list.
        list: List,
        /// Offset of the pointer's capability; the header's capabilities pointer is at 34h or 14h.
        from: u16,
        /// Where it leads.
        to: u16,
    },
    /// A pointer is not a multiple of four. The walk goes on at the doubleword below, as lspci and Linux do.
    Unaligned {
        /// The list.
        list: List,
        /// Offset of the pointer's capability.
        from: u16,
        /// The pointer as it stands in the register.
        to: u16,
    },
    /// The header of a capability reads all-ones: nothing answers there.
    AllOnes {
        /// The list.
        list: List,
        /// Offset of the header.
        offset: u16,
    },
    /// A capability needs bytes that belong to another one.
    Overlap {
        /// Offset of the first of the two.
        first: u16,
        /// Offset of the second.
        second: u16,
        /// End of the first (the offset behind its last byte).
        first_end: u16,
    },
    /// A capability is so long that it would end behind the region of its list.
    PastEnd {
        /// The list.
        list: List,
        /// Offset of the capability.
        offset: u16,
        /// Where it would end.
        end: u16,
        /// Where the region ends: 100h for the standard list, 1000h for the extended one.
        limit: u16,
    },
    /// A field holds a value that the specification reserves and that keeps the capability from being decoded.
    ReservedValue {
        /// Offset of the register.
        offset: u16,
        /// Its raw value.
        raw: u64,
    },
    /// Status says that there is a capability list, yet the pointer to it is zero.
    EmptyList,
    /// The header type register names a layout that does not exist.
    UnknownHeaderType {
        /// The raw register, at offset 0Eh.
        raw: u8,
    },
}

/// What a walk found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Walk {
    /// Capabilities in the order of the list.
    pub found: Vec<Located>,
    /// What was wrong on the way.
    pub anomalies: Vec<Anomaly>,
    /// False if the list was not followed to its end, because a header could not be read, reads all-ones, or because a
    /// pointer leads back or out: then there may be more than was found.
    pub complete: bool,
}

/// Offset of the capabilities pointer for a header layout, 0 if that layout has none.
pub fn capabilities_pointer(header_layout: u8) -> u16 {
    match header_layout {
        0 | 1 => 0x34,
        2 => 0x14,
        _ => 0,
    }
}

/// Walks the standard list. `header_layout` is the Header Type register without its multi-function bit.
pub fn standard(bytes: &mut dyn ConfigBytes, header_layout: u8) -> Walk {
    let mut walk = Walk { complete: true, ..Walk::default() };
    let pointer = capabilities_pointer(header_layout);
    let Some(status) = bytes.space().u16(0x06) else { return Walk::default() };
    if pointer == 0 || status & 0x10 == 0 {
        return walk;
    }
    let Some(first) = bytes.space().u8(pointer) else { return Walk::default() };
    if first == 0 {
        walk.anomalies.push(Anomaly::EmptyList);
    }
    let (mut from, mut raw) = (pointer, first);
    let mut visited = [false; 64];
    while raw != 0 {
        let to = u16::from(raw & 0xfc);
        if raw & 3 != 0 {
            walk.anomalies.push(Anomaly::Unaligned { list: List::Standard, from, to: raw.into() });
        }
        if to < HEADER_SIZE {
            walk.anomalies.push(Anomaly::IntoHeader { list: List::Standard, from, to });
            walk.complete = false;
            break;
        }
        if std::mem::replace(&mut visited[usize::from(to / 4)], true) {
            walk.anomalies.push(Anomaly::Loop { list: List::Standard, from, to });
            walk.complete = false;
            break;
        }
        if !bytes.load(to, 4) {
            walk.complete = false;
            break;
        }
        let (Some(id), Some(next)) = (bytes.space().u8(to), bytes.space().u8(to + 1)) else { break };
        if id == 0xff {
            walk.anomalies.push(Anomaly::AllOnes { list: List::Standard, offset: to });
            walk.complete = false;
            break;
        }
        walk.found.push(Located { list: List::Standard, id: id.into(), offset: to, version: 0 });
        (from, raw) = (to, next);
    }
    walk
}

/// Walks the extended list.
pub fn extended(bytes: &mut dyn ConfigBytes) -> Walk {
    let mut walk = Walk { complete: true, ..Walk::default() };
    let mut visited = [false; 1024];
    let (mut from, mut to) = (CONVENTIONAL_SIZE, CONVENTIONAL_SIZE);
    loop {
        if std::mem::replace(&mut visited[usize::from(to / 4)], true) {
            walk.anomalies.push(Anomaly::Loop { list: List::Extended, from, to });
            walk.complete = false;
            break;
        }
        if !bytes.load(to, 4) {
            walk.complete = false;
            break;
        }
        let Some(header) = bytes.space().u32(to) else { break };
        if header == 0 {
            break;
        }
        if header == u32::MAX {
            // On a function without extended capabilities, all-ones at 100h is what older hardware answers.
            if to != CONVENTIONAL_SIZE {
                walk.anomalies.push(Anomaly::AllOnes { list: List::Extended, offset: to });
                walk.complete = false;
            }
            break;
        }
        let (id, version, next) = (header as u16, (header >> 16 & 0xf) as u8, (header >> 20) as u16);
        walk.found.push(Located { list: List::Extended, id, offset: to, version });
        if next == 0 {
            break;
        }
        if next & 3 != 0 {
            walk.anomalies.push(Anomaly::Unaligned { list: List::Extended, from: to, to: next });
        }
        if next < CONVENTIONAL_SIZE {
            walk.anomalies.push(Anomaly::IntoHeader { list: List::Extended, from: to, to: next });
            walk.complete = false;
            break;
        }
        (from, to) = (to, next & !3);
    }
    walk
}

#[cfg(test)]
mod tests {
    use super::super::space::ConfigSpace;
    use super::*;

    fn space(entries: &[(usize, &[u8])]) -> ConfigSpace {
        let mut bytes = vec![0; 4096];
        bytes[6] = 0x10;
        for (offset, data) in entries {
            bytes[*offset..*offset + data.len()].copy_from_slice(data);
        }
        ConfigSpace::from_bytes(&bytes)
    }

    fn ids(walk: &Walk) -> Vec<(u16, u16)> {
        walk.found.iter().map(|l| (l.offset, l.id)).collect()
    }

    #[test]
    fn follows_a_good_list() {
        let walk = standard(&mut space(&[(0x34, &[0x40]), (0x40, &[1, 0x50]), (0x50, &[0x10, 0])]), 0);
        assert_eq!(ids(&walk), [(0x40, 1), (0x50, 0x10)]);
        assert!(walk.complete && walk.anomalies.is_empty());
    }

    #[test]
    fn a_loop_ends() {
        let walk = standard(&mut space(&[(0x34, &[0x40]), (0x40, &[1, 0x50]), (0x50, &[5, 0x40])]), 0);
        assert_eq!(ids(&walk), [(0x40, 1), (0x50, 5)]);
        assert_eq!(walk.anomalies, [Anomaly::Loop { list: List::Standard, from: 0x50, to: 0x40 }]);
    }

    #[test]
    fn pointers_into_the_header_are_not_followed() {
        let walk = standard(&mut space(&[(0x34, &[0x40]), (0x40, &[1, 0x10])]), 0);
        assert_eq!(ids(&walk), [(0x40, 1)]);
        assert_eq!(walk.anomalies, [Anomaly::IntoHeader { list: List::Standard, from: 0x40, to: 0x10 }]);
        let walk = extended(&mut space(&[(0x100, &[1, 0, 1, 0x04])]));
        assert_eq!(walk.anomalies, [Anomaly::IntoHeader { list: List::Extended, from: 0x100, to: 0x40 }]);
    }

    #[test]
    fn unaligned_pointers_are_followed_and_named() {
        let walk = standard(&mut space(&[(0x34, &[0x42]), (0x40, &[1, 0])]), 0);
        assert_eq!(ids(&walk), [(0x40, 1)]);
        assert_eq!(walk.anomalies, [Anomaly::Unaligned { list: List::Standard, from: 0x34, to: 0x42 }]);
    }

    #[test]
    fn sixty_four_bytes_are_not_a_broken_list() {
        let mut bytes = [0; 64];
        (bytes[6], bytes[0x34]) = (0x10, 0x40);
        let walk = standard(&mut ConfigSpace::from_bytes(&bytes), 0);
        assert!(!walk.complete && walk.anomalies.is_empty() && walk.found.is_empty());
    }

    #[test]
    fn an_extended_list_may_be_empty_or_broken() {
        assert!(extended(&mut space(&[])).found.is_empty());
        assert_eq!(extended(&mut space(&[(0x100, &[0xff; 4])])), Walk { complete: true, ..Walk::default() });
        let walk = extended(&mut space(&[(0x100, &[1, 0, 2, 0x20]), (0x200, &[3, 0, 1, 0x10])]));
        assert_eq!(ids(&walk), [(0x100, 1), (0x200, 3)]);
        assert_eq!(walk.anomalies, [Anomaly::Loop { list: List::Extended, from: 0x200, to: 0x100 }]);
    }
}
