//! The floor: a program that only opens and reads the same files, and makes nothing of what is in them.
//!
//! Files are opened from one handle a function, on two threads, with as few system calls as can be: no `fstat`, no
//! second read that finds the end.

use std::fs;
use std::io;
use std::path::Path;

use nix::dir::Dir;
use nix::fcntl::{OFlag, openat, readlinkat};
use nix::sys::stat::Mode;
use nix::sys::uio::pread;
use pciscope::machine::attributes::{self, Kind, When};

/// What is read of a function.
pub struct Set {
    /// Attributes that are read at these times.
    pub when: &'static [When],
    /// Bytes of `config`, in one read.
    pub config: usize,
}

/// Only configuration space: what any such program must do.
pub const CONFIG: Set = Set { when: &[], config: 64 };

/// What `list` reads.
pub const LIST: Set = Set { when: &[When::Presence, When::Always], config: 128 };

/// What `show` reads.
pub const SHOW: Set =
    Set { when: &[When::Presence, When::Always, When::Detail, When::DetailOfErrors], config: 1024 };

/// Reads the set of every function below `devices`; gives how many bytes that were.
pub fn read(devices: &Path, set: &Set) -> io::Result<usize> {
    let names: Vec<_> =
        fs::read_dir(devices)?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<_>>()?;
    let folder = fs::File::open(devices)?;
    let work = |names: &[std::ffi::OsString]| -> io::Result<usize> {
        let mut buffer = vec![0; 4096];
        let mut total = 0;
        for name in names {
            let function =
                openat(&folder, name.as_os_str(), OFlag::O_PATH | OFlag::O_DIRECTORY, Mode::empty())?;
            let config = openat(&function, "config", OFlag::O_RDONLY, Mode::empty())?;
            total += pread(&config, &mut buffer[..set.config], 0)?;
            for attribute in attributes::ALL.iter().filter(|a| set.when.contains(&a.when)) {
                total += match attribute.kind {
                    Kind::Text | Kind::Bytes => {
                        match openat(&function, attribute.name, OFlag::O_RDONLY, Mode::empty()) {
                            Ok(file) => pread(&file, &mut buffer, 0)?,
                            Err(_) => 0,
                        }
                    }
                    Kind::Link => readlinkat(&function, attribute.name).map_or(0, |target| target.len()),
                    Kind::Folder => {
                        let folder = Dir::openat(&function, attribute.name, OFlag::O_RDONLY, Mode::empty());
                        folder.map_or(0, |folder| folder.into_iter().count())
                    }
                };
            }
        }
        Ok(total)
    };
    let (first, second) = names.split_at(names.len() / 2);
    std::thread::scope(|scope| {
        let other = scope.spawn(|| work(second));
        let here = work(first)?;
        let there =
            other.join().map_err(|_| io::Error::other("a thread of the floor program panicked"))??;
        Ok(here + there)
    })
}
