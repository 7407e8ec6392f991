import { Shape } from "./icons";

interface Size {
  size?: number;
}

export function FitIcon({ size }: Size) {
  return (
    <Shape
      path="M3 6V3.5h2.5M10.5 3.5H13V6M13 10v2.5h-2.5M5.5 12.5H3V10"
      size={size}
    />
  );
}
export function FollowIcon({ size }: Size) {
  return (
    <Shape
      path="M8 2.5v2.3M8 11.2v2.3M2.5 8h2.3M11.2 8h2.3M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6Z"
      size={size}
    />
  );
}
export function CriticalIcon({ size }: Size) {
  return <Shape path="M3 12.5h3v-3h4v-3h3v-3" size={size} />;
}
export function ChainIcon({ size }: Size) {
  return (
    <Shape path="M4 3h8v3H4ZM4 10h8v3H4ZM8 6v1M8 9v1M8 8h.01" size={size} />
  );
}
export function MapIcon({ size }: Size) {
  return <Shape path="M2.5 3.5h11v9h-11ZM8.5 8h3.5v3H8.5Z" size={size} />;
}
