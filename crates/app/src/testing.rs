//! What the tests of this room begin with.

use std::path::Path;

use crate::{App, AppConfig, HostMode, Paths};

/// An application below a directory of its own, with its panes in this process.
pub(crate) async fn opened(home: &Path) -> App {
    let paths = Paths::below(home);
    let host = HostMode::InProcess;
    App::start(AppConfig { paths, host })
        .await
        .expect("an application in a directory of its own")
}
