// What a browser does at the sign-in page: keeps cookies, follows redirects, submits the form.

const variable = (name) => process.env[`COGNITO_CONTRACT_${name}`];

export const pool = {
  issuer: variable("ISSUER"),
  clientId: variable("CLIENT_ID"),
  clientSecret: variable("CLIENT_SECRET"),
  publicClientId: variable("PUBLIC_CLIENT_ID"),
  machineClientId: variable("MACHINE_CLIENT_ID"),
  machineClientSecret: variable("MACHINE_CLIENT_SECRET"),
  callbackUrl: variable("CALLBACK_URL"),
};

/** Signs the test person in at an authorize address; returns the callback's address. */
export async function signIn(authorizeUrl) {
  const cookies = new Map();

  async function ask(url, body) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const method = body ? "POST" : "GET";
    const answer = await fetch(url, { method, body, headers: { cookie }, redirect: "manual" });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = line.match(/^([^=]+)=([^;]*)/);
      cookies.set(name, value);
    }
    const target = answer.headers.get("location");
    if (!target) return { url, page: await answer.text() };
    const next = new URL(target, url);
    return next.origin === new URL(url).origin ? ask(next) : { callback: next };
  }

  const { url, page } = await ask(authorizeUrl);
  const form = new URLSearchParams({
    _csrf: page.match(/name="_csrf" value="([^"]+)"/)[1],
    username: variable("USERNAME"),
    password: variable("PASSWORD"),
  });
  const { callback } = await ask(url, form);
  if (!callback) throw new Error(`Nobody was signed in at ${url}.`);
  return callback;
}
