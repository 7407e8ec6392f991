//! How long: `500ms`, `30s`, `10m`, `1h30m`, `2d`.

use std::time::Duration;

const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// Reads a duration; the error says what would be right.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || {
        format!(
            "`{text}` is not a duration; write a number and a unit, as in `500ms`, `30s`, `10m`, `1h30m` or `2d`"
        )
    };
    let mut total = Duration::ZERO;
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let number: u64 = rest[..digits].parse().map_err(|_| wrong())?;
        rest = &rest[digits..];
        let letters = rest
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(rest.len());
        let unit = match &rest[..letters] {
            "ms" => Duration::from_millis(1),
            "s" => Duration::from_secs(1),
            "m" => Duration::from_secs(60),
            "h" => Duration::from_secs(3600),
            "d" => Duration::from_secs(24 * 3600),
            _ => return Err(wrong()),
        };
        rest = &rest[letters..];
        total = u32::try_from(number)
            .ok()
            .and_then(|number| unit.checked_mul(number))
            .and_then(|part| total.checked_add(part))
            .filter(|total| *total <= LONGEST)
            .ok_or_else(|| format!("`{text}` is longer than a year"))?;
    }
    if total.is_zero() {
        return Err(format!(
            "`{text}` is no time at all; leave the key out for no limit"
        ));
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_a_number_and_a_unit_each() {
        for (text, millis) in [
            ("500ms", 500),
            ("30s", 30_000),
            ("1h30m", 5_400_000),
            ("2d", 172_800_000),
            (" 1m ", 60_000),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused_with_what_would_be_right() {
        for text in [
            "",
            "30",
            "m",
            "1x",
            "1.5h",
            "-1s",
            "99999999999999999999s",
            "s1",
        ] {
            assert!(
                parse(text).unwrap_err().contains("not a duration"),
                "{text}"
            );
        }
        assert!(
            parse("4294967295d")
                .unwrap_err()
                .contains("longer than a year")
        );
        assert!(parse("0s").unwrap_err().contains("no time at all"));
    }
}
