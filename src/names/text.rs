//! Names in a pci.ids file, which is searched and not parsed.
//!
//! The file is a tree by indentation: a vendor `8086  Intel Corporation`, below it devices with one tab, below those
//! subsystems with two; then classes `C 03  Display controller` with subclasses and programming interfaces. Lines
//! that begin with `#` are comments. What the lines of one level are and where they end is found out when a name
//! below them is first asked for, and remembered; all other lines are passed over.
//!
//! Nothing in the file is an error. Lines that are not as described have no name; of two with the same ID, the first
//! counts, as in lspci.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::OnceLock;

use super::Entry;

/// What the lines of one level are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    /// Vendors, and classes with [`CLASS`] added to their ID.
    Top,
    Device,
    Subsystem,
    Subclass,
    ProgrammingInterface,
}

/// Makes a class's key different from any vendor's.
const CLASS: u32 = 0x1_0000;

impl Level {
    /// Number of tabs in front.
    fn depth(self) -> usize {
        match self {
            Level::Top => 0,
            Level::Device | Level::Subclass => 1,
            Level::Subsystem | Level::ProgrammingInterface => 2,
        }
    }

    /// Splits a line, without its tabs, into key and what follows it.
    fn split(self, line: &[u8]) -> Option<(u32, &[u8])> {
        match self {
            Level::Top => match line.strip_prefix(b"C ") {
                Some(line) => hexadecimal(line, 2).map(|(id, rest)| (CLASS | id, rest)),
                None => hexadecimal(line, 4),
            },
            Level::Device => hexadecimal(line, 4),
            Level::Subsystem => {
                let (vendor, rest) = hexadecimal(line, 4)?;
                let (device, rest) = hexadecimal(rest.strip_prefix(b" ")?, 4)?;
                Some((vendor << 16 | device, rest))
            }
            Level::Subclass | Level::ProgrammingInterface => hexadecimal(line, 2),
        }
    }
}

/// A line with a name, and the lines below it.
#[derive(Debug)]
struct Node {
    /// Where the name is in the file.
    name: Range<usize>,
    /// Where the lines below are.
    body: Range<usize>,
    /// Those lines by key, once they were asked for.
    children: OnceLock<BTreeMap<u32, Node>>,
}

/// The contents of a pci.ids file.
#[derive(Debug)]
pub struct Text {
    bytes: Vec<u8>,
    root: Node,
}

impl Text {
    /// Takes the contents of a file, which may be anything.
    pub fn new(bytes: Vec<u8>) -> Self {
        let root = Node { name: 0..0, body: 0..bytes.len(), children: OnceLock::new() };
        Text { bytes, root }
    }

    /// Whether there is a vendor in it.
    pub fn has_vendors(&self) -> bool {
        self.children(&self.root, Level::Top).range(..CLASS).next().is_some()
    }

    /// The name of an entry. What is not UTF-8 or would control a terminal is replaced by U+FFFD.
    pub fn name(&self, entry: Entry) -> Option<Cow<'_, str>> {
        let node = match entry {
            Entry::Vendor(vendor) => self.top(vendor.into())?,
            Entry::Device(vendor, device) => self.device(vendor, device)?,
            Entry::Subsystem(vendor, device, subvendor, subdevice) => {
                let key = u32::from(subvendor) << 16 | u32::from(subdevice);
                self.children(self.device(vendor, device)?, Level::Subsystem).get(&key)?
            }
            Entry::Class(base) => self.top(CLASS | u32::from(base))?,
            Entry::Subclass(base, subclass) => self.subclass(base, subclass)?,
            Entry::ProgrammingInterface(base, subclass, interface) => {
                let below = self.children(self.subclass(base, subclass)?, Level::ProgrammingInterface);
                below.get(&interface.into())?
            }
        };
        let name = String::from_utf8_lossy(self.bytes.get(node.name.clone())?);
        match name.contains(char::is_control) {
            true => Some(name.replace(char::is_control, "\u{fffd}").into()),
            false => Some(name),
        }
    }

    fn top(&self, key: u32) -> Option<&Node> {
        self.children(&self.root, Level::Top).get(&key)
    }

    fn device(&self, vendor: u16, device: u16) -> Option<&Node> {
        self.children(self.top(vendor.into())?, Level::Device).get(&device.into())
    }

    fn subclass(&self, base: u8, subclass: u8) -> Option<&Node> {
        self.children(self.top(CLASS | u32::from(base))?, Level::Subclass).get(&subclass.into())
    }

    fn children<'a>(&'a self, node: &'a Node, level: Level) -> &'a BTreeMap<u32, Node> {
        node.children.get_or_init(|| find_lines(&self.bytes, node.body.clone(), level))
    }
}

