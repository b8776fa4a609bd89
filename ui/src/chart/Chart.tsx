import { useEffect, useMemo, useRef, useState } from "react";
import type { Drawn, EChartsOption, EChartsType } from "./echarts";
import css from "../elements/elements.module.css";

export interface Series {
  name: string;
  values: number[];
  kind: "bar" | "line" | "area";
  /** 1 to 4: the colour in the theme. */
  colour: 1 | 2 | 3 | 4;
}

interface Props {
  title: string;
  labels: string[];
  series: Series[];
  /** What to call the last day when it is not over, such as "today so far". It is drawn paler, or dashed. */
  unfinished?: string;
  height?: number;
  format: (n: number) => string;
  axis?: (n: number) => string;
}

/** Values over days. The library is loaded when the first chart is; the numbers are also there as a table for screen readers. */
export function Chart({ title, labels: dates, series, unfinished, height = 190, format, axis = format }: Props) {
  const labels = useMemo(() => (unfinished ? [...dates.slice(0, -1), unfinished] : dates), [dates, unfinished]);
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType>(null);
  const [ready, setReady] = useState(false);

  useEffect(() => {
    let gone = false;
    let observer: ResizeObserver | undefined;
    void import("./echarts").then(({ init }) => {
      if (gone || !host.current) return;
      chart.current = init(host.current);
      observer = new ResizeObserver(() => chart.current?.resize());
      observer.observe(host.current);
      setReady(true);
    });
    return () => {
      gone = true;
      observer?.disconnect();
      chart.current?.dispose();
      chart.current = null;
    };
  }, []);

  const scheme = useScheme();
  useEffect(() => {
    chart.current?.setOption(option(labels, series, !!unfinished, format, axis), { notMerge: true });
  }, [ready, scheme, labels, series, unfinished, format, axis]);

  return (
    <figure className={css.figure} aria-label={title}>
      <div ref={host} className={css.chart} style={{ height }} aria-hidden="true" />
      <table style={{ position: "absolute", width: 1, height: 1, overflow: "hidden", clipPath: "inset(50%)", display: "block", whiteSpace: "nowrap" }}>
        <caption>{title}</caption>
        <thead>
          <tr>
            <th scope="col">Day</th>
            {series.map((s) => (
              <th key={s.name} scope="col">
                {s.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {labels.map((day, i) => (
            <tr key={day}>
              <th scope="row">{day}</th>
              {series.map((s) => (
                <td key={s.name}>{format(s.values[i] ?? 0)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </figure>
  );
}

/** Follows the page's colour scheme, since the chart takes its colours from the page when it is drawn. */
function useScheme(): string {
  const read = () => document.documentElement.getAttribute("data-mantine-color-scheme") ?? "light";
  const [scheme, setScheme] = useState(read);
  useEffect(() => {
    const observer = new MutationObserver(() => setScheme(read()));
    observer.observe(document.documentElement, { attributes: true, attributeFilter: ["data-mantine-color-scheme"] });
    return () => observer.disconnect();
  }, []);
  return scheme;
}

function option(labels: string[], series: Series[], partial: boolean, format: (n: number) => string, axis: (n: number) => string): EChartsOption {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const font = { fontFamily: colour("--mantine-font-family") || "sans-serif", fontSize: 12, color: colour("--ink-soft") };
  return {
    animation: !still,
    animationDuration: 350,
    textStyle: font,
    grid: { left: 4, right: 8, top: series.length > 1 ? 34 : 10, bottom: 2, containLabel: true },
    legend: series.length > 1 ? { top: 0, left: 0, itemWidth: 12, itemHeight: 8, itemGap: 16, icon: "roundRect", textStyle: font, inactiveColor: colour("--line-strong") } : undefined,
    tooltip: {
      trigger: "axis",
      backgroundColor: colour("--panel"),
      borderColor: colour("--line-strong"),
      textStyle: { ...font, color: colour("--ink"), fontSize: 13 },
      axisPointer: { type: "line", lineStyle: { color: colour("--line-strong"), type: "dashed" } },
      formatter: (hovered) => tooltip(labels, series, colour, format, (Array.isArray(hovered) ? hovered[0] : hovered)?.dataIndex ?? 0),
    },
    xAxis: {
      type: "category",
      data: labels,
      boundaryGap: series.some((s) => s.kind === "bar"),
      axisLine: { lineStyle: { color: colour("--line-strong") } },
      axisTick: { show: false },
      axisLabel: { ...font, hideOverlap: true, showMaxLabel: partial || undefined, alignMaxLabel: partial || !series.some((s) => s.kind === "bar") ? "right" : undefined, alignMinLabel: series.some((s) => s.kind === "bar") ? undefined : "left" },
    },
    yAxis: { type: "value", minInterval: 1, splitNumber: 3, splitLine: { lineStyle: { color: colour("--line"), type: [3, 4] } }, axisLabel: { ...font, formatter: (v: number) => axis(v) } },
    series: series.flatMap((s) => drawn(s, colour(`--series-${s.colour}`), partial)),
  };
}

/** A series as the library draws it; of a line, the way to a day that is not over is a dashed one of its own. */
function drawn(s: Series, own: string, partial: boolean): Drawn[] {
  const last = s.values.length - 1;
  if (s.kind === "bar") {
    const data = s.values.map((value, i) => (partial && i === last ? { value, itemStyle: { opacity: 0.45 } } : value));
    return [{ type: "bar", name: s.name, data, itemStyle: { color: own, borderRadius: [3, 3, 0, 0] }, barMaxWidth: 22, barGap: "12%" }];
  }
  const line = (data: (number | null)[], dashed: boolean): Drawn => ({
    type: "line",
    name: s.name,
    data,
    symbol: "circle",
    symbolSize: 5,
    showSymbol: false,
    lineStyle: { color: own, width: 2, type: dashed ? [4, 4] : "solid" },
    itemStyle: { color: own },
    areaStyle: s.kind === "area" ? { color: own, opacity: dashed ? 0.05 : 0.12 } : undefined,
  });
  if (!partial || last < 1) return [line(s.values, false)];
  return [line(s.values.slice(0, -1), false), line(s.values.map((v, i) => (i < last - 1 ? null : v)), true)];
}

/** The numbers of one day, with the colours of their series. */
function tooltip(labels: string[], series: Series[], colour: (name: string) => string, format: (n: number) => string, day: number): HTMLElement {
  const box = document.createElement("div");
  box.append(labels[day] ?? "");
  for (const s of series) {
    const row = box.appendChild(document.createElement("div"));
    Object.assign(row.style, { display: "flex", alignItems: "center", gap: "7px", marginTop: "4px" });
    const dot = row.appendChild(document.createElement("span"));
    Object.assign(dot.style, { width: "9px", height: "9px", borderRadius: "50%", background: colour(`--series-${s.colour}`) });
    row.append(s.name);
    const number = row.appendChild(document.createElement("strong"));
    Object.assign(number.style, { marginLeft: "auto", paddingLeft: "14px", fontWeight: "600" });
    number.append(format(s.values[day] ?? 0));
  }
  return box;
}
