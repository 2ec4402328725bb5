//! Colour and width.

use anstyle::{AnsiColor, Style as Ansi};

/// What a piece of text stands for; decides its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// A heading.
    Heading,
    /// An address or a name that is looked for.
    Name,
    /// Something that is as it should be.
    Good,
    /// Something worth a look.
    Warn,
    /// Something that is wrong.
    Bad,
    /// Something of less interest.
    Faint,
}

/// How text is to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Colours are wanted.
    pub color: bool,
    /// Columns of the terminal; `None` if the output is not one, and lines may be as long as they like.
    pub width: Option<usize>,
}

impl Style {
    /// Neither colour nor width.
    pub const PLAIN: Style = Style { color: false, width: None };

    /// The text in the colour of its tone.
    pub fn paint(&self, tone: Tone, text: &str) -> String {
        if !self.color || text.is_empty() {
            return text.to_owned();
        }
        let style = match tone {
            Tone::Heading => Ansi::new().bold(),
            Tone::Name => AnsiColor::Cyan.on_default(),
            Tone::Good => AnsiColor::Green.on_default(),
            Tone::Warn => AnsiColor::Yellow.on_default(),
            Tone::Bad => AnsiColor::Red.on_default().bold(),
            Tone::Faint => Ansi::new().dimmed(),
        };
        format!("{style}{text}{style:#}")
    }

    /// Columns to fill with running text.
    pub fn columns(&self) -> usize {
        self.width.unwrap_or(120).clamp(60, 160)
    }
}

/// The text cut to at most `width` characters, with `…` where something was left out.
pub fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(width.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// Where running text goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lines {
    /// Column at which the first word begins.
    pub column: usize,
    /// Spaces in front of every further line.
    pub indent: usize,
    /// Columns that a line may fill.
    pub columns: usize,
    /// What stands between two words.
    pub between: &'static str,
}

/// Running text that is written word by word.
pub struct Words<'a> {
    out: &'a mut String,
    style: Style,
    lines: Lines,
    position: usize,
    first: bool,
}

impl<'a> Words<'a> {
    /// Text that begins at the end of `out`.
    pub fn new(out: &'a mut String, style: Style, lines: Lines) -> Self {
        Words { out, style, lines, position: lines.column, first: true }
    }

    /// Appends a word that `write` writes. If the line is too full for it, it begins a new one.
    pub fn word(&mut self, tone: Tone, write: impl FnOnce(&mut String)) {
        let before = self.out.len();
        if !self.first {
            self.out.push_str(self.lines.between);
        }
        let start = self.out.len();
        write(self.out);
        let length = columns(&self.out[start..]);
        if self.style.color {
            let painted = self.style.paint(tone, &self.out[start..]);
            self.out.replace_range(start.., &painted);
        }
        let room = self.lines.columns.saturating_sub(self.position + self.lines.between.len());
        if self.first {
            self.position += length;
        } else if length > room {
            self.out.replace_range(before..start, "\n");
            insert_spaces(self.out, before + 1, self.lines.indent);
            self.position = self.lines.indent + length;
        } else {
            self.position += self.lines.between.len() + length;
        }
        self.first = false;
    }

    /// Whether there is no word yet.
    pub fn is_empty(&self) -> bool {
        self.first
    }

    /// Ends the line.
    pub fn end(self) {
        self.out.push('\n');
    }
}

/// Number of columns that a text without colours takes.
pub fn columns(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().count() }
}

/// Appends blanks.
pub fn spaces(out: &mut String, count: usize) {
    let end = out.len();
    insert_spaces(out, end, count);
}

fn insert_spaces(out: &mut String, place: usize, mut count: usize) {
    const BLANKS: &str = "                                                                ";
    while count > 0 {
        let some = count.min(BLANKS.len());
        out.insert_str(place, &BLANKS[..some]);
        count -= some;
    }
}

/// Appends a label and running text behind it, both as they are; the text is wrapped at its spaces.
pub fn paragraph(out: &mut String, label: &str, text: &str, column: usize, style: Style) {
    out.push_str(label);
    spaces(out, column.saturating_sub(columns(label)));
    // The text may have colours in it already.
    let lines = Lines { column, indent: column, columns: style.columns(), between: " " };
    let mut words = Words::new(out, Style { color: false, ..style }, lines);
    for word in text.split(' ') {
        words.word(Tone::Name, |out| out.push_str(word));
    }
    words.end();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_and_wraps() {
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("äöü", 3), "äöü");
        let mut out = String::new();
        let lines = Lines { column: 2, indent: 2, columns: 12, between: "  " };
        let mut words = Words::new(&mut out, Style::PLAIN, lines);
        ["aaaa", "bbbb", "cccc"].iter().for_each(|word| words.word(Tone::Name, |out| out.push_str(word)));
        words.end();
        assert_eq!(out, "aaaa  bbbb\n  cccc\n");
    }

    #[test]
    fn paints_only_when_asked() {
        assert_eq!(Style::PLAIN.paint(Tone::Bad, "x"), "x");
        assert!(Style { color: true, width: None }.paint(Tone::Bad, "x").contains("\u{1b}["));
    }
}
