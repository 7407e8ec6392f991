//! Which panes are named in what is asked, answered and told: for whoever stands between two numberings of them.

use crate::ask::{
    Close, Closed, Image, Info, List, Marks, Open, OpenRecorded, Output, Purge, Read, Rename,
    Resize, Search, Seen, SetCell, SetColours, Write,
};
use crate::history::ClosedPane;
use crate::image::PlacedImage;
use crate::refusal::Refusal;
use crate::search::{Match, Scope, SearchAnswer, SearchProgress, SearchRequest};
use crate::types::{CommandMark, CommandOutput, Line, OpenPane, PaneEvent, PaneId, PaneInfo};

/// Something in which panes are named.
pub trait NamesPanes {
    /// Shows every pane that is named in it, to be read or to be given another number.
    fn panes(&mut self, each: &mut dyn FnMut(&mut PaneId));
}

/// What names none.
macro_rules! none {
    ($($name:ty),+ $(,)?) => {
        $(impl NamesPanes for $name {
            fn panes(&mut self, _: &mut dyn FnMut(&mut PaneId)) {}
        })+
    };
}

none!(
    (),
    Closed,
    CommandMark,
    CommandOutput,
    Line,
    List,
    PlacedImage,
    SetColours
);

/// What names one pane, in a field.
macro_rules! one {
    ($($name:ty: $field:tt),+ $(,)?) => {
        $(impl NamesPanes for $name {
            fn panes(&mut self, each: &mut dyn FnMut(&mut PaneId)) {
                each(&mut self.$field);
            }
        })+
    };
}

one!(
    Close: 0,
    Image: pane,
    Info: 0,
    Marks: 0,
    Match: pane,
    Output: pane,
    Read: pane,
    Rename: pane,
    Resize: pane,
    Seen: 0,
    SetCell: pane,
    Write: pane,
);

impl<T: NamesPanes> NamesPanes for Vec<T> {
    fn panes(&mut self, each: &mut dyn FnMut(&mut PaneId)) {
        for one in self {
            one.panes(each);
        }
    }
}

impl<T: NamesPanes> NamesPanes for Option<T> {
    fn panes(&mut self, each: &mut dyn FnMut(&mut PaneId)) {
        if let Some(one) = self {
            one.panes(each);
        }
    }
}

impl NamesPanes for PaneId {
    fn panes(&mut self, each: &mut dyn FnMut(&mut PaneId)) {
        each(self);
    }
}

impl NamesPanes for OpenPane {
    fn panes(&mut self, each: &mut dyn FnMut(&mut PaneId)) {
        self.continues.panes(each);
    }
}

impl NamesPanes for Open {
    fn panes(&mut self, each: &mut dyn FnMut(&mut PaneId)) {
        self.0.panes(each);
    }
}

impl NamesPanes for OpenRecorded {
    fn panes(&mut self, each: &mut dyn FnMut(&mut PaneId)) {
        self.pane.panes(each);
    }
}

impl NamesPanes for Purge {
    fn panes(&mut self, each: &mut dyn FnMut(&mut PaneId)) {
        self.0.panes(each);
    }
}

impl NamesPanes for Search {
    fn panes(&mut self, each: &mut dyn FnMut(&mut PaneId)) {
        self.0.panes(each);
    }
}

impl NamesPanes for SearchRequest {
    fn panes(&mut self, each: &mut dyn FnMut(&mut PaneId)) {
        match &mut self.scope {
            Scope::Pane { id } => each(id),
            Scope::Live | Scope::All | Scope::Closed => {}
        }
    }
}

impl NamesPanes for SearchAnswer {
    fn panes(&mut self, each: &mut dyn FnMut(&mut PaneId)) {
        self.matches.panes(each);
    }
}

impl NamesPanes for SearchProgress {
    fn panes(&mut self, each: &mut dyn FnMut(&mut PaneId)) {
        match self {
            Self::Found { matches } => matches.panes(each),
            Self::Count { .. } => {}
        }
    }
}

impl NamesPanes for PaneInfo {
    fn panes(&mut self, each: &mut dyn FnMut(&mut PaneId)) {
        each(&mut self.id);
        for earlier in &mut self.earlier {
            each(&mut earlier.pane);
        }
    }
}

impl NamesPanes for ClosedPane {
    fn panes(&mut self, each: &mut dyn FnMut(&mut PaneId)) {
        each(&mut self.id);
        self.continues.panes(each);
    }
}

impl NamesPanes for PaneEvent {
    fn panes(&mut self, each: &mut dyn FnMut(&mut PaneId)) {
        match self {
            Self::Opened { pane } | Self::Changed { pane } => pane.panes(each),
            Self::Closed { id } | Self::Notified { id, .. } | Self::ClipboardWrite { id, .. } => {
                each(id);
            }
            Self::Warned { id, .. } => id.panes(each),
            Self::Lagged => {}
        }
    }
}

impl NamesPanes for Refusal {
    fn panes(&mut self, each: &mut dyn FnMut(&mut PaneId)) {
        match self {
            Self::UnknownPane { pane } | Self::NotReading { pane, .. } | Self::Ended { pane } => {
                each(pane);
            }
            Self::BadParams { .. }
            | Self::BadQuery { .. }
            | Self::NotStarted { .. }
            | Self::Failed { .. } => {}
        }
    }
}
