import { create } from "zustand";
import {
  byVisit,
  type Destination,
  useVisited,
  visit,
} from "../shared/destinations";
import { useDock } from "../shared/dock/dock";
import { Choices } from "./Choices";

const useSwitcher = create<{ open: boolean }>(() => ({ open: false }));

export function openSwitcher(): void {
  useSwitcher.setState({ open: true });
}

/** The one way to anything by its name, where one was last first: Enter alone goes back there. */
export function Switcher({
  useDestinations,
}: {
  /** A hook, asked only while it is open. */
  useDestinations: () => Destination[];
}) {
  const open = useSwitcher((state) => state.open);
  return open ? <OpenSwitcher useDestinations={useDestinations} /> : null;
}

function OpenSwitcher({
  useDestinations,
}: {
  useDestinations: () => Destination[];
}) {
  const { visited } = useVisited();
  const here = useDock((state) => state.activeId);
  return (
    <Choices
      label="Go to"
      placeholder="Where would you like to go?"
      empty="Nothing is called that."
      testId="switcher"
      choices={byVisit(useDestinations(), visited, here)}
      onChosen={({ key }) => visit(key)}
      onClose={() => useSwitcher.setState({ open: false })}
    />
  );
}
