// A map that answers clicks. Without it the page's own picture and form stand, and are kept for
// paper; without WebGL that picture itself takes the clicks.
"use strict";

(() => {
  const frame = document.getElementById("geo-frame");
  if (!frame) return;
  const still = () => document.getElementById("geo-still");
  const form = () => document.getElementById("mobility-form");
  let asking = null;
  let map = null;

  // Asks for the page at an address and puts its parts in the place of those shown.
  async function show(address, isNew) {
    asking?.abort();
    asking = new AbortController();
    frame.classList.add("is-busy");
    try {
      const headers = { Accept: "text/html" };
      const answer = await fetch(address, { signal: asking.signal, headers });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (!answer.ok || !page.getElementById("geo-still")) return location.assign(address);
      const focused = document.activeElement?.id;
      for (const part of page.querySelectorAll("[data-part]")) {
        document.getElementById(part.id)?.replaceWith(document.adoptNode(part));
      }
      document.title = page.title;
      const other = page.querySelector("a.language");
      document.querySelector("a.language")?.setAttribute("href", other.getAttribute("href"));
      if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
      if (isNew) history.pushState(null, "", address);
      draw();
    } catch (fault) {
      if (fault.name !== "AbortError") location.assign(address);
      return;
    }
    frame.classList.remove("is-busy");
  }

  function address(changes) {
    const given = new FormData(form());
    for (const [name, value] of Object.entries(changes)) given.set(name, value);
    const kept = [...given].filter(([, value]) => value !== "");
    return `${form().getAttribute("action")}?${new URLSearchParams(kept)}`;
  }

  const choose = (lon, lat) =>
    show(address({ place: "", lon: lon.toFixed(5), lat: lat.toFixed(5) }), true);

  // The form: a slider says its value while it moves, and asks when it is let go.
  const clock = (minutes) =>
    [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, "0")).join(":");
  document.addEventListener("input", (event) => {
    if (event.target.type !== "range") return;
    const said = document.getElementById(`${event.target.id}-value`);
    const value = Number(event.target.value);
    said.textContent =
      event.target.id === "minutes" ? frame.dataset.minutes.replace("{}", value) : clock(value);
  });
  // A window keeps an hour at least and what a question may be long at most.
  function fit(moved) {
    const from = document.getElementById("from");
    const until = document.getElementById("until");
    if (!from || !until) return;
    const [least, most] = [60, 960];
    const span = until.value - from.value;
    const other = moved === from ? until : from;
    const sign = moved === from ? 1 : -1;
    if (span < least) other.value = Number(moved.value) + sign * least;
    if (span > most) other.value = Number(moved.value) + sign * most;
    other.dispatchEvent(new Event("input", { bubbles: true }));
  }
  document.addEventListener("change", (event) => {
    if (!event.target.closest?.("#mobility-form")) return;
    if (["lon", "lat"].includes(event.target.name)) {
      document.getElementById("place").value = "";
      return;
    }
    if (["from", "until"].includes(event.target.name)) fit(event.target);
    const isPlace = event.target.name === "place";
    if (!isPlace || event.target.value) show(address(isPlace ? { lon: "", lat: "" } : {}), true);
  });
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "mobility-form") return;
    event.preventDefault();
    show(address({}), true);
  });
  addEventListener("popstate", () => show(location.href, false));

  // The page's own picture, where nothing moves: a click is a place all the same.
  frame.addEventListener("click", (event) => {
    const picture = event.target.closest?.(".geo");
    if (!picture || map) return;
    const box = picture.getBoundingClientRect();
    const { west, north, east, south } = picture.dataset;
    const across = (event.clientX - box.left) / box.width;
    const down = (event.clientY - box.top) / box.height;
    choose(Number(west) + across * (east - west), Number(north) - down * (north - south));
  });

  // The map that moves.
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const byBand = () => [
    "match", ["to-string", ["coalesce", ["get", "band"], ["get", "change"]]],
    ["1", "gained"], colour("--geo-band-1"), "2", colour("--geo-band-2"),
    ["3", "same"], colour("--geo-band-3"), "lost", colour("--geo-lost"), "transparent",
  ];

  // The spot has a name of its own: it is not written twice.
  const namedButSpot = (kind) => ["all", ["==", ["get", "kind"], kind], ["has", "name"],
    ["!=", ["get", "name"], still().dataset.spot]];

  function layers() {
    const words = { "text-color": colour("--geo-words"), "text-halo-color": colour("--geo-halo"),
      "text-halo-width": 1.5 };
    const font = getComputedStyle(document.documentElement).fontFamily;
    const isKind = (kind) => ["==", ["get", "kind"], kind];
    const named = (kind, size, zoom) => ({
      id: `${kind}-names`, type: "symbol", source: "ground", minzoom: zoom,
      filter: namedButSpot(kind),
      layout: { "text-field": ["get", "name"], "text-size": size, "text-font": [font],
        "text-variable-anchor": ["left", "right", "top", "bottom"], "text-radial-offset": 0.6,
        "symbol-sort-key": ["get", "order"] },
      paint: words,
    });
    return [
      { id: "water", type: "background", paint: { "background-color": colour("--geo-water") } },
      { id: "land", type: "fill", source: "ground", filter: isKind("land"),
        paint: { "fill-color": colour("--geo-land") } },
      { id: "bands", type: "fill", source: "reach",
        filter: ["any", ["has", "band"], ["has", "change"]],
        paint: { "fill-color": byBand(), "fill-opacity": 0.82, "fill-antialias": false } },
      { id: "border", type: "line", source: "ground", filter: isKind("land"),
        paint: { "line-color": colour("--geo-border"), "line-width": 1 } },
      { id: "metro", type: "line", source: "ground",
        filter: ["all", isKind("metro"), ["==", ["geometry-type"], "LineString"]],
        paint: { "line-color": colour("--geo-metro"), "line-width": 1 } },
      { id: "rail", type: "line", source: "ground",
        filter: ["all", isKind("rail"), ["==", ["geometry-type"], "LineString"]],
        paint: { "line-color": colour("--geo-rail"), "line-width": 1.6 } },
      { id: "road", type: "line", source: "ground", filter: isKind("road"),
        paint: { "line-color": colour("--geo-rail"), "line-width": 1.6 } },
      { id: "stations", type: "circle", source: "ground",
        filter: ["all", isKind("rail"), ["==", ["geometry-type"], "Point"]],
        paint: { "circle-radius": 3.5, "circle-color": colour("--geo-halo"),
          "circle-stroke-color": colour("--geo-rail"), "circle-stroke-width": 1.5 } },
      named("rail", 13, 8),
      named("city", 14, 5),
      { id: "spot-ring", type: "circle", source: "reach", filter: ["has", "spot"],
        paint: { "circle-radius": 9, "circle-opacity": 0, "circle-stroke-width": 2.5,
          "circle-stroke-color": colour("--geo-spot") } },
      { id: "spot", type: "circle", source: "reach", filter: ["has", "spot"],
        paint: { "circle-radius": 3.5, "circle-color": colour("--geo-spot") } },
      { id: "spot-name", type: "symbol", source: "reach", filter: ["has", "spot"],
        layout: { "text-field": ["get", "name"], "text-size": 15, "text-font": [font],
          "text-variable-anchor": ["left", "right"], "text-radial-offset": 1 },
        paint: words },
    ];
  }

  const style = () => ({
    version: 8,
    sources: {
      ground: { type: "geojson", data: new URL(still().dataset.ground, location.href).href },
      reach: { type: "geojson", data: new URL(still().dataset.reach, location.href).href },
    },
    layers: layers(),
  });

  function draw() {
    if (!map?.getSource("reach")) return;
    map.getSource("reach").setData(new URL(still().dataset.reach, location.href).href);
    for (const kind of ["rail", "city"]) map.setFilter(`${kind}-names`, namedButSpot(kind));
    if (map.groundShown !== still().dataset.ground) {
      map.groundShown = still().dataset.ground;
      map.getSource("ground").setData(new URL(map.groundShown, location.href).href);
    }
  }

  function bounds() {
    const { west, south, east, north } = still().querySelector(".geo").dataset;
    return [[Number(west), Number(south)], [Number(east), Number(north)]];
  }

  function button(text, label, act) {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    made.setAttribute("aria-label", label);
    made.addEventListener("click", act);
    return made;
  }

  function canMove() {
    if (typeof maplibregl === "undefined") return false;
    try {
      return Boolean(document.createElement("canvas").getContext("webgl2"));
    } catch {
      return false;
    }
  }

  function move() {
    frame.classList.add("may-move");
    const box = document.createElement("div");
    box.className = "geo-moving";
    frame.append(box);
    maplibregl.setWorkerUrl(frame.dataset.worker);
    const said = frame.dataset;
    try {
      map = new maplibregl.Map({
        container: box,
        style: style(),
        bounds: bounds(),
        attributionControl: false,
        cooperativeGestures: true,
        dragRotate: false,
        pitchWithRotate: false,
        maxZoom: 13,
        fadeDuration: 0,
        locale: { "Map.Title": said.title,
          "CooperativeGesturesHandler.WindowsHelpText": said.windows,
          "CooperativeGesturesHandler.MacHelpText": said.mac,
          "CooperativeGesturesHandler.MobileHelpText": said.touch,
          "ScaleControl.Kilometers": said.km, "ScaleControl.Meters": said.m },
      });
      map.addControl(new maplibregl.ScaleControl({ maxWidth: 120 }), "bottom-left");
    } catch {
      box.remove();
      map = null;
      return;
    }
    map.groundShown = still().dataset.ground;
    map.touchZoomRotate.disableRotation();
    map.keyboard.disableRotation();
    map.on("click", (event) => choose(event.lngLat.lng, event.lngLat.lat));
    map.getCanvas().addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      const { lng, lat } = map.getCenter();
      choose(lng, lat);
    });
    const cross = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    cross.setAttribute("class", "geo-cross");
    cross.setAttribute("viewBox", "0 0 24 24");
    cross.setAttribute("aria-hidden", "true");
    const lines = document.createElementNS("http://www.w3.org/2000/svg", "path");
    lines.setAttribute("d", "M12 2v20M2 12h20");
    cross.append(lines);
    box.append(cross);
    const buttons = document.createElement("div");
    buttons.className = "geo-buttons";
    buttons.append(
      button("+", said.closer, () => map.zoomIn()),
      button("−", said.farther, () => map.zoomOut()),
      button("⤢", said.whole, () => map.fitBounds(bounds())),
    );
    box.append(buttons);
    // Until everything is drawn, the page's own picture is what one sees.
    map.once("idle", () => {
      frame.classList.add("is-moving");
      document.documentElement.dataset.map = "moving";
    });
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", () => map.setStyle(style()));
  }

  if (canMove()) move();
})();
