//! TOML files as people write them: values with the line they stand in, and errors that help.

pub mod nearest;

use toml::de::{DeTable, DeValue};

use nearest::nearest;

/// A mistake in a description or scenario, found before or while it is simulated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Mistake {
    /// Line in the file, counted from 1; 0 if it is not about a line.
    pub line: usize,
    /// What was found, what was expected, and the nearest name.
    pub message: String,
}

impl Mistake {
    /// A mistake in a line.
    pub fn new(line: usize, message: impl Into<String>) -> Self {
        Mistake { line, message: message.into() }
    }

    /// The mistake as one line that starts with the file.
    pub fn in_file(&self, file: &str) -> String {
        match self.line {
            0 => format!("{file}: {}", self.message),
            line => format!("{file}:{line}: {}", self.message),
        }
    }

    /// The same with a line, if it has none yet.
    pub fn at(self, line: usize) -> Self {
        if self.line == 0 { Mistake { line, ..self } } else { self }
    }
}

/// A value with its line.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Line, counted from 1.
    pub line: usize,
    /// The value.
    pub value: Value,
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Text.
    Text(String),
    /// A whole number. TOML has signed ones; the smallest is `i64::MIN`.
    Number(i128),
    /// Yes or no.
    Boolean(bool),
    /// Several values.
    List(Vec<Node>),
    /// Named values.
    Table(Table),
    /// What nothing here is described with: fractions and dates.
    Other(&'static str),
}

impl Value {
    /// What it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Text(_) => "text",
            Value::Number(_) => "a number",
            Value::Boolean(_) => "true or false",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
            Value::Other(kind) => kind,
        }
    }
}

/// Named values in the order of the file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// Line where it begins.
    pub line: usize,
    /// Names and values.
    pub entries: Vec<(String, Node)>,
}

/// Parses a file.
pub fn parse(text: &str) -> Result<Table, Mistake> {
    let lines = Lines::new(text);
    match DeTable::parse(text) {
        Ok(table) => Ok(lines.table(table.get_ref(), 0)),
        Err(error) => {
            let line = error.span().map_or(0, |span| lines.at(span.start));
            let message: Vec<&str> = error.message().lines().map(str::trim).collect();
            Err(Mistake::new(line, format!("not valid TOML: {}", message.join(", "))))
        }
    }
}

/// Where the lines of a text start.
struct Lines(Vec<usize>);

impl Lines {
    fn new(text: &str) -> Self {
        Lines(std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect())
    }

    fn at(&self, offset: usize) -> usize {
        self.0.partition_point(|start| *start <= offset)
    }

    fn table(&self, table: &DeTable<'_>, start: usize) -> Table {
        let mut entries: Vec<(usize, String, Node)> = table
            .iter()
            .map(|(key, value)| {
                // A value in a dotted key or table header starts where its key does.
                let start = key.span().start;
                (start, key.get_ref().to_string(), self.node(value.get_ref(), start))
            })
            .collect();
        // The map is in the order of names; people count on that of the file.
        entries.sort_by_key(|(start, ..)| *start);
        let first = entries.first().map_or(start, |(first, ..)| (*first).max(start));
        Table {
            line: self.at(first),
            entries: entries.into_iter().map(|(_, key, node)| (key, node)).collect(),
        }
    }

    fn node(&self, value: &DeValue<'_>, start: usize) -> Node {
        let converted = match value {
            DeValue::String(text) => Value::Text(text.to_string()),
            DeValue::Integer(number) => {
                match i128::from_str_radix(&number.as_str().replace('_', ""), number.radix()) {
                    Ok(number) => Value::Number(number),
                    Err(_) => Value::Other("a number that is too large"),
                }
            }
            DeValue::Boolean(value) => Value::Boolean(*value),
            DeValue::Array(list) => {
                Value::List(list.iter().map(|node| self.node(node.get_ref(), node.span().start)).collect())
            }
            DeValue::Table(table) => Value::Table(self.table(table, start)),
            DeValue::Float(_) => Value::Other("a fraction"),
            DeValue::Datetime(_) => Value::Other("a date without quotes"),
        };
        Node { line: self.at(start), value: converted }
    }
}

