import { Badge, Button, Group, Progress } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { path, post, remove, url } from "../api/client";
import { ApiError, explain } from "../api/problem";
import { backupsQuery } from "../api/queries";
import type { Backup } from "../api/types";
import { Confirm } from "../elements/Confirm";
import { CopyBox } from "../elements/CopyBox";
import { Empty } from "../elements/Empty";
import { Failure } from "../elements/Failure";
import { Loading } from "../elements/Loading";
import { Moment } from "../elements/Moment";
import { Panel } from "../elements/Panel";
import { type Column, Rows } from "../elements/Rows";
import { failed, said } from "../elements/say";
import { share, size } from "../format/number";
import { useCan } from "../session/useSession";

/** Copies of everything: which there are, a new one, and how one becomes a server again. */
export function Backups() {
  const admin = useCan("admin");
  const list = useQuery({ ...backupsQuery, enabled: admin });
  const queries = useQueryClient();
  const refresh = () => queries.invalidateQueries({ queryKey: ["backups"] });
  const [deleting, setDeleting] = useState<Backup | null>(null);
  const running = list.data?.some((b) => b.status === "running");
  const make = async () => {
    try {
      await post("/backups");
      said("The backup is being made.");
    } catch (error) {
      failed("The backup could not be begun.", error);
    }
    await refresh();
  };
  if (!admin)
    return (
      <Panel title="Backups">
        <p>Sign in with a key that has the scope admin to see to backups: whoever has one has everything.</p>
      </Panel>
    );
  if (list.error instanceof ApiError && list.error.status === 409)
    return (
      <Panel flush>
        <Empty icon="copy" title="PostgreSQL has the data">
          {explain(list.error)}
        </Empty>
      </Panel>
    );
  return (
    <>
      <Panel
        title="Backups"
        flush
        aside={
          <Button onClick={make} disabled={!list.data || running}>
            Make one now
          </Button>
        }
      >
        {list.isPending && <Loading what="Loading backups" />}
        {list.isError && !list.data && (
          <div style={{ padding: 18 }}>
            <Failure error={list.error} what="Backups could not be loaded." retry={() => list.refetch()} />
          </div>
        )}
        {list.data?.length === 0 && (
          <Empty icon="copy" title="No backups yet">
            Start the server with --backup-every 24h to have one made every day, or make one now. Events go on being taken meanwhile.
          </Empty>
        )}
        {list.data && list.data.length > 0 && <Rows label="Backups" rows={list.data} id={(b) => b.name} columns={columns(setDeleting)} />}
      </Panel>
      <Restoring newest={list.data?.find((b) => b.status === "done")} />
      <Confirm
        opened={!!deleting}
        onClose={() => setDeleting(null)}
        title="Delete this backup?"
        verb="Delete backup"
        danger
        onConfirm={async () => {
          await remove(path`/backups/${deleting!.name}`);
          await refresh();
        }}
      >
        {deleting?.name} is removed from the server. What was downloaded stays.
      </Confirm>
    </>
  );
}

const columns = (onDelete: (b: Backup) => void): Column<Backup>[] => [
  { header: "File", cell: (b) => <span className="break">{b.name}</span> },
  { header: "State", cell: (b) => <State backup={b} /> },
  { header: "Checked", cell: (b) => (b.verified_at ? <Moment at={b.verified_at} look="datetime" /> : "–") },
  { header: "Size", cell: (b) => (b.status === "done" ? size(b.bytes) : "–"), right: true },
  {
    header: "",
    cell: (b) =>
      b.status === "done" && (
        <Group gap="xs" justify="flex-end" wrap="nowrap">
          <Button component="a" href={url(path`/backups/${b.name}/file`)} download={b.name} variant="default" size="compact-sm" aria-label={`Download ${b.name}`}>
            Download
          </Button>
          <Button variant="subtle" color="gray" size="compact-sm" onClick={() => onDelete(b)} aria-label={`Delete ${b.name}`}>
            Delete
          </Button>
        </Group>
      ),
    right: true,
  },
];

function State({ backup: b }: { backup: Backup }) {
  if (b.status === "failed") return <span style={{ color: "var(--bad)" }}>Failed: {b.problem}</span>;
  if (b.status === "done") return <Badge color="leaf">{b.encrypted ? "Encrypted" : "Not encrypted"}</Badge>;
  const what = b.progress < 1 ? `Copying, ${share(b.progress, 1)}` : "Compressing and checking";
  return (
    <>
      {what}
      <Progress value={100 * b.progress} animated aria-label="How much has been copied" />
    </>
  );
}

/** How to restore, with the name of a backup that is there. */
function Restoring({ newest }: { newest?: Backup }) {
  const file = newest?.name ?? "tailorbird-….tar.zst";
  return (
    <Panel title="How to restore">
      <p style={{ marginTop: 0 }}>
        Every backup was read back before it got its name. To be sure of a file that has travelled, check it where it lies; then restore it into a directory that is empty or
        missing, and start a server there. {newest?.encrypted ? "It needs the passphrase of this server." : "It needs a copy of this server’s master.key, which is not in it."}
      </p>
      <CopyBox
        label="the commands"
        text={
          newest?.encrypted
            ? `export TAILORBIRD_BACKUP_PASSPHRASE=…\ntailorbird restore ${file} --check\ntailorbird restore ${file} --data /var/lib/new`
            : `tailorbird restore ${file} --check --master-key-file master.key\ntailorbird restore ${file} --data /var/lib/new --master-key-file master.key`
        }
      />
      <p className="soft">Campaigns that were being sent come back paused: who got them after the backup would get them again.</p>
    </Panel>
  );
}
