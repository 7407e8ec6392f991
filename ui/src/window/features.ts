import type { DockView } from "../shared/dock/Dock";
import type { Feature } from "../shared/feature";
import { Welcome } from "../workspace/Welcome";
import { agentsFeature } from "./agents-feature";
import { changesFeature } from "./changes-feature";
import { conflictsFeature } from "./conflicts-feature";
import { flowFeature } from "./flow-feature";
import { searchFeature } from "./search-feature";
import { settingsFeature } from "./settings-feature";
import { terminalFeature } from "./terminal-feature";
import { worktreesFeature } from "./worktrees-feature";

/** Everything the window can do, in the order in which it is shown. */
export const features: Feature[] = [
  terminalFeature,
  searchFeature,
  agentsFeature,
  flowFeature,
  changesFeature,
  worktreesFeature,
  conflictsFeature,
  settingsFeature,
];

/** What can be in the dock, by kind. */
export const views: Record<string, DockView> = Object.assign(
  { welcome: { view: Welcome } },
  ...features.map((feature) => feature.views),
);
