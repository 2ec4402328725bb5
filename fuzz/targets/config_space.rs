//! Configuration space: both lists, every capability, text and JSON of every field.
use pciscope::inspect::value::{json_value, text_value};
use pciscope::pci::space::{CONFIG_SPACE_SIZE, ConfigSpace};
use pciscope::pci::{bars, decode, header, walk};

/// One input. Gives how many registers of capabilities were decoded.
pub fn run(data: &[u8]) -> usize {
    // The input is the beginning of both regions, so that short inputs reach the extended list too.
    let mut bytes = vec![0; usize::from(CONFIG_SPACE_SIZE)];
    let half = data.len().min(2 * 256) / 2;
    bytes[..half].copy_from_slice(&data[..half]);
    let rest = &data[half..data.len().min(half + 4096 - 256)];
    bytes[256..256 + rest.len()].copy_from_slice(rest);
    let mut space = ConfigSpace::from_bytes(&bytes);
    let Some(context) = header::context(&space) else { return 0 };
    let mut found = walk::standard(&mut space, context.header_layout).found;
    found.extend(walk::extended(&mut space).found);
    let context = decode::with_express(&space, context, &found);
    let (capabilities, _) = decode::capabilities(&mut space, context, &found);
    for placed in capabilities.iter().flat_map(|c| &c.registers).chain(&header::registers(&space)) {
        let Some(raw) = placed.raw else { continue };
        for field in placed.register.fields {
            let value = field.extract(raw);
            std::hint::black_box((text_value(field, value), json_value(field, value)));
        }
    }
    std::hint::black_box((bars::bars(Some(&space), None), bars::windows(&space)));
    capabilities.iter().flat_map(|c| &c.registers).filter(|placed| placed.raw.is_some()).count()
}
