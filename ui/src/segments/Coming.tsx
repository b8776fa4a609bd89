import { useQuery } from "@tanstack/react-query";
import { segmentHistoryQuery } from "../api/queries";
import { Chart, type Series } from "../chart/Chart";
import { Empty } from "../elements/Empty";
import { Failure } from "../elements/Failure";
import { Loading } from "../elements/Loading";
import { Panel } from "../elements/Panel";
import { useNow } from "../elements/useNow";
import { compact, count } from "../format/number";
import { everyDay } from "./days";

/** Who came and went, day by day. */
export function Coming({ segment }: { segment: string }) {
  const days = useQuery(segmentHistoryQuery(segment));
  const now = useNow(false);
  if (days.isPending) return <Loading what="Loading the history" />;
  if (!days.data) return <Failure error={days.error} what="The history could not be loaded." retry={() => days.refetch()} />;
  const { labels, entered, left, members } = everyDay(days.data, now);
  if (labels.length === 0)
    return (
      <Panel title="Members by day">
        <Empty icon="segment" title="Nobody has entered yet">
          Who enters and leaves is counted here, day by day.
        </Empty>
      </Panel>
    );
  const moves: Series[] = [
    { name: "Entered", values: entered, kind: "bar", colour: 1 },
    { name: "Left", values: left, kind: "bar", colour: 2 },
  ];
  return (
    <>
      <Panel title="Members by day">
        <Chart title="Members by day" labels={labels} unfinished="today so far" series={[{ name: "Members", values: members, kind: "area", colour: 1 }]} format={count} axis={compact} height={190} />
      </Panel>
      <Panel title="Entered and left by day">
        <Chart title="Entered and left by day" labels={labels} unfinished="today so far" series={moves} format={count} axis={compact} height={190} />
      </Panel>
    </>
  );
}
