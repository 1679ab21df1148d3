// Cookie mode: the site serves the app, and signs the user in. Its session cookie is HttpOnly, so the
// app holds no tokens, and nothing has to be refreshed.
import { sessionFetch } from "../../../static/js/session.js";

const page = location.pathname;

export const api = (path, init) => sessionFetch(path, { navigate: false, ...init });

export function start() {}

/* A 401 names the URL of the sign-in. It returns to this page, and asks for a more recent or a stronger
   sign-in if one is required. */
export function signIn({ loginUrl } = {}) {
  location.assign(loginUrl ?? `/accounts/login/?${new URLSearchParams({ next: page })}`);
}

/* A real form: the browser follows the redirect to the hosted UI, which ends its own session too. */
export function signOut() {
  const form = document.createElement("form");
  Object.assign(form, { method: "post", action: "/accounts/logout/", hidden: true });
  const next = document.createElement("input");
  Object.assign(next, { name: "next", value: page });
  form.append(next);
  document.body.append(form);
  form.submit();
}
