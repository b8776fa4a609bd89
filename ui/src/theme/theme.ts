import { createTheme, type MantineColorsTuple } from "@mantine/core";

// The bird's colours: the leaf it sews, the rufous of its cap for the thread, and greys with a breath of green.
const leaf: MantineColorsTuple = ["#edf6f1", "#d8eae0", "#b3d6c4", "#88bfa3", "#60a884", "#43926c", "#337c5a", "#256648", "#1a4f38", "#103a29"];
const rufous: MantineColorsTuple = ["#fdf1ea", "#f9ddcf", "#f1bca3", "#e89a75", "#df7d50", "#d16a3c", "#b9562b", "#984522", "#77361b", "#582713"];
const amber: MantineColorsTuple = ["#fff6e0", "#fdeabf", "#f8d68c", "#f2c057", "#e8aa2c", "#d1921a", "#ad7510", "#8a5a0b", "#6e4607", "#553503"];
const gray: MantineColorsTuple = ["#f7f9f7", "#eff3f0", "#e3e9e5", "#d3dbd6", "#b6c1ba", "#919e96", "#6b7871", "#4d5a53", "#333e38", "#1d2621"];
const dark: MantineColorsTuple = ["#d5ded8", "#b4c0b9", "#93a29a", "#64736b", "#3d4a43", "#2e3933", "#212a25", "#181f1b", "#111713", "#0b100d"];

export const theme = createTheme({
  colors: { leaf, rufous, amber, gray, dark },
  primaryColor: "leaf",
  primaryShade: { light: 7, dark: 6 },
  white: "#ffffff",
  black: "#1b2420",
  fontFamily: '"Instrument Sans Variable", system-ui, -apple-system, "Segoe UI", Roboto, sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", "Cascadia Code", "JetBrains Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace',
  headings: {
    fontWeight: "620",
    sizes: {
      h1: { fontSize: "1.625rem", lineHeight: "1.2" },
      h2: { fontSize: "1.0625rem", lineHeight: "1.35" },
      h3: { fontSize: "0.9375rem", lineHeight: "1.4" },
    },
  },
  defaultRadius: "md",
  radius: { xs: "3px", sm: "5px", md: "8px", lg: "12px", xl: "20px" },
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    Modal: { defaultProps: { centered: true, overlayProps: { backgroundOpacity: 0.45, blur: 2 }, closeButtonProps: { "aria-label": "Close" } } },
    Notification: { defaultProps: { closeButtonProps: { "aria-label": "Dismiss" } } },
    Drawer: { defaultProps: { closeButtonProps: { "aria-label": "Close" } } },
    Tooltip: { defaultProps: { openDelay: 250, withArrow: true } },
    Badge: { defaultProps: { variant: "light", radius: "sm", tt: "none", fw: 560 } },
  },
});
