import { Icon } from "../brand/Icon";
import { Panel } from "../elements/Panel";
import { plural } from "../format/number";
import type { Finding } from "./findings";
import css from "./templates.module.css";

const places = { subject: "Subject", preheader: "Preheader", body: "Body", text: "Plain text" } as const;

/** What to look at before sending; each line leads to its place. */
export function Findings({ found, onJump, pending }: { found: Finding[]; onJump: (f: Finding) => void; pending: boolean }) {
  const errors = found.filter((f) => f.kind === "error").length;
  const title = errors > 0 ? plural(errors, "error") : found.length > 0 ? plural(found.length, "warning") : "Check";
  return (
    <Panel title={title} flush>
      <div aria-live="polite">
        {found.length === 0 ? (
          <p className="soft" style={{ padding: "0 18px 14px", margin: 0 }}>
            {pending ? "Checking…" : "Nothing to complain about: every variable has a fallback."}
          </p>
        ) : (
          <ul className={css.warnings}>
            {found.map((f, i) => (
              <li key={i}>
                <button type="button" onClick={() => onJump(f)}>
                  <span data-kind={f.kind}>
                    <Icon name="warning" size={17} />
                  </span>
                  <span className="break">{f.message}</span>
                  <span className="soft small num">
                    {places[f.location]}
                    {f.line !== undefined && (f.location === "body" || f.location === "text") && ` ${f.line}`}
                  </span>
                </button>
              </li>
            ))}
          </ul>
        )}
      </div>
    </Panel>
  );
}
