//! A conversation, a page at a time: the messages around one.

use std::collections::HashSet;
use std::fs::File as Opened;
use std::io;
use std::path::Path;

use secrets::Secrets;
use serde_json::Value;

use crate::contract::{
    ReadError, TranscriptAgent, TranscriptMessage, TranscriptPage, TranscriptPart, TranscriptPlace,
};
use crate::format::{self, Said};
use crate::lines::{self, Buffer, Go};
use crate::opencode::{self, Database, Failed};
use crate::places::{File, Places};
use crate::search::{head, key};

/// So many messages on each side at most.
const MAX_MESSAGES: usize = 200;
/// So many bytes are read for one side at most, beyond a line of any length.
const MAX_READ: u64 = 16 * 1024 * 1024;
/// Going back, so many bytes are read at first.
const BACK: u64 = 256 * 1024;
/// So many bytes of a text are shown.
const MAX_TEXT: usize = 64 * 1024;

/// Reads the messages around a place of a conversation. What `secrets` holds is covered.
///
/// # Errors
///
/// [`ReadError`] says what is wrong with the place, or why the file can't be read.
pub fn read(
    places: &Places,
    place: &TranscriptPlace,
    secrets: &Secrets,
) -> Result<TranscriptPage, ReadError> {
    let Some(file) = places.file(place.agent, Path::new(&place.file)) else {
        return Err(ReadError::NoTranscript(place.file.clone()));
    };
    if file.agent == TranscriptAgent::Opencode {
        return database(&file, place, secrets).map_err(|error| match error {
            Failed::Unknown => ReadError::Unknown(place.file.clone()),
            Failed::Sqlite(rusqlite::Error::QueryReturnedNoRows) => gone(place),
            Failed::Sqlite(source) => ReadError::Database {
                file: place.file.clone(),
                source,
            },
        });
    }
    let begins = place.message.split('.').next().unwrap_or_default();
    let Ok(at) = begins.parse::<u64>() else {
        return Err(gone(place));
    };
    let io = |source| ReadError::Io {
        file: place.file.clone(),
        source,
    };
    let opened = Opened::open(&file.path).map_err(io)?;
    let reading = Reading {
        agent: file.agent,
        file: opened,
        secrets,
    };
    let line = reading.line(at).map_err(io)?.ok_or_else(|| gone(place))?;
    if !line.iter().any(|message| message.key == place.message) {
        return Err(gone(place));
    }
    let (mut earlier, mut messages) = reading.before(at, wanted(place.before)).map_err(io)?;
    messages.extend(line);
    let (later, mut behind) = reading.after(at, wanted(place.after)).map_err(io)?;
    messages.append(&mut behind);
    let mut conversation = head(&file, secrets).conversation;
    if let Some(session) = reading.session(at).map_err(io)? {
        conversation.session = session;
    }
    earlier &= !messages.is_empty();
    let messages = messages.into_iter().map(|message| message.message);
    Ok(TranscriptPage {
        conversation,
        messages: messages.collect(),
        earlier,
        later,
    })
}

fn gone(place: &TranscriptPlace) -> ReadError {
    ReadError::NoMessage {
        file: place.file.clone(),
        message: place.message.clone(),
    }
}

fn wanted(count: u32) -> usize {
    (count as usize).min(MAX_MESSAGES)
}

/// A message, and what it is called when it is written again.
struct Told {
    key: String,
    id: Option<String>,
    message: TranscriptMessage,
}

struct Reading<'a> {
    agent: TranscriptAgent,
    file: Opened,
    secrets: &'a Secrets,
}

