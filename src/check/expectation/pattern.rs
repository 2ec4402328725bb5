//! Patterns for text: `*` for anything, `?` for one character, `[a-f]` for one of several, `\` before a character that
//! stands for itself; or a regular expression between slashes, `/^10de:2b8[45]$/`.

use regex::bytes::{Regex, RegexBuilder};

/// Several patterns, of which one must fit.
#[derive(Debug, Clone)]
pub struct Patterns(Vec<Pattern>);

/// One pattern.
#[derive(Debug, Clone)]
pub struct Pattern {
    /// As it was written.
    pub text: String,
    regex: Regex,
}

impl Pattern {
    /// Reads a pattern. The error is a clause.
    pub fn parse(text: &str) -> Result<Pattern, String> {
        let inner = text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')).filter(|_| text.len() > 1);
        let expression = match inner {
            Some(regex) => regex.to_owned(),
            None => format!("^(?:{})$", from_glob(text)?),
        };
        // Bytes, not characters: upper and lower case are those of ASCII, as are \d and \w.
        let built =
            RegexBuilder::new(&expression).unicode(false).case_insensitive(true).size_limit(1 << 20).build();
        match built {
            Ok(regex) => Ok(Pattern { text: text.to_owned(), regex }),
            Err(error) => {
                let reason = error.to_string();
                let reason = reason.lines().last().unwrap_or_default().trim().trim_start_matches("error: ");
                Err(format!("`{text}` is no regular expression: {reason}"))
            }
        }
    }

    /// Whether it fits all of the text (a regular expression: some of it). Upper and lower case are the same.
    pub fn matches(&self, text: &str) -> bool {
        self.regex.is_match(text.as_bytes())
    }
}

impl Patterns {
    /// Of one or several patterns.
    pub fn new(patterns: Vec<Pattern>) -> Patterns {
        Patterns(patterns)
    }

    /// Whether one of them fits.
    pub fn matches(&self, text: &str) -> bool {
        self.0.iter().any(|pattern| pattern.matches(text))
    }

    /// As they were written: `a or b`.
    pub fn text(&self) -> String {
        self.0.iter().map(|pattern| pattern.text.as_str()).collect::<Vec<_>>().join(" or ")
    }
}

/// The regular expression that a pattern stands for.
fn from_glob(text: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            '*' => out.push_str(".*"),
            '?' => out.push('.'),
            '\\' => match characters.next() {
                Some(c) => out.push_str(&regex::escape(&c.to_string())),
                None => return Err(format!("`{text}` ends in \\: expected the character that it is for")),
            },
            '[' => {
                let mut set = String::new();
                loop {
                    match characters.next() {
                        Some(']') => break,
                        Some('-') => set.push('-'),
                        Some('!') if set.is_empty() => set.push('^'),
                        Some(c) => set.push_str(&regex::escape(&c.to_string())),
                        None => {
                            return Err(format!(
                                "`{text}`: a [ is not closed; write \\[ for one that is meant"
                            ));
                        }
                    }
                }
                if set.trim_start_matches('^').is_empty() {
                    return Err(format!("`{text}`: [] holds no character"));
                }
                out.push_str(&format!("[{set}]"));
            }
            c => out.push_str(&regex::escape(&c.to_string())),
        }
    }
    Ok(out)
}

/// A pattern that fits this text and no other.
pub fn literal(text: &str) -> String {
    let mut out = String::new();
    for (place, c) in text.chars().enumerate() {
        if matches!(c, '*' | '?' | '[' | '\\') || place == 0 && c == '/' {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_what_they_say() {
        for (pattern, text, fits) in [
            ("nvidia", "nvidia", true),
            ("nvidia", "nvidia-drm", false),
            ("10DE:2b8?", "10de:2b85", true),
            ("0000:8[0-3]:00.*", "0000:82:00.1", true),
            ("0000:8[!0-3]:00.0", "0000:82:00.0", false),
            ("a.c", "abc", false),
            (r"F12 \[beta\]", "F12 [beta]", true),
            ("/^0x03/", "0x030000", true),
            ("/30/", "0x030000", true),
            (r"/^\d+\.\d+$/", "98.02", true),
            ("/", "/", true),
        ] {
            assert_eq!(Pattern::parse(pattern).unwrap().matches(text), fits, "{pattern} {text}");
        }
        for text in ["F12 [beta]*", "/dev/x/", r"a\b", "?", "plain"] {
            let pattern = Pattern::parse(&literal(text)).unwrap();
            assert!(pattern.matches(text), "{text}");
            assert!(!pattern.matches(&format!("{text}x")), "{text}");
        }
    }

    #[test]
    fn bad_patterns_are_told() {
        for (pattern, expected) in [
            ("[ab", "not closed"),
            ("a\\", "ends in"),
            ("/(/", "unclosed group"),
            ("x[]", "holds no"),
            ("[z-a]", "range"),
        ] {
            let error = Pattern::parse(pattern).unwrap_err();
            assert!(error.contains(expected), "{pattern}: {error}");
        }
    }
}
