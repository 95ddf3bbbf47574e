// The panel "check it here" of an entry's page. The check itself is proof.js, whose address (it
// holds a digest of its bytes) the page names.

async function accordsFrom(addresses) {
  const answers = await Promise.all(addresses.map((address) => fetch(address)));
  return Promise.all(answers.map(async (answer) => (await answer.json()).accord));
}

function namesOf(members, accords) {
  const field = document.documentElement.lang.startsWith("zh") ? "name_zh" : "name_en";
  const listed = accords.flatMap((accord) => accord.members);
  return members.map((id) => listed.find((one) => one.member_id === id)?.[field] ?? id);
}

function filled(words, values) {
  return words.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

function inWords(transfer, words) {
  // Whole numbers throughout: what is beyond the last two digits of fen is yuan.
  const fen = String(Math.abs(transfer.amount_fen)).padStart(3, "0");
  const sign = transfer.amount_fen < 0 ? "-" : "";
  const amount = `${sign}${fen.slice(0, -2)}.${fen.slice(-2)}`;
  return { ...transfer, amount, kind: words[`kind${transfer.kind}`] ?? transfer.kind };
}

function show(panel, verdict, told, accords) {
  for (const row of panel.querySelectorAll("[data-step]")) {
    const step = row.dataset.step;
    const failed = !verdict.held && verdict.part === step;
    row.dataset.outcome = told.has(step) ? "held" : failed ? "failed" : "open";
  }
  const said = panel.querySelector("[data-verdict]");
  const listed = new Intl.ListFormat(document.documentElement.lang);
  const words = said.dataset;
  said.dataset.outcome = verdict.held ? "held" : "failed";
  if (!verdict.held) {
    said.textContent = filled(words.failed, { part: words[verdict.part.replace(" ", "")] });
    return;
  }
  const names = namesOf(verdict.witnesses, accords);
  const sentences = [
    filled(words.held, { member: namesOf([verdict.member], accords)[0] }),
    names.length ? filled(words.cosigned, { members: listed.format(names) }) : words.alone,
  ];
  if (verdict.sender) {
    sentences.push(filled(words.sender, { member: namesOf([verdict.sender], accords)[0] }));
  }
  if (verdict.transfer) sentences.push(filled(words.shown, inWords(verdict.transfer, words)));
  said.textContent = sentences.join(words.between);
}

async function check(panel) {
  const said = panel.querySelector("[data-verdict]");
  const told = new Set();
  try {
    const { verdictOf } = await import(panel.dataset.checker);
    const accords = await accordsFrom(panel.dataset.accords.split(" "));
    const text = panel.querySelector("textarea").value;
    show(panel, await verdictOf(text, accords, (step) => told.add(step)), told, accords);
  } catch {
    // No Ed25519 in this browser, no HTTPS, or the accord did not come: nothing was shown.
    said.dataset.outcome = "failed";
    said.textContent = said.dataset.unable;
  }
}

function attach(panel) {
  const text = panel.querySelector("textarea");
  const file = panel.querySelector("input[type=file]");
  panel.querySelector("[data-run]").addEventListener("click", () => check(panel));
  panel.querySelector("[data-restore]").addEventListener("click", () => {
    text.value = text.defaultValue;
    check(panel);
  });
  file.addEventListener("change", async () => {
    if (!file.files.length) return;
    const { textOf } = await import(panel.dataset.checker);
    text.value = textOf(await file.files[0].arrayBuffer());
    check(panel);
  });
}

const panel = document.querySelector("[data-proof-check]");
if (panel) attach(panel);
