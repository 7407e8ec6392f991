//! Questions about panes: each a type that knows its answer, the same for whoever asks, from wherever.
//!
//! [`Panes`] does the work; here is what may be asked of it from another process, and what comes back. A new question
//! is a type here with its [`Ask`], its name in the list at the end, and what [`Panes`] does for it.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::history::ClosedPane;
use crate::image::PlacedImage;
use crate::naming::NamesPanes;
use crate::panes::Panes;
use crate::refusal::Refusal;
use crate::screen::Colours;
use crate::search::{Cancel, SearchAnswer, SearchProgress, SearchRequest};
use crate::types::{
    CellSize, CommandMark, CommandOutput, Line, LineId, OpenPane, PaneId, PaneInfo, PaneSize,
    ReadLines, Recording,
};

/// A question about panes.
pub trait Ask: NamesPanes + Into<Question> + Send + 'static {
    /// What comes back.
    type Answer: NamesPanes + Serialize + DeserializeOwned + Send + 'static;

    /// Whether it takes a moment only: then it is answered where it is read, one after another in the order in which
    /// they were asked. The others may have to wait for the disk, and overtake each other.
    const AT_ONCE: bool = false;

    /// Asks it.
    ///
    /// # Errors
    ///
    /// [`Refusal`] says what can't be met.
    fn put(self, panes: &Panes, asker: &mut Asker<'_>) -> Result<Self::Answer, Refusal>;
}

/// Who waits for an answer: hears what is found on the way, and may lose interest.
pub struct Asker<'a> {
    /// Set when nobody waits any more.
    pub cancel: &'a Cancel,
    /// Told what a search finds, as it is found.
    pub found: &'a mut dyn FnMut(SearchProgress),
}

/// Opens a pane: [`Panes::open`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Open(pub OpenPane);

impl Ask for Open {
    type Answer = PaneInfo;

    fn put(self, panes: &Panes, _: &mut Asker<'_>) -> Result<PaneInfo, Refusal> {
        Ok(panes.open(self.0)?)
    }
}

/// Opens a pane that is recorded: [`Panes::open_recorded`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OpenRecorded {
    /// What to open.
    pub pane: OpenPane,
    /// What is kept of it.
    pub recording: Recording,
}

impl Ask for OpenRecorded {
    type Answer = PaneInfo;

    fn put(self, panes: &Panes, _: &mut Asker<'_>) -> Result<PaneInfo, Refusal> {
        Ok(panes.open_recorded(self.pane, self.recording)?)
    }
}

/// Every open pane, oldest first: [`Panes::list`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct List;

impl Ask for List {
    type Answer = Vec<PaneInfo>;

    fn put(self, panes: &Panes, _: &mut Asker<'_>) -> Result<Vec<PaneInfo>, Refusal> {
        Ok(panes.list())
    }
}

/// What is known of one pane: [`Panes::info`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Info(pub PaneId);

impl Ask for Info {
    type Answer = PaneInfo;

    fn put(self, panes: &Panes, _: &mut Asker<'_>) -> Result<PaneInfo, Refusal> {
        Ok(panes.info(self.0)?)
    }
}

/// Types into a pane: [`Panes::write`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Write {
    /// Which pane.
    pub pane: PaneId,
    /// What its program is to read.
    #[serde(with = "bytes")]
    pub bytes: Vec<u8>,
}

impl Ask for Write {
    type Answer = ();

    const AT_ONCE: bool = true;

    fn put(self, panes: &Panes, _: &mut Asker<'_>) -> Result<(), Refusal> {
        Ok(panes.write(self.pane, self.bytes)?)
    }
}

/// Gives a pane another size: [`Panes::resize`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Resize {
    /// Which pane.
    pub pane: PaneId,
    /// Its new size.
    pub size: PaneSize,
}

impl Ask for Resize {
    type Answer = ();

    const AT_ONCE: bool = true;

    fn put(self, panes: &Panes, _: &mut Asker<'_>) -> Result<(), Refusal> {
        Ok(panes.resize(self.pane, self.size)?)
    }
}

/// Tells a pane how large its cells are drawn: [`Panes::set_cell`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SetCell {
    /// Which pane.
    pub pane: PaneId,
    /// The size of a cell.
    pub cell: CellSize,
}

impl Ask for SetCell {
    type Answer = ();

    const AT_ONCE: bool = true;

    fn put(self, panes: &Panes, _: &mut Asker<'_>) -> Result<(), Refusal> {
        Ok(panes.set_cell(self.pane, self.cell)?)
    }
}

/// Gives a pane a name, or takes it away: [`Panes::rename`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Rename {
    /// Which pane.
    pub pane: PaneId,
    /// Its name; none: it is shown by its title.
    pub name: Option<String>,
}

impl Ask for Rename {
    type Answer = ();

    const AT_ONCE: bool = true;

    fn put(self, panes: &Panes, _: &mut Asker<'_>) -> Result<(), Refusal> {
        Ok(panes.rename(self.pane, self.name)?)
    }
}

/// Says that the person looks at a pane: [`Panes::seen`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Seen(pub PaneId);

impl Ask for Seen {
    type Answer = ();

    const AT_ONCE: bool = true;

    fn put(self, panes: &Panes, _: &mut Asker<'_>) -> Result<(), Refusal> {
        Ok(panes.seen(self.0)?)
    }
}

/// Closes a pane; its history stays: [`Panes::close`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Close(pub PaneId);

impl Ask for Close {
    type Answer = ();

