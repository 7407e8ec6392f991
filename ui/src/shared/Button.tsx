import type { ComponentProps } from "react";

export interface ButtonProps extends ComponentProps<"button"> {
  look?: "plain" | "primary" | "danger";
}

export function Button({ look = "plain", ...props }: ButtonProps) {
  return <button type="button" className={`button ${look}`} {...props} />;
}

export interface IconButtonProps extends ComponentProps<"button"> {
  /** What it does: read by screen readers, shown as a hint. */
  label: string;
  /** The key that does the same. */
  hint?: string;
}

export function IconButton({ label, hint, ...props }: IconButtonProps) {
  return (
    <button
      type="button"
      className="icon-button"
      aria-label={label}
      title={hint ? `${label} (${hint})` : label}
      {...props}
    />
  );
}
