// Checks the proof of one entry of a journal in the browser, from the proof and the accord alone.
//
// The steps and what each refuses are those of `tongcheng journal check` (kernel/journal/proof.py);
// a test holds the two against each other. Nothing is asked of the node but the two files.

const FORMAT = "tongcheng/proof/1";
const BATCH_DOMAIN = "tongcheng/batch/1\n";
const LOG_SIGNATURE = 0x01;
const COSIGNATURE = 0x04;
const SIGNATURES_MAX = 64;
const DEPTH_MAX = 32;
const NAME_LENGTH_MAX = 128;
const SALT_BYTES = 16;
const TRANSFER_ID_DIGITS = 32;
const ENTRY_DIGITS = TRANSFER_ID_DIGITS + 64; // an id and a digest, in hex

// What a value must be: a word for a scalar, a list of one shape, or the fields of an object.
const STATEMENT = {
  version: "number", src: "name", dst: "name", kid: "name", root: "name", count: "number",
  acknowledged: "number", sent_at: "number",
};
const BATCH = { statement: STATEMENT, signature: "text", index: "number", path: ["text"] };
const TRANSFER = { id: "text", salt: "text", body: "text" };
const PROOF = {
  format: "text",
  leaf: { index: "number", kind: "text", id: "text", digest: "text" },
  content: { salt: "text", body: "text" },
  path: ["text"],
  checkpoint: "text",
};
const ENVELOPE = {
  id: "name", src: "name", dst: "name", seq: "number", type: "name", made_at: "number",
  accord: "name", body: "object",
};
const ENVELOPE_OPTIONAL = {
  reply_to: "name or null", case: "name or null", not_after: "number or null",
  rulebooks: ["name"],
  attachments: [{ sha256: "name", size: "number", media_type: "name" }],
};

const LISTED = { count: "number", entries: "text" };
const TRANSFER_CONTENT = {
  amount_fen: "number", at: "number", credit_account: "text", credit_before_fen: "number",
  credit_version: "number", debit_account: "text", debit_before_fen: "number",
  debit_version: "number", held_fen: "number", hold_id: "text or null", kind: "text",
  month: "text", purse: "text", subject_id: "text", transfer_id: "text",
};

class Broken extends Error {
  constructor(part) {
    super(part);
    this.part = part;
  }
}

function need(holds, part) {
  if (!holds) throw new Broken(part);
}

// Bytes

const utf8 = new TextEncoder();

