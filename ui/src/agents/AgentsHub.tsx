import { useLayoutEffect, useMemo, useRef, useState } from "react";
import { backend } from "../backend/backend";
import type { AgentInfo } from "../bindings";
import { Button } from "../shared/Button";
import { keyOf, useCommands } from "../shared/commands";
import { FolderIcon } from "../shared/icons";
import { notify, reportFailure } from "../shared/notices";
import { shortPath } from "../shared/paths";
import { Sentence } from "../shared/Sentence";
import { useSettings } from "../shared/settings-store";
import { walk } from "../shared/walk";
import { AgentRow } from "./AgentRow";
import { askAboutAgents, checkBackends, openAgent } from "./actions";
import {
  type AgentGroup,
  answersTo,
  byActivity,
  groupAgents,
  keyOfAgent,
  type Standing,
  standingOf,
  type Trouble,
  troubles,
  useAgents,
  whyDown,
} from "./agent-store";
import { useNow } from "./ago";

const STANDINGS: { standing: Standing; word: string }[] = [
  { standing: "all", word: "All" },
  { standing: "needs_you", word: "Need you" },
  { standing: "working", word: "Working" },
  { standing: "done", word: "Done" },
  { standing: "failed", word: "Failed" },
  { standing: "idle", word: "Idle" },
];

/** Every agent on every host and of every backend, by the worktree it works in; where something happened last is first. */
export function AgentsHub({ active }: { active: boolean }) {
  const { agents, backends, errors, listed, refused } = useAgents();
  const [standing, setStanding] = useState<Standing>("all");
  const [wanted, setWanted] = useState("");
  const now = useNow();
  const list = useRef<HTMLDivElement>(null);
  const all = useMemo(() => Object.values(agents), [agents]);
  const hits = useMemo(
    () =>
      all.filter(
        (agent) =>
          (standing === "all" || standingOf(agent) === standing) &&
          answersTo(agent, wanted),
      ),
    [all, standing, wanted],
  );
  const shown = useMemo(() => byActivity(groupAgents(hits)), [hits]);
  const search = useRef<HTMLInputElement>(null);
  const some = all.length > 0;
  useLayoutEffect(() => {
    if (active && some) search.current?.focus({ preventScroll: true });
  }, [active, some]);
  const trouble = troubles({ backends, errors });
  const down = new Set(
    Object.values(backends)
      .filter((info) => info.health.state === "down")
      .map((info) => info.id),
  );
  return (
    <div className="hub" data-testid="agents-hub">
      {some && (
        <>
          <header className="hub-bar">
            <input
              ref={search}
              className="text-input hub-filter"
              aria-label="Find an agent"
              placeholder="Find by title, folder, provider, host…"
              value={wanted}
              onChange={(event) => setWanted(event.target.value)}
              onKeyDown={(event) => {
                const [only, ...others] = hits;
                if (event.key === "Enter" && only && others.length === 0)
                  openAgent(keyOfAgent(only));
                if (event.key !== "ArrowDown") return;
                event.preventDefault();
                list.current
                  ?.querySelector<HTMLElement>("[data-walk]")
                  ?.focus();
              }}
            />
            <span className="spacer" />
            <HubButtons />
          </header>
          <Standings all={all} standing={standing} onStanding={setStanding} />
        </>
      )}
      {trouble.map((one) => (
        <TroubleLine key={one.backend.id} trouble={one} />
      ))}
      {refused && (
        <p className="hub-trouble" role="status">
          <span className="hub-reason">{refused}</span>
        </p>
      )}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: arrow keys move between the buttons inside */}
      <div className="hub-list" ref={list} onKeyDown={walk}>
        {shown.map((group) => (
          <Group key={group.key} group={group} now={now} down={down} />
        ))}
        {listed && all.length > 0 && shown.length === 0 && (
          <p className="hub-empty">
            No agent answers to that.{" "}
            <button
              type="button"
              className="link-button"
              onClick={() => {
                setWanted("");
                setStanding("all");
              }}
            >
              Show all
            </button>
          </p>
        )}
        {listed && all.length === 0 && <NoAgents />}
      </div>
    </div>
  );
}

