import { Link } from "@tanstack/react-router";
import type { Loop } from "../api/types";
import { Icon } from "../brand/Icon";
import { Moment } from "../elements/Moment";
import elements from "../elements/elements.module.css";
import { count, plural } from "../format/number";
import { lengthOf } from "../format/time";
import css from "./home.module.css";

/** Whether events are being applied, timers are on time and mail goes out. */
export function LoopHealth({ loop }: { loop: Loop }) {
  const ok = loop.status === "ok";
  const problems = loop.problems ?? [];
  const building = loop.building_segments ?? [];
  return (
    <div className={css.health}>
      <div className={css.healthHead} data-state={loop.status}>
        <Icon name={ok ? "check" : "warning"} size={20} />
        <div>
          <strong>{ok ? "Everything is running well" : "Something needs attention"}</strong>
          <div className="soft small">{ok ? "Every event is applied the moment it is received." : "Mail and segments may be late until this is solved."}</div>
        </div>
      </div>
      {problems.length > 0 && (
        <ul className={css.problems}>
          {problems.map((p) => (
            <li key={p}>{p}</li>
          ))}
        </ul>
      )}
      <dl className={elements.facts}>
        <dt>Events now</dt>
        <dd>{loop.events_per_second < 10 ? Number(loop.events_per_second.toFixed(1)) : count(loop.events_per_second)} a second</dd>
        <dt>Last event</dt>
        <dd>
          <Moment at={loop.last_event_at} />
        </dd>
        <dt>Waiting to be applied</dt>
        <dd>
          {count(loop.queue_depth)} <span className="soft">of at most {count(loop.queue_capacity)}</span>
        </dd>
        <dt>Time to save</dt>
        <dd>{lengthOf(loop.commit_ms / 1000)}</dd>
        <dt>Timers</dt>
        <dd>
          {loop.timers_overdue_seconds > 1 ? <span style={{ color: "var(--bad)" }}>{lengthOf(loop.timers_overdue_seconds)} late</span> : "on time"}
          {loop.next_timer_at && (
            <span className="soft">
              , next <Moment at={loop.next_timer_at} />
            </span>
          )}
        </dd>
        <dt>Mail waiting</dt>
        <dd>{loop.messages_queued > 0 ? plural(loop.messages_queued, "message") : "none"}</dd>
        {loop.stream && (
          <>
            <dt>In the stream</dt>
            <dd>
              {loop.stream.lag === null ? "not known" : loop.stream.lag > 0 ? plural(loop.stream.lag, "event") : "nothing waits"}
              {loop.stream.behind_seconds !== null && loop.stream.behind_seconds > 1 && <span className="soft">, {lengthOf(loop.stream.behind_seconds)} behind</span>}
            </dd>
          </>
        )}
        {(loop.nodes ?? []).length > 1 && (
          <>
            <dt>Nodes</dt>
            <dd>
              {loop.nodes.map((node, i) => (
                <span key={node.name} className={node.self ? undefined : "soft"}>
                  {i > 0 && ", "}
                  {node.name}
                </span>
              ))}
            </dd>
          </>
        )}
        {building.length > 0 && (
          <>
            <dt>Being filled</dt>
            <dd>
              {building.map((name, i) => (
                <span key={name}>
                  {i > 0 && ", "}
                  <Link to="/segments/$name" params={{ name }}>
                    {name}
                  </Link>
                </span>
              ))}
            </dd>
          </>
        )}
      </dl>
    </div>
  );
}
