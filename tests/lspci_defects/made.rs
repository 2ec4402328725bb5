//! Configuration spaces made for the purpose: an endpoint with PCI Express, and one capability in which lspci goes wrong.

/// Doublewords by offset of one space, by the name of the file in the corpus that shows the same defect.
pub const SPACES: &[(&str, &[(usize, u32)])] = &[
    // CXL Device, revision 1, one range, whose lower size has all bits set (CXL 3.1, 8.1.3).
    (
        "cxl_range_oob",
        &[(0x100, 0x0001_0023), (0x104, 0x0381_1e98), (0x108, 0x0016_0000), (0x11c, 0x0000_ffff)],
    ),
    // Non-CXL Function Map and Flex Bus Port, both of 16 bytes only.
    (
        "cxl_funcmap_short_len_die",
        &[(0x100, 0x0001_0023), (0x104, 0x0100_1e98), (0x108, 0x0000_0002), (0x10c, 0x0000_00f0)],
    ),
    (
        "cxl_flexbus_short_len_die",
        &[(0x100, 0x0001_0023), (0x104, 0x0102_1e98), (0x108, 0x0007_0007), (0x10c, 0x0001_0002)],
    ),
    // VirtIO shared memory of 16 bytes, without the upper halves (VirtIO 1.2, 4.1.4.7).
    (
        "virtio_shm_short_die",
        &[(0x00, 0x1041_1af4), (0x40, 0x0002_8010), (0x80, 0x0810_0009), (0x88, 0x1000)],
    ),
    // Enhanced Allocation: an entry of no doublewords, and one that has no room for the halves that it announces.
    ("ea_es0_die", &[(0x40, 0x0002_8010), (0x80, 0x0001_0014), (0x84, 0x8000_0000)]),
    (
        "ea_short_entry_die",
        &[(0x40, 0x0002_8010), (0x80, 0x0001_0014), (0x84, 0x8000_0002), (0x88, 0x2), (0x8c, 0x2)],
    ),
    ("secpci_lane_err_upper16", &[(0x100, 0x0001_0019), (0x108, 0xffff_0000)]),
    // Link streams and PCRC supported; one stream, on, without PCRC.
    ("ide_link_pcrc", &[(0x100, 0x0001_0030), (0x104, 0x0000_0021), (0x10c, 0x0000_0001)]),
    // CXL Device, revision 2: bit 0 of Control 2 and of Capability 3.
    (
        "cxl_ctrl2_bits",
        &[(0x100, 0x0001_0023), (0x104, 0x03c2_1e98), (0x110, 0x0000_0001), (0x138, 0x0000_0001)],
    ),
    // CXL Extensions for Ports: bit 0 of status; memory from 123xxxxxh to 456xxxxxh.
    (
        "cxl_port_ext_status",
        &[(0x100, 0x0001_0023), (0x104, 0x0280_1e98), (0x108, 0x0001_0003), (0x110, 0x4560_1230)],
    ),
    (
        "cxl_funcmap_16bit",
        &[(0x100, 0x0001_0023), (0x104, 0x02c0_1e98), (0x108, 0x0000_0002), (0x10c, 0xdead_beef)],
    ),
    // DDR4 at 8 times, LPDDR4 at 9 times and gear 1 at 5 times 266 MT/s.
    (
        "intel_capid0_c",
        &[(0x00, 0x1904_8086), (0x40, 0x0002_8010), (0x80, 0x0110_0009), (0x8c, 8 << 23 | 9 << 17 | 5)],
    ),
    ("rcec_bitmap_tail", &[(0x40, 0x00a2_0010), (0x100, 0x0002_0007), (0x104, 0xc000_0000)]),
    ("multicast_ep_newline", &[(0x100, 0x0001_0012)]),
    ("multicast_winsz_overflow", &[(0x100, 0x0001_0012), (0x104, 0x0000_3f00)]),
    // Value 1 and scale 7, which is reserved, for both latencies.
    ("ltr_scale7", &[(0x100, 0x0001_0018), (0x104, 0x1c01_1c01)]),
    // Flit type 4; three errors, seven apart, in ordered sets.
    ("flit_ei_type", &[(0x100, 0x0001_0034), (0x108, 0x8000_0001), (0x114, 0x0000_0718)]),
    ("mrbl_len0_runaway", &[(0x100, 0x0001_0036), (0x108, 0x0000_0102), (0x110, 0x0000_0102)]),
    ("cap_ptr_into_header", &[(0x34, 0x0000_0010), (0x10, 0x0000_0005)]),
    ("ext_next_below_100", &[(0x100, 0x0401_0003)]),
    ("ext_next_unaligned", &[(0x100, 0x1121_0003), (0x110, 0x0001_0018)]),
    ("cap_loop", &[(0x40, 0x0002_4010)]),
    // Power Management in the middle of PCI Express.
    ("cap_overlap", &[(0x40, 0x0002_4410), (0x44, 0x0003_0001)]),
    ("aer_tlp_prefix_log", &[(0x100, 0x0002_0001), (0x118, 0x0000_0800), (0x138, 0xaabb_ccdd)]),
    // A root port with a log of nine doublewords.
    (
        "dpc_rp_pio",
        &[
            (0x40, 0x0042_0010),
            (0x100, 0x0001_001d),
            (0x104, 0x0000_0920),
            (0x10c, 0x0000_0004),
            (0x120, 0x1234_5678),
        ],
    ),
    ("flit_log_bits", &[(0x100, 0x0001_0032), (0x104, 0x0000_0951)]),
    ("msi_ext_data", &[(0x40, 0x0002_8010), (0x80, 0x0681_0005), (0x84, 0xfee0_0000), (0x8c, 0xbeef_4041)]),
    ("phy16_parity_mismatch", &[(0x100, 0x0001_0026), (0x110, 0x0000_ffff)]),
    ("secpci_lane_eq_not_shown", &[(0x100, 0x0001_0019), (0x10c, 0x0000_0004)]),
    ("slot_sltcap2_inband_pd", &[(0x0c, 0x0001_0000), (0x40, 0x0142_0010), (0x74, 0x0000_0001)]),
    ("acs_egress_and_enhanced", &[(0x100, 0x0001_000d), (0x104, 0x0020_20a0), (0x108, 0xffff_ffff)]),
    // Device-specific mode, a table of four entries here, of which the first is abcdh.
    ("tph_table", &[(0x100, 0x0001_0017), (0x104, 0x0003_0304), (0x10c, 0x0000_abcd)]),
    ("fpb", &[(0x40, 0x0052_8010), (0x80, 0x0000_0015), (0x84, 0x0000_0005)]),
    ("pm_aux_data", &[(0x40, 0x0002_8010), (0x80, 0x0003_0001), (0x84, 0x5500_2200)]),
    ("devcap2_dmwr", &[(0x64, 0x7000_0000)]),
    ("msix_bad_bir_and_overlap", &[(0x40, 0x0002_8010), (0x80, 0x87ff_0011), (0x84, 7), (0x88, 7)]),
];

/// The bytes of a space.
pub fn space(name: &str) -> Vec<u8> {
    let (_, doublewords) = SPACES.iter().find(|(known, _)| *known == name).unwrap();
    let mut bytes = vec![0; 4096];
    // A network controller with PCI Express: 32 GT/s on four lanes.
    let base = [
        (0x00, 0x1572_8086),
        (0x04, 0x0010_0006),
        (0x08, 0x0200_0001),
        (0x34, 0x0000_0040),
        (0x40, 0x0002_0010),
        (0x4c, 0x0000_0c45),
        (0x50, 0x0045_0000),
        (0x6c, 0x0000_003e),
    ];
    for (offset, doubleword) in base.iter().chain(*doublewords) {
        bytes[*offset..offset + 4].copy_from_slice(&u32::to_le_bytes(*doubleword));
    }
    bytes
}

/// The same as text of `lspci -xxxx`.
pub fn dump(name: &str) -> String {
    let rows = space(name).chunks(16).enumerate().fold(String::new(), |text, (row, bytes)| {
        let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        text + &format!("{:02x}: {}\n", row * 16, hex.join(" "))
    });
    format!("00:01.0 Made for a test\n{rows}\n")
}