impl Table {
    /// Refuses every name that is not allowed.
    pub fn only(&self, what: &str, allowed: &[&str]) -> Result<(), Mistake> {
        match self.entries.iter().find(|(key, _)| !allowed.contains(&key.as_str())) {
            None => Ok(()),
            Some((key, node)) => {
                let hint = nearest(key, allowed.iter().copied());
                Err(Mistake::new(
                    node.line,
                    format!("`{key}` is not known in {what}: expected {}{hint}", allowed.join(", ")),
                ))
            }
        }
    }

    /// The value of that name.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries.iter().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    /// A text.
    pub fn text(&self, key: &str) -> Result<Option<&str>, Mistake> {
        self.get(key).map(|node| node.text(key)).transpose()
    }

    /// A text that must be there.
    pub fn needed_text(&self, what: &str, key: &str) -> Result<&str, Mistake> {
        self.text(key)?.ok_or_else(|| Mistake::new(self.line, format!("{what}: `{key}` is missing")))
    }

    /// A number that is not negative.
    pub fn number(&self, key: &str) -> Result<Option<u64>, Mistake> {
        self.get(key).map(|node| node.number(key)).transpose()
    }

    /// Yes or no.
    pub fn boolean(&self, key: &str) -> Result<Option<bool>, Mistake> {
        self.get(key).map(|node| node.boolean(key)).transpose()
    }

    /// A table; an empty one if it is not there.
    pub fn table(&self, key: &str) -> Result<Option<&Table>, Mistake> {
        self.get(key).map(|node| node.table(key)).transpose()
    }

    /// A list; an empty one if it is not there.
    pub fn list(&self, key: &str) -> Result<&[Node], Mistake> {
        match self.get(key) {
            None => Ok(&[]),
            Some(Node { value: Value::List(list), .. }) => Ok(list),
            Some(node) => Err(node.expected(key, "a list")),
        }
    }

    /// A list of tables, such as `[[function]]`.
    pub fn tables(&self, key: &str) -> Result<Vec<&Table>, Mistake> {
        self.list(key)?.iter().map(|node| node.table(key)).collect()
    }

    /// A list of texts.
    pub fn texts(&self, key: &str) -> Result<Vec<String>, Mistake> {
        self.list(key)?.iter().map(|node| node.text(key).map(str::to_owned)).collect()
    }

    /// All values below, nested tables as dotted names.
    pub fn flat(&self) -> Vec<(String, &Node)> {
        let mut all = Vec::new();
        for (key, node) in &self.entries {
            match &node.value {
                Value::Table(table) => {
                    all.extend(table.flat().into_iter().map(|(rest, node)| (format!("{key}.{rest}"), node)));
                }
                _ => all.push((key.clone(), node)),
            }
        }
        all
    }

    /// This table with what it lacks taken from another. Tables inside are merged, everything else is replaced.
    pub fn over(&self, below: &Table) -> Table {
        let mut merged = Table { line: self.line, entries: below.entries.clone() };
        for (key, node) in &self.entries {
            match merged.entries.iter_mut().find(|(name, _)| name == key) {
                Some((_, old)) => {
                    let value = match (&node.value, &old.value) {
                        (Value::Table(upper), Value::Table(lower)) => Value::Table(upper.over(lower)),
                        (upper, _) => upper.clone(),
                    };
                    *old = Node { line: node.line, value };
                }
                None => merged.entries.push((key.clone(), node.clone())),
            }
        }
        merged
    }
}

impl Node {
    /// The error that something else was expected here.
    pub fn expected(&self, key: &str, expected: &str) -> Mistake {
        let found = match &self.value {
            Value::Text(text) => format!("\"{text}\""),
            Value::Number(number) => number.to_string(),
            Value::Boolean(value) => value.to_string(),
            other => other.kind().to_owned(),
        };
        Mistake::new(self.line, format!("`{key}` is {found}: expected {expected}"))
    }

    /// A text.
    pub fn text(&self, key: &str) -> Result<&str, Mistake> {
        match &self.value {
            Value::Text(text) => Ok(text),
            _ => Err(self.expected(key, "text in quotes")),
        }
    }

