// Two leaves sewn together along a seam: what the bird does, and what the product does with events and mail.
export function Art() {
  return (
    <svg viewBox="0 0 640 800" preserveAspectRatio="xMidYMid slice" aria-hidden="true">
      <defs>
        <linearGradient id="a" x1="0" y1="0" x2="1" y2="1"><stop offset="0" stopColor="#2f7d59" /><stop offset="1" stopColor="#1a5a3e" /></linearGradient>
        <linearGradient id="b" x1="1" y1="0" x2="0" y2="1"><stop offset="0" stopColor="#4f9c78" /><stop offset="1" stopColor="#26704e" /></linearGradient>
      </defs>
      <path d="M90 760C10 480 90 190 400 40 470 330 420 610 90 760Z" fill="url(#a)" />
      <path d="M140 770C130 520 250 260 590 190 600 470 460 720 140 770Z" fill="url(#b)" opacity="0.94" />
      <g stroke="#123c2a" strokeOpacity="0.35" strokeWidth="1.5" fill="none">
        <path d="M150 762C260 560 390 370 582 198" />
        <path d="M236 620c70 2 130-6 190-30M290 536c70 0 132-14 186-44M348 456c56 0 106-14 150-40M404 384c38 0 74-10 106-28" />
        <path d="M228 634c-6-50-2-100 14-150M284 546c-8-54-2-104 18-154M342 464c-6-46 2-90 22-132M400 390c-4-34 4-66 20-98" />
      </g>
      <path d="M128 742C150 560 250 350 430 236" stroke="#f3e7d8" strokeWidth="5" strokeDasharray="17 15" strokeLinecap="round" fill="none" />
      <path d="M442 229 566 150" stroke="#e58a5c" strokeWidth="7" strokeLinecap="round" />
      <path d="M440 228c34 8 64-14 92 8 30 24 0 52 24 76 18 18 44 12 60 30" stroke="#e58a5c" strokeWidth="3" fill="none" strokeLinecap="round" />
    </svg>
  );
}
