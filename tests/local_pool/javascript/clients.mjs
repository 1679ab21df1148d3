// Signs in, refreshes and revokes with openid-client, and has aws-jwt-verify check the tokens.
// The pool's values come as JSON in the first argument; the last line printed says what was done.
import assert from "node:assert/strict";
import * as oidc from "openid-client";
import { CognitoJwtVerifier } from "aws-jwt-verify";
import { SimpleJwksCache } from "aws-jwt-verify/jwk";

const pool = JSON.parse(process.argv[2]);
const jwksUri = `${pool.issuer}/.well-known/jwks.json`;

// Walks the sign-in page as a browser without JavaScript does.
async function signIn(url) {
  const page = await fetch(url);
  const html = await page.text();
  const cookie = page.headers.getSetCookie().map((c) => c.split(";")[0]).join("; ");
  const [, csrf] = html.match(/name="_csrf" value="([^"]+)"/);
  const body = new URLSearchParams({ _csrf: csrf, username: pool.username, password: pool.password });
  const answer = await fetch(page.url, { method: "POST", body, headers: { cookie }, redirect: "manual" });
  return new URL(answer.headers.get("location"));
}

async function verify(accessToken, idToken) {
  // Only the address of the pool is ours; every check is the library's.
  CognitoJwtVerifier.parseUserPoolId = (_, other) => ({ issuer: other ?? pool.issuer, jwksUri });
  const fetcher = { fetch: async (uri) => (await fetch(uri)).arrayBuffer() };
  const common = { userPoolId: "us-east-1_AbCdEfGhI", clientId: pool.clientId };
  for (const [tokenUse, token] of [["access", accessToken], ["id", idToken]]) {
    const cache = new SimpleJwksCache({ fetcher });
    const verifier = CognitoJwtVerifier.create({ ...common, tokenUse }, { jwksCache: cache });
    const payload = await verifier.verify(token, { groups: ["admins"] });
    assert.equal(payload.sub, pool.sub);
    await assert.rejects(verifier.verify(token, { clientId: "another" }));
    await assert.rejects(verifier.verify(`${token.slice(0, -6)}AAAAAA`));
  }
}

for (const authentication of [oidc.ClientSecretPost, oidc.ClientSecretBasic]) {
  const config = await oidc.discovery(
    new URL(pool.issuer), pool.clientId, undefined, authentication(pool.clientSecret),
    { execute: [oidc.allowInsecureRequests] },
  );
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
  const expectedState = oidc.randomState();
  const expectedNonce = oidc.randomNonce();
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: pool.callback,
    scope: "openid email profile",
    state: expectedState,
    nonce: expectedNonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
  });
  const callback = await signIn(url);
  const checks = { pkceCodeVerifier, expectedState, expectedNonce };
  const tokens = await oidc.authorizationCodeGrant(config, callback, checks);
  assert.equal(tokens.claims()["cognito:username"], pool.username);
  const info = await oidc.fetchUserInfo(config, tokens.access_token, pool.sub);
  assert.equal(info.email_verified, "true");
  await verify(tokens.access_token, tokens.id_token);

  const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token);
  assert.equal(refreshed.claims().auth_time, tokens.claims().auth_time);
  await verify(refreshed.access_token, refreshed.id_token);

  await oidc.tokenRevocation(config, tokens.refresh_token);
  await assert.rejects(oidc.refreshTokenGrant(config, tokens.refresh_token), { error: "invalid_grant" });
}

const machine = await oidc.discovery(
  new URL(pool.issuer), pool.machineId, pool.machineSecret, undefined,
  { execute: [oidc.allowInsecureRequests] },
);
const grant = await oidc.clientCredentialsGrant(machine, { scope: "stats/read" });
assert.equal(grant.token_type, "bearer");
console.log("signed in, verified, refreshed, revoked");
