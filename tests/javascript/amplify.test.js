// Amplify 6 (@aws-amplify/auth): signIn, signUp, resetPassword, fetchAuthSession, attributes.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Amplify } from "@aws-amplify/core";
import { cognitoUserPoolsTokenProvider } from "@aws-amplify/auth/cognito";
import {
  confirmResetPassword,
  confirmSignIn,
  confirmSignUp,
  fetchAuthSession,
  fetchMFAPreference,
  fetchUserAttributes,
  resetPassword,
  signIn,
  signOut,
  signUp,
  updateUserAttributes,
} from "@aws-amplify/auth";

import { pool } from "./browser.js";
import { codeFor, endpoint, isLocal } from "./mailbox.js";

const local = { skip: !isLocal };
const username = process.env.COGNITO_CONTRACT_USERNAME;
const password = process.env.COGNITO_CONTRACT_PASSWORD;

const Auth = {
  Cognito: {
    userPoolId: pool.issuer.split("/").pop(),
    userPoolClientId: pool.publicClientId,
    userPoolEndpoint: endpoint,
  },
};
cognitoUserPoolsTokenProvider.setAuthConfig(Auth);
Amplify.configure({ Auth }, { Auth: { tokenProvider: cognitoUserPoolsTokenProvider } });

beforeEach(() => signOut());

const done = { isSignedIn: true, nextStep: { signInStep: "DONE" } };

for (const authFlowType of ["USER_SRP_AUTH", "USER_PASSWORD_AUTH"]) {
  test(`${authFlowType}: signs in, refreshes and signs out everywhere`, local, async () => {
    assert.deepEqual(await signIn({ username, password, options: { authFlowType } }), done);
    const { tokens } = await fetchAuthSession();
    assert.equal(tokens.accessToken.payload.username, username);
    const renewed = (await fetchAuthSession({ forceRefresh: true })).tokens;
    assert.notEqual(renewed.accessToken.toString(), tokens.accessToken.toString());
    assert.ok((await fetchUserAttributes()).email);
    assert.deepEqual(await fetchMFAPreference(), { enabled: undefined, preferred: undefined });
    await signOut({ global: true });
    assert.equal((await fetchAuthSession()).tokens, undefined);
  });
}

test("the user chooses the factor", local, async () => {
  const options = { authFlowType: "USER_AUTH" };
  const { nextStep } = await signIn({ username, options });
  assert.equal(nextStep.signInStep, "CONTINUE_SIGN_IN_WITH_FIRST_FACTOR_SELECTION");
  assert.ok(nextStep.availableChallenges.includes("PASSWORD_SRP"));
  const chosen = await confirmSignIn({ challengeResponse: "PASSWORD_SRP" });
  assert.equal(chosen.nextStep.signInStep, "CONFIRM_SIGN_IN_WITH_PASSWORD");
  assert.deepEqual(await confirmSignIn({ challengeResponse: password }), done);
});

test("a wrong password is not authorized", local, async () => {
  const refused = signIn({ username, password: "wrong" });
  await assert.rejects(refused, { name: "NotAuthorizedException" });
});

test("signs up, resets the password and changes attributes", local, async () => {
  const email = `amplify${Date.now()}@example.com`;
  const name = email.split("@")[0];
  const options = { userAttributes: { email } };
  const made = await signUp({ username: name, password, options });
  assert.equal(made.nextStep.signUpStep, "CONFIRM_SIGN_UP");
  const unconfirmed = await signIn({ username: name, password });
  assert.equal(unconfirmed.nextStep.signInStep, "CONFIRM_SIGN_UP");
  const confirmationCode = await codeFor(email);
  await confirmSignUp({ username: name, confirmationCode });

  const reset = await resetPassword({ username: name });
  assert.equal(reset.nextStep.resetPasswordStep, "CONFIRM_RESET_PASSWORD_WITH_CODE");
  const newPassword = "Another-demo-2";
  const code = await codeFor(email);
  await confirmResetPassword({ username: name, confirmationCode: code, newPassword });
  assert.deepEqual(await signIn({ username: name, password: newPassword }), done);
  const userAttributes = { email: `new-${email}` };
  const changed = await updateUserAttributes({ userAttributes });
  assert.equal(changed.email.nextStep.updateAttributeStep, "CONFIRM_ATTRIBUTE_WITH_CODE");
});
