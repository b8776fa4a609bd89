import { useInfiniteQuery } from "@tanstack/react-query";
import { messagesQuery } from "../api/queries";
import { Empty } from "../elements/Empty";
import { Failure } from "../elements/Failure";
import { Loading } from "../elements/Loading";
import { Moment } from "../elements/Moment";
import { More } from "../elements/More";
import { Panel } from "../elements/Panel";
import { RowLink, Rows } from "../elements/Rows";
import { Text } from "../elements/Text";
import { amount } from "../format/number";
import { MessageStatus } from "./MessageStatus";

/** Each message of a campaign, and what came of it. */
export function Recipients({ campaign }: { campaign: string }) {
  const messages = useInfiniteQuery(messagesQuery({ campaign }));
  if (messages.isPending) return <Loading what="Loading recipients" />;
  if (!messages.data) return <Failure error={messages.error} what="The recipients could not be loaded." retry={() => messages.refetch()} />;
  return (
    <Panel flush>
      {messages.data.length === 0 ? (
        <Empty icon="people" title="No recipients">
          Nobody was in the segment when the campaign started, or the first are just being written to.
        </Empty>
      ) : (
        <>
          <Rows
            label="Recipients"
            rows={messages.data}
            id={(m) => m.id}
            columns={[
              {
                header: "To",
                cell: (m) => (
                  <RowLink to="/profiles/$id" params={{ id: m.profile_id }}>
                    <Text of={m.to || m.profile_id} />
                  </RowLink>
                ),
              },
              { header: "Status", cell: (m) => <MessageStatus message={m} /> },
              { header: "Sent", cell: (m) => <Moment at={m.sent_at} look="datetime" />, right: true },
              { header: "Revenue", cell: (m) => (m.revenue ? amount(m.revenue) : <span className="soft">–</span>), right: true },
            ]}
          />
          <More list={messages} what="recipients" />
        </>
      )}
    </Panel>
  );
}
