/* Requests to this site from a script, and forms that survive a new sign-in.

     import { sessionFetch, tokenFetch } from "/static/js/session.js";

     const response = await sessionFetch("/api/stats");            // session cookie of this site
     const api = tokenFetch({ base: "https://api.example.com" });  // tokens, in memory only
     api.setTokens({ accessToken, refreshToken });
     const response = await api("/api/stats");

   Both throw SignInRequired when the user is no longer signed in, or when a step-up is required.
   sessionFetch also goes to the sign-in page, unless you pass `{ navigate: false }`. htmx needs no
   function of this module: it goes to the sign-in page by itself (HX-Redirect). Every other response
   is returned as it is: a 503 has Retry-After if another try can help, and the user stays signed in.

   Pages that name their user (<html data-user>, or data-user of the script's element) preserve their
   forms: see preserveForms. Their own texts are in data-restored-text and data-open-form-label, in the
   language of the page. */

export class SignInRequired extends Error {
  constructor(body, response = null) {
    super(body.detail ?? "You are not signed in.");
    this.name = "SignInRequired";
    this.code = body.code ?? "not_authenticated";
    this.loginUrl = body.login_url ?? null;
    // With tokens, it names what a step-up requires of the new sign-in (RFC 9470).
    this.challenge = response?.headers.get("WWW-Authenticate") ?? "";
  }
}

const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);

/* Fetch with the session of this site: same origin only, with the CSRF token if one is required. */
export async function sessionFetch(input, { navigate = true, ...init } = {}) {
  const request = new Request(input, { credentials: "same-origin", ...init });
  if (new URL(request.url).origin !== location.origin) {
    throw new TypeError("sessionFetch is for URLs of this site only");
  }
  if (!request.headers.get("Accept")?.includes("json")) {
    request.headers.set("Accept", "application/json");
  }
  request.headers.set("X-Requested-With", "XMLHttpRequest");
  if (!SAFE_METHODS.has(request.method)) request.headers.set("X-CSRFToken", csrfToken());
  const response = await fetch(request);
  if (response.status !== 401) return response;
  const error = new SignInRequired(await jsonBody(response), response);
  if (navigate && error.loginUrl) location.assign(withFragment(error.loginUrl));
  throw error;
}

/* Add the fragment of this page, which no request contains, to the page to return to. */
function withFragment(loginUrl) {
  const url = new URL(loginUrl, location.href);
  const next = url.searchParams.get("next");
  if (!location.hash || next !== location.pathname + location.search) return loginUrl;
  url.searchParams.set("next", next + location.hash);
  return url.href;
}

/* Fetch with tokens, for one API. The tokens are held in this closure and never in storage, so they
   are lost with the page. Refreshed tokens are read from the response headers. `onTokens` is called
   with the tokens whenever they change, for an app that stores them itself. */
export function tokenFetch({ base = location.origin, onTokens = () => {} } = {}) {
  const api = new URL(base);
  let tokens = { accessToken: "", refreshToken: "" };

  async function send(path, init = {}) {
    const request = new Request(new URL(path, api), { credentials: "omit", ...init });
    if (new URL(request.url).origin !== api.origin) {
      throw new TypeError("this tokenFetch is for another API");
    }
    const sent = tokens;
    if (sent.accessToken) request.headers.set("Authorization", `Bearer ${sent.accessToken}`);
    if (sent.refreshToken) request.headers.set("X-Refresh-Token", sent.refreshToken);
    const response = await fetch(request);
    const accessToken = response.headers.get("X-Access-Token");
    if (accessToken && tokens === sent) {
      const refreshToken = response.headers.get("X-Refresh-Token") ?? sent.refreshToken;
      send.setTokens({ accessToken, refreshToken });
    }
    if (response.status !== 401) return response;
    throw new SignInRequired(await jsonBody(response), response);
  }

  send.setTokens = ({ accessToken, refreshToken = "" }) => {
    tokens = { accessToken, refreshToken };
    onTokens(tokens);
  };
  /* End the sign-in at the API, and clear the tokens, even if the API does not respond. */
  send.signOut = async () => {
    const { accessToken, refreshToken } = tokens;
    send.clearTokens();
    if (!accessToken) return;
    await fetch(new URL("/api/auth/sign-out", api), {
      method: "POST",
      credentials: "omit",
      headers: { Authorization: `Bearer ${accessToken}`, "Content-Type": "application/json" },
      body: JSON.stringify({ refreshToken }),
    });
  };
  send.clearTokens = () => send.setTokens({ accessToken: "" });
  return send;
}

async function jsonBody(response) {
  try {
    return (await response.json()) ?? {};
  } catch {
    return {};
  }
}

