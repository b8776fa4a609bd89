// One stroke weight, round ends, drawn on a 20-unit grid.
const shapes = {
  home: "M3 9.5 10 3.5l7 6M5 8.2V16.5h10V8.2M8.3 16.5v-4.5h3.4v4.5",
  people: "M7.5 9.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM2 16.5c.3-3 2.3-4.8 5.5-4.8s5.2 1.8 5.5 4.8M13 3.8a3 3 0 0 1 0 5.4M15 12.3c1.8.6 2.8 2.1 3 4.2",
  segment: "M7.8 14a5 5 0 1 0 0-8 5 5 0 0 0 0 8M12.2 6a5 5 0 1 1 0 8M10 7.5v5",
  source: "M3.5 4v12M6.5 4v12M17 10H9.5M13 6.5 9.5 10l3.5 3.5",
  trait: "M3.5 6h13M3.5 14h13M7 6a2 2 0 1 0 0 .01M13 14a2 2 0 1 0 0 .01",
  template: "M4 3.5h12v13H4zM4 7.5h12M8.5 7.5v9",
  campaign: "m3 9.5 14-6-4.5 13.5-3-5.5zM9.5 11.5 17 3.5",
  mailbox: "M3 5h14v10.5H3zM3 11h4l1.2 2h3.6L13 11h4",
  settings: "M4 5h6M14 5h2M4 10h2M10 10h6M4 15h7M15 15h1M12 3.5v3M8 8.5v3M13 13.5v3",
  search: "M9 14.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11ZM13 13l4 4",
  plus: "M10 4v12M4 10h12",
  close: "m5 5 10 10M15 5 5 15",
  check: "m4 10.5 4 4 8-9",
  warning: "M10 3.5 17.5 16.5h-15zM10 8.5v3.8M10 14.3v.1",
  info: "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM10 9v4.5M10 6.5v.1",
  phone: "M6 2.5h8v15H6zM9 15h2",
  desktop: "M2.5 4h15v9.5h-15zM7 16.5h6M10 13.5v3",
  moon: "M16 11.8A6.5 6.5 0 0 1 8.2 4 6.5 6.5 0 1 0 16 11.8Z",
  sun: "M10 13.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM10 2v1.5M10 16.5V18M2 10h1.5M16.5 10H18M4.3 4.3l1 1M14.7 14.7l1 1M15.7 4.3l-1 1M5.3 14.7l-1 1",
  auto: "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM10 3v14M10 6.5l4 0M10 10h6.8M10 13.5h4.5",
  trash: "M4 5.5h12M8 5.5V3.5h4v2M5.5 5.5l.8 11h7.4l.8-11M8.5 8.5v5M11.5 8.5v5",
  pause: "M7 4.5v11M13 4.5v11",
  play: "M6 4v12l10-6z",
  leave: "M12 6V3.5H4v13h8V14M8.5 10H17M14 7l3 3-3 3",
  copy: "M7 7h9.5v9.5H7zM4 12.5H3.5v-9h9V4",
  back: "M12 4.5 6.5 10l5.5 5.5",
  down: "M4.5 7.5 10 13l5.5-5.5",
  shop: "M3.5 8h13l-.8 8.5H4.3zM7 8V6.5a3 3 0 0 1 6 0V8",
  eye: "M2 10s3-5.5 8-5.5 8 5.5 8 5.5-3 5.5-8 5.5S2 10 2 10ZM10 12.3a2.3 2.3 0 1 0 0-4.6 2.3 2.3 0 0 0 0 4.6Z",
  cart: "M2.5 3.5h2l2 9.5h8.5l1.5-6.5H5.3M7.5 16.5v.1M14 16.5v.1",
  bag: "M4.5 6.5h11l.8 10H3.7zM7.5 9V5.5a2.5 2.5 0 0 1 5 0V9",
  cursor: "m5 3.5 11 5-4.7 1.8L9.5 15z",
  dot: "M10 12.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z",
  user: "M10 10a3.3 3.3 0 1 0 0-6.6A3.3 3.3 0 0 0 10 10ZM3.5 17c.4-3.3 2.9-5 6.5-5s6.1 1.7 6.5 5",
  page: "M5 2.5h7l3.5 3.5v11.5H5zM12 2.5V6h3.5",
  more: "M4 10a.6.6 0 1 0 1.2 0 .6.6 0 0 0-1.2 0M9.4 10a.6.6 0 1 0 1.2 0 .6.6 0 0 0-1.2 0M14.8 10a.6.6 0 1 0 1.2 0 .6.6 0 0 0-1.2 0",
  undo: "M4 8h8a4.5 4.5 0 0 1 0 9H8M7 4.5 3.5 8 7 11.5",
  redo: "M16 8H8a4.5 4.5 0 0 0 0 9h4M13 4.5 16.5 8 13 11.5",
  key: "M7 13a3.5 3.5 0 1 1 3-5.3L17 7.7v3h-2v2h-2.5v-2l-2.5-.2A3.5 3.5 0 0 1 7 13ZM6.5 9.5v.1",
} as const;

export type IconName = keyof typeof shapes;

export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 20 20" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true" style={{ flex: "none" }}>
      <path d={shapes[name]} />
    </svg>
  );
}
