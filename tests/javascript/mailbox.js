// The local pool's mailbox. A real pool sends emails, so that the tests with codes need the local one.

import { pool } from "./browser.js";

export const endpoint = new URL(pool.issuer).origin;
export const isLocal = endpoint.startsWith("http://localhost:");

/** Returns the code of the latest email to this address. */
export async function codeFor(address) {
  const headers = { accept: "application/json" };
  const mails = await (await fetch(`${endpoint}/_local/mail`, { headers })).json();
  return mails.find((mail) => mail.to === address).code;
}
