//! A place of our own, where git makes up the commits that worktrees would be, and merges them.
//!
//! The repository is only read: new objects go to a directory that has the repository's as its alternate, and each
//! worktree's index is copied before anything is put into it.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use gix::bstr::ByteSlice as _;
use gix::index::entry::Stat;
use gix::objs::{Find as _, Write as _};

use super::{Content, FileMode, FileState, Id, Place, content_of};
use ::git::RepoPath;
use ::git::{Program, Question, refusal};

/// The first git whose `merge-tree` takes many pairs, and attributes from a commit.
const OLDEST: [u32; 2] = [2, 41];

/// Objects beyond which the place is made anew.
const OBJECTS: usize = 4_000;

/// What a worktree would be committed as: its index, what the disk has beside it, and the commits it would follow.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) place: PathBuf,
    pub(crate) parents: Vec<Id>,
    pub(crate) index: Option<Stat>,
    pub(crate) beside: Vec<(RepoPath, Option<FileState>)>,
}

/// What git's merge of two worktrees comes to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Merged {
    /// Where it stops: what the merge base, the one side and the other have at that path.
    pub(crate) stops: BTreeMap<RepoPath, [Option<FileState>; 3]>,
    /// What git says of paths: the kind of it, as its manual lists them.
    pub(crate) messages: Vec<(Vec<RepoPath>, String)>,
    /// Something that git did less well than it could.
    pub(crate) warning: Option<String>,
}

impl Merged {
    /// Where two kinds of file can't have the same name, git puts the side behind it: `f~<commit>`, `f~<commit>_0`.
    fn unname(&mut self, marks: &[String]) {
        let own = |path: &RepoPath| {
            let bytes = path.as_bytes();
            let found = marks.iter().find_map(|mark| bytes.rfind(mark.as_bytes()));
            found.map_or_else(|| path.clone(), |at| RepoPath::new(&bytes[..at]))
        };
        for (path, states) in std::mem::take(&mut self.stops) {
            let known = self.stops.entry(own(&path)).or_default();
            for (known, state) in known.iter_mut().zip(states) {
                *known = known.or(state);
            }
        }
        for path in self.messages.iter_mut().flat_map(|(paths, _)| paths) {
            *path = own(path);
        }
    }
}

/// The place, and what was made there.
pub(crate) struct Scratch {
    program: Program,
    dir: tempfile::TempDir,
    objects: gix::odb::Handle,
    written: usize,
    commits: HashMap<State, Id>,
    /// Whether this git can be asked; none while nobody looked.
    able: Option<Result<(), String>>,
}

impl Scratch {
    /// Makes a place for objects beside those in these directories.
    pub(crate) fn new(program: Program, object_dirs: &[PathBuf]) -> Result<Self, String> {
        let make = || -> io::Result<_> {
            let dir = objects_of(object_dirs)?;
            fs::create_dir(dir.path().join("files"))?;
            let objects = gix::odb::at(dir.path().join("objects"), gix::hash::Kind::Sha1)?;
            Ok((dir, objects))
        };
        let (dir, objects) =
            make().map_err(|error| format!("no place for git to work in: {error}"))?;
        Ok(Self {
            program,
            dir,
            objects,
            written: 0,
            commits: HashMap::new(),
            able: None,
        })
    }

    /// Says whether so much was written that it is time for a new place.
    pub(crate) fn is_full(&self) -> bool {
        self.written > OBJECTS
    }

    /// Says whether an object is here, or in the repository.
    pub(crate) fn has(&self, id: Id) -> bool {
        use gix::objs::Exists as _;
        self.objects.exists(&id.0)
    }

    /// Reads a content that was written here.
    pub(crate) fn content(&self, id: Id, max_text: u64) -> Option<Content> {
        let mut buffer = Vec::new();
        let object = self.objects.try_find(&id.0, &mut buffer).ok()??;
        if object.data.len() as u64 > max_text {
            return Some(Content::TooLarge);
        }
        Some(content_of(object.data.into()))
    }

    /// Keeps a content that is only on a disk.
    pub(crate) fn keep(&mut self, bytes: &[u8]) -> Result<Id, String> {
        self.written += 1;
        let written = self.objects.write_buf(gix::objs::Kind::Blob, bytes);
        written.map(Id).map_err(|error| error.to_string())
    }