function cookie(name) {
  const pairs = document.cookie.split("; ").map((pair) => pair.split("="));
  // Another host of the domain can set a cookie with the plain name, but not with the prefix.
  const matches = [`__Host-${name}`, name].map((own) => pairs.find(([key]) => key === own));
  return matches.find(Boolean)?.[1] ?? "";
}

function csrfToken() {
  return cookie("csrftoken") || document.querySelector("[name=csrfmiddlewaretoken]")?.value || "";
}

/* Forms */

const STORAGE_KEY = "kept-forms";
const SIGNED_IN_AGAIN = "signed_in_again"; // a cookie that the callback sets for one minute
const MAX_STORED_LENGTH = 200_000; // characters, all forms of the page together
const EXCLUDED_TYPES = new Set(["password", "file", "hidden", "submit", "button", "image", "reset"]);

/* Preserve the unsent fields of this page's POST forms across a new sign-in.

   When the user leaves the page, the fields are stored in sessionStorage. When the same user returns
   to the page from signing in, they are restored. Passwords and files are never stored, a form is
   never submitted automatically, and any other navigation within the site deletes the fields. */
export function preserveForms() {
  const user = document.querySelector("[data-user]")?.dataset.user ?? "";
  const refused = document.querySelector("[data-unsent-form]");
  if (refused || document.querySelector("[data-try-again]")) {
    markReturn(); // the button leads back to the form, so the fields must not be deleted
    if (refused) showUnsent(refused);
    return;
  }
  const stored = takeStored();
  const mark = cookie(SIGNED_IN_AGAIN);
  // Another mark than before the user left the form: a sign-in in between, in this or another tab.
  if (mark && stored && mark !== stored.mark) {
    if (user && stored.user === user && stored.page === location.pathname) restore(stored.forms);
  }
  if (!user) return;
  const changed = new Set();
  document.addEventListener("input", ({ target }) => changed.add(target.form));
  window.addEventListener("pagehide", () => {
    const forms = postForms().filter(([, form]) => changed.has(form));
    if (!forms.length) return;
    store({
      user,
      mark: cookie(SIGNED_IN_AGAIN),
      page: location.pathname,
      forms: Object.fromEntries(forms.map(([name, form]) => [name, snapshot(form)])),
    });
  });
}

/* Show what was typed into a form that the site refused, for the user to copy. It was typed in this
   tab a moment ago. */
function showUnsent(page) {
  const stored = readStored();
  const back = document.referrer && new URL(document.referrer);
  if (back && back.origin === location.origin) {
    const link = page.querySelector("a");
    link.href = back.href;
    link.textContent = page.dataset.openFormLabel ?? "Open the form again";
  }
  for (const [name, , content] of Object.values(stored?.forms ?? {}).flat()) {
    if (typeof content !== "string" || !content.trim()) continue;
    const field = document.createElement("textarea");
    Object.assign(field, { value: content, readOnly: true, rows: Math.min(content.length / 60 + 1, 12) });
    const label = document.createElement("label");
    label.append(name, field);
    page.append(label);
  }
}

function markReturn() {
  const https = location.protocol === "https:";
  const name = https ? `__Host-${SIGNED_IN_AGAIN}` : SIGNED_IN_AGAIN;
  const value = Date.now().toString(36);
  document.cookie = `${name}=${value}; max-age=600; path=/; samesite=lax${https ? "; secure" : ""}`;
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
      !EXCLUDED_TYPES.has(field.type) &&
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

function restore(forms) {
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
      setValue(field, content, isChoice);
    }
    const notice = document.createElement("p");
    notice.className = "message";
    notice.setAttribute("role", "status");
    notice.textContent =
      document.querySelector("[data-restored-text]")?.dataset.restoredText ??
      "Your input was restored. It hasn't been sent yet.";
    form.prepend(notice);
  }
}

function setValue(field, content, isChoice) {
  if (isChoice) field.checked = content;
  else if (field.type === "select-multiple") {
    for (const option of field.options) option.selected = content.includes(option.value);
  } else field.value = content;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

function store(page) {
  try {
    const text = JSON.stringify(page);
    if (text.length <= MAX_STORED_LENGTH) sessionStorage.setItem(STORAGE_KEY, text);
  } catch {
    // Storage is blocked or full: the fields are lost, and everything else works.
  }
}

function readStored() {
  try {
    return JSON.parse(sessionStorage.getItem(STORAGE_KEY));
  } catch {
    return null;
  }
}

function takeStored() {
  const stored = readStored();
  try {
    sessionStorage.removeItem(STORAGE_KEY);
  } catch {
    // Storage is blocked, so nothing was read.
  }
  return stored;
}

if (document.querySelector("[data-user], [data-unsent-form]")) preserveForms();
