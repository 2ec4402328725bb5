//! What `nvidia-bug-report.sh` collected, as a tree: text of lspci, kernel logs of several boots, files of /proc and
//! /sys, dmidecode, nvidia-smi, all in one text.
//!
//! The layout is that of the script, which NVIDIA publishes with its drivers under the MIT licence. A line of 44
//! underscores stands before each part. A part is a file, `*** /proc/cmdline` with a line `*** ls: …` and the bytes behind it,
//! or `*** PATH does not exist`; or the output of a command whose line stands first, `/usr/sbin/dmidecode`; or `dmesg:`.
//! The part `Scanning kernel log files for NVIDIA kernel messages:` holds lines of the journal that speak of NVIDIA, behind
//! `  journalctl -b -1:`. Hex rows may be anywhere and are read by [`super::hexdump`].
//!
//! It comes from a stranger. It is read once, kept no longer than it is, and no path in it leads anywhere but into the
//! tree that is made of it.

use super::memory::normalize;
use super::{MemoryTree, dmidecode};

/// Every report has it in its first part.
pub const MARK: &[u8] = b"nvidia-bug-report";
/// Most files that are taken: a report has some hundreds.
const FILES: usize = 10_000;
/// Longest path.
const PATH: usize = 4096;
/// Where files are taken from. `/etc` and logs of other programs are left out: no command reads them.
const FOLDERS: [&str; 2] = ["proc/", "sys/"];

/// What was found beside configuration space.
#[derive(Debug, Default)]
pub struct Found {
    /// Files, for people: `3 logs of the kernel`, and so on.
    pub parts: Vec<String>,
    /// What a reader should know, a line each.
    pub notes: Vec<String>,
}

/// One part, without the line of underscores.
struct Part<'a> {
    /// Its first line that is not empty.
    head: &'a [u8],
    /// What stands behind that line.
    body: &'a [u8],
}

/// Adds what a report holds to a tree that has its configuration space already.
pub fn add(mut tree: MemoryTree, text: &[u8]) -> (MemoryTree, Found) {
    let mut reader =
        Reader { tree: std::mem::take(&mut tree), found: Found::default(), files: 0, logs: Vec::new() };
    let mut rest = text;
    while let Some(part) = next_part(&mut rest) {
        reader.part(&part);
    }
    reader.finish()
}

/// The next part: up to the next line of underscores.
fn next_part<'a>(rest: &mut &'a [u8]) -> Option<Part<'a>> {
    if rest.is_empty() {
        return None;
    }
    let mut end = 0;
    let mut next = rest.len();
    for line in rest.split_inclusive(|byte| *byte == b'\n') {
        if is_rule(line) {
            next = end + line.len();
            break;
        }
        end += line.len();
    }
    let whole = &rest[..end];
    *rest = &rest[next..];
    let start = whole.len() - whole.trim_ascii_start().len();
    let line_end = whole[start..].iter().position(|byte| *byte == b'\n').map_or(whole.len(), |at| start + at);
    let body = whole.get(line_end + 1..).unwrap_or_default();
    Some(Part { head: whole[start..line_end].trim_ascii_end(), body })
}

/// 44 underscores; a few more or less are taken too.
fn is_rule(line: &[u8]) -> bool {
    let line = line.trim_ascii_end();
    line.len() >= 20 && line.iter().all(|byte| *byte == b'_')
}

struct Reader {
    tree: MemoryTree,
    found: Found,
    files: usize,
    /// Logs by how many boots ago, as they are found.
    logs: Vec<(u32, Vec<u8>)>,
}

impl Reader {
    fn part(&mut self, part: &Part<'_>) {
        let command = || part.head.split(|byte| *byte == b' ').next().unwrap_or_default();
        let program = || command().rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        if let Some(path) = part.head.strip_prefix(b"*** ") {
            self.file(path, part.body);
        } else if part.head == b"dmesg:" {
            self.logs.push((0, without_blank_lines_around(part.body).to_vec()));
        } else if part.head.starts_with(b"Scanning kernel log files") {
            self.journals(part.body);
        } else if program() == b"dmidecode" {
            self.dmidecode(part.body);
        } else if program() == b"nvidia-smi" {
            // The first of its commands is the query, which goes up to the line of the next.
            let again: Vec<u8> = [b"\n", command(), b" "].concat();
            let end = find(part.body, &again).unwrap_or(part.body.len());
            let text = without_blank_lines_around(&part.body[..end]);
            if !text.is_empty() {
                self.put("capture/tools/nvidia-smi-q.txt", text.to_vec());
                self.found.parts.push("nvidia-smi".to_owned());
            }
        } else if part.head.starts_with(b"Start of NVIDIA bug report") {
            self.head(part.body);
        }
    }

