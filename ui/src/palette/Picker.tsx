import { create } from "zustand";
import { Choices, type ChoicesProps } from "./Choices";

/** A question with a list of answers. */
export type Pick = Omit<ChoicesProps, "testId" | "onChosen" | "onClose">;

const usePicker = create<{ pick: Pick | null }>(() => ({ pick: null }));

/** Asks for one out of a list. */
export function openPicker(pick: Pick): void {
  usePicker.setState({ pick });
}

export function Picker() {
  const pick = usePicker((state) => state.pick);
  if (!pick) return null;
  return (
    <Choices
      {...pick}
      testId="picker"
      onClose={() => usePicker.setState({ pick: null })}
    />
  );
}
