import { ActionIcon, Tooltip } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { Icon } from "../brand/Icon";
import css from "./elements.module.css";

/** Text to take away, with a button that copies it. */
export function CopyBox({ text, label }: { text: string; label: string }) {
  const clipboard = useClipboard();
  return (
    <div className={css.copyBox}>
      <pre>{text}</pre>
      <Tooltip label={clipboard.copied ? "Copied" : "Copy"}>
        <ActionIcon variant="subtle" aria-label={clipboard.copied ? `${label} copied` : `Copy ${label}`} onClick={() => clipboard.copy(text)}>
          <Icon name={clipboard.copied ? "check" : "copy"} />
        </ActionIcon>
      </Tooltip>
    </div>
  );
}
