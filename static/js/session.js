/* Asking this site from a script, and keeping what people typed when they must sign in again.

     import { sessionFetch, tokenFetch } from "/static/js/session.js";

     const answer = await sessionFetch("/api/stats");              // cookie session of this site
     const api = tokenFetch({ base: "https://api.example.com" });  // tokens, kept in memory alone
     api.setTokens({ accessToken, refreshToken });
     const answer = await api("/api/stats");

   Both throw SignInNeeded when nobody is signed in any more; sessionFetch also goes there, unless
   told `{ navigate: false }`. Whatever else comes back is the caller's: a 503 says in Retry-After
   when to try again, and nobody was signed out for it.

   Pages that name their person (<html data-person>) have their forms kept: see keepForms. */

export class SignInNeeded extends Error {
  constructor(body) {
    super(body.detail ?? "You are not signed in.");
    this.name = "SignInNeeded";
    this.code = body.code ?? "not_authenticated";
    this.loginUrl = body.login_url ?? null;
  }
}

const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);

/* fetch with this site's session: same origin only, CSRF token where one is needed. */
export async function sessionFetch(input, { navigate = true, ...init } = {}) {
  const request = new Request(input, { credentials: "same-origin", ...init });
  if (new URL(request.url).origin !== location.origin) {
    throw new TypeError("sessionFetch is for this site's own addresses");
  }
  if (!request.headers.get("Accept")?.includes("json")) {
    request.headers.set("Accept", "application/json");
  }
  request.headers.set("X-Requested-With", "XMLHttpRequest");
  if (!SAFE_METHODS.has(request.method)) request.headers.set("X-CSRFToken", csrfToken());
  const response = await fetch(request);
  if (response.status !== 401) return response;
  const needed = new SignInNeeded(await bodyOf(response));
  if (navigate && needed.loginUrl) location.assign(needed.loginUrl);
  throw needed;
}

/* fetch with tokens, for one API. They live in this closure and never in storage, so they end with
   the page; renewed ones are taken from the answers' headers. */
export function tokenFetch({ base = location.origin } = {}) {
  const api = new URL(base);
  let tokens = { accessToken: "", refreshToken: "" };

  async function ask(path, init = {}) {
    const request = new Request(new URL(path, api), { credentials: "omit", ...init });
    if (new URL(request.url).origin !== api.origin) {
      throw new TypeError("this tokenFetch is for another API");
    }
    const sent = tokens;
    if (sent.accessToken) request.headers.set("Authorization", `Bearer ${sent.accessToken}`);
    if (sent.refreshToken) request.headers.set("X-Refresh-Token", sent.refreshToken);
    const response = await fetch(request);
    if (tokens === sent) {
      tokens = {
        accessToken: response.headers.get("X-Access-Token") ?? sent.accessToken,
        refreshToken: response.headers.get("X-Refresh-Token") ?? sent.refreshToken,
      };
    }
    if (response.status !== 401) return response;
    throw new SignInNeeded(await bodyOf(response));
  }

  ask.setTokens = ({ accessToken, refreshToken = "" }) => {
    tokens = { accessToken, refreshToken };
  };
  ask.forgetTokens = () => ask.setTokens({ accessToken: "" });
  return ask;
}

async function bodyOf(response) {
  try {
    return (await response.json()) ?? {};
  } catch {
    return {};
  }
}

function cookie(name) {
  const pairs = document.cookie.split("; ").map((pair) => pair.split("="));
  // Another host of the domain can plant the plain name, but not the one with the prefix.
  const found = [`__Host-${name}`, name].map((own) => pairs.find(([key]) => key === own));
  return found.find(Boolean)?.[1] ?? "";
}

function csrfToken() {
  return cookie("csrftoken") || document.querySelector("[name=csrfmiddlewaretoken]")?.value || "";
}

/* Forms */

const STORE = "kept-forms";
const CAME_BACK = "signed_in_again"; // the callback sets it for a minute: a return, not a visit
const LONGEST = 200_000; // characters of all that is kept
const NEVER_KEPT = new Set(["password", "file", "hidden", "submit", "button", "image", "reset"]);

/* Keep the unsent fields of this page's POST forms over a new sign-in.

   What was typed is put into sessionStorage when the page is left, and back into the fields when
   the same person returns to it from signing in: never passwords or files, never sent again by
   itself, and forgotten on any other way through the site. */
export function keepForms() {
  const person = document.documentElement.dataset.person ?? "";
  if (document.querySelector("[data-try-again]")) {
    markReturn(600); // "try again" leads back to the form: it is no other way through the site
    return;
  }
  const kept = take();
  if (cookie(CAME_BACK)) {
    markReturn(0);
    if (person && kept?.person === person && kept.page === location.pathname) refill(kept.forms);
  }
  if (!person) return;
  const changed = new Set();
  document.addEventListener("input", ({ target }) => changed.add(target.form));
  window.addEventListener("pagehide", () => {
    const forms = postForms().filter(([, form]) => changed.has(form));
    if (!forms.length) return;
    keep({
      person,
      page: location.pathname,
      forms: Object.fromEntries(forms.map(([name, form]) => [name, snapshot(form)])),
    });
  });
}

function markReturn(seconds) {
  const https = location.protocol === "https:";
  const name = https ? `__Host-${CAME_BACK}` : CAME_BACK;
  document.cookie = `${name}=1; max-age=${seconds}; path=/; samesite=lax${https ? "; secure" : ""}`;
}

function postForms() {
  return [...document.forms]
    .map((form, index) => [form.id || `form ${index}`, form])
    .filter(([, form]) => form.method === "post" && form.dataset.keep !== "no");
}

function fields(form) {
  return [...form.elements].filter(
    (field) =>
      field.name &&
      field.type &&
      !NEVER_KEPT.has(field.type) &&
      !/one-time-code|cc-|password/.test(field.autocomplete ?? ""),
  );
}

function snapshot(form) {
  return fields(form).map((field) => {
    if (field.type === "checkbox" || field.type === "radio") {
      return [field.name, field.value, field.checked];
    }
    if (field.type === "select-multiple") {
      return [field.name, null, [...field.selectedOptions].map((option) => option.value)];
    }
    return [field.name, null, field.value];
  });
}

function refill(forms) {
  for (const [name, form] of postForms()) {
    if (!forms[name]) continue;
    const stored = [...forms[name]];
    for (const field of fields(form)) {
      const isChoice = field.type === "checkbox" || field.type === "radio";
      const index = stored.findIndex(
        ([key, value]) => key === field.name && (!isChoice || value === field.value),
      );
      if (index < 0) continue;
      const [[, , content]] = stored.splice(index, 1);
      put(field, content, isChoice);
    }
    const notice = document.createElement("p");
    notice.className = "message";
    notice.setAttribute("role", "status");
    notice.textContent = "What you typed is back; nothing was sent yet.";
    form.prepend(notice);
  }
}

function put(field, content, isChoice) {
  if (isChoice) field.checked = content;
  else if (field.type === "select-multiple") {
    for (const option of field.options) option.selected = content.includes(option.value);
  } else field.value = content;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

function keep(what) {
  try {
    const text = JSON.stringify(what);
    if (text.length <= LONGEST) sessionStorage.setItem(STORE, text);
  } catch {
    // Storage is refused or full: then nothing is kept, and nothing else breaks.
  }
}

function take() {
  try {
    const text = sessionStorage.getItem(STORE);
    sessionStorage.removeItem(STORE);
    return JSON.parse(text);
  } catch {
    return null;
  }
}

if ("person" in document.documentElement.dataset) keepForms();
