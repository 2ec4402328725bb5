//! A register is found by its type from outside the crate that declares it.

use pciscope::pci::decode::{Context, capabilities};
use pciscope::pci::extended::aer::{CorrectableStatus, UncorrectableStatus};
use pciscope::pci::{ConfigSpace, walk};

#[test]
fn a_register_is_found_by_its_type() {
    let mut bytes = vec![0; 4096];
    bytes[0x100..0x104].copy_from_slice(&0x0002_0001u32.to_le_bytes());
    bytes[0x106] = 0x04;
    let mut space = ConfigSpace::from_bytes(&bytes);
    let found = walk::extended(&mut space).found;
    let (decoded, _) = capabilities(&mut space, Context::default(), &found);
    let status = decoded[0].get::<UncorrectableStatus>().expect("AER has the register");
    assert!(status.malformed_tlp());
    assert_eq!(decoded[0].get::<CorrectableStatus>(), Some(CorrectableStatus(0)));
}
