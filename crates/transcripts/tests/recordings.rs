//! What real agents wrote down, searched and read. Each was asked the same four things by a person in `/work/garden`; its
//! answers came from a script.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use secrets::Secrets;
use transcripts::{
    Places, Stop, TranscriptAgent, TranscriptAnswer, TranscriptHit, TranscriptPlace,
    TranscriptRequest, TranscriptRole, read, search,
};

/// A home directory with what each agent wrote.
struct Home(tempfile::TempDir);

impl Home {
    fn recorded() -> Self {
        let home = Self::empty();
        copy(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/home"),
            home.0.path(),
        );
        let sql = fs::read_to_string(home.0.path().join("opencode.sql")).unwrap();
        let folder = home.0.path().join(".local/share/opencode");
        fs::create_dir_all(&folder).unwrap();
        let database = rusqlite::Connection::open(folder.join("opencode.db")).unwrap();
        database.execute_batch(&sql).unwrap();
        home
    }

    fn empty() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn places(&self) -> Places {
        Places::new(self.0.path(), |_| None)
    }

    fn claude(&self, name: &str, text: &[u8]) -> PathBuf {
        let path = self.0.path().join(".claude/projects/-work").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn search(&self, request: &TranscriptRequest) -> TranscriptAnswer {
        let mut told = Vec::new();
        let answer = search(
            &self.places(),
            request,
            &Secrets::default(),
            &Stop::default(),
            &mut |progress| told.extend(progress.hits),
        )
        .unwrap();
        assert_eq!(told, answer.hits, "all that is answered was told before");
        answer
    }

    fn found(&self, pattern: &str) -> TranscriptAnswer {
        self.search(&TranscriptRequest::new(pattern))
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir_all(&to).unwrap();
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), &to).unwrap();
        }
    }
}

/// A line as Claude Code writes it.
fn said(text: &str, at: &str) -> String {
    let line = serde_json::json!({
        "type": "user", "sessionId": "s", "cwd": "/work/shed", "timestamp": at,
        "message": {"role": "user", "content": text},
    });
    format!("{line}\n")
}

const AT: &str = "2026-03-01T12:00:00.000Z";

fn of(answer: &TranscriptAnswer, agent: TranscriptAgent) -> Vec<&TranscriptHit> {
    let hits = answer.hits.iter();
    hits.filter(|hit| hit.conversation.agent == agent).collect()
}

const ALL: [TranscriptAgent; 5] = [
    TranscriptAgent::Claude,
    TranscriptAgent::Codex,
    TranscriptAgent::Gemini,
    TranscriptAgent::Qwen,
    TranscriptAgent::Opencode,
];

#[test]
fn what_a_person_said_is_found_in_the_transcripts_of_every_agent() {
    let home = Home::recorded();
    let answer = home.found("\"quoted\" words — naïve");
    for agent in ALL {
        let hits = of(&answer, agent);
        assert_eq!(hits.len(), 1, "{agent:?}: {answer:#?}");
        let hit = hits[0];
        assert_eq!(hit.content, "DO nothing \"quoted\" words — naïve");
        assert_eq!((hit.ranges[0].start, hit.ranges[0].end), (11, 33));
        assert_eq!(hit.role, TranscriptRole::Person, "{agent:?}");
        let about = &hit.conversation;
        assert_eq!(
            about.directory.as_deref(),
            Some("/work/garden"),
            "{agent:?}"
        );
        assert!(about.session.len() > 20, "{agent:?}: {about:?}");
        let title = match agent {
            TranscriptAgent::Opencode => "A title",
            _ => "Plant the marigolds, please.",
        };
        assert_eq!(about.title.as_deref(), Some(title), "{agent:?}");
        // On the day on which it was recorded.
        assert_eq!(hit.when.unwrap() / 86_400_000, 20_786, "{agent:?}");
    }
    assert_eq!((answer.total, answer.conversations), (5, 5));
    assert_eq!(answer.reason, None);
}

#[test]
fn what_agents_said_and_what_their_tools_were_asked_is_told_apart() {
    let home = Home::recorded();
    for agent in ALL {
        let roles = |pattern: &str| -> Vec<TranscriptRole> {
            let answer = home.found(pattern);
            of(&answer, agent).iter().map(|hit| hit.role).collect()
        };
        assert_eq!(
            roles("streamed answer"),
            [TranscriptRole::Agent],
            "{agent:?}"
        );
        assert!(
            roles("echo marigold").contains(&TranscriptRole::Tool),
            "{agent:?}"
        );
    }
    let answer = home.found("codex-linux-sandbox");
    assert!(
        of(&answer, TranscriptAgent::Codex)
            .iter()
            .any(|hit| hit.role == TranscriptRole::Output)
    );
}

