//! The only file that names tree-sitter: the text of a program in, what it defines, uses and imports out.
//!
//! Names are told as they are written; nothing is resolved. A text may be anything: it is read in time that grows with
//! its length, and given up at a deadline.

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::ops::{ControlFlow, Range};
use std::time::{Duration, Instant};

use tree_sitter::{Node, ParseOptions, ParseState, Parser, Point, TreeCursor};

use ::git::RepoPath;

/// The longest text that is read, in bytes.
pub(crate) const LONGEST: usize = 512 * 1024;

/// How long reading one text may take.
const DEADLINE: Duration = Duration::from_millis(500);

/// Steps of a path that is followed at most.
const DEEPEST: usize = 64;

/// A language whose definitions are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Language {
    Rust,
    TypeScript,
    /// With elements in it; it is what JavaScript is read as, too.
    Tsx,
    Python,
    Go,
}

impl Language {
    /// Tells the language of a file by its name.
    pub(crate) fn of(path: &RepoPath) -> Option<Self> {
        let name = path.name();
        let at = name.iter().rposition(|byte| *byte == b'.')?;
        Some(match &name[at + 1..] {
            b"rs" => Self::Rust,
            b"ts" | b"mts" | b"cts" => Self::TypeScript,
            b"tsx" | b"jsx" | b"js" | b"mjs" | b"cjs" => Self::Tsx,
            b"py" | b"pyi" => Self::Python,
            b"go" => Self::Go,
            _ => return None,
        })
    }

    /// Says whether a file of the one can use what a file of the other defines.
    pub(crate) fn meets(self, other: Self) -> bool {
        let script = |language| matches!(language, Self::TypeScript | Self::Tsx);
        self == other || (script(self) && script(other))
    }

    fn grammar(self) -> tree_sitter::Language {
        match self {
            Self::Rust => tree_sitter_rust::LANGUAGE.into(),
            Self::TypeScript => tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
            Self::Tsx => tree_sitter_typescript::LANGUAGE_TSX.into(),
            Self::Python => tree_sitter_python::LANGUAGE.into(),
            Self::Go => tree_sitter_go::LANGUAGE.into(),
        }
    }

    /// What a node of this kind defines, with the names that its kind has in the grammar.
    fn defines(self, kind: &str) -> Option<Kind> {
        let script = matches!(self, Self::TypeScript | Self::Tsx);
        Some(match (self, kind) {
            (Self::Rust, "function_item" | "function_signature_item") => Kind::Function,
            (Self::Rust, "struct_item" | "enum_item" | "union_item" | "trait_item") => Kind::Type,
            (Self::Rust, "type_item") => Kind::Alias,
            (Self::Rust, "const_item" | "static_item") => Kind::Value,
            (Self::Rust, "enum_variant") => Kind::Member,
            (Self::Rust, "macro_definition") => Kind::Macro,
            (Self::Python, "function_definition") => Kind::Function,
            (Self::Python, "class_definition") => Kind::Type,
            (Self::Go, "function_declaration" | "method_declaration" | "method_elem") => {
                Kind::Function
            }
            (Self::Go, "type_spec") => Kind::Type,
            (Self::Go, "type_alias") => Kind::Alias,
            (Self::Go, "const_spec" | "var_spec") => Kind::Value,
            (
                _,
                "function_declaration"
                | "generator_function_declaration"
                | "function_signature"
                | "method_definition"
                | "method_signature"
                | "abstract_method_signature",
            ) if script => Kind::Function,
            (
                _,
                "class_declaration"
                | "abstract_class_declaration"
                | "interface_declaration"
                | "enum_declaration",
            ) if script => Kind::Type,
            (_, "type_alias_declaration") if script => Kind::Alias,
            (_, "variable_declarator") if script => Kind::Value,
            _ => return None,
        })
    }

    /// Says whether a node of this kind is one whose inside belongs to it: `impl Store`, `class Store`.
    fn owns(self, kind: &str) -> bool {
        match self {
            Self::Rust => matches!(kind, "impl_item" | "trait_item" | "enum_item"),
            Self::Python => kind == "class_definition",
            Self::Go => kind == "type_spec",
            Self::TypeScript | Self::Tsx => matches!(
                kind,
                "class_declaration" | "abstract_class_declaration" | "interface_declaration"
            ),
        }
    }

