//! What goes wrong when a tree is read.

use nix::errno::Errno;

/// Result of reading a tree.
pub type Result<T> = std::result::Result<T, TreeError>;

/// An error with the path at which it happened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {cause}")]
pub struct TreeError {
    /// Path in the tree.
    pub path: String,
    /// What happened.
    pub cause: Cause,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// The operating system's answer, or the one that a capture recorded.
    #[error("{} ({})", errno_words(*.0), errno_name(*.0))]
    Errno(Errno),
    /// The source does not hold this, which says nothing about the machine.
    #[error("not captured")]
    NotCaptured,
    /// A link that leads out of the tree, or too many of them in a row.
    #[error("leads out of the tree, or through too many links")]
    Escapes,
    /// Something that is neither a regular file nor a folder.
    #[error("is not a regular file")]
    NotRegular,
    /// Longer than what is sensible for it.
    #[error("is longer than {0} bytes, which is more than it can sensibly be")]
    TooLong(usize),
    /// A folder with more names than what is sensible.
    #[error("holds more than {0} names, which is more than it can sensibly hold")]
    TooMany(usize),
    /// Packed with gzip or zstd, and not to be unpacked.
    #[error("cannot be unpacked: the packed data is damaged or cut off")]
    Damaged,
    /// Packed or written in a way that is not read here: what it is, what was expected, and what to do.
    #[error("{0}")]
    Foreign(&'static str),
    /// The read did not return in time; a device that does not answer can keep the kernel waiting.
    #[error("did not return within {0} ms")]
    TimedOut(u32),
}

impl Cause {
    /// The word for it in a manifest: `EIO`, `timeout:2000`, `too-long:65536`, `too-many:65536`, `escapes`,
    /// `not-regular`, `damaged`, `not-captured`.
    pub fn word(self) -> String {
        match self {
            Cause::Errno(errno) => errno_name(errno),
            Cause::NotCaptured => "not-captured".to_owned(),
            Cause::Escapes => "escapes".to_owned(),
            Cause::NotRegular => "not-regular".to_owned(),
            Cause::Damaged => "damaged".to_owned(),
            // Only a log that a person names is told so, which no manifest lists.
            Cause::Foreign(_) => "foreign".to_owned(),
            Cause::TooLong(limit) => format!("too-long:{limit}"),
            Cause::TooMany(limit) => format!("too-many:{limit}"),
            Cause::TimedOut(milliseconds) => format!("timeout:{milliseconds}"),
        }
    }

    /// The cause of that word.
    pub fn of_word(word: &str) -> Option<Self> {
        Some(match word.split_once(':') {
            Some(("too-long", limit)) => Cause::TooLong(limit.parse().ok()?),
            Some(("too-many", limit)) => Cause::TooMany(limit.parse().ok()?),
            Some(("timeout", milliseconds)) => Cause::TimedOut(milliseconds.parse().ok()?),
            Some(_) => return None,
            None => match word {
                "not-captured" => Cause::NotCaptured,
                "escapes" => Cause::Escapes,
                "not-regular" => Cause::NotRegular,
                "damaged" => Cause::Damaged,
                name => Cause::Errno(errno_by_name(name)?),
            },
        })
    }
}

impl TreeError {
    /// An error at `path`.
    pub fn new(path: impl Into<String>, cause: Cause) -> Self {
        TreeError { path: path.into(), cause }
    }

    /// An error at `path` with the operating system's answer.
    pub fn errno(path: impl Into<String>, errno: Errno) -> Self {
        Self::new(path, Cause::Errno(errno))
    }

    /// Whether the source says that there is no such thing (as opposed to not knowing).
    pub fn is_absent(&self) -> bool {
        matches!(self.cause, Cause::Errno(Errno::ENOENT | Errno::ENOTDIR))
    }

    /// The operating system's answer, if that is what it was.
    pub fn os(&self) -> Option<Errno> {
        match self.cause {
            Cause::Errno(errno) => Some(errno),
            _ => None,
        }
    }
}

/// The symbolic name, such as `EINVAL`.
pub fn errno_name(errno: Errno) -> String {
    format!("{errno:?}")
}

fn errno_words(errno: Errno) -> String {
    let words = errno.desc().to_owned();
    words.chars().enumerate().map(|(i, c)| if i == 0 { c.to_ascii_lowercase() } else { c }).collect()
}

/// The error of that name, as captures record it (`EIO`, `EINVAL`, …).
pub fn errno_by_name(name: &str) -> Option<Errno> {
    (1..200).map(Errno::from_raw).find(|e| *e != Errno::UnknownErrno && format!("{e:?}") == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_has_a_word() {
        let errors = [Errno::EIO, Errno::EINVAL, Errno::ENODEV, Errno::ETIMEDOUT].map(Cause::Errno);
        let others = [Cause::NotCaptured, Cause::Escapes, Cause::NotRegular, Cause::Damaged];
        let limits = [Cause::TooLong(65_536), Cause::TooMany(1), Cause::TimedOut(2000)];
        for cause in errors.into_iter().chain(others).chain(limits) {
            assert_eq!(Cause::of_word(&cause.word()), Some(cause));
        }
        assert_eq!(Cause::of_word("rubbish"), None);
        assert_eq!(Cause::of_word("timeout:x"), None);
    }
}
