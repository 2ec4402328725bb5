//! Vital product data of a function, or why there is none.

use crate::machine::{Function, Machine};
use crate::pci::capability;
use crate::pci::vpd::{self, Area, Problem};
use crate::tree::Cause;

/// Vital product data: what the device says that it is.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct VitalProductData {
    /// How many bytes were read; the end tag is the last.
    pub bytes_read: usize,
    /// What the device calls itself. Bytes that are not text become U+FFFD.
    pub identifier: Option<String>,
    /// Its fields, in their order.
    pub fields: Vec<VitalProductField>,
    /// Whether everything up to the end tag was read.
    pub complete: bool,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
    /// Why it was not read, or not to its end; `null` if it was.
    pub unread: Option<String>,
}

/// A field.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct VitalProductField {
    /// Whether software can write it.
    pub area: Area,
    /// Keyword, such as `SN`; bytes that are not printable are written `\x00`.
    pub keyword: String,
    /// What the keyword stands for, if the specification or IBM's use of it says so.
    pub name: Option<&'static str>,
    /// The data as text; `null` if it is not text.
    pub text: Option<String>,
    /// The data in hexadecimal.
    pub bytes: String,
    /// For the keyword RV: whether the checksum is right.
    pub checksum_good: Option<bool>,
}

/// Vital product data of the function; `None` if it was not asked for.
pub fn vital_product_data(machine: &Machine, function: &Function) -> Option<VitalProductData> {
    if !machine.vital_product_data {
        return None;
    }
    let Some(read) = &function.reading.vital_product_data else {
        return Some(VitalProductData {
            bytes_read: 0,
            identifier: None,
            fields: Vec::new(),
            complete: false,
            problems: Vec::new(),
            unread: Some(not_asked(function)),
        });
    };
    let length = read.bytes.len();
    let unread = read.error.map(|cause| unread(cause, length));
    let mut data = vpd::parse(&read.bytes);
    if read.error.is_some() {
        // What is missing is missing because it was not read.
        data.problems
            .retain(|p| matches!(p, Problem::Checksum { .. } | Problem::UnknownTag { .. } | Problem::More));
    }
    Some(VitalProductData {
        bytes_read: length,
        identifier: data.identifier.map(|bytes| printable(&String::from_utf8_lossy(bytes))),
        complete: data.end.is_some(),
        fields: data.fields.iter().map(field).collect(),
        problems: data.problems,
        unread,
    })
}

fn not_asked(function: &Function) -> String {
    if !function.answers() {
        return format!("the function was not asked: {}", function.presence.reason);
    }
    if function.find(&capability::vpd::SPECIFICATION).is_none() {
        return "the function does not have the capability".to_owned();
    }
    "the function went to sleep before it was asked".to_owned()
}

fn unread(cause: Cause, length: usize) -> String {
    match (cause, length) {
        (Cause::Errno(nix::errno::Errno::ENOENT), 0) => "there is no file `vpd`".to_owned(),
        (Cause::Errno(nix::errno::Errno::EACCES), 0) => {
            format!("vpd: {cause}: the kernel gives it to root only")
        }
        (cause, 0) => format!("vpd: {cause}"),
        (cause, length) => format!("vpd from {length:#x}: {cause}"),
    }
}

fn field(field: &vpd::Field<'_>) -> VitalProductField {
    VitalProductField {
        area: field.area,
        keyword: field.keyword.iter().map(|b| b.escape_ascii().to_string()).collect(),
        name: vpd::keyword_name(field.keyword),
        text: field.text(),
        bytes: field.data.iter().map(|b| format!("{b:02x}")).collect(),
        checksum_good: field.checksum_good,
    }
}

