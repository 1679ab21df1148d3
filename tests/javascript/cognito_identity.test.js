// amazon-cognito-identity-js, the library of Amplify before version 6: SRP, password, sign-up,
// forgotten password, refresh, attributes.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AuthenticationDetails,
  CognitoUser,
  CognitoUserAttribute,
  CognitoUserPool,
} from "amazon-cognito-identity-js";

import { pool } from "./browser.js";
import { codeFor, endpoint, isLocal } from "./mailbox.js";

const UserPoolId = pool.issuer.split("/").pop();
const userPool = new CognitoUserPool({ UserPoolId, ClientId: pool.publicClientId, endpoint });
const Username = process.env.COGNITO_CONTRACT_USERNAME;
const Password = process.env.COGNITO_CONTRACT_PASSWORD;
const local = { skip: !isLocal };

const userOf = (name) => new CognitoUser({ Username: name, Pool: userPool });

/** Calls a method whose last argument is a callback for error and result. */
const call = (object, method, ...given) =>
  new Promise((resolve, reject) =>
    object[method](...given, (error, result) => (error ? reject(error) : resolve(result))),
  );

/** Calls a method whose last argument has onSuccess and onFailure. */
const act = (object, method, ...given) =>
  new Promise((onSuccess, onFailure) =>
    object[method](...given, { onSuccess, onFailure, inputVerificationCode: onSuccess }),
  );

async function signIn(user, password = Password, flow = "USER_SRP_AUTH") {
  user.setAuthenticationFlowType(flow);
  const details = new AuthenticationDetails({ Username: user.getUsername(), Password: password });
  return act(user, "authenticateUser", details);
}

for (const flow of ["USER_SRP_AUTH", "USER_PASSWORD_AUTH"]) {
  test(`${flow}: signs in and refreshes`, local, async () => {
    const user = userOf(Username);
    const session = await signIn(user, Password, flow);
    assert.equal(session.isValid(), true);
    assert.equal(session.getIdToken().payload["cognito:username"], Username);
    const attributes = await call(user, "getUserAttributes");
    assert.ok(attributes.some((attribute) => attribute.getName() === "email"));
    const renewed = await call(user, "refreshSession", session.getRefreshToken());
    assert.notEqual(renewed.getAccessToken().jwtToken, session.getAccessToken().jwtToken);
    assert.equal(renewed.getRefreshToken().getToken(), session.getRefreshToken().getToken());
  });
}

test("a wrong password is not authorized", local, async () => {
  await assert.rejects(signIn(userOf(Username), "wrong"), { code: "NotAuthorizedException" });
});

test("signs up, confirms, resets the password and deletes the account", local, async () => {
  const address = `js${Date.now()}@example.com`;
  const name = address.split("@")[0];
  const email = new CognitoUserAttribute({ Name: "email", Value: address });
  const made = await call(userPool, "signUp", name, Password, [email], null);
  assert.equal(made.userConfirmed, false);
  const user = userOf(name);
  await assert.rejects(signIn(user), { code: "UserNotConfirmedException" });
  assert.equal(await call(user, "confirmRegistration", await codeFor(address), true), "SUCCESS");
  await signIn(user);

  await act(user, "forgotPassword");
  const code = await codeFor(address);
  await act(user, "confirmPassword", code, "Another-demo-2");
  await assert.rejects(signIn(user), { code: "NotAuthorizedException" });
  await signIn(user, "Another-demo-2");
  await call(user, "changePassword", "Another-demo-2", Password);
  await call(user, "deleteUser");
});
