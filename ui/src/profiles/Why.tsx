import { Button, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { explainQuery } from "../api/queries";
import type { Profile, Reason, ReasonPart } from "../api/types";
import { Failure } from "../elements/Failure";
import { Loading } from "../elements/Loading";
import { Moment } from "../elements/Moment";
import { value } from "../format/value";
import { Clauses } from "./Clauses";
import { Decide } from "./Decide";
import css from "./profiles.module.css";

/** Why a customer is in a segment, or not: now, or as of a moment. */
export function Why({ profile: p, segment: name }: { profile: Profile; segment: string }) {
  const [at, setAt] = useState("");
  const moment = at && !Number.isNaN(Date.parse(at)) ? new Date(at).toISOString() : undefined;
  const reason = useQuery(explainQuery(p.id, name, moment));
  return (
    <div className={css.why}>
      <div className={css.asOf}>
        <TextInput size="xs" type="datetime-local" label="As of" value={at} onChange={(e) => setAt(e.currentTarget.value)} />
        {at && (
          <Button variant="subtle" size="compact-sm" onClick={() => setAt("")}>
            Now
          </Button>
        )}
      </div>
      {reason.isPending && <Loading lines={3} what="Working out why" />}
      {reason.isError && <Failure error={reason.error} what="The reason could not be worked out." retry={() => reason.refetch()} />}
      {reason.data && <Told reason={reason.data} profile={p} past={!!moment} />}
    </div>
  );
}

function Told({ reason: r, profile, past }: { reason: Reason; profile: Profile; past: boolean }) {
  const inside = r.value === true;
  const next = r.explanation?.next_change;
  const uses = r.uses ?? [];
  return (
    <>
      <p data-holds={inside} className={css.verdict}>
        <strong>{past ? (inside ? "Was in it" : "Was not in it") : inside ? "Is in it" : "Is not in it"}</strong>
        {r.since && (
          <>
            {" "}
            since <Moment at={r.since} look="datetime" />
          </>
        )}
        {next && !r.overridden && (
          <span className="soft">
            ; {inside ? "leaves" : "enters"} on <Moment at={next} look="datetime" /> if nothing happens until then
          </span>
        )}
      </p>
      {r.definition === "today" && past && <p className="soft small">The segment did not exist then; this is by its condition of today.</p>}
      {r.overridden && (
        <p className={css.decided}>
          Decided by {r.overridden.by} <Moment at={r.overridden.since} look="datetime" />
          {r.overridden.until && (
            <>
              , until <Moment at={r.overridden.until} look="datetime" />
            </>
          )}
          , whatever the condition says{r.overridden.note ? `: “${r.overridden.note}”` : "."}
        </p>
      )}
      {r.explanation && <Clauses clause={r.explanation.clause} profile={profile.id} />}
      {!r.explanation && (
        <>
          <p className="soft small">Members are those whom the result of this query lists:</p>
          <pre>{r.text}</pre>
        </>
      )}
      {uses.length > 0 && (
        <details className={css.uses}>
          <summary>What it looks at</summary>
          <ul className={css.list}>
            {uses.map((part) => (
              <Used key={`${part.kind} ${part.name}`} part={part} profile={profile.id} />
            ))}
          </ul>
        </details>
      )}
      <div className={css.whyFoot}>
        <Link to="/segments/$name" params={{ name: r.name }}>
          Open the segment
        </Link>
        {!past && <Decide profile={profile} segment={r.name} inside={inside} decided={!!r.overridden} />}
      </div>
    </>
  );
}

function Used({ part, profile }: { part: ReasonPart; profile: string }) {
  return (
    <li>
      <span>
        <strong className={css.usedName}>{part.name}</strong> <span className="soft small">{part.kind === "segment" ? "segment" : "computed trait"}</span>
      </span>
      <span>{part.kind === "segment" ? (part.value ? "in it" : "not in it") : value(part.value)}</span>
      {part.explanation ? <Clauses clause={part.explanation.clause} profile={profile} /> : <pre>{part.text}</pre>}
    </li>
  );
}
