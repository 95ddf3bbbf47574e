// Drawing a scenario: a button puts its piece at the end of the text, and a refused line is shown.
// Without it a list and a button do the same by a round to the node.
"use strict";

(() => {
  const text = document.getElementById("text");
  if (!text) return;

  function choose(start, end) {
    text.focus();
    text.setSelectionRange(start, end);
    // The field scrolls to where the selection ends, in the height of its lines.
    const line = text.value.slice(0, start).split("\n").length - 1;
    const height = parseFloat(getComputedStyle(text).lineHeight) || 20;
    text.scrollTop = Math.max(0, (line - 4) * height);
  }

  document.addEventListener("click", (event) => {
    const piece = event.target.closest?.("[data-piece]")?.dataset.piece;
    if (!piece) return;
    if (text.value && !text.value.endsWith("\n")) text.value += "\n";
    const start = text.value.length;
    text.value += piece;
    choose(start, text.value.length);
  });

  const wrong = Number(text.dataset.line);
  if (wrong > 0) {
    const lines = text.value.split("\n");
    const start = lines.slice(0, wrong - 1).reduce((sum, line) => sum + line.length + 1, 0);
    choose(start, start + (lines[wrong - 1] ?? "").length);
  }
})();
