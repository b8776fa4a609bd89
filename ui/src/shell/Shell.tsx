import { Burger, Drawer } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useLocation } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { overviewQuery } from "../api/queries";
import { Mark } from "../brand/Mark";
import { ClockSkew } from "../elements/useNow";
import { Nav } from "./Nav";
import css from "./shell.module.css";

/** The frame around every page: skip link, navigation, main content. */
export function Shell() {
  const [menu, toggle] = useDisclosure();
  const main = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  const first = useRef(true);
  const overview = useQuery({ ...overviewQuery(14), refetchInterval: 60_000 });
  const skew = overview.data ? Date.parse(overview.data.now) - overview.dataUpdatedAt : 0;

  // A new page is read from its beginning, unless something in it has taken the focus already.
  useEffect(() => {
    toggle.close();
    if (first.current) {
      first.current = false;
      return;
    }
    if (!main.current?.contains(document.activeElement)) main.current?.focus({ preventScroll: true });
    // eslint-disable-next-line react-hooks/exhaustive-deps -- only a change of page counts
  }, [pathname]);

  const brand = (
    <Link to="/" className={css.brand}>
      <Mark size={28} /> Tailorbird
    </Link>
  );
  const loop = overview.isError ? "gone" : (overview.data?.loop.status ?? "ok");
  return (
    <ClockSkew value={Math.abs(skew) < 90_000 ? 0 : skew}>
      <a href="#main" className="skip">
        Skip to content
      </a>
      <div className={css.frame}>
        <header className={css.top}>
          {brand}
          <Burger opened={false} onClick={toggle.open} size="sm" aria-label="Open menu" aria-expanded={menu} />
        </header>
        <div className={css.side}>
          <div className={css.sticky}>
            {brand}
            <Nav loop={loop} />
          </div>
        </div>
        <Drawer opened={menu} onClose={toggle.close} size={290} title={brand} position="left">
          <div className={css.drawer}>
            <Nav loop={loop} />
          </div>
        </Drawer>
        <main id="main" ref={main} tabIndex={-1} className={css.main}>
          <Outlet />
        </main>
      </div>
    </ClockSkew>
  );
}
