import { Button, Group, Modal } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { explain } from "../api/problem";

interface Props {
  title: string;
  children: ReactNode;
  /** The verb on the button: "Delete segment". */
  verb: string;
  danger?: boolean;
  opened: boolean;
  onClose: () => void;
  /** The dialog closes when this succeeds, and shows why when it fails. */
  onConfirm: () => Promise<unknown>;
}

/** Asks before something that cannot be taken back. */
export function Confirm({ title, children, verb, danger, opened, onClose, onConfirm }: Props) {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState("");
  const close = () => {
    setFailure("");
    onClose();
  };
  const confirm = async () => {
    setBusy(true);
    setFailure("");
    try {
      await onConfirm();
      onClose();
    } catch (error) {
      setFailure(explain(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal opened={opened} onClose={close} title={<strong>{title}</strong>}>
      <div>{children}</div>
      {failure && (
        <p role="alert" style={{ color: "var(--bad)" }}>
          {failure}
        </p>
      )}
      <Group justify="flex-end" mt="lg" gap="sm">
        <Button variant="default" onClick={close} data-autofocus>
          Cancel
        </Button>
        <Button color={danger ? "red.8" : undefined} loading={busy} onClick={confirm}>
          {verb}
        </Button>
      </Group>
    </Modal>
  );
}
