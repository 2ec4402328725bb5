//! The format of vital product data: what the device calls itself, its part and serial numbers. PCI Local Bus 3.0,
//! appendix I; PCIe 6.2, 6.27.
//!
//! The data is a list of resources, each with a tag and a length: an identifier string, fields that can only be read,
//! fields that can be written, and an end tag. A field is a keyword of two letters, a length of one byte, and bytes.
//! The data comes from a small memory that nobody checks, so anything may be in it: parsing always ends, gives what it
//! could read, and says what was wrong.

/// Most bytes that vital product data can have: its address has 15 bits.
pub const LIMIT: usize = 1 << 15;

/// Most problems that are listed; after these the data is noise and parsing stops.
const MOST_PROBLEMS: usize = 16;

const IDENTIFIER: u8 = 0x82;
const READ_ONLY: u8 = 0x90;
const READ_WRITE: u8 = 0x91;
/// Name of the end tag, a small resource: bits 6:3 of its first byte.
const END: u8 = 0x0f;
/// What a memory that was never written holds.
const ALL_ONES: u8 = 0xff;

/// Which list a field is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Area {
    /// VPD-R: fields that software can only read.
    ReadOnly,
    /// VPD-W: fields that software can write.
    ReadWrite,
}

/// One field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field<'a> {
    /// Which list it is on.
    pub area: Area,
    /// The keyword, such as `SN`.
    pub keyword: [u8; 2],
    /// Offset of the first byte of its data.
    pub offset: usize,
    /// Its data.
    pub data: &'a [u8],
    /// For the keyword RV: whether all bytes from the start up to the first of its data add up to zero.
    pub checksum_good: Option<bool>,
}

/// Something that the format does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Problem {
    /// There is not a single byte.
    Empty,
    /// A tag that does not exist in vital product data. A long resource is passed over; after a short one, and after
    /// FFh, nothing is read any more.
    UnknownTag {
        /// Offset of the tag.
        offset: usize,
        /// The tag.
        tag: u8,
    },
    /// A resource, or its length, ends behind the last byte.
    ResourceCut {
        /// Offset of the tag.
        offset: usize,
        /// Where it would end.
        end: usize,
        /// How many bytes there are.
        length: usize,
    },
    /// A field ends behind the end of its resource.
    FieldCut {
        /// Offset of the keyword.
        offset: usize,
        /// Where it would end.
        end: usize,
        /// Where the resource ends.
        resource_end: usize,
    },
    /// The checksum is wrong: the bytes do not add up to zero.
    Checksum {
        /// What they add up to.
        sum: u8,
    },
    /// The fields that can only be read have no checksum.
    NoChecksum,
    /// The data ends without an end tag.
    NoEnd,
    /// More was wrong than is listed.
    More,
}

/// Vital product data taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VitalProductData<'a> {
    /// The identifier string: what the device calls itself.
    pub identifier: Option<&'a [u8]>,
    /// The fields in their order.
    pub fields: Vec<Field<'a>>,
    /// What was wrong.
    pub problems: Vec<Problem>,
    /// Offset behind the end tag.
    pub end: Option<usize>,
}

/// One resource: its tag, and where its data is.
struct Resource {
    tag: u8,
    small: bool,
    start: usize,
    end: usize,
}

/// The resource at `offset`; `None` if not even its length is there.
fn resource(bytes: &[u8], offset: usize) -> Option<Resource> {
    let tag = *bytes.get(offset)?;
    if tag & 0x80 == 0 {
        let start = offset + 1;
        return Some(Resource { tag, small: true, start, end: start + usize::from(tag & 7) });
    }
    let length = u16::from_le_bytes([*bytes.get(offset + 1)?, *bytes.get(offset + 2)?]);
    let start = offset + 3;
    Some(Resource { tag, small: false, start, end: start + usize::from(length) })
}

fn is_end(tag: u8) -> bool {
    tag >> 3 == END
}

/// Where the data ends according to its tags, the end tag included; `None` if these bytes do not tell. Whoever reads
/// piece by piece stops there: what follows is not part of it. Also true where a tag makes no sense, so that nobody
/// reads on.
pub fn length(bytes: &[u8]) -> Option<usize> {
    let mut offset = 0;
    loop {
        let resource = resource(bytes, offset)?;
        if resource.small || resource.tag == ALL_ONES {
            return Some(resource.end.min(offset + 8));
        }
        offset = resource.end;
        if offset >= LIMIT {
            return Some(LIMIT);
        }
    }
}

