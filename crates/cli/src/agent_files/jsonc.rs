//! JSON with comments: something of ours put in, and taken out again with all else as it stands.

use std::ops::Range;

use jsonc_parser::ast::{Object, Value};
use jsonc_parser::common::Ranged as _;
use jsonc_parser::cst::CstRootNode;

/// Takes out of a text what `with` puts in, as far as it can be told from the text alone; none: there was no file.
///
/// `find` tells where ours is; `made` are the members, by their names from the outermost on, that may have been made for it, the
/// innermost first.
pub(crate) fn without(
    text: &str,
    with: impl Fn(Option<&str>) -> Result<String, String>,
    find: impl Fn(&str) -> Result<Option<At>, String>,
    made: &[&[&str]],
) -> Result<Option<String>, String> {
    let was = |candidate: Option<&str>| with(candidate).is_ok_and(|with| with == text);
    if was(None) {
        return Ok(None);
    }
    let mut bare = text.to_owned();
    while let Some(at) = find(&bare)? {
        bare = at.cut(&bare);
    }
    if bare == text {
        return Ok(Some(bare));
    }
    // How much goes with it cannot be seen from the file: a list may have been there, and empty. That which
    // would become this very file is what was; of several, the one with nothing empty in it.
    let mut less = vec![bare];
    for path in made {
        let last = less.last().map_or("", String::as_str);
        let Some(at) = empty_in(last, path)? else {
            break;
        };
        less.push(at.cut(last));
    }
    less.reverse();
    let exact = less.iter().position(|candidate| was(Some(candidate)));
    Ok(Some(less.swap_remove(exact.unwrap_or(0))))
}

/// A text to be changed.
///
/// # Errors
///
/// Where it can't be understood.
pub(crate) fn read(text: &str) -> Result<CstRootNode, String> {
    CstRootNode::parse(text, &Default::default()).map_err(|error| error.to_string())
}

/// Where one of several members or elements stands in a text.
pub(crate) struct At {
    all: Vec<Range<usize>>,
    number: usize,
}

impl At {
    /// The one with this number, of all that stand beside each other.
    pub(crate) fn new(all: impl Iterator<Item = Range<usize>>, number: usize) -> Self {
        Self {
            all: all.collect(),
            number,
        }
    }

    /// The text without it, its comma and the space before it; comments stay.
    fn cut(&self, text: &str) -> String {
        let own = &self.all[self.number];
        let before = self
            .number
            .checked_sub(1)
            .map(|number| self.all[number].end);
        let next = self.all.get(self.number + 1);
        let comma = match (before, next) {
            (Some(before), None) => comma(text, before),
            _ => comma(text, own.end),
        };
        let start = text[..own.start].trim_end().len();
        let gap = &text[before.unwrap_or(0)..start];
        // A comment that ends with its line must not go on into what follows.
        let end_of_line = gap.contains("//").then_some("\n");
        // What has nothing in it any more has no lines either.
        let rest = &text[own.end..];
        let space = rest.len() - rest.trim_start().len();
        let alone = text[..start].ends_with(['{', '[']) && rest[space..].starts_with(['}', ']']);
        let end = own.end + if alone { space } else { 0 };
        let mut gone = vec![(start..end, end_of_line.unwrap_or_default())];
        gone.extend(comma.map(|at| (at..at + 1, "")));
        gone.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
        let mut text = text.to_owned();
        for (range, instead) in gone {
            text.replace_range(range, instead);
        }
        text
    }
}

/// The comma that comes next, behind whatever comments there are.
fn comma(text: &str, from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let rest = &text[at..];
        at += rest.len() - rest.trim_start().len();
        let rest = &text[at..];
        let comment = match rest.get(..2) {
            Some("//") => rest.find('\n'),
            Some("/*") => rest.find("*/").map(|end| end + 2),
            _ => return rest.starts_with(',').then_some(at),
        };
        at += comment?;
    }
}

/// The members of an object, in a text.
pub(crate) fn members(object: &Object<'_>) -> Vec<Range<usize>> {
    let members = object.properties.iter();
    members.map(|member| member.start()..member.end()).collect()
}

/// Finds a member with nothing in it, not even a comment: the last name of `path`, inside of the others.
fn empty_in(text: &str, path: &[&str]) -> Result<Option<At>, String> {
    let parsed = parse(text)?;
    let found = || {
        let (name, outer) = path.split_last()?;
        let mut object = parsed.as_ref()?.as_object()?;
        for name in outer {
            object = object.get_object(name)?;
        }
        let mut all = object.properties.iter();
        let number = all.position(|member| member.name.as_str() == *name)?;
        let value = &object.properties[number].value;
        let bare: String = text[value.start()..value.end()]
            .split_whitespace()
            .collect();
        matches!(bare.as_str(), "[]" | "{}").then(|| At {
            all: members(object),
            number,
        })
    };
    Ok(found())
}

/// A text to be looked at.
///
/// # Errors
///
/// Where it can't be understood.
pub(crate) fn parse(text: &str) -> Result<Option<Value<'_>>, String> {
    let parsed = jsonc_parser::parse_to_ast(text, &Default::default(), &Default::default());
    Ok(parsed.map_err(|error| error.to_string())?.value)
}
