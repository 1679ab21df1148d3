// The console: live sign-ins, and buttons that copy. Without JavaScript, reload the page instead.
const live = document.getElementById("live");

function opened() {
  return new Set([...live.querySelectorAll("details[open]")].map((d) => d.dataset.key));
}

let shown = null;

async function refresh() {
  try {
    const answer = await fetch("/_local/live");
    const text = await answer.text();
    if (answer.ok && text !== shown && !live.contains(document.activeElement)) {
      const open = opened();
      live.innerHTML = text;
      for (const details of live.querySelectorAll("details")) {
        details.open = open.has(details.dataset.key);
      }
      shown = text;
    }
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
