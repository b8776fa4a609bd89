import { useEffect, useRef, useState } from "react";
import type { EChartsOption, EChartsType } from "./echarts";
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
  height?: number;
  format: (n: number) => string;
  axis?: (n: number) => string;
}

/** Values over days. The library is loaded when the first chart is; the numbers are also there as a table for screen readers. */
export function Chart({ title, labels, series, height = 190, format, axis = format }: Props) {
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
    chart.current?.setOption(option(labels, series, format, axis), { notMerge: true });
  }, [ready, scheme, labels, series, format, axis]);

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

function option(labels: string[], series: Series[], format: (n: number) => string, axis: (n: number) => string): EChartsOption {
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
      valueFormatter: (v) => format(Number(v ?? 0)),
    },
    xAxis: {
      type: "category",
      data: labels,
      boundaryGap: series.some((s) => s.kind === "bar"),
      axisLine: { lineStyle: { color: colour("--line-strong") } },
      axisTick: { show: false },
      axisLabel: { ...font, hideOverlap: true, alignMaxLabel: series.some((s) => s.kind === "bar") ? undefined : "right", alignMinLabel: series.some((s) => s.kind === "bar") ? undefined : "left" },
    },
    yAxis: { type: "value", minInterval: 1, splitNumber: 3, splitLine: { lineStyle: { color: colour("--line"), type: [3, 4] } }, axisLabel: { ...font, formatter: (v: number) => axis(v) } },
    series: series.map((s) => {
      const own = colour(`--series-${s.colour}`);
      if (s.kind === "bar") return { type: "bar", name: s.name, data: s.values, itemStyle: { color: own, borderRadius: [3, 3, 0, 0] }, barMaxWidth: 22, barGap: "12%" };
      return {
        type: "line",
        name: s.name,
        data: s.values,
        symbol: "circle",
        symbolSize: 5,
        showSymbol: false,
        smooth: 0.25,
        smoothMonotone: "x",
        lineStyle: { color: own, width: 2 },
        itemStyle: { color: own },
        areaStyle: s.kind === "area" ? { color: own, opacity: 0.12 } : undefined,
      };
    }),
  };
}
