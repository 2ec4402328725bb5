//! The text of `lspci -vvv` taken apart: functions, lines of the header, capabilities with their lines.

use pciscope::pci::Bdf;

/// What lspci prints of one function.
#[derive(Debug)]
pub struct FunctionText {
    pub address: Bdf,
    /// The first line without the address.
    pub first: String,
    /// Lines of the header and of what the kernel adds.
    pub header: Vec<String>,
    pub capabilities: Vec<CapabilityText>,
}

/// What lspci prints of one capability.
#[derive(Debug)]
pub struct CapabilityText {
    pub offset: u16,
    /// Given for the extended list only.
    pub version: Option<u8>,
    /// The first line without offset and version.
    pub title: String,
    /// The other lines.
    pub lines: Vec<String>,
}

/// Stands where lspci goes on in a new line.
const CONTINUED: &str = " | ";

/// Takes a text apart. A line that goes on in the next one is put together again. Anything between functions, such as
/// hex rows or what somebody wrote about the dump, is passed over.
pub fn parse(text: &str) -> Vec<FunctionText> {
    let mut functions: Vec<FunctionText> = Vec::new();
    let mut inside = false;
    let mut in_capability = false;
    for line in text.lines() {
        let line = line.trim_end();
        if line.is_empty() {
            inside = false;
        } else if let Some((address, first)) = first_line(line) {
            functions.push(FunctionText { address, first, header: Vec::new(), capabilities: Vec::new() });
            (inside, in_capability) = (true, false);
        } else if let Some(function) = functions.last_mut().filter(|_| inside) {
            if let Some(deep) = line.strip_prefix("\t\t") {
                let lines = match function.capabilities.last_mut().filter(|_| in_capability) {
                    Some(capability) => &mut capability.lines,
                    None => &mut function.header,
                };
                let goes_on = !in_capability || deep.starts_with([' ', '\t']);
                match lines.last_mut().filter(|_| goes_on) {
                    Some(last) => {
                        last.push_str(CONTINUED);
                        last.push_str(&words(deep));
                    }
                    None => lines.push(words(deep)),
                }
            } else if let Some(line) = line.strip_prefix('\t') {
                let capability = capability(line);
                in_capability = capability.is_some();
                match capability {
                    Some(capability) => function.capabilities.push(capability),
                    None => function.header.push(words(line)),
                }
            }
        }
    }
    functions
}

/// `[domain:]bus:device.function …`, which no hex row looks like.
fn first_line(line: &str) -> Option<(Bdf, String)> {
    let (address, rest) = line.split_once(' ')?;
    (line.starts_with(|c: char| c.is_ascii_hexdigit()) && address.contains('.'))
        .then(|| Some((address.parse().ok()?, rest.to_owned())))
        .flatten()
}

/// `Capabilities: [70] Express …`, `Capabilities: [100 v1] …`.
fn capability(line: &str) -> Option<CapabilityText> {
    let (place, title) = line.strip_prefix("Capabilities: [")?.split_once(']')?;
    let (offset, version) = match place.split_once(" v") {
        Some((offset, version)) => (offset, Some(version.parse().ok()?)),
        None => (place, None),
    };
    let offset = u16::from_str_radix(offset, 16).ok()?;
    Some(CapabilityText { offset, version, title: words(title), lines: Vec::new() })
}

/// Any white space is one space.
fn words(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_text_is_taken_apart() {
    let text = "remark\n\n01:00.0 Class: Name (rev 02)\n\tControl: I/O+\n\tBridgeCtl: Parity-\n\t\tPriDiscTmr-\n\
                \tCapabilities: [70] Express (v2)\n\t\tLnkCap:\tPort #0\n\t\t\tClockPM-\n\t\tLnkSta:\tSpeed\n\
                \tCapabilities: [100 v2] Other\n\tKernel driver in use: x\n00: 86 80\n\n10: 00 00\n";
    let functions = parse(text);
    assert_eq!(functions.len(), 1);
    let function = &functions[0];
    assert_eq!(
        (function.address.to_string().as_str(), function.first.as_str()),
        ("0000:01:00.0", "Class: Name (rev 02)")
    );
    assert_eq!(
        function.header,
        ["Control: I/O+", "BridgeCtl: Parity- | PriDiscTmr-", "Kernel driver in use: x"]
    );
    assert_eq!(function.capabilities[0].lines, ["LnkCap: Port #0 | ClockPM-", "LnkSta: Speed"]);
    assert_eq!((function.capabilities[1].offset, function.capabilities[1].version), (0x100, Some(2)));
}