    fn put(&mut self, path: &str, bytes: Vec<u8>) {
        if self.files < FILES {
            self.files += 1;
            self.tree.add_file(path.to_owned(), bytes.into());
        }
    }

    /// Date and kernel.
    fn head(&mut self, body: &[u8]) {
        for line in body.split(|byte| *byte == b'\n') {
            let line = line.trim_ascii();
            if let Some(date) = line.strip_prefix(b"Date: ") {
                let date = super::printable(date[..date.len().min(80)].to_vec());
                self.found.notes.push(format!("the report was made on {date}"));
            }
        }
    }

    /// A file as `report_file` of the script prints it.
    fn file(&mut self, path: &[u8], body: &[u8]) {
        let Ok(path) = str::from_utf8(path) else { return };
        let absent = path.strip_suffix(" does not exist");
        if absent.is_some() || path.ends_with(" is not readable") {
            return;
        }
        let name = normalize(path);
        let usable = path.starts_with('/')
            && path.len() <= PATH
            && !path.contains(|c: char| c.is_control() || c == '*')
            && !path.split('/').any(|part| part == "..")
            && FOLDERS.iter().any(|folder| name.starts_with(folder));
        // Configuration space comes from the hex rows, of which more is known.
        if !usable || name.ends_with("/config") || self.tree.stored(&name).is_some() {
            return;
        }
        let body = match body.strip_prefix(b"*** ls: ") {
            Some(rest) => rest.iter().position(|byte| *byte == b'\n').map_or(&[][..], |end| &rest[end + 1..]),
            None => body,
        };
        // The script adds an empty line.
        let bytes = body.strip_suffix(b"\n").unwrap_or(body);
        self.put(&name, bytes.to_vec());
    }

    /// `  journalctl -b -1:` and the lines that speak of NVIDIA.
    fn journals(&mut self, body: &[u8]) {
        let mut boot = None;
        let mut lines: Vec<u8> = Vec::new();
        let mut all = Vec::new();
        for line in body.split_inclusive(|byte| *byte == b'\n') {
            let head = line.trim_ascii();
            let number = head.strip_prefix(b"journalctl -b -").and_then(|rest| rest.strip_suffix(b":"));
            if let Some(number) = number {
                all.extend(boot.take().map(|boot| (boot, std::mem::take(&mut lines))));
                boot = str::from_utf8(number).ok().and_then(|number| number.parse::<u32>().ok());
            } else if line.starts_with(b"  /") && head.ends_with(b":") {
                all.extend(boot.take().map(|boot| (boot, std::mem::take(&mut lines))));
            } else if boot.is_some() && !head.is_empty() {
                lines.extend(line);
            }
        }
        all.extend(boot.map(|boot| (boot, lines)));
        self.logs.extend(all.into_iter().filter(|(_, lines)| !lines.is_empty()));
    }

    /// Names of the machine and its firmware, as the kernel gives them.
    fn dmidecode(&mut self, body: &[u8]) {
        let attributes = dmidecode::attributes(body);
        if attributes.is_empty() {
            return;
        }
        for (name, value) in attributes {
            self.put(&format!("sys/class/dmi/id/{name}"), format!("{value}\n").into_bytes());
        }
        self.found.parts.push("dmidecode".to_owned());
    }

    fn finish(mut self) -> (MemoryTree, Found) {
        // Of the current boot, dmesg has every line; the journal of it, only those that speak of NVIDIA, is the same again.
        let whole = self.logs.iter().any(|(boot, text)| *boot == 0 && !text.is_empty());
        let mut boots: Vec<u32> = Vec::new();
        // dmesg comes last in the text.
        for (boot, text) in std::mem::take(&mut self.logs).into_iter().rev() {
            if boots.contains(&boot) || text.is_empty() || boot > 9 {
                continue;
            }
            boots.push(boot);
            let path = if boot == 0 { "var/log/dmesg".to_owned() } else { format!("var/log/dmesg.{boot}") };
            self.put(&path, text);
        }
        if !boots.is_empty() {
            let plural = if boots.len() == 1 { "" } else { "s" };
            self.found.parts.push(format!("the kernel log of {} boot{plural}", boots.len()));
        }
        if boots.iter().any(|boot| *boot > 0) {
            let text = "of earlier boots, the report holds only the lines that speak of NVIDIA";
            self.found.notes.push(text.to_owned());
        }
        if !whole && !boots.is_empty() {
            self.found
                .notes
                .push("the report holds no kernel log of the boot in which it was made".to_owned());
        }
        (self.tree, self.found)
    }
}

fn without_blank_lines_around(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|byte| !matches!(byte, b'\n' | b'\r')).unwrap_or(text.len());
    let end = text.len() - text.iter().rev().take_while(|byte| byte.is_ascii_whitespace()).count();
    // The line end of the last line stays.
    text.get(start..(end + 1).min(text.len())).unwrap_or_default()
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, what)
}
