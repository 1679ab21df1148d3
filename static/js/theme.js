/* Switch between the light, dark and system theme, for the pages and the admin together.

   Loaded in the head without "defer", so that the first paint has the right colors. The key and the
   values are those of Django's admin/js/theme.js (localStorage "theme": auto, light, dark;
   data-theme on the root element). If storage is blocked, the choice lasts for this page only. */
"use strict";

(() => {
  const THEMES = ["auto", "light", "dark"];
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
      // Private windows and strict settings block storage. The page still works.
    }
  }

  function show(theme) {
    root.dataset.theme = THEMES.includes(theme) ? theme : "auto";
    for (const label of document.querySelectorAll("[data-theme-label]")) {
      // The names of THEMES in the language of the page.
      const names = label.closest("[data-theme-labels]").dataset.themeLabels.split("|");
      label.textContent = names[THEMES.indexOf(root.dataset.theme)];
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

  // The theme was changed in another tab, or in the admin.
  window.addEventListener("storage", (event) => {
    if (event.key === "theme") show(event.newValue);
  });
})();
