import { Button } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { path, remove } from "../api/client";
import { traitsQuery, vocabularyQuery } from "../api/queries";
import type { Override, Profile } from "../api/types";
import { Facts } from "../elements/Facts";
import { Moment } from "../elements/Moment";
import { Panel } from "../elements/Panel";
import { failed, said } from "../elements/say";
import { label } from "../format/value";
import { useCan } from "../session/useSession";
import { SayTrait } from "./SayTrait";
import css from "./profiles.module.css";

/** The traits of a customer, told and computed, and what people say of them instead. */
export function Traits({ profile: p }: { profile: Profile }) {
  const defined = useQuery(traitsQuery);
  const vocabulary = useQuery(vocabularyQuery);
  const computed = new Set([...(defined.data ?? []).map((t) => t.name), ...Object.keys(p.computed)]);
  const byHand = (p.overrides ?? []).filter((o) => o.kind === "trait");
  const told = [...new Set([...Object.keys(p.traits), ...(vocabulary.data?.traits ?? [])])].filter((name) => !computed.has(name));
  return (
    <>
      <Group title="Traits" profile={p} values={p.traits} names={told} overrides={byHand.filter((o) => !computed.has(o.name))}>
        None yet.
      </Group>
      <Group title="Computed traits" profile={p} values={p.computed} names={[...computed]} overrides={byHand.filter((o) => computed.has(o.name))}>
        None yet. <Link to="/traits">Define one</Link>, such as the number of orders.
      </Group>
    </>
  );
}

interface Props {
  title: string;
  profile: Profile;
  values: Record<string, unknown>;
  names: string[];
  overrides: Override[];
  /** What is said where there are none. */
  children: ReactNode;
}

function Group({ title, profile, values, names, overrides, children }: Props) {
  const can = useCan("write");
  const [saying, setSaying] = useState<string>();
  return (
    <Panel
      title={title}
      aside={
        can &&
        names.length > 0 && (
          <Button variant="subtle" size="compact-sm" onClick={() => setSaying("")} aria-label={`Set by hand: ${title.toLowerCase()}`}>
            Set by hand…
          </Button>
        )
      }
    >
      {Object.keys(values).length > 0 ? <Facts of={values} /> : <span className="soft">{children}</span>}
      {overrides.length > 0 && (
        <ul className={css.said} aria-label={`${title} set by hand`}>
          {overrides.map((o) => (
            <Said key={o.name} profile={profile} override={o} can={can} onChange={() => setSaying(o.name)} />
          ))}
        </ul>
      )}
      {saying !== undefined && <SayTrait profile={profile} names={names} values={values} name={saying} onClose={() => setSaying(undefined)} />}
    </Panel>
  );
}

/** Who says what a trait is, since when and why; and the way back. */
function Said({ profile, override: o, can, onChange }: { profile: Profile; override: Override; can: boolean; onChange: () => void }) {
  const queries = useQueryClient();
  const lift = async () => {
    try {
      await remove(path`/profiles/${profile.id}/overrides/trait/${o.name}`);
      await queries.invalidateQueries({ queryKey: ["profiles"] });
      said(`Events say again what ${label(o.name)} is.`);
    } catch (error) {
      failed("That could not be taken back.", error);
    }
  };
  return (
    <li className={css.decided}>
      <strong>{label(o.name)}</strong>
      {o.value === null || o.value === undefined ? " is nothing" : " is set"} by {o.by} <Moment at={o.since} look="datetime" />
      {o.until && (
        <>
          , until <Moment at={o.until} look="datetime" />
        </>
      )}
      {o.note && `: ${o.note}`}
      {can && (
        <div className={css.saidActions}>
          <Button variant="default" size="compact-sm" onClick={lift} aria-label={`Let events decide ${label(o.name)}`}>
            Let events decide
          </Button>
          <Button variant="subtle" size="compact-sm" onClick={onChange} aria-label={`Change ${label(o.name)}`}>
            Change…
          </Button>
        </div>
      )}
    </li>
  );
}
