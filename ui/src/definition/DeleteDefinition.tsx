import { Button } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { Icon } from "../brand/Icon";
import { Confirm } from "../elements/Confirm";

/** The delete button of a definition, with its question. */
export function DeleteDefinition({ kind, name, children, onDelete, disabled }: { kind: string; name: string; children: ReactNode; onDelete: () => Promise<void>; disabled?: boolean }) {
  const [asking, setAsking] = useState(false);
  return (
    <>
      <Button variant="default" leftSection={<Icon name="trash" size={16} />} onClick={() => setAsking(true)} disabled={disabled}>
        Delete
      </Button>
      <Confirm opened={asking} onClose={() => setAsking(false)} title={`Delete the ${kind} “${name}”?`} verb={`Delete ${kind}`} danger onConfirm={onDelete}>
        {children}
      </Confirm>
    </>
  );
}
