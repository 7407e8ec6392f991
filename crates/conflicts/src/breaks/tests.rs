//! What breaks, in each language, and what does not.

use super::*;

/// One side makes `now` of `base` in a file; the other side has this file. Says which of its lines break, and why.
fn said((path, base, now): (&str, &str, &str), (user, text): (&str, &str)) -> String {
    let (path, user) = (RepoPath::from(path), RepoPath::from(user));
    let read = |path: &RepoPath, text: &str| {
        let language = Language::of(path).unwrap();
        Outline::read(language, text.as_bytes()).unwrap()
    };
    let (base, now) = (read(&path, base), read(&path, now));
    let outline = read(&user, text);
    let changed = changed(&[File {
        path: &path,
        language: Language::of(&path).unwrap(),
        base: Some(&base),
        now: Some(&now),
    }]);
    let user = User {
        path: &user,
        language: Language::of(&user).unwrap(),
        outline: &outline,
    };
    let mut lines = Vec::new();
    for used in &outline.uses {
        for changed in changed.iter().filter(|changed| user.means(used, changed)) {
            lines.push(format!("{}: {} {:?}", used.line, used.name, changed.change));
        }
    }
    lines.dedup();
    lines.join(", ")
}

#[test]
fn a_function_with_other_parameters_breaks_where_it_is_seen() {
    let store = (
        "crates/app/src/store.rs",
        "pub fn open_store(path: &str) {}\npub fn kept(a: u8) {}",
        "pub fn open_store(path: &str, mode: u8) {}\npub fn kept(b: u8) { more() }",
    );
    let by = |text: &str| said(store, ("crates/app/src/main.rs", text));
    insta::assert_snapshot!(by("use crate::store::{open_store, kept};\nfn f() {\nopen_store(a); kept(b) }"), @"2: open_store Parameters");
    insta::assert_snapshot!(by("fn f() {\nstore::open_store(a);\nassert!(store::open_store(b)) }"), @"1: open_store Parameters, 2: open_store Parameters");
    // Who hands it on need not care, as long as it is there.
    assert_eq!(by("pub use app::open_store;\n"), "");
    // Somebody else's, by the same name.
    assert_eq!(
        by("use std::store::open_store; fn f() { open_store(a) }"),
        ""
    );
    assert_eq!(by("use other::open_store; fn f() { open_store(a) }"), "");
    assert_eq!(
        by("fn f() { open_store(a); x.open_store(b); other::open_store(c) }"),
        ""
    );
    assert_eq!(by("use crate::store::open_store; fn open_store() {}\n"), "");
    assert_eq!(
        by("// store::open_store(a)\nconst A: &str = \"store::open_store(a)\";"),
        ""
    );
}

