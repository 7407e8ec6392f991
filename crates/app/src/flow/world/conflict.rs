//! What a flow asks of conflicts.

use std::path::{Path, PathBuf};

use ::conflicts::{ConflictFilter, Picture, Severity};

use crate::{App, Code, Error};

/// The worst conflict of the worktree that `place` is in: from memory where its repository is watched,
/// else by looking at the repository now.
pub(super) async fn worst_conflict(
    app: &App,
    place: String,
    filter: ConflictFilter,
) -> Result<Option<Severity>, Error> {
    let place = std::fs::canonicalize(&place).unwrap_or_else(|_| PathBuf::from(place));
    for picture in app.conflict_pictures().await? {
        if let Some(worktree) = worktree_at(&picture, &place) {
            let filter = ConflictFilter {
                worktree: Some(worktree),
                ..filter
            };
            let verdicts = app.conflicts(filter).await?;
            return Ok(verdicts.iter().map(|verdict| verdict.severity).max());
        }
    }
    let breaks = app.settings().conflicts.breaks;
    let looked = tokio::task::spawn_blocking(move || {
        let mut config = crate::watch_config(None, &place);
        config.breaks = breaks;
        let picture = crate::look_for_conflicts(&config, &place, &filter)?;
        let worktree = worktree_at(&picture, &place);
        let ours = picture.verdicts.iter().filter(|verdict| {
            [&verdict.left, &verdict.right]
                .iter()
                .any(|side| Some(&side.worktree.0) == worktree.as_ref())
        });
        Ok(ours.map(|verdict| verdict.severity).max())
    });
    looked
        .await
        .map_err(|error| Error::from_chain(Code::Failed, &error))?
}

/// The root of the worktree that a directory is in.
fn worktree_at(picture: &Picture, place: &Path) -> Option<String> {
    picture
        .worktrees
        .iter()
        .map(|worktree| &worktree.id.0)
        .filter(|root| place.starts_with(root))
        .max_by_key(|root| root.len())
        .cloned()
}
