import { type ReactNode, useId } from "react";
import css from "./elements.module.css";

interface Props {
  title?: string;
  aside?: ReactNode;
  children: ReactNode;
  /** Lets tables run to the edges. */
  flush?: boolean;
  className?: string;
}

/** A titled section of a page. */
export function Panel({ title, aside, children, flush, className }: Props) {
  const id = useId();
  return (
    <section className={`${css.panel} ${className ?? ""}`} aria-labelledby={title ? id : undefined}>
      {(title || aside) && (
        <div className={css.panelHead}>
          {title && (
            <h2 id={id} style={{ fontSize: "1rem", fontWeight: 600 }}>
              {title}
            </h2>
          )}
          {aside}
        </div>
      )}
      <div className={flush ? (title || aside ? css.flush : undefined) : css.panelBody}>{children}</div>
    </section>
  );
}
