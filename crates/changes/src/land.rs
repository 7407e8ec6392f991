//! Landing: a worktree's branch into its base, and its base into it. Git merges.

use std::ffi::OsStr;
use std::path::PathBuf;

use git::{RepoPath, refusal};
use serde::{Deserialize, Serialize};
use specta::Type;

use crate::types::{Base, Doing, View, WorktreeChanges};
use crate::worktree::{ChangesError, HEADS, Worktree, said, text_of};

/// Which way commits go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// From the worktree's branch into its base.
    Land,
    /// From the base into the worktree's branch.
    Update,
}

/// What is to be merged, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Landing {
    /// Which way.
    pub way: Way,
    /// The branch or commit on the other side, in the place of the one that is found.
    #[serde(default)]
    pub base: Option<String>,
    /// The message, should there be a commit to be made; none: as git writes it.
    #[serde(default)]
    pub message: Option<String>,
    /// Land although something is not committed, which stays where it is.
    #[serde(default)]
    pub without_uncommitted: bool,
    /// Where an update stops at something: leave the merge to be resolved in the worktree.
    #[serde(default)]
    pub leave_conflicts: bool,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Landed {
    /// Which way.
    pub way: Way,
    /// The branch that the commits came from.
    pub from: String,
    /// The branch that they were to go into.
    pub into: String,
    /// The worktree that this one is checked out in.
    pub at: Option<String>,
    /// How it ended.
    pub end: LandingEnd,
}

/// How a landing ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "end", rename_all = "snake_case")]
pub enum LandingEnd {
    /// All of it was there.
    Nothing,
    /// It is there now, and [`Worktree::take_back`] takes it back.
    Done {
        /// The commit that the branch was at.
        before: String,
        /// The commit that it is at.
        after: String,
        /// What git and the hooks printed.
        said: String,
    },
    /// A merge would stop at these files.
    Conflicts {
        /// The files.
        #[specta(type = Vec<String>)]
        files: Vec<RepoPath>,
        /// The merge was begun, and waits for them to be resolved; else nothing was done.
        left: bool,
    },
}

/// What a landing would come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Outlook {
    /// Which way.
    pub way: Way,
    /// The branch that the commits come from.
    pub from: String,
    /// The branch that they would go into.
    pub into: String,
    /// The worktree that the base is checked out in.
    pub base_at: Option<String>,
    /// So many commits.
    pub commits: u32,
    /// What is not committed keeps it from being landed, unless it is to stay where it is; says what that is.
    pub uncommitted: Option<String>,
    /// What would come of it, apart from that.
    pub prospect: Prospect,
}

/// How a landing would end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "prospect", rename_all = "snake_case")]
pub enum Prospect {
    /// Git merges by itself.
    Clean,
    /// A merge would stop at these files.
    Conflicts {
        /// The files.
        #[specta(type = Vec<String>)]
        files: Vec<RepoPath>,
    },
    /// It would not be begun.
    Not {
        /// Why, for a person.
        why: String,
    },
}

/// A landing that was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct TakenBack {
    /// The branch.
    pub branch: String,
    /// The commit that it was at.
    pub was: String,
    /// The commit that it is at, as before.
    pub now: String,
}

/// What a merge would make.
pub(crate) struct Tried {
    pub(crate) tree: String,
    pub(crate) conflicts: Vec<RepoPath>,
}

/// What is merged into what.
struct Plan {
    into: Target,
    from: String,
    commit: String,
}

/// The branch that commits go into.
struct Target {
    name: String,
    commit: String,
    /// Where it is checked out.
    at: Option<Worktree>,
}

impl Way {
    /// What is attempted, in an error.
    fn attempt(self) -> &'static str {
        match self {
            Self::Land => "land",
            Self::Update => "update",
        }
    }

    /// How the log of a branch calls it.
    fn in_log(self, from: &str) -> String {
        match self {
            Self::Land => format!("land {from}"),
            Self::Update => format!("update from {from}"),
        }
    }
}

