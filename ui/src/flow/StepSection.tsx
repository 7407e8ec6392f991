import type { ReactNode } from "react";

/** A part of the right side, with its heading. */
export function Section({
  title,
  children,
}: {
  title: string;
  children: ReactNode;
}) {
  return (
    <section className="step-section" aria-label={title}>
      <h3>{title}</h3>
      {children}
    </section>
  );
}
