// Token mode: the app has an origin of its own, and its tokens in sessionStorage: they survive a reload,
// and end with the tab. A script that is injected into the page could take them.
import { SignInRequired, tokenFetch } from "../../../static/js/session.js";

const { VITE_API_URL, VITE_COGNITO_CLIENT_HOST, VITE_COGNITO_CLIENT_ID } = import.meta.env;
const redirectUri = `${location.origin}/signin`;

export const api = tokenFetch({
  base: VITE_API_URL,
  onTokens: (tokens) => sessionStorage.setItem("tokens", JSON.stringify(tokens)),
});

/* Load the stored tokens, or exchange the code that the hosted UI has sent the browser back with. */
export async function start() {
  api.setTokens(JSON.parse(sessionStorage.getItem("tokens")) ?? { accessToken: "" });
  if (location.pathname === "/signin") await exchangeCode(new URLSearchParams(location.search));
}

async function exchangeCode(query) {
  const { state, codeVerifier } = JSON.parse(sessionStorage.getItem("attempt")) ?? {};
  sessionStorage.removeItem("attempt");
  history.replaceState(null, "", "/"); // the code must not stay in the history
  if (!state || query.get("state") !== state) refuse("That sign-in did not begin in this tab.");
  if (query.has("error")) refuse(query.get("error_description") ?? query.get("error"));
  const response = await fetch(`${VITE_API_URL}/api/auth/get-tokens`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ code: query.get("code"), redirectUri, codeVerifier }),
  });
  const body = await response.json();
  if (!response.ok) throw new SignInRequired(body); // the code cannot be used again
  api.setTokens(body);
}

function refuse(detail) {
  throw new SignInRequired({ detail, code: "sign_in_failed" });
}

/* The challenge of a step-up (RFC 9470) names what the new sign-in must have. */
export async function signIn({ challenge = "", code = "" } = {}) {
  const state = randomText();
  const codeVerifier = randomText();
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(codeVerifier));
  sessionStorage.setItem("attempt", JSON.stringify({ state, codeVerifier }));
  const query = new URLSearchParams({
    response_type: "code",
    client_id: VITE_COGNITO_CLIENT_ID,
    redirect_uri: redirectUri,
    scope: "openid email profile",
    state,
    code_challenge: base64url(new Uint8Array(hash)),
    code_challenge_method: "S256",
  });
  for (const [, name, value] of challenge.matchAll(/\b(max_age|acr_values)="?([^",]+)/g)) {
    query.set(name, value);
  }
  // Otherwise, the hosted UI would continue the session that the user has ended.
  if (code === "signed_out_everywhere") query.set("prompt", "login");
  location.assign(`${VITE_COGNITO_CLIENT_HOST}/oauth2/authorize?${query}`);
}

/* First at the API, which revokes the tokens, then at the hosted UI, which ends its own session. */
export async function signOut() {
  await api.signOut().catch(() => {}); // if the API does not respond, the tokens are deleted here only
  const query = new URLSearchParams({
    client_id: VITE_COGNITO_CLIENT_ID,
    logout_uri: `${location.origin}/signout`,
  });
  location.assign(`${VITE_COGNITO_CLIENT_HOST}/logout?${query}`);
}

const randomText = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

const base64url = (bytes) =>
  btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
