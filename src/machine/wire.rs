//! What goes over the socket between the program and its workers: fixed-size orders, length-prefixed answers.
//!
//! Both ends are the same program, forked; the format is not kept anywhere.

use std::io::{self, Read};

use nix::errno::Errno;

use crate::pci::{Bdf, ConfigSpace};
use crate::tree::Cause;

use super::reading::{Answer, Asleep, Depth, Order, Reading};
use super::vital_product_data::VitalProductData;

/// Bytes of an order.
pub const ORDER_SIZE: usize = 12;
/// Longest answer that is accepted.
const LONGEST: usize = 16 << 20;

/// Encodes an order.
pub fn order(order: &Order) -> [u8; ORDER_SIZE] {
    let mut bytes = [0; ORDER_SIZE];
    bytes[..4].copy_from_slice(&order.address.domain.to_le_bytes());
    bytes[4..7].copy_from_slice(&[order.address.bus, order.address.device, order.address.function]);
    bytes[7] = order.depth as u8;
    bytes[8] = order.bridge_asleep.into();
    bytes[9] = order.wake.into();
    bytes[10] = order.remembered.into();
    bytes[11] = order.vital_product_data.into();
    bytes
}

/// Decodes an order.
pub fn parse_order(bytes: &[u8; ORDER_SIZE]) -> Option<Order> {
    let domain = u32::from_le_bytes(bytes[..4].try_into().ok()?);
    let depth = [Depth::Summary, Depth::Detail, Depth::Full, Depth::Bytes]
        .into_iter()
        .find(|d| *d as u8 == bytes[7])?;
    Some(Order {
        address: Bdf { domain, bus: bytes[4], device: bytes[5], function: bytes[6] },
        depth,
        bridge_asleep: bytes[8] != 0,
        wake: bytes[9] != 0,
        remembered: bytes[10] != 0,
        vital_product_data: bytes[11] != 0,
    })
}

/// Encodes an answer with its length in front.
pub fn answer(reading: &Reading) -> Vec<u8> {
    let mut out = vec![0; 4];
    let a = reading.address;
    out.extend(a.domain.to_le_bytes());
    out.extend([a.bus, a.device, a.function]);
    out.push(match reading.asleep {
        None => 0,
        Some(Asleep::PowerState) => 1,
        Some(Asleep::RuntimeSuspended) => 2,
        Some(Asleep::BridgeAbove) => 3,
    });
    out.extend(reading.config_size.map_or(u64::MAX, |s| s).to_le_bytes());
    out.extend(reading.config_reads.to_le_bytes());
    match reading.config_error {
        None => out.push(0),
        Some((offset, cause)) => {
            out.push(1);
            out.extend(offset.to_le_bytes());
            put_cause(&mut out, cause);
        }
    }
    out.extend(reading.space.limit().to_le_bytes());
    let pieces: Vec<_> = reading.space.pieces().collect();
    out.extend((pieces.len() as u16).to_le_bytes());
    for (offset, bytes) in pieces {
        out.extend(offset.to_le_bytes());
        put_bytes(&mut out, bytes);
    }
    out.extend((reading.answers.len() as u16).to_le_bytes());
    for (index, answer) in &reading.answers {
        out.push(*index);
        match answer {
            Ok(text) => {
                out.push(0);
                put_bytes(&mut out, text.as_bytes());
            }
            Err(cause) => {
                out.push(1);
                put_cause(&mut out, *cause);
            }
        }
    }
    match &reading.vital_product_data {
        None => out.push(0),
        Some(VitalProductData { bytes, error }) => {
            out.push(if error.is_some() { 2 } else { 1 });
            put_bytes(&mut out, bytes);
            if let Some(cause) = error {
                put_cause(&mut out, *cause);
            }
        }
    }
    let length = (out.len() - 4) as u32;
    out[..4].copy_from_slice(&length.to_le_bytes());
    out
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend((bytes.len() as u32).to_le_bytes());
    out.extend(bytes);
}

fn put_cause(out: &mut Vec<u8>, cause: Cause) {
    let (kind, value) = match cause {
        Cause::Errno(errno) => (0, errno as u32),
        Cause::NotCaptured => (1, 0),
        Cause::Escapes => (2, 0),
        Cause::NotRegular => (3, 0),
        Cause::TooLong(limit) => (4, limit as u32),
        Cause::TimedOut(milliseconds) => (5, milliseconds),
        Cause::TooMany(limit) => (6, limit as u32),
        // Only logs that a person names are foreign; no function has one.
        Cause::Damaged | Cause::Foreign(_) => (7, 0),
    };
    out.push(kind);
    out.extend(value.to_le_bytes());
}

