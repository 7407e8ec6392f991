//! What is read of a text, in each language.

use super::*;

fn said(language: Language, text: &str) -> String {
    let outline = Outline::read(language, text.as_bytes()).unwrap();
    let mut lines = Vec::new();
    for one in &outline.definitions {
        let owner = one.owner.as_ref().map(|owner| format!("{owner}."));
        let parameters = one.parameters.as_ref().map(|parameters| {
            let say =
                |one: &Parameter| format!("{}{}", one.form, if one.optional { "?" } else { "" });
            let said: Vec<_> = parameters.iter().map(say).collect();
            format!("({})", said.join("; "))
        });
        lines.push(format!(
            "{}: {}{}{} {}",
            one.line,
            owner.unwrap_or_default(),
            one.name,
            parameters.unwrap_or_default(),
            one.result
        ));
    }
    for import in &outline.imports {
        let all = if import.all { ", all" } else { "" };
        let space = import.space.as_ref().map(|space| format!(", as {space}"));
        lines.push(format!(
            "import {:?} of {} {:?}{}{all}",
            import.names,
            import.up,
            import.from,
            space.unwrap_or_default()
        ));
    }
    let uses = outline.uses.iter().filter(|used| used.import.is_none());
    let say = |used: &Use| {
        let mark = if used.dot { "." } else { "::" };
        let of = used.of.as_ref().map(|of| format!("{of}{mark}"));
        format!("{}{}", of.unwrap_or_default(), used.name)
    };
    let uses: Vec<_> = uses.map(say).collect();
    lines.push(format!("uses {}", uses.join(" ")));
    lines.join("\n")
}