/// Finds the lines of one level in a part of the file.
fn find_lines(bytes: &[u8], part: Range<usize>, level: Level) -> BTreeMap<u32, Node> {
    let mut found = BTreeMap::new();
    let mut open: Option<(u32, Range<usize>, usize)> = None;
    let mut close = |open: Option<(u32, Range<usize>, usize)>, end| {
        if let Some((key, name, start)) = open {
            found.entry(key).or_insert(Node { name, body: start..end, children: OnceLock::new() });
        }
    };
    let mut end = part.start;
    for line in bytes.get(part).unwrap_or_default().split_inclusive(|byte| *byte == b'\n') {
        let start = end;
        end += line.len();
        let depth = line.iter().take_while(|byte| **byte == b'\t').count();
        let content = line[depth..].trim_ascii_end();
        if depth > level.depth() || content.is_empty() || content.starts_with(b"#") {
            continue;
        }
        // A line that is not understood ends the one before it all the same: what is below is not its own.
        close(open.take(), start);
        if depth < level.depth() {
            continue;
        }
        if let Some((key, rest)) = level.split(content) {
            let name = rest.trim_ascii_start();
            if !name.is_empty() && name.len() < rest.len() {
                let name_end = start + depth + content.len();
                open = Some((key, name_end - name.len()..name_end, end));
            }
        }
    }
    close(open, end);
    found
}

/// Reads a hexadecimal number of a given number of digits and gives back what follows.
fn hexadecimal(text: &[u8], digits: usize) -> Option<(u32, &[u8])> {
    let (number, rest) = text.split_at_checked(digits)?;
    let mut value = 0;
    for byte in number {
        value = value << 4 | char::from(*byte).to_digit(16)?;
    }
    Some((value, rest))
}

#[cfg(test)]
mod tests {
    use super::super::Embedded;
    use super::*;
    use proptest::prelude::*;

    const SAMPLE: &str = "#\n#\tVersion: 2030.01.02\n#\n\n\
        # a comment\n\
        10de  NVIDIA Corporation\n\
        \t10f0  GP104 High Definition Audio Controller\n\
        \t2b85  GB202 [GeForce RTX 5090]\n\
        1AF4  Red Hat, Inc.\n\
        # before a device\n\
        \t1041  Virtio 1.0 network device\n\
        8086  Intel Corporation\n\
        \t10d3  82574L Gigabit Network Connection\n\
        \t# between a device and its subsystems\n\
        \t\t103c 1785  NC112i 1-port Ethernet Server Adapter\n\
        \t\t103c 3250  NC112T PCI Express single Port Gigabit Server Adapter  \n\
        C 03  Display controller\n\
        \t00  VGA compatible controller\n\
        \t\t00  VGA controller\n\
        \t\t01  8514 controller\n\
        \t02  3D controller\n\
        C 02  Network controller\n\
        \t00  Ethernet controller";

    const ENTRIES: &[Entry] = &[
        Entry::Vendor(0x10de),
        Entry::Vendor(0x1af4),
        Entry::Vendor(0x8086),
        Entry::Device(0x10de, 0x10f0),
        Entry::Device(0x10de, 0x2b85),
        Entry::Device(0x1af4, 0x1041),
        Entry::Device(0x8086, 0x10d3),
        Entry::Subsystem(0x8086, 0x10d3, 0x103c, 0x1785),
        Entry::Subsystem(0x8086, 0x10d3, 0x103c, 0x3250),
        Entry::Class(0x02),
        Entry::Class(0x03),
        Entry::Subclass(0x03, 0x00),
        Entry::Subclass(0x03, 0x02),
        Entry::Subclass(0x02, 0x00),
        Entry::ProgrammingInterface(0x03, 0x00, 0x00),
        Entry::ProgrammingInterface(0x03, 0x00, 0x01),
    ];

