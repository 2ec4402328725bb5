use nix::errno::Errno;

use super::*;
use crate::machine::attributes::index;
use crate::tree::{File, MockFile, MockTree, Result as TreeResult};

const ADDRESS: Bdf = Bdf { domain: 0, bus: 0x82, device: 0, function: 0 };

fn order(depth: Depth) -> Order {
    Order {
        address: ADDRESS,
        depth,
        bridge_asleep: false,
        wake: false,
        remembered: false,
        vital_product_data: false,
    }
}

fn errno(path: &str, errno: Errno) -> TreeError {
    TreeError::errno(path, errno)
}

/// A file that holds a text.
fn text(content: &'static str) -> Box<dyn File> {
    let mut file = MockFile::new();
    file.expect_size().return_const(4096u64);
    file.expect_read_at().returning(|offset, buffer| {
        let rest = content.as_bytes().get(offset as usize..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    });
    Box::new(file)
}

type ReadAt = fn(u64, &mut [u8]) -> TreeResult<usize>;

/// A tree with one function: `config` reads through `read`, attributes answer through `attribute`.
fn tree(read: ReadAt, attribute: fn(&str) -> TreeResult<Box<dyn File>>) -> MockTree {
    let mut tree = MockTree::new();
    tree.expect_enter().returning(move |_| {
        let mut folder = MockTree::new();
        folder.expect_open().returning(move |path| {
            if path != "config" {
                return attribute(path);
            }
            let mut file = MockFile::new();
            file.expect_size().return_const(4096u64);
            file.expect_read_at().returning(read);
            Ok(Box::new(file) as Box<dyn File>)
        });
        folder.expect_read_link().returning(|path| Err(errno(path, Errno::ENOENT)));
        folder.expect_list().returning(|path| Err(errno(path, Errno::ENOENT)));
        Ok(Box::new(folder) as Box<dyn Tree>)
    });
    tree
}

fn absent(path: &str) -> TreeResult<Box<dyn File>> {
    Err(errno(path, Errno::ENOENT))
}

#[test]
fn a_dead_function_costs_four_doublewords() {
    let dead: ReadAt = |offset, buffer| {
        assert!(offset + buffer.len() as u64 <= 16, "read beyond the probe");
        buffer.fill(0xff);
        Ok(buffer.len())
    };
    for depth in [Depth::Summary, Depth::Full, Depth::Bytes] {
        let reading = read(&tree(dead, absent), order(depth));
        assert_eq!((reading.space.known_bytes(), reading.config_reads), (16, 1));
    }
}

#[test]
fn einval_from_the_link_attributes_marks_a_disconnected_function() {
    let dead: ReadAt = |_, buffer| {
        buffer.fill(0xff);
        Ok(buffer.len())
    };
    let reading = read(
        &tree(dead, |path| match path {
            "current_link_speed" | "current_link_width" => Err(errno(path, Errno::EINVAL)),
            "max_link_width" => Ok(text("255\n")),
            "vendor" => Ok(text("0x10de\n")),
            _ => absent(path),
        }),
        order(Depth::Summary),
    );
    assert_eq!(super::super::presence::judge(&reading).state, super::super::State::Disconnected);
    assert_eq!(reading.text("vendor"), Some("0x10de"), "the kernel's copies outlive the device");
}

#[test]
fn a_function_that_goes_away_while_it_is_read_keeps_what_was_read() {
    let going: ReadAt = |offset, buffer| {
        if offset >= 0x44 {
            return Err(errno("config", Errno::ENODEV));
        }
        buffer.fill(0);
        let header: [u8; 8] = [0xde, 0x10, 0x85, 0x2b, 6, 0, 0x10, 0];
        for (place, byte) in buffer.iter_mut().enumerate() {
            let at = offset as usize + place;
            // The capability list begins with Power Management, whose registers are at 44h.
            let other = [(0x34, 0x40), (0x40, 0x01)]
                .iter()
                .find(|(place, _)| *place == at)
                .map_or(0, |(_, byte)| *byte);
            *byte = header.get(at).copied().unwrap_or(other);
        }
        Ok(buffer.len())
    };
    let reading = read(&tree(going, absent), order(Depth::Full));
    assert_eq!(reading.space.u32(0), Some(0x2b85_10de));
    assert_eq!(reading.config_error, Some((0x44, Cause::Errno(Errno::ENODEV))));
    assert_eq!((reading.space.u8(0x40), reading.space.u8(0x44)), (Some(1), None));
}

#[test]
fn what_is_not_permitted_is_unknown() {
    let denied: ReadAt = |_, _| Err(errno("config", Errno::EACCES));
    let reading = read(&tree(denied, absent), order(Depth::Full));
    let presence = super::super::presence::judge(&reading);
    assert_eq!(presence.state, super::super::State::Unknown);
    assert!(presence.reason.contains("EACCES"), "{}", presence.reason);
}

#[test]
fn short_reads_end_the_space_where_they_end() {
    let short: ReadAt = |offset, buffer| {
        let end = 64u64.saturating_sub(offset).min(buffer.len() as u64) as usize;
        buffer[..end].fill(0x10);
        Ok(end)
    };
    let reading = read(&tree(short, absent), order(Depth::Full));
    assert_eq!((reading.space.limit(), reading.config_size, reading.config_error), (64, Some(4096), None));
}

#[test]
fn a_sleeping_function_is_not_touched() {
    let touched: ReadAt = |_, _| unreachable!("configuration space of a sleeping function was read");
    let asleep = |path: &str| match path {
        "power_state" => Ok(text("D3cold\n")),
        "current_link_speed" | "current_link_width" | "max_link_width" => {
            unreachable!("{path} wakes the function")
        }
        _ => absent(path),
    };
    let reading = read(&tree(touched, asleep), order(Depth::Bytes));
    assert_eq!(reading.asleep, Some(Asleep::PowerState));
    let old_kernel = |path: &str| match path {
        "power/runtime_status" => Ok(text("suspended\n")),
        "d3cold_allowed" => Ok(text("1\n")),
        _ => absent(path),
    };
    assert_eq!(read(&tree(touched, old_kernel), order(Depth::Full)).asleep, Some(Asleep::RuntimeSuspended));
    let below = Order { bridge_asleep: true, ..order(Depth::Full) };
    assert_eq!(read(&tree(touched, absent), below).asleep, Some(Asleep::BridgeAbove));
}

/// What a real kernel shows of an NVMe that was taken away under load: it could not wake the device, and says D3cold.
#[test]
fn a_device_that_is_gone_does_not_sleep() {
    let dead: ReadAt = |_, buffer| {
        buffer.fill(0xff);
        Ok(buffer.len())
    };
    let gone = |path: &str| match path {
        "power_state" => Ok(text("D3cold\n")),
        "power/runtime_status" => Ok(text("active\n")),
        "current_link_speed" => Ok(text("Unknown\n")),
        "current_link_width" | "max_link_speed" | "max_link_width" => {
            unreachable!("{path} reads the dead device")
        }
        _ => absent(path),
    };
    let reading = read(&tree(dead, gone), order(Depth::Full));
    assert_eq!(super::super::presence::judge(&reading).state, super::super::State::AllOnes);
}

#[test]
fn every_attribute_is_in_the_table_once() {
    for attribute in attributes::ALL {
        assert_eq!(
            attributes::ALL.iter().filter(|a| a.name == attribute.name).count(),
            1,
            "{}",
            attribute.name
        );
        assert!(index(attribute.name).is_some());
        let top = attribute.name.split('/').next().unwrap();
        let forbidden = ["nvme", "net", "hwmon", "rom"].contains(&top);
        assert!(!forbidden, "{} commands or blocks the device", attribute.name);
        // Slow, and never read unless it is asked for.
        assert_eq!(top == "vpd", attribute.when == When::VitalProductData);
    }
}

#[test]
fn a_copy_is_read_in_blocks_and_each_once() {
    let file: Vec<u8> = (0..600u32).map(|byte| byte as u8).collect();
    let asked = std::cell::RefCell::new(Vec::new());
    let read = |offset: u16, buffer: &mut [u8]| {
        asked.borrow_mut().push((offset, buffer.len()));
        let there = file.get(usize::from(offset)..).unwrap_or_default();
        let length = there.len().min(buffer.len());
        buffer[..length].copy_from_slice(&there[..length]);
        Ok(length)
    };
    let mut blocks = Blocks::default();
    // The last block first: what lies before it is not taken for read.
    for (offset, length, there) in
        [(512, 16, 16), (0, 4, 4), (4, 252, 252), (250, 12, 12), (596, 16, 4), (600, 4, 0), (4092, 4, 0)]
    {
        let mut buffer = vec![0xee; length];
        assert_eq!(blocks.read(offset, &mut buffer, read), Ok(there), "{offset}");
        let start = usize::from(offset);
        assert_eq!(buffer[..there], file[start.min(600)..(start + there).min(600)]);
    }
    assert_eq!(*asked.borrow(), [(512, 256), (0, 256), (256, 256)]);
    let mut failing = Blocks::default();
    assert_eq!(failing.read(0, &mut [0; 4], |_, _| Err(Cause::NotCaptured)), Err(Cause::NotCaptured));
}