#[test]
fn rust_is_read() {
    let text = "\
use crate::store::{open, Store as S};
use super::*;
pub struct Store<T> { a: T }
pub enum Word { Yes, No(u8) }
impl<T> a::Store<T> {
    pub async fn get(&self, key: &str, other: Vec<u8>) -> Option<T> { fn local() {} helper(key) }
}
trait Reads { fn read(&mut self) -> u8; }
const LIMIT: u32 = 7;
type Short = Vec<u8>;
fn main() {
    let found = store::open(a)?.get(\"x\");
    assert_eq!(found.len(), LIMIT); // open
}
";
    insta::assert_snapshot!(said(Language::Rust, text), @r#"
    2: Store <T>
    3: Word 
    3: Word.Yes 
    3: Word.No 
    5: Store.get(&self; &str; Vec<u8>) Option<T> async
    7: Reads 
    7: Reads.read(&mut self) u8
    8: LIMIT u32
    9: Short type Short = Vec<u8>;
    10: main() 
    import ["open"] of 0 ["crate", "store"]
    import ["Store", "S"] of 0 ["crate", "store"]
    import [] of 0 ["super"], all
    uses T a T T a a::Store T key other Vec Option T helper key Vec found store store::open a .get assert_eq found found.len LIMIT
    "#);
}

#[test]
fn typescript_is_read() {
    let text = "\
import { open, close as end } from \"./store\";
import * as words from '../words/index';
import React from \"react\";
export interface Shape<T> { area(scale: number): T }
export class Store extends Base {
  constructor(private path: string) { super(); }
  get(key: string, fallback?: string, ...rest: string[]): string { return helper(key); }
}
export const make = async (path: string, size = 3): Promise<Store> => new Store(path);
export function run(a: number): void { const inner = () => 1; open(a); words.say(inner?.name); }
type Name = string;
";
    insta::assert_snapshot!(said(Language::TypeScript, text), @r#"
    3: Shape <T>
    3: Shape.area(: number) : T
    4: Store 
    5: Store.constructor(: string) 
    6: Store.get(: string; : string?; : string[]?) : string
    8: make(: string; ?) : Promise<Store> async
    9: run(: number) : void
    10: Name type Name = string;
    import ["open", "close", "end"] of 1 ["store"]
    import [] of 2 ["words", "index"], as words
    import ["React"] of 0 ["react"]
    uses T scale T Base path key fallback rest helper key path size Promise Store Store path a open a words words.say inner inner.name
    "#);
    let element = "export function Row({ a }: Props) { return <Cell title={open(a)} />; }";
    insta::assert_snapshot!(said(Language::Tsx, element), @"
    0: Row(: Props) 
    uses Props Cell title open a
    ");
}

#[test]
fn python_is_read() {
    let text = "\
from .store import open_store, Store as S
from a.b import *
import os.path
LIMIT = 3
class Words(Base):
    def say(self, text, *, loud=False, **rest) -> str:
        return helper(text, loud=loud)
async def run(a, b: int = 1, /): pass
store.say(S.open_store())
";
    insta::assert_snapshot!(said(Language::Python, text), @r#"
    4: Words 
    5: Words.say(; ; ?; ?) str
    7: run(; ?) async
    import ["open_store", "Store", "S"] of 1 ["store"]
    import [] of 0 ["a", "b"], all
    import [] of 0 ["os", "path"], as path
    uses LIMIT Base self text loud rest str helper text loud a b int store store.say S S.open_store
    "#);
}

#[test]
fn go_is_read() {
    let text = "\
package store
import (
	\"fmt\"
	other \"example.org/x/words\"
)
const A, B = 1, 2
type Store struct { path string }
type Reader interface { Read(p []byte) (int, error) }
func Open(path, mode string, rest ...int) (*Store, error) { return other.Say(path) }
func (s *Store) Get(key string) string { return s.find(key) }
";
    insta::assert_snapshot!(said(Language::Go, text), @r#"
    5: A 
    5: B 
    6: Store 
    7: Reader 
    7: Reader.Read([]byte) (int, error)
    8: Open(string; string; int?) (*Store, error)
    9: Store.Get(string) string
    import [] of 0 ["fmt"], as fmt
    import [] of 0 ["example.org", "x", "words"], as other
    uses store path string p byte int error path mode string rest int Store error other other.Say path s Store key string string s s.find key
    "#);
}

#[test]
fn anything_is_read_or_given_up_in_time() {
    let deep = "(".repeat(100_000);
    let blocks = "{".repeat(100_000);
    let generic = format!("fn f() {{ {} }}", "a::<".repeat(50_000));
    let noise: Vec<u8> = (0..200_000_u32)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let words = "x ".repeat(LONGEST / 2);
    let texts = [
        deep.as_bytes(),
        blocks.as_bytes(),
        generic.as_bytes(),
        noise.as_slice(),
        words.as_bytes(),
        b"\xff\xfe\0",
        b"",
    ];
    let languages = [
        Language::Rust,
        Language::TypeScript,
        Language::Tsx,
        Language::Python,
        Language::Go,
    ];
    for language in languages {
        for text in texts {
            let begun = Instant::now();
            let _ = Outline::read(language, text);
            // Not a matter of speed: what is not bounded takes minutes here.
            assert!(begun.elapsed() < 20 * DEADLINE, "{language:?}");
        }
    }
}

#[test]
fn each_name_of_a_declaration_in_rust_has_its_own_path() {
    let said = |text: &str| {
        let said = use_tree(text).into_iter().map(|import| {
            let all = if import.all { "*" } else { "" };
            format!("{}: {}{all}", import.from.join("/"), import.names.join(" "))
        });
        said.collect::<Vec<_>>().join(", ")
    };
    insta::assert_snapshot!(said("a::{b, c::{self, D as E, r#type}, f::*}, g"), @"a: b, a: c, a/c: D E, a/c: type, a/f: *, : g");
    insta::assert_snapshot!(said("*"), @": *");
    assert_eq!(said("}}{a::{{,"), "");
    // Not a copy of the path for each name of it.
    assert_eq!(use_tree(&"a::{a, ".repeat(100_000)).len(), DEEPEST - 1);
}