impl Worktree {
    /// Merges the worktree's branch into its base, or its base into it, when git can do that by itself.
    ///
    /// Where the branch that gets the commits is checked out, git merges there as it would for the person, with their hooks, their signing
    /// and their settings. Where it is checked out nowhere, the commit is made beside it, and the branch is moved in one step from
    /// the commit that was looked at.
    ///
    /// # Errors
    ///
    /// [`ChangesError::NotDone`] says what is in the way: something that is not committed, or that git is in the middle of, no branch,
    /// a hook. Then nothing was done. [`ChangesError::NoBase`] and [`ChangesError::Git`] as [`Worktree::list`].
    pub fn land(&self, landing: &Landing) -> Result<Landed, ChangesError> {
        let way = landing.way;
        let not = |why: String| self.not_landed(way, why);
        let listed = self.state(landing.base.as_deref())?;
        let both = self.both(way, &listed)?;
        if let Some(why) = held(&listed, way == Way::Land) {
            let lets = way == Way::Land && landing.without_uncommitted && listed.doing.is_none();
            if !lets {
                return Err(not(why));
            }
        }
        let Plan { into, from, commit } = self.plan(way, both).map_err(not)?;
        let at = into.at.as_ref().map(|at| at.root().display().to_string());
        let ended = |end| Landed {
            way,
            from: from.clone(),
            into: into.name.clone(),
            at: at.clone(),
            end,
        };
        if self.is_in(&commit, &into.commit) {
            return Ok(ended(LandingEnd::Nothing));
        }
        let Tried { conflicts, .. } = self.try_merge(&into.commit, &commit).map_err(not)?;
        let leaves = way == Way::Update && landing.leave_conflicts;
        if !conflicts.is_empty() && !leaves {
            let (files, left) = (conflicts, false);
            return Ok(ended(LandingEnd::Conflicts { files, left }));
        }
        let title = match &landing.message {
            Some(message) if !message.trim().is_empty() => message.clone(),
            _ => self.message(&into, &from, &commit).map_err(not)?,
        };
        let log = way.in_log(&from);
        let said = match &into.at {
            Some(at) => match at.merge_here(&log, &title, &commit) {
                Ok(said) => said,
                Err(_) if leaves && at.is_unmerged() => {
                    let (files, left) = (conflicts, true);
                    return Ok(ended(LandingEnd::Conflicts { files, left }));
                }
                Err(why) => return Err(not(at.give_up(why))),
            },
            None => self
                .move_beside(&into, &log, &title, &commit)
                .map_err(not)?,
        };
        let after = self.tip(&into.name).map_err(not)?;
        Ok(ended(LandingEnd::Done {
            before: into.commit.clone(),
            after,
            said,
        }))
    }

    /// Tells what a landing and an update would come to, were they begun now; without a way there is nothing to go that way.
    ///
    /// Nothing is written, as by any question.
    ///
    /// # Errors
    ///
    /// As [`Worktree::list`].
    pub fn outlook(&self, base: Option<&str>) -> Result<Vec<Outlook>, ChangesError> {
        let listed = self.state(base)?;
        let ways = [Way::Update, Way::Land];
        let told = ways.into_iter().map(|way| self.outlook_of(way, &listed));
        Ok(told.flatten().collect())
    }

    fn outlook_of(&self, way: Way, listed: &WorktreeChanges) -> Option<Outlook> {
        let (branch, base) = (listed.branch.clone()?, listed.base.clone()?);
        let all = self.worktrees().unwrap_or_default();
        let of_base = all
            .into_iter()
            .find(|one| one.branch.as_ref() == Some(&base.name));
        let base_at = of_base.map(|one| one.root.display().to_string());
        let (from, into, commits) = match way {
            Way::Land => (branch, base.name, base.ahead),
            Way::Update => (base.name, branch, base.behind),
        };
        if commits == 0 {
            return None;
        }
        let held = held(listed, way == Way::Land);
        let (uncommitted, held) = match way {
            Way::Land if listed.doing.is_none() => (held, None),
            Way::Land | Way::Update => (None, held),
        };
        let planned = match held {
            Some(why) => Err(why),
            None => self
                .both(way, listed)
                .map_err(|error| error.to_string())
                .and_then(|both| self.plan(way, both)),
        };
        let tried =
            planned.and_then(|Plan { into, commit, .. }| self.try_merge(&into.commit, &commit));
        let prospect = match tried {
            Ok(Tried { conflicts, .. }) if conflicts.is_empty() => Prospect::Clean,
            Ok(Tried { conflicts, .. }) => Prospect::Conflicts { files: conflicts },
            Err(why) => Prospect::Not { why },
        };
        Some(Outlook {
            way,
            from,
            into,
            base_at,
            commits,
            uncommitted,
            prospect,
        })
    }

