import type { Counted as Count } from "../api/types";
import { count, people, rounded, share } from "../format/number";
import css from "./segments.module.css";

interface Props {
  of: Count;
  /** The count is of the text as it was. */
  stale: boolean;
  /** Everybody is being counted. */
  refining?: boolean;
  /** Who was counted: one of them, and several. */
  who?: [string, string];
}

/** How many customers a preview counted, of all, and how sure that is. */
export function Counted({ of: { count: n, total, exact, low, high, looked }, stale, refining, who = ["customer", "customers"] }: Props) {
  const rough = exact === false;
  return (
    <div style={{ opacity: stale ? 0.55 : 1 }}>
      <div className={css.count}>
        {rough && <span className={css.roughly}>about </span>}
        {count(rough ? rounded(n, high - low) : n)}
      </div>
      <div className="soft">
        {n === 1 ? who[0] : who[1]}, {share(n, total)} of {rough ? "about " : ""}{people(rough ? rounded(total, total / 100) : total)}
      </div>
      {rough && (
        <p className="soft small" style={{ margin: "6px 0 0" }}>
          Between {count(low)} and {count(high)} (95%), from {people(looked)} looked at. {refining && "Counting everybody…"}
        </p>
      )}
      <div className={css.bar} aria-hidden="true">
        <div style={{ width: `${total > 0 ? Math.max((100 * n) / total, n > 0 ? 1 : 0) : 0}%` }} />
      </div>
    </div>
  );
}
