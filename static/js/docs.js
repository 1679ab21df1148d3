// Swagger UI over our own OpenAPI document. "Authorize" is an authorization code with PKCE, asked
// for as the public app client: a browser cannot keep a secret.
"use strict";

const settings = JSON.parse(document.getElementById("swagger-settings").textContent);

// Another host of the domain can plant the plain name, but not the one with the prefix.
const cookie = (name) => document.cookie.match(`(?:^|; )${name}=([^;]+)`)?.[1];
const csrfToken = () => cookie("__Host-csrftoken") ?? cookie("csrftoken");

const ui = SwaggerUIBundle({
  url: settings.schema,
  dom_id: "#swagger-ui",
  oauth2RedirectUrl: settings.redirect,
  deepLinking: true,
  defaultModelsExpandDepth: -1,
  requestInterceptor: (request) => {
    // Calls made with this site's session need the CSRF token, as every form of it does.
    const token = csrfToken();
    const ours = new URL(request.url, location.href).origin === location.origin;
    if (ours && token && !["GET", "HEAD", undefined].includes(request.method)) {
      request.headers["X-CSRFToken"] = token;
    }
    // The token endpoint permits plain form posts of other origins, and no headers beside.
    if (!ours) delete request.headers["X-Requested-With"];
    return request;
  },
});

ui.initOAuth({
  clientId: settings.clientId,
  scopes: settings.scopes,
  usePkceWithAuthorizationCodeGrant: true,
});
