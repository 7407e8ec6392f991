import * as Menu from "@radix-ui/react-dropdown-menu";
import { Button } from "../shared/Button";
import { notify } from "../shared/notices";
import { quietConflicts, type Said, unquietConflicts } from "./conflict-store";
import { type Quieting, quietings, wishInWords } from "./quieting";

/** The ways to be quiet about a verdict. */
export function QuietMenu({ said }: { said: Said }) {
  return (
    <Menu.Root>
      <Menu.Trigger asChild>
        <Button data-testid="quiet-menu">Quiet…</Button>
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Content className="menu" align="end" sideOffset={4}>
          {quietings(said.verdict).map((way) => (
            <Menu.Item
              key={way.label}
              className="menu-item"
              onSelect={() => void beQuiet(said, way)}
            >
              <span>{way.label}</span>
              <span className="faint">{way.hint}</span>
            </Menu.Item>
          ))}
        </Menu.Content>
      </Menu.Portal>
    </Menu.Root>
  );
}

/** Is quiet in one of the ways, and offers the way back. */
export async function beQuiet(
  { repository }: Pick<Said, "repository">,
  way: Quieting,
): Promise<void> {
  const quiet = way.quiet(Date.now());
  if (!(await quietConflicts(repository, quiet))) return;
  notify("info", `Quiet: ${wishInWords(quiet)}.`, {
    label: "Undo",
    run: () => void unquietConflicts(repository, quiet.about),
  });
}
