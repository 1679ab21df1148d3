/* A KPI that is ticked or unticked shows at once; without scripts "Apply" does it.

   The page is loaded anew under the address of the new view, and the focus goes back to where it
   was. */
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
    // With nothing ticked the view would be everything again: the last one stays.
    if (!form.querySelector("[name=kpi]:checked")) {
      event.target.checked = true;
      return;
    }
    sessionStorage.setItem(KEY, event.target.id);
    form.requestSubmit();
  });

  // Empty fields stay out of the address.
  form.addEventListener("submit", () => {
    for (const field of form.querySelectorAll("input:not([type=checkbox])")) {
      field.disabled = field.value === "";
    }
  });
  addEventListener("pageshow", () => {
    for (const field of form.querySelectorAll("input:disabled")) field.disabled = false;
  });
})();
