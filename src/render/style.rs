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

/// Appends words, each with the number of columns that it takes, and a line end.
pub fn wrap(out: &mut String, words: &[(usize, String)], lines: Lines) {
    let mut position = lines.column;
    for (index, (length, word)) in words.iter().enumerate() {
        if index > 0 {
            if position + lines.between.len() + length > lines.columns {
                out.push('\n');
                out.extend(std::iter::repeat_n(' ', lines.indent));
                position = lines.indent;
            } else {
                out.push_str(lines.between);
                position += lines.between.len();
            }
        }
        out.push_str(word);
        position += length;
    }
    out.push('\n');
}

/// Appends a label and running text behind it, both as they are; the text is wrapped at its spaces.
pub fn paragraph(out: &mut String, label: &str, text: &str, column: usize, style: Style) {
    out.push_str(label);
    out.extend(std::iter::repeat_n(' ', column.saturating_sub(label.chars().count())));
    let words: Vec<(usize, String)> = text.split(' ').map(|w| (w.chars().count(), w.to_owned())).collect();
    wrap(out, &words, Lines { column, indent: column, columns: style.columns(), between: " " });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_and_wraps() {
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("äöü", 3), "äöü");
        let mut out = String::new();
        let words: Vec<_> = ["aaaa", "bbbb", "cccc"].map(|w| (4, w.to_owned())).into();
        wrap(&mut out, &words, Lines { column: 2, indent: 2, columns: 12, between: "  " });
        assert_eq!(out, "aaaa  bbbb\n  cccc\n");
    }

    #[test]
    fn paints_only_when_asked() {
        assert_eq!(Style::PLAIN.paint(Tone::Bad, "x"), "x");
        assert!(Style { color: true, width: None }.paint(Tone::Bad, "x").contains("\u{1b}["));
    }
}
