//! `conflicts hook`: tells an agent who else changes what it is about to edit, in the agent's own form.
//!
//! Whatever is broken or slow here, the agent hears nothing and goes on: a hook that holds up an edit is worse
//! than none.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::time::Duration;

use app::Paths;
use clap::Args;
use conflicts::{LineRange, ProposedChange, Severity, Touch};
use serde::Deserialize;
use serde_json::{Value, json};

use super::install::{self, Agent};
use super::places_of;
use crate::agent_files::Asked;
use crate::failure::Failure;
use crate::output::Output;

/// How long an agent waits for us at most.
const DEADLINE: Duration = Duration::from_secs(2);

/// The longest edit that is read.
const LONGEST: u64 = 64 * 1024 * 1024;

/// Before an agent edits a file: tell it who else changes the same lines
#[derive(Debug, Args)]
#[command(after_help = "\
Reads the JSON that an agent's hook gives on standard input, and answers in that agent's form:
Claude Code (Edit, Write, MultiEdit, NotebookEdit), Codex (apply_patch), Gemini CLI (replace,
write_file) and opencode (edit, write, patch). An edit is never held up: when something is wrong,
or takes longer than 2 seconds, nothing is said. Exit status: 0 always, when it is asked by an
agent.

Examples:
  switchyard conflicts hook --install                  For the agents found in this repository
  switchyard conflicts hook --install --agent claude   For this one
  switchyard conflicts hook --uninstall                Take it out again")]
pub(super) struct Hook {
    #[command(flatten)]
    settings: Asked,

    /// Only this agent; those found in the repository if not given
    #[arg(long, value_name = "AGENT", value_enum)]
    agent: Option<Agent>,
}

impl Hook {
    pub(super) fn run(self, paths: Option<&Paths>, out: &mut Output<'_>) -> Result<(), Failure> {
        let settings = &self.settings;
        if settings.changes() {
            let (root, remove) = (settings.root()?, settings.uninstall);
            return install::run(&root, self.agent, remove, settings.yes, paths, out);
        }
        let paths = paths.cloned();
        let (tell, told) = channel();
        let asked = std::thread::Builder::new().name("hook".to_owned());
        // Left behind when it is late: the program ends with this function.
        let asked = asked.spawn(move || {
            let mut event = Vec::new();
            let read = std::io::stdin().take(LONGEST).read_to_end(&mut event);
            // Nobody waits any more: it is too late to say it.
            let _ = tell.send(read.ok().and_then(|_| answer(&event, paths.as_ref())));
        });
        if asked.is_ok()
            && let Ok(Some(answer)) = told.recv_timeout(DEADLINE)
        {
            out.line(&answer.to_string())?;
        }
        Ok(())
    }
}

/// What an agent tells of the edit that it is about to make, or has made. Claude Code, Codex and Gemini CLI write
/// the same names; our plugin for opencode does.
#[derive(Debug, Deserialize)]
struct Event {
    hook_event_name: String,
    cwd: Option<PathBuf>,
    #[serde(default)]
    tool_input: Value,
}

/// A file to be edited, and the places in it.
#[derive(Debug, PartialEq, Eq)]
struct Edit {
    file: String,
    /// None: all of it.
    parts: Vec<Part>,
    /// What will stand there.
    new_text: Option<String>,
}

/// A text in a file, of which some lines at both ends stay as they are.
#[derive(Debug, PartialEq, Eq)]
struct Part {
    text: String,
    same_before: u32,
    same_after: u32,
}

/// Answers one event in the form of whoever sent it; nothing when there is nothing to say.
fn answer(event: &[u8], paths: Option<&Paths>) -> Option<Value> {
    let event: Event = serde_json::from_slice(event).ok()?;
    let done = matches!(event.hook_event_name.as_str(), "PostToolUse" | "AfterTool");
    let edits = edits(&event.tool_input, done);
    let told: Vec<_> = edits
        .iter()
        .filter_map(|edit| tell(edit, event.cwd.as_deref(), paths))
        .collect();
    if told.is_empty() {
        return None;
    }
    let text = told.join("\n\n");
    Some(match event.hook_event_name.as_str() {
        // Before an edit, Gemini CLI only takes a word for the person.
        "BeforeTool" => json!({ "systemMessage": text }),
        name => json!({
            "hookSpecificOutput": { "hookEventName": name, "additionalContext": text }
        }),
    })
}

