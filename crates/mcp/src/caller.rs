//! Who asks, and of whom.

use std::sync::Arc;

use app::App;

use crate::Options;

/// One client, as its tools see it.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) app: App,
    pub(crate) options: Arc<Options>,
}
