// Runs before the first paint, so that a dark screen never flashes white. A file, not an inline script: the content
// security policy allows only scripts of this site.
(function () {
  var wish = "auto";
  try {
    wish = localStorage.getItem("mantine-color-scheme-value") || "auto";
  } catch (e) {
    // storage is off: follow the system
  }
  var dark = wish === "dark" || (wish === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.setAttribute("data-mantine-color-scheme", dark ? "dark" : "light");
})();
