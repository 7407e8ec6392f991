//! Times as people type them: so long ago, or at a clock's time.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Zoned};

/// What may be written, for help and mistakes.
pub(crate) const FORMS: &str = "`2h`, `30m`, `3d`, `14:00`, `2026-03-01` or `2026-03-01 14:00`";

/// A moment, in milliseconds since 1970: `2h` is so long ago, `14:00` is today, a date begins at midnight, here.
pub(crate) fn moment(text: &str) -> Result<u64, String> {
    before(&Zoned::now(), text).ok_or_else(|| format!("write {FORMS}"))
}

/// A moment in milliseconds since 1970, on the clock of the reader.
pub(crate) fn local(at: u64) -> String {
    let at = Timestamp::from_millisecond(i64::try_from(at).unwrap_or(0)).unwrap_or_default();
    let zoned = at.to_zoned(TimeZone::system());
    zoned.strftime("%Y-%m-%d %H:%M").to_string()
}

fn before(now: &Zoned, text: &str) -> Option<u64> {
    let text = text.trim();
    let zone = now.time_zone().clone();
    let at = if let Ok(span) = text.parse::<Span>() {
        // `-2h` would be in two hours.
        (!span.is_negative()).then(|| now.checked_sub(span).ok())??
    } else if let Ok(at) = text.parse::<Timestamp>() {
        at.to_zoned(zone)
    } else if let Ok(date) = text.parse::<Date>()
        && text.len() == "2026-03-01".len()
    {
        date.to_zoned(zone).ok()?
    } else if let Ok(at) = text.parse::<DateTime>() {
        at.to_zoned(zone).ok()?
    } else {
        let time: Time = text.parse().ok()?;
        now.date().to_datetime(time).to_zoned(zone).ok()?
    };
    u64::try_from(at.timestamp().as_millisecond()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        let now: Zoned = "2026-03-01T15:30:00+01:00[Europe/Berlin]".parse().unwrap();
        let told = |text: &str| {
            let at = Timestamp::from_millisecond(before(&now, text)?.try_into().ok()?).ok()?;
            Some(at.to_zoned(now.time_zone().clone()).datetime().to_string())
        };
        let texts = [
            "2h",
            "90m",
            "1d 2h",
            "14:00",
            "2026-02-28",
            "2026-02-28 09:15",
            "2026-02-28T09:15:00Z",
        ];
        let told: Vec<_> = texts.map(|text| told(text).unwrap_or_default()).into();
        insta::assert_debug_snapshot!(told, @r#"
        [
            "2026-03-01T13:30:00",
            "2026-03-01T14:00:00",
            "2026-02-28T13:30:00",
            "2026-03-01T14:00:00",
            "2026-02-28T00:00:00",
            "2026-02-28T09:15:00",
            "2026-02-28T10:15:00",
        ]
        "#);
        for text in ["", "yesterday", "-2h", "25:00", "2026-13-01", "9999999y"] {
            assert_eq!(before(&now, text), None, "{text}");
        }
    }
}
