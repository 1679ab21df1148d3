// A single-page app as a build leaves it: it signs in with PKCE as the public client, and calls the
// API with its access token. config.json has its settings.
const base = "/ledger/";
const config = await (await fetch(`${base}config.json`)).json();
const element = (id) => document.getElementById(id);
const redirectUri = `${location.origin}${base}signin`;
let accessToken = "";

function base64url(bytes) {
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

async function signIn() {
  const attempt = { state: random(), verifier: random(), page: location.pathname };
  sessionStorage.setItem("attempt", JSON.stringify(attempt));
  const bytes = new TextEncoder().encode(attempt.verifier);
  const query = new URLSearchParams({
    client_id: config.clientId,
    response_type: "code",
    redirect_uri: redirectUri,
    scope: "openid email profile",
    state: attempt.state,
    code_challenge: base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))),
    code_challenge_method: "S256",
  });
  location.assign(`${config.hostedUi}/oauth2/authorize?${query}`);
}

async function finishSignIn() {
  const attempt = JSON.parse(sessionStorage.getItem("attempt"));
  const callback = new URLSearchParams(location.search);
  if (callback.get("state") !== attempt.state) throw new Error("another state");
  const response = await fetch(`${config.hostedUi}/oauth2/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "authorization_code",
      client_id: config.clientId,
      redirect_uri: redirectUri,
      code: callback.get("code"),
      code_verifier: attempt.verifier,
    }),
  });
  accessToken = (await response.json()).access_token;
  history.replaceState(null, "", attempt.page);
}

function call(method, body) {
  const headers = { authorization: `Bearer ${accessToken}`, "content-type": "application/json" };
  return fetch(`${config.api}/api/stats`, { method, headers, body });
}

async function showFigures() {
  const response = await call("GET");
  const { data } = await response.json();
  element("figures").textContent = `${response.status}: ${data.length} figures`;
}

async function add() {
  const figure = { kpi: "Revenue", year: 2020, month: 3, value: 12.5 };
  const response = await call("POST", JSON.stringify(figure));
  element("result").textContent = `${response.status}: ${await response.text()}`;
  await showFigures();
}

element("sign-in").addEventListener("click", signIn);
element("add").addEventListener("click", add);
if (location.pathname === `${base}signin`) await finishSignIn();
element("page").textContent = location.pathname;
if (accessToken) {
  element("add").hidden = false;
  await showFigures();
}
