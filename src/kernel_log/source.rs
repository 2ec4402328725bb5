//! Where the log is: the live machine, a tree, a file that a person names.

use std::fs::File as OsFile;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::{Mode, SFlag, fstat};

use super::catalogue::may_matter;
use super::collect::{Collector, Log};
use super::packed;
use super::platform;
use super::reader::{self, Wanted};
use super::record::{Reading, Record};
use crate::tree::{Cause, File, Result, Tree, TreeError, printable};

/// Most bytes that are read of a log, unpacked: 64 GiB. Reading needs little memory; this is against packed files that
/// never end.
const LIMIT: u64 = 64 << 30;
/// /dev/kmsg gives one record a read and refuses with EINVAL if it does not fit (kernel: PRINTK_MESSAGE_MAX, 2048,
/// plus the dictionary; Documentation/ABI/testing/dev-kmsg).
const RECORD: usize = 16 << 10;
/// Most earlier boots that are looked for beside a tree's log.
const EARLIER: i32 = 9;

/// Which log is meant.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// The machine or a copy of it.
    pub tree: &'a dyn Tree,
    /// Whether it is the machine that this program runs on.
    pub live: bool,
    /// A file that takes the place of the machine's log; `-` is standard input.
    pub file: Option<&'a str>,
}

/// Reads all events of the log.
pub fn read_events(source: Source<'_>) -> Result<Log> {
    let mut collector = Collector::default();
    let reading = read(source, true, &may_matter, &mut |record| collector.take(record))?;
    Ok(log(collector, reading))
}

/// Reads all events of a stream.
pub fn events_of(stream: &mut dyn Read) -> io::Result<Log> {
    let mut collector = Collector::default();
    let reading = reader::read(stream, "", None, &may_matter, &mut |record| collector.take(record))?;
    Ok(log(collector, reading))
}

fn log(collector: Collector, reading: Reading) -> Log {
    let (events, notes) = collector.finish();
    let Reading { boots, lines, kernel_lines, bytes, recognized, missing_before, notes: mut all } = reading;
    all.extend(notes);
    // Lines without a time stamp of which some are known are those of a kernel that writes none (printk.time=0).
    let recognized = recognized || events.iter().any(|event| !event.is_from_words_alone());
    Log { events, boots, lines, kernel_lines, bytes, recognized, missing_before, notes: all }
}

/// What the log of the current boot says of the platform.
pub fn read_platform(source: Source<'_>) -> Result<platform::Found> {
    let mut found = platform::Found::default();
    let mut boot = 0;
    // Where a boot begins matters too.
    let wanted = |line: &[u8]| {
        platform::may_matter(line) || memchr::memmem::find(line, reader::BANNER.as_bytes()).is_some()
    };
    read(source, false, &wanted, &mut |record| {
        // Of a file with several boots, the last one counts.
        if record.boot != boot {
            boot = record.boot;
            found = platform::Found::default();
        }
        found.take(record);
    })?;
    Ok(found)
}

/// Both in one pass over the log of the current boot: a log may be standard input, which can be read only once.
pub fn read_both(source: Source<'_>) -> Result<(Log, platform::Found)> {
    let mut collector = Collector::default();
    let mut found = platform::Found::default();
    let mut boot = 0;
    let wanted = |line: &[u8]| may_matter(line) || platform::may_matter(line);
    let reading = read(source, false, &wanted, &mut |record| {
        if record.boot != boot {
            boot = record.boot;
            found = platform::Found::default();
        }
        found.take(record);
        collector.take(record);
    })?;
    Ok((log(collector, reading), found))
}

/// Reads the wanted records. `earlier`: those of earlier boots too, the oldest first.
fn read(
    source: Source<'_>,
    earlier: bool,
    wanted: Wanted<'_>,
    take: &mut dyn FnMut(&Record<'_>),
) -> Result<Reading> {
    match source {
        Source { file: Some("-"), .. } => {
            let name = "standard input";
            unpack(&mut io::stdin().lock(), wanted, take).map_err(|e| failed(name, &e))
        }
        Source { file: Some(path), .. } => read_file(path, wanted, take),
        Source { live: true, .. } => read_live(wanted, take),
        Source { tree, .. } => read_tree(tree, earlier, wanted, take),
    }
}

fn failed(path: &str, error: &io::Error) -> TreeError {
    if let Some(foreign) = packed::told(error) {
        return TreeError::new(path, Cause::Foreign(foreign));
    }
    match error.raw_os_error() {
        Some(errno) => TreeError::errno(path, Errno::from_raw(errno)),
        None => TreeError::new(path, Cause::Damaged),
    }
}

/// Whether a file can be read as a log, as far as its beginning tells.
pub fn check_file(path: &str) -> Result<()> {
    let mut file = OsFile::from(open_file(path)?);
    // What is read of a pipe is gone.
    if !file.metadata().map_err(|e| failed(path, &e))?.is_file() {
        return Ok(());
    }
    let mut start = Vec::new();
    let looked = file.by_ref().take(packed::START as u64).read_to_end(&mut start);
    looked.and_then(|_| packed::check(&start)).map_err(|e| failed(path, &e))
}

fn read_file(path: &str, wanted: Wanted<'_>, take: &mut dyn FnMut(&Record<'_>)) -> Result<Reading> {
    unpack(&mut OsFile::from(open_file(path)?), wanted, take).map_err(|e| failed(path, &e))
}

