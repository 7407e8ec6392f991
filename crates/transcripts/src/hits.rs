//! From a message to the lines in it that match.

use pattern::{Cache, Pattern};
use secrets::Secrets;

use crate::contract::{TranscriptConversation, TranscriptHit, TranscriptRange, TranscriptRole};
use crate::format::Said;
use crate::text;

/// What is looked for, wherever a message comes from.
pub(crate) struct Looking<'a> {
    pub(crate) pattern: &'a Pattern,
    pub(crate) secrets: &'a Secrets,
    pub(crate) since: Option<u64>,
    pub(crate) before: Option<u64>,
}

/// A line that matches, of a conversation that is not yet said.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) message: String,
    pub(crate) part: u32,
    pub(crate) line: u32,
    pub(crate) role: TranscriptRole,
    pub(crate) when: Option<u64>,
    pub(crate) content: String,
    pub(crate) ranges: Vec<TranscriptRange>,
}

impl Line {
    pub(crate) fn of(self, conversation: &TranscriptConversation) -> TranscriptHit {
        TranscriptHit {
            conversation: conversation.clone(),
            message: self.message,
            role: self.role,
            when: self.when,
            content: self.content,
            ranges: self.ranges,
        }
    }
}

impl Looking<'_> {
    /// The lines of a message that match. A secret is covered before anything is looked for, so that nobody finds one by
    /// guessing at it.
    pub(crate) fn lines(
        &self,
        cache: &mut Cache,
        said: &Said<'_>,
        key: &dyn Fn() -> String,
    ) -> Vec<Line> {
        // Whatever has no time is kept: it may have come then.
        let early = said
            .when
            .zip(self.since)
            .is_some_and(|(at, since)| at < since);
        let late = said.when.zip(self.before).is_some_and(|(at, to)| at >= to);
        if early || late {
            return Vec::new();
        }
        let mut lines = Vec::new();
        for (number, part) in said.parts.iter().enumerate() {
            let covered;
            let text = if self.secrets.is_empty() {
                part.text
            } else {
                covered = self.secrets.cover(part.text.to_owned());
                &covered
            };
            for found in text::find(self.pattern, cache, text) {
                lines.push(Line {
                    message: key(),
                    part: number as u32,
                    line: found.line,
                    role: part.role,
                    when: said.when,
                    content: found.content,
                    ranges: found.ranges,
                });
            }
        }
        lines
    }
}
