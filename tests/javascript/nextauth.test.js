// Auth.js, which NextAuth consists of, with its provider Cognito as in a stock project: the three
// lines that `python -m local_pool env --for nextauth` prints, and nothing else.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Auth, setEnvDefaults } from "@auth/core";
import Cognito from "@auth/core/providers/cognito";

import { pool, signIn } from "./browser.js";
import { isLocal } from "./mailbox.js";

const site = "http://localhost:3000/api/auth";
const environment = {
  AUTH_COGNITO_ID: pool.clientId,
  AUTH_COGNITO_SECRET: pool.clientSecret,
  AUTH_COGNITO_ISSUER: pool.issuer,
  AUTH_SECRET: "development-only",
};

function project() {
  const config = { providers: [Cognito], basePath: "/api/auth", trustHost: true };
  setEnvDefaults(environment, config);
  const cookies = new Map();
  return async function request(path, form) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const body = form && new URLSearchParams(form);
    const options = { method: body ? "POST" : "GET", body, headers: { cookie } };
    const url = path.startsWith("http") ? path : site + path;
    const response = await Auth(new Request(url, options), config);
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = line.match(/^([^=]+)=([^;]*)/);
      cookies.set(name, value);
    }
    return response;
  };
}

test("a stock project signs in", { skip: !isLocal }, async () => {
  const request = project();
  const { csrfToken } = await (await request("/csrf")).json();
  const start = await request("/signin/cognito", { csrfToken, callbackUrl: "http://localhost:3000/" });
  const callback = await signIn(start.headers.get("location"));
  const end = await request(callback.href);
  assert.equal(end.headers.get("location"), "http://localhost:3000/");
  const session = await (await request("/session")).json();
  assert.equal(session.user.email, "ada@example.com");
});