/// Reads which files an edit is about, and where in them: `done` says that they have the new text already.
fn edits(input: &Value, done: bool) -> Vec<Edit> {
    let text = |value: &Value, names: &[&str]| -> Option<String> {
        let mut found = names.iter().filter_map(|name| value.get(name)?.as_str());
        found.next().map(str::to_owned)
    };
    if let Some(patch) = text(input, &["command", "patchText", "patch", "input"])
        && patch.contains("*** Begin Patch")
    {
        return patched(&patch);
    }
    let Some(file) = text(input, &["file_path", "notebook_path", "filePath", "path"]) else {
        return Vec::new();
    };
    let several = input.get("edits").and_then(Value::as_array);
    let all = several.map_or_else(|| std::slice::from_ref(input), Vec::as_slice);
    let part = |edit: &Value| {
        let old = text(edit, &["old_string", "oldString"])?;
        let new = text(edit, &["new_string", "newString"]).unwrap_or_default();
        let (text, other) = if done { (new, old) } else { (old, new) };
        (!text.is_empty()).then(|| Part::changed(text, &other))
    };
    let parts = all.iter().filter_map(part).collect();
    let names = ["new_string", "newString", "content", "new_source"];
    let new: Vec<_> = all.iter().filter_map(|edit| text(edit, &names)).collect();
    vec![Edit {
        file,
        parts,
        new_text: (!new.is_empty()).then(|| new.join("\n")),
    }]
}

impl Part {
    /// Leaves out the lines at both ends that are the same in both texts.
    fn changed(text: String, other: &str) -> Self {
        let (one, two): (Vec<_>, Vec<_>) = (
            text.split_inclusive('\n').collect(),
            other.split_inclusive('\n').collect(),
        );
        let same = |pairs: &mut dyn Iterator<Item = (&&str, &&str)>| {
            pairs.take_while(|(one, two)| one == two).count()
        };
        let before = same(&mut one.iter().zip(&two));
        let left = one.len().min(two.len()) - before;
        let after = same(&mut one.iter().rev().zip(two.iter().rev())).min(left);
        Self {
            same_before: before as u32,
            same_after: after as u32,
            text,
        }
    }

    /// The lines of `file` that it stands for, at each of its places.
    fn lines(&self, file: &[u8]) -> Vec<LineRange> {
        let places = places_of(file, self.text.as_bytes()).into_iter();
        let cut = places.map(|place| LineRange {
            start: place.start + self.same_before,
            end: place.end - self.same_after,
        });
        cut.filter(|place| place.start <= place.end).collect()
    }
}

/// Reads a patch of the form that `apply_patch` takes.
fn patched(patch: &str) -> Vec<Edit> {
    let mut edits: Vec<Edit> = Vec::new();
    let mut hunk = Vec::new();
    for line in patch.lines().chain(["*** End Patch"]) {
        let begins = line.starts_with("***") || line.starts_with("@@");
        if begins && let Some(edit) = edits.last_mut() {
            let hunk = std::mem::take(&mut hunk);
            edit.parts.extend(replaced(&hunk));
            let new = hunk.iter().filter_map(|line: &&str| line.strip_prefix('+'));
            for line in new {
                let text = edit.new_text.get_or_insert_default();
                text.push_str(line);
                text.push('\n');
            }
        }
        let file = ["*** Update File: ", "*** Add File: ", "*** Delete File: "];
        if let Some(file) = file.iter().find_map(|mark| line.strip_prefix(mark)) {
            let file = file.trim().to_owned();
            edits.push(Edit {
                file,
                parts: Vec::new(),
                new_text: None,
            });
        } else if !begins {
            hunk.push(line);
        }
    }
    edits
}

/// What a hunk of a patch replaces; nothing when it only has new lines, as in a new file.
fn replaced(hunk: &[&str]) -> Option<Part> {
    let old: Vec<_> = hunk.iter().filter(|line| !line.starts_with('+')).collect();
    let text: String = old
        .iter()
        .map(|line| format!("{}\n", line.strip_prefix([' ', '-']).unwrap_or(line)))
        .collect();
    let same = |line: &&&str| !line.starts_with(['-', '+']);
    let before = hunk.iter().take_while(same).count();
    let after = hunk[before..].iter().rev().take_while(same).count();
    (!old.is_empty() && before < hunk.len()).then_some(Part {
        text,
        same_before: before as u32,
        same_after: after as u32,
    })
}