    fn imports(self, kind: &str) -> bool {
        match self {
            Self::Rust => kind == "use_declaration",
            Self::Python => matches!(kind, "import_from_statement" | "import_statement"),
            Self::Go => kind == "import_spec",
            Self::TypeScript | Self::Tsx => kind == "import_statement",
        }
    }
}

/// What is defined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Function,
    Type,
    Alias,
    Value,
    /// Of a type, and without a form of its own.
    Member,
    Macro,
}

/// One parameter of a function: what a caller has to know of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Parameter {
    /// Its type; where there are none, nothing.
    pub(crate) form: String,
    /// A caller may leave it out.
    pub(crate) optional: bool,
}

/// Something that other files can use.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Definition {
    pub(crate) name: String,
    /// The type that it belongs to.
    pub(crate) owner: Option<String>,
    /// None: it is not called.
    pub(crate) parameters: Option<Vec<Parameter>>,
    /// What else its users see: what it gives, and for how many types it is.
    pub(crate) result: String,
    /// Its line, from 0.
    pub(crate) line: u32,
}

/// A place where a name is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Use {
    pub(crate) name: String,
    /// What stands before it: `store` in `store.open` and `store::open`; empty when that is no name.
    pub(crate) of: Option<String>,
    /// By a dot, not by a path.
    pub(crate) dot: bool,
    /// Its line, from 0.
    pub(crate) line: u32,
    /// It stands in what these imports are written in.
    pub(crate) import: Option<Range<usize>>,
}

/// One import: from where, and which names; all of it when there are none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Import {
    /// The names of the path to it, in their order.
    pub(crate) from: Vec<String>,
    /// How many directories up it begins: 1 is this one.
    pub(crate) up: usize,
    pub(crate) names: Vec<String>,
    /// By which name all of it is known here.
    pub(crate) space: Option<String>,
    pub(crate) all: bool,
}

/// What a text defines, uses and imports.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outline {
    pub(crate) definitions: Vec<Definition>,
    pub(crate) uses: Vec<Use>,
    pub(crate) imports: Vec<Import>,
}

impl Outline {
    /// Reads a text; none when it took too long.
    pub(crate) fn read(language: Language, text: &[u8]) -> Option<Self> {
        let mut parser = Parser::new();
        parser.set_language(&language.grammar()).ok()?;
        let begun = Instant::now();
        let mut late = |_: &ParseState| match begun.elapsed() > DEADLINE {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        };
        let options = ParseOptions::new().progress_callback(&mut late);
        let mut rest = |at: usize, _: Point| text.get(at..).unwrap_or_default();
        let tree = parser.parse_with_options(&mut rest, None, Some(options))?;
        let mut reader = Reader {
            language,
            text,
            outline: Self::default(),
            owners: Vec::new(),
            inside: 0,
            import: None,
            names: HashSet::new(),
        };
        let mut cursor = tree.walk();
        loop {
            if begun.elapsed() > DEADLINE {
                return None;
            }
            // A clock is not free: some nodes at a time.
            for _ in 0..1_000 {
                reader.enter(cursor.node());
                if !next(&mut cursor) {
                    return Some(reader.outline);
                }
            }
        }
    }

    /// What this text uses, as a part of the file that has the outline `whole`.
    pub(crate) fn in_place_of_a_part(mut self, whole: &Self) -> Self {
        let before = whole.imports.len();
        for used in &mut self.uses {
            let import = used.import.take();
            used.import = import.map(|numbers| numbers.start + before..numbers.end + before);
        }
        Self {
            imports: [whole.imports.as_slice(), &self.imports].concat(),
            definitions: whole.definitions.clone(),
            uses: self.uses,
        }
    }

    /// Says whether the name occurs anywhere in the text.
    pub(crate) fn names(&self, name: &str) -> bool {
        self.uses.iter().any(|used| used.name == name)
            || self.definitions.iter().any(|defined| defined.name == name)
    }
}

