//! Pure: what one side's files define before and now, and what the other side's changes use; in, what breaks out.
//!
//! Names are not resolved as a compiler would. A use counts when the file that it stands in can see the definition by
//! what it imports, or by what stands before the name; where that can't be told, nothing is said.

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use crate::outline::{Definition, Import, Language, Outline, Parameter, Use};
use crate::types::Breaking;
use ::git::RepoPath;

/// Methods that so many types have that a name alone says nothing.
const COMMON: &[&str] = &[
    "add",
    "all",
    "any",
    "append",
    "apply",
    "as_ref",
    "bind",
    "call",
    "catch",
    "clear",
    "clone",
    "close",
    "contains",
    "count",
    "default",
    "delete",
    "drop",
    "each",
    "end",
    "entries",
    "eq",
    "expect",
    "extend",
    "filter",
    "find",
    "first",
    "flush",
    "fmt",
    "forEach",
    "format",
    "from",
    "get",
    "has",
    "hash",
    "id",
    "index",
    "init",
    "insert",
    "into",
    "is_empty",
    "items",
    "iter",
    "join",
    "key",
    "keys",
    "kind",
    "last",
    "len",
    "length",
    "list",
    "load",
    "lock",
    "main",
    "map",
    "name",
    "new",
    "next",
    "open",
    "parse",
    "path",
    "pop",
    "push",
    "put",
    "read",
    "recv",
    "remove",
    "render",
    "replace",
    "reset",
    "resolve",
    "run",
    "save",
    "send",
    "set",
    "size",
    "sort",
    "split",
    "start",
    "stop",
    "text",
    "then",
    "to_string",
    "toString",
    "trim",
    "type",
    "unwrap",
    "update",
    "value",
    "values",
    "write",
    "Add",
    "Close",
    "Error",
    "Get",
    "Len",
    "New",
    "Read",
    "Run",
    "Set",
    "String",
    "Write",
];

/// Where a crate of somebody else begins.
const FOREIGN: &[&str] = &["std", "core", "alloc"];

/// Where a package of Go's own library begins.
const STANDARD: &[&str] = &[
    "archive",
    "bufio",
    "builtin",
    "bytes",
    "cmp",
    "compress",
    "container",
    "context",
    "crypto",
    "database",
    "debug",
    "embed",
    "encoding",
    "errors",
    "expvar",
    "flag",
    "fmt",
    "go",
    "hash",
    "html",
    "image",
    "index",
    "io",
    "iter",
    "log",
    "maps",
    "math",
    "mime",
    "net",
    "os",
    "path",
    "plugin",
    "reflect",
    "regexp",
    "runtime",
    "slices",
    "sort",
    "strconv",
    "strings",
    "structs",
    "sync",
    "syscall",
    "testing",
    "text",
    "time",
    "unicode",
    "unique",
    "unsafe",
    "weak",
];

/// A definition that is no longer what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Changed {
    /// Where it was at the merge base.
    pub(crate) path: RepoPath,
    pub(crate) language: Language,
    pub(crate) was: Definition,
    pub(crate) change: Breaking,
    /// What it is now; empty when it is gone.
    pub(crate) now: Vec<Definition>,
}

/// One file that a side changed: how it was read at the merge base, and now; none: there is none.
pub(crate) struct File<'a> {
    pub(crate) path: &'a RepoPath,
    pub(crate) language: Language,
    pub(crate) base: Option<&'a Outline>,
    pub(crate) now: Option<&'a Outline>,
}

type Key<'a> = (Option<&'a str>, &'a str);

fn by_key(outline: Option<&Outline>) -> HashMap<Key<'_>, Vec<&Definition>> {
    let mut found = HashMap::<_, Vec<_>>::new();
    for one in outline.into_iter().flat_map(|outline| &outline.definitions) {
        found.entry(key(one)).or_default().push(one);
    }
    found
}

fn key(definition: &Definition) -> Key<'_> {
    (definition.owner.as_deref(), &definition.name)
}

