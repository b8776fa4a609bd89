import { Fragment } from "react";
import { exactUTC } from "../format/time";
import { isTime, label, lines, value } from "../format/value";
import { Text } from "./Text";
import css from "./elements.module.css";

/** Traits or properties as a list of names and values; a long or nested value shows whole on hover. */
export function Facts({ of, names = label }: { of: Record<string, unknown>; names?: (name: string) => string }) {
  return (
    <dl className={css.facts}>
      {Object.entries(of).map(([name, v]) => {
        const text = lines(v)?.map((line, i) => <div key={i}>{line}</div>) ?? <Text of={typeof v === "string" && /^https?:\/\//i.test(v) ? v : value(v)} />;
        const whole = isTime(v) ? exactUTC(v) : typeof v === "object" && v !== null ? JSON.stringify(v, null, 1) : undefined;
        return (
          <Fragment key={name}>
            <dt title={name}>{names(name)}</dt>
            <dd title={whole}>{text}</dd>
          </Fragment>
        );
      })}
    </dl>
  );
}