    /// Keeps files as git would, through the programs that convert them; gives their ids in the same order.
    pub(crate) fn keep_filtered(
        &mut self,
        root: &Path,
        paths: &[RepoPath],
    ) -> Result<Vec<Id>, String> {
        let mut input = Vec::new();
        for path in paths {
            if path.as_bytes().contains(&b'\n') || path.as_bytes().starts_with(b"\"") {
                return Err(format!("the name `{path}` can't be handed to git"));
            }
            input.extend_from_slice(path.as_bytes());
            input.push(b'\n');
        }
        let objects = self.dir.path().join("objects");
        let printed = self.program.ask(&Question {
            dir: root,
            env: vec![("GIT_OBJECT_DIRECTORY", objects.as_os_str())],
            args: ["hash-object", "-w", "--stdin-paths"]
                .map(OsStr::new)
                .to_vec(),
            input: &input,
        })?;
        let ids = printed
            .lines()
            .map(|line| gix::ObjectId::from_hex(line).map(Id));
        let ids: Vec<_> = ids
            .collect::<Result<_, _>>()
            .map_err(|error| error.to_string())?;
        if ids.len() != paths.len() {
            return Err("git named too few contents".to_owned());
        }
        self.written += ids.len();
        Ok(ids)
    }

    /// Makes up the commit that a worktree would be.
    pub(crate) fn commit(&mut self, state: &State, place: &Place) -> Result<Id, String> {
        if let Some(commit) = self.commits.get(state) {
            return Ok(*commit);
        }
        self.check_version()?;
        let index = self.dir.path().join("index");
        if let Err(error) = fs::copy(place.git_dir.join("index"), &index) {
            if error.kind() != io::ErrorKind::NotFound {
                return Err(format!("its index could not be read: {error}"));
            }
            // Nothing was ever added there; what another worktree left here is not its index.
            let _ = fs::remove_file(&index);
        }
        if !state.beside.is_empty() {
            let input = index_info(&state.beside);
            self.ask(place, &["update-index", "-z", "--index-info"], &[], &input)?;
        }
        let tree = self.ask(place, &["write-tree", "--missing-ok"], &[], b"")?;
        let tree = tree.trim().to_str_lossy().into_owned();
        let parents: Vec<_> = state.parents.iter().map(ToString::to_string).collect();
        let mut args = vec!["commit-tree", &tree, "-m", "as it is"];
        for parent in &parents {
            args.extend(["-p", parent]);
        }
        let commit = self.ask(place, &args, &[], b"")?;
        let commit = gix::ObjectId::from_hex(commit.trim()).map_err(|error| error.to_string())?;
        self.written += 2;
        if self.commits.len() > 256 {
            self.commits.clear();
        }
        self.commits.insert(state.clone(), Id(commit));
        Ok(Id(commit))
    }

    /// Merges one commit with each of the others; gives an answer for each of them, in the same order.
    ///
    /// Attributes are those of the first commit. The `drivers` are not run: whatever they would merge, stops.
    pub(crate) fn merge(
        &mut self,
        one: Id,
        place: &Place,
        others: &[Id],
        drivers: &[String],
    ) -> Vec<Result<Merged, String>> {
        let mut answers = Vec::new();
        let attributes = one.to_string();
        let mut settings = Vec::new();
        for driver in drivers {
            settings.extend(["-c".to_owned(), format!("merge.{driver}.driver=false")]);
        }
        while answers.len() < others.len() {
            let rest = &others[answers.len()..];
            let input: String = rest
                .iter()
                .map(|other| format!("{one} {other}\n"))
                .collect();
            let mut args: Vec<_> = settings.iter().map(String::as_str).collect();
            args.extend(["merge-tree", "--write-tree", "--stdin", "-z"]);
            let env = [("GIT_ATTR_SOURCE", OsStr::new(&attributes))];
            let output = match self.run(place, &args, &env, input.as_bytes()) {
                Ok(output) => output,
                Err(error) => {
                    answers.resize(others.len(), Err(error));
                    break;
                }
            };
            let mut told = merges(&output.stdout);
            told.truncate(rest.len());
            for (merged, other) in told.iter_mut().zip(rest) {
                merged.unname(&[one, *other].map(|commit| format!("~{commit}")));
            }
            self.written += 4 * told.len();
            let warning = warning(&output.stderr);
            let complete = told.len() == rest.len();
            answers.extend(told.into_iter().map(|merged| {
                Ok(Merged {
                    warning: warning.clone(),
                    ..merged
                })
            }));
            if !complete {
                // Git ends at a pair that it can't merge; the next ones have a turn of their own.
                answers.push(Err(refusal(&output)));
            }
        }
        answers
    }

    fn check_version(&mut self) -> Result<(), String> {
        if self.able.is_none() {
            let printed = self.program.ask(&Question {
                dir: self.dir.path(),
                env: Vec::new(),
                args: vec![OsStr::new("version")],
                input: b"",
            })?;
            let printed = printed.to_str_lossy();
            let version = printed.split_whitespace().nth(2).unwrap_or_default();
            let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
            let found = [(); 2].map(|()| parts.next().unwrap_or(0));
            self.able = Some(match found >= OLDEST {
                true => Ok(()),
                false => Err(format!(
                    "git {version} is too old: {}.{} can say it",
                    OLDEST[0], OLDEST[1]
                )),
            });
        }
        self.able.clone().unwrap_or(Ok(()))
    }