/// One file's definitions, before and now.
struct Read<'a> {
    before: HashMap<Key<'a>, Vec<&'a Definition>>,
    now: HashMap<Key<'a>, Vec<&'a Definition>>,
    /// The new ones, by all that a user sees of them but the name.
    new: HashMap<Form<'a>, Vec<&'a str>>,
}

/// What a user sees of a definition, but the name.
type Form<'a> = (Option<&'a str>, Option<&'a [Parameter]>, &'a str);

fn form(definition: &Definition) -> Form<'_> {
    (
        definition.owner.as_deref(),
        definition.parameters.as_deref(),
        &definition.result,
    )
}

impl<'a> Read<'a> {
    fn of(file: &File<'a>) -> Self {
        let (before, now) = (by_key(file.base), by_key(file.now));
        let mut new = HashMap::<_, Vec<_>>::new();
        for (key, all) in &now {
            if !before.contains_key(key) {
                for one in all {
                    new.entry(form(one)).or_default().push(one.name.as_str());
                }
            }
        }
        Self { before, now, new }
    }

    /// What became of a definition that is gone: the only new one of its form is it, by another name.
    fn successor(&self, was: &Definition) -> Breaking {
        match self.new.get(&form(was)).map(Vec::as_slice) {
            Some([one]) => Breaking::Renamed {
                to: (*one).to_owned(),
            },
            _ => Breaking::Removed,
        }
    }
}

/// Finds the definitions that a side removed, or changed so that whoever uses them may have to change as well.
pub(crate) fn changed(files: &[File<'_>]) -> Vec<Changed> {
    let read: Vec<Read<'_>> = files.iter().map(Read::of).collect();
    let mut appeared = HashMap::<Key<'_>, Vec<usize>>::new();
    for (number, file) in read.iter().enumerate() {
        for key in file
            .now
            .keys()
            .filter(|key| !file.before.contains_key(*key))
        {
            appeared.entry(*key).or_default().push(number);
        }
    }
    let mut changed = Vec::new();
    for (file, read) in files.iter().zip(&read) {
        for (key, was) in &read.before {
            let now_there = read.now.get(key).map_or(&[][..], Vec::as_slice);
            let new = |change| Changed {
                path: file.path.clone(),
                language: file.language,
                was: was[0].clone(),
                change,
                now: now_there.iter().map(|one| (*one).clone()).collect(),
            };
            if now_there.is_empty() {
                // Where it went is for the imports to say, which are not followed. Here it is gone, so it is elsewhere.
                let mut elsewhere = appeared.get(key).into_iter().flatten();
                if !elsewhere.any(|other| files[*other].language.meets(file.language)) {
                    changed.push(new(read.successor(was[0])));
                }
                continue;
            }
            // One of several with that name: as long as each way of using it that was is still there.
            let lost = was.iter().find_map(|was| {
                let all = now_there.iter().map(|now| difference(was, now));
                let all: Option<Vec<_>> = all.collect();
                all?.into_iter().next()
            });
            changed.extend(lost.map(new));
        }
    }
    changed.sort_by(|a, b| (&a.path, a.was.line).cmp(&(&b.path, b.was.line)));
    changed
}

/// Says in what a definition differs for those who use it; nothing when they need not care.
fn difference(was: &Definition, now: &Definition) -> Option<Breaking> {
    match (&was.parameters, &now.parameters) {
        (Some(was), Some(now)) if !still_fits(was, now) => return Some(Breaking::Parameters),
        (Some(_), None) | (None, Some(_)) => return Some(Breaking::Parameters),
        _ => {}
    }
    (was.result != now.result).then_some(Breaking::Result)
}

/// Says whether a call that was right still is: the same, and more only where it may be left out.
fn still_fits(was: &[Parameter], now: &[Parameter]) -> bool {
    let more = now.get(was.len()..);
    let kept = was.iter().zip(now);
    more.is_some_and(|more| more.iter().all(|one| one.optional))
        && kept
            .into_iter()
            .all(|(was, now)| was.form == now.form && (now.optional || !was.optional))
}

/// A file that may use what another side changed.
pub(crate) struct User<'a> {
    pub(crate) path: &'a RepoPath,
    pub(crate) language: Language,
    pub(crate) outline: &'a Outline,
}