    /// A number from -2^63 to 2^63-1.
    pub fn signed(&self, key: &str) -> Result<i64, Mistake> {
        match &self.value {
            Value::Number(number) => {
                i64::try_from(*number).map_err(|_| self.expected(key, "a number from -2^63 to 2^63-1"))
            }
            _ => Err(self.expected(key, "a number")),
        }
    }

    /// A number from 0 to 2^64-1.
    pub fn number(&self, key: &str) -> Result<u64, Mistake> {
        match &self.value {
            Value::Number(number) => {
                u64::try_from(*number).map_err(|_| self.expected(key, "a number from 0 to 2^64-1"))
            }
            _ => Err(self.expected(key, "a number")),
        }
    }

    /// Yes or no.
    pub fn boolean(&self, key: &str) -> Result<bool, Mistake> {
        match self.value {
            Value::Boolean(value) => Ok(value),
            _ => Err(self.expected(key, "true or false")),
        }
    }

    /// A table.
    pub fn table(&self, key: &str) -> Result<&Table, Mistake> {
        match &self.value {
            Value::Table(table) => Ok(table),
            _ => Err(self.expected(key, "a table")),
        }
    }

    /// One of several words.
    pub fn choice<T: Copy>(&self, key: &str, choices: &[(&str, T)]) -> Result<T, Mistake> {
        let text = self.text(key)?;
        match choices.iter().find(|(word, _)| *word == text) {
            Some((_, value)) => Ok(*value),
            None => {
                let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
                let hint = nearest(text, words.iter().copied());
                Err(self.expected(key, &format!("{}{hint}", words.join(", "))))
            }
        }
    }

    /// A size in bytes: a number, or text with K, M, G or T (powers of 1024).
    pub fn size(&self, key: &str) -> Result<u64, Mistake> {
        let wrong = || self.expected(key, "a size such as 4096, \"64M\" or \"32G\"");
        let Value::Text(text) = &self.value else { return self.number(key).map_err(|_| wrong()) };
        let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (digits, unit) = text.split_at(split);
        let shift = match unit.trim() {
            "" => 0,
            "K" => 10,
            "M" => 20,
            "G" => 30,
            "T" => 40,
            _ => return Err(wrong()),
        };
        let number: u64 = digits.parse().map_err(|_| wrong())?;
        number.checked_mul(1 << shift).ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "base = \"x\"\n\n[[event]]\nat = \"1s\"\nfault = 7\n\n[[event]]\nwrong = true\n";

    #[test]
    fn values_know_their_lines() {
        let table = parse(TEXT).unwrap();
        let events = table.tables("event").unwrap();
        assert_eq!(events[0].get("fault").unwrap().line, 5);
        let mistake = events[0].text("fault").unwrap_err();
        assert_eq!(mistake.in_file("f.toml"), "f.toml:5: `fault` is 7: expected text in quotes");
        let mistake = events[1].only("an event", &["at", "fault"]).unwrap_err();
        assert_eq!(mistake.line, 8);
    }

    #[test]
    fn broken_files_are_told_with_their_line() {
        let mistake = parse("a = 1\nb = = 2\n").unwrap_err();
        assert_eq!(mistake.line, 2, "{mistake}");
        assert!(mistake.message.starts_with("not valid TOML"), "{mistake}");
    }

    #[test]
    fn unknown_names_come_with_the_nearest() {
        let table = parse("fautl = \"x\"\n").unwrap();
        let mistake = table.only("an event", &["at", "fault"]).unwrap_err();
        assert_eq!(mistake.message, "`fautl` is not known in an event: expected at, fault; nearest: fault");
    }

    #[test]
    fn tables_merge_and_flatten() {
        let below = parse("a = 1\n[r]\nx.y = 1\nz = 2\n").unwrap();
        let upper = parse("[r]\nx.y = 5\n").unwrap();
        let merged = upper.over(&below);
        let registers = merged.table("r").unwrap().unwrap().flat();
        let values: Vec<(String, u64)> =
            registers.into_iter().map(|(key, node)| (key, node.number("n").unwrap())).collect();
        assert_eq!(values, [("x.y".to_owned(), 5), ("z".to_owned(), 2)]);
    }
}