impl Reading<'_> {
    /// The messages of a line; none: it says nothing.
    fn told(&self, begins: u64, line: &[u8]) -> Vec<Told> {
        let Ok(value) = serde_json::from_slice::<Value>(line) else {
            return Vec::new();
        };
        let read = format::read(self.agent, &value);
        let messages = read.messages.iter().enumerate();
        messages
            .filter(|(_, said)| !said.parts.is_empty())
            .map(|(index, said)| {
                let key = key(begins, index);
                Told {
                    id: said.id.map(str::to_owned),
                    message: message(key.clone(), said, self.secrets),
                    key,
                }
            })
            .collect()
    }

    fn line(&self, at: u64) -> io::Result<Option<Vec<Told>>> {
        let line = lines::one(&self.file, at, &mut Buffer::default())?;
        Ok(line.map(|line| self.told(at, &line)))
    }

    fn session(&self, at: u64) -> io::Result<Option<String>> {
        let line = lines::one(&self.file, at, &mut Buffer::default())?;
        let value = line.and_then(|line| serde_json::from_slice::<Value>(&line).ok());
        Ok(value.and_then(|value| format::read(self.agent, &value).session.map(str::to_owned)))
    }

    /// The last `count` messages of the lines before `at`, and whether there are more.
    fn before(&self, at: u64, count: usize) -> io::Result<(bool, Vec<Told>)> {
        let mut messages: Vec<Told> = Vec::new();
        let (mut to, mut size) = (at, BACK);
        while to > 0 && messages.len() <= count && at - to < MAX_READ {
            let from = to.saturating_sub(size);
            let mut page = Vec::new();
            self.each(from, to, &mut |told| {
                page.push(told);
                Go::On
            })?;
            page.append(&mut messages);
            messages = page;
            to = from;
            size *= 2;
        }
        once(&mut messages);
        let more = to > 0 || messages.len() > count;
        let cut = messages.len().saturating_sub(count);
        messages.drain(..cut);
        Ok((more, messages))
    }

    /// The first `count` messages of the lines behind the one at `at`, and whether there are more.
    fn after(&self, at: u64, count: usize) -> io::Result<(bool, Vec<Told>)> {
        let mut messages = Vec::new();
        let end = self.file.metadata()?.len();
        let to = end.min(at + 1 + MAX_READ);
        if at + 1 < to {
            self.each(at + 1, to, &mut |told| {
                messages.push(told);
                if messages.len() > count {
                    Go::Stop
                } else {
                    Go::On
                }
            })?;
        }
        let more = messages.len() > count || to < end;
        messages.truncate(count);
        once(&mut messages);
        Ok((more, messages))
    }

    fn each(&self, from: u64, to: u64, see: &mut dyn FnMut(Told) -> Go) -> io::Result<()> {
        let mut see = |base: u64, bytes: &[u8]| {
            let mut at = base;
            for line in bytes.split_inclusive(|byte| *byte == b'\n') {
                for told in self.told(at, line) {
                    if see(told) == Go::Stop {
                        return Go::Stop;
                    }
                }
                at += line.len() as u64;
            }
            Go::On
        };
        lines::each(&self.file, from, to, &mut Buffer::default(), &mut see)?;
        Ok(())
    }
}

/// Of a message that was written several times, keeps the last.
fn once(messages: &mut Vec<Told>) {
    let mut seen = HashSet::new();
    messages.reverse();
    messages.retain(|told| told.id.as_ref().is_none_or(|id| seen.insert(id.clone())));
    messages.reverse();
}

fn message(key: String, said: &Said<'_>, secrets: &Secrets) -> TranscriptMessage {
    let parts = said.parts.iter().map(|part| {
        let mut text = secrets.cover(part.text.to_owned());
        if text.len() > MAX_TEXT {
            text.truncate(text.floor_char_boundary(MAX_TEXT));
            text.push('…');
        }
        TranscriptPart {
            role: part.role,
            name: part.name.clone(),
            text,
        }
    });
    TranscriptMessage {
        key,
        when: said.when,
        parts: parts.collect(),
    }
}

fn database(
    file: &File,
    place: &TranscriptPlace,
    secrets: &Secrets,
) -> Result<TranscriptPage, Failed> {
    let none = || Failed::Sqlite(rusqlite::Error::QueryReturnedNoRows);
    let database = Database::open(&file.path)?;
    let (session, number) = database.place(&place.message)?.ok_or_else(none)?;
    let conversation = database.conversation(&session, secrets)?.ok_or_else(none)?;
    let before = number.min(wanted(place.before) as u32);
    let count = before + 1 + wanted(place.after) as u32;
    let from = number - before;
    let mut messages = Vec::new();
    let mut found = database.messages(&session, from, count + 1)?;
    let later = found.len() > count as usize;
    found.truncate(count as usize);
    for (key, when, role) in found {
        let parts = database.parts(&key)?;
        let mut all = Said {
            when,
            ..Said::default()
        };
        for part in &parts {
            all.parts
                .append(&mut opencode::said(part, role, when).parts);
        }
        if !all.parts.is_empty() || key == place.message {
            messages.push(message(key, &all, secrets));
        }
    }
    Ok(TranscriptPage {
        conversation,
        messages,
        earlier: from > 0,
        later,
    })
}
