//! The lines of one file that changed.

use std::ffi::OsString;
use std::path::PathBuf;

use git::RepoPath;

use crate::list::read_files;
use crate::patch::{self, Section, all_new, sections};
use crate::types::{
    ChangedFile, DiffContent, DiffQuestion, FileChangeKind, FileDiff, LineCounts, View,
};
use crate::untracked::{Content, LARGEST, content, count, is_text};
use crate::worktree::{ChangesError, Worktree};

/// As many lines around a change as a file can have.
const ALL_LINES: u32 = 1_000_000_000;

/// How lines are told, whatever the person's settings say of that.
pub(crate) const PLAIN: [&str; 9] = [
    "-M",
    "--no-ext-diff",
    "--no-textconv",
    "--no-relative",
    "--submodule=short",
    "--no-color",
    "-O/dev/null",
    "--src-prefix=a/",
    "--dst-prefix=b/",
];

/// What a path looks like in which bytes were replaced that are no text.
const REPLACED: char = char::REPLACEMENT_CHARACTER;

const NONE: DiffContent = DiffContent::Text {
    hunks: Vec::new(),
    encoding: crate::types::TextEncoding::Utf8,
    cut: false,
};

impl Worktree {
    /// Tells which lines of one file changed.
    ///
    /// # Errors
    ///
    /// As [`Worktree::list`].
    pub fn diff(&self, question: &DiffQuestion) -> Result<FileDiff, ChangesError> {
        let question = &self.with_bytes(question)?;
        if question.view == View::Untracked {
            return Ok(self.new_file(&question.path));
        }
        match self.diff_args(question.view, question.base.as_deref())? {
            Some(view) => self.diff_by(question, view),
            None => Ok(nothing()),
        }
    }

    /// The same, by the arguments with which `git diff` tells the view.
    pub(crate) fn diff_by(
        &self,
        question: &DiffQuestion,
        view: Vec<String>,
    ) -> Result<FileDiff, ChangesError> {
        let context = question.context.unwrap_or(ALL_LINES);
        let mut args: Vec<OsString> = [
            "--literal-pathspecs",
            "diff",
            "--raw",
            "--numstat",
            "-p",
            "-z",
        ]
        .into_iter()
        .chain(PLAIN)
        .map(OsString::from)
        .collect();
        args.push("--inter-hunk-context=0".into());
        args.push(format!("-U{context}").into());
        if question.ignore_space {
            args.push("-w".into());
        }
        let base = view.first().cloned();
        args.extend(view.into_iter().map(OsString::from));
        args.push("--".into());
        let paths = question.from.iter().chain([&question.path]);
        args.extend(paths.map(|path| path.to_path().into_os_string()));
        let failed = || self.refused("tell the lines");
        let printed = self.ask(&args).map_err(failed())?;
        let told = read_diff(&printed, &question.path);
        let gone = |told: &FileDiff| told.file.as_ref().is_some_and(|file| file.new.is_none());
        if question.view != View::Whole || told.as_ref().is_some_and(|told| !gone(told)) {
            return Ok(told.unwrap_or_else(nothing));
        }
        // In all that changed, a file that git does not know is one that changed.
        if !self.is_untracked(&question.path)? {
            return Ok(told.unwrap_or_else(nothing));
        }
        let Some(base) = told.and(base) else {
            return Ok(self.new_file(&question.path));
        };
        let index = self
            .index_with(&base, std::slice::from_ref(&question.path))
            .map_err(failed())?;
        let printed = self.ask_with(index.env(), &args, &[]).map_err(failed())?;
        Ok(read_diff(&printed, &question.path).unwrap_or_else(nothing))
    }

    /// The question with the paths that it means.
    fn with_bytes(&self, question: &DiffQuestion) -> Result<DiffQuestion, ChangesError> {
        let DiffQuestion { view, base, .. } = question;
        let (path, from) = self.meant(
            *view,
            base.as_deref(),
            &question.path,
            question.from.as_ref(),
        )?;
        Ok(DiffQuestion {
            path,
            from,
            ..question.clone()
        })
    }