    /// What would be merged into what.
    fn plan(&self, way: Way, (branch, head, base): (String, String, Base)) -> Result<Plan, String> {
        Ok(match way {
            Way::Update => Plan {
                into: Target {
                    name: branch,
                    commit: head,
                    at: Some(self.clone()),
                },
                from: base.name,
                commit: base.tip,
            },
            Way::Land => Plan {
                into: self.base_to_move(&base.name)?,
                from: branch,
                commit: head,
            },
        })
    }

    /// Takes the last landing or update back, as long as it is the last thing that happened to the branch, and nobody else has it.
    ///
    /// # Errors
    ///
    /// [`ChangesError::NotDone`] says why not. Then nothing was done.
    pub fn take_back(&self, way: Way, base: Option<&str>) -> Result<TakenBack, ChangesError> {
        let not = |why: String| ChangesError::NotDone {
            what: match way {
                Way::Land => "take back the landing of",
                Way::Update => "take back the update of",
            },
            path: self.root().to_owned(),
            why,
        };
        let listed = self.state(base)?;
        let (branch, head, base) = self.both(way, &listed)?;
        let (into, log) = match way {
            Way::Update => {
                if let Some(why) = held(&listed, false) {
                    return Err(not(why));
                }
                let into = Target {
                    name: branch,
                    commit: head,
                    at: Some(self.clone()),
                };
                (into, "update from ".to_owned())
            }
            Way::Land => {
                let into = self.base_to_move(&base.name).map_err(not)?;
                (into, format!("{}: ", way.in_log(&branch)))
            }
        };
        let full = format!("{HEADS}{}", into.name);
        let told = self.ask(["reflog", "show", "-n", "2", "--format=%H %gs", &full, "--"]);
        let told = text_of(&told.map_err(not)?);
        let mut entries = told.lines().filter_map(|line| line.split_once(' '));
        let last = entries
            .next()
            .filter(|(commit, what)| *commit == into.commit && what.starts_with(&log));
        if last.is_none() {
            let why = format!("it is not the last that happened to `{}`", into.name);
            return Err(not(why));
        }
        let Some((before, _)) = entries.next() else {
            let why = format!("the log of `{}` does not say what it was before", into.name);
            return Err(not(why));
        };
        let remotes = format!("refs/remotes/*/{}", into.name);
        let pushed = self.ask([
            "for-each-ref",
            "--contains",
            &into.commit,
            "--format=%(refname:short)",
            &remotes,
        ]);
        if let Some(remote) = text_of(&pushed.map_err(not)?).lines().next() {
            return Err(not(format!("`{remote}` has it already")));
        }
        let log = format!("take back {}", log.trim_end_matches([':', ' ']));
        match &into.at {
            Some(at) => {
                let args = ["reset", "--quiet", "--keep", before].map(OsStr::new);
                let env = vec![("GIT_REFLOG_ACTION", OsStr::new(&log))];
                let reset = at.act_at_length_with(env, &args, &[]);
                let reset = reset.map_err(not)?;
                if !reset.status.success() {
                    return Err(not(refusal(&reset)));
                }
            }
            None => {
                let args = ["update-ref", "-m", &log, &full, before, &into.commit];
                self.act_with(&args, &[]).map_err(not)?;
            }
        }
        Ok(TakenBack {
            branch: into.name,
            now: before.to_owned(),
            was: into.commit,
        })
    }

    fn not_landed(&self, way: Way, why: String) -> ChangesError {
        ChangesError::NotDone {
            what: way.attempt(),
            path: self.root().to_owned(),
            why,
        }
    }

    /// All that may be in the way, in one question.
    fn state(&self, base: Option<&str>) -> Result<WorktreeChanges, ChangesError> {
        self.list(&[View::Staged, View::Unstaged, View::Untracked], base)
    }

    /// The branch, its commit, and the base.
    fn both(
        &self,
        way: Way,
        listed: &WorktreeChanges,
    ) -> Result<(String, String, Base), ChangesError> {
        let not = |why: &str| self.not_landed(way, why.to_owned());
        if let Some(doing) = listed.doing {
            return Err(self.not_landed(way, in_the_middle(doing)));
        }
        let Some(branch) = listed.branch.clone() else {
            return Err(not("it is on no branch; `git switch -c NAME` makes one"));
        };
        let Some(head) = listed.head.clone() else {
            return Err(not("it has no commit yet"));
        };
        let Some(base) = listed.base.clone() else {
            let why = listed.notes.first().map_or("there is no base", |note| note);
            return Err(not(why));
        };
        Ok((branch, head, base))
    }

