// The console: live sign-ins, and buttons that copy. Without JavaScript, reload the page instead.
const live = document.getElementById("live");

let shown = null;

// Put the new list in place; what was open stays open, and focus stays where it was.
function replace(text) {
  const open = new Set([...live.querySelectorAll("details[open]")].map((d) => d.dataset.key));
  const focused = live.contains(document.activeElement)
    ? document.activeElement.parentElement.dataset.key : null;
  live.innerHTML = text;
  for (const details of live.querySelectorAll("details")) {
    details.open = open.has(details.dataset.key);
    if (details.dataset.key === focused) details.firstElementChild.focus({ preventScroll: true });
  }
}

async function refresh() {
  try {
    const answer = await fetch("/_local/live");
    const text = await answer.text();
    if (answer.ok && text !== shown) replace(text);
    if (answer.ok) shown = text;
  } catch {
    // The pool was stopped; it may come back.
  }
}

if (live) setInterval(() => document.hidden || refresh(), 1500);

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  const label = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = label; }, 1500);
});
