//! The date of a pci.ids table.

use std::fmt;

/// The day on which the PCI ID Repository made a table, which is also its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    /// 1990 to 2999.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}

impl Date {
    /// Reads `2025.07.11` or `2025-07-11`, whatever may stand behind it.
    pub fn parse(text: &str) -> Option<Date> {
        let digits = |from: usize, to: usize| {
            let part = text.get(from..to)?;
            part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<u16>().ok())?
        };
        let separator = text.get(4..5).filter(|separator| matches!(*separator, "." | "-"))?;
        if text.get(7..8) != Some(separator) || text.as_bytes().get(10).is_some_and(u8::is_ascii_digit) {
            return None;
        }
        let (year, month, day) = (digits(0, 4)?, digits(5, 7)?, digits(8, 10)?);
        let plausible = (1990..3000).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
        plausible.then_some(Date { year, month: month as u8, day: day as u8 })
    }

    /// Finds the date in the comments at the beginning of a pci.ids file: the line `# Version: 2025.07.11`, else
    /// `# Date: 2025-07-11 03:15:02`.
    pub fn of_file(beginning: &[u8]) -> Option<Date> {
        let find = |word: &str| {
            let mut comments =
                beginning.split(|byte| *byte == b'\n').filter_map(|line| line.strip_prefix(b"#"));
            comments.find_map(|line| {
                let line = std::str::from_utf8(line).ok()?;
                Date::parse(line.trim_start().strip_prefix(word)?.trim_start())
            })
        };
        find("Version:").or_else(|| find("Date:"))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}.{:02}.{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_from_the_comments() {
        let of = |text: &str| Date::of_file(text.as_bytes()).map(|date| date.to_string());
        let head = "#\n#\tList of PCI ID's\n#\n#\tVersion: 2023.04.10\n#\tDate:    2023-04-11 20:08:02\n#\n";
        assert_eq!(of(head).as_deref(), Some("2023.04.10"));
        assert_eq!(of("# Date: 2023-04-11 20:08:02\r\n").as_deref(), Some("2023.04.11"));
        assert_eq!(of("# Version: 2023.04.10\r\n").as_deref(), Some("2023.04.10"));
        for text in [
            "",
            "Version: 2023.04.10",
            "# Version: 3.2",
            "# Version: 2023.13.01",
            "# Version: 2023.04-10",
            "# Version: 2023.04.101",
            "# Version: 202é.04.10",
            "# Version: 2023.+4.10",
            "# Version: 2023.04",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
    }

    #[test]
    fn later_dates_are_greater() {
        let date = |text| Date::parse(text).unwrap();
        assert!(date("2025.07.11") > date("2024.12.31") && date("2025.07.11") > date("2025.07.10"));
    }
}
