import { Link } from "@tanstack/react-router";
import type { Match, Profile } from "../api/types";
import { Moment } from "../elements/Moment";
import { Text } from "../elements/Text";
import { compare, percent, type Row } from "./compare";
import css from "./matches.module.css";

const marks: Record<Row["state"], string> = { same: "the same", differs: "differs", alone: "only one" };

/** Two customers side by side, and why they may be one. */
export function Pair({ match }: { match: Match }) {
  const [a, b] = match.profiles;
  if (!a || !b) return null;
  return (
    <>
      <section aria-labelledby="evidence" className={css.evidence}>
        <h3 id="evidence">
          <strong>{percent(match.probability)}</strong> likely one customer
        </h3>
        <ul>
          {match.evidence.map((e) => (
            <li key={e.field + e.words} data-for={e.bits >= 0.5 ? "yes" : e.bits <= -0.5 ? "no" : undefined}>
              <span aria-hidden="true" className={css.sign}>
                {e.bits >= 0.5 ? "+" : e.bits <= -0.5 ? "−" : "·"}
              </span>
              <span>
                {e.field} {e.words}
              </span>
              <span className="soft small" title="Each point doubles the odds that both are one customer">
                {e.bits > 0 ? "+" : ""}
                {e.bits}
              </span>
            </li>
          ))}
        </ul>
      </section>
      <div className={css.scroll}>
        <table className={css.pair} aria-label="Both customers, field by field">
          <thead>
            <tr>
              <th scope="col">
                <span className="soft small">Field</span>
              </th>
              <Head profile={a} what="Older" />
              <Head profile={b} what="Newer" />
            </tr>
          </thead>
          <tbody>
            {compare(a, b).map((row) => (
              <tr key={row.label} data-state={row.state}>
                <th scope="row">
                  {row.label} <span className={css.mark}>{marks[row.state]}</span>
                </th>
                <td>{row.left ? <Text of={row.left} /> : <span className="soft">–</span>}</td>
                <td>{row.right ? <Text of={row.right} /> : <span className="soft">–</span>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function Head({ profile: p, what }: { profile: Profile; what: string }) {
  return (
    <th scope="col">
      <span className="soft small">{what} profile</span>
      <br />
      <Link to="/profiles/$id" params={{ id: p.id }} target="_blank">
        <Text of={p.label} />
      </Link>
      <br />
      <span className="soft small">
        last seen <Moment at={p.last_seen_at} />
      </span>
    </th>
  );
}