impl User<'_> {
    /// Says whether a name that is used here is that of the definition.
    pub(crate) fn means(&self, used: &Use, changed: &Changed) -> bool {
        let was = &changed.was;
        if used.name != was.name || !self.language.meets(changed.language) {
            return false;
        }
        // Who brings it in asks for no more than that it is there.
        let gone = matches!(changed.change, Breaking::Removed | Breaking::Renamed { .. });
        if used.import.is_some() && !gone {
            return false;
        }
        match &was.owner {
            Some(owner) => self.means_member(used, owner, changed),
            None => self.means_item(used, changed),
        }
    }

    fn means_member(&self, used: &Use, owner: &str, changed: &Changed) -> bool {
        let Some(of) = &used.of else { return false };
        if self.has_another(owner, &changed.path) {
            return false;
        }
        if of == owner {
            return true;
        }
        let own = matches!(of.as_str(), "self" | "this" | "cls" | "Self");
        if own {
            // Inside of the type itself, as far as it is in this very file.
            return *self.path == changed.path && self.defines(owner);
        }
        let other = self
            .outline
            .definitions
            .iter()
            .any(|one| one.name == used.name && one.owner.as_deref() != Some(owner));
        used.dot && !other && !COMMON.contains(&used.name.as_str()) && self.outline.names(owner)
    }

    /// Says whether a type that is called so is another one here than that of the file: defined here, or imported from
    /// elsewhere.
    fn has_another(&self, owner: &str, path: &RepoPath) -> bool {
        if self.path == path || self.language == Language::Go {
            return false;
        }
        let mut definitions = self.outline.definitions.iter();
        if definitions.any(|one| one.owner.is_none() && one.name == owner) {
            return true;
        }
        let imports = self.outline.imports.iter();
        let mut named = imports
            .filter(|import| import.names.iter().any(|name| name == owner))
            .peekable();
        named.peek().is_some() && !named.any(|import| self.is_from(import, path, owner))
    }

    fn defines(&self, name: &str) -> bool {
        let mut all = self.outline.definitions.iter();
        all.any(|one| one.name == name || one.owner.as_deref() == Some(name))
    }

    fn means_item(&self, used: &Use, changed: &Changed) -> bool {
        let (path, name) = (&changed.path, &used.name);
        if self.path == path {
            return used.of.is_none();
        }
        let shadowed = self
            .outline
            .definitions
            .iter()
            .any(|one| one.owner.is_none() && one.name == *name);
        if shadowed {
            return false;
        }
        let module = module_of(path);
        if self.language == Language::Go {
            return match &used.of {
                None => directories(self.path) == directories(path),
                Some(of) => self.outline.imports.iter().any(|import| {
                    import.space.as_deref() == Some(of)
                        && is_package(&import.from, &directories(path))
                }),
            };
        }
        if let Some(numbers) = &used.import {
            let imports = self.outline.imports.get(numbers.clone());
            return imports.into_iter().flatten().any(|import| {
                // In Rust a declaration is many imports, of which each names what it is for.
                let named = self.language != Language::Rust || import.names.contains(name);
                named && self.is_from(import, path, name)
            });
        }
        let mut imports = self.outline.imports.iter();
        match (&used.of, self.language) {
            (None, _) => imports.any(|import| {
                let named = import.all || import.names.contains(name);
                named && self.is_from(import, path, name)
            }),
            (Some(of), Language::Rust) => !used.dot && *of == module,
            (Some(of), Language::Python) => {
                *of == module
                    && imports.any(|import| {
                        import.names.contains(of) || import.space.as_ref() == Some(of)
                    })
            }
            (Some(of), _) => imports.any(|import| {
                import.space.as_ref() == Some(of) && self.is_from(import, path, name)
            }),
        }
    }

    /// Says whether an import is of the file, or of what leads to it.
    fn is_from(&self, import: &Import, path: &RepoPath, name: &str) -> bool {
        let module = module_of(path);
        match self.language {
            Language::Rust => {
                let mut steps = import.from.as_slice();
                let dirs = directories(path);
                let root = steps.first().map_or("", String::as_str);
                if FOREIGN.contains(&root) {
                    return false;
                }
                let ours = matches!(root, "crate" | "self" | "super")
                    || dirs.iter().any(|dir| dir.replace('-', "_") == root);
                while let [first, behind @ ..] = steps
                    && (matches!(first.as_str(), "crate" | "self" | "super")
                        || (ours && steps.len() == import.from.len()))
                {
                    steps = behind;
                }
                let last = steps.last();
                let leads = last == Some(&module);
                match import.names.iter().any(|one| one == name) {
                    // From the file, from the root, or from a directory that hands on what is in it.
                    true => leads || (ours && last.is_none_or(|last| dirs.contains(last))),
                    // All of it: from the file itself.
                    false => {
                        let own = root == "super" && steps.is_empty();
                        leads || (own && directories(self.path) == directories_of_module(path))
                    }
                }
            }
            Language::Python | Language::TypeScript | Language::Tsx => {
                let last = import.from.last();
                if last.is_some_and(|last| stem(last) == module) {
                    return true;
                }
                // A directory that gives out what its files define.
                let dirs = directories(path);
                match import.up {
                    0 => last.is_some_and(|last| dirs.last() == Some(last)),
                    up => {
                        let mut from = directories(self.path);
                        let kept = from.len().saturating_sub(up - 1);
                        from.truncate(kept);
                        from.extend(import.from.iter().map(|part| stem(part).to_owned()));
                        from == dirs
                    }
                }
            }
            Language::Go => false,
        }
    }
}

