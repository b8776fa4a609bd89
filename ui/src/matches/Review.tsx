import { Button, Kbd, VisuallyHidden } from "@mantine/core";
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { path, post } from "../api/client";
import type { Match } from "../api/types";
import { Empty } from "../elements/Empty";
import { Failure } from "../elements/Failure";
import { Loading } from "../elements/Loading";
import { Panel } from "../elements/Panel";
import { failed } from "../elements/say";
import { count } from "../format/number";
import { useCan } from "../session/useSession";
import { Pair } from "./Pair";
import { matchesQuery } from "./queries";
import { useShortcuts } from "./useShortcuts";
import css from "./matches.module.css";

interface Decision {
  match: Match;
  verb: "accept" | "reject";
}

/** The pairs that wait, one at a time. Everything has a key. */
export function Review({ pending }: { pending: number }) {
  const list = useInfiniteQuery(matchesQuery);
  const queries = useQueryClient();
  const write = useCan("write");
  const [at, setAt] = useState(0);
  const [decided, setDecided] = useState<Decision[]>([]);
  const [busy, setBusy] = useState(false);
  const [said, setSaid] = useState("");
  const card = useRef<HTMLDivElement>(null);

  const gone = new Set(decided.map((d) => d.match.id));
  const merged = new Set(decided.filter((d) => d.verb === "accept").map((d) => d.match.profiles[1]?.id));
  const waiting = (list.data ?? []).filter((m) => !gone.has(m.id) && !m.profiles.some((p) => merged.has(p.id)));
  const place = Math.min(at, Math.max(0, waiting.length - 1));
  const match = waiting[place];
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = list;

  useEffect(() => {
    if (place + 5 >= waiting.length && hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [place, waiting.length, hasNextPage, isFetchingNextPage, fetchNextPage]);

  const look = (to: number) => {
    setAt(Math.max(0, Math.min(to, waiting.length - 1)));
    card.current?.focus({ preventScroll: true });
  };
  const decide = async (verb: Decision["verb"]) => {
    if (!match || busy || !write) return;
    setBusy(true);
    try {
      await post(path`/matches/${match.id}/${verb}`);
      setDecided((d) => [...d, { match, verb }]);
      setSaid(verb === "accept" ? `${name(match, 0)} and ${name(match, 1)} are one customer now.` : `${name(match, 0)} and ${name(match, 1)} stay two customers.`);
      card.current?.focus({ preventScroll: true });
      void queries.invalidateQueries({ queryKey: ["matches", "run"] });
      if (verb === "accept") void queries.invalidateQueries({ queryKey: ["profiles"] });
    } catch (error) {
      failed("That did not work.", error);
      void list.refetch();
    } finally {
      setBusy(false);
    }
  };
  const last = decided.at(-1);
  const undo = async () => {
    if (!last || busy || !write) return;
    setBusy(true);
    try {
      await post(path`/matches/${last.match.id}/undo`);
      setDecided((d) => d.slice(0, -1));
      await list.refetch();
      setAt(0);
      setSaid("Undone: the pair waits again.");
      void queries.invalidateQueries({ queryKey: ["matches", "run"] });
      void queries.invalidateQueries({ queryKey: ["profiles"] });
    } catch (error) {
      failed("That could not be undone.", error);
    } finally {
      setBusy(false);
    }
  };

  useShortcuts({
    j: () => look(place + 1),
    ArrowRight: () => look(place + 1),
    k: () => look(place - 1),
    ArrowLeft: () => look(place - 1),
    a: () => void decide("accept"),
    r: () => void decide("reject"),
    u: () => void undo(),
  });

  return (
    <Panel
      title={match ? `Pair ${count(place + 1)} of ${count(Math.max(waiting.length, pending))}` : "Nothing to decide"}
      aside={
        <Button variant="subtle" color="gray" size="compact-sm" disabled={!last || !write} onClick={undo} rightSection={<Kbd size="xs">U</Kbd>}>
          Undo the last decision
        </Button>
      }
    >
      <div role="status">
        <VisuallyHidden>{said}</VisuallyHidden>
      </div>
      {list.isPending && <Loading lines={8} what="Loading the pairs" />}
      {list.isError && !list.data && <Failure error={list.error} what="The pairs could not be loaded." retry={() => list.refetch()} />}
      {list.data && !match && (
        <Empty icon="check" title="No pair waits for a decision">
          Look for matches after an import, or let Tailorbird do so every night: see the settings.
        </Empty>
      )}
      {match && (
        <div ref={card} tabIndex={-1} className={css.card} aria-label={`${name(match, 0)} and ${name(match, 1)}`} role="group">
          <div className={css.decide}>
            <Button onClick={() => decide("accept")} loading={busy} disabled={!write} rightSection={<Kbd size="xs">A</Kbd>}>
              One customer: merge
            </Button>
            <Button variant="default" onClick={() => decide("reject")} disabled={!write || busy} rightSection={<Kbd size="xs">R</Kbd>}>
              Two customers
            </Button>
            <span className={css.moves}>
              <Button variant="subtle" onClick={() => look(place - 1)} disabled={place === 0} rightSection={<Kbd size="xs">K</Kbd>}>
                Previous
              </Button>
              <Button variant="subtle" onClick={() => look(place + 1)} disabled={place + 1 >= waiting.length} rightSection={<Kbd size="xs">J</Kbd>}>
                Next
              </Button>
            </span>
          </div>
          <Pair match={match} />
        </div>
      )}
    </Panel>
  );
}

const name = (m: Match, i: number) => m.profiles[i]?.label ?? "";
