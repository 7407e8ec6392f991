import { Command as Cmdk } from "cmdk";
import "./palette.css";
import { create } from "zustand";
import { type Command, chordOf, useCommands } from "../shared/commands";
import { formatKey } from "../shared/keys";
import { occurs } from "./occurs";

const usePalette = create<{ open: boolean }>(() => ({ open: false }));

export function openPalette(): void {
  usePalette.setState({ open: true });
}

/** Every command and its key, by name. */
export function Palette() {
  const open = usePalette((state) => state.open);
  const commands = useCommands((state) => state.commands);
  const keys = useCommands((state) => state.keys);
  if (!open) return null;

  const close = () => usePalette.setState({ open: false });
  const groups = new Map<string, Command[]>();
  for (const command of commands) {
    if (command.id === "palette.open") continue;
    if (command.enabled && !command.enabled()) continue;
    groups.set(command.group, [...(groups.get(command.group) ?? []), command]);
  }
  return (
    <Cmdk.Dialog
      open
      onOpenChange={(wanted) => !wanted && close()}
      label="Commands"
      overlayClassName="overlay"
      contentClassName="palette"
      data-testid="palette"
      filter={occurs}
      loop
    >
      <Cmdk.Input
        className="palette-input"
        placeholder="What would you like to do?"
        data-testid="palette-input"
      />
      <Cmdk.List className="palette-list">
        <Cmdk.Empty className="palette-empty">
          No command is called that.
        </Cmdk.Empty>
        {[...groups].map(([group, members]) => (
          <Cmdk.Group key={group} heading={group} className="palette-group">
            {members.map((command) => {
              const chord = chordOf(command, keys);
              return (
                <Cmdk.Item
                  key={command.id}
                  value={`${command.title} ${command.id}`}
                  className="palette-item"
                  data-testid={`command-${command.id}`}
                  onSelect={() => {
                    close();
                    // After the palette has given the focus back: a command may move it.
                    setTimeout(command.run);
                  }}
                >
                  <span>{command.title}</span>
                  <code className="palette-id">{command.id}</code>
                  {chord && <kbd>{formatKey(chord)}</kbd>}
                </Cmdk.Item>
              );
            })}
          </Cmdk.Group>
        ))}
      </Cmdk.List>
    </Cmdk.Dialog>
  );
}
