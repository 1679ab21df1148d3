import { SignInRequired } from "../../../static/js/session.js";

const auth = await (import.meta.env.MODE === "cookie"
  ? import("./cookie-mode.js")
  : import("./token-mode.js"));
const [user, message, form, figures, signIn, signOut] = [
  "user", "message", "figure", "figures", "sign-in", "sign-out",
].map((id) => document.getElementById(id));
let subject = ""; // of the signed-in user

async function getJson(path, init) {
  const response = await auth.api(path, init);
  const body = await response.json();
  // A 503, for example: the user stays signed in, and the sentence says when to try again.
  if (!response.ok) throw new Error(Object.values(body.fields ?? {}).flat().join(" ") || body.detail);
  return body;
}

async function load() {
  const [{ identity, data }, stats] = await Promise.all([
    getJson("/api/user"),
    getJson("/api/stats?ordering=-createdDate&limit=10"),
  ]);
  subject = identity.sub;
  user.textContent = data.name || identity.userName;
  form.hidden = !data.figures.add;
  signOut.hidden = false;
  showFigures(stats.data);
}

function showFigures(stats) {
  figures.replaceChildren(
    ...stats.map(({ kpi, period, value }) => {
      const row = document.createElement("tr");
      for (const text of [kpi, period, value]) row.insertCell().textContent = text;
      return row;
    }),
  );
}

async function addFigure() {
  const body = Object.fromEntries(new FormData(form));
  for (const name of ["year", "month", "value"]) body[name] = Number(body[name]);
  await getJson("/api/stats", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  form.reset();
  await load();
}

/* Run `work`, and show its error. */
async function run(work) {
  message.textContent = "";
  try {
    await work();
  } catch (error) {
    const isVisitor = error.code === "not_authenticated" && !subject;
    message.textContent = isVisitor ? "Sign in to see the figures." : error.message;
    if (!(error instanceof SignInRequired)) return;
    // The session ended, or a step-up is required. The error says which sign-in leads on.
    signIn.hidden = false;
    signIn.onclick = () => goToSignIn(error);
  }
}

/* What is typed survives the sign-in, if the same user returns. */
function goToSignIn(error) {
  if (subject) {
    sessionStorage.setItem("draft", JSON.stringify([subject, [...new FormData(form)]]));
  }
  run(() => auth.signIn(error));
}

function restoreDraft() {
  const [owner, fields] = JSON.parse(sessionStorage.getItem("draft")) ?? [];
  sessionStorage.removeItem("draft");
  if (owner && owner === subject) for (const [name, value] of fields) form.elements[name].value = value;
}

form.onsubmit = (event) => {
  event.preventDefault();
  run(addFigure);
};
signOut.onclick = () => run(auth.signOut);
await run(async () => {
  await auth.start();
  await load();
  restoreDraft();
});
