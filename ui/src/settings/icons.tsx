import { IconFrame } from "../shared/icons";

/** What the settings alone need of icons. */
export function MinusIcon() {
  return (
    <IconFrame>
      <path d="M3.5 8h9" />
    </IconFrame>
  );
}
