// Swagger UI for our OpenAPI document. "Authorize" uses the authorization code grant with PKCE and
// the public app client, because a browser cannot keep a secret.
"use strict";

const settings = JSON.parse(document.getElementById("swagger-settings").textContent);

// Another host of the domain can set a cookie with the plain name, but not with the prefix.
const cookie = (name) => document.cookie.match(`(?:^|; )${name}=([^;]+)`)?.[1];
const csrfToken = () => cookie("__Host-csrftoken") ?? cookie("csrftoken");

// Swagger UI has dark colors for a class, and this site has an attribute (theme.js).
const root = document.documentElement;
const prefersDark = matchMedia("(prefers-color-scheme: dark)");

function followTheme() {
  const { theme } = root.dataset;
  const isDark = theme === "dark" || (theme !== "light" && prefersDark.matches);
  root.classList.toggle("dark-mode", isDark);
}

followTheme();
prefersDark.addEventListener("change", followTheme);
new MutationObserver(followTheme).observe(root, { attributeFilter: ["data-theme"] });

const ui = SwaggerUIBundle({
  url: settings.schema,
  dom_id: "#swagger-ui",
  oauth2RedirectUrl: settings.redirect,
  defaultModelsExpandDepth: -1,
  requestInterceptor: (request) => {
    // Requests with the session of this site require the CSRF token.
    const token = csrfToken();
    const isSameOrigin = new URL(request.url, location.href).origin === location.origin;
    if (isSameOrigin && token && !["GET", "HEAD", undefined].includes(request.method)) {
      request.headers["X-CSRFToken"] = token;
    }
    // The token endpoint accepts plain form posts from other origins, without further headers.
    if (!isSameOrigin) delete request.headers["X-Requested-With"];
    return request;
  },
});

// Swagger UI skips a level of headings, and has fields, buttons, parts and scrolling texts without a
// name or without the focus.
const page = document.getElementById("swagger-ui");

const PARTS = {
  ".information-container": "About this API",
  ".scheme-container": "Server and authorization",
};

function labelOf(field) {
  if (field.id === "servers") return "Server";
  const { paramName } = field.closest("[data-param-name]")?.dataset ?? {};
  return paramName ?? (field.matches(".examples-select-element") ? "Example" : "Body");
}

function nameElements() {
  for (const heading of page.querySelectorAll("h3, h4, h5")) {
    heading.setAttribute("aria-level", Number(heading.localName[1]) - 1);
  }
  for (const field of page.querySelectorAll(":is(select, textarea):not([aria-label])")) {
    if (field.id === "servers" || !field.labels.length) field.setAttribute("aria-label", labelOf(field));
  }
  for (const text of page.querySelectorAll("pre:not([tabindex])")) text.tabIndex = 0;
  for (const [part, name] of Object.entries(PARTS)) {
    const element = page.querySelector(part);
    element?.setAttribute("role", "region");
    element?.setAttribute("aria-label", name);
  }
  page.querySelector(".close-modal")?.setAttribute("aria-label", "Close");
}

new MutationObserver(nameElements).observe(page, { childList: true, subtree: true });

ui.initOAuth({
  clientId: settings.clientId,
  scopes: settings.scopes,
  usePkceWithAuthorizationCodeGrant: true,
});
