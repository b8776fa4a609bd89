import { VisuallyHidden } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { Clause, Evidence } from "../api/types";
import { Icon } from "../brand/Icon";
import { Moment } from "../elements/Moment";
import { count } from "../format/number";
import { value } from "../format/value";
import css from "./profiles.module.css";

const signs: Record<string, string> = { "==": "", "!=": "≠", "<=": "≤", ">=": "≥" };
const heads = { all: "All of these", any: "Any of these", not: "Not" };

/** A condition clause by clause: what each comes to, the value beside the wanted one, and the events that made it so. */
export function Clauses({ clause, profile }: { clause: Clause; profile: string }) {
  return (
    <ul className={css.clauses}>
      <One clause={clause} profile={profile} />
    </ul>
  );
}

function One({ clause: c, profile }: { clause: Clause; profile: string }) {
  const parts = c.clauses ?? [];
  return (
    <li data-holds={c.holds}>
      <span className={css.mark}>
        <Icon name={c.holds ? "check" : "close"} size={15} />
        <VisuallyHidden>{c.holds ? "Holds: " : "Does not hold: "}</VisuallyHidden>
      </span>
      <div className={css.clause}>
        {c.kind === "leaf" ? <Leaf clause={c} profile={profile} /> : <span className="small soft">{heads[c.kind]}</span>}
        {parts.length > 0 && (
          <ul className={css.clauses}>
            {parts.map((part, i) => (
              <One key={i} clause={part} profile={profile} />
            ))}
          </ul>
        )}
      </div>
    </li>
  );
}

function Leaf({ clause: c, profile }: { clause: Clause; profile: string }) {
  return (
    <>
      <span>{c.sentence || <code>{c.text}</code>}</span>
      {c.wanted !== undefined && (
        <span className={css.compared}>
          <span>
            <span className="soft">is</span> {c.actual === undefined ? <em className="soft">not known</em> : value(c.actual)}
          </span>
          <span>
            <span className="soft">wanted {signs[c.operator ?? ""] ?? c.operator?.replace("_", " ")}</span> {value(c.wanted)}
          </span>
        </span>
      )}
      {(c.evidence ?? []).map((e, i) => (
        <Seen key={i} evidence={e} profile={profile} />
      ))}
    </>
  );
}

/** The events that made a value so, each leading to its place in the timeline. */
function Seen({ evidence: e, profile }: { evidence: Evidence; profile: string }) {
  if (e.events.length === 0) return <span className="soft small">No such event.</span>;
  return (
    <details className={css.uses}>
      <summary>
        {count(e.events.length + (e.more ?? 0))} {e.events.length + (e.more ?? 0) === 1 ? "event" : "events"}
      </summary>
      <ul className={css.witnesses}>
        {e.events.map((w, i) => (
          <li key={w.message_id ?? i}>
            {w.message_id ? (
              <Link to="/profiles/$id" params={{ id: profile }} search={{ event: w.message_id }} resetScroll={false}>
                {w.name}
              </Link>
            ) : (
              <span>{w.name}</span>
            )}
            {w.value !== undefined && w.value !== null && <span className="soft">{value(w.value)}</span>}
            <span className="soft num">
              <Moment at={w.at} look="datetime" />
            </span>
          </li>
        ))}
        {!!e.more && <li className="soft">and {count(e.more)} more</li>}
      </ul>
    </details>
  );
}
