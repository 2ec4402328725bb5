//! Times of day in logs, in the styles and languages in which they are written.

/// A time of day as the clock of that machine showed it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Clock {
    /// Microseconds since 1 January 1970 as if that clock had shown UTC; of a stamp without a year, since 1 January of
    /// its year. `None` if the month is written in a language that is not known here.
    pub microseconds: Option<i64>,
    /// Verbatim.
    pub text: String,
}

impl Clock {
    fn new(text: &str, microseconds: Option<i64>) -> Self {
        Clock { microseconds, text: text.trim_end().to_owned() }
    }

    /// From microseconds since 1970 in UTC, as journald counts.
    pub fn from_unix(microseconds: u64) -> Option<Self> {
        let whole = i64::try_from(microseconds).ok()?;
        let (seconds, fraction) = (whole.div_euclid(1_000_000), whole.rem_euclid(1_000_000));
        let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = civil_from_days(days);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        let text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:06}Z");
        Some(Clock { microseconds: Some(whole), text })
    }
}

/// Months as locales of glibc abbreviate them, without points and in lower case, so far as they are not English.
const MONTHS: [&[&str]; 12] = [
    &["jan", "janv", "ene", "gen", "sty", "led", "янв", "jän", "oca", "1月", "1월"],
    &["feb", "févr", "fév", "fev", "lut", "úno", "фев", "şub", "helmi", "2月", "2월"],
    &["mar", "mars", "mär", "märz", "mrz", "mrt", "мар", "maalis", "bře", "3月", "3월"],
    &["apr", "avr", "avril", "abr", "kwi", "апр", "nis", "huhti", "dub", "4月", "4월"],
    &["may", "mai", "maj", "mag", "mayo", "mei", "май", "мая", "touko", "kvě", "5月", "5월"],
    &["jun", "juin", "juni", "giu", "cze", "июн", "haz", "kesä", "čen", "6月", "6월"],
    &["jul", "juil", "juli", "lug", "lip", "июл", "tem", "heinä", "čec", "7月", "7월"],
    &["aug", "août", "ago", "sie", "авг", "ağu", "elo", "srp", "8月", "8월"],
    &["sep", "sept", "set", "wrz", "сен", "eyl", "syys", "zář", "9月", "9월"],
    &["oct", "okt", "ott", "out", "paź", "окт", "eki", "loka", "říj", "10月", "10월"],
    &["nov", "lis", "ноя", "kas", "marras", "11月", "11월"],
    &["dec", "déc", "dez", "dic", "gru", "дек", "ara", "joulu", "pro", "12月", "12월"],
];

fn month(word: &str) -> Option<i64> {
    let word = word.trim_end_matches('.').to_lowercase();
    let at = MONTHS.iter().position(|names| names.contains(&word.as_str()))?;
    Some(at as i64 + 1)
}

/// Days from 1 January 1970 to a day of the Gregorian calendar (Howard Hinnant, "chrono-compatible low-level date
/// algorithms", days_from_civil).
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The other way round (civil_from_days, same place).
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

fn together(year: i64, month: i64, day: i64, time: i64) -> Option<i64> {
    let plausible = (1..=12).contains(&month) && (1..=31).contains(&day) && (1970..3000).contains(&year);
    plausible.then(|| days_from_civil(year, month, day) * 86_400_000_000 + time)
}

/// `HH:MM:SS[.fraction]` or with a comma; gives microseconds of the day, what follows, and whether it was a comma.
fn time_of_day(text: &str) -> Option<(i64, &str, bool)> {
    let digits = |at: usize| text.get(at..at + 2)?.parse::<i64>().ok();
    let colon = |at: usize| text.as_bytes().get(at) == Some(&b':');
    if !(colon(2) && colon(5) && text.as_bytes().iter().take(8).all(|b| b.is_ascii_digit() || *b == b':')) {
        return None;
    }
    let (hour, minute, second) = (digits(0)?, digits(3)?, digits(6)?);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut time = ((hour * 60 + minute) * 60 + second) * 1_000_000;
    let mut rest = &text[8..];
    let comma = rest.starts_with(',');
    if let Some(behind) = rest.strip_prefix(['.', ',']) {
        let length = behind.bytes().take_while(u8::is_ascii_digit).count().min(9);
        if length > 0 {
            let six: String = behind[..length].chars().chain("000000".chars()).take(6).collect();
            time += six.parse::<i64>().ok()?;
            rest = &behind[length..];
        }
    }
    Some((time, rest, comma))
}

/// `YYYY-MM-DD` and what follows.
fn date(text: &str) -> Option<((i64, i64, i64), &str)> {
    let bytes = text.as_bytes();
    let shape =
        |(at, byte): (usize, &u8)| if at == 4 || at == 7 { *byte == b'-' } else { byte.is_ascii_digit() };
    if bytes.len() < 10 || !bytes[..10].iter().enumerate().all(shape) {
        return None;
    }
    let number = |from: usize, to: usize| text[from..to].parse::<i64>().ok();
    Some(((number(0, 4)?, number(5, 7)?, number(8, 10)?), &text[10..]))
}

/// `YYYY-MM-DDTHH:MM:SS[.fraction][offset] `; true if the fraction is behind a comma.
pub fn iso(text: &str) -> Option<(Clock, &str, bool)> {
    let ((year, month, day), rest) = date(text)?;
    let rest = rest.strip_prefix(['T', ' '])?;
    let (time, rest, comma) = time_of_day(rest)?;
    let zone = rest.find(' ').filter(|end| {
        let zone = &rest[..*end];
        zone.is_empty() || zone == "Z" || zone.starts_with(['+', '-'])
    })?;
    let length = text.len() - rest.len() + zone;
    Some((Clock::new(&text[..length], together(year, month, day, time)), &rest[zone + 1..], comma))
}

