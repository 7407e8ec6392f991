import { create } from "zustand";
import { changeFrame } from "../shared/window-state";

interface Workspace {
  /** What the right side shows, by name; `null`: nothing. */
  aside: string | null;
}

/** What is around the dock, apart from what Rust keeps of it. */
export const useWorkspace = create<Workspace>(() => ({ aside: null }));

export function toggleSidebar(): void {
  changeFrame(({ sidebar }) => ({ sidebar: !sidebar }));
}

export function showAside(name: string | null): void {
  useWorkspace.setState({ aside: name });
}

/** Folds a repository or a worktree of the sidebar, or unfolds it. */
export function toggleCollapsed(id: string): void {
  changeFrame(({ collapsed }) => ({
    collapsed: collapsed.includes(id)
      ? collapsed.filter((other) => other !== id)
      : [...collapsed, id],
  }));
}
