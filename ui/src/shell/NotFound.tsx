import { Empty } from "../elements/Empty";
import { LinkButton } from "../elements/LinkButton";

export function NotFound() {
  return (
    <Empty icon="search" title="There is no such page" actions={<LinkButton to="/">Go home</LinkButton>}>
      The address may be mistyped, or what it pointed to was deleted or renamed.
    </Empty>
  );
}
