//! `Worktree`: whom to ask, and what it is compared with.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Arc;
use std::time::Duration;

use git::{Program, Question, RepoPath, refusal};

use crate::moment::Objects;
use crate::types::{Base, Doing};

/// Why something could not be told.
#[derive(Debug, thiserror::Error)]
pub enum ChangesError {
    /// There is no worktree.
    #[error("`{path}` is in no worktree of git: {why}")]
    NoWorktree {
        /// Where one was looked for.
        path: PathBuf,
        /// What git said.
        why: String,
    },
    /// The branch or commit to compare with is not there.
    #[error("there is no branch or commit `{name}` to compare with")]
    NoBase {
        /// As it was given.
        name: String,
    },
    /// A hunk is not there any more as it was seen.
    #[error("`{path}` is another one by now: look at it again")]
    Moved {
        /// The file.
        path: RepoPath,
    },
    /// It can't be done with this change.
    #[error("nothing was done with `{path}`: {why}")]
    Refused {
        /// The file.
        path: RepoPath,
        /// Why not.
        why: String,
    },
    /// What there is could not be kept, so nothing was taken away.
    #[error("what `{worktree}` has could not be kept for an undo, so nothing was done: {why}")]
    NotKept {
        /// The worktree.
        worktree: PathBuf,
        /// Why not.
        why: String,
    },
    /// There is no such snapshot, or not any more.
    #[error("the snapshot `{id}` can't be given back: {why}")]
    NoSnapshot {
        /// As it was called.
        id: String,
        /// Why not.
        why: String,
    },
    /// What is kept could not be listed.
    #[error("what was discarded could not be listed: {why}")]
    NotListed {
        /// Why not.
        why: String,
    },
    /// Git, or a hook, did not let the commit be.
    #[error("nothing was committed in `{worktree}`: {why}")]
    NotCommitted {
        /// The worktree.
        worktree: PathBuf,
        /// All that git and the hooks printed.
        why: String,
    },
    /// It can't be a branch's name.
    #[error("`{field}` is `{name}`, which can't name a branch; use letters, digits, `-` and `/`")]
    BadName {
        /// Which of the fields.
        field: &'static str,
        /// As it was given.
        name: String,
    },
    /// Something of a worktree was not done.
    #[error("could not {what} `{path}`: {why}")]
    NotDone {
        /// What was tried.
        what: &'static str,
        /// The worktree.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// A file could not be written.
    #[error("could not write `{path}`")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Git did not answer.
    #[error("could not {what} of `{worktree}`: {why}")]
    Git {
        /// What was tried.
        what: &'static str,
        /// The worktree.
        worktree: PathBuf,
        /// Why not.
        why: String,
    },
}

/// Settings of a person that would change how an answer is written; or keep git from looking.
const PLAIN: [&str; 5] = [
    "core.quotePath=false",
    "diff.autoRefreshIndex=true",
    "diff.noprefix=false",
    "diff.mnemonicPrefix=false",
    "diff.suppressBlankEmpty=false",
];

/// How long git may take when the person's own hooks have a part in it: a whole suite of tests, say.
const AT_LENGTH: Duration = Duration::from_secs(60 * 60);

/// One worktree, to be asked what it changed.
#[derive(Debug, Clone)]
pub struct Worktree {
    root: PathBuf,
    program: Program,
    /// Where git finds objects that the repository does not have.
    pub(crate) objects: Option<Arc<Objects>>,
}

/// What a worktree is compared with; or why it is not.
pub(crate) enum Compared {
    With(Base),
    Not(String),
}

/// Where the commits of a worktree are: its branch, and its commit.
pub(crate) struct Head {
    pub(crate) branch: Option<String>,
    pub(crate) commit: Option<String>,
    /// The branch that it follows, in full.
    pub(crate) upstream: Option<String>,
}

impl Worktree {
    /// Finds the worktree that a directory is in.
    ///
    /// # Errors
    ///
    /// [`ChangesError::NoWorktree`], also when git is not there.
    pub fn open(directory: &Path, program: Program) -> Result<Self, ChangesError> {
        let here = Self {
            root: directory.to_owned(),
            program,
            objects: None,
        };
        let refused = |why: String| ChangesError::NoWorktree {
            path: directory.to_owned(),
            why,
        };
        if !directory.is_dir() {
            return Err(refused("the directory is not there".to_owned()));
        }
        let root = here
            .ask(["rev-parse", "--show-toplevel"])
            .map_err(refused)?;
        let root = path_of(root.strip_suffix(b"\n").unwrap_or(&root));
        Ok(Self { root, ..here })
    }

