//! Reading vital product data: slow, so only when it is asked for, and in an order of its own, so that a device that
//! does not hand it out in time loses nothing else.

use crate::pci::capability;
use crate::pci::vpd::{self, LIMIT};
use crate::pci::walk::List;
use crate::tree::{Cause, Tree};

use super::reading::{Reading, answers, locate};

/// Vital product data as far as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VitalProductData {
    /// The bytes up to its end tag, or as far as they could be read.
    pub bytes: Vec<u8>,
    /// Why it could not be read (further).
    pub error: Option<Cause>,
}

/// Bytes that are read at once: few, because nothing is kept of a piece in which the device fails, and because nothing
/// behind the end is wanted.
const PIECE: usize = 64;

/// Reads the file up to the end tag.
pub(super) fn read(folder: &dyn Tree, name: &str) -> VitalProductData {
    let mut data = VitalProductData::default();
    let file = match folder.open(name) {
        Ok(file) => file,
        Err(error) => return VitalProductData { error: Some(error.cause), ..data },
    };
    let mut piece = [0; PIECE];
    while data.bytes.len() < vpd::length(&data.bytes).unwrap_or(LIMIT) {
        match file.read_at(data.bytes.len() as u64, &mut piece) {
            Ok(0) => break,
            Ok(length) => data.bytes.extend(&piece[..length.min(PIECE)]),
            Err(error) => {
                data.error = Some(error.cause);
                break;
            }
        }
    }
    data.bytes.truncate(vpd::length(&data.bytes).unwrap_or(LIMIT));
    data
}

/// Whether the function may be asked: it answers, and has the capability or does not show its list.
pub fn may_have(reading: &Reading) -> bool {
    let id = capability::vpd::SPECIFICATION.id;
    answers(&reading.space)
        && (reading.space.limit() <= 128
            || locate(&mut reading.space.clone()).iter().any(|l| (l.list, l.id) == (List::Standard, id)))
}

#[cfg(test)]
mod tests {
    use nix::errno::Errno;

    use super::super::reading::{Depth, Order, read};
    use super::*;
    use crate::pci::Bdf;
    use crate::tree::{File, MockFile, MockTree, Result as TreeResult, TreeError};

    const ADDRESS: Bdf = Bdf { domain: 0, bus: 0x82, device: 0, function: 0 };
    const ORDER: Order = Order {
        address: ADDRESS,
        depth: Depth::Full,
        bridge_asleep: false,
        wake: false,
        remembered: false,
        vital_product_data: true,
    };

    type Open = fn(&str) -> TreeResult<Box<dyn File>>;

    fn tree(open: Open) -> MockTree {
        let mut tree = MockTree::new();
        tree.expect_enter().returning(move |_| {
            let mut folder = MockTree::new();
            folder.expect_open().returning(open);
            folder.expect_read_link().returning(|path| Err(TreeError::errno(path, Errno::ENOENT)));
            folder.expect_list().returning(|path| Err(TreeError::errno(path, Errno::ENOENT)));
            Ok(Box::new(folder) as Box<dyn Tree>)
        });
        tree
    }

    fn file(read: fn(u64, &mut [u8]) -> TreeResult<usize>) -> TreeResult<Box<dyn File>> {
        let mut file = MockFile::new();
        file.expect_size().return_const(256u64);
        file.expect_read_at().returning(read);
        Ok(Box::new(file))
    }

    fn absent(path: &str) -> TreeResult<Box<dyn File>> {
        Err(TreeError::errno(path, Errno::ENOENT))
    }

    /// A function that answers and has nothing but the capability at 40h.
    fn with_capability(offset: u64, buffer: &mut [u8]) -> TreeResult<usize> {
        let mut space = [0; 256];
        space[..8].copy_from_slice(&[0xde, 0x10, 0x01, 0x22, 0x06, 0x04, 0x10, 0x00]);
        (space[0x34], space[0x40]) = (0x40, 0x03);
        let rest = space.get(offset as usize..).unwrap_or_default();
        let length = buffer.len().min(rest.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }

    /// 200 bytes of name, of which the device hands out the first 128.
    fn sick(offset: u64, buffer: &mut [u8]) -> TreeResult<usize> {
        if offset >= 128 {
            return Err(TreeError::errno("vpd", Errno::ETIMEDOUT));
        }
        buffer.fill(b'x');
        if offset == 0 {
            buffer[..3].copy_from_slice(&[0x82, 200, 0]);
        }
        Ok(buffer.len())
    }

    #[test]
    fn it_is_read_when_asked_for_and_then_alone() {
        let function: Open = |path| match path {
            "config" => file(with_capability),
            "vpd" => unreachable!("nobody asked"),
            path => absent(path),
        };
        let plain = read(&tree(function), Order { vital_product_data: false, ..ORDER });
        assert_eq!(plain.vital_product_data, None);
        assert!(may_have(&plain));
        let function: Open = |path| match path {
            "config" => unreachable!("configuration space was read again"),
            "vpd" => file(sick),
            path => absent(path),
        };
        let data = read(&tree(function), ORDER).vital_product_data.unwrap();
        assert_eq!((data.bytes.len(), data.error), (128, Some(Cause::Errno(Errno::ETIMEDOUT))));
        let data = read(&tree(absent), ORDER).vital_product_data.unwrap();
        assert_eq!((data.bytes.len(), data.error), (0, Some(Cause::Errno(Errno::ENOENT))));
    }

    #[test]
    fn sleeping_and_dead_functions_are_not_asked() {
        let asleep: Open = |path| match path {
            "power_state" => file(|offset, buffer| {
                let length = if offset == 0 { 6 } else { 0 };
                buffer[..length].copy_from_slice(&b"D3cold"[..length]);
                Ok(length)
            }),
            "vpd" | "config" => unreachable!("a sleeping function was read"),
            path => absent(path),
        };
        assert_eq!(read(&tree(asleep), ORDER).vital_product_data, None);
        let ones: Open = |path| match path {
            "config" => file(|_, buffer| {
                buffer.fill(0xff);
                Ok(buffer.len())
            }),
            path => absent(path),
        };
        assert!(!may_have(&read(&tree(ones), Order { vital_product_data: false, ..ORDER })));
    }

    #[test]
    fn nothing_is_read_behind_the_end_tag() {
        let endless: Open = |path| match path {
            "vpd" => file(|offset, buffer| {
                assert_eq!(offset, 0, "read on");
                buffer.fill(0x78);
                Ok(buffer.len())
            }),
            path => absent(path),
        };
        let data = read(&tree(endless), ORDER).vital_product_data.unwrap();
        assert_eq!((data.bytes, data.error), (vec![0x78], None));
    }
}
