// Loaded before the page is drawn, so that a chosen light theme does not flash dark. Dark unless light was chosen.
(() => {
  let chosen = "dark";
  try {
    chosen = localStorage.getItem("tumorscope.theme") === "light" ? "light" : "dark";
  } catch {
    // storage may be forbidden; the page is then dark each time
  }
  document.documentElement.dataset.theme = chosen;
})();
