import { ActionIcon, Tooltip, useMantineColorScheme } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { Link, useRouter } from "@tanstack/react-router";
import { remove } from "../api/client";
import { sessionQuery } from "../api/queries";
import { Icon, type IconName } from "../brand/Icon";
import { failed } from "../elements/say";
import { useSession } from "../session/useSession";
import css from "./shell.module.css";

const places = [
  { to: "/", label: "Home", icon: "home" },
  { to: "/profiles", label: "Customers", icon: "people" },
  { to: "/segments", label: "Segments", icon: "segment" },
  { to: "/traits", label: "Computed traits", icon: "trait" },
  { to: "/templates", label: "Templates", icon: "template" },
  { to: "/campaigns", label: "Campaigns", icon: "campaign" },
  { to: "/sources", label: "Sources", icon: "source" },
] as const satisfies { to: string; label: string; icon: IconName }[];

const schemes = { auto: { next: "light", label: "Colours follow the system", icon: "auto" }, light: { next: "dark", label: "Light colours", icon: "sun" }, dark: { next: "auto", label: "Dark colours", icon: "moon" } } as const;

export function Nav({ loop }: { loop: "ok" | "degraded" | "gone" }) {
  const session = useSession();
  const router = useRouter();
  const queries = useQueryClient();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const scheme = schemes[colorScheme];

  const signOut = async () => {
    try {
      await remove("/session");
      queries.clear();
      queries.setQueryData(sessionQuery.queryKey, null);
      await router.invalidate();
    } catch (error) {
      failed("Signing out did not work.", error);
    }
  };

  return (
    <>
      <nav aria-label="Main">
        <ul className={css.links}>
          {places.map((p) => (
            <li key={p.to}>
              <Link to={p.to} className={css.link} activeOptions={{ exact: p.to === "/", includeSearch: false }}>
                <Icon name={p.icon} /> {p.label}
              </Link>
            </li>
          ))}
        </ul>
        <hr className={css.rule} />
        <ul className={css.links}>
          {session.mail === "sink" && (
            <li>
              <Link to="/mailbox" className={css.link} activeOptions={{ includeSearch: false }}>
                <Icon name="mailbox" /> Mailbox
              </Link>
            </li>
          )}
          {session.demo && (
            <li>
              <a href="/demo/shop" className={css.link} target="_blank" rel="noreferrer">
                <Icon name="shop" /> Demo shop
              </a>
            </li>
          )}
          <li>
            <Link to="/settings" className={css.link}>
              <Icon name="settings" /> Settings
            </Link>
          </li>
        </ul>
      </nav>
      <div className={css.foot}>
        <span className={css.pulse} data-state={loop}>
          {loop === "ok" ? "Running well" : loop === "gone" ? "Not answering" : <Link to="/">Needs attention</Link>}
        </span>
        <div className={css.who}>
          <span title={`Signed in with the key “${session.key_name}” · Tailorbird ${session.version}`}>{session.key_name}</span>
          <div className={css.tools}>
            <Tooltip label={`${scheme.label}. Click to change`}>
              <ActionIcon variant="subtle" color="gray" aria-label={`${scheme.label}. Change colours`} onClick={() => setColorScheme(scheme.next)}>
                <Icon name={scheme.icon} />
              </ActionIcon>
            </Tooltip>
            <Tooltip label="Sign out">
              <ActionIcon variant="subtle" color="gray" aria-label="Sign out" onClick={signOut}>
                <Icon name="leave" />
              </ActionIcon>
            </Tooltip>
          </div>
        </div>
      </div>
    </>
  );
}
