//! What the page may ask and what it is told, as one list; `ui/src/bindings.ts` is generated from it.

use std::collections::BTreeMap;

use ::app::PANES_PER_MACHINE;
use ::terminal::Style;
use tauri_specta::{Builder, collect_commands, collect_events};

use crate::commands::{
    agents, changes, conflicts, flow, layouts, machines, search, settings, terminal, windows,
    workspace, worktrees,
};
use crate::events;

/// Every command and every event of the window.
pub fn builder() -> Builder<tauri::Wry> {
    Builder::new()
        .constant("panesPerMachine", PANES_PER_MACHINE)
        .constant("styleFlags", BTreeMap::from(Style::FLAGS))
        // Ids, times and sizes stay far below 2^53.
        .dangerously_cast_bigints_to_number()
        .disable_serde_phases()
        .commands(collect_commands![
            terminal::open_pane,
            terminal::list_panes,
            terminal::close_pane,
            terminal::rename_pane,
            terminal::resize_pane,
            terminal::write_pane,
            terminal::seen_pane,
            terminal::attach_pane,
            terminal::ack_pane,
            terminal::detach_pane,
            terminal::read_lines,
            terminal::pane_marks,
            terminal::set_cell,
            terminal::command_output,
            terminal::pane_image,
            terminal::set_colours,
            terminal::closed_panes,
            terminal::purge_history,
            machines::list_machines,
            machines::reach_machine,
            machines::open_pane_on,
            search::search,
            search::search_transcripts,
            search::read_transcript,
            search::cancel_search,
            conflicts::list_repositories,
            conflicts::add_repository,
            conflicts::remove_repository,
            conflicts::rescan_repository,
            conflicts::repository_picture,
            conflicts::list_conflicts,
            conflicts::conflict_details,
            conflicts::quiet_conflicts,
            conflicts::unquiet_conflicts,
            changes::worktree_changes,
            changes::file_diff,
            changes::act_on_changes,
            changes::restore_changes,
            changes::list_snapshots,
            changes::commit_changes,
            changes::last_message,
            changes::landing_outlook,
            changes::land_changes,
            changes::take_back_landing,
            changes::look_at,
            changes::looked_at,
            changes::remember_moment,
            changes::list_moments,
            changes::changes_since,
            changes::diff_since,
            changes::restore_to_moment,
            changes::file_pictures,
            changes::forge_page,
            changes::list_remarks,
            changes::add_remark,
            changes::change_remarks,
            changes::answered_remarks,
            worktrees::make_worktree,
            worktrees::list_worktrees,
            worktrees::worktree_size,
            worktrees::rename_worktree,
            worktrees::remove_worktree,
            worktrees::prune_worktrees,
            flow::list_runs,
            flow::run_graph,
            flow::run_outline,
            flow::run_text,
            flow::run_step,
            flow::step_lines,
            flow::start_flow,
            flow::cancel_run,
            flow::resume_run,
            flow::retry_failed,
            flow::rerun_from,
            flow::mark_step,
            flow::answer_approval,
            flow::export_run,
            flow::flow_files,
            flow::write_samples,
            flow::read_flow,
            flow::write_flow,
            flow::follow_flow,
            flow::unfollow_flow,
            flow::check_flow,
            flow::simulate_flow,
            flow::save_picture,
            windows::this_window,
            windows::window_shows,
            windows::turned_to_window,
            windows::new_window,
            windows::send_to_window,
            windows::reopen_window,
            windows::close_window,
            windows::close_all_windows,
            workspace::load_session,
            workspace::save_session,
            layouts::list_layouts,
            layouts::load_layout,
            layouts::save_layout,
            layouts::remove_layout,
            layouts::take_wanted_layout,
            workspace::window_state,
            workspace::remember_search,
            workspace::remember_folder,
            workspace::look_for_folders,
            workspace::save_frame,
            workspace::save_drawing,
            workspace::list_drafts,
            workspace::keep_draft,
            workspace::drop_draft,
            workspace::load_settings,
            workspace::startup_notices,
            workspace::settings_files,
            settings::settings_sheet,
            settings::change_setting,
            settings::import_themes,
            settings::remove_theme,
            settings::monospace_fonts,
            workspace::read_clipboard,
            workspace::write_clipboard,
            workspace::find_files,
            workspace::open_in_editor,
            workspace::open_link,
            workspace::notify_person,
            workspace::platform,
            workspace::memory_use,
            workspace::save_text,
            workspace::prompt_on_screen,
            agents::known_agents,
            agents::check_agents,
            agents::start_agent,
            agents::list_personas,
            agents::start_persona,
            agents::list_agent_sessions,
            agents::import_agent,
            agents::prompt_agent,
            agents::stop_agent,
            agents::choose_for_agent,
            agents::answer_agent,
            agents::archive_agent,
            agents::fork_agent,
            agents::follow_agent,
            agents::next_of_agent,
            agents::unfollow_agent,
            agents::add_worktree,
        ])
        .events(collect_events![
            events::PaneHappened,
            events::SettingsChanged,
            events::HostChanged,
            events::MachinesChanged,
            events::LayoutWanted,
            events::WindowsChanged,
            events::WindowGone,
            events::ErrandCame,
            events::DraftChanged,
            events::RepositoriesChanged,
            events::ConflictsChanged,
            events::WorktreesTouched,
            events::AgentsHappened,
            events::RunsChanged,
        ])
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn the_committed_bindings_are_fresh() {
        let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui/src/bindings.ts");
        let directory = tempfile::tempdir().expect("a temporary directory");
        let fresh = directory.path().join("bindings.ts");
        super::builder()
            .export(specta_typescript::Typescript::default(), &fresh)
            .expect("the bindings can be written");
        let fresh = std::fs::read_to_string(fresh).expect("they were written");
        if std::env::var_os("UPDATE_BINDINGS").is_some() {
            std::fs::write(&committed, &fresh).expect("written");
        }
        let committed = std::fs::read_to_string(committed).unwrap_or_default();
        assert!(
            committed == fresh,
            "ui/src/bindings.ts is stale: run `make schemas` and commit it"
        );
    }
}
