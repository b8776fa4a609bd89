/** The mark: a leaf whose seam is sewn by a needle that is just leaving it. */
export function Mark({ size = 28, title }: { size?: number; title?: string }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" role={title ? "img" : undefined} aria-hidden={title ? undefined : true} aria-label={title}>
      <path d="M4.2 27.8C1.6 15.4 9.4 6.4 23.6 8.4 25.6 22.6 16.6 30.4 4.2 27.8Z" fill="var(--mark-leaf, #2b7553)" />
      <path d="M6.4 25.6 18.6 13.4" stroke="var(--mark-stitch, #f6efe4)" strokeWidth="2.1" strokeDasharray="3.1 2.5" strokeLinecap="round" fill="none" />
      <path d="M19.8 12.2 29.6 2.4" stroke="var(--mark-needle, #d16a3c)" strokeWidth="2.2" strokeLinecap="round" fill="none" />
      <path d="M20.1 11.9c2.8 1.2 6.2 1 7.1 4.1.7 2.5-1.7 3.9-.9 6.5.4 1.3 1.4 2 2.7 2.3" stroke="var(--mark-needle, #d16a3c)" strokeWidth="1.5" strokeLinecap="round" fill="none" />
    </svg>
  );
}
