/* Give the icons of Django's permission lists a role, without which their label is not read out. */
"use strict";

addEventListener("load", () => {
  for (const icon of document.querySelectorAll(".help-tooltip[aria-label]")) {
    icon.setAttribute("role", "img");
  }
});
