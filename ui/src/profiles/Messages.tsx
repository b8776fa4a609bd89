import { useInfiniteQuery } from "@tanstack/react-query";
import { messagesQuery } from "../api/queries";
import type { Message } from "../api/types";
import { MessageStatus } from "../campaigns/MessageStatus";
import { Empty } from "../elements/Empty";
import { Failure } from "../elements/Failure";
import { Loading } from "../elements/Loading";
import { Moment } from "../elements/Moment";
import { More } from "../elements/More";
import { type Column, RowLink, Rows } from "../elements/Rows";
import { amount } from "../format/number";

const columns: Column<Message>[] = [
  {
    header: "Mail",
    cell: (m) => (
      <span>
        <span style={{ fontWeight: 560 }}>{m.subject || "No subject"}</span>
        <br />
        {m.campaign && (
          <RowLink to="/campaigns/$name" params={{ name: m.campaign }}>
            <span className="small soft">{m.campaign}</span>
          </RowLink>
        )}
      </span>
    ),
  },
  { header: "Status", cell: (m) => <MessageStatus message={m} /> },
  { header: "Sent", cell: (m) => <Moment at={m.sent_at ?? m.created_at} />, right: true },
  { header: "Revenue", cell: (m) => (m.revenue ? amount(m.revenue) : <span className="soft">–</span>), right: true },
];

/** The mail sent to one customer. */
export function Messages({ profile }: { profile: string }) {
  const messages = useInfiniteQuery(messagesQuery({ profile }));
  if (messages.isPending) return <Loading what="Loading mail" />;
  if (!messages.data)
    return (
      <div style={{ padding: 18 }}>
        <Failure error={messages.error} what="The mail to this customer could not be loaded." retry={() => messages.refetch()} />
      </div>
    );
  if (messages.data.length === 0)
    return (
      <Empty icon="campaign" title="No mail yet">
        Campaigns that reach this customer are listed here, with what came of them.
      </Empty>
    );
  return (
    <>
      <Rows rows={messages.data} columns={columns} id={(m) => m.id} label="Mail to this customer" />
      <More list={messages} what="mail" />
    </>
  );
}