    /// Finds a worktree of the repository that `directory` is in: by its path, by the last part of that, or by its branch.
    ///
    /// # Errors
    ///
    /// [`ChangesError::NoWorktree`] when there is none that is called so.
    pub fn named(directory: &Path, name: &str, program: Program) -> Result<Self, ChangesError> {
        let path = directory.join(name);
        if path.is_dir() {
            return Self::open(&path, program);
        }
        let here = Self {
            root: directory.to_owned(),
            program,
            objects: None,
        };
        let refused = |why: String| ChangesError::NoWorktree {
            path: path.clone(),
            why,
        };
        let all = here.worktrees().map_err(refused)?;
        let called = |one: &&Listed| {
            one.branch.as_deref() == Some(name)
                || one.root.file_name().is_some_and(|last| last == name)
        };
        match all.iter().find(called) {
            Some(found) => Self::open(&found.root, here.program.clone()),
            None => {
                let known: Vec<_> = all
                    .iter()
                    .map(|one| one.root.display().to_string())
                    .collect();
                Err(refused(format!("there are {}", known.join(", "))))
            }
        }
    }

    /// Its root.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Asks git, here.
    pub(crate) fn ask<'a, A: AsRef<OsStr> + ?Sized + 'a>(
        &self,
        args: impl IntoIterator<Item = &'a A>,
    ) -> Result<Vec<u8>, String> {
        self.ask_with(Vec::new(), args, &[])
    }

