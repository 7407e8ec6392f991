import { type FormEvent, useEffect, useState } from "react";
import { backend } from "../backend/backend";
import type { Personas } from "../bindings";
import { Button } from "../shared/Button";
import { Dialog } from "../shared/Dialog";
import { useDraftText } from "../shared/drafts";
import { useRepositories } from "../shared/repositories";
import { Sentence } from "../shared/Sentence";
import { beginAgent } from "./actions";
import { machineOf, useAgents } from "./agent-store";
import {
  BackendField,
  Field,
  TextField,
  useBackends,
  useFullPath,
  useProviders,
} from "./fields";

/** Asks what a new agent is to be: who, where, and what to do first. */
export function NewAgentDialog({
  cwd,
  onClose,
}: {
  /** Where it is to work, unless the person says otherwise. */
  cwd: string | null;
  onClose: () => void;
}) {
  const backends = useBackends(() => true);
  const [at, setAt] = useState(() => backends[0]?.id ?? "");
  const [provider, setProvider] = useState("");
  const [model, setModel] = useState("");
  const [as, setAs] = useState("");
  const [folder, setFolder] = useState(cwd ?? "");
  const [own, setOwn] = useState(false);
  const [name, setName] = useDraftText("new-agent/worktree");
  const [prompt, setPrompt] = useDraftText("new-agent/prompt");
  const [failed, setFailed] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const fullPath = useFullPath();
  const paseo = at.startsWith("paseo:");
  const here = machineOf(at) === "";
  const newTree = own && here;
  const personas = usePersonas(fullPath(folder));
  const persona = personas.personas.find((one) => one.name === as) ?? null;
  const ready =
    at !== "" &&
    folder.trim() !== "" &&
    (!paseo || provider.trim() !== "") &&
    (!newTree || name.trim() !== "");

  function choosePersona(name: string) {
    setAs(name);
    const chosen = personas.personas.find((one) => one.name === name);
    if (backends.some((info) => info.id === chosen?.agent))
      setAt(chosen?.agent ?? at);
    if (chosen?.provider) setProvider(chosen.provider);
  }

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (!ready || busy) return;
    setBusy(true);
    setFailed(null);
    const reason = await beginAgent(
      at,
      {
        provider: provider.trim(),
        model: model.trim() || null,
        title: null,
        mode: null,
        labels: {},
      },
      { cwd: fullPath(folder), worktree: newTree ? name.trim() : null },
      prompt,
      persona?.name ?? null,
    );
    setBusy(false);
    if (reason !== null) return setFailed(reason);
    setName("");
    setPrompt("");
    onClose();
  }

  return (
    <Dialog
      title="New agent"
      description="In a worktree of its own, what it changes stays apart from what you and others work on."
      onClose={onClose}
      testId="new-agent"
    >
      <form className="fields" onSubmit={(event) => void submit(event)}>
        <PersonaField
          value={persona?.name ?? ""}
          onChange={choosePersona}
          {...personas}
        />
        <BackendField value={at} onChange={setAt} fits={() => true} />
        {paseo && (
          <PaseoFields
            at={at}
            provider={provider}
            onProvider={setProvider}
            model={model}
            onModel={setModel}
          />
        )}
        <FolderField
          at={at}
          label={newTree ? "Repository" : "Folder"}
          folder={folder}
          onFolder={setFolder}
        />
        {here && (
          <OwnWorktree own={own} onOwn={setOwn} name={name} onName={setName} />
        )}
        <Field label="What it is to do first (can wait)">
          <textarea
            className="text-input"
            rows={3}
            value={prompt}
            data-testid="first-prompt"
            onChange={(event) => setPrompt(event.target.value)}
          />
        </Field>
        {failed && (
          <p className="field-error" role="alert">
            <Sentence text={failed} />
          </p>
        )}
        <div className="dialog-buttons">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" disabled={!ready || busy}>
            {busy ? "Starting…" : "Start"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** Who it is to be: nobody is asked where there are no personas. */
function PersonaField({
  value,
  onChange,
  personas,
  problems,
}: Personas & { value: string; onChange: (name: string) => void }) {
  return (
    <>
      {personas.length > 0 && (
        <Field label="Persona">
          <select
            className="text-input"
            value={value}
            data-testid="persona"
            onChange={(event) => onChange(event.target.value)}
          >
            <option value="">None</option>
            {personas.map((one) => (
              <option key={one.name} value={one.name}>
                {one.description ? `${one.name}: ${one.description}` : one.name}
              </option>
            ))}
          </select>
        </Field>
      )}
      {problems.map((problem) => (
        <p key={problem} className="field-error">
          <Sentence text={problem} />
        </p>
      ))}
    </>
  );
}

/** The personas of a folder; those of an earlier one never come after it. */
function usePersonas(folder: string): Personas {
  const [found, setFound] = useState<Personas>(nobody);
  useEffect(() => {
    let over = false;
    if (!folder.startsWith("/")) {
      setFound(nobody);
      return;
    }
    void backend.listPersonas(folder).then((listed) => {
      if (!over) setFound(listed.status === "ok" ? listed.data : nobody);
    });
    return () => {
      over = true;
    };
  }, [folder]);
  return found;
}

const nobody: Personas = { personas: [], problems: [] };

/** Which of a daemon's agents it is to be, and with which model. */
function PaseoFields({
  at,
  provider,
  onProvider,
  model,
  onModel,
}: {
  at: string;
  provider: string;
  onProvider: (provider: string) => void;
  model: string;
  onModel: (model: string) => void;
}) {
  const providers = useProviders(at);
  return (
    <div className="fields-row">
      <TextField
        label="Provider"
        list="agent-providers"
        value={provider}
        placeholder="claude"
        data-testid="provider"
        onChange={(event) => onProvider(event.target.value)}
      />
      <datalist id="agent-providers">
        {providers.map((one) => (
          <option key={one} value={one} />
        ))}
      </datalist>
      <TextField
        label="Model (its own choice when empty)"
        value={model}
        onChange={(event) => onModel(event.target.value)}
      />
    </div>
  );
}

/** Where it is to work; folders of its machine are proposed. */
function FolderField({
  at,
  label,
  folder,
  onFolder,
}: {
  at: string;
  label: string;
  folder: string;
  onFolder: (folder: string) => void;
}) {
  const here = machineOf(at) === "";
  const worktrees = useWorktrees();
  const folders = useFolders(at);
  const proposed = new Set(here ? [...worktrees, ...folders] : folders);
  return (
    <>
      <TextField
        label={label}
        list="agent-folders"
        value={folder}
        placeholder={here ? "~/code/project" : "/srv/project"}
        data-testid="folder"
        onChange={(event) => onFolder(event.target.value)}
      />
      <datalist id="agent-folders">
        {[...proposed].map((one) => (
          <option key={one} value={one} />
        ))}
      </datalist>
    </>
  );
}

/** Whether it gets a worktree of its own, and under which name. */
function OwnWorktree({
  own,
  onOwn,
  name,
  onName,
}: {
  own: boolean;
  onOwn: (own: boolean) => void;
  name: string;
  onName: (name: string) => void;
}) {
  return (
    <div className="fields-check">
      <label>
        <input
          type="checkbox"
          checked={own}
          data-testid="own-worktree"
          onChange={(event) => onOwn(event.target.checked)}
        />
        In a new worktree
      </label>
      {own && (
        <input
          className="text-input"
          aria-label="Name of the worktree and its branch"
          placeholder="fix-login"
          value={name}
          onChange={(event) => onName(event.target.value)}
        />
      )}
    </div>
  );
}

/** The worktrees of the repositories that the workspace holds. */
function useWorktrees(): string[] {
  const repositories = useRepositories((state) => state.repositories);
  return repositories.flatMap(({ worktrees }) =>
    worktrees.map((worktree) => worktree.path),
  );
}

/** The folders in which agents of the same machine work. */
function useFolders(at: string): string[] {
  const agents = useAgents((state) => state.agents);
  return Object.values(agents)
    .filter((agent) => machineOf(agent.backend) === machineOf(at))
    .map((agent) => agent.cwd);
}
