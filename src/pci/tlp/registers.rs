//! The doublewords of a logged packet as registers, once for each log: their paths and offsets differ, nothing else.

/// Declares the doublewords of a header log and of a prefix log, and the function that places them.
macro_rules! logged_packet {
    (
        header in $header:literal at $first:literal $second:literal $third:literal $fourth:literal,
        prefix in $prefix:literal at $prefixes:literal
    ) => {
        use $crate::pci::decode::Builder;
        use $crate::pci::quantity::ltr_latency;
        use $crate::pci::register::{Meaning, Quantity, Register, RegisterType};
        use $crate::pci::tlp::names::{self, Kind};
        use $crate::pci::tlp::registers::header_log;
        use $crate::register;

        register! {
            /// First doubleword of the logged packet: what it is.
            pub struct Packet(u32) at $first in $header, "packet", "TLP", "PCIe 6.2, 2.2.1.1" {
                /// Format and type.
                31:24 fmt_and_type Ros "Type" = names::FMT_AND_TYPE,
                /// Bit 9 of the tag.
                23 tag_9 Ros "T9",
                /// Traffic class.
                22:20 traffic_class Ros "TC",
                /// Bit 8 of the tag.
                19 tag_8 Ros "T8",
                /// May pass packets of other requesters.
                18 id_based_ordering Ros "IDO",
                /// A lightweight notification; reserved since PCI Express 6.0.
                17 lightweight_notification Ros "LN",
                /// Has a processing hint and a steering tag.
                16 tlp_processing_hints Ros "TH",
                /// Has a digest behind its data (ECRC).
                15 tlp_digest Ros "TD",
                /// The sender marked its data as bad.
                14 error_poisoned Ros "EP",
                /// May pass other packets.
                13 relaxed_ordering Ros "RO",
                /// Caches need not be asked.
                12 no_snoop Ros "NS",
                /// Whether the address was translated by the device; memory requests only.
                11:10 address_type Ros "AT" = names::ADDRESS_TYPE,
                /// Length of the data, or of what is asked for; 0 stands for 1024.
                9:0 length Ros "Length" = Meaning::Quantity(|raw| Quantity::Doublewords(if raw == 0 { 1024 } else { raw })),
            }
            /// First doubleword of a logged message or completion without data: Length is reserved.
            pub struct PacketWithoutData(u32) at $first in $header, "packet_without_data", "TLP", "PCIe 6.2, 2.2.1.1" {
                /// Format and type.
                31:24 fmt_and_type Ros "Type" = names::FMT_AND_TYPE,
                /// Bit 9 of the tag.
                23 tag_9 Ros "T9",
                /// Traffic class.
                22:20 traffic_class Ros "TC",
                /// Bit 8 of the tag.
                19 tag_8 Ros "T8",
                /// May pass packets of other requesters.
                18 id_based_ordering Ros "IDO",
                /// Has a processing hint; reserved for what is no request to memory.
                16 tlp_processing_hints Ros "TH",
                /// Has a digest (ECRC).
                15 tlp_digest Ros "TD",
                /// The sender marked its data as bad; it has none.
                14 error_poisoned Ros "EP",
                /// May pass other packets.
                13 relaxed_ordering Ros "RO",
                /// Caches need not be asked.
                12 no_snoop Ros "NS",
            }
            /// First doubleword of the logged packet in Flit Mode. The others are not decoded: what they mean depends on the type
            /// and on Orthogonal Header Content.
            pub struct FlitPacket(u32) at $first in $header, "flit_packet", "TLP", "PCIe 6.2, 2.2.1.2" {
                /// Type; the encodings are not those of Non-Flit Mode.
                31:24 flit_mode_type Ros "Type" = Meaning::Hex,
                /// Traffic class.
                23:21 traffic_class Ros "TC",
                /// Which Orthogonal Header Content follows the header base.
                20:16 orthogonal_header_content Ros "OHC" = Meaning::Hex,
                /// Which trailer follows the data.
                15:13 trailer_size Ros "TS" = Meaning::Hex,
                /// ID-based ordering, relaxed ordering, no snoop.
                12:10 attributes Ros "Attr" = Meaning::Hex,
                /// Length of the data, or of what is asked for; 0 stands for 1024. Means nothing for types without either.
                9:0 length Ros "Length" = Meaning::Quantity(|raw| Quantity::Doublewords(if raw == 0 { 1024 } else { raw })),
            }
            /// Second doubleword of a logged memory, I/O or configuration request.
            pub struct Request(u32) at $second in $header, "request", "TLP Request", "PCIe 6.2, 2.2.7" {
                /// Who made the request.
                31:16 requester_id Ros "Requester" = Meaning::Quantity(|raw| Quantity::RequesterId(raw as u16)),
                /// Bits 7:0 of the tag.
                15:8 tag Ros "Tag" = Meaning::Hex,
                /// Bytes of the last doubleword that are meant, bit 4 = the lowest address; 0 if there is one doubleword.
                7:4 last_dw_byte_enables Ros "LastBE" = Meaning::Hex,
                /// Bytes of the first doubleword that are meant, bit 0 = the lowest address.
                3:0 first_dw_byte_enables Ros "FirstBE" = Meaning::Hex,
            }
            /// Second doubleword of a logged memory write with a processing hint: the steering tag has the place of the tag, which
            /// a request that nobody answers does not need.
            pub struct SteeredWrite(u32) at $second in $header, "steered_write", "TLP Request", "PCIe 6.2, 2.2.7.1.1" {
                /// Who made the request.
                31:16 requester_id Ros "Requester" = Meaning::Quantity(|raw| Quantity::RequesterId(raw as u16)),
                /// Bits 7:0 of the steering tag; bits 15:8 are in a prefix, if there is one.
                15:8 steering_tag Ros "ST" = Meaning::Hex,
                /// Bytes of the last doubleword that are meant, bit 4 = the lowest address; 0 if there is one doubleword.
                7:4 last_dw_byte_enables Ros "LastBE" = Meaning::Hex,
                /// Bytes of the first doubleword that are meant, bit 0 = the lowest address.
                3:0 first_dw_byte_enables Ros "FirstBE" = Meaning::Hex,
            }
            /// Second doubleword of a logged memory read or AtomicOp with a processing hint: the steering tag has the place of the
            /// byte enables.
            pub struct SteeredRequest(u32) at $second in $header, "steered_request", "TLP Request", "PCIe 6.2, 2.2.7.1.1" {
                /// Who made the request.
                31:16 requester_id Ros "Requester" = Meaning::Quantity(|raw| Quantity::RequesterId(raw as u16)),
                /// Bits 7:0 of the tag.
                15:8 tag Ros "Tag" = Meaning::Hex,
                /// Bits 7:0 of the steering tag; bits 15:8 are in a prefix, if there is one.
                7:0 steering_tag Ros "ST" = Meaning::Hex,
            }
            /// Second doubleword of a logged message.
            pub struct Message(u32) at $second in $header, "message", "TLP Message", "PCIe 6.2, 2.2.8" {
                /// Who sent it; of a message that goes from port to port, the port.
                31:16 requester_id Ros "Requester" = Meaning::Quantity(|raw| Quantity::RequesterId(raw as u16)),
                /// Bits 7:0 of the tag.
                15:8 tag Ros "Tag" = Meaning::Hex,
                /// What the message says.
                7:0 message_code Ros "Code" = names::MESSAGE_CODE,
            }
            /// Second doubleword of a logged completion.
            pub struct Completion(u32) at $second in $header, "completion", "TLP Completion", "PCIe 6.2, 2.2.9.1" {
                /// Who answered.
                31:16 completer_id Ros "Completer" = Meaning::Quantity(|raw| Quantity::RequesterId(raw as u16)),
                /// How the request went.
                15:13 completion_status Ros "Status" = names::COMPLETION_STATUS,
                /// Set by PCI-X only.
                12 byte_count_modified Ros "BCM",
                /// Bytes that remain to be sent, with those of this packet; 0 stands for 4096.
                11:0 byte_count Ros "ByteCount" = Meaning::Quantity(|raw| Quantity::Bytes(Some(if raw == 0 { 4096 } else { raw }))),
            }
            /// Third doubleword of a logged request with a 32-bit address.
            pub struct Address(u32) at $third in $header, "address", "TLP Address", "PCIe 6.2, 2.2.4.1" {
                /// Bits 31:2 of the address in bytes.
                31:2 address Ros "Address" = Meaning::OfRegister(|raw| Quantity::Address(raw & !3)),
                /// Processing hint, with TH only.
                1:0 processing_hint Ros "PH" = names::PROCESSING_HINT,
            }
            /// Third doubleword of a logged request with a 64-bit address.
            pub struct AddressUpper(u32) at $third in $header, "address_upper", "TLP AddressUpper", "PCIe 6.2, 2.2.4.1" {
                /// Bits 63:32 of the address.
                31:0 address Ros "Address" = Meaning::Hex,
            }
            /// Third doubleword of a logged configuration request.
            pub struct Target(u32) at $third in $header, "target", "TLP Target", "PCIe 6.2, 2.2.7.1" {
                /// Who is asked.
                31:16 destination_id Ros "Destination" = Meaning::Quantity(|raw| Quantity::RequesterId(raw as u16)),
                /// Extended Register Number and Register Number: the doubleword's offset in configuration space.
                11:2 register_number Ros "Register" = Meaning::OfRegister(|raw| Quantity::Offset(raw & 0xffc)),
            }
            /// Third doubleword of a logged completion.
            pub struct CompletionRequester(u32) at $third in $header, "completion_requester", "TLP Requester", "PCIe 6.2, 2.2.9.1" {
                /// Whose request is answered.
                31:16 requester_id Ros "Requester" = Meaning::Quantity(|raw| Quantity::RequesterId(raw as u16)),
                /// Bits 7:0 of the tag of that request.
                15:8 tag Ros "Tag" = Meaning::Hex,
                /// Low seven bits of the address of the first byte.
                6:0 lower_address Ros "LowerAddress" = Meaning::Hex,
            }
            /// Third doubleword of a logged message that is routed by ID.
            pub struct MessageTarget(u32) at $third in $header, "message_target", "TLP Target", "PCIe 6.2, 2.2.4.2" {
                /// For whom it is.
                31:16 destination_id Ros "Destination" = Meaning::Quantity(|raw| Quantity::RequesterId(raw as u16)),
            }
            /// Third doubleword of a logged vendor-defined message. The fourth is the vendor's.
            pub struct VendorMessage(u32) at $third in $header, "vendor_message", "TLP Vendor", "PCIe 6.2, 2.2.8.6" {
                /// For whom it is, where it is routed by ID.
                31:16 destination_id Ros "Destination" = Meaning::Quantity(|raw| Quantity::RequesterId(raw as u16)),
                /// Who defined it; 0x0001 is the PCI-SIG.
                15:0 vendor_id Ros "Vendor" = Meaning::Hex,
            }
            /// Fourth doubleword of a logged request with a 64-bit address.
            pub struct AddressLower(u32) at $fourth in $header, "address_lower", "TLP AddressLower", "PCIe 6.2, 2.2.4.1" {
                /// Bits 31:2 of the address; the others are in `address_upper`.
                31:2 address Ros "Address" = Meaning::OfRegister(|raw| Quantity::Address(raw & !3)),
                /// Processing hint, with TH only.
                1:0 processing_hint Ros "PH" = names::PROCESSING_HINT,
            }
            /// Fourth doubleword of a logged message that reports latency tolerance.
            pub struct LatencyTolerance(u32) at $fourth in $header, "latency_tolerance", "TLP LTR", "PCIe 6.2, 2.2.8.8" {
                /// The latency for requests that do not snoop counts.
                31 no_snoop_requirement Ros "NoSnoopReq",
                /// Latency that requests which do not snoop can bear.
                28:16 no_snoop_latency Ros "NoSnoop" = Meaning::Quantity(ltr_latency),
                /// The latency for requests that snoop counts.
                15 snoop_requirement Ros "SnoopReq",
                /// Latency that requests which snoop can bear.
                12:0 snoop_latency Ros "Snoop" = Meaning::Quantity(ltr_latency),
            }
            /// Fourth doubleword of a logged Page Request: which page, and for what. Bits 63:32 of its address are in the third.
            pub struct PageRequest(u32) at $fourth in $header, "page_request", "TLP Page", "PCIe 6.2, 10.4.1" {
                /// Bits 31:12 of the address.
                31:12 page_address Ros "Address" = Meaning::OfRegister(|raw| Quantity::Address(raw & !0xfff)),
                /// Which group of requests it belongs to.
                11:3 page_request_group_index Ros "PRGIndex",
                /// The last request of its group.
                2 last_request_in_prg Ros "Last",
                /// Wants to write.
                1 write_access_requested Ros "Write",
                /// Wants to read.
                0 read_access_requested Ros "Read",
            }
            /// An end-to-end prefix that names a process address space.
            pub struct PasidPrefix(u32) at $prefixes in $prefix, "pasid", "PASID", "PCIe 6.2, 6.20.2" {
                /// Format and type of the prefix.
                31:24 fmt_and_type Ros "Type" = names::FMT_AND_TYPE,
                /// For a process in privileged mode.
                21 privileged_mode_requested Ros "Priv",
                /// To fetch instructions.
                20 execute_requested Ros "Exec",
                /// The process address space.
                19:0 pasid Ros "PASID" = Meaning::Hex,
            }
            /// An end-to-end prefix with more of the steering tag.
            pub struct ExtendedTphPrefix(u32) at $prefixes in $prefix, "extended_tph", "ExtTPH", "PCIe 6.2, 2.2.7.1.1" {
                /// Format and type of the prefix.
                31:24 fmt_and_type Ros "Type" = names::FMT_AND_TYPE,
                /// Bits 15:8 of the steering tag.
                23:16 steering_tag_upper Ros "ST" = Meaning::Hex,
            }
            /// The end-to-end prefix of an encrypted packet.
            pub struct IdePrefix(u32) at $prefixes in $prefix, "ide", "IDE", "PCIe 6.2, 6.33.4" {
                /// Format and type of the prefix.
                31:24 fmt_and_type Ros "Type" = names::FMT_AND_TYPE,
                /// Posted requests that were sent before.
                23:16 pr_sent_counter Ros "PRSent",
                /// Which stream it belongs to.
                15:8 stream_id Ros "Stream",
                /// Which part of the stream.
                6:4 sub_stream Ros "SubStream" = Meaning::Choice(&[(0, "posted"), (1, "non-posted"), (2, "completions")]),
                /// Has a plaintext checksum.
                3 pcrc Ros "P",
                /// Has a message authentication code behind it.
                2 mac Ros "M",
                /// Which of the two sets of keys it is encrypted with.
                1 key_set Ros "K",
                /// Comes from a trusted execution environment.
                0 trusted Ros "T",
            }
            /// An end-to-end prefix whose meaning is a vendor's.
            pub struct VendorPrefix(u32) at $prefixes in $prefix, "vendor", "VendPrefix", "PCIe 6.2, 2.2.10" {
                /// Format and type of the prefix.
                31:24 fmt_and_type Ros "Type" = names::FMT_AND_TYPE,
                /// Chosen by the vendor.
                23:0 content Ros "Content" = Meaning::Hex,
            }
        }

        impl Packet {
            /// Length in doublewords, 1 to 1024.
            pub fn doublewords(self) -> u16 {
                if self.length() == 0 { 1024 } else { self.length() as u16 }
            }
        }

        impl Address {
            /// The address, a multiple of four.
            pub fn bytes(self) -> u64 {
                u64::from(self.0 & !3)
            }
        }

        impl AddressLower {
            /// The lower half of the address, a multiple of four.
            pub fn bytes(self) -> u64 {
                u64::from(self.0 & !3)
            }
        }

        impl Target {
            /// Offset of the doubleword in configuration space.
            pub fn offset(self) -> u16 {
                self.0 as u16 & 0xffc
            }
        }

        impl Completion {
            /// Byte Count, 1 to 4096.
            pub fn bytes(self) -> u16 {
                if self.byte_count() == 0 { 4096 } else { self.byte_count() as u16 }
            }
        }

        /// Every register that [`place`] and [`place_prefixes`] may place.
        pub const REGISTERS: [&Register; 21] = [
            Packet::REGISTER,
            PacketWithoutData::REGISTER,
            FlitPacket::REGISTER,
            Request::REGISTER,
            SteeredWrite::REGISTER,
            SteeredRequest::REGISTER,
            Message::REGISTER,
            Completion::REGISTER,
            Address::REGISTER,
            AddressUpper::REGISTER,
            Target::REGISTER,
            CompletionRequester::REGISTER,
            MessageTarget::REGISTER,
            VendorMessage::REGISTER,
            AddressLower::REGISTER,
            LatencyTolerance::REGISTER,
            PageRequest::REGISTER,
            PasidPrefix::REGISTER,
            ExtendedTphPrefix::REGISTER,
            IdePrefix::REGISTER,
            VendorPrefix::REGISTER,
        ];

        /// Places the doublewords of a header log that holds a packet. One of zeros holds none ([`is_packet`]).
        ///
        /// [`is_packet`]: $crate::pci::tlp::is_packet
        pub fn place(builder: &mut Builder<'_>, flit_mode: bool) {
            let words = [$first, $second, $third, $fourth].map(|at| builder.value(at, 4));
            if words.iter().all(|word| *word == Some(0)) {
                return;
            }
            if flit_mode {
                builder.add_in::<FlitPacket>(0, $first);
                return;
            }
            // The same doubleword of either log.
            let Some(packet) = builder.value($first, 4).map(|raw| header_log::Packet(raw as u32)) else { return };
            let fmt_and_type = packet.fmt_and_type() as u8;
            if names::has_length(packet) {
                builder.add_in::<Packet>(0, $first);
            } else {
                builder.add_in::<PacketWithoutData>(0, $first);
            }
            let kind = names::kind(fmt_and_type);
            match kind {
                Some(Kind::Memory32 | Kind::Atomic32 | Kind::Io) => {
                    request(builder, packet);
                    builder.add_in::<Address>(2, $third);
                }
                Some(Kind::Memory64 | Kind::Atomic64) => {
                    request(builder, packet);
                    builder.add_in::<AddressUpper>(2, $third);
                    builder.add_in::<AddressLower>(3, $fourth);
                }
                Some(Kind::Configuration) => {
                    builder.add_in::<Request>(1, $second);
                    builder.add_in::<Target>(2, $third);
                }
                Some(Kind::Message) => message(builder, fmt_and_type & 7),
                Some(Kind::Completion) => {
                    builder.add_in::<Completion>(1, $second);
                    builder.add_in::<CompletionRequester>(2, $third);
                }
                None => {}
            }
        }

        /// Of a request to memory: with a processing hint the steering tag takes the place of other fields.
        fn request(builder: &mut Builder<'_>, packet: header_log::Packet) {
            match (names::has_steering_tag(packet), names::is_posted(packet)) {
                (false, _) => drop(builder.add_in::<Request>(1, $second)),
                (true, true) => drop(builder.add_in::<SteeredWrite>(1, $second)),
                (true, false) => drop(builder.add_in::<SteeredRequest>(1, $second)),
            }
        }

        /// Of a message only what all of its kind have; data, where it has any, is not logged.
        fn message(builder: &mut Builder<'_>, routing: u8) {
            let Some(message) = builder.add_in::<Message>(1, $second) else { return };
            match (message.message_code() as u8, routing) {
                (code, _) if names::is_vendor_defined(code) => {
                    builder.add_in::<VendorMessage>(2, $third);
                }
                (names::LTR, _) => {
                    builder.add_in::<LatencyTolerance>(3, $fourth);
                }
                (names::PAGE_REQUEST, _) => {
                    builder.add_in::<AddressUpper>(2, $third);
                    builder.add_in::<PageRequest>(3, $fourth);
                }
                (_, names::ROUTED_BY_ID) => {
                    builder.add_in::<MessageTarget>(2, $third);
                }
                (_, names::ROUTED_BY_ADDRESS) => {
                    builder.add_in::<AddressUpper>(2, $third);
                    builder.add_in::<AddressLower>(3, $fourth);
                }
                _ => {}
            }
        }

        /// Places the prefixes of a log that holds some, up to the first that is zero.
        pub fn place_prefixes(builder: &mut Builder<'_>, count: u16) {
            for index in 0..count {
                let at = $prefixes + 4 * index;
                match builder.value(at, 4).map(|raw| (raw, (raw >> 24) as u8)) {
                    None | Some((0, _)) => return,
                    Some((_, names::PASID)) => drop(builder.add_in::<PasidPrefix>(index, at)),
                    Some((_, names::EXTENDED_TPH)) => drop(builder.add_in::<ExtendedTphPrefix>(index, at)),
                    Some((_, names::IDE)) => drop(builder.add_in::<IdePrefix>(index, at)),
                    Some((_, names::VENDOR_0 | names::VENDOR_1)) => drop(builder.add_in::<VendorPrefix>(index, at)),
                    Some(_) => {}
                }
            }
        }
    };
}

/// The header log and the prefix log of Advanced Error Reporting (PCIe 6.2, 7.8.4.8 and 7.8.4.12).
pub mod header_log {
    logged_packet! {
        header in "header_log" at 0x1c 0x20 0x24 0x28,
        prefix in "tlp_prefix_log" at 0x38
    }
}

/// The RP PIO header log and prefix log of Downstream Port Containment (PCIe 6.2, 7.9.14.11 and 7.9.14.13).
pub mod rp_pio_header_log {
    logged_packet! {
        header in "rp_pio_header_log" at 0x20 0x24 0x28 0x2c,
        prefix in "rp_pio_tlp_prefix_log" at 0x34
    }
}
