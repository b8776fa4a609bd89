import { useQuery } from "@tanstack/react-query";
import { sendingDomainsQuery } from "../api/queries";
import { CopyBox } from "../elements/CopyBox";
import { Empty } from "../elements/Empty";
import { Failure } from "../elements/Failure";
import { Loading } from "../elements/Loading";
import { Panel } from "../elements/Panel";
import css from "./settings.module.css";

/** The DNS records that show receivers that mail is really from these domains. */
export function Domains() {
  const domains = useQuery(sendingDomainsQuery);
  if (domains.isPending) return <Loading what="Loading domains" />;
  if (!domains.data) return <Failure error={domains.error} what="Sending domains could not be loaded." retry={() => domains.refetch()} />;
  if (domains.data.length === 0)
    return (
      <Panel flush>
        <Empty icon="campaign" title="No sending domains yet">
          The domain of a campaign’s “From” address gets its signing key with the first campaign, and its DNS records are listed here.
        </Empty>
      </Panel>
    );
  return (
    <div className={css.records}>
      {domains.data.map((d) => (
        <Panel key={d.domain} title={d.domain}>
          <p className="soft" style={{ marginTop: 0 }}>
            Publish these records at whoever runs the DNS of {d.domain}. Without them, mail may land in spam.
          </p>
          <div className={css.records}>
            {d.dns.map((r) => (
              <div key={`${r.type} ${r.name}`} className={css.record}>
                <span className="small break">
                  <strong>{r.type}</strong> record <code>{r.name}</code>
                </span>
                <CopyBox text={r.value} label={`value of ${r.name}`} />
              </div>
            ))}
          </div>
        </Panel>
      ))}
    </div>
  );
}
