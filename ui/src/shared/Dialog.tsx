import * as Radix from "@radix-ui/react-dialog";
import type { ReactNode } from "react";

export interface DialogProps {
  title: string;
  description: ReactNode;
  onClose: () => void;
  children: ReactNode;
  testId?: string;
}

/** A question that stops what is below until it is answered. Escape answers no. */
export function Dialog({
  title,
  description,
  onClose,
  children,
  testId,
}: DialogProps) {
  return (
    <Radix.Root open onOpenChange={(open) => !open && onClose()}>
      <Radix.Portal>
        <Radix.Overlay className="overlay" />
        <Radix.Content className="dialog" data-testid={testId}>
          <Radix.Title className="dialog-title">{title}</Radix.Title>
          <Radix.Description className="dialog-text">
            {description}
          </Radix.Description>
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
