import { Button } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { post } from "../api/client";
import type { MatchRun } from "../api/types";
import { Failure } from "../elements/Failure";
import { Loading } from "../elements/Loading";
import { PageHeader } from "../elements/PageHeader";
import { failed } from "../elements/say";
import { useCan } from "../session/useSession";
import { LastRun } from "./LastRun";
import { matchRunQuery } from "./queries";
import { Review } from "./Review";
import { Settings } from "./Settings";
import css from "./matches.module.css";

/** Customers who are probably there twice: decide about each pair, with the mouse or with single keys. */
export function MatchesPage() {
  const run = useQuery(matchRunQuery);
  const queries = useQueryClient();
  const write = useCan("write");
  const [starting, setStarting] = useState(false);
  const running = run.data?.status === "running";

  // What a search found replaces the queue.
  const was = useRef(false);
  useEffect(() => {
    if (was.current && !running) void queries.invalidateQueries({ queryKey: ["matches", "pending"] });
    was.current = running;
  }, [running, queries]);

  const start = async () => {
    setStarting(true);
    try {
      queries.setQueryData(matchRunQuery.queryKey, await post<MatchRun>("/matches/run"));
    } catch (error) {
      failed("The search did not begin.", error);
    } finally {
      setStarting(false);
    }
  };

  return (
    <>
      <PageHeader
        title="Probable matches"
        back={{ to: "/profiles", label: "Customers" }}
        lead="Customers who are probably there twice though no identifier says so. A merge can be taken back; a pair that you call two customers is not suggested again."
        actions={
          write && (
            <Button onClick={start} loading={starting} disabled={running}>
              {running ? "Looking…" : "Look for matches now"}
            </Button>
          )
        }
      />
      {run.isPending && <Loading lines={8} what="Loading" />}
      {run.isError && !run.data && <Failure error={run.error} what="The matches could not be loaded." retry={() => run.refetch()} />}
      {run.data && (
        <div className={css.page}>
          <Review pending={run.data.pending} key={run.data.finished_at ?? "never"} />
          <div className={css.side}>
            <LastRun run={run.data} />
            <Settings />
          </div>
        </div>
      )}
    </>
  );
}
