import { useMemo } from "react";
import { mailDocument } from "./document";
import css from "./preview.module.css";

interface Props {
  html: string;
  title: string;
  width?: "phone" | "desktop";
  dark?: boolean;
  links?: boolean;
  height?: string;
}

/** A mail as its reader sees it, in a frame that runs no scripts and reaches nothing of this page. */
export function MailFrame({ html, title, width = "desktop", dark = false, links = false, height = "min(68vh, 760px)" }: Props) {
  const document = useMemo(() => mailDocument(html, { dark, links }), [html, dark, links]);
  return (
    <div className={css.stage} data-width={width} data-dark={dark || undefined}>
      <iframe
        className={css.frame}
        title={title}
        srcDoc={document}
        sandbox={links ? "allow-popups allow-popups-to-escape-sandbox" : ""}
        referrerPolicy="no-referrer"
        style={{ height, colorScheme: dark ? "dark" : "light" }}
      />
    </div>
  );
}
