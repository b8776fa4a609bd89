import { useElementSize } from "@mantine/hooks";
import { useMemo } from "react";
import { mailDocument } from "./document";
import css from "./preview.module.css";

/** Wide enough for the 600 pixels that most mail is made for, with its margins. */
const desktopWidth = 680;

interface Props {
  html: string;
  title: string;
  /** "fit" takes the room there is. */
  width?: "phone" | "desktop" | "fit";
  dark?: boolean;
  links?: boolean;
  height?: string;
}

/** A mail as its reader sees it, in a frame that runs no scripts and reaches nothing of this page. */
export function MailFrame({ html, title, width = "desktop", dark = false, links = false, height = "min(68vh, 760px)" }: Props) {
  const document = useMemo(() => mailDocument(html, { dark, links }), [html, dark, links]);
  const { ref, width: room } = useElementSize();
  // A desktop mail is laid out at a desktop's width and made smaller where there is less room.
  const scale = width === "desktop" && room > 0 && room < desktopWidth ? room / desktopWidth : 1;
  return (
    <div ref={ref} className={css.stage} data-width={width} data-dark={dark || undefined} style={{ height: scale < 1 ? height : undefined }}>
      <iframe
        className={css.frame}
        title={title}
        srcDoc={document}
        sandbox={links ? "allow-popups allow-popups-to-escape-sandbox" : ""}
        referrerPolicy="no-referrer"
        style={{
          height: scale < 1 ? `calc(${height} / ${scale})` : height,
          colorScheme: dark ? "dark" : "light",
          ...(scale < 1 ? { position: "absolute" as const, inset: "0 auto auto 0", width: desktopWidth, transform: `scale(${scale})`, transformOrigin: "top left" } : {}),
        }}
      />
    </div>
  );
}
