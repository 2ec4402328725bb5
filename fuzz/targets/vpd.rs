//! Vital product data: whatever a card's small memory holds, read, taken apart, as JSON and as text.

use std::hint::black_box;

use pciscope::inspect::vital_product_data;
use pciscope::machine::enumerate::Entry;
use pciscope::machine::reading::{self, Depth, Order, Reading};
use pciscope::machine::{Function, Machine};
use pciscope::pci::Bdf;
use pciscope::pci::space::ConfigSpace;
use pciscope::render::style::Style;
use pciscope::render::{json, text};
use pciscope::tree::{Cause, MemoryTree};

const ADDRESS: Bdf = Bdf { domain: 0, bus: 1, device: 0, function: 0 };
const FOLDER: &str = "sys/bus/pci/devices/0000:01:00.0";

/// One input. Gives how many fields were found.
pub fn run(data: &[u8]) -> usize {
    let mut config = vec![0; 256];
    config[..8].copy_from_slice(&[0x86, 0x80, 0xd3, 0x10, 0x06, 0, 0x10, 0]);
    config[0x34] = 0x40;
    config[0x40] = 0x03;
    // As every command reads it: an order of its own.
    let order = Order {
        address: ADDRESS,
        depth: Depth::Full,
        bridge_asleep: false,
        wake: false,
        remembered: false,
        vital_product_data: true,
    };
    let read = reading::read(&MemoryTree::complete().file(format!("{FOLDER}/vpd"), data), order);
    let mut reading = Reading::failed(ADDRESS, Cause::NotCaptured);
    (reading.space, reading.config_error) = (ConfigSpace::from_bytes(&config), None);
    reading.vital_product_data = read.vital_product_data;
    let entry =
        Entry { address: ADDRESS, path: FOLDER.to_owned(), parent: None, host_bridge: None, linked: false };
    let mut machine = Machine::from_functions(vec![Function::new(&entry, reading)]);
    machine.vital_product_data = true;
    let mut fields = 0;
    for function in &machine.functions {
        let Some(read) = vital_product_data::vital_product_data(&machine, function) else { continue };
        assert!(read.bytes_read <= data.len(), "{} bytes of {}", read.bytes_read, data.len());
        let mut out = String::new();
        text::vital_product_data::section(&mut out, &read, Style::PLAIN);
        assert!(!out.contains(|c: char| c.is_control() && c != '\n'), "{out:?}");
        black_box(json::json(&read).is_ok());
        fields += read.fields.len();
    }
    fields
}
