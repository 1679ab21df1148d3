// openid-client (certified by the OpenID Foundation) against the pool: discovery, authorization
// code with PKCE, state and nonce, userInfo, refresh, revocation, client credentials.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as client from "openid-client";

import { pool, signIn } from "./browser.js";

const SCOPE = "openid email profile";
const overHttp = pool.issuer.startsWith("http:") ? [client.allowInsecureRequests] : [];

const discover = (clientId, authentication) =>
  client.discovery(new URL(pool.issuer), clientId, undefined, authentication, { execute: overHttp });

const clients = {
  "secret by Basic": () => discover(pool.clientId, client.ClientSecretBasic(pool.clientSecret)),
  "secret in the body": () => discover(pool.clientId, client.ClientSecretPost(pool.clientSecret)),
  "public client": () => discover(pool.publicClientId, client.None()),
};

async function tokensOf(config) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const expectedState = client.randomState();
  const expectedNonce = client.randomNonce();
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: pool.callbackUrl,
    scope: SCOPE,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
    state: expectedState,
    nonce: expectedNonce,
  });
  const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true };
  return client.authorizationCodeGrant(config, await signIn(url), checks);
}

for (const [name, configure] of Object.entries(clients)) {
  test(`${name}: signs in, refreshes and revokes`, async () => {
    const config = await configure();
    const tokens = await tokensOf(config);
    const { sub } = tokens.claims();
    const said = await client.fetchUserInfo(config, tokens.access_token, sub);
    assert.equal(said.email, tokens.claims().email);

    const renewed = await client.refreshTokenGrant(config, tokens.refresh_token);
    assert.equal(renewed.claims().sub, sub);
    assert.equal(renewed.claims().auth_time, tokens.claims().auth_time);
    assert.notEqual(renewed.access_token, tokens.access_token);

    const current = renewed.refresh_token ?? tokens.refresh_token;
    await client.tokenRevocation(config, current);
    await assert.rejects(client.refreshTokenGrant(config, current), { error: "invalid_grant" });
    await assert.rejects(client.fetchUserInfo(config, renewed.access_token, sub));
  });
}

test("signatures are checked with the published keys", async () => {
  const config = await clients["secret by Basic"]();
  client.enableNonRepudiationChecks(config);
  assert.equal((await tokensOf(config)).claims().iss, pool.issuer);
});

test("a wrong secret is a named error", async () => {
  const wrong = client.ClientSecretBasic("x".repeat(40));
  const config = await discover(pool.clientId, wrong);
  await assert.rejects(client.refreshTokenGrant(config, "any"), { error: "invalid_client" });
});

test("a machine gets an access token alone", async () => {
  const secret = client.ClientSecretBasic(pool.machineClientSecret);
  const config = await discover(pool.machineClientId, secret);
  const tokens = await client.clientCredentialsGrant(config);
  assert.ok(tokens.access_token);
  assert.equal(tokens.id_token, undefined);
  assert.equal(tokens.refresh_token, undefined);
});
