import { Link } from "@tanstack/react-router";
import { CopyBox } from "../elements/CopyBox";
import { Panel } from "../elements/Panel";
import { useSession } from "../session/useSession";
import css from "./home.module.css";

/** Home before the first event: how to get it, and what comes after. */
export function FirstSteps() {
  const { public_url } = useSession();
  const event = `curl -u YOUR_WRITE_KEY: ${public_url}/v1/track \\
  -H 'Content-Type: application/json' \\
  -d '{"userId":"ada","event":"Order Completed","properties":{"total":42.5},"context":{"traits":{"email":"ada@example.com"}}}'`;
  return (
    <Panel title="Nothing has arrived yet">
      <p className="soft" style={{ marginTop: 0 }}>
        Tailorbird works from what your customers do. Three steps to the first personalised mail:
      </p>
      <ol className={css.steps}>
        <li>
          <h3>Send what happens</h3>
          <p>From your shop, with any Segment library or a plain request. The write key was shown at the first start.</p>
          <CopyBox label="example request" text={event} />
        </li>
        <li>
          <h3>Bring your history</h3>
          <p>A CSV or JSON Lines file becomes events. Imported history never triggers mail.</p>
          <CopyBox label="import command" text={`tailorbird import orders.csv --mapping mapping.yaml --server ${public_url}`} />
        </li>
        <li>
          <h3>Group, write, send</h3>
          <p>
            <Link to="/segments/new">Make a segment</Link>, <Link to="/templates/new">write a template</Link>, then <Link to="/campaigns/new">send a campaign</Link>. The{" "}
            <a href="/api/docs" target="_blank" rel="noreferrer">
              API description
            </a>{" "}
            has every call.
          </p>
        </li>
      </ol>
    </Panel>
  );
}
