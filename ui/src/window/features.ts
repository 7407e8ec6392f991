import type { Feature } from "../shared/feature";
import { agentsFeature } from "./agents-feature";
import { conflictsFeature } from "./conflicts-feature";
import { flowFeature } from "./flow-feature";
import { searchFeature } from "./search-feature";
import { terminalFeature } from "./terminal-feature";

/** Everything the window can do, in the order in which it is shown. */
export const features: Feature[] = [
  terminalFeature,
  searchFeature,
  agentsFeature,
  flowFeature,
  conflictsFeature,
];
