import { Loader } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ApiError, explain } from "../api/problem";
import { traitPreviewQuery } from "../api/queries";
import { Panel } from "../elements/Panel";
import { Text } from "../elements/Text";
import { value } from "../format/value";
import { Avatar } from "../profiles/Avatar";
import { Counted } from "../segments/Counted";
import { kindOf } from "./kind";
import css from "./traits.module.css";

/** How many customers have a value of an expression, and what it is for some of them, as it is typed. */
export function TraitExamples({ expression }: { expression: string }) {
  const [settled] = useDebouncedValue(expression, 250);
  const query = useQuery({ ...traitPreviewQuery(settled), placeholderData: keepPreviousData });
  const empty = expression.trim() === "";
  const stale = !empty && (settled !== expression || query.isFetching);
  const wrong = query.error instanceof ApiError && query.error.status === 422;
  return (
    <Panel title="Right now" aside={stale ? <Loader size="xs" role="img" aria-label="Working it out" /> : undefined}>
      <div aria-live="polite" aria-busy={stale}>
        {empty || wrong ? (
          <span className="soft">The values of some customers appear once the expression can be read.</span>
        ) : query.isError ? (
          <span style={{ color: "var(--bad)" }}>{explain(query.error)}</span>
        ) : query.data ? (
          <>
            {query.data.items.length === 0 ? (
              <span className="soft">There are no customers yet.</span>
            ) : (
              <Counted of={query.data} stale={stale} who={["customer has a value", "customers have a value"]} />
            )}
            {query.data.type !== "dyn" && <div className="soft small">{kindOf(query.data.type)}</div>}
            <ul className={css.values} style={{ opacity: stale ? 0.55 : 1 }} aria-label="Values of some customers">
              {query.data.items.map(({ profile: p, value: v }) => (
                <li key={p.id}>
                  <Avatar label={p.label} />
                  <Link to="/profiles/$id" params={{ id: p.id }} className="plain-link break" target="_blank">
                    <Text of={p.label} />
                  </Link>
                  <strong className="num break">{value(v)}</strong>
                </li>
              ))}
            </ul>
          </>
        ) : (
          <span className="soft">Working it out…</span>
        )}
      </div>
    </Panel>
  );
}