fn directories(path: &RepoPath) -> Vec<String> {
    let text = path.to_string();
    let mut parts: Vec<_> = text.split('/').map(str::to_owned).collect();
    parts.pop();
    parts
}

/// The directory in which the modules below this one lie.
fn directories_of_module(path: &RepoPath) -> Vec<String> {
    let mut dirs = directories(path);
    let own = stem(&String::from_utf8_lossy(path.name())).to_owned();
    if !matches!(own.as_str(), "mod" | "lib" | "main") {
        dirs.push(own);
    }
    dirs
}

/// What a file is called where it is imported: its name, or its directory's where it stands for that.
fn module_of(path: &RepoPath) -> String {
    let name = String::from_utf8_lossy(path.name()).into_owned();
    let own = stem(&name);
    match own {
        "mod" | "lib" | "main" | "index" | "__init__" => {
            let dirs = directories(path);
            let dir = dirs.iter().rev().find(|dir| *dir != "src");
            dir.map_or_else(|| own.to_owned(), |dir| dir.replace('-', "_"))
        }
        own => own.to_owned(),
    }
}

fn stem(name: &str) -> &str {
    let endings = [
        ".rs", ".tsx", ".ts", ".mts", ".cts", ".jsx", ".js", ".mjs", ".cjs", ".pyi", ".py", ".go",
    ];
    let bare = endings.iter().find_map(|ending| name.strip_suffix(ending));
    bare.unwrap_or(name)
}

/// Says whether an import of Go is of the package in these directories. Its path begins with what the module is called,
/// which is no directory here, and may leave out the directories that the module itself lies in. What lies at the top can't
/// be told from the packages of others.
fn is_package(import: &[String], dirs: &[String]) -> bool {
    let standard = import
        .first()
        .is_none_or(|root| STANDARD.contains(&root.as_str()));
    let tail = &dirs[dirs.len().saturating_sub(2)..];
    !standard && !tail.is_empty() && import.len() > tail.len() && import.ends_with(tail)
}
