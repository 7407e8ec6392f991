//! What a person decides of a change: into the index, out of it, or away with it.

use std::ffi::{OsStr, OsString};

use git::RepoPath;

use crate::diff::PLAIN;
use crate::disk::{self, Scratch, State};
use crate::patch::{Lines, Section, sections};
use crate::snapshot::{SnapshotId, SnapshotReason, Snapshots};
use crate::types::{Act, ActRequest, Chosen, FileKind, Hunk, View};
use crate::worktree::{ChangesError, Worktree};

/// A larger file is not discarded.
const MOST: u64 = 512 * 1024 * 1024;

impl Worktree {
    /// Stages, unstages or discards files, or some hunks of them. What is discarded is kept in `snapshots` before: its name is
    /// returned, and [`Snapshots::restore`] gives it back.
    ///
    /// The index is written by git. A file is replaced in one step, so that whenever this process ends each one is as before
    /// or as after.
    ///
    /// # Errors
    ///
    /// [`ChangesError::Moved`] when a hunk is not there any more as it was seen, [`ChangesError::Refused`] for what can't be done
    /// with this kind of change, [`ChangesError::Git`] when git would not: the index is locked, say. Then nothing was done; but
    /// when a [`ChangesError::Write`] ends a discard of several files, those before it are discarded, and the snapshot has them.
    pub fn act(
        &self,
        request: &ActRequest,
        snapshots: &Snapshots,
        now_ms: u64,
    ) -> Result<Option<SnapshotId>, ChangesError> {
        let fits = match request.act {
            Act::Stage | Act::Discard => matches!(request.view, View::Unstaged | View::Untracked),
            Act::Unstage => request.view == View::Staged,
        };
        if !fits {
            let why = format!("what is {} can't be {}", request.view, request.act.done());
            return Err(self.refusal(&request.files, &why));
        }
        let files = self.with_paths(request)?;
        let (whole, parts): (Vec<_>, Vec<_>) = files.iter().partition(|one| one.hunks.is_empty());
        match request.act {
            Act::Discard => {
                return self
                    .discard(request.view, &files, snapshots, now_ms)
                    .map(Some);
            }
            Act::Stage => self.with_index(&["add", "-A", "--"], &whole)?,
            Act::Unstage => self.with_index(&["reset", "--quiet", "--"], &whole)?,
        }
        for chosen in parts {
            self.apply(request.act, request.view, chosen)?;
        }
        Ok(None)
    }

    /// Has git do something with the index for whole files.
    fn with_index(&self, args: &[&str], files: &[&Chosen]) -> Result<(), ChangesError> {
        if files.is_empty() {
            return Ok(());
        }
        let mut all: Vec<OsString> = vec!["--literal-pathspecs".into()];
        all.extend(args.iter().map(OsString::from));
        all.extend(
            paths_of(files)
                .into_iter()
                .map(|path| path.to_path().into()),
        );
        self.act_with(&all, &[])
            .map_err(self.refused("write the index"))?;
        Ok(())
    }

    /// Has git put hunks into the index, or take them out.
    fn apply(&self, act: Act, view: View, chosen: &Chosen) -> Result<(), ChangesError> {
        let printed = self.patch_of(view, chosen)?;
        let told = sections(&printed);
        let section = self.only(&told, chosen)?;
        let mut patch = section.beginning();
        for hunk in self.found(section, chosen)? {
            patch.extend_from_slice(&section.hunk(hunk));
        }
        let mut args = vec!["apply", "--cached", "--whitespace=nowarn"];
        if act == Act::Unstage {
            args.push("--reverse");
        }
        args.push("-");
        self.act_with(&args, &patch)
            .map_err(self.refused("write the index"))?;
        Ok(())
    }

    /// The patch of one file with names that git reads again.
    fn patch_of(&self, view: View, chosen: &Chosen) -> Result<Vec<u8>, ChangesError> {
        let view = match view {
            View::Staged => "--cached",
            _ => "-2",
        };
        self.patch_by(view, chosen)
    }

    /// The same, by the argument with which `git diff` tells the view.
    pub(crate) fn patch_by(&self, view: &str, chosen: &Chosen) -> Result<Vec<u8>, ChangesError> {
        let mut args: Vec<OsString> = ["--literal-pathspecs", "diff", "-p", "--full-index", "-U3"]
            .into_iter()
            .chain(PLAIN)
            .chain([view, "--"])
            .map(OsString::from)
            .collect();
        args.extend(
            paths_of(&[chosen])
                .into_iter()
                .map(|path| path.to_path().into()),
        );
        self.ask(&args).map_err(self.refused("tell the lines"))
    }

