//! Sizes, times and counts, as people and as programs read them.

use std::fmt::{self, Display};

/// Three digits and a unit.
pub(super) struct Size(pub(super) u64);

impl Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
        if self.0 < 1024 {
            return write!(f, "{} B", self.0);
        }
        let (mut whole, mut unit) = (self.0, 0);
        while whole >= 1024 * 1024 {
            whole /= 1024;
            unit += 1;
        }
        write!(f, "{}.{} {}", whole / 1024, whole % 1024 * 10 / 1024, UNITS[unit])
    }
}

/// So many of something: `1 file`, `2,000 files`.
pub(super) struct Count(pub(super) usize, pub(super) &'static str);

impl Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (place, digit) in digits.chars().enumerate() {
            let is_group = place > 0 && (digits.len() - place).is_multiple_of(3);
            write!(f, "{}{digit}", if is_group { "," } else { "" })?;
        }
        write!(f, " {}{}", self.1, if self.0 == 1 { "" } else { "s" })
    }
}

/// A moment in UTC, by the calendar that we have today for all years.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    year: i64,
    month: i64,
    day: i64,
    second_of_day: i64,
}

const SECONDS_PER_DAY: i64 = 86_400;

/// In 400 years the calendar comes round.
const DAYS_PER_ERA: i64 = 146_097;

/// From March 1 of the year 0 to January 1, 1970.
const DAYS_BEFORE_1970: i64 = 719_468;

impl Moment {
    /// `seconds` since 1970 began.
    pub(super) fn new(seconds: i64) -> Self {
        let days = seconds.div_euclid(SECONDS_PER_DAY) + DAYS_BEFORE_1970;
        let (era, day_of_era) = (days.div_euclid(DAYS_PER_ERA), days.rem_euclid(DAYS_PER_ERA));
        // Years begin in March here, so that a leap day is the last of its year. The last day of 4, 100 and 400 years is
        // one too many for an even division.
        let (last_of_4, last_of_100) = (day_of_era / 1_460, day_of_era / 36_524);
        let year_of_era = (day_of_era - last_of_4 + last_of_100 - day_of_era / (DAYS_PER_ERA - 1)) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        // Five months from March on have 153 days.
        let month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = era * 400 + year_of_era + i64::from(month <= 2);
        Self { year, month, day, second_of_day: seconds.rem_euclid(SECONDS_PER_DAY) }
    }

    /// As RFC 3339 has it, which knows years of four digits only.
    pub(super) fn to_rfc3339(self) -> Option<String> {
        (0..=9999).contains(&self.year).then(|| {
            let Self { year, month, day, second_of_day } = self;
            let (minutes, second) = (second_of_day / 60, second_of_day % 60);
            format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{second:02}Z", minutes / 60, minutes % 60)
        })
    }
}

/// To the minute, so that it sorts as text.
impl Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day, second_of_day } = self;
        let minutes = second_of_day / 60;
        write!(f, "{year:04}-{month:02}-{day:02} {:02}:{:02}", minutes / 60, minutes % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_at_a_glance() {
        for (bytes, text) in [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (5 << 30, "5.0 GiB")]
        {
            assert_eq!(Size(bytes).to_string(), text);
        }
        assert_eq!(Size(u64::MAX).to_string(), "15.9 EiB");
    }

    #[test]
    fn counts_are_grouped() {
        for (count, text) in [(0, "0 files"), (1, "1 file"), (999, "999 files"), (100_000, "100,000 files")] {
            assert_eq!(Count(count, "file").to_string(), text);
        }
        assert_eq!(Count(1_000_000, "folder").to_string(), "1,000,000 folders");
    }

    #[test]
    fn moments_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01 00:00"),
            (784_111_777, "1994-11-06 08:49"),
            (951_782_400, "2000-02-29 00:00"),
            (-1, "1969-12-31 23:59"),
            (-2_203_891_200, "1900-03-01 00:00"),
            (253_402_300_799, "9999-12-31 23:59"),
            (253_402_300_800, "10000-01-01 00:00"),
            (1 << 40, "36812-02-20 00:36"),
        ] {
            assert_eq!(Moment::new(seconds).to_string(), text);
        }
    }

    /// `httpdate` knows the same calendar, for its own years.
    #[test]
    fn every_day_is_that_of_httpdate() {
        for day in 0..253_402_300_799 / SECONDS_PER_DAY {
            let seconds = day * SECONDS_PER_DAY + day % SECONDS_PER_DAY;
            let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds.unsigned_abs());
            let (date, moment) = (httpdate::fmt_http_date(time), Moment::new(seconds));
            assert_eq!(date[5..7], format!("{:02}", moment.day), "{seconds}");
            assert_eq!(date[12..16], format!("{:04}", moment.year), "{seconds}");
            assert_eq!(date[17..25], moment.to_rfc3339().unwrap()[11..19], "{seconds}");
        }
    }

    #[test]
    fn the_ends_of_time_are_no_trouble() {
        assert_eq!(Moment::new(784_111_777).to_rfc3339().as_deref(), Some("1994-11-06T08:49:37Z"));
        for seconds in [i64::MIN, i64::MAX, 253_402_300_800, -62_167_219_201] {
            let _ = Moment::new(seconds).to_string();
            assert_eq!(Moment::new(seconds).to_rfc3339(), None);
        }
    }
}