/// `1751910000.123456 `, seconds since 1970.
pub fn unix(text: &str) -> Option<(Clock, &str)> {
    let (stamp, rest) = text.split_once(' ')?;
    let (seconds, fraction) = stamp.split_once('.')?;
    if !(9..=11).contains(&seconds.len()) || fraction.len() != 6 {
        return None;
    }
    let microseconds = seconds.parse::<i64>().ok()? * 1_000_000 + fraction.parse::<i64>().ok()?;
    Some((Clock::new(stamp, Some(microseconds)), rest))
}

/// Takes the next word off; any number of spaces may stand behind it.
fn word(text: &str) -> Option<(&str, &str)> {
    let (word, rest) = text.split_once(' ')?;
    (!word.is_empty()).then(|| (word, rest.trim_start_matches(' ')))
}

/// A day of the month, with or without a point.
fn day(word: &str) -> Option<i64> {
    let word = word.trim_end_matches('.');
    (word.len() <= 2).then(|| word.parse().ok()).flatten().filter(|d| (1..=31).contains(d))
}

/// `Jul 07 18:36:09[.123456] `, in any language: a word, a day, a time.
pub fn month_and_day(text: &str) -> Option<(Clock, &str)> {
    let (name, rest) = word(text)?;
    if name.len() > 16 || name.starts_with(|c: char| c.is_ascii_punctuation()) {
        return None;
    }
    let (day_word, rest) = word(rest)?;
    let day = day(day_word)?;
    let (time, rest, _) = time_of_day(rest)?;
    let rest = rest.strip_prefix(' ')?;
    let length = text.len() - rest.len();
    let microseconds = month(name).and_then(|m| together(1970, m, day, time));
    Some((Clock::new(&text[..length], microseconds), rest))
}

/// `Tue Nov 11 23:25:43 2025 ` of OpenWrt's logread, in English.
pub fn with_year(text: &str) -> Option<(Clock, &str)> {
    let (name, rest) = word(text)?;
    if name.len() > 3 || !name.bytes().all(|b| b.is_ascii_alphabetic()) {
        return None;
    }
    let (month_name, rest) = word(rest)?;
    let month = month(month_name)?;
    let (day_word, rest) = word(rest)?;
    let day = day(day_word)?;
    let (time, rest, _) = time_of_day(rest)?;
    let (year, rest) = word(rest.strip_prefix(' ')?)?;
    let year = year.parse().ok().filter(|_| year.len() == 4)?;
    let length = text.len() - rest.len();
    Some((Clock::new(&text[..length], together(year, month, day, time)), rest))
}

/// `Mon 2025-07-07 18:36:09[.123456] EDT ` of journalctl -o short-full.
pub fn full(text: &str) -> Option<(Clock, &str)> {
    let (name, rest) = word(text)?;
    if name.len() > 16 || !name.chars().all(|c| c.is_alphabetic() || c == '.') {
        return None;
    }
    let ((year, month, day), rest) = date(rest)?;
    let (time, rest, _) = time_of_day(rest.strip_prefix(' ')?)?;
    let (_zone, rest) = word(rest.strip_prefix(' ')?)?;
    let length = text.len() - rest.len();
    Some((Clock::new(&text[..length], together(year, month, day, time)), rest))
}

/// `Tue Nov 11 23:25:43 2025`, in any language, in whatever order day, month, time and year stand in it.
pub fn date_and_year(text: &str) -> Option<Clock> {
    let words: Vec<&str> = text.split_whitespace().collect();
    if !(4..=7).contains(&words.len()) || text.len() > 64 {
        return None;
    }
    let time = words.iter().find_map(|w| time_of_day(w).filter(|(_, rest, _)| rest.is_empty()))?.0;
    let is_year = |w: &&&str| w.len() == 4 && w.bytes().all(|b| b.is_ascii_digit());
    let year: i64 = words.iter().find(is_year)?.parse().ok()?;
    let day = words.iter().find_map(|w| day(w))?;
    let month = words.iter().find_map(|w| month(w));
    Some(Clock::new(text, month.and_then(|m| together(year, m, day, time))))
}

/// `Nov11 23:25` of `dmesg -e`.
pub fn is_short(text: &str) -> bool {
    let Some((date, time)) = text.trim().split_once(' ') else { return false };
    let time = time.as_bytes();
    let is_time = time.len() == 5 && time[2] == b':' && time.iter().all(|b| b.is_ascii_digit() || *b == b':');
    let name = date.trim_end_matches(|c: char| c.is_ascii_digit());
    is_time && name.len() < date.len() && !name.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_are_each_others_inverse() {
        assert_eq!(days_from_civil(1970, 1, 1), 0);
        assert_eq!(days_from_civil(2000, 3, 1), 11_017);
        for days in (-1000..40_000).step_by(7) {
            let (year, month, day) = civil_from_days(days);
            assert_eq!(days_from_civil(year, month, day), days, "{year}-{month}-{day}");
        }
        // `date -u -d @1751927769` says Mon Jul  7 22:36:09 2025.
        let clock = Clock::from_unix(1_751_927_769_000_001).unwrap();
        assert_eq!(clock.text, "2025-07-07T22:36:09.000001Z");
        let (same, _, _) = iso("2025-07-07T22:36:09.000001Z x").unwrap();
        assert_eq!(same.microseconds, clock.microseconds);
    }

    #[test]
    fn no_month_belongs_to_two() {
        let all: Vec<&str> = MONTHS.iter().flat_map(|names| names.iter().copied()).collect();
        let mut once = all.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), all.len());
    }
}
