use nix::errno::Errno;

use super::*;
use crate::machine::attributes::index;
use crate::machine::enumerate::Entry;
use crate::machine::reading::{Asleep, Reading};
use crate::pci::{Bdf, ConfigSpace};
use crate::tree::{MemoryTree, MockTree, TreeError};

const ADDRESS: Bdf = Bdf { domain: 0, bus: 1, device: 0, function: 0 };
const PMCSR: usize = 0x44;
const TABLE: usize = 0x54;
const PENDING: usize = 0x58;
const BAR0: usize = 0x10;

/// BAR 0 is 64-bit memory of 16 KiB, BAR 2 memory of 4 KiB, BAR 4 I/O space.
const RESOURCE: &str = "0x00000000f0000000 0x00000000f0003fff 0x000000000014220c\n\
                        0x0000000000000000 0x0000000000000000 0x0000000000000000\n\
                        0x00000000e0000000 0x00000000e0000fff 0x0000000000040200\n\
                        0x0000000000000000 0x0000000000000000 0x0000000000000000\n\
                        0x0000000000003000 0x000000000000307f 0x0000000000040101\n\
                        0x0000000000000000 0x0000000000000000 0x0000000000000000";

/// An endpoint in D0 that decodes memory, with four vectors at 2000h and their pending bits at 3000h of BAR 0.
struct Device {
    config: Vec<u8>,
    reading: Reading,
    resource: &'static str,
    uevent: &'static str,
}

impl Device {
    fn new() -> Self {
        let mut device = Device {
            config: vec![0; 256],
            reading: Reading::failed(ADDRESS, Cause::NotCaptured),
            resource: RESOURCE,
            uevent: "PCI_ID=10DE:2B85",
        };
        device.reading.config_error = None;
        device
            .put(0, 0x2b85_10de)
            .put(4, 0x0010_0006)
            .put(BAR0, 0xf000_000c)
            .put(0x18, 0xe000_0000)
            .put(0x20, 0x3001)
            .put(0x34, 0x40)
            .put(0x40, 0x0003_5001)
            .put(0x50, 0x8003_0011)
            .put(TABLE, 0x2000)
            .put(PENDING, 0x3000)
    }

    fn put(mut self, offset: usize, value: u32) -> Self {
        self.config[offset..offset + 4].copy_from_slice(&value.to_le_bytes());
        self
    }

    fn resource(self, resource: &'static str) -> Self {
        Device { resource, ..self }
    }

    fn driver(self) -> Self {
        Device { uevent: "DRIVER=nvme\nPCI_ID=10DE:2B85", ..self }
    }

    /// What is known of configuration space ends here.
    fn cut(mut self, length: usize) -> Self {
        self.config.truncate(length);
        self
    }

    fn build(mut self) -> Function {
        self.reading.space = ConfigSpace::from_bytes(&self.config);
        self.reading.config_size = Some(self.config.len() as u64);
        let texts = [("resource", self.resource), ("uevent", self.uevent)];
        let texts = texts.iter().filter(|(_, text)| !text.is_empty());
        self.reading.answers.extend(texts.map(|(name, text)| (index(name).unwrap(), Ok((*text).to_owned()))));
        Function::new(
            &Entry { address: ADDRESS, path: String::new(), parent: None, host_bridge: None, linked: true },
            self.reading,
        )
    }
}

fn read_of(tree: &dyn Tree, device: Device) -> Option<Result<VectorTable, Unreadable>> {
    read(tree, false, &device.build(), &x86(), false)
}

/// A tree in which no window may be opened.
fn closed() -> MockTree {
    let mut tree = MockTree::new();
    tree.expect_window().never();
    tree.expect_enter().returning(|_| {
        let mut folder = MockTree::new();
        folder.expect_window().never();
        Ok(Box::new(folder) as Box<dyn Tree>)
    });
    tree
}

/// The reason that is found before anything behind a BAR is touched.
fn refusal(device: Device) -> Unreadable {
    read_of(&closed(), device).unwrap().unwrap_err()
}

