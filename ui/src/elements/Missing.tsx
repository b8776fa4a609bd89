import { ApiError } from "../api/problem";
import { Empty } from "./Empty";
import { Failure } from "./Failure";
import { LinkButton } from "./LinkButton";
import { PageHeader } from "./PageHeader";

interface Props {
  error: unknown;
  /** What is missing: "segment". */
  kind: string;
  /** Left out where a name says nothing to people. */
  name?: string;
  back: { to: "/profiles" | "/sources" | "/segments" | "/traits" | "/templates" | "/campaigns"; label: string };
  retry: () => void;
}

/** The page of something that could not be read: it does not exist, or reading failed and can be tried again. */
export function Missing({ error, kind, name, back, retry }: Props) {
  const gone = error instanceof ApiError && error.status === 404;
  return (
    <>
      <PageHeader title={name ?? kind.charAt(0).toUpperCase() + kind.slice(1)} back={back} />
      {gone ? (
        <Empty icon="search" title={name ? `There is no ${kind} “${name}”` : `This ${kind} does not exist`} actions={<LinkButton to={back.to}>Go to {back.label.toLowerCase()}</LinkButton>}>
          It may have been deleted, or the address is mistyped.
        </Empty>
      ) : (
        <Failure error={error} what={`This ${kind} could not be loaded.`} retry={retry} />
      )}
    </>
  );
}
