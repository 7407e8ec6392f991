//! Arrangements of panes by name: saved in one place, opened in another. A layout knows directories and programs, and
//! no pane: opening one opens panes.
//!
//! `switchyard open --layout` leaves a wish, which a window takes: the one that runs, or else the next one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use specta::Type;

use crate::window_state::{json, read};
use crate::wishes::Wish;
use crate::{App, Code, Error};

const LAYOUTS: &str = "layouts";
/// So many are kept.
const KEPT: usize = 200;
/// No name is longer.
const NAME_LIMIT: usize = 80;
/// More panes than this are a mistake.
const PANES_LIMIT: usize = 100;

/// An arrangement of panes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct Layout {
    /// The directory that the directories of its panes are seen from: another one when it is opened elsewhere.
    pub root: String,
    /// What lies where.
    pub tree: LayoutNode,
}

/// A part of an arrangement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LayoutNode {
    /// Parts beside each other.
    Row {
        /// From the left.
        parts: Vec<LayoutPart>,
    },
    /// Parts below each other.
    Column {
        /// From the top.
        parts: Vec<LayoutPart>,
    },
    /// Panes in one place, as tabs.
    Tabs {
        /// In their order.
        panes: Vec<LayoutPane>,
        /// Which of them is in front, from 0.
        front: u32,
    },
}

/// A part with the room that it has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct LayoutPart {
    /// Its share of the row or column, which all of them together make up.
    pub share: f64,
    /// What it is.
    pub node: LayoutNode,
}

/// A pane that is to be opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct LayoutPane {
    /// Where it begins: below the layout's root without a slash before it, else a full path.
    pub cwd: String,
    /// What a person called it.
    pub name: Option<String>,
    /// The program and its arguments; empty: the usual shell.
    pub program: Vec<String>,
}

/// What one should know of a layout in order to choose it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
pub struct LayoutSummary {
    /// What it is called.
    pub name: String,
    /// Where it was saved.
    pub root: String,
    /// How many panes it has.
    pub panes: u32,
}

/// A layout that somebody outside of the window wants to see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct WantedLayout {
    /// Which.
    pub name: String,
    /// The directory to open it in; none: where it was saved.
    pub root: Option<String>,
}

impl App {
    /// The layouts that are kept, by name.
    ///
    /// # Errors
    ///
    /// [`Code::Store`] when the database can't be read.
    pub async fn layouts(&self) -> Result<Vec<LayoutSummary>, Error> {
        let summary = |(name, layout): (String, Layout)| LayoutSummary {
            name,
            panes: u32::try_from(panes_in(&layout.tree)).unwrap_or(u32::MAX),
            root: layout.root,
        };
        let all = self.kept_layouts().await?;
        Ok(all.into_iter().map(summary).collect())
    }

    /// The layout of that name.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`] when there is none, [`Code::Store`].
    pub async fn layout(&self, name: &str) -> Result<Layout, Error> {
        let mut all = self.kept_layouts().await?;
        let names: Vec<String> = all.keys().map(|name| format!("`{name}`")).collect();
        all.remove(name).ok_or_else(|| {
            let there = match names.as_slice() {
                [] => "none is saved yet".to_owned(),
                names => format!("there are {}", names.join(", ")),
            };
            let message = format!("no layout is called `{name}`; {there}");
            Error::new(Code::BadId, message)
        })
    }

    /// Keeps a layout under a name, in the place of one that was called so.
    ///
    /// # Errors
    ///
    /// [`Code::BadParams`] when the name is empty or longer than 80 letters, or there are no panes or more than 100;
    /// [`Code::Refused`] when 200 are kept, [`Code::Store`].
    pub async fn save_layout(&self, name: &str, layout: Layout) -> Result<(), Error> {
        let name = name.trim().to_owned();
        let length = name.chars().count();
        if name.chars().any(char::is_control) {
            let message = "`name` has control characters, but must be one line of text";
            return Err(Error::new(Code::BadParams, message));
        }
        if length == 0 || length > NAME_LIMIT {
            let message = format!("`name` has {length} letters, but must have 1 to {NAME_LIMIT}");
            return Err(Error::new(Code::BadParams, message));
        }
        let panes = panes_in(&layout.tree);
        if panes == 0 || panes > PANES_LIMIT {
            let message = format!("a layout has 1 to {PANES_LIMIT} panes, not {panes}");
            return Err(Error::new(Code::BadParams, message));
        }
        let all = self.kept_layouts().await?;
        if all.len() >= KEPT && !all.contains_key(&name) {
            let message = format!("{KEPT} layouts are kept already: remove one first");
            return Err(Error::new(Code::Refused, message));
        }
        self.change_layouts(move |all| {
            all.insert(name, layout);
        })
        .await
    }

    /// Forgets the layout of that name.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`] when there is none, [`Code::Store`].
    pub async fn remove_layout(&self, name: &str) -> Result<(), Error> {
        self.layout(name).await?;
        let name = name.to_owned();
        self.change_layouts(move |all| {
            all.remove(&name);
        })
        .await
    }

    async fn kept_layouts(&self) -> Result<BTreeMap<String, Layout>, Error> {
        Ok(self.read_kept(LAYOUTS).await?.unwrap_or_default())
    }