    fn ask(
        &self,
        place: &Place,
        args: &[&str],
        env: &[(&'static str, &OsStr)],
        input: &[u8],
    ) -> Result<Vec<u8>, String> {
        let output = self.run(place, args, env, input)?;
        match output.status.success() {
            true => Ok(output.stdout),
            false => Err(refusal(&output)),
        }
    }

    /// Asks for a worktree, with an empty directory in its place: what git writes there hurts nobody.
    fn run(
        &self,
        place: &Place,
        args: &[&str],
        env: &[(&'static str, &OsStr)],
        input: &[u8],
    ) -> Result<std::process::Output, String> {
        let [objects, files, index] =
            ["objects", "files", "index"].map(|name| self.dir.path().join(name));
        let mut all = vec![
            ("GIT_DIR", place.git_dir.as_os_str()),
            ("GIT_WORK_TREE", files.as_os_str()),
            ("GIT_OBJECT_DIRECTORY", objects.as_os_str()),
            ("GIT_INDEX_FILE", index.as_os_str()),
        ];
        all.extend_from_slice(env);
        self.program.run(&Question {
            dir: &files,
            env: all,
            args: args.iter().map(OsStr::new).collect(),
            input,
        })
    }
}

/// Makes a place whose `objects` are those of all these directories.
pub(super) fn objects_of(object_dirs: &[PathBuf]) -> io::Result<tempfile::TempDir> {
    let dir = tempfile::Builder::new()
        .prefix("switchyard-git-")
        .tempdir()?;
    fs::create_dir_all(dir.path().join("objects/info"))?;
    let mut alternates = Vec::new();
    for objects in object_dirs {
        alternates.extend_from_slice(objects.as_os_str().as_encoded_bytes());
        alternates.push(b'\n');
    }
    fs::write(dir.path().join("objects/info/alternates"), alternates)?;
    Ok(dir)
}

/// What the disk has beside the index, as `update-index` reads it: what went first, so that a file may become a
/// directory, and a directory a file.
fn index_info(beside: &[(RepoPath, Option<FileState>)]) -> Vec<u8> {
    let mut lines = Vec::new();
    let (gone, there): (Vec<_>, Vec<_>) = beside.iter().partition(|(_, state)| state.is_none());
    for (path, state) in gone.into_iter().chain(there) {
        let (mode, id) = match state {
            Some(state) => (state.mode.octal(), state.id.to_string()),
            None => ("0", "0".repeat(40)),
        };
        lines.extend_from_slice(format!("{mode} {id} 0\t").as_bytes());
        lines.extend_from_slice(path.as_bytes());
        lines.push(0);
    }
    lines
}

/// Reads what `merge-tree --stdin -z` prints; a last merge that is not told to its end is left out.
fn merges(printed: &[u8]) -> Vec<Merged> {
    let mut fields = printed.split(|byte| *byte == 0);
    std::iter::from_fn(|| one_merge(&mut fields)).collect()
}

fn one_merge<'a>(fields: &mut impl Iterator<Item = &'a [u8]>) -> Option<Merged> {
    let clean = fields.next().filter(|status| !status.is_empty())? != b"0";
    fields.next()?;
    let mut merged = Merged::default();
    loop {
        match fields.next()? {
            b"" => break,
            entry => {
                let (stage, path, state) = stop(entry)?;
                merged.stops.entry(path).or_default()[stage] = Some(state);
            }
        }
    }
    if clean {
        return Some(merged);
    }
    loop {
        let count: usize = match fields.next()? {
            b"" => return Some(merged),
            count => count.to_str().ok()?.parse().ok()?,
        };
        let paths = (0..count).map(|_| fields.next().map(RepoPath::new));
        let paths = paths.collect::<Option<_>>()?;
        let kind = fields.next()?.to_str_lossy().into_owned();
        fields.next()?;
        merged.messages.push((paths, kind));
    }
}

/// `100644 <id> 2\t<path>`
fn stop(entry: &[u8]) -> Option<(usize, RepoPath, FileState)> {
    let (told, path) = entry.split_once_str("\t")?;
    let mut told = told.split(|byte| *byte == b' ');
    let mode = FileMode::of_octal(told.next()?)?;
    let id = Id(gix::ObjectId::from_hex(told.next()?).ok()?);
    let stage: usize = told.next()?.to_str().ok()?.parse().ok()?;
    let stage = stage.checked_sub(1).filter(|stage| *stage < 3)?;
    Some((stage, RepoPath::new(path), FileState { mode, id }))
}

/// The warning that renames were not all looked for.
fn warning(said: &[u8]) -> Option<String> {
    let said = said.to_str_lossy();
    let mut lines = said
        .lines()
        .filter_map(|line| line.strip_prefix("warning: "));
    lines
        .find(|line| line.contains("rename"))
        .map(str::to_owned)
}
