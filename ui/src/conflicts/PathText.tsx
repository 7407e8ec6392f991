/** A path whose last part stands out; its directory is cut at the beginning, which takes text from right to left. */
export function PathText({ path }: { path: string }) {
  const cut = path.lastIndexOf("/") + 1;
  return (
    <span className="path-text">
      {cut > 0 && (
        <span className="path-dir">{`\u200e${path.slice(0, cut)}\u200e`}</span>
      )}
      <span className="path-name">{path.slice(cut)}</span>
    </span>
  );
}
