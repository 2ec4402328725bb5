//! `explain` for a logged header: the line of a kernel (`TLP Header: …`) or of lspci (`HeaderLog: …`), or the doublewords alone.

use crate::pci::tlp;

use super::packet::{ALL_ZEROS, PacketEntry, entry, packet_text, prefix_text};

/// A logged packet explained.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct PacketExplanation {
    /// Doublewords of the header, such as `0x04000001`.
    pub header: Vec<String>,
    /// End-to-end prefixes.
    pub prefixes: Vec<String>,
    /// What the packet was; `null` if the header could not be decoded.
    pub packet: Option<PacketEntry>,
    /// The same for people, or why it could not be decoded.
    pub text: String,
    /// What each prefix is.
    pub prefix_texts: Vec<String>,
}

/// Doublewords of a header and of prefixes out of a line of a log. `None` if the line holds no header.
///
/// Kernel: `TLP Header: 34000000 08000052 00000000 00000000`; newer ones have `0x` in front of each and ` E-E Prefixes: …`
/// behind (pcie_print_tlp_log in drivers/pci/pcie/tlp.c).
pub fn packet_explanation(line: &str) -> Option<PacketExplanation> {
    let rest = ["TLP Header:", "TLP Header (Flit):", "HeaderLog:"]
        .iter()
        .find_map(|mark| Some((line.split_once(mark)?.1, mark.contains("Flit"))));
    let (words, flit_mode) = rest.unwrap_or((line, false));
    let (header, prefixes) = words.split_once("E-E Prefixes:").unwrap_or((words, ""));
    let header = doublewords(header)?;
    let prefixes = if prefixes.is_empty() { Vec::new() } else { doublewords(prefixes)? };
    if header.len() < 3 || header.len() > 4 && !flit_mode {
        return None;
    }
    let packet = if flit_mode { None } else { tlp::parse(&header) };
    let text = match &packet {
        Some(packet) => packet_text(packet),
        None if !tlp::is_packet(&header) => ALL_ZEROS.to_owned(),
        None if flit_mode => "a packet of Flit Mode, which is not decoded".to_owned(),
        None => "not a packet: the type in its first doubleword is reserved".to_owned(),
    };
    let shown = |words: &[u32]| words.iter().map(|word| format!("{word:#010x}")).collect();
    Some(PacketExplanation {
        header: shown(&header),
        prefixes: shown(&prefixes),
        packet: packet.as_ref().map(entry),
        text,
        prefix_texts: prefixes.iter().map(|prefix| prefix_text(*prefix)).collect(),
    })
}

/// Numbers of eight hexadecimal digits each; `None` if there is anything else.
fn doublewords(text: &str) -> Option<Vec<u32>> {
    let word = |word: &str| {
        let digits = word.strip_prefix("0x").unwrap_or(word);
        let is_doubleword = digits.len() == 8 && digits.bytes().all(|b| b.is_ascii_hexdigit());
        is_doubleword.then(|| u32::from_str_radix(digits, 16).ok()).flatten()
    };
    text.split_whitespace().map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(line: &str) -> Option<String> {
        packet_explanation(line).map(|p| p.text)
    }

    #[test]
    fn lines_of_kernels_and_of_lspci() {
        let ptm = "Msg to the other end of the link: PTM Request, by 08:00.0, tag 0x00, TC 0";
        for line in [
            "pcieport 0000:00:1d.0: AER:   TLP Header: 34000000 08000052 00000000 00000000",
            "34000000 08000052 00000000 00000000",
            "0x34000000 0x08000052 0x00000000",
            "HeaderLog: 34000000 08000052 00000000 00000000",
        ] {
            assert_eq!(text(line).as_deref(), Some(ptm), "{line}");
        }
        let line = "TLP Header: 0x20000001 0x8200000f 0x00000380 0x00001000 E-E Prefixes: 0x91100042";
        let explained = packet_explanation(line).unwrap();
        let read = "MRd64 of 1 doubleword at 0x38000001000, byte enables 1111, by 82:00.0, tag 0x00, TC 0";
        assert_eq!(explained.text, read);
        assert_eq!(explained.prefix_texts, ["PASID prefix: Priv no, Exec yes, PASID 0x00042"]);
    }

    #[test]
    fn other_lines_hold_no_header() {
        for line in
            ["", "LnkSta", "TLP Header: 34000000", "TLP Header: 34000000 zz 0 0", "1 2 3 4", "TLP Header:"]
        {
            assert_eq!(text(line), None, "{line}");
        }
        let flit = "TLP Header (Flit): 0x03000001 0x82000000 0 ";
        assert_eq!(text(flit), None);
        assert!(text("TLP Header (Flit): 0x03000001 0x82000000 0x00000000").unwrap().contains("Flit Mode"));
    }
}
