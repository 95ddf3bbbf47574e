// Drawing a line or a road: clicks on the page's own map, or names, become a change in the text.
// The text is what is tried and kept; nothing here is sent.
"use strict";

(() => {
  const board = document.getElementById("board");
  const text = document.getElementById("text");
  if (!board || !text) return;
  const part = (id) => document.getElementById(`board-${id}`);
  const picture = board.querySelector(".geo");
  const words = board.dataset;
  const near = 10; // pixels of the map
  let calls = [];

  const kind = () => board.querySelector("[name=board-kind]:checked").value;
  const list = () => part(kind() === "road" ? "nodes" : "stations");

  // A station or node is a line: longitude, latitude, id, name.
  function point(line) {
    const [lon, lat, id, ...name] = line.split(" ");
    return { id, name: `${name.join(" ")} · ${id}`, lon: Number(lon), lat: Number(lat) };
  }
  const points = new Map(["stations", "nodes"].map((id) => {
    const lines = part(id).dataset.points.split("\n").filter(Boolean);
    return [part(id), lines.map(point)];
  }));
  for (const [options, all] of points) {
    options.append(...all.map(({ name }) => new Option("", name)));
  }
  const known = () => points.get(list());

  // The map is a plate carrée: its edges say where a point lies.
  const edge = (name) => Number(picture.dataset[name]);
  const view = picture.viewBox.baseVal;
  const [wide, high] = [view.width, view.height];
  const at = ({ lon, lat }) => [
    ((lon - edge("west")) / (edge("east") - edge("west"))) * wide,
    ((edge("north") - lat) / (edge("north") - edge("south"))) * high,
  ];
  const km = (one, other) => {
    const radians = Math.PI / 180;
    const shrink = Math.cos(((one.lat + other.lat) / 2) * radians);
    const east = (one.lon - other.lon) * shrink;
    return Math.hypot(east, one.lat - other.lat) * radians * 6371.0088;
  };

  function made(name, attributes) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  }

  function show() {
    picture.querySelector(".board-drawn")?.remove();
    const drawn = made("g", { class: "board-drawn" });
    const points = calls.map(at);
    if (points.length > 1) drawn.append(made("path", { d: `M${points.join("L")}` }));
    const r = (5 * view.width) / wide;
    for (const [cx, cy] of points) drawn.append(made("circle", { cx, cy, r }));
    picture.append(drawn);
    part("calls").replaceChildren(...calls.map(row));
  }

  function row(call) {
    const item = document.createElement("li");
    if (call.id) item.append(call.name);
    else {
      const name = document.createElement("input");
      name.value = call.name;
      name.maxLength = 60;
      name.setAttribute("aria-label", words.name);
      name.addEventListener("input", () => { call.name = name.value; });
      item.append(name);
    }
    const away = document.createElement("button");
    away.type = "button";
    away.className = "link";
    away.textContent = words.away;
    away.setAttribute("aria-label", `${words.away} ${call.name}`);
    away.addEventListener("click", () => {
      calls = calls.filter((each) => each !== call);
      show();
      part("place").focus();
    });
    item.append(away);
    return item;
  }

  function add(call) {
    part("said").textContent = "";
    calls.push({ ...call }); // its own: a line may call at a station twice
    show();
  }

  picture.addEventListener("click", (event) => {
    const box = picture.getBoundingClientRect();
    const x = view.x + ((event.clientX - box.left) / box.width) * view.width;
    const y = view.y + ((event.clientY - box.top) / box.height) * view.height;
    const apart = (point) => Math.hypot(at(point)[0] - x, at(point)[1] - y);
    const closest = [...known()].sort((one, other) => apart(one) - apart(other))[0];
    if (closest && apart(closest) <= (near * view.width) / wide) return add(closest);
    const lon = edge("west") + (x / wide) * (edge("east") - edge("west"));
    const lat = edge("north") - (y / high) * (edge("north") - edge("south"));
    add({ id: "", name: `${words.newPlace} ${calls.length + 1}`, lon, lat });
  });

  // Closer to the place that was chosen last, or to the middle of what is seen.
  function zoom(factor) {
    const middle = [view.x + view.width / 2, view.y + view.height / 2];
    const last = calls.length ? at(calls.at(-1)) : middle;
    const share = Math.min(Math.max((view.width * factor) / wide, 1 / 16), 1);
    view.width = wide * share;
    view.height = high * share;
    view.x = Math.min(Math.max(last[0] - view.width / 2, 0), wide - view.width);
    view.y = Math.min(Math.max(last[1] - view.height / 2, 0), high - view.height);
    picture.style.setProperty("--zoom", share);
    show();
  }
  part("closer").addEventListener("click", () => zoom(1 / 2));
  part("farther").addEventListener("click", () => zoom(2));

  function byName() {
    const asked = part("place").value.trim();
    const found = known().find(({ id, name }) =>
      [id, name, name.split(" · ")[0]].includes(asked));
    if (!found) {
      part("said").textContent = words.unknown;
      return;
    }
    part("place").value = "";
    add(found);
  }
  part("add").addEventListener("click", byName);
  part("place").addEventListener("keydown", (event) => {
    if (event.key === "Enter") byName();
  });

  board.addEventListener("change", (event) => {
    if (event.target.name !== "board-kind") return;
    part("place").setAttribute("list", list().id);
    part("often").hidden = kind() === "road";
    part("kmh").value = { rail: 200, metro: 35, road: 100 }[kind()];
    calls = [];
    show();
  });

  // Double quotes as JSON writes them are YAML's too.
  const place = ({ id, name, lon, lat }) => id ||
    `{name: ${JSON.stringify(name)}, lon: "${lon.toFixed(5)}", lat: "${lat.toFixed(5)}"}`;
  const noted = (call) => place(call) + (call.id ? `  # ${call.name.split(" · ")[0]}` : "");

  function road(kmh) {
    const [start, end] = calls;
    return `- change: add_road\n  start: ${place(start)}\n  end: ${place(end)}\n` +
      `  length_km: "${Math.max(km(start, end), 0.1).toFixed(1)}"\n  design_kmh: "${kmh}"\n`;
  }

  function line(kmh) {
    const minutes = [0];
    for (let stop = 1; stop < calls.length; stop += 1) {
      const taken = Math.round((km(calls[stop - 1], calls[stop]) / kmh) * 60);
      minutes.push(minutes[stop - 1] + Math.max(taken, 1));
    }
    const trains = Math.max(Math.round(Number(part("trains").value)) || 1, 1);
    return `- change: add_line\n  name: ${JSON.stringify(words.newLine)}\n  mode: ${kind()}\n` +
      `  calls:\n${calls.map((call) => `  - ${noted(call)}\n`).join("")}` +
      `  minutes: [${minutes.map((each) => `"${each}"`).join(", ")}]\n` +
      `  start: "06:00"\n  end: "22:00"\n  trains: "${trains}"\n`;
  }

  part("write").addEventListener("click", () => {
    const isRoad = kind() === "road";
    if (calls.length < 2 || (isRoad && calls.length > 2)) {
      part("said").textContent = words.few;
      return;
    }
    const kmh = Math.min(Math.max(Math.round(Number(part("kmh").value)) || 10, 10), 400);
    if (text.value && !text.value.endsWith("\n")) text.value += "\n";
    const start = text.value.length;
    text.value += `# ${words.assumed}: ${kmh} km/h\n${isRoad ? road(kmh) : line(kmh)}`;
    calls = [];
    show();
    text.focus();
    text.setSelectionRange(start, text.value.length);
    text.scrollTop = text.scrollHeight;
  });
})();
