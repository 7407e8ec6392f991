import type { ComponentProps, ReactNode } from "react";
import type { BackendInfo } from "../bindings";
import { useSettings } from "../shared/settings-store";
import { useAgents } from "./agent-store";

/** A field with its name above it. */
export function Field({
  label,
  children,
}: {
  label: string;
  children: ReactNode;
}) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the control is what is given
    <label className="field">
      <span>{label}</span>
      {children}
    </label>
  );
}

export function TextField({
  label,
  ...input
}: { label: string } & ComponentProps<"input">) {
  return (
    <Field label={label}>
      <input className="text-input" {...input} />
    </Field>
  );
}

/** Chooses a backend: those that answer first. */
export function BackendField({
  value,
  onChange,
  fits,
}: {
  value: string;
  onChange: (backend: string) => void;
  fits: (info: BackendInfo) => boolean;
}) {
  const backends = useBackends(fits);
  return (
    <Field label="Host or program">
      <select
        className="text-input"
        value={value}
        data-testid="backend"
        onChange={(event) => onChange(event.target.value)}
      >
        {backends.map((info) => (
          <option key={info.id} value={info.id}>
            {backendName(info)}
            {info.health.state === "down" ? " (down)" : ""}
          </option>
        ))}
      </select>
    </Field>
  );
}

function backendName(info: BackendInfo): string {
  const name = info.id.slice(info.id.indexOf(":") + 1);
  switch (info.kind) {
    case "paseo":
      return `Paseo at ${name}`;
    case "acp":
      return `${name} (ACP)`;
    case "opencode":
      return `OpenCode at ${name}`;
    case "command":
      return `${name} (in a pane)`;
  }
}

/** The backends that can be used for something, those that answer first. */
export function useBackends(
  fits: (info: BackendInfo) => boolean,
): BackendInfo[] {
  const backends = useAgents((state) => state.backends);
  const down = (info: BackendInfo) => Number(info.health.state === "down");
  return Object.values(backends)
    .filter(fits)
    .sort((a, b) => down(a) - down(b) || a.id.localeCompare(b.id));
}

/** A directory as a person wrote it, as a full path. */
export function useFullPath(): (path: string) => string {
  const home = useSettings((state) => state.platform?.home ?? "");
  return (path) => path.trim().replace(/^~(?=\/|$)/, home);
}

/** The providers that are known at Paseo daemons, and those that agents were seen of. */
export function useProviders(backend: string): string[] {
  const agents = useAgents((state) => state.agents);
  const seen = Object.values(agents)
    .filter((agent) => agent.backend === backend)
    .map((agent) => agent.provider);
  return [...new Set([...seen, "claude", "codex", "opencode"])];
}