    /// The paths that are meant: as texts, they lack the bytes that are no text.
    pub(crate) fn meant(
        &self,
        view: View,
        base: Option<&str>,
        path: &RepoPath,
        from: Option<&RepoPath>,
    ) -> Result<(RepoPath, Option<RepoPath>), ChangesError> {
        let lacking = |path: &RepoPath| path.to_string().contains(REPLACED);
        if lacking(path) || from.is_some_and(lacking) {
            let listed = self.list(&[view], base)?;
            let mut files = listed.views.into_iter().flat_map(|view| view.files);
            let text = path.to_string();
            if let Some(found) = files.find(|file| file.path.to_string() == text) {
                return Ok((found.path, found.from));
            }
        }
        Ok((path.clone(), from.cloned()))
    }

    fn is_untracked(&self, path: &RepoPath) -> Result<bool, ChangesError> {
        let args = [
            "--literal-pathspecs",
            "ls-files",
            "-z",
            "--others",
            "--exclude-standard",
            "--",
        ];
        let place: PathBuf = path.to_path();
        let args = args.map(OsString::from).into_iter().chain([place.into()]);
        let args: Vec<_> = args.collect();
        let printed = self.ask(&args).map_err(self.refused("tell the lines"))?;
        let mut found = printed.split(|byte| *byte == 0);
        Ok(found.any(|found| found.strip_suffix(b"/").unwrap_or(found) == path.as_bytes()))
    }

    /// A file that git does not know: all of it is new.
    fn new_file(&self, path: &RepoPath) -> FileDiff {
        let (new, lines, content) = match content(self.root(), path, |bytes| bytes <= LARGEST) {
            Content::Nothing => return nothing(),
            Content::Repository => (crate::types::FileKind::Repository, None, NONE),
            Content::TooLarge(kind, bytes) => (kind, None, DiffContent::TooLarge { bytes }),
            Content::Bytes(kind, bytes) if is_text(&bytes) => {
                let lines = count(&bytes);
                (kind, Some(lines), all_new(&bytes, lines))
            }
            Content::Bytes(kind, _) => (kind, None, DiffContent::Binary),
        };
        let file = ChangedFile {
            path: path.clone(),
            from: None,
            kind: FileChangeKind::Untracked,
            old: None,
            new: Some(new),
            lines: lines.map(|added| LineCounts { added, removed: 0 }),
        };
        FileDiff {
            file: Some(file),
            content,
        }
    }
}

/// The file did not change, or does not any more.
fn nothing() -> FileDiff {
    FileDiff {
        file: None,
        content: NONE,
    }
}

/// Reads what `git diff --raw --numstat -p -z` printed of one file; none: it is not told of.
fn read_diff(printed: &[u8], path: &RepoPath) -> Option<FileDiff> {
    // No path is empty, so this stands between what is told of the files and their lines.
    let end = printed.windows(2).position(|pair| pair == b"\0\0");
    let (head, patch) = printed.split_at(end.map_or(printed.len(), |end| end + 2));
    let files = read_files(head).ok()?;
    let told = sections(patch);
    let mut file = files.iter().find(|file| file.path == *path)?.clone();
    let others = files.iter().any(|file| file.path != *path);
    let own: Vec<Section<'_>> = match others {
        false => told,
        true => told
            .into_iter()
            .filter(|section| section.is_about(path.as_bytes()))
            .collect(),
    };
    let mut content = patch::content(&own);
    if let DiffContent::Text {
        hunks, cut: false, ..
    } = &content
    {
        let lines = |sign: char| {
            let all = hunks.iter().flat_map(|hunk| hunk.text.split('\n'));
            u32::try_from(all.filter(|line| line.starts_with(sign)).count()).unwrap_or(u32::MAX)
        };
        if hunks.is_empty() && file.lines.is_none() {
            // Git does not say so where nothing but its mode or its name changed.
            content = DiffContent::Binary;
        } else {
            file.lines = Some(LineCounts {
                added: lines('+'),
                removed: lines('-'),
            });
        }
    }
    Some(FileDiff {
        file: Some(file),
        content,
    })
}