/// The text without control characters, which could do things to a terminal, and without what pads it.
fn printable(text: &str) -> String {
    let text = text.trim_end_matches(['\0', ' ']);
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use crate::machine::reading::Depth;
    use crate::machine::{DEADLINE, Scope, load};
    use crate::render::style::Style;
    use crate::render::text::vital_product_data::section;
    use crate::tree::MemoryTree;

    use super::*;

    const FOLDER: &str = "sys/bus/pci/devices/0000:01:00.0";

    fn config(first: u8, capability: u8) -> Vec<u8> {
        let mut config = vec![0; 256];
        config[..8].copy_from_slice(&[first, 0x10, 0x01, 0x22, 0x06, 0x04, 0x10, 0x00]);
        (config[0x34], config[0x40]) = (0x40, capability);
        config
    }

    /// Text and answer of a function with that configuration space and `vpd` file.
    fn shown(config: Vec<u8>, vpd: Option<&[u8]>, asked: bool) -> (String, Option<VitalProductData>) {
        let machine = machine(config, vpd, asked);
        let data = vital_product_data(&machine, &machine.functions[0]);
        let mut text = String::new();
        if let Some(data) = &data {
            section(&mut text, data, Style::PLAIN);
        }
        (text, data)
    }

    fn machine(config: Vec<u8>, vpd: Option<&[u8]>, asked: bool) -> Machine {
        let mut tree = MemoryTree::complete().file(format!("{FOLDER}/config"), config);
        if let Some(bytes) = vpd {
            tree = tree.file(format!("{FOLDER}/vpd"), bytes);
        }
        let scope = Scope {
            depth: Depth::Full,
            wanted: &|_| true,
            wake: false,
            deadline: DEADLINE,
            vital_product_data: asked,
        };
        load(&tree, false, scope).unwrap()
    }

    /// lspci calls it: Product Name: Card; [SN] Serial number: 42; [V1] Vendor specific: 00 ff; [RV] Reserved: checksum
    /// good, 1 byte(s) reserved; [YA] Asset tag: rack; [RW] Read-write area: 1 byte(s) free.
    const GOOD: &[u8] = b"\x82\x04\x00Card\x90\x0f\x00SN\x0242V1\x02\x00\xffRV\x02\x26\x00\
        \x91\x0b\x00YA\x04rackRW\x01\x00\x78behind";

    #[test]
    fn text_and_answer() {
        let (text, data) = shown(config(0xde, 3), Some(GOOD), true);
        assert_eq!(
            text,
            "\n  vital product data  40 bytes\n    \
             name      Card\n    \
             SN        serial number: 42\n    \
             V1        specific to the manufacturer: 00 ff\n    \
             RV        checksum: right, 1 byte reserved\n    \
             YA        asset tag: rack (writable)\n    \
             RW        remaining room for writing: 1 byte\n"
        );
        let data = data.unwrap();
        assert!(data.complete && data.problems.is_empty() && data.unread.is_none());
        assert_eq!((data.fields[1].text.as_deref(), data.fields[1].bytes.as_str()), (None, "00ff"));
    }

    #[test]
    fn the_capability_says_of_the_data_that_it_is_not_read_only_where_it_is_not() {
        let said = |vpd, asked| {
            let machine = machine(config(0xde, 3), vpd, asked);
            let function = &machine.functions[0];
            let capability = &function.decode().0[0];
            crate::inspect::capability::not_read(&machine, function, capability).map(|why| why.into_owned())
        };
        assert!(said(Some(GOOD), false).is_some_and(|why| why.ends_with("(--vpd)")));
        assert_eq!(said(Some(GOOD), true), None);
        assert_eq!(said(None, true).as_deref(), Some("the data: there is no file `vpd`"));
    }

    #[test]
    fn why_there_is_none() {
        let reason = |config, vpd| shown(config, vpd, true).1.unwrap().unread.unwrap();
        assert_eq!(reason(config(0xde, 3), None), "there is no file `vpd`");
        assert_eq!(reason(config(0xde, 1), Some(GOOD)), "the function does not have the capability");
        assert!(reason(vec![0xff; 256], Some(GOOD)).starts_with("the function was not asked: "));
        assert!(shown(config(0xde, 3), Some(GOOD), false).1.is_none(), "nobody asked");
    }

    #[test]
    fn terminals_get_no_control_characters() {
        let (text, data) =
            shown(config(0xde, 3), Some(b"\x82\x04\x00\x1b[2J\x90\x05\x00\x1b]\x02\x07\x07\x78"), true);
        assert!(!text.contains(['\u{1b}', '\u{7}']), "{text:?}");
        assert_eq!(data.unwrap().fields[0].keyword, "\\x1b]");
    }
}
