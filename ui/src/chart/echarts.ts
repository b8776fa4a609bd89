// The parts of ECharts in use, and no others.
import { BarChart, type BarSeriesOption, LineChart, type LineSeriesOption } from "echarts/charts";
import { GridComponent, type GridComponentOption, LegendPlainComponent, type LegendComponentOption, TooltipComponent, type TooltipComponentOption } from "echarts/components";
import { type ComposeOption, type EChartsType, init as start, use as register } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";

register([BarChart, LineChart, GridComponent, LegendPlainComponent, TooltipComponent, SVGRenderer]);

export type { EChartsType };
export type EChartsOption = ComposeOption<BarSeriesOption | LineSeriesOption | GridComponentOption | LegendComponentOption | TooltipComponentOption>;

/** One series as the library takes it. */
export type Drawn = BarSeriesOption | LineSeriesOption;

export function init(host: HTMLElement): EChartsType {
  return start(host, null, { renderer: "svg" });
}