/// Goes to the next node, in the order of the text; says whether there is one.
fn next(cursor: &mut TreeCursor<'_>) -> bool {
    if cursor.goto_first_child() {
        return true;
    }
    loop {
        if cursor.goto_next_sibling() {
            return true;
        }
        if !cursor.goto_parent() {
            return false;
        }
    }
}

/// Reads node by node.
struct Reader<'a> {
    language: Language,
    text: &'a [u8],
    outline: Outline,
    /// Types whose inside is being read, and where each ends.
    owners: Vec<(String, usize)>,
    /// Where the outermost function ends that is being read: what is defined there is nobody else's.
    inside: usize,
    /// The imports that are being read, and where that ends.
    import: Option<(Range<usize>, usize)>,
    /// Where names stand that are no uses: those of definitions, and of arguments.
    names: HashSet<usize>,
}

impl Reader<'_> {
    fn enter(&mut self, node: Node<'_>) {
        let at = node.start_byte();
        self.owners.retain(|(_, end)| at < *end);
        self.import.take_if(|(_, end)| at >= *end);
        if !node.is_named() {
            return;
        }
        let kind = node.kind();
        if self.language.imports(kind) {
            let before = self.outline.imports.len();
            match self.language {
                Language::Rust => {
                    let argument = self.field(node, "argument").unwrap_or_default();
                    self.outline.imports.extend(use_tree(&argument));
                }
                _ => self.outline.imports.push(self.import(node)),
            }
            let numbers = before..self.outline.imports.len();
            self.import = Some((numbers, node.end_byte()));
        }
        if kind == "keyword_argument" {
            // `f(name=1)`: a name of the other side's.
            let name = node.child_by_field_name("name");
            self.names.extend(name.map(|name| name.start_byte()));
        }
        if let Some(what) = self.language.defines(kind) {
            self.define(node, what);
        }
        if self.language.owns(kind) {
            let owner = node
                .child_by_field_name("type")
                .filter(|_| kind == "impl_item")
                .or_else(|| node.child_by_field_name("name"));
            if let Some(owner) = owner {
                self.owners
                    .push((last_name(&self.words(owner)), node.end_byte()));
            }
        }
        if node.child_count() == 0 && kind.ends_with("identifier") {
            self.take_use(node);
        }
    }

    /// The text of a node, in one line, without what means nothing.
    fn words(&self, node: Node<'_>) -> String {
        let text = self.text.get(node.byte_range()).unwrap_or_default();
        let text = String::from_utf8_lossy(text);
        let words: Vec<_> = text.split_whitespace().collect();
        words.join(" ")
    }

    fn field(&self, node: Node<'_>, name: &str) -> Option<String> {
        Some(self.words(node.child_by_field_name(name)?))
    }

    fn define(&mut self, node: Node<'_>, kind: Kind) {
        // Several names may stand in one: `const a, b = 1, 2`.
        let mut cursor = node.walk();
        let names = node.children_by_field_name("name", &mut cursor);
        // Of several, the commas between them have that field, too.
        let names: Vec<_> = names.filter(Node::is_named).collect();
        self.names.extend(names.iter().map(Node::start_byte));
        if node.start_byte() < self.inside {
            return;
        }
        let value = node.child_by_field_name("value");
        let called = match kind {
            Kind::Function => Some(node),
            // `const open = (path) => …`
            Kind::Value => value
                .filter(|value| matches!(value.kind(), "arrow_function" | "function_expression")),
            _ => None,
        };
        if let Some(body) = called.and_then(|called| called.child_by_field_name("body")) {
            self.inside = self.inside.max(body.end_byte());
        }
        let receiver = node.child_by_field_name("receiver");
        let receiver = receiver.map(|receiver| {
            let words = self.words(receiver);
            last_name(words.trim_end_matches(')'))
        });
        let owner = receiver.or_else(|| self.owners.last().map(|(owner, _)| owner.clone()));
        let parameters = called.map(|called| self.parameters(called));
        let result = match (called, kind) {
            (Some(called), _) => {
                let parts = ["type_parameters", "return_type", "result"];
                let mut parts: Vec<_> = parts
                    .iter()
                    .filter_map(|part| self.field(called, part))
                    .collect();
                if self.is_async(called) {
                    parts.push("async".to_owned());
                }
                parts.join(" ")
            }
            (None, Kind::Alias) => self.words(node),
            (None, Kind::Type) => self.field(node, "type_parameters").unwrap_or_default(),
            (None, Kind::Value) => self.field(node, "type").unwrap_or_default(),
            (None, _) => String::new(),
        };
        for name in names {
            self.outline.definitions.push(Definition {
                name: self.words(name),
                owner: owner.clone(),
                parameters: parameters.clone(),
                result: result.clone(),
                line: name.start_position().row as u32,
            });
        }
    }

    fn is_async(&self, function: Node<'_>) -> bool {
        let mut cursor = function.walk();
        let mut children = function.children(&mut cursor);
        children.any(|child| {
            let modifiers = child.kind() == "function_modifiers";
            child.kind() == "async" || (modifiers && self.words(child).contains("async"))
        })
    }

    fn parameters(&self, function: Node<'_>) -> Vec<Parameter> {
        let Some(list) = function.child_by_field_name("parameters") else {
            // `path => …`
            let one = function.child_by_field_name("parameter");
            let one = one.map(|_| Parameter {
                form: String::new(),
                optional: false,
            });
            return one.into_iter().collect();
        };
        let mut cursor = list.walk();
        let mut found = Vec::new();
        for node in list.named_children(&mut cursor) {
            let form = self.field(node, "type").unwrap_or_default();
            let one = |form: String, optional| Parameter { form, optional };
            match (self.language, node.kind()) {
                (_, "comment" | "line_comment" | "block_comment" | "attribute_item") => {}
                (Language::Python, "keyword_separator" | "positional_separator") => {}
                (Language::Python, kind) => {
                    let words = self.words(node);
                    let optional = kind.contains("default") || words.starts_with('*');
                    found.push(one(String::new(), optional));
                }
                (Language::Go, kind) => {
                    let mut cursor = node.walk();
                    let names = node.children_by_field_name("name", &mut cursor);
                    let names = names.filter(Node::is_named).count();
                    let optional = kind.starts_with("variadic");
                    found.extend((0..names.max(1)).map(|_| one(form.clone(), optional)));
                }
                (Language::Rust, "self_parameter") => found.push(one(self.words(node), false)),
                (Language::Rust, _) => found.push(one(form, false)),
                (Language::TypeScript | Language::Tsx, kind) => {
                    let value = node.child_by_field_name("value").is_some();
                    let rest = self.words(node).starts_with("...");
                    found.push(one(form, kind == "optional_parameter" || value || rest));
                }
            }
        }
        found
    }

    fn take_use(&mut self, node: Node<'_>) {
        let at = node.start_byte();
        if self.names.contains(&at) {
            return;
        }
        let before = self.text[..at].trim_ascii_end();
        let dot = before.ends_with(b".") && !before.ends_with(b"..");
        let path = before.ends_with(b"::");
        let of = (dot || path).then(|| {
            let before = before.trim_ascii_end();
            let before = before[..before.len() - if path { 2 } else { 1 }].trim_ascii_end();
            let before = before.strip_suffix(b"?").unwrap_or(before);
            let start = before.iter().rposition(|byte| !is_name(*byte));
            let name = &before[start.map_or(0, |at| at + 1)..];
            String::from_utf8_lossy(name).into_owned()
        });
        self.outline.uses.push(Use {
            name: self.words(node),
            of,
            dot,
            line: node.start_position().row as u32,
            import: self.import.as_ref().map(|(numbers, _)| numbers.clone()),
        });
    }

    fn import(&self, node: Node<'_>) -> Import {
        let mut import = Import::default();
        let text = self.words(node);
        let names = |text: &str| -> Vec<String> {
            let names = text.split(|symbol: char| !symbol.is_alphanumeric() && symbol != '_');
            let names = names.filter(|name| !name.is_empty() && *name != "as");
            names.map(str::to_owned).collect()
        };
        match self.language {
            // One declaration is many imports: [`use_tree`].
            Language::Rust => {}
            Language::Python => {
                let module = self.field(node, "module_name");
                let Some(module) = module else {
                    // `import a.b as c`
                    import.from = names(text.trim_start_matches("import"));
                    import.space = import.from.last().cloned();
                    return import;
                };
                import.up = module.bytes().take_while(|byte| *byte == b'.').count();
                import.from = names(&module);
                let behind = text.split_once(" import ").map_or("", |(_, behind)| behind);
                import.all = behind.contains('*');
                import.names = names(behind);
            }
            Language::Go => {
                let path = self.field(node, "path").unwrap_or_default();
                import.from = path
                    .trim_matches(['"', '`'])
                    .split('/')
                    .map(str::to_owned)
                    .collect();
                import.space = self
                    .field(node, "name")
                    .or_else(|| import.from.last().cloned());
            }
            Language::TypeScript | Language::Tsx => {
                let source = self.field(node, "source").unwrap_or_default();
                for part in source.trim_matches(['"', '\'']).split('/') {
                    match part {
                        "." => import.up = import.up.max(1),
                        ".." => import.up = import.up.max(1) + 1,
                        part => import.from.push(part.to_owned()),
                    }
                }
                let clause = text.split(" from ").next().unwrap_or_default();
                let clause = clause.trim_start_matches("import").trim();
                match clause.split_once("* as ") {
                    Some((_, space)) => import.space = names(space).into_iter().next(),
                    None => import.names = names(clause),
                }
            }
        }
        import
    }
}