/// A tree in which the table cannot be mapped.
fn refusing(cause: Cause) -> MockTree {
    let mut tree = MockTree::new();
    tree.expect_enter().times(1).returning(move |path| {
        assert_eq!(path, "sys/bus/pci/devices/0000:01:00.0");
        let mut folder = MockTree::new();
        folder.expect_window().times(1).returning(move |path, offset, length| {
            assert_eq!((path, offset, length), ("resource0", 0x2000, 64));
            Err(TreeError::new(path, cause))
        });
        Ok(Box::new(folder) as Box<dyn Tree>)
    });
    tree
}

fn failure(cause: Cause, device: Device) -> Unreadable {
    read_of(&refusing(cause), device).unwrap().unwrap_err()
}

/// A tree with the memory behind BAR 0.
fn memory(bytes: Vec<u8>) -> MemoryTree {
    MemoryTree::complete().file(format!("{DEVICES}/{ADDRESS}/resource0"), bytes)
}

/// Memory with one good vector at 2000h, its pending bit set.
fn good_memory() -> Vec<u8> {
    let mut bytes = vec![0; 0x4000];
    bytes[0x2000..0x2010].copy_from_slice(&[0, 0x10, 0xe0, 0xfe, 0, 0, 0, 0, 0x34, 0, 0, 0, 1, 0, 0, 0]);
    bytes[0x3000] = 1;
    bytes
}

#[test]
fn a_table_is_read_with_its_pending_bits() {
    let table = read_of(&memory(good_memory()), Device::new()).unwrap().unwrap();
    assert_eq!((table.vectors.len(), &table.pending_unreadable), (4, &None));
    let first = &table.vectors[0];
    assert_eq!(
        (first.address, first.data, first.masked, first.pending),
        (0xfee0_1000, 0x34, true, Some(true))
    );
    let second = &table.vectors[1];
    assert_eq!((second.index, second.pending, &second.message), (1, Some(false), &Some(Message::Empty)));
}

#[test]
fn without_msi_x_there_is_no_answer() {
    assert_eq!(read_of(&closed(), Device::new().put(0x40, 0x0003_0001)), None);
}

#[test]
fn the_answer_of_the_system_becomes_one_reason() {
    let not_permitted = |error: &str| Unreadable::NotPermitted { bar: 0, error: error.into() };
    let owned = Unreadable::OwnedByDriver { bar: 0, driver: Some("nvme".into()) };
    let failed = |cause: Cause| Unreadable::Failed { bar: 0, error: cause.to_string() };
    let errno = Cause::Errno;
    for driver in [false, true] {
        let device = || if driver { Device::new().driver() } else { Device::new() };
        assert_eq!(failure(errno(Errno::EPERM), device()), not_permitted("EPERM"));
        assert_eq!(failure(errno(Errno::EACCES), device()), not_permitted("EACCES"));
        assert_eq!(failure(errno(Errno::ENOENT), device()), Unreadable::NoResourceFile { bar: 0 });
        assert_eq!(failure(Cause::NotCaptured, device()), Unreadable::NotCaptured { bar: 0 });
        for cause in [errno(Errno::EIO), errno(Errno::ENODEV), Cause::Escapes, Cause::TimedOut(2000)] {
            assert_eq!(failure(cause, device()), failed(cause), "{cause:?}");
        }
    }
    assert_eq!(failure(errno(Errno::EINVAL), Device::new().driver()), owned);
    assert_eq!(failure(errno(Errno::EINVAL), Device::new()), failed(errno(Errno::EINVAL)), "nobody owns it");
}

#[test]
fn a_folder_that_cannot_be_entered_gives_the_same_reasons() {
    let entering = |cause: Cause| {
        let mut tree = MockTree::new();
        tree.expect_window().never();
        tree.expect_enter().returning(move |path| Err(TreeError::new(path, cause)));
        read_of(&tree, Device::new()).unwrap().unwrap_err()
    };
    assert_eq!(entering(Cause::Errno(Errno::ENOENT)), Unreadable::NoResourceFile { bar: 0 });
    assert_eq!(entering(Cause::NotCaptured), Unreadable::NotCaptured { bar: 0 });
    let denied = Unreadable::NotPermitted { bar: 0, error: "EACCES".into() };
    assert_eq!(entering(Cause::Errno(Errno::EACCES)), denied);
}