function joined(...parts) {
  const bytes = parts.map((part) => (typeof part === "string" ? utf8.encode(part) : part));
  const all = new Uint8Array(bytes.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of bytes) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function hexOf(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function fromHex(text, part) {
  need(/^(?:[0-9a-f]{2})*$/.test(text), part);
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

function fromBase64(text, part) {
  let binary;
  try {
    binary = atob(text);
  } catch {
    throw new Broken(part);
  }
  need(btoa(binary) === text, part); // one way to write these bytes
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

function same(one, other) {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

async function sha256(...parts) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", joined(...parts)));
}

async function signed(publicHex, data, signature) {
  const raw = fromHex(publicHex, "accord");
  const key = await crypto.subtle.importKey("raw", raw, "Ed25519", false, ["verify"]);
  return crypto.subtle.verify("Ed25519", key, signature, data);
}

// Forms

function fits(value, shape) {
  if (Array.isArray(shape)) {
    return Array.isArray(value) && value.every((item) => fits(item, shape[0]));
  }
  if (typeof shape === "object") return isObject(value) && fitsFields(value, shape, {});
  if (shape.endsWith(" or null")) return value === null || fits(value, shape.slice(0, -8));
  if (shape === "number") return Number.isSafeInteger(value);
  if (shape === "object") return isObject(value);
  if (typeof value !== "string" || !value.isWellFormed()) return false;
  return shape === "text" || isName(value);
}

function isName(text) {
  // Counted in characters, as the other reader does; one beyond the first plane has length 2 here.
  return text.length <= 2 * NAME_LENGTH_MAX && [...text].length <= NAME_LENGTH_MAX;
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function fitsFields(value, required, optional) {
  return (
    Object.entries(required).every(
      ([key, shape]) => Object.hasOwn(value, key) && fits(value[key], shape))
    && Object.keys(value).every((key) =>
      Object.hasOwn(required, key)
      || (Object.hasOwn(optional, key) && fits(value[key], optional[key])))
  );
}

function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const fields = Object.keys(value).sort();
  return `{${fields.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(",")}}`;
}

// What a comparison of spellings cannot see (docs/protocol/01-canonical-bytes.md).
function isPlain(value, depth) {
  if (typeof value === "string") return !value.includes("\0") && value.isWellFormed();
  if (typeof value === "number") return Number.isSafeInteger(value);
  if (value === null || typeof value === "boolean") return true;
  if (depth > DEPTH_MAX) return false;
  if (Array.isArray(value)) return value.every((item) => isPlain(item, depth + 1));
  return Object.entries(value).every(
    ([key, item]) => /^[a-z0-9_]+$/.test(key) && isPlain(item, depth + 1));
}

// Checkpoints: C2SP signed-note, tlog-checkpoint, tlog-cosignature v1

function parseNote(text) {
  const end = text.lastIndexOf("\n\n");
  need(end >= 0, "note");
  const body = text.slice(0, end).split("\n");
  need(body.length === 3 && body[0] !== "", "note");
  const [origin, size, root] = body;
  need(/^(?:0|[1-9][0-9]{0,17})$/.test(size), "note");
  const rootBytes = fromBase64(root, "note");
  need(rootBytes.length === 32, "note");
  need(!/[\x00-\x09\x0b-\x1f]/.test(text), "note");
  const signatures = text.slice(end + 2);
  need(signatures.endsWith("\n"), "note");
  const lines = signatures.slice(0, -1).split("\n");
  need(lines.length <= SIGNATURES_MAX, "note");
  return {
    origin, size: BigInt(size), root: rootBytes,
    text: `${origin}\n${size}\n${root}\n`,
    lines: lines.map(parseLine),
  };
}

function parseLine(line) {
  const words = line.split(" ");
  need(words.length === 3 && words[0] === "\u2014" && words[1] !== "", "note");
  const blob = fromBase64(words[2], "note");
  need(blob.length > 4, "note");
  return { name: words[1], keyId: blob.slice(0, 4), signature: blob.slice(4) };
}

async function keyId(name, type, publicHex) {
  const message = [name, "\n", Uint8Array.of(type), fromHex(publicHex, "accord")];
  return (await sha256(...message)).slice(0, 4);
}

function memberOf(accord, name) {
  return accord.members.find((one) => `tongcheng/${accord.region}/${one.member_id}` === name);
}

async function signedByLog(note, keys) {
  for (const key of keys) {
    const id = await keyId(note.origin, LOG_SIGNATURE, key.public);
    const line = note.lines.find((one) => one.name === note.origin && same(one.keyId, id));
    if (line) return signed(key.public, utf8.encode(note.text), line.signature);
  }
  return false;
}

async function cosigned(note, line, keys) {
  if (line.signature.length !== 72) return false;
  const seconds = new DataView(line.signature.buffer, line.signature.byteOffset).getBigUint64(0);
  for (const key of keys) {
    if (same(line.keyId, await keyId(line.name, COSIGNATURE, key.public))) {
      const said = utf8.encode(`cosignature/v1\ntime ${seconds}\n${note.text}`);
      return isValid(key, Number(seconds) * 1000)
        && signed(key.public, said, line.signature.slice(8));
    }
  }
  return false;
}

function isValid(key, at) {
  if (at < key.from_at || (key.to_at !== null && at >= key.to_at)) return false;
  return key.revoked_at === null || at < key.revoked_at;
}

async function witnessesOf(note, accords) {
  const found = new Set();
  for (const accord of accords) {
    for (const line of note.lines) {
      const member = line.name === note.origin ? undefined : memberOf(accord, line.name);
      if (member && await cosigned(note, line, member.signing_keys)) found.add(member.member_id);
    }
  }
  return [...found].sort();
}

// The tree: RFC 6962, and RFC 9162 2.1.3.2 for the way up

async function leadsTo(root, leaf, index, size, path) {
  let place = BigInt(index);
  let last = size - 1n;
  if (place < 0n || place >= size || path.some((step) => step.length !== 32)) return false;
  let result = leaf;
  for (const sibling of path) {
    if (last === 0n) return false;
    const onLeft = place % 2n === 1n || place === last;
    const pair = onLeft ? [sibling, result] : [result, sibling];
    result = await sha256(Uint8Array.of(1), ...pair);
    while (onLeft && place % 2n === 0n && place > 0n) {
      place >>= 1n;
      last >>= 1n;
    }
    place >>= 1n;
    last >>= 1n;
  }
  return last === 0n && same(result, root);
}

function leafHash(data) {
  return sha256(Uint8Array.of(0), data);
}

// The check, step by step; `tell(step)` is told each step that holds, in this order: form, content,
// note, path, checkpoint, witnesses, for a transfer transfer, and for an act envelope, batch,
// batch path, batch signature.

function checkForm(proof) {
  const optional = { batch: "object or null", transfer: "object or null" };
  need(isObject(proof) && fitsFields(proof, PROOF, optional), "form");
  need(!proof.batch || fits(proof.batch, BATCH), "form");
  need(!proof.transfer || fits(proof.transfer, TRANSFER), "form");
  need(proof.format === FORMAT, "form");
}

async function checkContent(proof) {
  const body = fromBase64(proof.content.body, "content");
  const digest = await sha256(fromHex(proof.content.salt, "content"), body);
  need(hexOf(digest) === proof.leaf.digest, "content");
  return body;
}

async function checkPath(proof, note) {
  const { digest, id, kind, index } = proof.leaf;
  const path = proof.path.map((step) => fromHex(step, "path"));
  const leaf = await leafHash(utf8.encode(canonical({ digest, id, kind })));
  need(await leadsTo(note.root, leaf, index, note.size, path), "path");
}

async function checkLog(note, accords) {
  for (const accord of accords) {
    const member = memberOf(accord, note.origin);
    if (member && await signedByLog(note, member.signing_keys)) return member.member_id;
  }
  throw new Broken("checkpoint");
}

// The object that canonical bytes spell.
function readObject(body, required, optional, part) {
  let text;
  let value;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
    value = JSON.parse(text);
  } catch {
    throw new Broken(part);
  }
  need(isPlain(value, 1) && canonical(value) === text, part);
  need(isObject(value) && fitsFields(value, required, optional), part);
  return value;
}

// The digests in a leaf of many transfers, by the transfers' ids; all of it hex.
function digestsOf(body) {
  const listed = readObject(body, LISTED, {}, "transfer");
  const digests = new Map();
  fromHex(listed.entries, "transfer");
  for (let at = 0; at < listed.entries.length; at += ENTRY_DIGITS) {
    const digest = listed.entries.slice(at + TRANSFER_ID_DIGITS, at + ENTRY_DIGITS);
    digests.set(listed.entries.slice(at, at + TRANSFER_ID_DIGITS), digest);
  }
  need(listed.entries.length === listed.count * ENTRY_DIGITS, "transfer");
  need(digests.size === listed.count, "transfer");
  return digests;
}

async function checkOpened(proof, body) {
  const { id, salt: saltHex, body: text } = proof.transfer;
  const salt = fromHex(saltHex, "transfer");
  const content = fromBase64(text, "transfer");
  need(proof.leaf.kind === "transfers" && salt.length === SALT_BYTES, "transfer");
  need(hexOf(await sha256(salt, content)) === digestsOf(body).get(id), "transfer");
  return content;
}

// The one transfer that is shown: among the many of its leaf, or of a leaf of its own.
async function checkTransfer(proof, body) {
  const content = proof.transfer ? await checkOpened(proof, body) : body;
  const shown = readObject(content, TRANSFER_CONTENT, {}, "transfer");
  need(shown.transfer_id === (proof.transfer ?? proof.leaf).id, "transfer");
  return shown;
}

function checkEnvelope(body, id) {
  const envelope = readObject(body, ENVELOPE, ENVELOPE_OPTIONAL, "envelope");
  need(envelope.id === id, "envelope");
  return envelope;
}

async function checkBatch(proof, body, envelope, member, accords, tell) {
  const batch = proof.batch;
  need(batch && batch.statement.src === envelope.src && batch.statement.dst === member, "batch");
  const [signature, root, ...path] = [batch.signature, batch.statement.root, ...batch.path].map(
    (text) => fromHex(text, "batch"));
  tell("batch");
  const leaf = await leafHash(body);
  const count = BigInt(batch.statement.count);
  need(await leadsTo(root, leaf, batch.index, count, path), "batch path");
  tell("batch path");
  const said = utf8.encode(BATCH_DOMAIN + canonical(batch.statement));
  for (const accord of accords) {
    const sender = accord.members.find((one) => one.member_id === batch.statement.src);
    const key = sender?.signing_keys.find((one) => one.kid === batch.statement.kid);
    if (key && isValid(key, batch.statement.sent_at) && await signed(key.public, said, signature)) {
      tell("batch signature");
      return;
    }
  }
  throw new Broken("batch signature");
}

export async function checkProof(proof, accords, tell = () => {}) {
  checkForm(proof);
  tell("form");
  const body = await checkContent(proof);
  tell("content");
  const note = parseNote(proof.checkpoint);
  tell("note");
  await checkPath(proof, note);
  tell("path");
  const member = await checkLog(note, accords);
  tell("checkpoint");
  const witnesses = await witnessesOf(note, accords);
  tell("witnesses");
  const held = { member, witnesses, sender: null, transfer: null };
  if (proof.transfer || proof.leaf.kind === "transfer") {
    held.transfer = await checkTransfer(proof, body);
    tell("transfer");
  }
  if (!["act_sent", "act_taken"].includes(proof.leaf.kind)) return held;
  const envelope = checkEnvelope(body, proof.leaf.id);
  tell("envelope");
  if (proof.leaf.kind === "act_sent") return { ...held, sender: member };
  await checkBatch(proof, body, envelope, member, accords, tell);
  return { ...held, sender: envelope.src };
}

// The text of a file: UTF-8 without a mark before it, as the other reader wants it; else nothing.
export function textOf(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return "";
  }
}

const STRINGS = /"(?:[^"\\]+|\\.)*"/g;

function parseDocument(text) {
  const parsed = JSON.parse(text);
  // Once parsed, 1.0 and 1e0 look like 1; the other reader does not take them for whole numbers.
  need(!/[0-9][.eE]/.test(text.replace(STRINGS, "")), "form");
  return parsed;
}

// One word for what happened: {held, part, member, witnesses, sender, transfer}
export async function verdictOf(text, accords, tell = () => {}) {
  let proof;
  try {
    proof = parseDocument(text);
  } catch {
    return { held: false, part: "form" };
  }
  try {
    return { held: true, ...await checkProof(proof, accords, tell) };
  } catch (fault) {
    if (fault instanceof Broken) return { held: false, part: fault.part };
    throw fault;
  }
}
