import {
  memo,
  type ReactNode,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import type {
  AgentInfo,
  AgentSetting,
  PermissionRequest,
  PlanState,
  Usage,
} from "../bindings";
import { Button, IconButton } from "../shared/Button";
import { keyOf } from "../shared/commands";
import { DownIcon, RightIcon, StopIcon } from "../shared/icons";
import { shortPath } from "../shared/paths";
import { Prose } from "../shared/prose/Prose";
import { useSettings } from "../shared/settings-store";
import { AgentState } from "./AgentState";
import { archiveAgent, chooseForAgent, stopAgent } from "./actions";
import {
  type AgentKey,
  agentOfKey,
  agentTitle,
  isBusy,
  machineOf,
  paneOf,
  sinceOf,
  statusWord,
  useAgents,
  whyDown,
} from "./agent-store";
import { ago, useNow } from "./ago";
import { Composer } from "./Composer";
import {
  followConversation,
  useConversations,
  writeAlso,
} from "./conversations";
import { PermissionCard } from "./PermissionCard";
import { QueueList } from "./QueueList";
import { about, ToolView } from "./ToolView";
import { emptyTimeline, outcomeText, type Row } from "./timeline";

/** How many of the newest rows are drawn at first, and how many more at a time. */
const DRAWN = 200;

export interface AgentTimelineProps {
  agent: AgentKey;
  /** Whether its panel has the focus. */
  active: boolean;
  /** Goes to the pane in which a program runs. */
  onPane: (pane: number) => void;
}

/** One agent: what was said, what it asks, and where the person writes to it. */
export function AgentTimeline({ agent, active, onPane }: AgentTimelineProps) {
  useEffect(() => followConversation(agent), [agent]);
  const info = useAgents((state) => state.agents[agent]);
  const { backend } = agentOfKey(agent);
  const down = useAgents((state) => {
    const health = state.backends[backend]?.health;
    return health?.state === "down" ? health.reason : null;
  });
  const timeline = useConversations(
    (state) => state.timelines[agent] ?? emptyTimeline,
  );
  const busy = info ? isBusy(info.status) : false;
  const pane = info ? paneOf(info) : null;
  return (
    <div className="agent" data-testid="agent-timeline">
      <Heading agent={agent} info={info} />
      <Scroller rows={timeline.rows}>
        {(drawn) => (
          <>
            {timeline.unread && (
              <p className="agent-note" data-testid="agent-unread">
                {timeline.unread}
              </p>
            )}
            {timeline.read &&
              timeline.rows.length === 0 &&
              !timeline.unread && (
                <p className="agent-note">
                  Nothing was said yet. Write to it below.
                </p>
              )}
            {drawn.map((row) => (
              <RowView key={row.id} row={row} />
            ))}
            {busy && info?.status.state !== "needs_you" && (
              <p className="agent-working">
                <AgentState status={{ state: "working" }} /> working
              </p>
            )}
          </>
        )}
      </Scroller>
      <footer className="agent-foot">
        {down && (
          <p className="agent-down" role="status" data-testid="agent-down">
            {whyDown(backend, down)}
          </p>
        )}
        {!down &&
          info?.permissions.map((request, index) => (
            <PermissionCard
              key={request.id}
              agent={agent}
              request={request}
              first={index === 0}
            />
          ))}
        {info?.status.state === "needs_you" && pane !== null && (
          <p className="agent-down">
            It waits in its terminal.{" "}
            <button
              type="button"
              className="link-button"
              onClick={() => onPane(pane)}
            >
              Go to pane {pane}
            </button>
          </p>
        )}
        <QueueList agent={agent} onEdit={(text) => writeAlso(agent, text)} />
        <Composer
          agent={agent}
          status={info?.status}
          asked={info?.permissions.length ?? 0}
          active={active}
        />
      </footer>
    </div>
  );
}

function Heading({ agent, info }: { agent: AgentKey; info?: AgentInfo }) {
  const home = useSettings((state) => state.platform?.home ?? "");
  const now = useNow();
  if (!info)
    return (
      <header className="agent-heading">
        <p className="agent-facts">
          This agent is not in the list of {agentOfKey(agent).backend}.
        </p>
      </header>
    );
  const machine = machineOf(info.backend);
  const since = ago(sinceOf(info), now);
  return (
    <header className="agent-heading">
      <AgentState status={info.status} />
      <div className="agent-names">
        <h2 title={agentTitle(info)}>{agentTitle(info)}</h2>
        <p className="agent-facts">
          <span className="agent-word" data-state={statusWord(info.status)}>
            {statusWord(info.status)}
            {since &&
              since !== "now" &&
              (isBusy(info.status) ? ` for ${since}` : `, ${since} ago`)}
          </span>
          <span>{[info.provider, info.model].filter(Boolean).join(" · ")}</span>
          <span className="agent-place" title={info.cwd}>
            {machine && `${machine}: `}
            {shortPath(info.cwd, home)}
          </span>
          {info.usage && <span>{contextOf(info.usage)}</span>}
          {info.usage?.cost && <span>{info.usage.cost}</span>}
        </p>
      </div>
      {(info.offers.settings ?? []).map((setting) => (
        <SettingSelect key={setting.id} agent={agent} setting={setting} />
      ))}
      {isBusy(info.status) && (
        <Button
          data-testid="agent-stop"
          title={keyOf("agents.stop")}
          onClick={() => void stopAgent(agent)}
        >
          <StopIcon size={12} /> Stop
        </Button>
      )}
      <Button
        title="Put it away; a prompt would bring it back"
        onClick={() => void archiveAgent(agent)}
      >
        Archive
      </Button>
    </header>
  );
}

/** Something that can be chosen for an agent. */
function SettingSelect({
  agent,
  setting,
}: {
  agent: AgentKey;
  setting: AgentSetting;
}) {
  return (
    <select
      className="agent-setting"
      aria-label={setting.name}
      title={setting.name}
      value={setting.current}
      onChange={(event) =>
        void chooseForAgent(agent, setting.id, event.target.value)
      }
    >
      {setting.choices.map((choice) => (
        <option
          key={choice.value}
          value={choice.value}
          title={choice.description ?? undefined}
        >
          {choice.name}
        </option>
      ))}
    </select>
  );
}

/** The rows, at their end for as long as the person does not scroll away from it. */
function Scroller({
  rows,
  children,
}: {
  rows: Row[];
  children: (drawn: Row[]) => ReactNode;
}) {
  const box = useRef<HTMLDivElement>(null);
  const [atEnd, setAtEnd] = useState(true);
  const [drawn, setDrawn] = useState(DRAWN);
  useLayoutEffect(() => {
    const element = box.current;
    if (element && atEnd) element.scrollTop = element.scrollHeight;
  });
  const hidden = Math.max(0, rows.length - drawn);
  return (
    <div className="agent-scroller">
      <div
        ref={box}
        className="agent-rows"
        role="log"
        aria-label="What was said"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be scrolled with keys
        tabIndex={0}
        onScroll={(event) => {
          const { scrollHeight, scrollTop, clientHeight } = event.currentTarget;
          setAtEnd(scrollHeight - scrollTop - clientHeight < 24);
        }}
      >
        {hidden > 0 && (
          <button
            type="button"
            className="link-button agent-earlier"
            onClick={() => setDrawn(drawn + DRAWN)}
          >
            Show earlier ({hidden} more)
          </button>
        )}
        {children(hidden > 0 ? rows.slice(hidden) : rows)}
      </div>
      {!atEnd && (
        <div className="agent-to-end">
          <IconButton
            label="To the newest"
            onClick={() => {
              setAtEnd(true);
              const element = box.current;
              if (element) element.scrollTop = element.scrollHeight;
            }}
          >
            <DownIcon size={14} />
          </IconButton>
        </div>
      )}
    </div>
  );
}

const RowView = memo(function RowView({ row }: { row: Row }) {
  switch (row.kind) {
    case "prompt":
      return <Said text={row.text} />;
    case "text":
      return <Prose text={row.text} />;
    case "reasoning":
      return <Reasoning text={row.text} />;
    case "tool":
      return <ToolView call={row.call} />;
    case "plan":
      return (
        <ul className="plan" aria-label="Plan">
          {row.items.map((item, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the lines of a plan have no other names
            <li key={index} data-state={item.state}>
              <span role="img" aria-label={item.state}>
                {PLAN_SIGNS[item.state]}
              </span>
              {item.text}
            </li>
          ))}
        </ul>
      );
    case "asked":
      // One that waits stands above the place where the person writes.
      return row.answered ? (
        <Asked request={row.request} answer={row.answer} />
      ) : null;
    case "other":
      return <Folded name={row.name} text={row.text} />;
    case "notice":
      return <p className="agent-note">{row.text}</p>;
    case "usage":
      return <UsageLine usage={row.usage} />;
    case "ended":
      return (
        <p
          className="agent-note"
          data-failed={row.outcome.outcome === "failed"}
        >
          {outcomeText(row.outcome)}
        </p>
      );
  }
});

/** How many lines of what a person said are shown, when there are more than a few more. */
const SAID_LINES = 12;

/** What a person said; what was pasted is folded to its first lines. */
function Said({ text }: { text: string }) {
  const [open, setOpen] = useState(false);
  const lines = text.split("\n");
  const long = lines.length > SAID_LINES + 4;
  return (
    <div className="said" data-testid="said">
      {long && !open ? lines.slice(0, SAID_LINES).join("\n") : text}
      {long && (
        <button
          type="button"
          className="link-button said-more"
          aria-expanded={open}
          onClick={() => setOpen(!open)}
        >
          {open ? "Show less" : `Show all ${lines.length} lines`}
        </button>
      )}
    </div>
  );
}

function Asked({
  request,
  answer,
}: {
  request: PermissionRequest;
  answer: string | null;
}) {
  const what = about({ detail: request.detail, title: request.title });
  return (
    <p className="agent-note">
      Asked: {request.tool} {what}
      {answer && (
        <>
          {" "}
          · answered: <b>{answer}</b>
        </>
      )}
    </p>
  );
}

const PLAN_SIGNS: Record<PlanState, string> = {
  waiting: "·",
  working: "▸",
  done: "✓",
};

/** Thoughts: folded to their first line until the person wants them. */
function Reasoning({ text }: { text: string }) {
  return <Folded name="thought" text={text} />;
}

/** What is folded to a name and its first line. */
function Folded({ name, text }: { name: string; text: string }) {
  const [open, setOpen] = useState(false);
  const first = text.trim().split("\n", 1)[0] ?? "";
  return (
    <div className="reasoning">
      <button
        type="button"
        className="tool-line"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        <span className="tool-fold" data-open={open}>
          <RightIcon size={12} />
        </span>
        <span className="tool-name">{name}</span>
        {!open && <span className="tool-title">{first}</span>}
      </button>
      {open && <div className="reasoning-text">{text.trim()}</div>}
    </div>
  );
}

/** How full the context is; nothing where that is not told. */
function contextOf(usage: Usage): string | null {
  const { context_used: used, context_size: size } = usage;
  return used && size
    ? `context ${Math.round((100 * used) / size)}% full`
    : null;
}

function UsageLine({ usage }: { usage: Usage }) {
  const count = (tokens = 0) => tokens.toLocaleString("en");
  const cached = usage.cached_tokens ?? 0;
  return (
    <p className="agent-usage">
      {[
        usage.input_tokens || usage.output_tokens
          ? `${count(usage.input_tokens)} tokens read${cached > 0 ? `, ${count(cached)} from a cache` : ""}, ${count(usage.output_tokens)} written`
          : null,
        contextOf(usage),
        usage.cost,
      ]
        .filter(Boolean)
        .join(" · ")}
    </p>
  );
}
