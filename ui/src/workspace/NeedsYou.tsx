import { keyOf } from "../shared/commands";
import {
  AgentIcon,
  ApprovalIcon,
  ConflictIcon,
  NeedsYouIcon,
  TerminalIcon,
} from "../shared/icons";
import {
  goToNextNeed,
  type Need,
  needsInOrder,
  useNeeds,
} from "../shared/needs-you";
import { Since } from "../shared/Since";
import { walk } from "../shared/walk";

const ICONS = {
  pane: TerminalIcon,
  agent: AgentIcon,
  approval: ApprovalIcon,
  conflict: ConflictIcon,
} satisfies Record<Need["kind"], unknown>;

/** Who waits for the person, longest first; nothing at all when nobody does. */
export function NeedsYou() {
  const sources = useNeeds((state) => state.sources);
  const needs = needsInOrder(sources);
  if (needs.length === 0) return null;
  return (
    <section className="needs" aria-label="Needs you" data-testid="needs-you">
      <header className="sidebar-heading">
        <h2>Needs you</h2>
        <span className="attention-count">{needs.length}</span>
        <span className="spacer" />
        <kbd title="Go to who waits longest">{keyOf("needs.next")}</kbd>
      </header>
      <ul onKeyDown={walk}>
        {needs.map((need) => {
          const Icon = ICONS[need.kind];
          return (
            <li key={need.key}>
              <button
                type="button"
                className="need"
                data-walk
                data-testid={`need-${need.key}`}
                title={need.detail ?? need.title}
                onClick={need.open}
              >
                <Icon size={14} />
                <span className="need-text">
                  <span className="need-title">{need.title}</span>
                  {need.detail && (
                    <span className="need-detail">{need.detail}</span>
                  )}
                </span>
                <Since at={need.since} />
              </button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

/** The same in the status bar: how many, and one click to the first. */
export function NeedsYouItem() {
  const sources = useNeeds((state) => state.sources);
  const count = needsInOrder(sources).length;
  if (count === 0) return null;
  return (
    <button
      type="button"
      className="status-item status-needs"
      data-testid="status-needs-you"
      title={`Go to who waits longest (${keyOf("needs.next")})`}
      onClick={goToNextNeed}
    >
      <NeedsYouIcon size={12} />
      {count === 1 ? "1 needs you" : `${count} need you`}
    </button>
  );
}
