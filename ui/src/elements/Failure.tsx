import { Button } from "@mantine/core";
import { explain } from "../api/problem";
import css from "./elements.module.css";

/** What a page says when reading failed: what happened, and a way to try again. */
export function Failure({ error, what, retry }: { error: unknown; what: string; retry?: () => void }) {
  return (
    <div className={css.failure} role="alert">
      <div>
        <strong>{what}</strong>
        <span className="soft">{explain(error)}</span>
      </div>
      {retry && (
        <Button variant="default" size="sm" onClick={retry}>
          Try again
        </Button>
      )}
    </div>
  );
}
