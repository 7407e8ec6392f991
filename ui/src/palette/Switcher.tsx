import { Command as Cmdk } from "cmdk";
import "./palette.css";
import { useState } from "react";
import { create } from "zustand";
import {
  byVisit,
  type Destination,
  useVisited,
  visit,
} from "../shared/destinations";
import { useDock } from "../shared/dock/dock";
import { occurs } from "./occurs";

const useSwitcher = create<{ open: boolean }>(() => ({ open: false }));

export function openSwitcher(): void {
  useSwitcher.setState({ open: true });
}

/** So many are drawn: each costs the list some work, at every key that is typed. */
const DRAWN = 50;

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
  const [typed, setTyped] = useState("");
  const all = byVisit(useDestinations(), visited, here);
  const found = all.filter(({ title, detail, kind }) =>
    occurs(`${title} ${detail} ${kind}`, typed.trim()),
  );
  const close = () => useSwitcher.setState({ open: false });
  return (
    <Cmdk.Dialog
      open
      onOpenChange={(wanted) => !wanted && close()}
      label="Go to"
      overlayClassName="overlay"
      contentClassName="palette"
      data-testid="switcher"
      shouldFilter={false}
      loop
    >
      <Cmdk.Input
        className="palette-input"
        placeholder="Where would you like to go?"
        value={typed}
        onValueChange={setTyped}
        data-testid="switcher-input"
      />
      <Cmdk.List className="palette-list">
        <Cmdk.Empty className="palette-empty">
          Nothing is called that.
        </Cmdk.Empty>
        {found.slice(0, DRAWN).map(({ key, kind, title, detail, open }) => (
          <Cmdk.Item
            key={key}
            value={key}
            className="palette-item"
            data-testid={`go-${key}`}
            onSelect={() => {
              close();
              visit(key);
              // After the switcher has given the focus back: it is to move on.
              setTimeout(open);
            }}
          >
            <span>{title}</span>
            <span className="palette-detail">{detail}</span>
            <span className="palette-kind">{kind}</span>
          </Cmdk.Item>
        ))}
        {found.length > DRAWN && (
          <p className="palette-more" data-testid="switcher-more">
            {found.length - DRAWN} more. Another word finds them.
          </p>
        )}
      </Cmdk.List>
    </Cmdk.Dialog>
  );
}
