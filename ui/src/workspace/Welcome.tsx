import { keyOf, runCommand, useCommands } from "../shared/commands";
import {
  CommandIcon,
  FolderIcon,
  PlayIcon,
  PlusIcon,
  SearchIcon,
  SlidersIcon,
} from "../shared/icons";

const STEPS = [
  {
    command: "pane.new",
    Icon: PlusIcon,
    title: "Open a terminal",
    text: "Its program goes on when this window closes.",
  },
  {
    command: "workspace.open_folder",
    Icon: FolderIcon,
    title: "Open a folder or a repository",
    text: "A terminal that starts there. A folder dropped on the sidebar does the same.",
  },
  {
    command: "search.panel",
    Icon: SearchIcon,
    title: "Find anything that any pane printed",
    text: "Live panes, closed ones, and what full-screen programs showed.",
  },
  {
    command: "flow.sample",
    Icon: PlayIcon,
    title: "Try a flow",
    text: "Small ones that need nothing but a shell, written to your home.",
  },
  {
    command: "palette.open",
    Icon: CommandIcon,
    title: "See every command and its key",
    text: "A few letters find each of them.",
  },
  {
    command: "settings.open",
    Icon: SlidersIcon,
    title: "Make it yours",
    text: "Themes, fonts, keys; behind them are text files.",
  },
];

/** What the dock shows at the first start, and when no tab is open. */
export function Welcome() {
  // Keys may change while this is on screen.
  useCommands((state) => state.keys);
  const commands = useCommands((state) => state.commands);
  return (
    <div className="welcome" data-testid="welcome">
      <div className="welcome-inner">
        <h1>Switchyard</h1>
        <p>Shells and coding agents, side by side.</p>
        <ul>
          {STEPS.filter(({ command }) =>
            commands.some(({ id }) => id === command),
          ).map(({ command, Icon, title, text }) => (
            <li key={command}>
              <button
                type="button"
                className="welcome-step"
                data-testid={`welcome-${command}`}
                onClick={() => runCommand(command)}
              >
                <Icon size={18} />
                <span className="welcome-text">
                  <span className="welcome-title">{title}</span>
                  <span className="welcome-detail">{text}</span>
                </span>
                <kbd>{keyOf(command)}</kbd>
              </button>
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}
