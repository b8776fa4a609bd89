import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { reportQuery } from "../api/queries";
import type { Campaign, Report } from "../api/types";
import { Chart, type Series } from "../chart/Chart";
import { Failure } from "../elements/Failure";
import { Loading } from "../elements/Loading";
import { Panel } from "../elements/Panel";
import { Rows } from "../elements/Rows";
import { Stat } from "../elements/Stat";
import elements from "../elements/elements.module.css";
import { amount, compact, count, share } from "../format/number";
import { calendarDay } from "../format/time";
import css from "./campaigns.module.css";
import { funnel, leftOut } from "./progress";

/** What a campaign was worth: people, not events. */
export function ReportView({ campaign }: { campaign: Campaign }) {
  const report = useQuery(reportQuery(campaign.name, campaign.status === "sending"));
  // The last numbers of a send come after the last look during it.
  const { refetch } = report;
  useEffect(() => {
    void refetch();
  }, [campaign.status, refetch]);
  if (report.isPending) return <Loading lines={8} what="Loading the report" />;
  if (!report.data) return <Failure error={report.error} what="The report could not be loaded." retry={() => report.refetch()} />;
  return <Numbers report={report.data} over={campaign.status === "sent"} />;
}

function Numbers({ report: r, over }: { report: Report; over: boolean }) {
  const nobody = over && r.sent === 0;
  const days = useMemo(() => r.days ?? [], [r.days]);
  const labels = useMemo(() => days.map((d) => calendarDay(d.date)), [days]);
  const series = useMemo<Series[]>(
    () => [
      { name: "Opened", values: days.map((d) => d.opened), kind: "bar", colour: 3 },
      { name: "Clicked", values: days.map((d) => d.clicked), kind: "bar", colour: 2 },
      { name: "Bought", values: days.map((d) => d.converted), kind: "bar", colour: 4 },
    ],
    [days],
  );
  const out = leftOut(r.skipped ?? ({} as Report["skipped"]));
  return (
    <>
      <div className={css.stats}>
        <Stat label="Delivered" value={count(r.delivered)} note={`${share(r.delivered, r.sent)} of what was sent`} />
        <Stat label="Opened" value={share(r.opened, r.delivered)} note={`${count(r.opened)} people`} />
        <Stat label="Clicked" value={share(r.clicked, r.delivered)} note={`${count(r.clicked)} people`} />
        <Stat label="Revenue" value={amount(r.revenue)} note={r.delivered > 0 ? `${amount(r.revenue / r.delivered)} for each mail delivered` : undefined} />
      </div>
      <div className={css.reportGrid}>
        <div className={css.column}>
          <Panel title="From recipients to buyers">
            <ol className={css.funnel}>
              {funnel(r).map((s) => (
                <li key={s.label}>
                  <span>{s.label}</span>
                  <div className={css.track} aria-hidden="true">
                    <div className={css.fill} style={{ width: s.people > 0 ? `max(2px, ${100 * s.width}%)` : 0 }} />
                  </div>
                  <span className={css.funnelNumber}>
                    {count(s.people)} {s.of !== null && <span className="soft">· {share(s.people, s.of)}</span>}
                  </span>
                </li>
              ))}
            </ol>
            <p className="soft small" style={{ marginBottom: 0 }}>
              Opened, clicked and bought are shares of the delivered mail.
            </p>
          </Panel>
          <Panel title="By day">{days.some((d) => d.opened + d.clicked + d.converted > 0) ? <Chart title="Opened, clicked and bought by day" labels={labels} series={series} format={count} axis={compact} height={220} /> : <p className="soft">{nobody ? "Nobody was sent this campaign, so there is nothing to open or click." : "The first opens and clicks will appear here."}</p>}</Panel>
        </div>
        <div className={css.column}>
          <Panel title="Links" flush>
            {(r.links ?? []).length === 0 ? (
              <p className="soft" style={{ padding: "0 18px 6px" }}>
                {nobody ? "No mail was sent." : "Nobody has clicked yet."}
              </p>
            ) : (
              <Rows
                label="Links"
                rows={r.links}
                id={(l) => l.url}
                columns={[
                  {
                    header: "Link",
                    cell: (l) => (
                      <a href={/^https?:/i.test(l.url) ? l.url : undefined} target="_blank" rel="noreferrer" className="plain-link" title={l.url}>
                        {readable(l.url)}
                      </a>
                    ),
                  },
                  { header: "People", cell: (l) => count(l.clicks), right: true },
                ]}
              />
            )}
          </Panel>
          <Panel title="Also">
            <dl className={elements.facts}>
              <dt>Bounced</dt>
              <dd>
                {count(r.bounced)} <span className="soft">{share(r.bounced, r.sent)}</span>
              </dd>
              <dt>Unsubscribed</dt>
              <dd>
                {count(r.unsubscribed)} <span className="soft">{share(r.unsubscribed, r.delivered)}</span>
              </dd>
              <dt>Marked as spam</dt>
              <dd>
                {count(r.complained)} <span className="soft">{share(r.complained, r.delivered)}</span>
              </dd>
              <dt>Failed</dt>
              <dd>{count(r.failed)}</dd>
              {r.in_doubt > 0 && (
                <>
                  <dt>In doubt</dt>
                  <dd>
                    {count(r.in_doubt)} <span className="soft">the mail server’s answer was lost; not sent again</span>
                  </dd>
                </>
              )}
              <dt>By machines</dt>
              <dd>
                {count(r.machine_opened)} opened, {count(r.machine_clicked)} clicked <span className="soft">and are not counted above</span>
              </dd>
            </dl>
          </Panel>
          {out.length > 0 && (
            <Panel title="Left out">
              <dl className={elements.facts}>
                {out.map((o) => (
                  <div key={o.reason} style={{ display: "contents" }}>
                    <dt>{o.reason}</dt>
                    <dd>{count(o.people)}</dd>
                  </div>
                ))}
              </dl>
            </Panel>
          )}
        </div>
      </div>
    </>
  );
}

/** A link without what every link has: the protocol and the UTM tags. */
function readable(url: string): string {
  try {
    const u = new URL(url);
    const rest = new URLSearchParams([...u.searchParams].filter(([key]) => !key.startsWith("utm_"))).toString();
    return `${u.host}${u.pathname === "/" ? "" : u.pathname}${rest ? `?${rest}` : ""}`;
  } catch {
    return url;
  }
}