/// Says what other worktrees do where an edit is made; nothing when they do nothing near it, or it can't be told.
fn tell(edit: &Edit, cwd: Option<&Path>, paths: Option<&Paths>) -> Option<String> {
    let file = cwd.map_or_else(|| PathBuf::from(&edit.file), |cwd| cwd.join(&edit.file));
    let worktree = conflicts::worktree_of(&file).ok()??;
    let text = std::fs::read(&file).unwrap_or_default();
    let lines: Vec<_> = edit
        .parts
        .iter()
        .flat_map(|part| part.lines(&text))
        .collect();
    let from = match lines.as_slice() {
        [] => Severity::DifferentArea,
        _ => Severity::AdjacentLine,
    };
    let change = ProposedChange {
        file: file.to_string_lossy().into_owned(),
        lines,
        worktree: worktree.to_string_lossy().into_owned(),
        new_text: edit.new_text.clone(),
    };
    let answer = app::check_change(paths, &change, false).ok()?;
    let touches = answer.touches.iter().filter(|touch| touch.severity >= from);
    let (broken, near): (Vec<_>, Vec<_>) = touches.partition(|touch| !touch.breaks.is_empty());
    let sides = |touches: &[&Touch]| {
        let sides: Vec<_> = touches.iter().map(|touch| touch.told()).collect();
        sides.join("\n\n")
    };
    let mut told = Vec::new();
    if !near.is_empty() {
        told.push(format!(
            "Another worktree of this repository changes `{}` as well, at or near the lines of this edit. \
             Nothing is wrong with the edit itself; but a merge of both may stop there.\n\n{}",
            answer.path,
            sides(&near)
        ));
    }
    if !broken.is_empty() {
        told.push(format!(
            "This edit of `{}` uses what another worktree of this repository changes or removes. Nothing is wrong \
             with the edit itself; but what a merge of both makes may not work.\n\n{}",
            answer.path,
            sides(&broken)
        ));
    }
    (!told.is_empty()).then(|| told.join("\n\n"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(input: &Value) -> String {
        let say = |edit: &Edit| {
            let part =
                |part: &Part| format!("{:?} -{} -{}", part.text, part.same_before, part.same_after);
            let parts: Vec<_> = edit.parts.iter().map(part).collect();
            format!("{}: {}", edit.file, parts.join(", "))
        };
        let all: Vec<_> = edits(input, false).iter().map(say).collect();
        all.join("\n")
    }

    #[test]
    fn each_agent_s_edit_is_read() {
        let edit =
            json!({ "file_path": "/r/f", "old_string": "a\nb\nc\n", "new_string": "a\nB\nc\n" });
        insta::assert_snapshot!(said(&edit), @r#"/r/f: "a\nb\nc\n" -1 -1"#);
        let several = json!({ "file_path": "/r/f", "edits": [
            { "old_string": "a", "new_string": "b" }, { "old_string": "c\n", "new_string": "c\nd\n" },
        ] });
        insta::assert_snapshot!(said(&several), @r#"/r/f: "a" -0 -0, "c\n" -1 -0"#);
        insta::assert_snapshot!(said(&json!({ "file_path": "/r/f", "content": "all" })), @"/r/f:");
        insta::assert_snapshot!(said(&json!({ "notebook_path": "/r/n.ipynb", "new_source": "x" })), @"/r/n.ipynb:");
        let opencode = json!({ "filePath": "f", "oldString": "a", "newString": "b" });
        insta::assert_snapshot!(said(&opencode), @r#"f: "a" -0 -0"#);
        let patch = "*** Begin Patch\n*** Update File: src/f\n@@ fn main\n same\n-old\n+new\n after\n@@\n-x\n*** Add File: g\n+new\n*** End Patch";
        insta::assert_snapshot!(said(&json!({ "command": patch })), @r#"
        src/f: "same\nold\nafter\n" -1 -1, "x\n" -0 -0
        g:
        "#);
        assert_eq!(said(&json!({ "command": "rm -rf ." })), "");
        assert_eq!(said(&json!(null)), "");
    }

    #[test]
    fn an_edit_stands_for_the_lines_that_it_changes() {
        let part = Part::changed("b\nc\nd\n".to_owned(), "b\nX\nd\n");
        let lines: Vec<_> = part
            .lines(b"a\nb\nc\nd\ne\n")
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(lines, ["3"]);
        let inserted = Part::changed("b\nc\n".to_owned(), "b\nnew\nc\n");
        let lines: Vec<_> = inserted
            .lines(b"a\nb\nc\n")
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(lines, ["before 3"]);
    }

    #[test]
    fn what_is_no_event_is_answered_with_nothing() {
        for event in ["", "{", "[]", "{}", r#"{"hook_event_name":"PreToolUse"}"#] {
            assert_eq!(answer(event.as_bytes(), None), None, "{event}");
        }
    }

    fn git(directory: &Path, arguments: &[&str]) {
        let mut git = std::process::Command::new("git");
        git.current_dir(directory)
            .args(["-c", "user.name=a", "-c", "user.email=a@b"]);
        assert!(
            git.args(arguments).output().unwrap().status.success(),
            "{arguments:?}"
        );
    }

    #[test]
    fn an_agent_is_told_what_the_other_side_does_and_where_its_version_lies() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().canonicalize().unwrap();
        let main = place.join("main");
        git(&place, &["init", "-q", "-b", "main", "main"]);
        let text = |tenth: &str| -> String {
            let lines = (1..=30).map(|line| match line {
                10 => format!("{tenth}\n"),
                _ => format!("line {line}\n"),
            });
            lines.collect()
        };
        std::fs::write(main.join("f"), text("line 10")).unwrap();
        git(&main, &["add", "-A"]);
        git(&main, &["commit", "-q", "-m", "x"]);
        git(&main, &["worktree", "add", "-q", "-b", "fix", "../other"]);
        std::fs::write(place.join("other/f"), text("ten")).unwrap();
        let answer = |event: &str, input: Value| {
            let event = json!({ "hook_event_name": event, "cwd": main, "tool_name": "x", "tool_input": input });
            let answer = answer(event.to_string().as_bytes(), None)?;
            Some(
                answer
                    .to_string()
                    .replace(&place.display().to_string(), "DIR"),
            )
        };
        let edit = json!({ "file_path": main.join("f"), "old_string": "line 9\nline 10\n", "new_string": "line 9\n10\n" });
        let told = answer("PreToolUse", edit.clone()).unwrap();
        let told: Value = serde_json::from_str(&told).unwrap();
        assert_eq!(told["hookSpecificOutput"]["hookEventName"], "PreToolUse");
        insta::assert_snapshot!(told["hookSpecificOutput"]["additionalContext"].as_str().unwrap(), @"
        Another worktree of this repository changes `f` as well, at or near the lines of this edit. Nothing is wrong with the edit itself; but a merge of both may stop there.

        The worktree `other` (branch `fix`) changes it, line 10
        @@ -7,7 +7,7 @@
         line 7
         line 8
         line 9
        -line 10
        +ten
         line 11
         line 12
         line 13
        Its version: DIR/other/f
        ");
        // In the form of whoever asks.
        let patch =
            "*** Begin Patch\n*** Update File: f\n@@\n line 9\n-line 10\n+10\n*** End Patch\n";
        assert!(answer("PreToolUse", json!({ "command": patch })).is_some());
        let person = answer("BeforeTool", edit.clone()).unwrap();
        assert!(
            person.starts_with(r#"{"systemMessage":"Another"#),
            "{person}"
        );
        std::fs::write(main.join("f"), text("10")).unwrap();
        let done = answer("AfterTool", edit).unwrap();
        assert!(done.contains(r#""hookEventName":"AfterTool""#), "{done}");
        // Far from it, nothing is said; of a file that is written whole, it is.
        let far = json!({ "file_path": "f", "old_string": "line 29", "new_string": "29" });
        assert_eq!(answer("PreToolUse", far), None);
        assert!(answer("PreToolUse", json!({ "file_path": "f", "content": "new" })).is_some());
        assert_eq!(
            answer(
                "PreToolUse",
                json!({ "file_path": "/nowhere/f", "content": "new" })
            ),
            None
        );
    }
}
