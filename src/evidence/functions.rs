//! What was read of a function, as files.

use crate::machine::attributes::{self, Kind};
use crate::machine::reading::Reading;
use crate::tree::{Cause, Pieces};

use super::recording::{Kept, Recording};

/// Keeps a function's reading; `folder` is the path of its folder without links.
pub fn keep(recording: &mut Recording, folder: &str, reading: &Reading) {
    for (index, answer) in &reading.answers {
        let Some(attribute) = attributes::ALL.get(usize::from(*index)) else { continue };
        let path = format!("{folder}/{}", attribute.name);
        match (answer, attribute.kind) {
            (Err(cause), _) => recording.keep(&path, Kept::Failed(*cause)),
            (Ok(text), Kind::Text | Kind::Bytes) => {
                recording.keep(&path, Kept::File { bytes: line(text), size: None });
            }
            (Ok(target), Kind::Link) => recording.keep(&path, Kept::Link(target.clone())),
            (Ok(names), Kind::Folder) => {
                let names: Vec<String> = names.lines().map(str::to_owned).collect();
                recording.keep_names(&path, &names);
            }
        }
    }
    if let Some(config) = config(reading) {
        recording.keep(&format!("{folder}/config"), config);
    }
    if let Some(data) = &reading.vital_product_data {
        let kept = match data.error {
            Some(cause) if data.bytes.is_empty() => Kept::Failed(cause),
            Some(cause) => Kept::Pieces {
                pieces: Pieces {
                    runs: vec![(0, data.bytes.clone())],
                    ended: Some((data.bytes.len() as u64, cause)),
                },
                size: None,
            },
            None => Kept::File { bytes: data.bytes.clone(), size: None },
        };
        recording.keep(&format!("{folder}/vpd"), kept);
    }
}

/// Attributes are kept without the white space around them; the line end is given back.
fn line(text: &str) -> Vec<u8> {
    if text.is_empty() { Vec::new() } else { format!("{text}\n").into_bytes() }
}

/// Configuration space: a file if everything up to its end was read, otherwise its pieces, so that what was not read is
/// not taken for zeros, nor for the end. Nothing of a function that was not read at all.
fn config(reading: &Reading) -> Option<Kept> {
    let size = reading.config_size;
    let runs: Vec<(u64, Vec<u8>)> =
        reading.space.pieces().map(|(offset, bytes)| (u64::from(offset), bytes.to_vec())).collect();
    let ended = reading.config_error.map(|(offset, cause)| (u64::from(offset), cause));
    match (runs.as_slice(), ended) {
        ([], Some((_, cause))) => Some(Kept::Failed(cause)),
        ([], None) => size
            .filter(|size| *size == 0 || reading.config_reads > 0)
            .map(|_| Kept::File { bytes: Vec::new(), size }),
        ([(0, run)], None) if run.len() == usize::from(reading.space.limit()) => {
            Some(Kept::File { bytes: run.clone(), size })
        }
        _ => Some(Kept::Pieces {
            pieces: Pieces { runs, ended: ended.filter(|(_, cause)| *cause != Cause::NotCaptured) },
            size,
        }),
    }
}

#[cfg(test)]
mod tests {
    use nix::errno::Errno;

    use super::*;
    use crate::machine::reading::{DEVICES, Depth, Order, read};
    use crate::machine::vital_product_data::VitalProductData;
    use crate::pci::{Bdf, ConfigSpace};
    use crate::tree::archive::unpack;

    const ADDRESS: Bdf = Bdf { domain: 0, bus: 0x82, device: 0, function: 0 };

    /// What reading the capture of a function gives.
    fn replay(reading: &Reading, vital_product_data: bool) -> Reading {
        let mut recording = Recording::default();
        keep(&mut recording, &format!("{DEVICES}/{ADDRESS}"), reading);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("capture");
        let about = super::super::about::About {
            tool: String::new(),
            time: String::new(),
            source: String::new(),
            kernel: None,
            functions: 1,
            complete: true,
            unread: Vec::new(),
            redaction: None,
            pseudonyms: None,
            notes: Vec::new(),
        };
        super::super::store(&recording, &about, 0, super::super::Form::Archive, &path, None).unwrap();
        let tree = unpack(std::fs::File::open(&path).unwrap()).tree;
        let order = Order {
            address: ADDRESS,
            depth: Depth::Full,
            bridge_asleep: false,
            wake: false,
            remembered: false,
            vital_product_data,
        };
        read(&tree, order)
    }

    fn failed(cause: Cause) -> Reading {
        Reading::failed(ADDRESS, cause)
    }

    #[test]
    fn a_device_that_fails_in_the_middle_fails_there_again() {
        let mut reading = failed(Cause::Errno(Errno::EIO));
        reading.space = ConfigSpace::new(4096);
        let header = [0xde, 0x10, 1, 0x22, 0, 0, 0x10, 0, 0, 0, 0, 3, 0, 0, 0, 0];
        reading.space.store(0, &header);
        reading.space.store(0x40, &[7; 8]);
        reading.config_size = Some(4096);
        reading.config_error = Some((0x48, Cause::Errno(Errno::EIO)));
        let again = replay(&reading, false);
        assert_eq!(again.space, reading.space);
        assert_eq!((again.config_size, again.config_error), (reading.config_size, reading.config_error));
    }

    #[test]
    fn why_nothing_was_read_is_kept() {
        for cause in [Cause::TimedOut(2000), Cause::Errno(Errno::EINTR), Cause::Errno(Errno::EACCES)] {
            assert_eq!(replay(&failed(cause), false).config_error, Some((0, cause)));
        }
        let mut sleeping = failed(Cause::NotCaptured);
        sleeping.config_error = None;
        assert_eq!(replay(&sleeping, false).config_error, Some((0, Cause::NotCaptured)));
    }

    #[test]
    fn four_doublewords_of_a_dead_function_are_four_again() {
        let mut dead = failed(Cause::NotCaptured);
        dead.config_error = None;
        dead.space = ConfigSpace::new(4096);
        dead.space.store(0, &[0xff; 16]);
        (dead.config_size, dead.config_reads) = (Some(4096), 1);
        let again = replay(&dead, false);
        assert_eq!((again.space, again.config_error), (dead.space, None));
    }

    #[test]
    fn attributes_and_vital_product_data_keep_their_errors() {
        let mut reading = failed(Cause::NotCaptured);
        let place = |name| attributes::index(name).unwrap();
        reading.answers = vec![
            (place("current_link_speed"), Err(Cause::Errno(Errno::EINVAL))),
            (place("uevent"), Ok("DRIVER=nvme\nPCI_ID=144D:A80A".to_owned())),
            (place("driver"), Ok("../../../bus/pci/drivers/nvme".to_owned())),
            (place("msi_irqs"), Ok("33\n34".to_owned())),
            (place("link"), Ok(String::new())),
            (place("physfn"), Err(Cause::Errno(Errno::ENOENT))),
        ];
        let error = Some(Cause::Errno(Errno::ETIMEDOUT));
        let bytes = vec![0x82, 200, 0, b'x'];
        reading.vital_product_data = Some(VitalProductData { bytes, error });
        let again = replay(&reading, false);
        for (index, answer) in &reading.answers {
            let name = attributes::ALL[usize::from(*index)].name;
            if name != "driver" {
                assert_eq!(again.answer(name), Some(answer), "{name}");
            }
        }
        assert_eq!(again.answer("enable"), Some(&Err(Cause::NotCaptured)), "it was not asked for");
        assert_eq!(replay(&reading, true).vital_product_data, reading.vital_product_data);
    }
}
