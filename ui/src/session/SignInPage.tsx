import { Button, PasswordInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useRouter } from "@tanstack/react-router";
import { type FormEvent, useEffect, useState } from "react";
import { post } from "../api/client";
import { ApiError, explain } from "../api/problem";
import { sessionQuery } from "../api/queries";
import type { Session } from "../api/types";
import { Mark } from "../brand/Mark";
import { Art } from "./Art";
import { safeNext } from "./next";
import css from "./session.module.css";

const route = getRouteApi("/sign-in");

export function SignInPage() {
  const { next } = route.useSearch();
  const router = useRouter();
  const queries = useQueryClient();
  const [key, setKey] = useState("");
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState("");

  useEffect(() => {
    document.title = "Sign in · Tailorbird";
  }, []);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (!key.trim()) {
      setFailure("Enter your key.");
      return;
    }
    setBusy(true);
    setFailure("");
    try {
      queries.clear();
      queries.setQueryData(sessionQuery.queryKey, await post<Session>("/session", { key: key.trim() }));
      await router.navigate({ to: safeNext(next), replace: true });
    } catch (error) {
      setFailure(error instanceof ApiError && error.status === 401 ? "This key is not known here. Check that it is complete and was not deleted." : explain(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <div className={css.page}>
      <main className={css.form}>
        <div className={css.inner}>
          <div className={css.brand}>
            <Mark size={38} /> Tailorbird
          </div>
          <h1>Sign in</h1>
          <p>Use the API key you were given.</p>
          <form onSubmit={submit} noValidate>
            <PasswordInput
              label="API key"
              name="key"
              size="md"
              autoFocus
              autoComplete="current-password"
              spellCheck={false}
              value={key}
              onChange={(e) => setKey(e.currentTarget.value)}
              error={failure}
              visibilityToggleButtonProps={{ "aria-label": "Show or hide the key" }}
            />
            <Button type="submit" size="md" fullWidth mt="md" loading={busy}>
              Sign in
            </Button>
          </form>
          <div className={css.help}>
            The first key is printed once, when the server starts for the first time, or is what <code>TAILORBIRD_API_KEY</code> was set to.
            Whoever has a key with the right to manage keys can make you one under Settings.
          </div>
        </div>
      </main>
      <div className={css.art}>
        <Art />
      </div>
    </div>
  );
}
