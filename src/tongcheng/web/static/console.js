// What pages need beyond htmx: say that scripts run, and admit when the node stops answering.
document.documentElement.classList.add("scripted");

function mark(event, stale) {
  const live = event.target.closest("[data-live]");
  if (live) live.classList.toggle("is-stale", stale);
}

document.addEventListener("htmx:sendError", (event) => mark(event, true));
document.addEventListener("htmx:responseError", (event) => mark(event, true));
document.addEventListener("htmx:timeout", (event) => mark(event, true));

// What a reader has opened stays open when the page refreshes itself.
let opened = [];
document.addEventListener("htmx:beforeSwap", () => {
  opened = [...document.querySelectorAll("details[open][id]")].map((each) => each.id);
});
document.addEventListener("htmx:afterSwap", () => {
  for (const id of opened) document.getElementById(id)?.setAttribute("open", "");
});
