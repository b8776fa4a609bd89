import { UnstyledButton } from "@mantine/core";
import { useState } from "react";
import type { Profile } from "../api/types";
import { Icon } from "../brand/Icon";
import { Moment } from "../elements/Moment";
import css from "./profiles.module.css";
import { Why } from "./Why";

/** The segments of a customer; each opens to say why. */
export function SegmentList({ profile }: { profile: Profile }) {
  const [open, setOpen] = useState<string>();
  return (
    <ul className={css.list}>
      {profile.segments.map((s) => (
        <li key={s.name}>
          <UnstyledButton className={css.segment} aria-expanded={open === s.name} onClick={() => setOpen(open === s.name ? undefined : s.name)}>
            <Icon name="down" size={14} /> {s.name}
          </UnstyledButton>
          <span className="soft small">
            since <Moment at={s.since} />
          </span>
          {open === s.name && <Why profile={profile} segment={s.name} />}
        </li>
      ))}
    </ul>
  );
}