/// Receives an answer. An error of the kind `WouldBlock` if the worker stopped in the middle of it and the socket has a
/// time limit; other errors if it ended or sent something else.
pub fn receive(socket: &mut impl Read) -> io::Result<Reading> {
    let mut length = [0; 4];
    socket.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length) as usize;
    if length > LONGEST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut bytes = vec![0; length];
    socket.read_exact(&mut bytes)?;
    parse_answer(&mut bytes.as_slice()).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

fn take<'a>(input: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = input.split_at_checked(length)?;
    *input = rest;
    Some(taken)
}

fn number(input: &mut &[u8], width: usize) -> Option<u64> {
    Some(take(input, width)?.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)))
}

fn bytes<'a>(input: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = number(input, 4)? as usize;
    take(input, length)
}

fn cause(input: &mut &[u8]) -> Option<Cause> {
    let kind = number(input, 1)?;
    let value = number(input, 4)? as u32;
    Some(match kind {
        0 => Cause::Errno(Errno::from_raw(value as i32)),
        1 => Cause::NotCaptured,
        2 => Cause::Escapes,
        3 => Cause::NotRegular,
        4 => Cause::TooLong(value as usize),
        5 => Cause::TimedOut(value),
        6 => Cause::TooMany(value as usize),
        7 => Cause::Damaged,
        _ => return None,
    })
}

fn parse_answer(input: &mut &[u8]) -> Option<Reading> {
    let address = Bdf {
        domain: number(input, 4)? as u32,
        bus: number(input, 1)? as u8,
        device: number(input, 1)? as u8,
        function: number(input, 1)? as u8,
    };
    let mut reading = Reading::empty(address);
    reading.asleep = match number(input, 1)? {
        0 => None,
        1 => Some(Asleep::PowerState),
        2 => Some(Asleep::RuntimeSuspended),
        3 => Some(Asleep::BridgeAbove),
        _ => return None,
    };
    reading.config_size = Some(number(input, 8)?).filter(|size| *size != u64::MAX);
    reading.config_reads = number(input, 4)? as u32;
    if number(input, 1)? == 1 {
        reading.config_error = Some((number(input, 2)? as u16, cause(input)?));
    }
    reading.space = ConfigSpace::new(number(input, 2)? as u16);
    for _ in 0..number(input, 2)? {
        let offset = number(input, 2)? as u16;
        reading.space.store(offset, bytes(input)?);
    }
    for _ in 0..number(input, 2)? {
        let index = number(input, 1)? as u8;
        let answer: Answer = match number(input, 1)? {
            0 => Ok(String::from_utf8(bytes(input)?.to_vec()).ok()?),
            _ => Err(cause(input)?),
        };
        reading.answers.push((index, answer));
    }
    reading.vital_product_data = match number(input, 1)? {
        0 => None,
        1 => Some(VitalProductData { bytes: bytes(input)?.to_vec(), error: None }),
        _ => Some(VitalProductData { bytes: bytes(input)?.to_vec(), error: Some(cause(input)?) }),
    };
    input.is_empty().then_some(reading)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_survive_the_socket() {
        let address = Bdf { domain: 0x10000, bus: 0x82, device: 31, function: 7 };
        let mut reading = Reading::failed(address, Cause::TimedOut(2000));
        reading.space = ConfigSpace::new(256);
        reading.space.store(0, &[1, 2, 3, 4]);
        reading.space.store(0x40, &[5; 16]);
        reading.asleep = Some(Asleep::BridgeAbove);
        reading.config_size = Some(4096);
        reading.answers = vec![
            (0, Ok("D3cold".into())),
            (3, Err(Cause::Errno(Errno::EINVAL))),
            (4, Err(Cause::NotCaptured)),
            (5, Err(Cause::TooMany(65_536))),
        ];
        let data = |error| Some(VitalProductData { bytes: vec![0x82, 0, 0xff], error });
        for vital_product_data in [None, data(None), data(Some(Cause::Errno(Errno::ETIMEDOUT)))] {
            reading.vital_product_data = vital_product_data;
            let sent = answer(&reading);
            let received = receive(&mut sent.as_slice()).unwrap();
            assert_eq!(format!("{received:?}"), format!("{reading:?}"));
            for length in 0..sent.len() {
                assert!(receive(&mut &sent[..length]).is_err(), "cut at {length}");
            }
        }
    }

    #[test]
    fn orders_survive_the_socket() {
        let address = Bdf { domain: u32::MAX, bus: 1, device: 2, function: 3 };
        let sent = Order {
            address,
            depth: Depth::Bytes,
            bridge_asleep: true,
            wake: false,
            remembered: true,
            vital_product_data: true,
        };
        let received = parse_order(&order(&sent)).unwrap();
        assert_eq!(format!("{received:?}"), format!("{sent:?}"));
    }
}
