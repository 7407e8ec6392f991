//! What keeps passwords out of messages.

/// Replaces every `password=…` and `user:password@` in a text that came from elsewhere.
pub(crate) fn redacted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("password=") {
        let from = at + "password=".len();
        out.push_str(&rest[..from]);
        out.push('…');
        let tail = &rest[from..];
        // A program may echo the URL inside a sentence: the password ends at a blank, at `&`, or
        // where the sentence goes on with a colon and a blank.
        let end = tail
            .char_indices()
            .find(|&(i, c)| {
                c.is_whitespace()
                    || matches!(c, '&' | '"' | '\'' | '`')
                    || (c == ':' && tail[i + 1..].chars().next().is_none_or(char::is_whitespace))
            })
            .map_or(tail.len(), |(i, _)| i);
        rest = &tail[end..];
    }
    out.push_str(rest);
    // `scheme://user:password@host`
    let mut from = 0;
    while let Some(at) = out[from..].find("://") {
        let start = from + at + 3;
        let end = out[start..]
            .find(|c: char| c.is_whitespace() || matches!(c, '/' | '?' | '"' | '\'' | '`'))
            .map_or(out.len(), |i| start + i);
        if let Some(sign) = out[start..end].rfind('@') {
            out.replace_range(start..start + sign, "…");
        }
        from = start;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_an_url_is_never_repeated() {
        let cases = [
            "Cannot connect to daemon at tcp://127.0.0.1:6768?password=Secret-pw.1: Incorrect password",
            "tcp://host:1?password=Secret-pw.1&ssl=true",
            "tcp://user:Secret-pw.1@host:6767/x and `ws://h?password=Secret-pw.1`",
        ];
        for case in cases {
            let clean = redacted(case);
            assert!(!clean.contains("Secret"), "{clean}");
        }
        insta::assert_snapshot!(redacted(cases[0]), @"Cannot connect to daemon at tcp://127.0.0.1:6768?password=…: Incorrect password");
        insta::assert_snapshot!(redacted(cases[2]), @"tcp://…@host:6767/x and `ws://h?password=…`");
    }
}
