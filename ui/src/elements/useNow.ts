import { createContext, useContext, useEffect, useState } from "react";

/** How far the server's clock is ahead of this one, in milliseconds: a replay may run in another year. */
export const ClockSkew = createContext(0);

/** The server's current time, every half minute when `ticking`. */
export function useNow(ticking = true): Date {
  const skew = useContext(ClockSkew);
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!ticking) return;
    const timer = setInterval(() => setNow(Date.now()), 30_000);
    return () => clearInterval(timer);
  }, [ticking]);
  return new Date(now + skew);
}
