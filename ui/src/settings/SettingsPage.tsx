import { Link, Outlet } from "@tanstack/react-router";
import { PageHeader } from "../elements/PageHeader";
import { useSession } from "../session/useSession";
import css from "./settings.module.css";

const sections = [
  { to: "/settings/keys", label: "API keys" },
  { to: "/settings/secrets", label: "Secrets" },
  { to: "/settings/suppressions", label: "Suppressions" },
  { to: "/settings/domains", label: "Sending domains" },
  { to: "/settings/backups", label: "Backups" },
] as const;

export function SettingsPage() {
  const session = useSession();
  return (
    <>
      <PageHeader title="Settings" lead={`Tailorbird ${session.version}. ${session.mail === "sink" ? "Mail goes to the built-in mailbox." : "Mail goes out through your mail server."}`} />
      <nav className={css.sections} aria-label="Settings">
        {sections.map((s) => (
          <Link key={s.to} to={s.to} className={css.section}>
            {s.label}
          </Link>
        ))}
      </nav>
      <Outlet />
    </>
  );
}
