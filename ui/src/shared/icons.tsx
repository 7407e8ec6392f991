import type { ReactNode } from "react";

interface IconProps {
  size?: number;
}

/** The frame of every icon of ours: 16 × 16, drawn with the text's colour. Words beside it carry the meaning. */
export function IconFrame({
  size = 16,
  filled = false,
  children,
}: IconProps & { filled?: boolean; children: ReactNode }) {
  return (
    <svg
      className="icon"
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill={filled ? "currentColor" : "none"}
      stroke="currentColor"
      strokeWidth="1.4"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      {children}
    </svg>
  );
}

function icon(children: ReactNode) {
  return function Icon({ size }: IconProps) {
    return <IconFrame size={size}>{children}</IconFrame>;
  };
}

export const PlusIcon = icon(<path d="M8 3.5v9M3.5 8h9" />);
export const CloseIcon = icon(<path d="m4.5 4.5 7 7M11.5 4.5l-7 7" />);
export const SplitRightIcon = icon(
  <>
    <rect x="2.5" y="3" width="11" height="10" rx="1.5" />
    <path d="M8 3v10" />
  </>,
);
export const SplitDownIcon = icon(
  <>
    <rect x="2.5" y="3" width="11" height="10" rx="1.5" />
    <path d="M2.5 8h11" />
  </>,
);
export const ZoomIcon = icon(
  <path d="M9.5 3H13v3.5M6.5 13H3V9.5M13 3 9.2 6.8M3 13l3.8-3.8" />,
);
export const UnzoomIcon = icon(
  <path d="M12.5 7H9V3.5M3.5 9H7v3.5M9 7l4-4M7 9l-4 4" />,
);
export const SearchIcon = icon(
  <>
    <circle cx="7" cy="7" r="4" />
    <path d="m10 10 3.2 3.2" />
  </>,
);
export const SidebarIcon = icon(
  <>
    <rect x="2.5" y="3" width="11" height="10" rx="1.5" />
    <path d="M6.2 3v10" />
  </>,
);
export const CommandIcon = icon(<path d="m3 5 3 3-3 3M8 11.5h5" />);
export const FolderIcon = icon(
  <path d="M2.5 12V4.5A1 1 0 0 1 3.5 3.5h2.6l1.4 1.6h5a1 1 0 0 1 1 1V12a1 1 0 0 1-1 1h-9a1 1 0 0 1-1-1Z" />,
);
export const PlayIcon = icon(<path d="M5.5 3.5 12 8l-6.5 4.5v-9Z" />);
export const UpIcon = icon(<path d="m4 9.5 4-4 4 4" />);
export const DownIcon = icon(<path d="m4 6.5 4 4 4-4" />);
export const RightIcon = icon(<path d="m6.5 4 4 4-4 4" />);
export const HistoryIcon = icon(
  <>
    <path d="M3 8a5 5 0 1 0 1.6-3.7L3 5.8" />
    <path d="M3 3v2.8h2.8M8 5.4V8l1.8 1.4" />
  </>,
);
export const CopyIcon = icon(
  <>
    <rect x="5.5" y="5.5" width="7.5" height="8" rx="1.2" />
    <path d="M10.5 5.5V3.7a1.2 1.2 0 0 0-1.2-1.2H4.2A1.2 1.2 0 0 0 3 3.7v5.6a1.2 1.2 0 0 0 1.2 1.2h1.3" />
  </>,
);
export const SaveIcon = icon(
  <path d="M8 2.5v7.2M4.8 6.8 8 10l3.2-3.2M3 13.2h10" />,
);

export const SlidersIcon = icon(
  <>
    <path d="M2.5 5h6M12 5h1.5M2.5 11h1.5M7.5 11h6" />
    <circle cx="10.2" cy="5" r="1.6" />
    <circle cx="5.8" cy="11" r="1.6" />
  </>,
);
export const TerminalIcon = icon(
  <>
    <rect x="2" y="3" width="12" height="10" rx="1.4" />
    <path d="m4.8 6.2 2 1.8-2 1.8M8.4 10h2.8" />
  </>,
);
export const AgentIcon = icon(
  <>
    <rect x="3" y="5.5" width="10" height="7.5" rx="2" />
    <path d="M8 2.5v3M6 8.6v1.2M10 8.6v1.2" />
  </>,
);
export const ApprovalIcon = icon(
  <>
    <path d="M8 2.2 13 4v3.8c0 3-2.1 5-5 6-2.9-1-5-3-5-6V4l5-1.8Z" />
    <path d="m5.8 7.9 1.6 1.6 2.9-3.2" />
  </>,
);
export const ConflictIcon = icon(
  <>
    <path d="M8 2.6 14 13H2L8 2.6Z" />
    <path d="M8 6.6v3M8 11.4v.1" />
  </>,
);

export const BranchIcon = icon(
  <>
    <circle cx="4.5" cy="3.8" r="1.6" />
    <circle cx="4.5" cy="12.2" r="1.6" />
    <circle cx="11.5" cy="5.2" r="1.6" />
    <path d="M4.5 5.4v5.2M11.5 6.8c0 2.4-2.4 2.9-4.4 3.3-1.2.3-2 .6-2.4 1" />
  </>,
);
export const FolderPlusIcon = icon(
  <>
    <path d="M13.5 9V6.1a1 1 0 0 0-1-1h-5L6.1 3.5H3.5a1 1 0 0 0-1 1V12a1 1 0 0 0 1 1h5" />
    <path d="M12 10.5v4M10 12.5h4" />
  </>,
);
export const StopIcon = icon(
  <rect x="4.5" y="4.5" width="7" height="7" rx="1" fill="currentColor" />,
);

// States: each has a shape of its own, so that colour is never the only difference.
export const IdleIcon = icon(<circle cx="8" cy="8" r="2.2" />);
export const WorkingIcon = icon(<path d="M8 3a5 5 0 1 1-4.6 3" />);
export const NeedsYouIcon = icon(
  <path d="M8 2.8 13.2 8 8 13.2 2.8 8 8 2.8Z" fill="currentColor" />,
);
export const DoneIcon = icon(<path d="m3.5 8.5 3 3 6-7" />);
export const FailedIcon = icon(
  <>
    <circle cx="8" cy="8" r="5.2" />
    <path d="m6.2 6.2 3.6 3.6M9.8 6.2 6.2 9.8" />
  </>,
);
export const EndedIcon = icon(
  <rect x="4.5" y="4.5" width="7" height="7" rx="1" />,
);

export const OutputIcon = icon(
  <>
    <rect x="2.5" y="3" width="11" height="10" rx="1.5" />
    <path d="M5 6.2h6M5 8.6h6M5 11h3.5" />
  </>,
);
export const ShareIcon = icon(
  <path d="M8 10V2.8M5 5.4 8 2.6l3 2.8M3.5 8.5V12a1 1 0 0 0 1 1h7a1 1 0 0 0 1-1V8.5" />,
);
export const RerunIcon = icon(
  <path d="M12.8 8A4.8 4.8 0 1 1 11 4.2l1.6 1.3M12.8 2.6v3H9.7" />,
);
