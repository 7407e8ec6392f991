import { openPalette } from "../palette/Palette";
import { IconButton } from "../shared/Button";
import { keyOf, useCommands } from "../shared/commands";
import { CommandIcon, SearchIcon, SidebarIcon } from "../shared/icons";
import { useSettings } from "../shared/settings-store";
import { NeedsYouItem } from "../workspace/NeedsYou";
import { toggleSidebar } from "../workspace/workspace-store";
import { features } from "./features";
import { openPanelSearch } from "./search-in-panes";

/** The line at the foot: what each feature says there, and the ways to everything. */
export function StatusBar() {
  const version = useSettings((state) => state.platform?.version);
  useCommands((state) => state.keys);
  return (
    <footer className="status-bar" data-place="status" data-testid="status-bar">
      <IconButton
        label="Sidebar"
        hint={keyOf("workspace.sidebar")}
        onClick={toggleSidebar}
      >
        <SidebarIcon size={14} />
      </IconButton>
      {features.map(
        ({ status: Status, name }) => Status && <Status key={name} />,
      )}
      <NeedsYouItem />
      <span className="spacer" />
      <button
        type="button"
        className="status-item"
        data-tour="search"
        onClick={() => openPanelSearch()}
      >
        <SearchIcon size={13} />
        Search
        <kbd>{keyOf("search.panel")}</kbd>
      </button>
      <button
        type="button"
        className="status-item"
        data-tour="commands"
        onClick={openPalette}
      >
        <CommandIcon size={13} />
        Commands
        <kbd>{keyOf("palette.open")}</kbd>
      </button>
      {version && <span className="status-item faint spare">{version}</span>}
    </footer>
  );
}
