//! Defects 4, 5 and 6: what lspci makes of pins, of registers that change, and of files that are missing or broken.

use pciscope::inspect::value::text_value;
use pciscope::machine::reading::Depth;
use pciscope::machine::{DEADLINE, Scope, load};
use pciscope::pci::bars;
use pciscope::pci::decode::{Context, capabilities};
use pciscope::pci::header;
use pciscope::pci::space::{ConfigSpace, Loader};
use pciscope::pci::walk;
use pciscope::tree::MemoryTree;

use super::made;

/// Defect 4: the letter of a pin, which is one too far in lspci 3.15.
#[test]
fn pins_have_their_letters() {
    for (raw, letter) in [(1, "A"), (2, "B"), (3, "C"), (4, "D")] {
        let mut bytes = made::space("ltr_scale7");
        bytes[0x3d] = raw;
        let registers = header::registers(&ConfigSpace::from_bytes(&bytes));
        let pin = registers.iter().find(|placed| placed.register.key == "interrupt_pin").unwrap();
        let field = &pin.register.fields[0];
        assert_eq!(text_value(field, field.extract(pin.raw.unwrap())), letter);
    }
}

/// Defect 5: values and bytes come from different reads, so that they contradict each other where a register changes.
#[test]
fn no_byte_is_read_twice() {
    for (name, _) in made::SPACES {
        let bytes = made::space(name);
        let mut times = vec![0; bytes.len()];
        let mut source = |offset: u16, buffer: &mut [u8]| {
            let range = usize::from(offset)..usize::from(offset) + buffer.len();
            times[range.clone()].iter_mut().for_each(|count| *count += 1);
            buffer.copy_from_slice(&bytes[range]);
            Ok::<usize, ()>(buffer.len())
        };
        let mut loader = Loader::new(4096, &mut source);
        let layout = bytes[0x0e];
        let mut found = walk::standard(&mut loader, layout).found;
        found.extend(walk::extended(&mut loader).found);
        for _ in 0..2 {
            capabilities(&mut loader, Context { header_layout: layout, ..Context::default() }, &found);
        }
        let twice = times.iter().position(|count| *count > 1);
        assert_eq!(twice, None, "{name}: {} times", twice.map_or(0, |at| times[at]));
        assert!(times.contains(&1), "{name}");
    }
}

/// Defect 6: a function without some of its files, a line of `resource` that is none, a name that is no address. Nothing
/// else is lost, and nothing is made up.
#[test]
fn files_that_are_missing_or_broken_cost_nothing_else() {
    let folder = "sys/bus/pci/devices";
    let space = || made::space("ltr_scale7");
    let tree = MemoryTree::complete()
        .file(format!("{folder}/0000:00:01.0/irq"), "0\n")
        .file(format!("{folder}/0000:00:02.0/config"), space())
        .file(format!("{folder}/0000:00:03.0/config"), space())
        .file(
            format!("{folder}/0000:00:03.0/resource"),
            "0xfe000000 0xfe00ffff 0x40200\nno numbers here\n0xfd000000 0xfd000fff 0x40200\n",
        )
        .file(format!("{folder}/no-address/config"), space());
    let scope = Scope {
        depth: Depth::Full,
        wanted: &|_| true,
        wake: false,
        deadline: DEADLINE,
        vital_product_data: false,
    };
    let machine = load(&tree, false, scope).unwrap();
    assert_eq!(machine.strange, ["no-address"]);
    let [without, plain, broken] = machine.functions.as_slice() else { panic!("three functions") };
    assert!(!without.answers());
    assert_eq!((without.identity.vendor_id, without.identity.class), (None, None));
    for function in [plain, broken] {
        assert_eq!(function.identity.vendor_id, Some(0x8086));
        assert_eq!(function.decode().0.len(), 2);
    }
    let resources = bars::resources(broken.reading.text("resource").unwrap()).unwrap();
    let sizes: Vec<Option<u64>> = resources.iter().map(|line| line.map(|r| r.size())).collect();
    assert_eq!(sizes, [Some(0x1_0000), None, Some(0x1000)], "a line that is not good is not an empty one");
}