function HubButtons() {
  useCommands((state) => state.keys);
  return (
    <>
      <Button
        className="button hub-import"
        onClick={() => askAboutAgents({ ask: "import" })}
      >
        Import…
      </Button>
      <Button
        look="primary"
        title={keyOf("agents.new")}
        onClick={() => askAboutAgents({ ask: "new" })}
      >
        New agent…
      </Button>
    </>
  );
}

/** Which agents are shown, by what they do; how many there are of each. */
function Standings({
  all,
  standing,
  onStanding,
}: {
  all: AgentInfo[];
  standing: Standing;
  onStanding: (standing: Standing) => void;
}) {
  const counts = useMemo(() => {
    const counted: Partial<Record<Standing, number>> = { all: all.length };
    for (const agent of all) {
      const one = standingOf(agent);
      counted[one] = (counted[one] ?? 0) + 1;
    }
    return counted;
  }, [all]);
  return (
    <fieldset className="hub-standings" aria-label="Show">
      {STANDINGS.filter(
        (one) => one.standing === "all" || (counts[one.standing] ?? 0) > 0,
      ).map((one) => (
        <button
          key={one.standing}
          type="button"
          className="hub-standing"
          data-standing={one.standing}
          aria-pressed={standing === one.standing}
          onClick={() => onStanding(one.standing)}
        >
          {one.word} <span>{counts[one.standing] ?? 0}</span>
        </button>
      ))}
    </fieldset>
  );
}

function Group({
  group,
  now,
  down,
}: {
  group: AgentGroup;
  now: number;
  down: Set<string>;
}) {
  const home = useSettings((state) => state.platform?.home ?? "");
  const path = shortPath(group.cwd, home);
  const cut = path.lastIndexOf("/") + 1;
  return (
    <section className="hub-group" aria-label={path}>
      <h3 title={path}>
        <FolderIcon size={13} />
        <span className="hub-folder">{path.slice(cut) || path}</span>
        <span className="hub-path">{path.slice(0, cut)}</span>
        {group.machine && <span className="hub-machine">{group.machine}</span>}
      </h3>
      <ul>
        {group.agents.map((agent) => (
          <AgentRow
            key={agent.id}
            agent={agent}
            now={now}
            down={down.has(agent.backend)}
          />
        ))}
      </ul>
    </section>
  );
}

/** One line: who is down, why, and what to do. */
function TroubleLine({ trouble }: { trouble: Trouble }) {
  const [asking, setAsking] = useState(false);
  return (
    <p
      className="hub-trouble"
      role="status"
      data-testid={`trouble-${trouble.backend.id}`}
    >
      <span className="hub-reason" title={trouble.reason}>
        <Sentence text={whyDown(trouble.backend.id, trouble.reason)} />
      </span>
      <button
        type="button"
        className="link-button"
        disabled={asking}
        onClick={() => {
          setAsking(true);
          void checkBackends().finally(() => setAsking(false));
        }}
      >
        {asking ? "Asking…" : "Try again"}
      </button>
    </p>
  );
}

function NoAgents() {
  const backends = useAgents((state) => state.backends);
  const up = Object.values(backends).filter(
    (info) => info.health.state === "up",
  );
  return (
    <div className="hub-empty">
      <p>No agent works here yet.</p>
      <p className="faint">
        {up.length > 0
          ? `Ready: ${up.map((info) => info.id.replace(":", " ")).join(", ")}.`
          : "No Paseo daemon runs on this machine, and no agent that speaks ACP is on the PATH."}{" "}
        Hosts and programs are named in <code>agents.json</code>.
      </p>
      <div className="hub-empty-buttons">
        {up.length > 0 && (
          <>
            <Button
              look="primary"
              onClick={() => askAboutAgents({ ask: "new" })}
            >
              New agent…
            </Button>
            <Button onClick={() => askAboutAgents({ ask: "import" })}>
              Import a session…
            </Button>
          </>
        )}
        <Button onClick={() => void showFile()}>Where agents.json is</Button>
      </div>
    </div>
  );
}

/** Says where hosts and programs are named. */
export async function showFile(): Promise<void> {
  const files = await backend.settingsFiles();
  if (files.status === "error") {
    reportFailure(files);
    return;
  }
  const { agents } = files.data;
  notify("warning", `Agents: ${agents}`, {
    label: "Copy the path",
    run: () => void backend.writeClipboard(agents),
  });
}
