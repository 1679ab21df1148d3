/* Submit the filters when a KPI is selected or cleared. Without scripts, "Apply" does this.

   The page reloads with the URL of the new view, and the focus returns to the same field. */
"use strict";

(() => {
  const form = document.querySelector("[data-filters]");
  if (!form) return;
  const KEY = "stats-filters-focus";

  const focused = sessionStorage.getItem(KEY);
  sessionStorage.removeItem(KEY);
  if (focused) document.getElementById(focused)?.focus();

  form.addEventListener("change", (event) => {
    if (event.target.name !== "kpi") return;
    // No selected KPI would show all of them, so the last one cannot be cleared.
    if (!form.querySelector("[name=kpi]:checked")) {
      event.target.checked = true;
      return;
    }
    sessionStorage.setItem(KEY, event.target.id);
    form.requestSubmit();
  });

  // Leave empty fields out of the URL.
  form.addEventListener("submit", () => {
    for (const field of form.querySelectorAll("input:not([type=checkbox])")) {
      field.disabled = field.value === "";
    }
  });
  addEventListener("pageshow", () => {
    for (const field of form.querySelectorAll("input:disabled")) field.disabled = false;
  });
})();
