//! Server-sent events, cut out of a stream of bytes.

/// The longest event that is taken.
const EVENT_LIMIT: usize = 64 << 20;

/// Takes bytes as they come, and gives the data of each event that is whole.
#[derive(Debug, Default)]
pub(super) struct EventLines {
    line: Vec<u8>,
    data: Option<String>,
}

impl EventLines {
    /// The events that end in `bytes`; `None` when one is longer than anything that is meant.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Option<Vec<String>> {
        let mut events = Vec::new();
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            self.line.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                self.end_line(&mut events);
            }
            let held = self.line.len() + self.data.as_ref().map_or(0, String::len);
            if held > EVENT_LIMIT {
                return None;
            }
        }
        Some(events)
    }

    fn end_line(&mut self, events: &mut Vec<String>) {
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end_matches(['\r', '\n']);
        if line.is_empty() {
            events.extend(self.data.take());
        } else if let Some(text) = line.strip_prefix("data:") {
            let text = text.strip_prefix(' ').unwrap_or(text);
            match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(text);
                }
                None => self.data = Some(text.to_owned()),
            }
        }
        // Names, numbers and comments say nothing here.
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_the_same_however_they_are_cut() {
        let text = ": hello\n\ndata: {\"a\":1}\n\nevent: x\r\nid: 7\r\ndata:one\r\ndata: two é\r\n\r\ndata: never ended\n";
        let whole = EventLines::default().read(text.as_bytes()).unwrap();
        assert_eq!(whole, ["{\"a\":1}", "one\ntwo é"]);
        let mut lines = EventLines::default();
        let mut pieces = Vec::new();
        for byte in text.bytes() {
            pieces.extend(lines.read(&[byte]).unwrap());
        }
        assert_eq!(pieces, whole);
    }

    #[test]
    fn an_event_without_end_is_given_up() {
        let mut lines = EventLines::default();
        let piece = vec![b'x'; 1 << 20];
        let read = (0..=64).map(|_| lines.read(&piece));
        assert!(read.into_iter().any(|events| events.is_none()));
    }
}
