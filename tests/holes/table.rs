//! The holes: what a space holds and what must be said of it.

use super::space::{Space, cxl};

pub struct Hole {
    pub name: &'static str,
    pub space: Space,
    pub files: &'static [(&'static str, &'static str)],
    pub expected: &'static [&'static str],
}

fn hole(name: &'static str, space: Space, expected: &'static [&'static str]) -> Hole {
    Hole { name, space, files: &[], expected }
}

/// Endpoint, root port, switch downstream port, integrated endpoint.
const ENDPOINT: u16 = 0;
const ROOT: u16 = 4;
const DOWNSTREAM: u16 = 6;
const INTEGRATED: u16 = 9;

pub fn holes() -> Vec<Hole> {
    [errors(), standard(), services(), physical(), protocols(), dvsec(), values()]
        .into_iter()
        .flatten()
        .collect()
}

fn errors() -> Vec<Hole> {
    let read = [1 << 20, 0, 0, 0, 0, 20 | 1 << 11, 0x2000_0001, 0x8200_1f0f, 0x380, 0x1000];
    let prefixes = [0, 0, 0, 0x9110_0042, 0x9207_0529, 0, 0];
    let contained =
        [0x0005_0620, 0x0000_1007, 0x0001_0000, 0x0007_0707, 3, 0x10000, 0x0100, 0x6000_0001, 0x020f];
    let log = [0x380, 0x1000, 0xabcd, 0x9110_0042];
    let flit = [1 << 18, 0, 0, 0, 0, 18 | 1 << 18 | 6 << 19, 0x0321_4010, 0x8200_0000, 0, 0, 0, 0, 0, 5, 6];
    vec![
        hole(
            "AER header and prefix log",
            Space::port(ENDPOINT).extended(1, &[&read[..], &prefixes].concat()),
            &[
                "packet logged by AER with UnsupReq: MRd64 of 1 doubleword at 0x38000001000, byte enables 1111, by 82:00.0, tag 0x1f, TC 0; \
             PASID prefix: Priv no, Exec yes, PASID 0x00042; \
             IDE prefix: PRSent 7, Stream 5, SubStream completions, P yes, M no, K no, T yes",
                "tlp_prefix_log[0] TLPPrefixLog 0x91100042",
                "header_log[0] TLP 0x20000001 Type MRd64",
                "header_log[1] TLP Request 0x82001f0f Requester 82:00.0 Tag 0x1f LastBE 0x0 FirstBE 0xf",
            ],
        ),
        hole(
            "AER header log of Flit Mode",
            Space::port(ENDPOINT).extended(1, &flit),
            &[
                "packet logged by AER with MalfTLP: a packet of Flit Mode",
                "header_log[0] TLP 0x03214010 Type 0x03 TC 1 OHC 0x01 TS 0x2 Attr 0x0 Length 16 doublewords",
                "header_log[5] HeaderLog 0x00000006",
            ],
        ),
        hole(
            "DPC RP PIO and trigger reason",
            Space::port(ROOT).extended(0x1d, &[&contained[..], &log].concat()),
            &[
                "DPC the port is contained and its link held down: RP PIO error: a request of the root port itself",
                "packet logged by DPC with MemUR: MWr64 of 1 doubleword at 0x38000001000, byte enables 1111, by 00:00.0, tag 0x02",
                "RPPIOSta 0x00010000 CfgUR- CfgCA- CfgCTO- IOUR- IOCA- IOCTO- MemUR+",
                "RPPIOMsk 0x00070707 CfgUR+",
                "RPPIOSvrt 0x00000003 CfgUR+ CfgCA+ CfgCTO-",
                "RPPIOSysErr 0x00010000",
                "RPPIOExc 0x00000100 CfgUR- CfgCA- CfgCTO- IOUR+",
                "RPPIOImpSpecLog 0x0000abcd",
                "rp_pio_tlp_prefix_log[0] PASID 0x91100042 Type PASID prefix Priv- Exec+ PASID 0x00042",
            ],
        ),
        hole(
            "DPC by a message",
            Space::port(DOWNSTREAM).extended(0x1d, &[0x0001_0000, 0x0400_0005]),
            &["DPC the port is contained and its link held down: ERR_FATAL of 04:00.0", "Reason ERR_FATAL"],
        ),
        hole(
            "ACS egress vector and enhanced bits",
            Space::port(DOWNSTREAM).extended(0x0d, &[0x1680_08bf, 0x81]),
            &[
                "EnhancedCap+ EgressVectorSize 8",
                "IOReqBlk+ DSPMemTarget request redirect enabled USPMemTarget request blocking enabled UnclaimedReqRedir+",
                "egress_control_vector[0] ACSEgressVector 0x00000081",
            ],
        ),
    ]
}

fn standard() -> Vec<Hole> {
    let msi =
        [5, 0, 0x80, 0x07, 0, 0, 0xe0, 0xfe, 0, 0, 0, 0, 0x34, 0x12, 0x78, 0x56, 0, 0, 0, 0, 0, 0, 0, 0];
    let mut fpb = vec![0x15, 0, 0, 0];
    for word in [0x0502_0507u32, 0x1200_0001, 0x0000_1300, 0x3000_0021, 0x4000_0021, 0x12, 0x4003, 0] {
        fpb.extend(word.to_le_bytes());
    }
    let iommu = [
        0x0f, 0, 0x0b, 0x19, 1, 0, 0x20, 0xfd, 1, 0, 0, 0, 0x80, 0, 8, 0xff, 0x40, 0x30, 0x18, 0, 2, 0, 0, 0,
    ];
    vec![
        hole(
            "MSI extended message data",
            Space::port(ENDPOINT).standard(&msi),
            &["ExtData+ ExtDataEn+", "Data 0x1234 ExtendedData 0x5678"],
        ),
        hole(
            "Link Capabilities 2 of an endpoint with another function number",
            Space::port(ENDPOINT).with(0x6c, 0x0180_003e),
            &[
                "LnkCap2 0x0180003e Supported Link Speeds 2.5, 5, 8, 16, 32 GT/s Crosslink- SkpGen none SkpRcv none Retimer+ 2Retimers+",
            ],
        ),
        hole(
            "Slot 2 registers",
            Space::port(DOWNSTREAM).with(0x40, 0x0162_0010).with(0x74, 1).with(0x58, 0x4000),
            &[
                "SltCap2 0x00000001 InBandPDDis+",
                "AutoPwrLimitDis- InBandPDDis+",
                "SltCtl2 0x0000",
                "SltSta2 0x0000",
            ],
        ),
        hole(
            "Flattening Portal Bridge",
            Space::port(DOWNSTREAM).standard(&fpb),
            &[
                "Flattening Portal Bridge flattening_portal_bridge",
                "12:00.0",
                "0x30000000",
                "not read the vectors: which part is seen takes a write",
            ],
        ),
        hole(
            "Secure Device (AMD's IOMMU)",
            Space::port(INTEGRATED).standard(&iommu),
            &[
                "SecDev 0x190b CapType IOMMU CapRev 1 IotlbSup+ HtTunnel- NpCache- EFRSup+ CapExt+",
                "Misc0 0x00183040 MsiNum 0 GVAsize 2 PAsize 48 bits VAsize 48 bits",
            ],
        ),
        hole(
            "vendor's body",
            Space::port(ENDPOINT).standard(&[9, 0, 12, 0xaa, 1, 2, 3, 4, 5, 6, 7, 8]),
            &["not decoded 07c 0xaa0c0009 0x04030201 0x08070605"],
        ),
    ]
}

fn services() -> Vec<Hole> {
    // One more virtual channel, 32 phases of VC arbitration at 30h, 32 phases of 4 bits of port arbitration at 40h.
    let vc = [
        0x0000_0801,
        0x0300_0002,
        2,
        0,
        0x8000_00fd,
        0,
        0x0400_0002,
        0x8102_0002,
        0,
        0,
        0,
        0x1010_1010,
        0x1010_1011,
        0x1010_1010,
        0x1010_1010,
        0x7654_3210,
        0,
        0,
        0xfedc_ba98,
    ];
    let mfvc = [
        0x0000_0801,
        0x0300_0002,
        2,
        0,
        0x8000_00fd,
        0,
        0x0400_0002,
        0x8102_0002,
        0,
        0,
        0,
        0x1010_1010,
        0,
        0,
        0,
        7,
        0,
        0,
        8,
    ];
    vec![
        hole(
            "TPH steering table",
            Space::port(ENDPOINT).extended(0x17, &[0x0001_0305, 0x0301, 0x2211_4433]),
            &[
                "Steering table in this capability ST table size 2",
                "ST mode interrupt vector Enable with 8-bit and 16-bit steering tags",
                "st_table[0] ST 0x4433 Lower 0x33 Upper 0x44 st_table[1] ST 0x2211 Lower 0x11 Upper 0x22",
            ],
        ),
        hole(
            "VC arbitration tables",
            Space::port(ROOT).extended(2, &vc),
            &[
                "vc_arbitration_table[0] VAT 0x10101010 Phase0 0 Phase1 1 Phase2 0 Phase3 1",
                "vc_arbitration_table[1] VAT 0x10101011 Phase0 1 Phase1 1",
                "port_arbitration_table[64] PAT 0x76543210",
                "port_arbitration_table[67] PAT 0xfedcba98",
            ],
        ),
        hole(
            "MFVC",
            Space::port(ENDPOINT).extended(8, &mfvc),
            &["Multi-Function Virtual Channel mfvc", "vc[1] Ctrl 0x81020002 TC/VC 0x02", "VAT 0x10101010"],
        ),
        hole(
            "RCRB header",
            Space::port(ROOT).extended(0x0a, &[0x1234_8086, 1, 0]),
            &[
                "RCRBId 0x12348086 Vendor 0x8086 Device 0x1234 RCRBCap 0x00000001 CRSVisible+ RCRBCtl 0x00000000 CRSVisible-",
            ],
        ),
        hole(
            "RC internal link",
            Space::port(INTEGRATED).extended(6, &[0x1e03_fc84, 0x0082_0081]),
            &[
                "RCLnkCap 0x1e03fc84 Speed 16 GT/s Width x8 ASPM L0s L1",
                "RCLnkSta 0x0082 Speed 5 GT/s Width x8",
            ],
        ),
        hole(
            "NPEM",
            Space::port(DOWNSTREAM).extended(0x29, &[0x0100_083d, 0x0200_0019, 0x0300_0001]),
            &[
                "NPEMCap 0x0100083d NPEM+ Reset- OK+ Locate+ Fail+ Rebuild+ PFA-",
                "NPEMSta 0x03000001 CommandCompleted+",
            ],
        ),
        hole(
            "Hierarchy ID",
            Space::port(ENDPOINT).extended(0x28, &[0x9000_0408, 0x0001_0003, 0x11, 0x2233_4455, 6, 7, 8]),
            &[
                "HierIDSta 0x90000408 Requester 04:01.0 Writeable+ VFConfigurable- Pending- Valid+",
                "Authority 0x03 HierarchyID 0x0001",
            ],
        ),
        hole(
            "FRS queueing",
            Space::port(ROOT).extended(0x21, &[0x0003_0002, 0x0001_0001, 0x0023_0108]),
            &[
                "FRSQueue 0x00230108 Function 01:01.0 Reason 3 Depth 2",
                "not read the messages behind the oldest one",
            ],
        ),
        hole(
            "Readiness Time Reporting",
            Space::port(ENDPOINT).extended(0x22, &[0x8080_aa1e, 0x0080_a00a]),
            &[
                "ResetTime 1006632960 ns DLUpTime 10485760 ns Valid+",
                "FLRTime 10 ns D3hotToD0Time 10485760 ns",
            ],
        ),
        hole(
            "DPA",
            Space::port(ENDPOINT).extended(0x16, &[0x0503_2104, 0x18, 0x0002_0102, 0x0a14_1e28, 5]),
            &["Substates 5 Tlunit 10 ms PAS 0.1x Xlcy0 30 ms Xlcy1 50 ms", "substate[4] DPAPwrAlloc 0x05"],
        ),
        hole(
            "Multicast",
            Space::port(DOWNSTREAM).extended(
                0x12,
                &[0x8003_9a3f, 0xfe00_000e, 0x12, 5, 6, 7, 8, 9, 0x8000_0000, 0xd000_0014, 0x34],
            ),
            &[
                "MaxGroups 64 WindowSz 64 MiB ECRCRegen+",
                "McastReceiveVec 0x0000000600000005",
                "McastOverlayBAR 0x00000034d0000014 OverlaySize 1 MiB BaseAddr 0x34d0000000",
            ],
        ),
    ]
}

fn physical() -> Vec<Hole> {
    vec![
        hole(
            "8 GT/s presets per lane",
            Space::port(ENDPOINT).extended(0x19, &[0x0e02, 0x8000_0005, 0x5834_2514, 0]),
            &[
                "LaneErrStat 0x80000005 lane 0, 2, 31",
                "lane[0] LaneEqCtl 0x2514 DSPTxPreset P4 DSPRxHint -7 dB USPTxPreset P5 USPRxHint -8 dB",
                "lane[1] LaneEqCtl 0x5834 DSPTxPreset P4 DSPRxHint -9 dB USPTxPreset P8 USPRxHint -11 dB",
            ],
        ),
        hole(
            "16 GT/s presets and parity per lane",
            Space::port(ENDPOINT).extended(0x26, &[0, 0, 0x1f, 5, 2, 0, 0, 0x5443_2210]),
            &[
                "Phy16LocalParity 0x00000005 lane 0, 2",
                "Phy16FirstRetimerParity 0x00000002 lane 1",
                "Phy16SecondRetimerParity 0x00000000 no lane",
                "lane[3] Phy16LaneEqCtl 0x54 DSPTxPreset P4 USPTxPreset P5",
            ],
        ),
        hole(
            "32 GT/s presets per lane",
            Space::port(ENDPOINT).extended(
                0x2a,
                &[0x0503, 0x0202, 0x06af, 0x1e98_001a, 0x0312_3456, 0x1e98_0022, 0x0100_0001, 0x5443_2210],
            ),
            &[
                "Phy32RxModTs1 0x1e98001a UsageMode Alternate Protocol Information1 0x0003 VendorID 0x1e98",
                "lane[3] Phy32LaneEqCtl 0x54 DSPTxPreset P4 USPTxPreset P5",
            ],
        ),
        hole(
            "64 GT/s presets per lane",
            Space::port(ENDPOINT).extended(0x31, &[0, 0, 0xaf, 0x8765_4321]),
            &[
                "Phy64Sta 0x000000af EquComplete+",
                "lane[3] Phy64LaneEqCtl 0x87 DSPTxPreset P7 USPTxPreset P8",
            ],
        ),
        hole(
            "128 GT/s",
            Space::port(ENDPOINT).extended(0x39, &[1, 0, 0xaf, 0x8765_4321]),
            &[
                "Phy128Cap 0x00000001 Speeds2 0x01",
                "Phy128Sta 0x000000af EquComplete+",
                "lane[3] Phy128LaneEqCtl 0x87 DSPTxPreset P7 USPTxPreset P8",
            ],
        ),
        hole(
            "lane margining status",
            Space::port(ENDPOINT).extended(0x27, &[0x0003_0001, 0x9c38, 0x101e_0a1e, 0, 0]),
            &[
                "MargReady+ MargSoftReady+",
                "lane[1] LaneMargSta 0x101e Receiver Rx(F) Type step margin to timing offset Usage- Payload 0x10",
                "not read the margins: to measure one takes writes of commands, which disturb the link",
            ],
        ),
        hole(
            "Data Link Feature",
            Space::port(ENDPOINT).extended(0x25, &[0x8000_0047, 0x8000_0091]),
            &[
                "DLFCap 0x80000047 ScaledFC+ ImmReadiness+ EVC 1 L0p less than 4 µs Exchange+",
                "DLFSta 0x80000091 ScaledFC+ ImmReadiness- EVC 4 L0p less than 16 µs Valid+",
            ],
        ),
        hole(
            "Flit logging",
            Space::port(ENDPOINT).extended(0x32, &[0x8123_4567, 0, 0x1f, 0, 0, 0, 0, 0, 0]),
            &["Log1 0x81234567 Valid+ Link Width x8 Flit offset 6 Consecutive errors 0x05"],
        ),
        hole(
            "Flit error injection",
            Space::port(ENDPOINT).extended(0x34, &[0, 0x0400_0001, 1, 3, 0x0203_0101, 0, 0, 0]),
            &[
                "FlitEiCtl1 0x04000001 En+",
                "FlitEiSts 0x00000003 Tx error Rx not started",
                "FlitEiOsCtl1 0x02030101 En+",
            ],
        ),
        hole(
            "Flit performance",
            Space::port(ENDPOINT).extended(0x33, &[0x0803, 0x1109_5103, 0x640e, 0x0205, 0x0001_0083]),
            &[
                "FlitPerfSta 0x0000640e Status completed Tracked 3 Int- Latency 800 ns",
                "ltssm[0] LTSSMPerfSta 0x00000205 Status started Tracked 1 Int- Time 128 µs",
            ],
        ),
    ]
}

/// The folder that the kernel makes for the mailboxes of a function.
const FEATURES: &[(&str, &str)] = &[
    ("doe_features/doe_discovery", "0001:00\n"),
    ("doe_features/0001:01", "0001:01\n"),
    ("doe_features/1e98:02", "1e98:02\n"),
];

fn protocols() -> Vec<Hole> {
    let ide = [
        0x0301_20ff,
        4,
        0x5508_0d91,
        0x8000_0002,
        0x6610_0001,
        0,
        2,
        0x7750_0301,
        2,
        0x0012_3400,
        0x0112_0001,
        0xfff0_8001,
        1,
        2,
        0,
        3,
        4,
        0,
        0x8880_0000,
        0,
        0,
        0,
    ];
    let doe = Space::port(ENDPOINT).extended(0x2e, &[0x3007, 0x0a, 0x15, 0x1234_5678, 0x1234_5678]);
    let said: &[&str] = &[
        "DOESta 0x00000015 Busy+ IntSta- Error+ AsyncSta- AtAttn+ ObjectReady-",
        "doe_features 0001:00 DOE Discovery, 0001:01 CMA/SPDM, 1e98:02 CXL Table Access (CDAT)",
        "not read the mailbox: objects go in by writes",
    ];
    let svc = [1, 0, 1, 0, 0, 0x8000_0001, 0, 0x3300, 0xe800_0208, 2];
    vec![
        Hole { name: "DOE", space: doe, files: FEATURES, expected: said },
        hole(
            "DOE, kernel without doe_features",
            Space::port(ENDPOINT).extended(0x2e, &[0; 5]),
            &["doe_features the source does not tell"],
        ),
        hole(
            "IDE",
            Space::port(ROOT).extended(0x30, &ide),
            &[
                "IDECap 0x030120ff Lnk+ Sel+",
                "link_stream[0] LinkIDECtl 0x55080d91 En+",
                "selective_stream[0].address_association[0] IDEAddr1 0xfff08001",
            ],
        ),
        hole(
            "Streamlined VC",
            Space::port(ROOT).extended(0x35, &svc),
            &[
                "vc[1] SVCResCap 0x00003300 Protocols UIO, or as virtual channel 0 ID 3",
                "vc[1] SVCResSta 0x00000002 NegoPending+",
            ],
        ),
        hole(
            "MMIO Register Block Locator",
            Space::port(ENDPOINT).extended(0x36, &[0x18, 0x0001_0100, 0, 0x8000_ff02, 1]),
            &[
                "locator[0] Locator 0x0000000000010100 BIR BAR0 ID MMIO Capabilities (MCAP) offset 0x10000",
                "locator[1] Locator 0x000000018000ff02 BIR BAR2 ID MMIO Designated Vendor-Specific (MDVS) offset 0x180000000",
            ],
        ),
        hole(
            "Device 3",
            Space::port(ENDPOINT).extended(0x2f, &[0x1dae, 0x0193, 0x18]),
            &[
                "14-Bit Tag Completer+ 14-Bit Tag Requester+ L0p+",
                "DevSta3 0x00000018 Initial Link Width x1 Segment Captured+ Remote L0p+",
            ],
        ),
        hole(
            "Captured Data",
            Space::port(ENDPOINT).extended(0x3a, &[0xdead_beef]),
            &["not decoded 100 0x0001003a 0xdeadbeef"],
        ),
        hole(
            "MR-IOV",
            Space::port(ENDPOINT).extended(0x11, &[0xdead_beef]),
            &["not decoded 100 0x00010011 0xdeadbeef"],
        ),
    ]
}

fn dvsec() -> Vec<Hole> {
    let device = [0x001e_0000, 1, 0, 0, 0, 0x0003, 0, 0x2000_0000, 0, 0, 0, 0];
    let device2 = [&device[..], &[0x0c]].concat();
    let space = |port, id, revision, length, body: &[u32]| {
        Space::port(port).extended(0x23, &cxl(id, revision, length, body))
    };
    vec![
        hole(
            "CXL DVSEC 0, revision 0",
            space(INTEGRATED, 0, 0, 0x38, &device),
            &[
                "PCIe DVSEC for CXL Devices (CXL) dvsec",
                "CXLCap 0x001e Cache- IO+ Mem+ MemHWInit+ HDMCount 1",
                "CXLLock 0x0000 Lock- cxl_range[0] RangeSizeHigh 0x00000000 cxl_range[0] RangeSizeLow 0x00000003 Valid+ Active+",
            ],
        ),
        hole(
            "CXL DVSEC 0, revision 2",
            space(INTEGRATED, 0, 2, 0x3c, &device2),
            &["CXLCtl2 0x0000", "CXLCap3 0x000c ColdReset- WarmReset- HotReset+ HotResetConfigurability+"],
        ),
        hole(
            "CXL DVSEC 2",
            space(INTEGRATED, 2, 0, 0x2c, &[0, 0x8000_0001, 2, 3, 4, 5, 6, 7, 8]),
            &[
                "Non-CXL Function Map DVSEC (CXL) dvsec",
                "non_cxl_function_map[0] FuncMap 0x80000001",
                "non_cxl_function_map[7] FuncMap 0x00000008",
            ],
        ),
        hole(
            "CXL DVSEC 3",
            space(ROOT, 3, 0, 0x28, &[0x0001_0000, 0x0201_0003, 0x2010_0500, 0xfff0_0010, 1, 2, 0x2001, 3]),
            &[
                "CXL Extensions DVSEC for Ports (CXL) dvsec",
                "CXLPortSta 0x0001 PMComplete+ Viral-",
                "AlternateBusBase 0x01 AlternateBusLimit 0x02",
                "AlternateMemBase 0x0500 0x5000000 AlternateMemLimit 0x2010 0x201fffff",
                "AlternatePrefMemBaseHigh 0x00000001 AlternatePrefMemLimitHigh 0x00000002",
                "CXLRCRBBase 0x00002001 Enable+",
            ],
        ),
        hole(
            "CXL DVSEC 4",
            space(ROOT, 4, 0, 0x10, &[0, 0x0203_0304]),
            &[
                "GPF DVSEC for CXL Ports (CXL) dvsec",
                "GPFPhase1Ctl 0x0304 Base 4 ms Scale 1 ms GPFPhase2Ctl 0x0203 Base 300 µs Scale 100 µs",
            ],
        ),
        hole(
            "CXL DVSEC 5",
            space(INTEGRATED, 5, 0, 0x10, &[0x0304_0000, 25]),
            &[
                "GPF DVSEC for CXL Devices (CXL) dvsec",
                "GPFPhase2Dur 0x0304 Base 4 ms Scale 1 ms GPFPhase2Power 0x00000019 0.025 W",
            ],
        ),
        hole(
            "CXL DVSEC 7",
            space(ROOT, 7, 2, 0x20, &[0x0027_0000, 0x0027_0027, 0x00ab_cdef, 1, 1, 1]),
            &[
                "PCIe DVSEC for Flex Bus Port (CXL) dvsec",
                "FBCap 0x0027 Cache+ IO+ Mem+ 68BFlit+ MltLogDev- 256BFlit-",
                "FBModTS 0x00abcdef",
                "FBCtl2 0x00000001 NOPHint+",
            ],
        ),
        hole(
            "CXL DVSEC 8",
            space(INTEGRATED, 8, 0, 0x1c, &[0, 0x0001_0100, 0, 0x8000_0302, 1]),
            &[
                "Register Locator DVSEC (CXL) dvsec",
                "register_block[0] Block 0x0000000000010100 BIR BAR0 ID component registers offset 0x10000",
                "register_block[1] Block 0x0000000180000302 BIR BAR2 ID CXL device registers offset 0x180000000",
            ],
        ),
        hole(
            "CXL DVSEC 9",
            space(INTEGRATED, 9, 0, 0x10, &[0x0004_0000, 2]),
            &["MLD DVSEC (CXL) dvsec", "NumLogDevs 0x0004 LDHotReset 0x0002"],
        ),
        hole(
            "CXL DVSEC 0xa",
            space(INTEGRATED, 0xa, 0, 0x18, &[0x0001_0000, 1, 0, 0x1000_0000, 2]),
            &[
                "PCIe DVSEC for Test Capability (CXL) dvsec",
                "TestLock 0x0001 Lock+ TestCap1 0x00000001",
                "TestBaseLow 0x10000000 IO- Type 32-bit",
            ],
        ),
        Hole {
            files: &[
                ("rcd_link_cap", "7a504105\n"),
                ("rcd_link_ctrl", "40\n"),
                ("rcd_link_status", "1084\n"),
            ],
            ..hole(
                "link of a Restricted CXL Device",
                space(INTEGRATED, 0, 0, 0x38, &device),
                &[
                    "link of the Restricted CXL Device registers in memory space, from the kernel's rcd_link_cap, rcd_link_ctrl, rcd_link_status",
                    "LnkCap 0x7a504105 Speed 32 GT/s Width x16",
                    "LnkCtl 0x0040 ASPM none",
                    "LnkSta 0x1084 Speed 16 GT/s Width x8",
                ],
            )
        },
        hole(
            "other DVSEC",
            Space::port(ENDPOINT).extended(0x23, &[0x0140_8086, 0xbeef_0005, 0x1234_5678, 9]),
            &[
                "Designated Vendor-Specific Extended Capability (Intel Corporation, DVSEC ID 0x0005) dvsec",
                "DVSEC 0x01408086 Vendor 0x8086 Rev 0 Len 20 bytes DVSEC2 0x0005",
                "not decoded 108 0xbeef0005 0x12345678 0x00000009",
            ],
        ),
        hole(
            "VSEC",
            Space::port(ENDPOINT).extended(0x0b, &[0x0540_1234, 0xdead_beef, 0x1234_5678]),
            &["not decoded 108 0xdeadbeef 0x12345678", "not decoded 12 bytes more (-x shows them)"],
        ),
    ]
}

fn values() -> Vec<Hole> {
    vec![
        hole(
            "LTR in nanoseconds",
            Space::port(ENDPOINT).extended(0x18, &[0x1003_0c47]),
            &["Max snoop latency 0x0c47 2326528 ns Max no snoop latency 0x1003 3145728 ns"],
        ),
        hole(
            "L1 PM Substates in time",
            Space::port(ENDPOINT).extended(0x1e, &[0x0028_0a1f, 0x40a0_3c0f, 0x31]),
            &[
                "PortCommonModeRestoreTime 10 µs PortTPowerOnScale 2 µs PortTPowerOnTime 10 µs",
                "T_CommonMode 60 µs LTR1.2_Threshold 163840 ns LTR1.2_Scale 1024 ns",
                "T_PwrOnScale 10 µs T_PwrOn 60 µs",
            ],
        ),
        hole(
            "slot power limit in watts",
            Space::port(DOWNSTREAM).with(0x40, 0x0162_0010).with(0x54, 0x2580),
            &["PowerLimit 75 W"],
        ),
        hole(
            "captured power limit in watts",
            Space::port(ENDPOINT).with(0x44, 250 << 18),
            &["SlotPowerLimit 500 W SlotPowerLimitScale 1 W", "slot power limit 500 W"],
        ),
        hole(
            "ATS page aligned",
            Space::port(ENDPOINT).extended(0x0f, &[0x8001_0022]),
            &["ATSCap 0x0022 Invalidate Queue Depth 2 PageAligned+"],
        ),
        hole(
            "power budgeting",
            Space::port(ENDPOINT).extended(4, &[0x1203, 0xd7, 1]),
            &[
                "PwrDataSel 0x03",
                "reserved 0x12 reserved byte at 0x105 is not zero",
                "not read the other entries of the list: which one the data register shows takes a write to Data Select",
            ],
        ),
        hole(
            "reserved bits",
            Space::port(ENDPOINT).with(0x68, 0x0001_0000).extended(0x26, &[0x10, 0x20, 0, 0, 0, 0, 0, 0]),
            &[
                "DevSta2 0x0001 reserved bits set: 0x1",
                "Phy16Cap 0x00000010 reserved bits set: 0x10",
                "Phy16Ctl 0x00000020 reserved bits set: 0x20",
            ],
        ),
    ]
}
