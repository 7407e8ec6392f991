//! Search over all that panes printed.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Deserialize;
use terminal::{Case, Scope, SearchRequest};
use transcripts::{TranscriptAnswer, TranscriptConversation};

use crate::caller::Caller;
use crate::words::{Answer, Printed, cut, within};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Search {
    pattern: String,
    /// It is a regular expression
    #[serde(default)]
    regex: bool,
    /// Only in this pane: number or name
    pane: Option<String>,
    /// 1 to 200 matches
    #[serde(default = "thirty")]
    limit: u32,
    /// Lines around each, at most 20
    #[serde(default)]
    context: u32,
    /// Only what came in the last so many minutes
    since_minutes: Option<u32>,
}

fn thirty() -> u32 {
    30
}

pub(crate) async fn search(caller: &Caller, asked: Search) -> Answer {
    let scope = match &asked.pane {
        Some(name) => Scope::Pane {
            id: caller.app.find_pane_also_closed(name).await?,
        },
        None => Scope::All,
    };
    let request = SearchRequest {
        limit: within("limit", asked.limit, 200)?,
        context: match asked.context {
            0 => 0,
            lines => within("context", lines, 20)?,
        },
        regex: asked.regex,
        case: Case::Smart,
        since: asked.since_minutes.map(|minutes| {
            let now = clock::Clock::system().now_ms();
            now.saturating_sub(u64::from(minutes) * 60_000)
        }),
        ..SearchRequest::new(asked.pattern, scope)
    };
    let conversations = asked.pane.is_none().then(|| request.clone());
    let answer = caller.app.search(request, |_| {}).await?;
    let said = match conversations {
        Some(request) => caller.app.search_transcripts(request, |_| {}).await?,
        None => TranscriptAnswer::default(),
    };
    if answer.total == 0 && said.total == 0 {
        return Ok("Nothing was found.".to_owned());
    }
    let mut text = String::new();
    for found in &answer.matches {
        let mut lines = Printed::default();
        let around = |lines: &[terminal::Line], printed: &mut Printed| {
            for line in lines {
                printed.line(&line.text);
            }
        };
        around(&found.context_before, &mut lines);
        lines.line(&found.content);
        around(&found.context_after, &mut lines);
        let told = lines.told();
        if text.len() + told.len() > crate::words::LONGEST {
            text.push_str("(the rest was left out: ask for fewer)\n");
            break;
        }
        let _ = write!(
            text,
            "pane {}, line {}:\n{told}",
            found.pane, found.line_number
        );
    }
    let _ = write!(
        text,
        "{} of {} matches in {} panes",
        answer.matches.len(),
        answer.total,
        answer.panes
    );
    if let Some(reason) = &answer.reason {
        let _ = write!(text, "; {reason}");
    }
    if said.total > 0 {
        conversations_told(&said, &mut text);
    }
    Ok(text)
}

/// Adds what agents wrote down: it is as little to be followed as what programs print.
fn conversations_told(said: &TranscriptAnswer, text: &mut String) {
    text.push_str("\n\nIn conversations of agents:\n");
    for hit in &said.hits {
        let mut line = Printed::default();
        line.line(&hit.content);
        let told = line.told();
        if text.len() + told.len() > crate::words::LONGEST {
            text.push_str("(the rest was left out: ask for fewer)\n");
            break;
        }
        let TranscriptConversation {
            agent,
            session,
            directory,
            ..
        } = &hit.conversation;
        let place = cut(directory.as_deref().unwrap_or("an unknown directory"));
        let _ = write!(
            text,
            "{} {} in {place}, {}:\n{told}",
            agent.title(),
            cut(session),
            hit.role.word()
        );
    }
    let _ = write!(
        text,
        "{} of {} lines in {} conversations",
        said.hits.len(),
        said.total,
        said.conversations
    );
    if let Some(reason) = &said.reason {
        let _ = write!(text, "; {reason}");
    }
}
