//! The key that pseudonyms are made with: 32 random bytes in a file of the user's.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::evidence::hexadecimal;

/// Bytes of a key; as many as SHA-256 gives (RFC 2104, 3: no less is advised).
const SIZE: usize = 32;

/// A key.
#[derive(Clone)]
pub struct Key([u8; SIZE]);

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The operating system's answer.
    #[error(
        "{path}: {error}; the key for pseudonyms is kept there: give another file with --redact-key, or --no-redact"
    )]
    Io {
        /// Path of the key.
        path: String,
        /// The answer, in lower case.
        error: String,
    },
    /// Something else is in the file.
    #[error(
        "{path}: expected a key of 64 hexadecimal digits; give the name of a new file with --redact-key to make one"
    )]
    Shape {
        /// Path of the key.
        path: String,
    },
}

impl Key {
    /// A key of these bytes.
    pub fn new(bytes: [u8; SIZE]) -> Self {
        Key(bytes)
    }

    /// A key that nobody keeps.
    pub fn random() -> io::Result<Self> {
        let mut bytes = [0; SIZE];
        File::open("/dev/urandom")?.read_exact(&mut bytes)?;
        Ok(Key(bytes))
    }

    /// The key in a file, which is made if it is not there; only its owner can read it then.
    pub fn of_file(path: &Path) -> Result<Self, KeyError> {
        let failed =
            |error: io::Error| KeyError::Io { path: path.display().to_string(), error: words(&error) };
        match read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => make(path).map_err(failed),
            Err(error) => Err(failed(error)),
            Ok(text) => parse(&text).ok_or_else(|| KeyError::Shape { path: path.display().to_string() }),
        }
    }

    /// Bytes that only the owner of the key can make from a value. `label` keeps kinds of values apart.
    pub fn stream(&self, label: &str, value: &[u8], length: usize) -> Vec<u8> {
        let mut stream = Vec::with_capacity(length.next_multiple_of(SIZE));
        let mut block = 0u32;
        while stream.len() < length {
            // HMAC takes keys of every length.
            let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { break };
            mac.update(label.as_bytes());
            mac.update(&[0]);
            mac.update(&block.to_le_bytes());
            mac.update(value);
            stream.extend(mac.finalize().into_bytes());
            block += 1;
        }
        stream.truncate(length);
        stream
    }
}

fn words(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(number) => crate::tree::Cause::Errno(nix::errno::Errno::from_raw(number)).to_string(),
        None => error.to_string(),
    }
}

/// More than a key is not read: it is none.
fn read(path: &Path) -> io::Result<String> {
    let mut text = Vec::new();
    File::open(path)?.take(4 * SIZE as u64).read_to_end(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn parse(text: &str) -> Option<Key> {
    let text = text.trim_end();
    if text.len() != 2 * SIZE || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; SIZE];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(Key(bytes))
}

fn make(path: &Path) -> io::Result<Key> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let key = Key::random()?;
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    match opened {
        Ok(mut file) => {
            file.write_all(format!("{}\n", hexadecimal(&key.0)).as_bytes())?;
            Ok(key)
        }
        // Another one was faster: its key counts.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            parse(&read(path)?).ok_or_else(|| io::ErrorKind::InvalidData.into())
        }
        Err(error) => Err(error),
    }
}

/// Where the user's key is kept (XDG Base Directory Specification, `XDG_CONFIG_HOME`); `None` without a home.
pub fn default_path() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let config = folder("XDG_CONFIG_HOME").or_else(|| Some(folder("HOME")?.join(".config")))?;
    Some(config.join("pciscope/redaction.key"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_kept_for_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/folder/key");
        let first = Key::of_file(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let second = Key::of_file(&path).unwrap();
        assert_eq!(first.0, second.0);
        assert_ne!(first.0, [0; SIZE]);
    }

    #[test]
    fn what_is_no_key_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        for text in ["", "abc", &"x".repeat(64), &"0".repeat(63), &"ä".repeat(32)] {
            fs::write(&path, text).unwrap();
            let error = Key::of_file(&path).err().unwrap().to_string();
            assert!(error.contains("expected a key of 64 hexadecimal digits"), "{text}: {error}");
        }
        assert!(Key::of_file(folder.path()).err().unwrap().to_string().contains("EISDIR"));
    }

    #[test]
    fn the_stream_is_hmac_sha256() {
        // printf 'l\0\0\0\0\0v' | openssl dgst -sha256 -mac HMAC -macopt hexkey:0b…0b
        let key = Key::new([0x0b; SIZE]);
        let stream = key.stream("l", b"v", 40);
        assert_eq!(stream.len(), 40);
        assert_eq!(stream[..8], [0xc8, 0xee, 0xcc, 0xa4, 0x1b, 0x93, 0xb7, 0x62]);
        assert_ne!(key.stream("m", b"v", 32), stream[..32]);
    }
}
