import { Button } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import css from "./definition.module.css";

interface Props {
  dirty: boolean;
  busy: boolean;
  failure?: string;
  overtaken?: boolean;
  can: boolean;
  /** Why it should not be saved yet. */
  hold?: string;
  onSave: () => void;
  onDiscard?: () => void;
  verb?: string;
}

/** The bar at the foot of an editor while there is something to save. Ctrl+S or ⌘S saves too. */
export function SaveBar({ dirty, busy, failure, overtaken, can, hold, onSave, onDiscard, verb = "Save" }: Props) {
  useHotkeys([["mod+S", () => dirty && can && !hold && !busy && onSave()]], [], true);
  if (!dirty && !failure) return null;
  return (
    <div className={css.bar} role="region" aria-label="Unsaved changes">
      <div className={css.state} role={failure ? "alert" : undefined}>
        {failure ? (
          <span style={{ color: "var(--bad)" }}>{failure}</span>
        ) : overtaken ? (
          <span style={{ color: "var(--warn)" }}>Someone else saved a newer version meanwhile. Saving replaces it.</span>
        ) : can && hold ? (
          <span style={{ color: "var(--warn)" }}>{hold}</span>
        ) : can ? (
          <span className="soft">Not saved yet</span>
        ) : (
          <span className="soft">Your key may look, but not save.</span>
        )}
      </div>
      {onDiscard && (
        <Button variant="default" onClick={onDiscard} disabled={busy}>
          Discard
        </Button>
      )}
      <Button onClick={onSave} loading={busy} disabled={!can || !!hold}>
        {verb}
      </Button>
    </div>
  );
}
