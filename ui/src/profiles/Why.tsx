import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { segmentQuery, timelineQuery } from "../api/queries";
import type { Profile } from "../api/types";
import { Facts } from "../elements/Facts";
import { Failure } from "../elements/Failure";
import { Loading } from "../elements/Loading";
import { Moment } from "../elements/Moment";
import elements from "../elements/elements.module.css";
import { mentions } from "./mentions";
import css from "./profiles.module.css";

/** Why a customer is in a segment: its condition, and what the customer has of all that it names. */
export function Why({ profile: p, segment: name }: { profile: Profile; segment: string }) {
  const segment = useQuery(segmentQuery(name));
  const timeline = useInfiniteQuery(timelineQuery(p.id));
  if (segment.isPending) return <Loading lines={3} what="Loading the condition" />;
  if (!segment.data) return <Failure error={segment.error} what="The condition could not be loaded." retry={() => segment.refetch()} />;
  const named = mentions(segment.data.condition);
  const values = Object.fromEntries(named.traits.map((t) => [t, p.computed[t] ?? p.traits[t]]));
  const last = (event: string) => timeline.data?.find((e) => e.name === event)?.timestamp;
  const unseen = timeline.hasNextPage ? "not among the events loaded here" : "never";
  return (
    <div className={css.why}>
      <h3>Why are they here?</h3>
      {segment.data.description && <p className="soft">{segment.data.description}</p>}
      <pre>{segment.data.condition.trim()}</pre>
      {named.traits.length > 0 && <Facts of={values} />}
      {named.events.length + named.segments.length > 0 && (
        <dl className={elements.facts}>
          {named.events.map((event) => (
            <div key={event} style={{ display: "contents" }}>
              <dt>Last “{event}”</dt>
              <dd>{last(event) ? <Moment at={last(event)} look="datetime" /> : <span className="soft">{timeline.isPending ? "…" : unseen}</span>}</dd>
            </div>
          ))}
          {named.segments.map((other) => {
            const since = p.segments.find((s) => s.name === other)?.since;
            return (
              <div key={other} style={{ display: "contents" }}>
                <dt>In “{other}”</dt>
                <dd>{since ? <>since <Moment at={since} look="datetime" /></> : "no"}</dd>
              </div>
            );
          })}
        </dl>
      )}
      <Link to="/segments/$name" params={{ name }}>
        Open the segment
      </Link>
    </div>
  );
}