    /// The one part of a patch that is about a file, of which some hunks are to be taken alone.
    fn only<'a, 'b>(
        &self,
        told: &'a [Section<'b>],
        chosen: &Chosen,
    ) -> Result<&'a Section<'b>, ChangesError> {
        match told {
            [section] if chosen.from.is_none() => Ok(section),
            [] => Err(ChangesError::Moved {
                path: chosen.path.clone(),
            }),
            _ => {
                let why = "of this kind of change, it is all or nothing";
                Err(self.refusal(std::slice::from_ref(chosen), why))
            }
        }
    }

    /// Where in a patch the chosen hunks are; each as it was seen.
    fn found(&self, section: &Section<'_>, chosen: &Chosen) -> Result<Vec<usize>, ChangesError> {
        let told = section.told();
        let place = |hunk: &Hunk| {
            let same = |one: &Hunk| {
                Hunk {
                    heading: hunk.heading.clone(),
                    ..one.clone()
                } == *hunk
            };
            told.iter()
                .position(same)
                .ok_or_else(|| ChangesError::Moved {
                    path: chosen.path.clone(),
                })
        };
        let places: Result<Vec<_>, _> = chosen.hunks.iter().map(place).collect();
        places.map(|mut places| {
            places.sort_unstable();
            places
        })
    }

    /// Keeps what there is, and then takes it away.
    fn discard(
        &self,
        view: View,
        files: &[Chosen],
        snapshots: &Snapshots,
        now_ms: u64,
    ) -> Result<SnapshotId, ChangesError> {
        // First what each file will be: what can't be done is known before anything is.
        let after: Vec<_> = files
            .iter()
            .map(|chosen| Ok((&chosen.path, self.without(view, chosen)?)))
            .collect::<Result<_, ChangesError>>()?;
        let paths: Vec<_> = files.iter().map(|chosen| chosen.path.clone()).collect();
        let id = snapshots.take(self, &paths, SnapshotReason::Discarded, now_ms)?;
        let scratch = self.scratch()?;
        for (path, state) in &after {
            disk::put(self.root(), path, state, &scratch).map_err(self.unwritten(path))?;
        }
        Ok(id)
    }

    /// What a file is without what is to be discarded of it.
    fn without(&self, view: View, chosen: &Chosen) -> Result<State, ChangesError> {
        let refused = |why: &str| self.refusal(std::slice::from_ref(chosen), why);
        let unread = |error: std::io::Error| refused(&error.to_string());
        let now = disk::state(self.root(), &chosen.path, MOST).map_err(unread)?;
        if view == View::Untracked {
            return match chosen.hunks.is_empty() {
                true => Ok(State::Absent),
                false => Err(refused("of a new file, all is discarded or nothing")),
            };
        }
        if chosen.hunks.is_empty() {
            let mode = match now {
                State::There { mode, .. } => mode,
                State::Absent => None,
            };
            return self.in_index(chosen, mode);
        }
        self.without_hunks(now, &self.patch_of(view, chosen)?, chosen)
    }

    /// What a file is without some of the hunks by which a patch leads to it.
    pub(crate) fn without_hunks(
        &self,
        now: State,
        patch: &[u8],
        chosen: &Chosen,
    ) -> Result<State, ChangesError> {
        let refused = |why: &str| self.refusal(std::slice::from_ref(chosen), why);
        let State::There { kind, bytes, mode } = now else {
            return Err(ChangesError::Moved {
                path: chosen.path.clone(),
            });
        };
        if kind == FileKind::Link {
            return Err(refused("of a link, it is all or nothing"));
        }
        let told = sections(patch);
        let section = self.only(&told, chosen)?;
        let places = self.found(section, chosen)?;
        let raw: Vec<_> = places.iter().map(|place| section.lines(*place)).collect();
        match backwards(&bytes, &raw) {
            Some(bytes) => Ok(State::There { kind, bytes, mode }),
            None => Err(refused(
                "its lines are converted on the way to git; discard all of it, or change it by hand",
            )),
        }
    }

    /// A file as the index has it, as it would be checked out. `mode`: the one that it has now.
    fn in_index(&self, chosen: &Chosen, mode: Option<u32>) -> Result<State, ChangesError> {
        let refused = |why: &str| self.refusal(std::slice::from_ref(chosen), why);
        let place = chosen.path.to_path();
        let failed = |why| self.refused("read the index")(why);
        let args: Vec<&OsStr> = ["--literal-pathspecs", "ls-files", "--stage", "-z", "--"]
            .into_iter()
            .map(OsStr::new)
            .chain([place.as_os_str()])
            .collect();
        let listed = self.ask(args).map_err(failed)?;
        let mut entries = listed.split(|byte| *byte == 0).filter(|entry| {
            let tab = entry.iter().position(|byte| *byte == b'\t');
            tab.is_some_and(|tab| entry[tab + 1..] == *chosen.path.as_bytes())
        });
        let (Some(entry), None) = (entries.next(), entries.next()) else {
            return Err(refused(
                "a merge left it to be resolved, or it is only marked to be added",
            ));
        };
        let mut fields = entry.split(|byte| matches!(byte, b' ' | b'\t'));
        let kind = fields.next().and_then(FileKind::of_mode);
        let id = fields
            .next()
            .map(|id| String::from_utf8_lossy(id).into_owned());
        let (Some(kind), Some(id)) = (kind, id) else {
            return Err(refused("git says something that is not understood"));
        };
        self.checked_out(&chosen.path, kind, id, mode)
    }

    /// A file as a commit has it, as it would be checked out. `mode`: the one that it has now.
    pub(crate) fn in_commit(
        &self,
        commit: &str,
        path: &RepoPath,
        mode: Option<u32>,
    ) -> Result<State, ChangesError> {
        let args: Vec<OsString> = ["--literal-pathspecs", "ls-tree", "-z", commit, "--"]
            .into_iter()
            .map(OsString::from)
            .chain([path.to_path().into_os_string()])
            .collect();
        let listed = self.ask(&args).map_err(self.refused("read the commit"))?;
        let entry = listed.split(|byte| *byte == 0).next().unwrap_or_default();
        let mut fields = entry.split(|byte| matches!(byte, b' ' | b'\t'));
        // A directory is no file.
        let mode_then = fields.next().filter(|mode| *mode != b"040000");
        let kind = mode_then.and_then(FileKind::of_mode);
        let id = fields.nth(1);
        let (Some(kind), Some(id)) = (kind, id) else {
            return Ok(State::Absent);
        };
        let id = String::from_utf8_lossy(id).into_owned();
        self.checked_out(path, kind, id, mode)
    }

    /// An object as it would be checked out at a path. `mode`: the one that stands there now.
    fn checked_out(
        &self,
        path: &RepoPath,
        kind: FileKind,
        id: String,
        mode: Option<u32>,
    ) -> Result<State, ChangesError> {
        let place = path.to_path();
        let mut args: Vec<OsString> = vec!["cat-file".into()];
        match kind {
            FileKind::Repository => {
                return Err(ChangesError::Refused {
                    path: path.clone(),
                    why: "it is a repository of its own".to_owned(),
                });
            }
            FileKind::Link => args.extend(["blob".into(), id.into()]),
            FileKind::File | FileKind::Executable => {
                let mut filtered = OsString::from("--path=");
                filtered.push(&place);
                args.extend(["--filters".into(), filtered, id.into()]);
            }
        }
        let bytes = self.ask(&args).map_err(self.refused("read the file"))?;
        // What others than git know of its mode stays.
        let mode = mode.map(|mode| match kind {
            FileKind::Executable => mode | (mode & 0o444) >> 2,
            _ => mode & !0o111,
        });
        Ok(State::There {
            kind,
            bytes,
            mode: mode.filter(|_| kind != FileKind::Link),
        })
    }

    /// Where files are made that are about to take another one's place.
    pub(crate) fn scratch(&self) -> Result<Scratch, ChangesError> {
        let git_dir = self.git_dir().map_err(self.refused("tell the state"))?;
        Scratch::below(&git_dir).map_err(self.unwritten(&RepoPath::from(".git")))
    }

    /// The chosen files by the paths that are meant: as texts, they lack the bytes that are no text.
    fn with_paths(&self, request: &ActRequest) -> Result<Vec<Chosen>, ChangesError> {
        let files = request.files.iter().map(|chosen| {
            let (path, from) =
                self.meant(request.view, None, &chosen.path, chosen.from.as_ref())?;
            Ok(Chosen {
                path,
                from,
                hunks: chosen.hunks.clone(),
            })
        });
        files.collect()
    }

    fn refusal(&self, files: &[Chosen], why: &str) -> ChangesError {
        let path = files.first().map(|chosen| chosen.path.clone());
        ChangesError::Refused {
            path: path.unwrap_or_else(|| RepoPath::from("")),
            why: why.to_owned(),
        }
    }
}