#[test]
fn pending_bits_have_a_reason_of_their_own() {
    let mut tree = MockTree::new();
    tree.expect_enter().times(2).returning(|_| {
        let mut folder = MockTree::new();
        folder.expect_window().times(1).returning(|path, offset, length| match path {
            "resource0" => Ok(Window::stored(vec![0; length])),
            _ => {
                assert_eq!((path, offset, length), ("resource2", 0x100, 8));
                Err(TreeError::errno(path, Errno::EPERM))
            }
        });
        Ok(Box::new(folder) as Box<dyn Tree>)
    });
    let table = read_of(&tree, Device::new().put(PENDING, 0x102)).unwrap().unwrap();
    let denied = Unreadable::NotPermitted { bar: 2, error: "EPERM".into() };
    assert_eq!(table.pending_unreadable, Some(denied));
    assert!(table.vectors.iter().all(|vector| vector.pending.is_none()));

    let unreadable = |pending| {
        let table = read_of(&memory(good_memory()), Device::new().put(PENDING, pending)).unwrap().unwrap();
        table.pending_unreadable.unwrap()
    };
    assert_eq!(unreadable(0x3007), Unreadable::NoSuchBar { bar: 7 });
    assert_eq!(unreadable(0x4000), Unreadable::OutsideBar { bar: 0, end: 0x4008, size: 0x4000 });
}

#[test]
fn nobody_home_is_not_touched() {
    let ones = || Device { config: vec![0xff; 256], ..Device::new() };
    assert_eq!(refusal(ones()), Unreadable::Dead);
    let mut marked = ones();
    let speed = index("current_link_speed").unwrap();
    marked.reading.answers.push((speed, Err(Cause::Errno(Errno::EINVAL))));
    assert_eq!(refusal(marked), Unreadable::Dead);
    let mut removed = Device::new().cut(0);
    removed.reading.config_error = Some((0, Cause::Errno(Errno::ENODEV)));
    assert_eq!(refusal(removed), Unreadable::Dead);
    for asleep in [Asleep::PowerState, Asleep::RuntimeSuspended, Asleep::BridgeAbove] {
        let mut device = Device::new().cut(0);
        device.reading.asleep = Some(asleep);
        assert_eq!(refusal(device), Unreadable::Asleep);
    }
}

#[test]
fn what_was_not_read_is_not_touched() {
    let why = |device| match refusal(device) {
        Unreadable::NotRead { why } => why,
        other => panic!("{other:?}"),
    };
    let mut later = Device { config: vec![0xff; 256], ..Device::new() };
    later.config[..4].copy_from_slice(&[1, 0, 0xff, 0xff]);
    assert!(why(later).contains("Request Retry Status"));
    assert!(why(Device::new().cut(0)).contains("config"));
    assert!(why(Device::new().cut(64)).contains("64 bytes"));
    assert!(why(Device::new().put(0x0c, 0x0005_0000)).contains("header type does not exist"));
    let cut = why(Device::new().cut(0x54));
    assert!(!cut.is_empty(), "the table's place is behind what is known");
}

#[test]
fn a_function_that_does_not_answer_memory_is_not_touched() {
    assert_eq!(refusal(Device::new().put(4, 0x0010_0004)), Unreadable::MemoryDecodeOff);
    for (power, state) in [(1, "D1"), (2, "D2"), (3, "D3hot")] {
        assert_eq!(refusal(Device::new().put(PMCSR, power)), Unreadable::NotInD0 { state: state.into() });
    }
    let both = Device::new().put(4, 0x0010_0004).put(PMCSR, 3);
    assert_eq!(refusal(both), Unreadable::MemoryDecodeOff);
}

#[test]
fn a_virtual_function_has_neither_memory_space_enable_nor_bars() {
    let mut device = Device::new().put(4, 0x0010_0000).put(BAR0, 0).put(0x18, 0).put(0x20, 0);
    device.reading.answers.push((index("physfn").unwrap(), Ok("../0000:01:00.1".into())));
    assert_eq!(read_of(&memory(good_memory()), device).unwrap().unwrap().vectors.len(), 4);
}

