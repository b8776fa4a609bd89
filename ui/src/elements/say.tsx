import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { explain } from "../api/problem";

/** A short note that something worked. */
export function said(message: string) {
  notifications.show({ message, withBorder: true, autoClose: 4000 });
}

/** A note that something did not work, and why. */
export function failed(what: string, error: unknown) {
  notifications.show({ title: what, message: explain(error), color: "red", withBorder: true, autoClose: 10_000 });
}

/** A note about something just done, with a way back for ten seconds. */
export function undoable(message: string, undo: () => Promise<unknown>) {
  const take = async () => {
    notifications.hide(id);
    try {
      await undo();
      said("Undone.");
    } catch (error) {
      failed("That could not be undone.", error);
    }
  };
  const id = notifications.show({
    withBorder: true,
    autoClose: 10_000,
    message: (
      <span style={{ display: "flex", gap: 12, alignItems: "center", justifyContent: "space-between" }}>
        {message}
        <Button variant="subtle" size="compact-sm" onClick={take}>
          Undo
        </Button>
      </span>
    ),
  });
}
