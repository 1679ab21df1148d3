// AWS's own verifier accepts the pool's tokens, and tells them apart.
//
// CognitoJwtVerifier takes nothing but a pool id and derives AWS's addresses from it, so this uses
// what it is made of: the generic JwtVerifier with the pool's issuer, and the library's own check
// of Cognito's claims. Its fetcher speaks HTTPS alone; the cache gets one that speaks HTTP as well.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { JwtVerifier } from "aws-jwt-verify";
import { validateCognitoJwtFields } from "aws-jwt-verify/cognito-verifier";
import {
  CognitoJwtInvalidClientIdError,
  CognitoJwtInvalidTokenUseError,
  JwtInvalidSignatureError,
} from "aws-jwt-verify/error";
import { SimpleJwksCache } from "aws-jwt-verify/jwk";
import { decomposeUnverifiedJwt } from "aws-jwt-verify/jwt";

import { pool, signIn } from "./browser.js";

let tokens;
let downloads = 0;

async function download(uri) {
  downloads += 1;
  return (await fetch(uri)).arrayBuffer();
}

function verifier(fields) {
  const customJwtCheck = ({ payload }) =>
    validateCognitoJwtFields(payload, { clientId: pool.clientId, ...fields });
  const jwksCache = new SimpleJwksCache({ fetcher: { fetch: download } });
  const expected = { issuer: pool.issuer, audience: null, customJwtCheck };
  return JwtVerifier.create(expected, { jwksCache });
}

before(async () => {
  const discovery = await fetch(`${pool.issuer}/.well-known/openid-configuration`);
  const { authorization_endpoint, token_endpoint } = await discovery.json();
  const query = { response_type: "code", client_id: pool.clientId, redirect_uri: pool.callbackUrl };
  const callback = await signIn(`${authorization_endpoint}?${new URLSearchParams(query)}`);
  const credentials = btoa(`${pool.clientId}:${pool.clientSecret}`);
  const answer = await fetch(token_endpoint, {
    method: "POST",
    headers: { authorization: `Basic ${credentials}` },
    body: new URLSearchParams({
      grant_type: "authorization_code",
      code: callback.searchParams.get("code"),
      redirect_uri: pool.callbackUrl,
    }),
  });
  tokens = await answer.json();
});

for (const tokenUse of ["id", "access"]) {
  test(`accepts the ${tokenUse} token`, async () => {
    const payload = await verifier({ tokenUse }).verify(tokens[`${tokenUse}_token`]);
    assert.equal(payload.token_use, tokenUse);
    assert.equal(payload.iss, pool.issuer);
  });

  test(`refuses the ${tokenUse} token where the other is expected`, async () => {
    const other = tokenUse === "id" ? "access" : "id";
    const answer = verifier({ tokenUse: other }).verify(tokens[`${tokenUse}_token`]);
    await assert.rejects(answer, CognitoJwtInvalidTokenUseError);
  });

  test(`refuses the ${tokenUse} token of another client`, async () => {
    const strict = verifier({ tokenUse, clientId: "anotherclient" });
    await assert.rejects(strict.verify(tokens[`${tokenUse}_token`]), CognitoJwtInvalidClientIdError);
  });

  test(`refuses a changed ${tokenUse} token`, async () => {
    const [header, payload, signature] = tokens[`${tokenUse}_token`].split(".");
    const changed = [header, payload, "A".repeat(signature.length)].join(".");
    await assert.rejects(verifier({ tokenUse }).verify(changed), JwtInvalidSignatureError);
  });
}

test("one download of the keys serves both tokens, whose key names differ", async () => {
  const both = verifier({ tokenUse: null });
  downloads = 0;
  await both.verify(tokens.id_token);
  await both.verify(tokens.access_token);
  assert.equal(downloads, 1);
  const nameOf = (token) => decomposeUnverifiedJwt(token).header.kid;
  assert.notEqual(nameOf(tokens.id_token), nameOf(tokens.access_token));
});
