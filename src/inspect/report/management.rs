//! What the management controller (BMC) says of power, temperature and fans, where a capture kept it (`capture --with-tools`).

use crate::inspect::check::Evidence;
use crate::tree::{Tree, printable, read};

/// What `ipmitool sel elist` and `ipmitool sdr` said, in a capture.
const LOG: &str = "capture/tools/ipmitool-sel-elist.txt";
const SENSORS: &str = "capture/tools/ipmitool-sdr.txt";
const LIMIT: usize = 16 << 20;
/// Most lines that are evidence: the last ones.
const LINES: usize = 8;
/// Words of entries that have to do with a device that fails (IPMI 2.0, table 42-3: types of sensors).
const WORDS: [&str; 8] = ["power", "psu", "voltage", "temp", "thermal", "fan", "pci", "critical interrupt"];

/// What it says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Management {
    /// Number of entries of its log; `None` if the log was not read.
    pub entries: Option<usize>,
    /// Those of them that speak of power, temperature, fans or PCI.
    pub telling: Vec<String>,
    /// Number of sensors; `None` if they were not read.
    pub sensors: Option<usize>,
    /// Those that are not as they should be.
    pub bad: Vec<String>,
}

/// Reads it; everything is empty where a source has none.
pub fn management(tree: &dyn Tree) -> Management {
    let lines = |path: &str| -> Option<Vec<String>> {
        let text = printable(read(tree, path, LIMIT).ok()?);
        let lines: Vec<String> =
            text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        let lines: Vec<String> = lines.into_iter().filter(|line| line.contains('|')).collect();
        (!lines.is_empty()).then_some(lines)
    };
    let (log, sensors) = (lines(LOG), lines(SENSORS));
    let telling = |line: &&String| {
        let line = line.to_ascii_lowercase();
        WORDS.iter().any(|word| line.contains(word))
    };
    // The third column: ok, ns (no reading), and nc, cr, nr or the same with l or u before them (ipmitool(1), sdr).
    let bad = |line: &&String| {
        let status = line.split('|').nth(2).unwrap_or_default().trim().trim_start_matches(['l', 'u']);
        ["nc", "cr", "nr"].contains(&status)
    };
    Management {
        entries: log.as_ref().map(Vec::len),
        telling: log.iter().flatten().filter(telling).cloned().collect(),
        sensors: sensors.as_ref().map(Vec::len),
        bad: sensors.iter().flatten().filter(bad).cloned().collect(),
    }
}

impl Management {
    /// Whether any of it was read.
    pub fn is_known(&self) -> bool {
        self.entries.is_some() || self.sensors.is_some()
    }

    /// In a clause what was read, and what of it is telling.
    pub fn says(&self) -> String {
        let log = self.entries.map(|all| match self.telling.len() {
            0 => format!("none of the {all} entries of its log speaks of power, temperature, fans or PCI"),
            some => {
                format!("{some} of the {all} entries of its log speak of power, temperature, fans or PCI")
            }
        });
        let sensors = self.sensors.map(|all| match self.bad.len() {
            0 => format!("all of {all} sensors are within their limits"),
            some => format!("{some} of {all} sensors are beyond their limits"),
        });
        [log, sensors].into_iter().flatten().collect::<Vec<_>>().join("; ")
    }

    /// The lines that show it.
    pub fn evidence(&self) -> Vec<Evidence> {
        let line = |path: &str, text: &String| Evidence {
            path: path.to_owned(),
            offset: None,
            width: None,
            raw: None,
            decoded: text.clone(),
        };
        let last = self.telling.len().saturating_sub(LINES);
        let log = self.telling[last..].iter().map(|text| line(LOG, text));
        log.chain(self.bad.iter().take(LINES).map(|text| line(SENSORS, text))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::MemoryTree;

    #[test]
    fn telling_entries_and_bad_sensors_are_found() {
        let tree = MemoryTree::complete()
            .file(
                LOG,
                "   1 | 11/20/2026 | 08:00:01 | System Event #0x83 | Timestamp Clock Sync | Asserted\n\
                 \x20  2 | 11/22/2026 | 03:36:20 | Power Supply #0x51 | Power Supply AC lost | Asserted\n",
            )
            .file(
                SENSORS,
                "CPU1 Temp        | 51 degrees C      | ok\nFAN3             | 0 RPM             | lcr\n\
                 P2 Temp          | no reading        | ns\n",
            );
        let found = management(&tree);
        assert_eq!((found.entries, found.sensors), (Some(2), Some(3)));
        assert_eq!(found.telling.len(), 1);
        assert!(found.telling[0].contains("AC lost") && found.bad[0].starts_with("FAN3"), "{found:?}");
        assert!(found.says().starts_with("1 of the 2 entries"), "{}", found.says());
        assert_eq!(found.evidence().len(), 2);
        assert!(!management(&MemoryTree::complete().file(LOG, "Could not open device\n")).is_known());
    }
}
