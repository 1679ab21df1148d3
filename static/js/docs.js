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
  deepLinking: true,
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

ui.initOAuth({
  clientId: settings.clientId,
  scopes: settings.scopes,
  usePkceWithAuthorizationCodeGrant: true,
});
