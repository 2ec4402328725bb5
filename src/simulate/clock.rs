//! Virtual time: durations as people write them, the moment of boot, and numbers that look random and are not.

/// Microseconds since boot.
pub type Microseconds = u64;

/// The longest time that is simulated, ten years; sums and products of such times stay far below 2^64 µs.
pub const LONGEST: Microseconds = 3650 * 86_400_000_000;

/// Parses `500ms`, `45s`, `10m`, `1h30m`. Several units add up; a plain `0` needs none. `None` for what is longer than
/// [`LONGEST`] too.
pub fn duration(text: &str) -> Option<Microseconds> {
    if text == "0" {
        return Some(0);
    }
    let mut total: u64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail.find(|c: char| !c.is_ascii_alphabetic() && c != 'µ').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let scale: u64 = match unit {
            "us" | "µs" => 1,
            "ms" => 1_000,
            "s" => 1_000_000,
            "m" => 60_000_000,
            "h" => 3_600_000_000,
            "d" => 86_400_000_000,
            _ => return None,
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() || fraction.len() > 6 || (number.contains('.') && fraction.is_empty()) {
            return None;
        }
        total = total.checked_add(whole.parse::<u64>().ok()?.checked_mul(scale)?)?;
        if !fraction.is_empty() {
            let part = fraction.parse::<u64>().ok()?.checked_mul(scale)?;
            total = total.checked_add(part / 10u64.pow(fraction.len() as u32))?;
        }
        rest = tail;
    }
    (!text.is_empty() && total <= LONGEST).then_some(total)
}

/// What a duration has to look like, for messages.
pub const DURATION: &str = "a duration such as 500ms, 45s, 10m or 1h30m, ten years at most";

/// The same in the shortest way that can be read back.
pub fn duration_text(mut time: Microseconds) -> String {
    const UNITS: [(&str, u64); 6] = [
        ("d", 86_400_000_000),
        ("h", 3_600_000_000),
        ("m", 60_000_000),
        ("s", 1_000_000),
        ("ms", 1_000),
        ("us", 1),
    ];
    let mut text = String::new();
    for (unit, scale) in UNITS {
        if time >= scale {
            text.push_str(&format!("{}{unit}", time / scale));
            time %= scale;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// Seconds since 1970 of a moment as RFC 3339 writes it: `2025-11-11T23:20:00Z`, `2025-11-11T23:20:00+01:00`.
/// Fractions of a second are left out.
pub fn moment(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| -> Option<i64> {
        let digits = text.get(from..to)?;
        digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
    };
    let separators = [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')];
    if bytes.len() < 20 || separators.iter().any(|(at, c)| bytes[*at] != *c) {
        return None;
    }
    if !matches!(bytes[10], b'T' | b't' | b' ') {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut zone = text.get(19..)?;
    if let Some(fraction) = zone.strip_prefix('.') {
        zone = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
    }
    let offset = match zone.as_bytes() {
        b"Z" | b"z" => 0,
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let start = text.len() - 5;
            let minutes = number(start, start + 2)? * 60 + number(start + 3, start + 5)?;
            if *sign == b'-' { -minutes } else { minutes }
        }
        _ => return None,
    };
    // Days since 1970 (the usual calculation for the Gregorian calendar, with years that begin in March).
    let shifted = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (shifted.div_euclid(400), shifted.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second - offset * 60)
}

/// A sequence of numbers that depends on the seed alone (SplitMix64 by Guy Steele, Doug Lea and Christine Flood).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Random(u64);

impl Random {
    /// The sequence of a seed.
    pub fn new(seed: u64) -> Self {
        Random(seed)
    }

    /// The next number.
    pub fn next_number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 up to, and without, `limit`; 0 if that is 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        if limit == 0 { 0 } else { self.next_number() % limit }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_written() {
        for (text, expected) in [
            ("500ms", Some(500_000)),
            ("45s", Some(45_000_000)),
            ("1h30m", Some(5_400_000_000)),
            ("1.5s", Some(1_500_000)),
            ("0", Some(0)),
            ("0s", Some(0)),
            ("", None),
            ("5", None),
            ("s", None),
            (".5s", None),
            ("1.s", None),
            ("-1s", None),
            ("5 s", None),
            ("99999999999999999999s", None),
            ("18446744073709s", None),
            ("3650d", Some(LONGEST)),
            ("3651d", None),
        ] {
            assert_eq!(duration(text), expected, "{text}");
        }
        for time in [0, 1, 500_000, 45_000_000, 5_400_000_000, 90_061_001_001] {
            assert_eq!(duration(&duration_text(time)), Some(time));
        }
    }

    #[test]
    fn moments_are_seconds_since_1970() {
        // `date -u -d … +%s`
        assert_eq!(moment("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(moment("2025-11-11T23:25:43Z"), Some(1_762_903_543));
        assert_eq!(moment("2025-11-11T23:25:43.250+01:00"), Some(1_762_899_943));
        assert_eq!(moment("2024-02-29T12:00:00-05:30"), Some(1_709_227_800));
        for text in ["2025-11-11", "2025-13-11T00:00:00Z", "2025-11-11T23:25:43", "2025-11-11T23:25:43+1"] {
            assert_eq!(moment(text), None, "{text}");
        }
    }

    #[test]
    fn the_sequence_depends_on_the_seed_alone() {
        let mut random = Random::new(1_234_567);
        // From the reference implementation at https://prng.di.unimi.it/splitmix64.c.
        assert_eq!(random.next_number(), 6_457_827_717_110_365_317);
        assert_eq!(random.next_number(), 3_203_168_211_198_807_973);
    }
}
