import { IconButton } from "./Button";
import { CloseIcon } from "./icons";
import { dismiss, useNotices } from "./notices";
import { Sentence } from "./Sentence";

/** Lines that a person should see, in a corner; errors stay until they are dismissed. */
export function Notices() {
  const notices = useNotices((state) => state.notices);
  return (
    <section className="notices" aria-label="Notices" aria-live="polite">
      {notices.map((notice) => (
        <div key={notice.id} className={`notice ${notice.kind}`} role="status">
          <span className="notice-text">
            <Sentence text={notice.text} />
          </span>
          {notice.action && (
            <button
              type="button"
              className="link-button"
              onClick={() => {
                notice.action?.run();
                dismiss(notice.id);
              }}
            >
              {notice.action.label}
            </button>
          )}
          <IconButton label="Dismiss" onClick={() => dismiss(notice.id)}>
            <CloseIcon size={14} />
          </IconButton>
        </div>
      ))}
    </section>
  );
}