    #[test]
    fn a_file_says_what_the_embedded_table_says() {
        for sample in [SAMPLE.to_owned(), SAMPLE.replace('\n', "\r\n"), format!("{SAMPLE}\n")] {
            let text = Text::new(sample.into_bytes());
            assert!(text.has_vendors());
            for entry in ENTRIES {
                assert_eq!(text.name(*entry).as_deref(), Embedded::built_in().name(*entry), "{entry:?}");
                assert!(text.name(*entry).is_some(), "{entry:?}");
            }
        }
    }

    #[test]
    fn what_is_below_another_entry_is_not_found() {
        let text = Text::new(SAMPLE.into());
        for entry in [
            Entry::Vendor(0x2b85),
            Entry::Vendor(0x0003),
            Entry::Device(0x10de, 0x1041),
            Entry::Device(0x10de, 0x10d3),
            Entry::Subsystem(0x8086, 0x10d3, 0x1785, 0x103c),
            Entry::Class(0x00),
            Entry::Subclass(0x02, 0x02),
            Entry::ProgrammingInterface(0x03, 0x02, 0x00),
        ] {
            assert_eq!(text.name(entry), None, "{entry:?}");
        }
    }

    #[test]
    fn rubbish_has_no_names_and_does_not_hide_what_is_good() {
        let sample = b"\xff\xfe\n\t0001  device of nobody\n12345  five digits\n1234\n1235 \n123g  no digit\n\
            1000  First\n\t0001  one\nnot a vendor\n\t0002  not of the first\n1000  Second\n\t0003  three\n\
            1001 \t bl\xffank\x1b[31m\n\t\t0001 0002  subsystem of nothing\n  1002  indented with blanks\n";
        let text = Text::new(sample.to_vec());
        let name = |entry| text.name(entry).map(Cow::into_owned);
        assert_eq!(name(Entry::Vendor(0x1000)).as_deref(), Some("First"));
        assert_eq!(name(Entry::Device(0x1000, 1)).as_deref(), Some("one"));
        assert_eq!(name(Entry::Device(0x1000, 2)), None);
        assert_eq!(name(Entry::Device(0x1000, 3)), None, "below the second of two vendors with one ID");
        assert_eq!(name(Entry::Vendor(0x1001)).as_deref(), Some("bl\u{fffd}ank\u{fffd}[31m"));
        for vendor in [0x1234, 0x1235, 0x1002, 0x0001] {
            assert_eq!(name(Entry::Vendor(vendor)), None, "{vendor:04x}");
        }
        assert!(!Text::new(b"C 03  Display controller\n".to_vec()).has_vendors());
        assert!(!Text::new(b"<html>\n".to_vec()).has_vendors());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            ask_everything(bytes);
        }

        #[test]
        fn no_text_that_looks_like_it_makes_it_panic(lines in prop::collection::vec(
            "(\t{0,3}|C |#| )([0-3]{2}|0{4}|000[01]|000[01] 000[01])?( {0,2})[a-f\r\t ]{0,3}", 0..40,
        )) {
            ask_everything(lines.join("\n").into_bytes());
        }
    }

    fn ask_everything(bytes: Vec<u8>) {
        let text = Text::new(bytes);
        text.has_vendors();
        for vendor in 0..2 {
            text.name(Entry::Vendor(vendor));
            for device in 0..2 {
                text.name(Entry::Device(vendor, device));
                text.name(Entry::Subsystem(vendor, device, 0, 1));
            }
        }
        for base in 0..3 {
            text.name(Entry::Class(base));
            text.name(Entry::ProgrammingInterface(base, 0, 1));
        }
    }
}