#[test]
fn a_hit_opens_its_conversation_at_its_message() {
    let home = Home::recorded();
    let answer = home.found("streamed answer");
    for agent in ALL {
        let hit = of(&answer, agent)[0];
        let place = TranscriptPlace {
            agent,
            file: hit.conversation.file.clone(),
            message: hit.message.clone(),
            before: 50,
            after: 1,
        };
        let page = read(&home.places(), &place, &Secrets::default()).unwrap();
        let at = page
            .messages
            .iter()
            .position(|message| message.key == hit.message);
        let at = at.unwrap_or_else(|| panic!("{agent:?}: {page:#?}"));
        assert_eq!(
            page.messages[at].parts[0].text,
            "Here is the streamed answer."
        );
        let asked = &page.messages[at - 1].parts[0].text;
        assert!(
            asked.starts_with("Plant the marigolds"),
            "{agent:?}: {asked}"
        );
        assert_eq!((page.earlier, page.later), (false, true), "{agent:?}");
        assert_eq!(page.conversation.session, hit.conversation.session);
    }
}

#[test]
fn only_transcripts_are_read_and_only_at_a_message() {
    let home = Home::recorded();
    let answer = home.found("streamed answer");
    let hit = of(&answer, TranscriptAgent::Claude)[0];
    let mut place = TranscriptPlace {
        agent: TranscriptAgent::Claude,
        file: "/etc/passwd".to_owned(),
        message: "0".to_owned(),
        before: 1,
        after: 1,
    };
    let refused = |place: &TranscriptPlace| {
        read(&home.places(), place, &Secrets::default())
            .unwrap_err()
            .to_string()
    };
    insta::assert_snapshot!(refused(&place), @"`/etc/passwd` is not a transcript of this agent");
    place.file = hit.conversation.file.clone();
    for message in ["3", "x", "99999999", ""] {
        place.message = message.to_owned();
        assert!(refused(&place).starts_with(&format!("there is no message `{message}` in")));
    }
}

#[test]
fn time_and_directory_narrow_what_is_found() {
    let home = Home::empty();
    let at = |hour: u32| format!("2026-03-01T{hour}:00:00.000Z");
    home.claude(
        "a.jsonl",
        (said("pot one", &at(10)) + &said("pot two", &at(12))).as_bytes(),
    );
    let noon = 1_772_366_400_000;
    let mut request = TranscriptRequest::new("pot");
    request.since = Some(noon);
    assert_eq!(home.search(&request).hits[0].content, "pot two");
    (request.since, request.before) = (None, Some(noon));
    assert_eq!(home.search(&request).hits[0].content, "pot one");
    request.before = None;
    request.directory = Some("/work".to_owned());
    assert_eq!(home.search(&request).total, 2);
    request.directory = Some("/work/garden".to_owned());
    assert_eq!(home.search(&request).total, 0);
}

#[test]
fn what_is_torn_or_strange_is_left_out_and_said() {
    let home = Home::empty();
    let half = said("a pot, half written", AT);
    let torn = format!(
        "{}{}\n{}{}",
        said("a pot", AT),
        &half[..half.len() - 9],
        said("a pot", AT),
        &half[..half.len() - 9]
    );
    home.claude("torn.jsonl", torn.as_bytes());
    home.claude("strange.jsonl", b"[\"a pot\"]\n");
    home.claude("bytes.jsonl", b"\xff\xfe a pot\n\n\0\n");
    let old = home.0.path().join(".gemini/tmp/0ab/chats");
    fs::create_dir_all(&old).unwrap();
    fs::write(old.join("session-1.json"), "{}").unwrap();
    let answer = home.found("a pot");
    assert_eq!(answer.total, 2);
    insta::assert_snapshot!(answer.reason.unwrap(), @"1 line could not be read, and was left out; 1 file of Claude Code was left out, of a version that is not known here; 1 file of Gemini CLI was left out, of a version that is not known here");
}