    async fn change_layouts(
        &self,
        change: impl FnOnce(&mut BTreeMap<String, Layout>) + Send + 'static,
    ) -> Result<(), Error> {
        let changed = self.0.store.change(LAYOUTS, move |kept| {
            let mut all = read(kept).unwrap_or_default();
            change(&mut all);
            json(&all)
        });
        let changed = changed.await.map(drop);
        changed.map_err(|error| Error::from_chain(Code::Store, &error))
    }

    /// Leaves the wish to see a layout for a window.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`] when there is no such layout, [`Code::BadParams`] when `root` is no directory, [`Code::Failed`].
    pub async fn want_layout(&self, wanted: WantedLayout) -> Result<(), Error> {
        self.layout(&wanted.name).await?;
        if let Some(root) = &wanted.root
            && !std::path::Path::new(root).is_dir()
        {
            let message = format!("`{root}` is not a directory");
            return Err(Error::new(Code::BadParams, message));
        }
        Wish::Layout.leave(self.paths(), &wanted)
    }

    /// Takes the wish that is there; nobody else gets it. None when there is none.
    pub fn take_wanted_layout(&self) -> Option<WantedLayout> {
        Wish::Layout.take(self.paths())
    }

    /// Whether a wish waits for a window.
    pub fn layout_is_wanted(&self) -> bool {
        Wish::Layout.waits(self.paths())
    }
}

fn panes_in(node: &LayoutNode) -> usize {
    match node {
        LayoutNode::Row { parts } | LayoutNode::Column { parts } => {
            parts.iter().map(|part| panes_in(&part.node)).sum()
        }
        LayoutNode::Tabs { panes, .. } => panes.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::opened;

    fn layout(panes: usize) -> Layout {
        let pane = LayoutPane {
            cwd: "api".to_owned(),
            name: None,
            program: vec!["npm".to_owned(), "test".to_owned()],
        };
        let tabs = LayoutNode::Tabs {
            panes: vec![pane; panes],
            front: 0,
        };
        let part = |share, node| LayoutPart { share, node };
        let empty = LayoutNode::Column { parts: Vec::new() };
        Layout {
            root: "/work/shop".to_owned(),
            tree: LayoutNode::Row {
                parts: vec![part(0.6, tabs), part(0.4, empty)],
            },
        }
    }

    #[tokio::test]
    async fn a_layout_is_kept_by_its_name_over_a_restart_until_it_is_removed() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let app = opened(home.path()).await;
        app.save_layout("shop", layout(2)).await.expect("saved");
        app.save_layout(" shop ", layout(3)).await.expect("saved");
        app.shutdown().await;
        drop(app);
        let app = opened(home.path()).await;
        assert_eq!(app.layout("shop").await, Ok(layout(3)));
        let all = app.layouts().await.expect("listed");
        assert_eq!((all.len(), all[0].panes), (1, 3));
        app.remove_layout("shop").await.expect("removed");
        let gone = app.layout("shop").await.expect_err("gone");
        assert_eq!(
            gone.message,
            "no layout is called `shop`; none is saved yet"
        );
    }

    #[tokio::test]
    async fn what_is_no_name_and_no_layout_is_refused() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let app = opened(home.path()).await;
        let mut refused = Vec::new();
        for (name, panes) in [
            ("", 1),
            ("a\u{7}", 1),
            (&*"x".repeat(81), 1),
            ("a", 0),
            ("a", 101),
        ] {
            let error = app.save_layout(name, layout(panes)).await;
            refused.push(error.expect_err("refused").message);
        }
        insta::assert_snapshot!(refused.join("\n"), @r#"
        `name` has 0 letters, but must have 1 to 80
        `name` has control characters, but must be one line of text
        `name` has 81 letters, but must have 1 to 80
        a layout has 1 to 100 panes, not 0
        a layout has 1 to 100 panes, not 101
        "#);
    }

    #[tokio::test]
    async fn a_wish_is_taken_once_and_told_to_who_waits() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let app = opened(home.path()).await;
        let wanted = |root: Option<&str>| WantedLayout {
            name: "shop".to_owned(),
            root: root.map(str::to_owned),
        };
        let none = app.want_layout(wanted(None)).await;
        assert_eq!(none.map_err(|error| error.code), Err(Code::BadId));
        app.save_layout("shop", layout(1)).await.expect("saved");
        let nowhere = app.want_layout(wanted(Some("/nowhere"))).await;
        assert_eq!(nowhere.map_err(|error| error.code), Err(Code::BadParams));

        let (sender, mut heard) = tokio::sync::mpsc::unbounded_channel();
        app.follow_wishes(move |wish| {
            let _ = sender.send(wish);
        })
        .expect("watched");
        let here = home.path().to_str().expect("UTF-8");
        app.want_layout(wanted(Some(here))).await.expect("left");
        let told = tokio::time::timeout(std::time::Duration::from_secs(10), heard.recv());
        assert_eq!(told.await.expect("in time"), Some(Wish::Layout));
        assert_eq!(app.take_wanted_layout(), Some(wanted(Some(here))));
        assert_eq!(app.take_wanted_layout(), None);
    }
}
