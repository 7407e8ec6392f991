import { useState } from "react";
import { backend } from "../backend/backend";
import { Button } from "../shared/Button";
import { Sentence } from "../shared/Sentence";
import { type ControlProps, SettingControl } from "./controls";

type Fonts =
  | { status: "closed" }
  | { status: "looking" }
  | { status: "open"; fonts: string[] }
  | { status: "failed"; message: string };

/** The first family of a list of them, without quotes. */
function firstFamily(list: unknown): string {
  if (typeof list !== "string") return "";
  return (list.split(",")[0] ?? "").trim().replace(/^["']|["']$/g, "");
}

/** The font by its name, and what the system has, each drawn in itself. */
export function FontControl(props: ControlProps) {
  const [found, setFound] = useState<Fonts>({ status: "closed" });
  const { value, onChange } = props;
  async function toggle() {
    if (found.status !== "closed") {
      setFound({ status: "closed" });
      return;
    }
    setFound({ status: "looking" });
    const listed = await backend.monospaceFonts();
    setFound(
      listed.status === "ok"
        ? { status: "open", fonts: listed.data }
        : { status: "failed", message: listed.error.message },
    );
  }
  return (
    <div className="font-control">
      <div className="font-line">
        <SettingControl {...props} />
        <Button
          onClick={() => void toggle()}
          aria-expanded={found.status !== "closed"}
          data-testid="fonts"
        >
          Fonts of this system
        </Button>
      </div>
      {found.status === "looking" && <p className="faint">Looking…</p>}
      {found.status === "failed" && (
        <p className="form-problem">
          <Sentence text={found.message} />
        </p>
      )}
      {found.status === "open" && (
        <FontList
          fonts={found.fonts}
          chosen={firstFamily(value)}
          onChoose={(font) => void onChange(`"${font}", monospace`)}
        />
      )}
    </div>
  );
}

function FontList({
  fonts,
  chosen,
  onChoose,
}: {
  fonts: string[];
  chosen: string;
  onChoose: (font: string) => void;
}) {
  if (fonts.length === 0)
    return <p className="faint">This system has no monospaced font.</p>;
  return (
    <ul className="fonts" aria-label="Monospaced fonts">
      {fonts.map((font) => (
        <li key={font}>
          <button
            type="button"
            className="font"
            aria-pressed={font === chosen}
            data-testid={`font-${font}`}
            onClick={() => onChoose(font)}
          >
            <span className="font-name">{font}</span>
            <span
              className="font-sample"
              style={{ fontFamily: `"${font}", monospace` }}
            >
              {"fn main() -> i32 { 0O 1lI |}"}
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}