#[test]
fn a_method_breaks_where_its_type_is_named() {
    let store = (
        "src/store.rs",
        "impl Store { pub fn fetch_all(&self) {} pub fn get(&self) {} pub fn new() {} }",
        "impl Store { pub fn fetch_some(&self) {} pub fn get(&self, key: u8) {} pub fn new(a: u8) {} }",
    );
    let by = |text: &str| said(store, ("src/main.rs", text));
    insta::assert_snapshot!(by("fn f(store: &Store) {\nstore.fetch_all();\nstore.get(); }"), @r#"1: fetch_all Renamed { to: "fetch_some" }"#);
    insta::assert_snapshot!(by("fn f() {\nlet a = Store::new();\nlet b = Vec::new(); }"), @"1: new Parameters");
    assert_eq!(by("fn f(other: &Other) { other.fetch_all() }"), "");
    assert_eq!(by("fn f(store: &Store) { fetch_all() }"), "");
}

#[test]
fn types_of_one_name_are_told_apart_by_where_they_come_from() {
    let one = (
        "src/arch/avx2/memchr.rs",
        "impl One { pub fn new() {} pub fn find_raw(&self) {} }",
        "impl One { pub fn new(a: u8) {} pub fn find_raw(&self, a: u8) {} }",
    );
    let by = |text: &str| said(one, ("src/arch/sse2/memchr.rs", text));
    insta::assert_snapshot!(by("use crate::arch::avx2::memchr::One;\nfn f() { One::new() }"), @"1: new Parameters");
    insta::assert_snapshot!(by("use crate::arch::One;\nfn f(one: One) { one.find_raw() }"), @"1: find_raw Parameters");
    assert_eq!(by("use crate::generic::One;\nfn f() { One::new() }"), "");
    assert_eq!(
        by("struct One;\nfn f(a: One) { One::new(); a.find_raw() }"),
        ""
    );
}

#[test]
fn what_may_be_left_out_breaks_nothing() {
    let script = |now: &str| {
        let base = "export function load(path: string): string { return path; }";
        let user = "import { load } from './store';\nload(a);";
        said(("ui/store.ts", base, now), ("ui/main.ts", user))
    };
    assert_eq!(
        script("export function load(path: string, more?: number): string { return path; }"),
        ""
    );
    assert_eq!(
        script("export function load(path: string, more = 1): string { return path; }"),
        ""
    );
    assert_eq!(
        script("export function load(file: string): string { return file; }"),
        ""
    );
    insta::assert_snapshot!(script("export function load(path: string, more: number): string { return path; }"), @"1: load Parameters");
    insta::assert_snapshot!(script("export function load(path: string): number { return 1; }"), @"1: load Result");
    insta::assert_snapshot!(script("export function fetch(path: string): string { return path; }"), @r#"0: load Renamed { to: "fetch" }, 1: load Renamed { to: "fetch" }"#);
    insta::assert_snapshot!(script(""), @"0: load Removed, 1: load Removed");
}

#[test]
fn scripts_see_what_they_import() {
    let store = (
        "ui/src/store/open.ts",
        "export const openStore = (path: string) => path;",
        "export const openStore = (path: string, mode: number) => path;",
    );
    let by = |text: &str| said(store, ("ui/src/main.tsx", text));
    insta::assert_snapshot!(by("import { openStore } from './store/open';\nopenStore(a);"), @"1: openStore Parameters");
    insta::assert_snapshot!(by("import { openStore } from './store';\nopenStore(a);"), @"1: openStore Parameters");
    insta::assert_snapshot!(by("import * as store from '@/store/open';\nstore.openStore(a);"), @"1: openStore Parameters");
    assert_eq!(
        by("import { openStore } from './other';\nopenStore(a);"),
        ""
    );
    assert_eq!(
        by("import { openStore } from 'package';\nopenStore(a);"),
        ""
    );
    assert_eq!(by("openStore(a);"), "");
}

#[test]
fn python_sees_what_it_imports() {
    let store = (
        "app/store.py",
        "def open_store(path): pass\nclass Store:\n    def fetch(self, key): pass\n",
        "def open_store(path, mode): pass\nclass Store:\n    def fetch(self): pass\n",
    );
    let by = |text: &str| said(store, ("app/main.py", text));
    insta::assert_snapshot!(by("from .store import open_store\nopen_store(a)\n"), @"1: open_store Parameters");
    insta::assert_snapshot!(by("from app import store\nstore.open_store(a)\n"), @"1: open_store Parameters");
    insta::assert_snapshot!(by("from app.store import Store\nStore().fetch(a)\n"), @"1: fetch Parameters");
    assert_eq!(by("from other import open_store\nopen_store(a)\n"), "");
    assert_eq!(by("f(open_store=1)\n"), "");
}

#[test]
fn go_sees_its_package_and_what_it_imports() {
    let store = (
        "internal/store/open.go",
        "package store\nfunc Open(path string) {}\nfunc (s *Store) Fetch(key string) {}\n",
        "package store\nfunc Open(path string, mode int) {}\nfunc (s *Store) Fetch() {}\n",
    );
    insta::assert_snapshot!(said(store, ("internal/store/use.go", "package store\nfunc f() {\nOpen(a) }")), @"2: Open Parameters");
    let by = |text: &str| said(store, ("cmd/main.go", text));
    insta::assert_snapshot!(by("package main\nimport \"example.org/x/internal/store\"\nfunc f(s *store.Store) {\nstore.Open(a)\ns.Fetch(b) }"), @"3: Open Parameters, 4: Fetch Parameters");
    assert_eq!(
        by("package main\nimport \"os\"\nfunc f() { os.Open(a); Open(b) }"),
        ""
    );
}

#[test]
fn go_takes_no_package_of_others_for_one_of_the_same_name() {
    let get = |path| {
        (
            path,
            "package http\nfunc Get(path string) {}\n",
            "package http\nfunc Get(path string, mode int) {}\n",
        )
    };
    let by = |file, import: &str| {
        let text = format!("package main\nimport \"{import}\"\nfunc f() {{ http.Get(a) }}");
        said(get(file), ("cmd/main.go", &text))
    };
    for (file, import) in [
        ("internal/http/get.go", "net/http"),
        ("http/get.go", "net/http"),
        ("get.go", "example.org/x/http"),
        ("internal/http/get.go", "example.org/other/http"),
    ] {
        assert_eq!(by(file, import), "", "{file} is not {import}");
    }
    let told = "2: Get Parameters";
    assert_eq!(by("http/get.go", "example.org/x/http"), told);
    assert_eq!(by("internal/http/get.go", "x/internal/http"), told);
    // The module lies below: its path has not all of the directories.
    assert_eq!(by("services/api/http/get.go", "example.org/api/http"), told);
}

#[test]
fn many_definitions_that_all_got_another_name_are_told_at_once() {
    let text = |name: &str| -> String {
        let all = (0..3_000).map(|number| format!("fn {name}_{number}() {{}}\n"));
        all.collect()
    };
    let read = |text: String| Outline::read(Language::Rust, text.as_bytes()).unwrap();
    let (base, now) = (read(text("old")), read(text("new")));
    let paths: Vec<_> = (0..30)
        .map(|number| RepoPath::from(format!("{number}.rs").as_str()))
        .collect();
    let file = |path| File {
        path,
        language: Language::Rust,
        base: Some(&base),
        now: Some(&now),
    };
    let files: Vec<_> = paths.iter().map(file).collect();
    let changed = changed(&files);
    assert_eq!(changed.len(), 90_000);
    // Any of the new ones may be it.
    assert!(changed.iter().all(|one| one.change == Breaking::Removed));
}

#[test]
fn what_moved_is_not_gone() {
    let read = |text: &str| Outline::read(Language::Rust, text.as_bytes()).unwrap();
    let (with, without) = (read("fn a() {}"), read(""));
    let (one, two) = (RepoPath::from("one.rs"), RepoPath::from("two.rs"));
    let file = |path, base, now| File {
        path,
        language: Language::Rust,
        base: Some(base),
        now: Some(now),
    };
    let moved = [file(&one, &with, &without), file(&two, &without, &with)];
    assert_eq!(changed(&moved), []);
    assert_eq!(changed(&moved[..1]).len(), 1);
}
