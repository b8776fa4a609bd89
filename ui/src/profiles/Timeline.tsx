import { useInfiniteQuery } from "@tanstack/react-query";
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
import { gist } from "../format/value";
import { eventIcon } from "./eventIcon";
import css from "./profiles.module.css";

/** What a customer did, newest first, by day. */
export function Timeline({ id }: { id: string }) {
  const events = useInfiniteQuery(timelineQuery(id));
  const now = useNow();
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
      <div className={css.timeline}>
        {byDay(events.data, (e) => e.timestamp).map((run) => (
          <section key={run.day} aria-label={dayHeading(run.day, now)}>
            <h3 className={css.dayHead}>{dayHeading(run.day, now)}</h3>
            <ol className={css.thread}>
              {run.items.map((e) => (
                <Row key={e.message_id} event={e} />
              ))}
            </ol>
          </section>
        ))}
      </div>
      <More list={events} what="events" />
    </>
  );
}

function Row({ event: e }: { event: Event }) {
  const properties = e.properties ?? {};
  const summary = gist(e.name, properties);
  return (
    <li className={css.event}>
      <span className={css.eventDot}>
        <Icon name={eventIcon(e)} size={13} />
      </span>
      <details>
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
    </li>
  );
}
