import { create } from "zustand";

interface Workspace {
  sidebar: boolean;
  /** What the right side shows, by name; `null`: nothing. */
  aside: string | null;
  sidebarWidth: number;
  asideWidth: number;
  /** Repositories and worktrees that are folded in the sidebar. */
  collapsed: string[];
}

const KEPT = "switchyard.workspace";

const usual: Workspace = {
  sidebar: true,
  aside: null,
  sidebarWidth: 232,
  asideWidth: 400,
  collapsed: [],
};

/** What is around the dock. Widths and what is open are kept in the page's own storage: losing them costs nothing. */
export const useWorkspace = create<Workspace>(() => ({ ...usual, ...kept() }));

useWorkspace.subscribe((state) => {
  try {
    localStorage.setItem(KEPT, JSON.stringify(state));
  } catch {
    // Without storage the workspace opens as usual next time.
  }
});

function kept(): Partial<Workspace> {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(KEPT) ?? "null");
    if (typeof value !== "object" || value === null) return {};
    const { sidebar, sidebarWidth, asideWidth, collapsed } =
      value as Partial<Workspace>;
    return {
      ...(typeof sidebar === "boolean" && { sidebar }),
      ...(typeof sidebarWidth === "number" && { sidebarWidth }),
      ...(typeof asideWidth === "number" && { asideWidth }),
      ...(Array.isArray(collapsed) && {
        collapsed: collapsed.filter((id) => typeof id === "string"),
      }),
    };
  } catch {
    return {};
  }
}

export function toggleSidebar(): void {
  useWorkspace.setState(({ sidebar }) => ({ sidebar: !sidebar }));
}

export function showAside(name: string | null): void {
  useWorkspace.setState({ aside: name });
}

/** Folds a repository or a worktree of the sidebar, or unfolds it. */
export function toggleCollapsed(id: string): void {
  useWorkspace.setState(({ collapsed }) => ({
    collapsed: collapsed.includes(id)
      ? collapsed.filter((other) => other !== id)
      : [...collapsed, id],
  }));
}