    /// Asks git, here, with these variables, and these bytes to read.
    pub(crate) fn ask_with<'a, A: AsRef<OsStr> + ?Sized + 'a>(
        &self,
        env: Vec<(&'static str, &OsStr)>,
        args: impl IntoIterator<Item = &'a A>,
        input: &[u8],
    ) -> Result<Vec<u8>, String> {
        let output = self.run_with(env, args, input)?;
        match output.status.success() {
            true => Ok(output.stdout),
            false => Err(refusal(&output)),
        }
    }

    /// The same, with how git ended.
    pub(crate) fn run_with<'a, A: AsRef<OsStr> + ?Sized + 'a>(
        &self,
        env: Vec<(&'static str, &OsStr)>,
        args: impl IntoIterator<Item = &'a A>,
        input: &[u8],
    ) -> Result<Output, String> {
        let plain = PLAIN.iter().flat_map(|setting| ["-c", setting]);
        let mut env = env;
        env.extend(self.objects.iter().flat_map(|objects| objects.env()));
        self.program.run(&Question {
            dir: &self.root,
            env,
            args: plain
                .map(OsStr::new)
                .chain(args.into_iter().map(AsRef::as_ref))
                .collect(),
            input,
        })
    }

    /// Finds the worktree that another directory is in.
    pub(crate) fn at(&self, directory: &Path) -> Result<Self, ChangesError> {
        Self::open(directory, self.program.clone())
    }

    /// Asks in another directory, whatever that is.
    pub(crate) fn elsewhere(&self, root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            program: self.program.clone(),
            objects: None,
        }
    }

    /// Has git do something here as the person would, with these bytes to read.
    pub(crate) fn act_with<A: AsRef<OsStr>>(
        &self,
        args: &[A],
        input: &[u8],
    ) -> Result<Vec<u8>, String> {
        self.program.act(&Question {
            dir: &self.root,
            env: Vec::new(),
            args: args.iter().map(AsRef::as_ref).collect(),
            input,
        })
    }

    /// Has git do something here as the person would, which may take as long as their hooks do; gives all that was printed.
    pub(crate) fn act_at_length(&self, args: &[&str], input: &[u8]) -> Result<Output, String> {
        let args: Vec<_> = args.iter().map(OsStr::new).collect();
        self.act_at_length_with(Vec::new(), &args, input)
    }

    /// The same, with these variables.
    pub(crate) fn act_at_length_with(
        &self,
        env: Vec<(&'static str, &OsStr)>,
        args: &[&OsStr],
        input: &[u8],
    ) -> Result<Output, String> {
        let program = Program {
            deadline: AT_LENGTH,
            ..self.program.clone()
        };
        program.have_done(&Question {
            dir: &self.root,
            env,
            args: args.to_vec(),
            input,
        })
    }

    /// Tells which file could not be written.
    pub(crate) fn unwritten(&self, path: &RepoPath) -> impl FnOnce(io::Error) -> ChangesError {
        let path = self.root.join(path.to_path());
        move |source| ChangesError::Write { path, source }
    }

    /// The directory in which git keeps what is this worktree's own.
    pub(crate) fn git_dir(&self) -> Result<PathBuf, String> {
        let printed = self.ask(["rev-parse", "--absolute-git-dir"])?;
        Ok(path_of(printed.strip_suffix(b"\n").unwrap_or(&printed)))
    }

    /// Tells why git did not say what it was asked.
    pub(crate) fn refused(&self, what: &'static str) -> impl FnOnce(String) -> ChangesError + '_ {
        move |why| ChangesError::Git {
            what,
            worktree: self.root.clone(),
            why,
        }
    }

    /// What git is in the middle of here.
    pub(crate) fn doing(&self) -> Result<Option<Doing>, String> {
        let git_dir = self.git_dir()?;
        let signs = [
            ("rebase-merge", Doing::Rebase),
            ("rebase-apply", Doing::Rebase),
            ("MERGE_HEAD", Doing::Merge),
            ("CHERRY_PICK_HEAD", Doing::CherryPick),
            ("REVERT_HEAD", Doing::Revert),
            ("BISECT_LOG", Doing::Bisect),
        ];
        let mut signs = signs.into_iter();
        Ok(signs
            .find(|(sign, _)| git_dir.join(sign).exists())
            .map(|(_, doing)| doing))
    }

    /// Finds what the commits here are compared with: `wanted`, else the branch of the main worktree, else the one that the
    /// remote calls its own, else `main` or `master`, else what the branch follows; never the branch itself.
    pub(crate) fn compared(
        &self,
        head: &Head,
        wanted: Option<&str>,
    ) -> Result<Compared, ChangesError> {
        let none = |note: &str| Ok(Compared::Not(note.to_owned()));
        let (name, full) = match wanted {
            Some(name) => {
                let commit = format!("{name}^{{commit}}");
                let known = self.ask([
                    "rev-parse",
                    "--verify",
                    "--quiet",
                    "--end-of-options",
                    &commit,
                ]);
                if known.is_err() {
                    return Err(ChangesError::NoBase {
                        name: name.to_owned(),
                    });
                }
                (name.to_owned(), name.to_owned())
            }
            None => match self.base_of(head)? {
                Some(found) => found,
                None => return none("there is no other branch to compare its commits with"),
            },
        };
        let Some(commit) = &head.commit else {
            return none("it has no commit yet");
        };
        let failed = |why| self.refused("compare the commits")(why);
        let merge_base = match self.ask(["merge-base", commit, &full]) {
            Ok(printed) => text_of(&printed),
            Err(_) => {
                return none(&format!(
                    "its commits and those of `{name}` have no beginning in common"
                ));
            }
        };
        let named = format!("{full}^{{commit}}");
        let tip = self.ask(["rev-list", "--max-count=1", "--end-of-options", &named]);
        let tip = text_of(&tip.map_err(failed)?);
        let both = format!("{tip}...{commit}");
        let counted = self
            .ask(["rev-list", "--count", "--left-right", &both, "--"])
            .map_err(failed)?;
        let counted = text_of(&counted);
        let mut counts = counted
            .split_whitespace()
            .map(|count| count.parse().unwrap_or(0));
        let behind = counts.next().unwrap_or(0);
        let ahead = counts.next().unwrap_or(0);
        Ok(Compared::With(Base {
            name,
            commit: merge_base,
            tip: tip.clone(),
            ahead,
            behind,
        }))
    }

    /// The branch that this one began at, most likely: its short name, and its full one.
    fn base_of(&self, head: &Head) -> Result<Option<(String, String)>, ChangesError> {
        let failed = |why| self.refused("list the branches")(why);
        let worktrees = self.worktrees();
        let refs = self.ask([
            "for-each-ref",
            "--format=%(refname) %(symref)",
            "refs/remotes/origin/HEAD",
            "refs/heads/main",
            "refs/heads/master",
        ]);
        let main = worktrees.map_err(failed)?.into_iter().next();
        let of_main = main.filter(|main| main.root != self.root);
        let of_main = of_main.and_then(|main| main.branch);
        let refs = refs.map_err(failed)?;
        let refs = String::from_utf8_lossy(&refs);
        let refs = refs.lines().filter_map(|line| line.split_once(' '));
        let (remote, local): (Vec<_>, Vec<_>) = refs.partition(|(_, target)| !target.is_empty());
        let remote = remote.into_iter().map(|(_, target)| target.to_owned());
        let local = local.into_iter().map(|(full, _)| full.to_owned());
        let candidates = of_main
            .map(|branch| format!("{HEADS}{branch}"))
            .into_iter()
            .chain(remote)
            .chain(local)
            .chain(
                head.upstream
                    .as_ref()
                    .map(|name| format!("refs/remotes/{name}")),
            );
        let own = head.branch.as_ref().map(|name| format!("{HEADS}{name}"));
        let mut others = candidates.filter(|full| own.as_ref() != Some(full));
        Ok(others.find_map(|full| {
            let short = full
                .strip_prefix(HEADS)
                .or(full.strip_prefix("refs/remotes/"))?;
            let there = self
                .ask(["rev-parse", "--verify", "--quiet", &full])
                .is_ok();
            there.then(|| (short.to_owned(), full.clone()))
        }))
    }

    /// The branch that is checked out, where it goes to, and whether it is there, as far as was fetched or pushed.
    pub fn remote(&self) -> Option<(String, String, bool)> {
        let asked = |args: &[&str]| self.ask(args).ok().map(|told| text_of(&told));
        let branch = asked(&["symbolic-ref", "--quiet", "--short", "HEAD"])?;
        let setting = format!("branch.{branch}.remote");
        let remote = asked(&["config", "--get", &setting]).filter(|remote| remote != ".");
        let remote = remote.unwrap_or_else(|| "origin".to_owned());
        let url = asked(&["remote", "get-url", &remote])?;
        let there = format!("refs/remotes/{remote}/{branch}");
        let pushed = asked(&["rev-parse", "--verify", "--quiet", &there]).is_some();
        Some((branch, url, pushed))
    }

    /// The worktrees of the repository, the main one first.
    pub(crate) fn worktrees(&self) -> Result<Vec<Listed>, String> {
        let printed = self.ask(["worktree", "list", "--porcelain", "-z"])?;
        let mut all = Vec::<Listed>::new();
        for line in printed.split(|byte| *byte == 0) {
            if let Some(root) = line.strip_prefix(b"worktree ") {
                all.push(Listed {
                    root: path_of(root),
                    branch: None,
                    locked: None,
                });
            } else if let Some(branch) = line.strip_prefix(b"branch refs/heads/")
                && let Some(last) = all.last_mut()
            {
                last.branch = Some(text_of(branch));
            } else if let Some(why) = line.strip_prefix(b"locked")
                && let Some(last) = all.last_mut()
            {
                last.locked = Some(text_of(why).trim_start().to_owned());
            }
        }
        Ok(all)
    }
}

/// Where the branches of a repository are.
pub(crate) const HEADS: &str = "refs/heads/";

/// A worktree as git lists it.
pub(crate) struct Listed {
    pub(crate) root: PathBuf,
    pub(crate) branch: Option<String>,
    /// Why it must stay, as far as somebody said.
    pub(crate) locked: Option<String>,
}

/// The same path, of bytes as git writes them.
fn path_of(bytes: &[u8]) -> PathBuf {
    RepoPath::new(bytes).to_path()
}

/// What git said, as text, without the end of its line.
pub(crate) fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end().to_owned()
}

/// All that a program printed.
pub(crate) fn said(output: &Output) -> String {
    let parts = [&output.stdout, &output.stderr].map(|bytes| text_of(bytes));
    let [printed, errors] = parts;
    match (printed.is_empty(), errors.is_empty()) {
        (true, _) => errors,
        (_, true) => printed,
        _ => format!("{printed}\n{errors}"),
    }
}