#[test]
fn a_bar_that_does_not_exist_is_not_touched() {
    for bar in [6, 7] {
        let device = Device::new().put(TABLE, 0x2000 | bar);
        assert_eq!(refusal(device), Unreadable::NoSuchBar { bar: bar as u8 });
    }
    assert_eq!(refusal(Device::new().put(TABLE, 0x2001)), Unreadable::NoSuchBar { bar: 1 }, "an upper half");
    let bridge = Device::new().put(0x0c, 0x0001_0000).put(TABLE, 0x2002);
    assert_eq!(refusal(bridge), Unreadable::NoSuchBar { bar: 2 }, "a bridge has two BARs");
    let io = Device::new().put(TABLE, 4).put(PENDING, 4 | 0x40);
    assert_eq!(refusal(io), Unreadable::NoResourceFile { bar: 4 }, "I/O space cannot be mapped");
}

#[test]
fn a_bar_without_an_address_is_not_touched() {
    let unassigned = Unreadable::BarUnassigned { bar: 0 };
    let unset = "0x00000000f0000000 0x00000000f0003fff 0x000000002014220c\n";
    assert_eq!(refusal(Device::new().resource(unset)), unassigned, "IORESOURCE_UNSET");
    let zero = "0x0000000000000000 0x0000000000003fff 0x000000000014220c\n";
    assert_eq!(refusal(Device::new().resource(zero)), unassigned);
    assert_eq!(refusal(Device::new().put(BAR0, 0x0000_000c)), unassigned, "the register lost its address");
    assert_eq!(refusal(Device::new().put(BAR0, 0)), unassigned, "the register was reset");
}

#[test]
fn a_table_behind_the_end_of_the_bar_is_not_touched() {
    let outside = Unreadable::OutsideBar { bar: 0, end: 0x4020, size: 0x4000 };
    assert_eq!(refusal(Device::new().put(TABLE, 0x3fe0)), outside);
    let far = Unreadable::OutsideBar { bar: 0, end: 0x1_0000_0038, size: 0x4000 };
    assert_eq!(refusal(Device::new().put(TABLE, 0xffff_fff8)), far);
    // One that ends where the BAR ends is inside.
    let last = Device::new().put(TABLE, 0x3fc0);
    assert_eq!(read_of(&memory(good_memory()), last).unwrap().unwrap().vectors.len(), 4);
}

#[test]
fn a_table_of_ones_is_no_table() {
    let mut bytes = good_memory();
    bytes[0x2000..0x2040].fill(0xff);
    assert_eq!(read_of(&memory(bytes.clone()), Device::new()).unwrap().unwrap_err(), Unreadable::AllOnes);
    bytes[0x2034] = 0;
    assert!(read_of(&memory(bytes), Device::new()).unwrap().is_ok(), "one vector is enough to tell");
}

#[test]
fn what_the_source_lacks_is_told_from_what_the_machine_lacks() {
    let other = || (format!("{DEVICES}/{ADDRESS}/vendor"), "0x10de");
    let reason = |tree: MemoryTree| read_of(&tree, Device::new()).unwrap().unwrap_err();
    let (path, text) = other();
    assert_eq!(reason(MemoryTree::complete().file(path, text)), Unreadable::NoResourceFile { bar: 0 });
    let (path, text) = other();
    assert_eq!(reason(MemoryTree::partial().file(path, text)), Unreadable::NotCaptured { bar: 0 });
}

#[test]
fn a_live_machine_other_than_x86_is_touched_only_on_demand() {
    let x86 = cfg!(any(target_arch = "x86", target_arch = "x86_64"));
    let tree = memory(good_memory());
    let platform = Platform { architecture: Some("aarch64".into()), ..Platform::default() };
    let function = Device::new().build();
    assert!(read(&tree, true, &function, &platform, true).unwrap().is_ok());
    let without = read(&tree, true, &function, &platform, false).unwrap();
    let refused = Unreadable::NotAllowedHere { architecture: Some("aarch64".into()) };
    assert_eq!(without.err(), (!x86).then_some(refused));
    // Messages are decoded by the architecture of the machine that was read.
    let stored = read(&tree, false, &function, &platform, false).unwrap().unwrap();
    assert!(stored.vectors.iter().all(|vector| vector.message.is_none()));
}

fn x86() -> Platform {
    Platform { architecture: Some("x86_64".into()), ..Platform::default() }
}
