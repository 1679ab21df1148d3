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
    // No selected KPI would select all of them, so the last one of a chart cannot be cleared.
    const isOverview = !document.querySelector("[data-chart]");
    if (!isOverview && !form.querySelector("[name=kpi]:checked")) {
      event.target.checked = true;
      return;
    }
    sessionStorage.setItem(KEY, event.target.id);
    form.requestSubmit();
  });

  // Leave empty fields and the default start out of the URL. An empty start stays: without it, the
  // default applies.
  form.addEventListener("submit", () => {
    for (const field of form.querySelectorAll("input:not([type=checkbox])")) {
      field.disabled = field.value === "" && field.name !== "from";
    }
    const { from, to } = form.elements;
    if (from.value && from.value === form.dataset.filters && !to.value) from.disabled = true;
  });
  addEventListener("pageshow", () => {
    for (const field of form.querySelectorAll("input:disabled")) field.disabled = false;
  });
})();
