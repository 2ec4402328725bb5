//! Configuration spaces built by hand, capability by capability.

/// A configuration space under construction.
pub struct Space {
    bytes: Vec<u8>,
    standard: (usize, usize),
    extended: (usize, usize),
}

impl Space {
    /// A function with a PCI Express capability, version 2, of this port type, x4, at 32 GT/s, link up.
    pub fn port(port_type: u16) -> Self {
        let bridge = matches!(port_type, 4..=6);
        let mut bytes = vec![0; 4096];
        bytes[..12].copy_from_slice(&[
            0xde,
            0x10,
            0x85,
            0x2b,
            6,
            0,
            0x10,
            0,
            1,
            0,
            0,
            if bridge { 6 } else { 2 },
        ]);
        (bytes[0x0a], bytes[0x0e]) = if bridge { (4, 1) } else { (0, 0) };
        let mut express = vec![0x10, 0];
        express.resize(0x3c, 0);
        express[2..4].copy_from_slice(&(port_type << 4 | 2).to_le_bytes());
        express[0x0c..0x10].copy_from_slice(&0x0000_0045u32.to_le_bytes());
        express[0x12..0x14].copy_from_slice(&0x2045u16.to_le_bytes());
        Space { bytes, standard: (0x34, 0x40), extended: (0, 0x100) }.standard(&express)
    }

    /// Writes a doubleword over what is there.
    pub fn with(mut self, offset: usize, value: u32) -> Self {
        self.bytes[offset..offset + 4].copy_from_slice(&value.to_le_bytes());
        self
    }

    /// Adds a standard capability: its bytes, with the ID in front and room for the pointer.
    pub fn standard(mut self, capability: &[u8]) -> Self {
        let (pointer, at) = self.standard;
        self.bytes[pointer] = at as u8;
        self.bytes[at..at + capability.len()].copy_from_slice(capability);
        self.bytes[at + 1] = 0;
        self.standard = (at + 1, at + capability.len().next_multiple_of(4));
        self
    }

    /// Adds an extended capability: its doublewords behind the header.
    pub fn extended(mut self, id: u16, body: &[u32]) -> Self {
        let (previous, at) = self.extended;
        if previous != 0 {
            let next = (at as u16) << 4 | u16::from(self.bytes[previous + 2] & 0xf);
            self.bytes[previous + 2..previous + 4].copy_from_slice(&next.to_le_bytes());
        }
        let header = u32::from(id) | 1 << 16;
        for (place, doubleword) in self.bytes[at..].chunks_exact_mut(4).zip([header].iter().chain(body)) {
            place.copy_from_slice(&doubleword.to_le_bytes());
        }
        self.extended = (at, at + 4 + 4 * body.len());
        self
    }

    /// The bytes.
    pub fn bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// A CXL capability (DVSEC of vendor 1E98h): ID, revision, length, doublewords from 08h on; the low half of the first is
/// replaced by the ID.
pub fn cxl(id: u32, revision: u32, length: u32, doublewords: &[u32]) -> Vec<u32> {
    let mut body = vec![0x1e98 | revision << 16 | length << 20];
    body.extend(doublewords);
    body[1] = body[1] & 0xffff_0000 | id;
    body
}