/// Takes the data apart. No more than [`LIMIT`] bytes are looked at.
pub fn parse(bytes: &[u8]) -> VitalProductData<'_> {
    let bytes = &bytes[..bytes.len().min(LIMIT)];
    let mut data = VitalProductData::default();
    if bytes.is_empty() {
        data.problems.push(Problem::Empty);
        return data;
    }
    let mut offset = 0;
    while offset < bytes.len() && data.problems.len() < MOST_PROBLEMS {
        let Some(resource) = resource(bytes, offset) else {
            data.problems.push(Problem::ResourceCut { offset, end: offset + 3, length: bytes.len() });
            break;
        };
        if resource.small && is_end(resource.tag) {
            data.end = Some(resource.end.min(bytes.len()));
            break;
        }
        let known = matches!(resource.tag, IDENTIFIER | READ_ONLY | READ_WRITE);
        if !known {
            data.problems.push(Problem::UnknownTag { offset, tag: resource.tag });
            if resource.small || resource.tag == ALL_ONES {
                return data;
            }
        }
        if resource.end > bytes.len() {
            data.problems.push(Problem::ResourceCut { offset, end: resource.end, length: bytes.len() });
        }
        // In bounds: the tag and the length in front of `start` were read.
        let body = &bytes[..resource.end.min(bytes.len())];
        match resource.tag {
            IDENTIFIER => data.identifier = data.identifier.or(body.get(resource.start..)),
            READ_ONLY => fields(&mut data, body, &resource, Area::ReadOnly),
            READ_WRITE => fields(&mut data, body, &resource, Area::ReadWrite),
            _ => {}
        }
        offset = resource.end;
    }
    if data.problems.len() >= MOST_PROBLEMS {
        data.problems.truncate(MOST_PROBLEMS);
        data.problems.push(Problem::More);
    } else if data.end.is_none() && !data.problems.iter().any(|p| matches!(p, Problem::ResourceCut { .. })) {
        data.problems.push(Problem::NoEnd);
    }
    data
}

/// The fields of a resource, of which there is as much as there is of `body`. What is missing of a resource that is cut
/// off is no problem of its own.
fn fields<'a>(data: &mut VitalProductData<'a>, body: &'a [u8], resource: &Resource, area: Area) {
    let whole = body.len() == resource.end;
    let mut offset = resource.start;
    let mut checksum = None;
    while let Some([first, second, length]) = body.get(offset..offset + 3).and_then(|b| b.first_chunk()) {
        let (keyword, at) = ([*first, *second], offset + 3);
        let end = at + usize::from(*length);
        if end > resource.end {
            data.problems.push(Problem::FieldCut { offset, end, resource_end: resource.end });
        }
        let bytes = &body[at..end.min(body.len())];
        let checksum_good = (&keyword == b"RV" && !bytes.is_empty()).then(|| {
            let sum = body[..=at].iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
            if sum != 0 {
                data.problems.push(Problem::Checksum { sum });
            }
            sum == 0
        });
        checksum = checksum.or(checksum_good);
        data.fields.push(Field { area, keyword, offset: at, data: bytes, checksum_good });
        offset = end;
    }
    if whole && (1..3).contains(&body.len().saturating_sub(offset)) {
        data.problems.push(Problem::FieldCut { offset, end: offset + 3, resource_end: resource.end });
    }
    if whole && area == Area::ReadOnly && checksum.is_none() {
        data.problems.push(Problem::NoChecksum);
    }
}

/// What a keyword stands for.
pub fn keyword_name(keyword: [u8; 2]) -> Option<&'static str> {
    Some(match &keyword {
        b"PN" => "part number",
        b"SN" => "serial number",
        b"EC" => "engineering change level",
        b"MN" => "manufacture ID",
        b"FG" => "fabric geography",
        b"LC" => "location",
        b"PG" => "PCI geography",
        b"CP" => "extended capability",
        b"RV" => "checksum",
        b"RW" => "remaining room for writing",
        b"YA" => "asset tag",
        b"CC" => "customer card identification number",
        b"FC" => "feature code",
        b"FN" => "field replaceable unit",
        b"NA" => "network address",
        b"RM" => "firmware version",
        [b'V', _] => "specific to the manufacturer",
        [b'Y', _] => "specific to the system",
        [b'Z', _] => "specific to the product",
        _ => return None,
    })
}

impl Field<'_> {
    /// The data as text, if it is text: printable ASCII, perhaps with zeros behind it. Checksums, room and capabilities
    /// are numbers.
    pub fn text(&self) -> Option<String> {
        match &self.keyword {
            b"RV" | b"RW" | b"CP" => None,
            _ => text(self.data),
        }
    }
}

/// Bytes as text, if they are: printable ASCII, perhaps with zeros or spaces behind it.
pub fn text(bytes: &[u8]) -> Option<String> {
    let end = bytes.iter().rposition(|b| *b != 0).map_or(0, |last| last + 1);
    let printable = bytes[..end].iter().all(|b| (0x20..0x7f).contains(b));
    printable.then(|| bytes[..end].iter().map(|b| char::from(*b)).collect::<String>().trim_end().to_owned())
}

#[cfg(test)]
#[path = "vpd_tests.rs"]
mod tests;