    /// The base as a branch that commits may go into, where nothing is in the way.
    fn base_to_move(&self, name: &str) -> Result<Target, String> {
        let name = name.strip_prefix(HEADS).unwrap_or(name).to_owned();
        let full = format!("{HEADS}{name}");
        let commit = self.tip(&name).map_err(|_| {
            format!("`{name}` is no branch of this repository: what is a remote's is pushed, and a commit stays as it is")
        })?;
        for one in self.worktrees()? {
            if one.branch.as_deref() == Some(&*name) {
                let at = self.at(&one.root).map_err(|error| {
                    format!("`{name}` is checked out in a worktree that can't be used: {error}")
                })?;
                let listed = at.state(None).map_err(|error| error.to_string())?;
                if let Some(why) = held(&listed, false) {
                    let root = at.root().display();
                    return Err(format!("`{name}` is checked out in `{root}`: there, {why}"));
                }
                let at = Some(at);
                return Ok(Target { name, commit, at });
            }
            if let Some(root) = self.is_being_rewritten(&full, &one.root) {
                let root = root.display();
                return Err(format!("`{name}` is being rebased in `{root}`"));
            }
        }
        Ok(Target {
            name,
            commit,
            at: None,
        })
    }

    /// Whether git is in the middle of something there that ends with another commit for the branch, which it is not on meanwhile.
    fn is_being_rewritten(&self, full: &str, root: &std::path::Path) -> Option<PathBuf> {
        let git_dir = self.elsewhere(root).git_dir().ok()?;
        let signs = ["rebase-merge/head-name", "rebase-apply/head-name"];
        let rewritten = signs.into_iter().any(|sign| {
            std::fs::read_to_string(git_dir.join(sign)).is_ok_and(|name| name.trim_end() == full)
        });
        rewritten.then(|| root.to_owned())
    }

    fn tip(&self, branch: &str) -> Result<String, String> {
        let commit = format!("{HEADS}{branch}^{{commit}}");
        let told = self.ask(["rev-parse", "--verify", "--quiet", &commit])?;
        Ok(text_of(&told))
    }

    /// Whether a commit is in what another one has.
    fn is_in(&self, commit: &str, other: &str) -> bool {
        self.ask(["merge-base", "--is-ancestor", commit, other])
            .is_ok()
    }

    /// Merges two commits beside the repository: nothing is written into it.
    pub(crate) fn try_merge(&self, into: &str, from: &str) -> Result<Tried, String> {
        let told = |error: std::io::Error| error.to_string();
        let scratch = tempfile::tempdir().map_err(told)?;
        let objects = [
            "rev-parse",
            "--path-format=absolute",
            "--git-path",
            "objects",
        ];
        let objects = self.ask(objects)?;
        let objects = RepoPath::new(objects.trim_ascii_end()).to_path();
        let env = vec![
            ("GIT_OBJECT_DIRECTORY", scratch.path().as_os_str()),
            ("GIT_ALTERNATE_OBJECT_DIRECTORIES", objects.as_os_str()),
        ];
        let args = ["merge-tree", "--write-tree", "-z", "--name-only"];
        let args = args.into_iter().chain(["--no-messages", into, from]);
        let output = self.run_with(env, args, &[])?;
        // It ends with 1 where a merge stops at something.
        if !output.status.success() && output.status.code() != Some(1) {
            return Err(refusal(&output));
        }
        let mut parts = output.stdout.split(|byte| *byte == 0);
        let tree = parts.next().map(text_of).filter(|tree| !tree.is_empty());
        let Some(tree) = tree else {
            return Err(refusal(&output));
        };
        let files = parts.filter(|name| !name.is_empty()).map(RepoPath::new);
        Ok(Tried {
            tree,
            conflicts: match output.status.success() {
                true => Vec::new(),
                false => files.collect(),
            },
        })
    }

    /// The first line of a merge, as git would write it.
    fn message(&self, into: &Target, from: &str, commit: &str) -> Result<String, String> {
        let full = format!("{HEADS}{from}");
        let of = match self.ask(["show-ref", "--verify", "--quiet", &full]) {
            Ok(_) => format!("{commit}\t\tbranch '{from}' of .\n"),
            Err(_) => format!("{commit}\t\tremote-tracking branch '{from}' of .\n"),
        };
        let args = ["fmt-merge-msg", "--no-log", "--into-name", &into.name];
        let told = self.ask_with(Vec::new(), args, of.as_bytes())?;
        Ok(text_of(&told))
    }

