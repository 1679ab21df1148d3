// oidc-client-ts, the library of many single-page apps: code flow with PKCE, userInfo, refresh,
// revocation. It needs some objects of the browser.

import assert from "node:assert/strict";
import { test } from "node:test";
import { InMemoryWebStorage, OidcClient, UserManager, WebStorageStateStore } from "oidc-client-ts";

import { pool, signIn } from "./browser.js";

globalThis.window ??= globalThis;
globalThis.localStorage ??= new InMemoryWebStorage();
globalThis.sessionStorage ??= new InMemoryWebStorage();
globalThis.document ??= { visibilityState: "visible" };

const settings = {
  authority: pool.issuer,
  client_id: pool.publicClientId,
  redirect_uri: pool.callbackUrl,
  scope: "openid email profile",
  loadUserInfo: true,
  automaticSilentRenew: false,
  userStore: new WebStorageStateStore({ store: new InMemoryWebStorage() }),
  stateStore: new WebStorageStateStore({ store: new InMemoryWebStorage() }),
};

test("signs in, refreshes and revokes", async () => {
  const client = new OidcClient(settings);
  const manager = new UserManager(settings);
  const { url } = await client.createSigninRequest({ nonce: "a-nonce" });
  const callback = await signIn(url);
  const user = await manager.signinRedirectCallback(callback.href);
  assert.ok(user.profile.email);
  const renewed = await manager.signinSilent();
  assert.notEqual(renewed.access_token, user.access_token);
  await manager.revokeTokens(["refresh_token"]);
  await assert.rejects(
    client.useRefreshToken({ state: { ...renewed, refresh_token: user.refresh_token } }),
    /invalid_grant/,
  );
  await manager.removeUser(); // stops its timers
});
