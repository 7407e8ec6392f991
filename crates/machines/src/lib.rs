//! Other machines: a pipe to each, our program at its end, and connections over that pipe.
//!
//! A machine is reached by a command that gives a pipe: `ssh build`, `docker exec -i box`. [`Way`] is that command, and
//! [`Link::open`] goes it: a line of shell at the other end says what is there, takes our program if it is not there yet, and
//! becomes it. From then on the two ends are this room's: [`Link::connect`] here, [`serve`] there, and any number of
//! connections between them.
//!
//! What it promises:
//!
//! - Nothing but a POSIX shell has to be there, and nothing that a login shell prints is in the way.
//! - A program stands in its place whole and checked, or not at all; programs of several versions lie side by side.
//! - A connection that nobody reads holds up no other one, and what is urgent does not wait for what is much.
//! - A link that says nothing any more is over after some seconds, at both ends.
//!
//! What it leaves to others: which machines there are, what is said on the connections, when to try again (`app`).

mod arrival;
mod error;
mod far;
mod link;
mod mux;
mod program;
mod way;

pub use error::LinkError;
pub use far::serve;
pub use link::{Link, Stage};
pub use mux::Urgency;
pub use program::{Far, Program, Programs};
pub use way::{Asks, BadWay, Way, name_is_right};