    /// Has git merge a commit into what is checked out here; gives all that was printed.
    fn merge_here(&self, log: &str, message: &str, commit: &str) -> Result<String, String> {
        let args = ["merge", "--no-edit", "--no-stat", "-m", message, commit];
        let env = vec![("GIT_REFLOG_ACTION", OsStr::new(log))];
        let done = self.act_at_length_with(env, &args.map(OsStr::new), &[])?;
        match done.status.success() {
            true => Ok(said(&done)),
            false => Err(match said(&done) {
                told if told.is_empty() => format!("git ended with {}", done.status),
                told => told,
            }),
        }
    }

    /// Whether a merge waits for something to be resolved.
    fn is_unmerged(&self) -> bool {
        let unmerged = self.ask(["ls-files", "--unmerged", "-z"]);
        unmerged.is_ok_and(|listed| !listed.is_empty())
    }

    /// Takes back what is left of a merge that was not to be; tells why it was not.
    fn give_up(&self, why: String) -> String {
        if !matches!(self.doing(), Ok(Some(Doing::Merge))) {
            return why;
        }
        match self.act_with(&["merge", "--abort"], &[]) {
            Ok(_) => why,
            Err(more) => format!("{why}\nand the merge could not be taken back: {more}"),
        }
    }

    /// Moves a branch that is checked out nowhere, in one step.
    fn move_beside(
        &self,
        into: &Target,
        log: &str,
        message: &str,
        commit: &str,
    ) -> Result<String, String> {
        let setting = |args: &[&str]| self.ask(args).map(|told| text_of(&told)).ok();
        let forward = setting(&["config", "--get", "merge.ff"]);
        let forward = forward.as_deref();
        let may_forward = self.is_in(&into.commit, commit);
        let (after, how) = if may_forward && forward != Some("false") && forward != Some("no") {
            (commit.to_owned(), "Fast-forward")
        } else if forward == Some("only") {
            return Err("`merge.ff` is `only`: update it from its base first".to_owned());
        } else {
            self.without_hooks(&into.name)?;
            let merged =
                self.act_with(&["merge-tree", "--write-tree", &into.commit, commit], &[])?;
            let merged = text_of(&merged);
            let tree = merged.lines().next().unwrap_or_default();
            let mut args = vec!["commit-tree", tree, "-p", &into.commit, "-p", commit];
            let signs = ["config", "--type=bool", "--get", "commit.gpgSign"];
            if setting(&signs).as_deref() == Some("true") {
                args.push("-S");
            }
            args.extend(["-m", message]);
            (text_of(&self.act_with(&args, &[])?), "Merge made beside it")
        };
        let full = format!("{HEADS}{}", into.name);
        let log = format!("{log}: {how}");
        let args = ["update-ref", "-m", &log, &full, &after, &into.commit];
        self.act_with(&args, &[])?;
        Ok(String::new())
    }

    /// Hooks that judge a merge look at its files: where there are none, they are not passed over.
    fn without_hooks(&self, branch: &str) -> Result<(), String> {
        for hook in ["pre-merge-commit", "commit-msg"] {
            // As the person's own settings say, which a question of ours leaves out.
            let place = ["rev-parse", "--path-format=absolute", "--git-path"];
            let hooks = format!("hooks/{hook}");
            let place = self.act_with(&[place.as_slice(), &[&*hooks]].concat(), &[])?;
            let place = RepoPath::new(place.trim_ascii_end()).to_path();
            if is_executable(&place) {
                return Err(format!(
                    "the hook `{hook}` has to see the merge, and `{branch}` is checked out nowhere: make a worktree for it"
                ));
            }
        }
        Ok(())
    }
}

fn is_executable(place: &std::path::Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    let about = place.metadata();
    about.is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

fn in_the_middle(doing: Doing) -> String {
    format!("git is in the middle of {}", doing.in_words())
}

/// What keeps a worktree from being merged into, or, with what git does not know, from being landed.
fn held(listed: &WorktreeChanges, untracked: bool) -> Option<String> {
    if let Some(doing) = listed.doing {
        return Some(in_the_middle(doing));
    }
    let counted = |view: View| match view {
        View::Staged | View::Unstaged => true,
        View::Untracked => untracked,
        View::Committed | View::Whole => false,
    };
    let views = listed.views.iter().filter(|view| counted(view.view));
    let paths: std::collections::BTreeSet<_> = views
        .flat_map(|view| view.files.iter().map(|file| &file.path))
        .collect();
    match paths.len() {
        0 => None,
        1 => {
            let path = paths.first()?;
            Some(format!("`{path}` is not committed"))
        }
        count => Some(format!("{count} files are not committed")),
    }
}
