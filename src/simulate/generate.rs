//! Descriptions of machines of any size, for benches and for tools that must not fall over.

use std::fmt::Write;

/// Most functions that one description may have: a domain has 256 buses, and domains are added as needed.
pub const MOST_FUNCTIONS: u64 = 1 << 20;

/// A description with that many functions: root ports with an endpoint each, 100 of them below a host bridge, in as many
/// domains as it takes.
pub fn description(functions: u64) -> String {
    const PAIRS_IN_A_DOMAIN: u64 = 240;
    let mut text = HEAD.to_owned();
    let pairs = functions / 2;
    let domains = pairs.div_ceil(PAIRS_IN_A_DOMAIN).max(1);
    for domain in 0..domains {
        let acpi = format!("PNP0A08:{:02x}", domain & 0xff);
        _ = write!(
            text,
            "\n[[host_bridge]]\ndomain = {domain}\nacpi = \"{acpi}\"\nmemory = [0x90000000, 0xdfffffff]\n\
             high_memory = [{:#x}, {:#x}]\n",
            0x100_0000_0000u64 + (domain << 36),
            0x100_0000_0000u64 + ((domain + 1) << 36) - 1
        );
    }
    for pair in 0..pairs {
        let (domain, place) = (pair / PAIRS_IN_A_DOMAIN, pair % PAIRS_IN_A_DOMAIN);
        let (device, function, bus) = (1 + place / 8, place % 8, 1 + place);
        _ = write!(
            text,
            "\n[[function]]\naddress = \"{domain:04x}:00:{device:02x}.{function}\"\npart = \"port\"\n\
             buses = [{bus}, {bus}]\n\n[[function]]\naddress = \"{domain:04x}:{bus:02x}:00.0\"\npart = \"drive\"\n"
        );
    }
    if functions % 2 == 1 {
        text += "\n[[function]]\naddress = \"0000:00:00.0\"\npart = \"root-complex\"\n";
    }
    text
}

const HEAD: &str = r#"title = "A generated machine"
kernel = "6.12"

[part.root-complex]
ids = "8086:09a2"
class = 0x060000

[part.port]
ids = "8086:352a"
subsystem = "8086:0000"
class = 0x060400
port = "root-port"
maximum = { speed = "32", width = 4 }
current = { speed = "16", width = 4 }
payload = { supported = 512, set = 256 }
driver = "pcieport"
capabilities = ["power@40", "express@48", "msi@90", "aer@100", "acs@148", "secondary@160"]

[part.drive]
ids = "144d:a80a"
subsystem = "144d:a801"
class = 0x010802
port = "endpoint"
maximum = { speed = "16", width = 4 }
payload = { supported = 256 }
driver = "nvme"
vectors = 4
interrupt_name = "nvmeq{}"
reset_methods = "flr bus"
msix = { vectors = 16, bar = 0, table = 0x3000, pending = 0x2000 }
capabilities = ["power@40", "express@70", "msix@b0", "aer@100", "secondary@178"]
bars = [{ bar = 0, size = "16K", kind = "memory64" }]
"#;