/// What `a::{b, c::{self, D as E}, f::*}` imports: each name by its whole path.
fn use_tree(written: &str) -> Vec<Import> {
    let mut found = Vec::new();
    let mut path: Vec<&str> = Vec::new();
    // How long the path was at each brace that is open.
    let mut open = vec![0];
    let (mut alias, mut renames, mut all) = (None, false, false);
    let mut rest = written;
    loop {
        rest = rest.trim_start();
        let end =
            rest.find(|symbol: char| !symbol.is_alphanumeric() && symbol != '_' && symbol != '#');
        match rest.split_at(end.unwrap_or(rest.len())) {
            ("as", behind) => {
                renames = true;
                rest = behind;
                continue;
            }
            ("", _) => {}
            (name, behind) => {
                match renames {
                    true => alias = Some(name),
                    false => path.push(name.trim_start_matches("r#")),
                }
                rest = behind;
                continue;
            }
        }
        let mut symbols = rest.chars();
        let symbol = symbols.next();
        rest = symbols.as_str();
        match symbol {
            Some('{') => open.push(path.len()),
            Some('*') => all = true,
            Some(',' | '}') | None => {
                let from = open.last().copied().unwrap_or(0);
                if (path.len() > from || all) && path.len() <= DEEPEST {
                    found.push(imported(&path, alias, all));
                }
                path.truncate(from);
                (alias, renames, all) = (None, false, false);
                match symbol {
                    Some('}') if open.len() > 1 => {
                        open.pop();
                        // What stood before the brace was no name itself.
                        path.truncate(open.last().copied().unwrap_or(0));
                    }
                    None => return found,
                    _ => {}
                }
            }
            _ => {}
        }
    }
}

fn imported(path: &[&str], alias: Option<&str>, all: bool) -> Import {
    let mut from: Vec<_> = path.iter().map(|step| (*step).to_owned()).collect();
    let mut names = Vec::new();
    if !all {
        let last = from.pop().filter(|last| last != "self");
        names.extend(last.or_else(|| from.pop()));
        names.extend(alias.map(str::to_owned));
    }
    Import {
        from,
        names,
        all,
        ..Import::default()
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

/// The name of a type as it is written: `Store` of `a::Store<T>`, of `s *Store` and of `&mut Store`.
fn last_name(written: &str) -> String {
    let bare = written.split(['<', '[']).next().unwrap_or_default();
    let mut names = bare.rsplit(|symbol: char| !symbol.is_alphanumeric() && symbol != '_');
    names
        .find(|name| !name.is_empty())
        .unwrap_or_default()
        .to_owned()
}

/// Says whether any line of a range is among some lines, both from 0.
pub(crate) fn is_among(line: u32, lines: &[Range<u32>]) -> bool {
    let at = lines.partition_point(|range| range.end <= line);
    lines.get(at).is_some_and(|range| range.contains(&line))
}
