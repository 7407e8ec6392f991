import { useEffect, useState } from "react";
import { backend } from "../backend/backend";
import type { DiffQuestion, FilePicture, FilePictures } from "../bindings";

/** A picture as it was and as it is; where neither is one, what there is to say of it. */
export function PicturesView({
  worktree,
  since,
  question,
  tick,
  otherwise,
}: {
  worktree: string;
  since: string | null;
  question: DiffQuestion;
  tick: number;
  otherwise: string;
}) {
  const [pictures, setPictures] = useState<FilePictures | null>(null);
  const asked = JSON.stringify([worktree, since, question]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each tick is a reason to ask
  useEffect(() => {
    let stopped = false;
    void backend.filePictures(worktree, since, question).then((told) => {
      if (!stopped && told.status === "ok") setPictures(told.data);
    });
    return () => {
      stopped = true;
    };
  }, [asked, tick]);
  if (!pictures?.old && !pictures?.new)
    return (
      <p className="changes-empty" data-testid="diff-empty">
        {otherwise}
      </p>
    );
  return (
    <div className="changes-pictures" data-testid="diff-pictures">
      <Side title="As it was" picture={pictures.old} />
      <Side title="As it is" picture={pictures.new} />
    </div>
  );
}

function Side({
  title,
  picture,
}: {
  title: string;
  picture: FilePicture | null;
}) {
  if (!picture) return null;
  const { media, base64, bytes, width, height } = picture;
  return (
    <figure>
      <figcaption>
        {title}{" "}
        <span className="faint">
          {width} × {height}, {sized(bytes)}
        </span>
      </figcaption>
      <img alt={title} src={`data:${media};base64,${base64}`} />
    </figure>
  );
}

const sized = (bytes: number) =>
  bytes < 1024 ? `${bytes} bytes` : `${Math.round(bytes / 1024)} KiB`;