fn open_file(path: &str) -> Result<OwnedFd> {
    let named = |errno| TreeError::errno(printable(path.as_bytes().to_vec()), errno);
    let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC | OFlag::O_NOCTTY;
    let opened = nix::fcntl::open(path, flags, Mode::empty()).map_err(named)?;
    if SFlag::from_bits_truncate(fstat(&opened).map_err(named)?.st_mode) & SFlag::S_IFMT == SFlag::S_IFDIR {
        return Err(named(Errno::EISDIR));
    }
    Ok(opened)
}

/// Reads a stream, which may be packed with gzip or zstd.
fn unpack(
    stream: &mut dyn Read,
    wanted: Wanted<'_>,
    take: &mut dyn FnMut(&Record<'_>),
) -> io::Result<Reading> {
    let mut start = [0; packed::START];
    let mut length = 0;
    while length < start.len() {
        match stream.read(&mut start[length..]) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let whole = io::Cursor::new(start[..length].to_vec()).chain(stream);
    let mut unpacked = packed::unpack(&start[..length], whole)?.take(LIMIT);
    let mut reading = reader::read(&mut unpacked, "", None, wanted, take)?;
    if reading.bytes == LIMIT {
        reading.notes.push(format!("only the first {LIMIT} bytes were read"));
    }
    Ok(reading)
}

/// The log of this machine as the kernel gives it, record after record, as `var/log/kmsg` of a tree holds it.
pub fn read_live_bytes() -> Result<Vec<u8>> {
    let mut log = Vec::new();
    open_live()?.read_to_end(&mut log).map_err(|e| failed("/dev/kmsg", &e))?;
    Ok(log)
}

fn open_live() -> Result<Kmsg<OwnedFd>> {
    let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    let log = nix::fcntl::open("/dev/kmsg", flags, Mode::empty())
        .map_err(|errno| TreeError::errno("/dev/kmsg", errno))?;
    Ok(Kmsg { log, record: Vec::new(), at: 0 })
}

fn read_live(wanted: Wanted<'_>, take: &mut dyn FnMut(&Record<'_>)) -> Result<Reading> {
    let mut kmsg = open_live()?;
    reader::read(&mut kmsg, "/dev/kmsg", Some(0), wanted, take).map_err(|e| failed("/dev/kmsg", &e))
}

/// /dev/kmsg as a stream that ends where the log ends now.
struct Kmsg<F: AsFd> {
    log: F,
    record: Vec<u8>,
    /// How much of the record was given.
    at: usize,
}

impl<F: AsFd> Read for Kmsg<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.record.len() {
            self.record.resize(RECORD, 0);
            self.at = 0;
            let length = match nix::unistd::read(self.log.as_fd(), &mut self.record) {
                Ok(length) => length,
                Err(Errno::EAGAIN) => 0,
                // EPIPE: records were overwritten before they were read; the next read goes on behind them. EINVAL: one
                // record was longer than the buffer and is skipped by the kernel as well.
                Err(Errno::EPIPE | Errno::EINTR | Errno::EINVAL) => {
                    self.record.clear();
                    continue;
                }
                Err(errno) => return Err(io::Error::from_raw_os_error(errno as i32)),
            };
            self.record.truncate(length);
            if length == 0 {
                return Ok(0);
            }
        }
        let length = buffer.len().min(self.record.len() - self.at);
        buffer[..length].copy_from_slice(&self.record[self.at..self.at + length]);
        self.at += length;
        Ok(length)
    }
}

/// A file of a tree as a stream.
struct Stream {
    file: Box<dyn File>,
    at: u64,
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read_at(self.at, buffer).map_err(|error| match error.cause {
            Cause::Errno(errno) => io::Error::from_raw_os_error(errno as i32),
            other => io::Error::other(other.to_string()),
        })?;
        self.at += length as u64;
        Ok(length)
    }
}

fn read_tree(
    tree: &dyn Tree,
    earlier: bool,
    wanted: Wanted<'_>,
    take: &mut dyn FnMut(&Record<'_>),
) -> Result<Reading> {
    let open = |path: &str| Ok((path.to_owned(), tree.open(path)?));
    let now = open("var/log/kmsg").or_else(|_: TreeError| open("var/log/dmesg"));
    let mut parts = Vec::new();
    if earlier {
        for number in (1..=EARLIER).rev() {
            let names = [format!("var/log/kmsg.{number}"), format!("var/log/dmesg.{number}")];
            if let Some(file) = names.iter().find_map(|name| open(name).ok()) {
                parts.push((file, Some(-number)));
            }
        }
    }
    match now {
        Ok(now) => parts.push((now, Some(0))),
        // Earlier boots alone are better than nothing.
        Err(error) if parts.is_empty() => return Err(error),
        Err(_) => {}
    }
    let mut whole = Reading::default();
    for ((path, file), relative) in parts {
        let before = whole.boots.len();
        let mut stream = Stream { file, at: 0 }.take(LIMIT);
        let mut shifted =
            |record: &Record<'_>| take(&Record { boot: record.boot + before, ..record.clone() });
        let part = reader::read(&mut stream, &path, relative, wanted, &mut shifted)
            .map_err(|e| failed(&path, &e))?;
        whole.boots.extend(part.boots);
        whole.lines += part.lines;
        whole.kernel_lines += part.kernel_lines;
        whole.bytes += part.bytes;
        whole.recognized |= part.recognized;
        // Of the boot that is read last, which is the present one.
        whole.missing_before = part.missing_before;
        whole.notes.extend(part.notes);
    }
    Ok(whole)
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
