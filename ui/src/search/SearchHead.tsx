import type { ScopeName } from "./search-store";

export const SCOPES: { name: ScopeName; label: string }[] = [
  { name: "all", label: "All panes" },
  { name: "live", label: "Open panes" },
  { name: "closed", label: "Closed panes" },
];