    fn put(self, panes: &Panes, _: &mut Asker<'_>) -> Result<(), Refusal> {
        Ok(panes.close(self.0)?)
    }
}

/// Reads lines of a pane, also of a closed one: [`Panes::read`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Read {
    /// Which pane.
    pub pane: PaneId,
    /// Which of its lines.
    pub lines: ReadLines,
}

impl Ask for Read {
    type Answer = Vec<Line>;

    fn put(self, panes: &Panes, _: &mut Asker<'_>) -> Result<Vec<Line>, Refusal> {
        Ok(panes.read(self.pane, self.lines)?)
    }
}

/// The commands that the shell of a pane marked: [`Panes::marks`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Marks(pub PaneId);

impl Ask for Marks {
    type Answer = Vec<CommandMark>;

    fn put(self, panes: &Panes, _: &mut Asker<'_>) -> Result<Vec<CommandMark>, Refusal> {
        Ok(panes.marks(self.0)?)
    }
}

/// What a command printed: [`Panes::output`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Output {
    /// Which pane.
    pub pane: PaneId,
    /// The line of the command's prompt, as its mark says.
    pub prompt: LineId,
}

impl Ask for Output {
    type Answer = Option<CommandOutput>;

    fn put(self, panes: &Panes, _: &mut Asker<'_>) -> Result<Self::Answer, Refusal> {
        Ok(panes.output(self.pane, self.prompt)?)
    }
}

/// An image of which a window has found a tile: [`Panes::image`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Image {
    /// Which pane.
    pub pane: PaneId,
    /// Its number, as its tiles have it.
    pub image: u32,
}

impl Ask for Image {
    type Answer = Option<PlacedImage>;

    fn put(self, panes: &Panes, _: &mut Asker<'_>) -> Result<Self::Answer, Refusal> {
        Ok(panes.image(self.pane, self.image)?)
    }
}

/// Searches what panes printed: [`Panes::search`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Search(pub SearchRequest);

impl Ask for Search {
    type Answer = SearchAnswer;

    fn put(self, panes: &Panes, asker: &mut Asker<'_>) -> Result<SearchAnswer, Refusal> {
        Ok(panes.search(&self.0, asker.cancel, asker.found)?)
    }
}

/// The panes that only live in history, newest first: [`Panes::closed`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Closed;

impl Ask for Closed {
    type Answer = Vec<ClosedPane>;

    fn put(self, panes: &Panes, _: &mut Asker<'_>) -> Result<Vec<ClosedPane>, Refusal> {
        Ok(panes.closed())
    }
}

/// Removes the history of one pane, or of all, from disk: [`Panes::purge`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Purge(pub Option<PaneId>);

impl Ask for Purge {
    type Answer = ();

    fn put(self, panes: &Panes, _: &mut Asker<'_>) -> Result<(), Refusal> {
        Ok(panes.purge(self.0)?)
    }
}

/// Sets the colours that programs are told when they ask: [`Panes::set_colours`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SetColours(pub Colours);

impl Ask for SetColours {
    type Answer = ();

    fn put(self, panes: &Panes, _: &mut Asker<'_>) -> Result<(), Refusal> {
        panes.set_colours(self.0);
        Ok(())
    }
}

/// Lists the questions: what travels is one of them, by its name. One that is not here is not an [`Ask`].
macro_rules! questions {
    ($($name:ident),+ $(,)?) => {
        /// Any question, as it travels.
        #[derive(Debug, Clone, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Question {
            $(#[doc = concat!("[`struct@", stringify!($name), "`].")] $name(Box<$name>),)+
        }

        $(impl From<$name> for Question {
            fn from(question: $name) -> Self {
                Self::$name(Box::new(question))
            }
        })+

        impl Question {
            /// Whether it is answered where it is read: see [`Ask::AT_ONCE`].
            pub fn at_once(&self) -> bool {
                match self {
                    $(Self::$name(_) => <$name as Ask>::AT_ONCE,)+
                }
            }

            /// Asks it; the answer is as it travels.
            ///
            /// # Errors
            ///
            /// As for the question.
            pub fn put(self, panes: &Panes, asker: &mut Asker<'_>) -> Result<Box<RawValue>, Refusal> {
                match self {
                    $(Self::$name(question) => travelling(&question.put(panes, asker)?),)+
                }
            }
        }
    };
}

questions!(
    Open,
    OpenRecorded,
    List,
    Info,
    Write,
    Resize,
    SetCell,
    Rename,
    Seen,
    Close,
    Read,
    Marks,
    Output,
    Image,
    Search,
    Closed,
    Purge,
    SetColours,
);

/// An answer as it travels.
///
/// # Errors
///
/// [`Refusal::Failed`] when it can't be written down.
pub fn travelling(answer: &impl Serialize) -> Result<Box<RawValue>, Refusal> {
    serde_json::value::to_raw_value(answer).map_err(|error| Refusal::Failed {
        message: format!("the answer can't be written down: {error}"),
    })
}

/// Bytes as a JSON string, one character (U+0000 to U+00FF) for each: what is typed is nearly
/// always ASCII, and stays as short as it is.
mod bytes {
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(
            &bytes
                .iter()
                .map(|byte| char::from(*byte))
                .collect::<String>(),
        )
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        String::deserialize(from)?
            .chars()
            .map(|char| {
                u8::try_from(char)
                    .map_err(|_| D::Error::custom("`bytes` holds a character above U+00FF"))
            })
            .collect()
    }
}
