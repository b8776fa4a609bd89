import type { Profile } from "../api/types";
import { dateTime, day } from "../format/time";
import { label } from "../format/value";
import { graphOf } from "./graph";
import css from "./profiles.module.css";

const width = 330;
const left = 150;
const right = 214;
const short = (text: string, n: number) => (text.length > n ? `${text.slice(0, n - 1)}…` : text);

/** What leads to a customer, and who merged into them, as a picture. The lists beside it say the same in words. */
export function IdentityGraph({ profile }: { profile: Profile }) {
  const { height, identifiers, profiles, links } = graphOf(profile);
  return (
    <svg viewBox={`0 0 ${width} ${height}`} width="100%" role="img" aria-label={`${identifiers.length} identifiers lead to ${profiles.length} profiles; the lists say which`} className={css.graph}>
      {links.map((l, i) => {
        const a = identifiers[l.from]!.y;
        const b = profiles[l.to]!.y;
        return (
          <path key={i} d={`M${left + 8} ${a} C${left + 36} ${a} ${right - 36} ${b} ${right - 9} ${b}`} className={l.at ? css.joined : css.link}>
            {l.at && <title>{`Joined ${dateTime(l.at)}${l.by ? ` by the event ${l.by}` : ""}`}</title>}
          </path>
        );
      })}
      {profiles.slice(1).map((p, i) => (
        <path key={p.id + i} d={`M${right} ${profiles[0]!.y + 9} V${p.y - 9}`} className={css.joined} />
      ))}
      {identifiers.map((i) => (
        <g key={`${i.type}:${i.value}`}>
          <circle cx={left + 3} cy={i.y} r={4} className={css.point} />
          <text x={left - 8} y={i.y - 2} textAnchor="end" className={css.nodeValue}>
            <title>{i.value}</title>
            {short(i.value, 22)}
          </text>
          <text x={left - 8} y={i.y + 11} textAnchor="end" className={css.nodeType}>
            {label(i.type)}
          </text>
        </g>
      ))}
      {profiles.map((p, i) => (
        <g key={p.id + i}>
          <circle cx={right} cy={p.y} r={i === 0 ? 9 : 6} className={i === 0 ? css.self : css.gone} />
          <text x={right + 15} y={p.at ? p.y - 1 : p.y + 4} className={css.nodeValue}>
            <title>{p.label}</title>
            {i === 0 ? short(p.label, 16) : "Merged"}
          </text>
          {p.at && (
            <text x={right + 15} y={p.y + 12} className={css.nodeType}>
              {short(`${day(p.at)}`, 18)}
            </text>
          )}
        </g>
      ))}
    </svg>
  );
}
