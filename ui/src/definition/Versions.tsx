import { useQuery } from "@tanstack/react-query";
import { type DefinitionKind, versionsQuery } from "../api/queries";
import { Failure } from "../elements/Failure";
import { Loading } from "../elements/Loading";
import { Moment } from "../elements/Moment";
import css from "./definition.module.css";

/** When a definition was saved, and with which key. */
export function Versions({ kind, name }: { kind: DefinitionKind; name: string }) {
  const versions = useQuery(versionsQuery(kind, name));
  if (versions.isPending) return <Loading lines={3} what="Loading the history" />;
  if (!versions.data) return <Failure error={versions.error} what="The history could not be loaded." retry={() => versions.refetch()} />;
  return (
    <ul className={css.versions}>
      {[...versions.data]
        .sort((a, b) => b.version - a.version)
        .map((v) => (
          <li key={v.version}>
            <strong style={{ fontWeight: 560 }}>Version {v.version}</strong>
            <span className="soft">
              saved <Moment at={v.created_at} look="datetime" />
              {v.created_by && ` by ${v.created_by}`}
            </span>
          </li>
        ))}
    </ul>
  );
}
