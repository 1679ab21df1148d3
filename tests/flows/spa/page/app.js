// What a single-page app does against the API: sign in on the hosted UI with PKCE, keep the tokens,
// send them with each request, take new ones from the answers' headers.
const show = (id, text) => { document.getElementById(id).textContent = text; };
const query = new URLSearchParams(location.search);
if (query.has("api")) {
  for (const name of ["api", "pool", "client"]) sessionStorage[name] = query.get(name);
}
const { api, pool, client } = sessionStorage;
const redirectUri = `${location.origin}/signin`;

const base64url = (bytes) =>
  btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");

async function signIn() {
  const verifier = base64url(crypto.getRandomValues(new Uint8Array(32)));
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  sessionStorage.verifier = verifier;
  sessionStorage.state = base64url(crypto.getRandomValues(new Uint8Array(16)));
  location.assign(`${pool}/oauth2/authorize?${new URLSearchParams({
    response_type: "code",
    client_id: client,
    redirect_uri: redirectUri,
    scope: "openid email profile",
    state: sessionStorage.state,
    code_challenge: base64url(new Uint8Array(digest)),
    code_challenge_method: "S256",
  })}`);
}

async function finishSignIn() {
  if (query.get("state") !== sessionStorage.state) throw new Error("another sign-in's answer");
  const answer = await fetch(`${api}/api/auth/get-tokens`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({
      code: query.get("code"), redirectUri, codeVerifier: sessionStorage.verifier,
    }),
  });
  const tokens = await answer.json();
  if (!answer.ok) throw new Error(tokens.error);
  Object.assign(sessionStorage, tokens);
  history.replaceState(null, "", "/");
}

async function ask(path) {
  const headers = sessionStorage.accessToken
    ? { Authorization: `Bearer ${sessionStorage.accessToken}`, "x-refresh-token": sessionStorage.refreshToken }
    : {};
  const answer = await fetch(api + path, { headers });
  const renewed = answer.headers.get("x-access-token");
  if (renewed) {
    sessionStorage.accessToken = renewed;
    show("refreshed", Number(document.getElementById("refreshed").textContent) + 1);
  }
  sessionStorage.refreshToken = answer.headers.get("x-refresh-token") ?? sessionStorage.refreshToken;
  const body = await answer.json();
  if (!answer.ok) throw new Error(`${answer.status} ${body.error}`);
  return body;
}

async function load() {
  show("person", ""); show("figures", ""); show("error", "");
  const [user, stats] = await Promise.all([ask("/user"), ask("/stats")]);
  show("person", user.identity.userName);
  show("figures", stats.data.length);
}

const told = (work) => () => work().catch((error) => show("error", error.message));
document.getElementById("sign-in").onclick = told(signIn);
document.getElementById("load").onclick = told(load);
told(async () => {
  show("server", (await ask("/info/server")).framework);
  if (query.has("code")) await finishSignIn();
  if (sessionStorage.accessToken) await load();
})();
