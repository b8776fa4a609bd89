import { Button, Group, Modal } from "@mantine/core";
import { useBlocker } from "@tanstack/react-router";
import { useCallback, useRef } from "react";

/** Lets the page be left without a question: allowed right before going on after a save or delete. */
export interface Pass {
  allow: () => void;
  allowed: () => boolean;
}

export function usePass(): Pass {
  const given = useRef(false);
  const allow = useCallback(() => {
    given.current = true;
  }, []);
  const allowed = useCallback(() => given.current, []);
  return { allow, allowed };
}

/** Asks before unsaved changes are lost, by a link, the back button or closing the tab. */
export function UnsavedGuard({ dirty, pass }: { dirty: boolean; pass: Pass }) {
  const blocker = useBlocker({
    shouldBlockFn: ({ current, next }) => dirty && !pass.allowed() && current.pathname !== next.pathname,
    enableBeforeUnload: () => dirty && !pass.allowed(),
    withResolver: true,
  });
  const blocked = blocker.status === "blocked";
  return (
    <Modal opened={blocked} onClose={() => blocker.reset?.()} title={<strong>Leave without saving?</strong>}>
      Your changes on this page are not saved. If you leave now, they are lost.
      <Group justify="flex-end" mt="lg" gap="sm">
        <Button variant="default" onClick={() => blocker.proceed?.()}>
          Leave and lose them
        </Button>
        <Button onClick={() => blocker.reset?.()} data-autofocus>
          Stay here
        </Button>
      </Group>
    </Modal>
  );
}