#[test]
fn the_newest_come_first_as_many_as_were_asked_for() {
    let home = Home::empty();
    let many: String = (0..30_000)
        .map(|n| said(&format!("pot {n} {}", "x".repeat(200)), AT))
        .collect();
    home.claude("a.jsonl", many.as_bytes());
    let mut request = TranscriptRequest::new(r"^pot \d+");
    request.regex = true;
    request.limit = 3;
    let contents = |request: &TranscriptRequest| -> Vec<String> {
        let hits = home.search(request).hits;
        hits.iter()
            .map(|hit| hit.content.trim_end_matches('x').to_owned())
            .collect()
    };
    assert_eq!(
        contents(&request),
        ["pot 29999 ", "pot 29998 ", "pot 29997 "]
    );
    request.oldest_first = true;
    assert_eq!(contents(&request), ["pot 0 ", "pot 1 ", "pot 2 "]);
    request.limit = 500;
    request.pattern = "pot (7|15000|29998) ".to_owned();
    assert_eq!(contents(&request), ["pot 7 ", "pot 15000 ", "pot 29998 "]);
}

#[test]
fn a_line_of_ten_megabytes_is_found_and_cut() {
    let home = Home::empty();
    let long = format!(
        "{} needle {}",
        "hay ".repeat(1_300_000),
        "hay ".repeat(1_300_000)
    );
    home.claude(
        "a.jsonl",
        (said("before", AT) + &said(&long, AT) + &said("after a needle", AT)).as_bytes(),
    );
    let answer = home.found("needle");
    assert_eq!(answer.total, 2);
    assert!(answer.hits[1].content.len() < 5000);
}

#[test]
fn a_secret_is_covered_and_not_found() {
    let home = Home::empty();
    home.claude(
        "a.jsonl",
        said("the pot is hunter2-secret here", AT).as_bytes(),
    );
    let secrets = Secrets::new(["hunter2-secret".to_owned()]);
    let found = |pattern: &str| {
        let request = TranscriptRequest::new(pattern);
        search(
            &home.places(),
            &request,
            &secrets,
            &Stop::default(),
            &mut |_| {},
        )
        .unwrap()
    };
    assert_eq!(found("pot").hits[0].content, "the pot is ••• here");
    assert_eq!(found("hunter2").total, 0);
    let title = found("pot").hits[0].conversation.title.clone();
    assert_eq!(title.as_deref(), Some("the pot is ••• here"));
}

#[test]
fn a_growing_file_and_a_stopped_search_give_what_there_is() {
    let home = Home::empty();
    let path = home.claude("a.jsonl", said("pot one", AT).as_bytes());
    assert_eq!(home.found("pot").total, 1);
    let mut file = fs::OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(said("pot two", AT).as_bytes()).unwrap();
    assert_eq!(home.found("pot").total, 2);
    let stop = Stop::default();
    stop.stop();
    let answer = search(
        &home.places(),
        &TranscriptRequest::new("pot"),
        &Secrets::default(),
        &stop,
        &mut |_| {},
    )
    .unwrap();
    assert_eq!(
        (answer.total, answer.reason.as_deref()),
        (0, Some("the search was stopped"))
    );
}

#[test]
fn a_request_that_cannot_be_searched_says_what_would_be_right() {
    let home = Home::empty();
    let refused = |change: &dyn Fn(&mut TranscriptRequest)| {
        let mut request = TranscriptRequest::new("pot");
        change(&mut request);
        search(
            &home.places(),
            &request,
            &Secrets::default(),
            &Stop::default(),
            &mut |_| {},
        )
        .unwrap_err()
        .to_string()
    };
    insta::assert_snapshot!(refused(&|it| it.limit = 0), @"bad `limit`: 0; it must be from 1 to 500");
    insta::assert_snapshot!(refused(&|it| it.directory = Some("x".to_owned())), @"bad `directory`: `x`; it must be absolute");
    insta::assert_snapshot!(refused(&|it| it.pattern.clear()), @"bad `pattern`: it has 0 characters; it must have from 1 to 200");
    assert!(refused(&|it| (it.since, it.before) = (Some(2), Some(1))).starts_with("bad `since`"));
}

#[test]
fn nothing_is_written_beside_what_is_read() {
    let home = Home::recorded();
    let folder = home.0.path().join(".local/share/opencode");
    let names = || fs::read_dir(&folder).unwrap().count();
    let before = names();
    assert!(home.found("marigold").total > 5);
    assert_eq!(names(), before);
}
