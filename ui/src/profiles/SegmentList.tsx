import { Badge, Select, UnstyledButton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { segmentsQuery } from "../api/queries";
import type { Profile } from "../api/types";
import { Icon } from "../brand/Icon";
import { Moment } from "../elements/Moment";
import css from "./profiles.module.css";
import { Why } from "./Why";

/** The segments of a customer; each opens to say why. Of the others, one can be chosen to see why not. */
export function SegmentList({ profile }: { profile: Profile }) {
  const [open, setOpen] = useState<string>();
  const [other, setOther] = useState<string | null>(null);
  const segments = useQuery(segmentsQuery);
  const inside = new Set(profile.segments.map((s) => s.name));
  const others = (segments.data ?? []).map((s) => s.name).filter((name) => !inside.has(name));
  const decided = new Set((profile.overrides ?? []).filter((o) => o.kind === "segment").map((o) => o.name));
  return (
    <>
      {profile.segments.length === 0 && <span className="soft">In no segment.</span>}
      <ul className={css.list}>
        {profile.segments.map((s) => (
          <li key={s.name}>
            <UnstyledButton className={css.segment} aria-expanded={open === s.name} onClick={() => setOpen(open === s.name ? undefined : s.name)}>
              <Icon name="down" size={14} /> {s.name}
            </UnstyledButton>
            <span className="soft small">
              {decided.has(s.name) && (
                <Badge color="amber" size="sm" mr={6}>
                  By hand
                </Badge>
              )}
              since <Moment at={s.since} />
            </span>
            {open === s.name && <Why profile={profile} segment={s.name} />}
          </li>
        ))}
      </ul>
      {others.length > 0 && (
        <div className={css.whyNot}>
          <Select size="xs" label="Why not in…" placeholder="Choose a segment" searchable clearable allowDeselect={false} clearButtonProps={{ "aria-label": "Close" }} data={others} value={other && !inside.has(other) ? other : null} onChange={setOther} />
          {other && !inside.has(other) && <Why key={other} profile={profile} segment={other} />}
        </div>
      )}
    </>
  );
}
