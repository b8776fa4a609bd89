import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { overviewQuery } from "../api/queries";
import type { Overview, RecentEvent } from "../api/types";
import { Icon } from "../brand/Icon";
import { Chart, type Series } from "../chart/Chart";
import { Empty } from "../elements/Empty";
import { Failure } from "../elements/Failure";
import { LinkButton } from "../elements/LinkButton";
import { Loading } from "../elements/Loading";
import { Moment } from "../elements/Moment";
import { PageHeader } from "../elements/PageHeader";
import { Panel } from "../elements/Panel";
import { Stat } from "../elements/Stat";
import { amount, compact, count, share } from "../format/number";
import { gist } from "../format/value";
import { eventIcon } from "../profiles/eventIcon";
import { FirstSteps } from "./FirstSteps";
import { LoopHealth } from "./LoopHealth";
import { Growing } from "./Growing";
import css from "./home.module.css";
import { varied } from "./recent";
import { overviewSeries, trend } from "./series";

const days = 14;

export function HomePage() {
  const overview = useQuery(overviewQuery(days));
  const { data } = overview;
  return (
    <>
      <PageHeader title="Home" lead={data && data.events > 0 ? `What happened in the last ${days} days, and how the engine is doing.` : undefined} />
      {overview.isPending && <Loading lines={8} what="Loading the overview" />}
      {overview.isError && !data && <Failure error={overview.error} what="The overview could not be loaded." retry={() => overview.refetch()} />}
      {data && (data.events === 0 ? <FirstSteps /> : <Filled overview={data} />)}
    </>
  );
}

function Filled({ overview }: { overview: Overview }) {
  const { labels, values, totals } = useMemo(() => overviewSeries(overview.days), [overview.days]);
  const unfinished = overview.days.some((d) => d.date === overview.now.slice(0, 10)) ? "today so far" : undefined;
  const mailed = totals.sent + totals.opened + totals.clicked > 0;
  const mail = useMemo<Series[]>(
    () => [
      { name: "Sent", values: values.sent, kind: "bar", colour: 1 },
      { name: "Opened", values: values.opened, kind: "line", colour: 3 },
      { name: "Clicked", values: values.clicked, kind: "line", colour: 2 },
    ],
    [values],
  );
  const events = useMemo<Series[]>(() => [{ name: "Events", values: values.events, kind: "area", colour: 1 }], [values]);
  const customers = useMemo<Series[]>(() => [{ name: "New customers", values: values.profiles, kind: "bar", colour: 3 }], [values]);
  const revenue = useMemo<Series[]>(() => [{ name: "Revenue from mail", values: values.revenue, kind: "bar", colour: 2 }], [values]);

  return (
    <>
      <Growing loop={overview.loop} />
      <div className={css.stats}>
        <Stat label="Customers" value={count(overview.profiles)} note={`${count(totals.profiles)} new in ${days} days`} />
        <Stat label="Events" value={count(overview.events)} note={<Trend values={values.events} of={`${count(totals.events)} in ${days} days`} />} />
        <Stat label="Mail sent" value={count(totals.sent)} note={totals.sent > 0 ? `${share(totals.opened, totals.sent)} opened, ${share(totals.clicked, totals.sent)} clicked` : `none in ${days} days`} />
        <Stat label="Revenue from mail" value={amount(totals.revenue)} note={`in ${days} days`} />
      </div>
      <div className={css.charts}>
        {mailed && (
          <Panel title="Mail by day">
            <Chart title="Mail sent, opened and clicked by day" labels={labels} unfinished={unfinished} series={mail} format={count} axis={compact} height={230} />
          </Panel>
        )}
        <Panel title="Events by day">
          <Chart title="Events by day" labels={labels} unfinished={unfinished} series={events} format={count} axis={compact} height={230} />
        </Panel>
        {mailed && (
          <Panel title="Revenue from mail by day">
            {totals.revenue > 0 ? (
              <Chart title="Revenue from mail by day" labels={labels} unfinished={unfinished} series={revenue} format={amount} axis={compact} height={170} />
            ) : (
              <p className="soft">None yet. An order soon after a mail counts for the one that was opened or clicked last.</p>
            )}
          </Panel>
        )}
        <Panel title="New customers by day">
          <Chart title="New customers by day" labels={labels} unfinished={unfinished} series={customers} format={count} axis={compact} height={mailed ? 170 : 230} />
        </Panel>
      </div>
      {!mailed && (
        <Panel flush className={css.invitation}>
          <Empty icon="campaign" title={`No mail in the last ${days} days`} actions={<LinkButton to="/campaigns">Go to campaigns</LinkButton>}>
            Send a campaign, and see here how it is received and what it earns.
          </Empty>
        </Panel>
      )}
      <div className={css.below}>
        <Panel title="Just happened" flush>
          <RecentEvents events={overview.recent_events} />
        </Panel>
        <Panel title="Engine">
          <LoopHealth loop={overview.loop} />
        </Panel>
      </div>
    </>
  );
}

function Trend({ values, of }: { values: number[]; of: string }) {
  const change = trend(values);
  if (change === null || Math.abs(change) < 0.005) return <>{of}</>;
  return (
    <>
      {of}, {change > 0 ? "up" : "down"} {share(Math.abs(change), 1)}
    </>
  );
}

function RecentEvents({ events }: { events: RecentEvent[] }) {
  if (events.length === 0) return <p className="soft" style={{ padding: "0 18px 12px" }}>Nothing recent.</p>;
  return (
    <ul className={css.events}>
      {varied(events, 2, 12).map((e) => (
        <li key={e.message_id}>
          <Icon name={eventIcon(e)} size={16} />
          <span className={css.what}>
            <Link to="/profiles/$id" params={{ id: e.profile_id }} className="plain-link">
              <strong style={{ fontWeight: 560 }}>{e.profile_label}</strong>
            </Link>{" "}
            <span className="soft">
              {e.name}
              {gist(e.name, e.properties) && ` · ${gist(e.name, e.properties)}`}
            </span>
          </span>
          <span className="soft small num">
            <Moment at={e.timestamp} />
          </span>
        </li>
      ))}
    </ul>
  );
}