fn paths_of(files: &[&Chosen]) -> Vec<RepoPath> {
    let all = files
        .iter()
        .flat_map(|chosen| chosen.from.iter().chain([&chosen.path]));
    all.cloned().collect()
}

/// A text without these hunks, as it was before them; none when its lines are not the ones of the hunks. Line ends may be
/// others than git's: those of the lines around are taken.
fn backwards(now: &[u8], hunks: &[Lines<'_>]) -> Option<Vec<u8>> {
    let lines: Vec<&[u8]> = now.split_inclusive(|byte| *byte == b'\n').collect();
    let mut before = Vec::new();
    let mut at = 0;
    let mut ordered: Vec<_> = hunks.iter().collect();
    ordered.sort_by_key(|hunk| hunk.new.0);
    for hunk in ordered {
        let start = hunk.new.0 as usize - usize::from(hunk.new.1 > 0);
        before.extend(lines.get(at..start)?.concat());
        at = start;
        let text: Vec<&[u8]> = hunk.text.split(|byte| *byte == b'\n').collect();
        let mut converted = None;
        let mut gone = Vec::new();
        for (place, line) in text.iter().enumerate() {
            let open = text
                .get(place + 1)
                .is_some_and(|next| next.starts_with(b"\\"));
            let (sign, content) = line.split_first()?;
            match sign {
                b' ' | b'+' => {
                    let here = *lines.get(at)?;
                    let own = here.strip_suffix(b"\n");
                    if own.is_none() != open {
                        return None;
                    }
                    let own = own.unwrap_or(here);
                    if own != content {
                        if own.strip_suffix(b"\r") != Some(content) {
                            return None;
                        }
                        converted = Some(true);
                    } else if converted.is_none() {
                        converted = Some(false);
                    }
                    at += 1;
                    if *sign == b' ' {
                        gone.push((here.to_vec(), true));
                    }
                }
                b'-' => {
                    let end: &[u8] = if open { b"" } else { b"\n" };
                    gone.push(([content, end].concat(), false));
                }
                _ => {}
            }
        }
        for (line, kept) in gone {
            let ends_so = line.ends_with(b"\n") && !line.ends_with(b"\r\n");
            match (kept, converted, ends_so) {
                (false, Some(true), true) => {
                    before.extend_from_slice(&line[..line.len() - 1]);
                    before.extend_from_slice(b"\r\n");
                }
                _ => before.extend_from_slice(&line),
            }
        }
    }
    before.extend(lines.get(at..)?.concat());
    Some(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without(now: &str, new: (u32, u32), text: &str) -> Option<String> {
        let hunk = Lines {
            new,
            text: text.as_bytes(),
        };
        backwards(now.as_bytes(), &[hunk]).map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn a_hunk_is_taken_back_where_it_is() {
        let text = " one\n-two\n+2\n+2a\n three";
        let before = without("one\n2\n2a\nthree\n", (1, 4), text);
        assert_eq!(before.as_deref(), Some("one\ntwo\nthree\n"));
    }

    #[test]
    fn lines_that_are_others_now_are_left_alone() {
        assert_eq!(without("one\nX\n", (1, 2), " one\n-two\n+2"), None);
        assert_eq!(without("", (1, 2), " one\n-two\n+2"), None);
    }

    #[test]
    fn line_ends_that_are_converted_stay_what_they_are() {
        let before = without("one\r\n2\r\nthree\r\n", (1, 3), " one\n-two\n+2\n three");
        assert_eq!(before.as_deref(), Some("one\r\ntwo\r\nthree\r\n"));
    }

    #[test]
    fn a_last_line_without_an_end_comes_back_without_one() {
        let text = "-one\n\\ No newline at end of file\n+one\n+two";
        assert_eq!(without("one\ntwo\n", (1, 2), text).as_deref(), Some("one"));
    }

    #[test]
    fn lines_that_were_only_taken_out_come_back() {
        assert_eq!(
            without("a\nd\n", (1, 0), "-b\n-c").as_deref(),
            Some("a\nb\nc\nd\n")
        );
    }
}
