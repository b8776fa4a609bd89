import { SegmentedControl } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { timelineQuery } from "../api/queries";
import type { Event } from "../api/types";
import { Icon } from "../brand/Icon";
import { Empty } from "../elements/Empty";
import { Facts } from "../elements/Facts";
import { Failure } from "../elements/Failure";
import { Loading } from "../elements/Loading";
import { Moment } from "../elements/Moment";
import { More } from "../elements/More";
import { useNow } from "../elements/useNow";
import { byDay, dayHeading, exactUTC } from "../format/time";
import { count } from "../format/number";
import { gist } from "../format/value";
import { eventIcon } from "./eventIcon";
import css from "./profiles.module.css";
import { type Subject, subjectOf } from "./subject";

type Shown = "all" | Exclude<Subject, "other">;
const filters: { value: Shown; label: string }[] = [
  { value: "all", label: "All" },
  { value: "orders", label: "Orders" },
  { value: "visits", label: "Visits" },
  { value: "mail", label: "Mail" },
];
const enough = 12;
const furthest = 500;

/** What a customer did, newest first, by day. Reads on until the event with the id `wanted` is shown, and opens that. */
export function Timeline({ id, shown: wanted }: { id: string; shown?: string }) {
  const events = useInfiniteQuery(timelineQuery(id));
  const now = useNow();
  const [shown, setShown] = useState<Shown>("all");
  const items = shown === "all" ? (events.data ?? []) : (events.data ?? []).filter((e) => subjectOf(e) === shown);

  // What is rare may be far back: read on until a screen is full, up to a bound.
  const { fetchNextPage } = events;
  const found = !!wanted && items.some((e) => e.message_id === wanted);
  const more = ((shown !== "all" && items.length < enough) || (!!wanted && !found)) && (events.data?.length ?? 0) < furthest && events.hasNextPage && !events.isFetching && !events.isError;
  useEffect(() => {
    if (more) void fetchNextPage();
  }, [more, fetchNextPage]);

  if (events.isPending) return <Loading lines={8} what="Loading the timeline" />;
  if (!events.data)
    return (
      <div style={{ padding: 18 }}>
        <Failure error={events.error} what="The timeline could not be loaded." retry={() => events.refetch()} />
      </div>
    );
  if (events.data.length === 0)
    return (
      <Empty icon="dot" title="Nothing happened yet">
        What this customer does, and what comes of mail to them, appears here.
      </Empty>
    );
  return (
    <>
      <div className={css.filter}>
        <SegmentedControl aria-label="Show" size="xs" data={filters} value={shown} onChange={(next) => setShown(next as Shown)} />
      </div>
      {items.length === 0 && (
        <p className="soft" style={{ padding: "4px 18px" }} role="status">
          {events.hasNextPage ? `None among the newest ${count(events.data.length)} events.` : "None."}
        </p>
      )}
      <div className={css.timeline}>
        {byDay(items, (e) => e.timestamp).map((run) => (
          <section key={run.day} aria-label={dayHeading(run.day, now)}>
            <h3 className={css.dayHead}>{dayHeading(run.day, now)}</h3>
            <ol className={css.thread}>
              {run.items.map((e) => (
                <Row key={e.message_id} event={e} shown={e.message_id === wanted} />
              ))}
            </ol>
          </section>
        ))}
      </div>
      <More list={events} what="events" />
    </>
  );
}

function Row({ event: e, shown }: { event: Event; shown: boolean }) {
  const host = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (!shown || !host.current) return;
    host.current.scrollIntoView({ block: "center" });
    host.current.querySelector("summary")?.focus({ preventScroll: true });
  }, [shown]);
  const properties = e.properties ?? {};
  const campaign = subjectOf(e) === "mail" && typeof properties.campaign === "string" ? properties.campaign : "";
  const summary = gist(e.name, campaign ? { ...properties, campaign: undefined } : properties);
  return (
    <li className={css.event} ref={host} data-shown={shown || undefined}>
      <span className={css.eventDot}>
        <Icon name={eventIcon(e)} size={13} />
      </span>
      <details open={shown || undefined}>
        <summary>
          <span>
            <strong style={{ fontWeight: 560 }}>{e.name}</strong>
            {summary && <span className="soft"> · {summary}</span>}
          </span>
          <span className="soft small num">
            <Moment at={e.timestamp} look="time" />
          </span>
        </summary>
        <div className={css.props}>
          {Object.keys(properties).length > 0 ? <Facts of={properties} names={(n) => n} /> : <span className="soft">No properties.</span>}
          <details className={css.raw}>
            <summary>As received</summary>
            <pre>{JSON.stringify(e, null, 2)}</pre>
            <span className="soft">Received {exactUTC(e.received_at)}</span>
          </details>
        </div>
      </details>
      {campaign && (
        <div className={css.from}>
          <span className="soft">Campaign</span>{" "}
          <Link to="/campaigns/$name" params={{ name: campaign }}>
            {campaign}
          </Link>
        </div>
      )}
    </li>
  );
}
