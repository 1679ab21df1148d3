// The console: live sign-ins and copy buttons. Without JavaScript, reload the page.
const live = document.getElementById("live");

let shown = null;

// Replace the list, and keep open details and the focus.
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
    const response = await fetch("/_local/live");
    const text = await response.text();
    if (response.ok && text !== shown) replace(text);
    if (response.ok) shown = text;
  } catch {
    // The pool is stopped. Keep polling.
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
