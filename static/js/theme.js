/* Light, dark or as the system has it: one choice for the pages and the admin.

   Loaded in the head without "defer", so that the first paint has the right colours. The key and
   the values are those of Django's admin/js/theme.js (localStorage "theme": auto, light, dark;
   data-theme on the root element). Where storage is refused the choice lasts for the page. */
"use strict";

(() => {
  const THEMES = ["auto", "light", "dark"];
  const LABELS = { auto: "Auto", light: "Light", dark: "Dark" };
  const root = document.documentElement;

  function stored() {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null;
    }
  }

  function store(theme) {
    try {
      localStorage.setItem("theme", theme);
    } catch {
      // Private windows and strict settings refuse storage; the page is still right.
    }
  }

  function show(theme) {
    root.dataset.theme = THEMES.includes(theme) ? theme : "auto";
    for (const label of document.querySelectorAll("[data-theme-label]")) {
      label.textContent = LABELS[root.dataset.theme];
    }
  }

  show(stored());

  document.addEventListener("DOMContentLoaded", () => {
    show(root.dataset.theme);
    for (const toggle of document.querySelectorAll("[data-theme-toggle]")) {
      toggle.hidden = false;
      toggle.addEventListener("click", () => {
        const next = THEMES[(THEMES.indexOf(root.dataset.theme) + 1) % THEMES.length];
        store(next);
        show(next);
      });
    }
  });

  // Another tab, or the admin in one, changed the theme.
  window.addEventListener("storage", (event) => {
    if (event.key === "theme") show(event.newValue);
  });
})();
