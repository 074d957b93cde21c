(() => {
  "use strict";
  // Text from evidence only ever becomes textContent: nothing here builds markup from strings.
  const byId = (id) => document.getElementById(id);
  const PAGE = 50;
  const COLLATE = new Intl.Collator("en", { numeric: true });
  const facts = JSON.parse(byId("facts").textContent);
  const rank = new Map(Object.keys(facts.outcomes).map((code, at) => [code, at]));
  const blocks = [...document.querySelectorAll("script.operations")];
  const LABELS = [
    ["operation_id", "Operation"], ["subject_type", "Subject is a"], ["subject_id", "Subject id"], ["subject_name", "Subject name"],
    ["system", "System"], ["instance", "Instance"], ["identity_id", "Identity"], ["entitlement", "Entitlement"], ["cycle", "Cycle"],
    ["opened_at", "Opened"], ["due_at", "Due"], ["performed_at", "Performed"], ["measure", "Measure"], ["threshold", "Allowed"],
    ["reason", "Reason"], ["waiver_id", "Waiver"],
  ];
  const TIMES = new Set(["opened_at", "due_at", "performed_at"]);

  let files = null;      // [sha256, name, feeds, every name] per number
  let rows = null;       // { block, at } flattened: blockOf[i], rowOf[i]
  let found = [];
  let page = 0;
  let sort = { by: "outcome", down: false };

  function load() {
    if (rows) return;
    files = JSON.parse(byId("evidence-files").textContent);
    const parsed = blocks.map((element) => JSON.parse(element.textContent));
    const total = parsed.reduce((sum, block) => sum + block.rows, 0);
    rows = { parsed, block: new Uint16Array(total), at: new Uint32Array(total), total, text: new Array(total) };
    let next = 0;
    parsed.forEach((block, number) => {
      for (let at = 0; at < block.rows; at++, next++) { rows.block[next] = number; rows.at[next] = at; }
    });
    prepare();
  }

  function value(row, name) {
    const column = rows.parsed[rows.block[row]].columns[name];
    if ("c" in column) return column.c;
    const at = rows.at[row];
    return column.d ? column.d[column.i[at]] : column.v[at];
  }

  function moment(seconds) {
    if (seconds === null) return "–";
    const whole = Math.floor(seconds);
    const text = new Date((facts.origin + whole) * 1000).toISOString();
    const fraction = Math.round((seconds - whole) * 1e6);
    const tail = fraction ? text.slice(16, 19) + "." + String(fraction).padStart(6, "0").replace(/0+$/, "") : text.slice(16, 19) === ":00" ? "" : text.slice(16, 19);
    return text.slice(0, 10) + " " + text.slice(11, 16) + tail;
  }

  function haystack(row) {
    // Built once per row, and only for rows that a search has to look at.
    return rows.text[row] ??= ["subject_name", "subject_id", "identity_id", "system", "instance", "entitlement", "cycle", "reason", "reason_text", "waiver_id", "operation_id", "control_id"]
      .map((name) => value(row, name) ?? "").join("\n").toLowerCase();
  }

  function prepare(row = 0) {
    // In idle moments, so that the first search need not wait for it.
    requestIdleCallback((idle) => {
      while (row < rows.total && idle.timeRemaining() > 2) for (const end = Math.min(row + 200, rows.total); row < end; row++) haystack(row);
      if (row < rows.total) prepare(row);
    });
  }

  function filesMatching(word) {
    // A full citation, sha256:record, finds the operations that rest on exactly that record.
    const [, hash, record] = /^([0-9a-f]{8,64}):(\d+)$/.exec(word) ?? [];
    const numbers = new Set();
    files.forEach(([sha256, , feeds, names], number) => {
      if (hash ? sha256.startsWith(hash) : sha256.startsWith(word) || names.toLowerCase().includes(word) || feeds.includes(word)) numbers.add(number);
    });
    return { numbers, record };
  }

  function cites(row, { numbers, record }) {
    if (!numbers.size) return false;
    return (value(row, "evidence") || "").split(" ").some((group) => {
      const colon = group.indexOf(":");
      return colon > 0 && numbers.has(Number(group.slice(0, colon))) && (!record || group.slice(colon + 1).split(",").includes(record));
    });
  }

  function apply() {
    load();
    const control = byId("filter-control").value;
    const shown = new Set([...document.querySelectorAll("[name=outcome]:checked")].map((box) => box.value));
    const words = byId("filter-text").value.toLowerCase().split(/\s+/).filter(Boolean).map((word) => ({ word, files: filesMatching(word) }));
    const counts = new Map();
    found = [];
    for (let row = 0; row < rows.total; row++) {
      if (control && value(row, "control_id") !== control) continue;
      if (words.length && !words.every(({ word, files: matching }) => haystack(row).includes(word) || cites(row, matching))) continue;
      const outcome = value(row, "outcome");
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
      if (shown.has(outcome)) found.push(row);
    }
    for (const place of document.querySelectorAll("[data-count]")) place.textContent = (counts.get(place.dataset.count) ?? 0).toLocaleString("en");
    order();
    page = 0;
    const filtered = control || words.length || shown.size < document.querySelectorAll("[name=outcome]").length;
    byId("filter-clear").hidden = !filtered;
    byId("filter-status").textContent = `${found.length.toLocaleString("en")} of ${rows.total.toLocaleString("en")} operations`;
    draw();
  }

  function order() {
    const { by, down } = sort;
    const key = by === "outcome" ? (row) => rank.get(value(row, by)) ?? rank.size
      : by === "subject_name" ? (row) => value(row, "subject_name") ?? value(row, "subject_id") : (row) => value(row, by);
    const keys = new Map(found.map((row) => [row, key(row)]));
    const sign = down ? -1 : 1;
    found.sort((one, other) => {
      const a = keys.get(one), b = keys.get(other);
      // Rows without the value stay last whichever way the column is sorted.
      if (a === null || b === null) return (a === null) - (b === null) || one - other;
      return sign * (typeof a === "string" ? COLLATE.compare(a, b) : a - b) || one - other;
    });
    for (const button of document.querySelectorAll("[data-sort]")) {
      const header = button.closest("th");
      if (button.dataset.sort === by) header.setAttribute("aria-sort", down ? "descending" : "ascending");
      else header.removeAttribute("aria-sort");
    }
  }

  function element(name, className, text) {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined && text !== null) made.textContent = text;
    return made;
  }

  function symbol(name) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("class", "icon");
    svg.setAttribute("aria-hidden", "true");
    const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
    use.setAttribute("href", `#icon-${name}`);
    svg.append(use);
    return svg;
  }

  function draw() {
    const last = Math.max(0, Math.ceil(found.length / PAGE) - 1);
    page = Math.min(Math.max(page, 0), last);
    const part = found.slice(page * PAGE, page * PAGE + PAGE);
    byId("rows").replaceChildren(...part.map(summary));
    if (!part.length) {
      const none = element("td", "none", "No operation matches.");
      none.colSpan = 8;
      const line = element("tr");
      line.append(none);
      byId("rows").append(line);
    }
    byId("page-previous").disabled = page === 0;
    byId("page-next").disabled = page === last;
    byId("page-status").textContent = part.length ? `${(page * PAGE + 1).toLocaleString("en")} to ${(page * PAGE + part.length).toLocaleString("en")} of ${found.length.toLocaleString("en")}` : "";
  }

  function summary(row) {
    const line = element("tr", "row");
    const name = value(row, "subject_name"), id = value(row, "subject_id"), outcome = value(row, "outcome");
    const open = element("button", "open");
    open.type = "button";
    open.setAttribute("aria-expanded", "false");
    open.setAttribute("aria-label", `Fields and evidence of ${name ?? id}`);
    const first = element("td");
    first.append(open);
    const tag = element("span", `outcome is-${outcome}`);
    tag.append(symbol(outcome), facts.outcomes[outcome] ?? outcome);
    const second = element("td");
    second.append(tag);
    const subject = element("th");
    subject.scope = "row";
    subject.append(element("bdi", "name", name ?? id));
    if (name !== null && name !== id) subject.append(element("bdi", "native", id));
    const text = element("td");
    text.append(element("bdi", "", value(row, "reason_text") ?? ""));
    line.append(first, second, element("td", "", value(row, "control_id")), subject,
      ...["opened_at", "due_at", "performed_at"].map((time) => element("td", "", moment(value(row, time)))), text);
    const toggle = () => {
      const opened = open.getAttribute("aria-expanded") === "true";
      open.setAttribute("aria-expanded", String(!opened));
      if (opened) line.nextSibling.remove();
      else line.after(detail(row));
    };
    line.addEventListener("click", (event) => {
      // Marking text to copy it is no wish to fold the row.
      if (!event.target.closest("a") && !String(getSelection())) toggle();
    });
    return line;
  }

  function amount(row, name) {
    const number = value(row, name);
    if (number === null) return null;
    const unit = value(row, "unit");
    return unit ? `${number.toLocaleString("en", { maximumFractionDigits: 6 })} ${unit}` : String(number);
  }

  function detail(row) {
    const cell = element("td");
    cell.colSpan = 8;
    const list = element("dl", "fields");
    for (const [name, label] of LABELS) {
      const shown = name === "measure" ? amount(row, "measure_value") : name === "threshold" ? amount(row, "threshold_value") : TIMES.has(name) ? moment(value(row, name)) : value(row, name);
      if (shown === null || shown === "") continue;
      const pair = element("div");
      const measure = name === "measure" && value(row, "measure_name");
      const held = element("dd");
      held.append(element(name === "operation_id" ? "code" : "bdi", "", shown));
      pair.append(element("dt", "", measure ? `${label}: ${measure}` : label), held);
      list.append(pair);
    }
    const cited = element("ul", "cited");
    let records = 0;
    for (const group of (value(row, "evidence") || "").split(" ").filter(Boolean)) {
      const colon = group.indexOf(":");
      const [sha256, name, feeds] = files[Number(group.slice(0, colon))];
      for (const record of group.slice(colon + 1).split(",")) {
        records++;
        const item = element("li");
        const where = record ? ` record ${record} ` : " the whole file ";
        item.append(element("bdi", "file", name || "(not in the list of evidence files)"), where, element("span", "feed", feeds), element("code", "hash", record ? `${sha256}:${record}` : sha256));
        cited.append(item);
      }
    }
    cell.append(list, element("h4", "", records ? `Evidence: ${records === 1 ? "1 citation" : `${records} citations`}` : "Evidence: none is cited"), cited);
    const trace = element("p", "trace", "Show the records: ");
    trace.append(element("code", "", `upheld trace ${value(row, "operation_id")}`));
    cell.append(trace);
    const line = element("tr", "detail");
    line.append(cell);
    return line;
  }

  function clear() {
    byId("filter-text").value = "";
    byId("filter-control").value = "";
    for (const box of document.querySelectorAll("[name=outcome]")) box.checked = true;
  }

  let waiting = 0;
  byId("filter-text").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(apply, 120); });
  byId("filter-control").addEventListener("change", apply);
  for (const box of document.querySelectorAll("[name=outcome]")) box.addEventListener("change", apply);
  byId("filter-clear").addEventListener("click", () => { clear(); apply(); byId("filter-text").focus(); });
  byId("page-previous").addEventListener("click", () => { page--; draw(); });
  byId("page-next").addEventListener("click", () => { page++; draw(); });
  for (const button of document.querySelectorAll("[data-sort]")) {
    button.addEventListener("click", () => {
      sort = { by: button.dataset.sort, down: sort.by === button.dataset.sort && !sort.down };
      order();
      page = 0;
      draw();
    });
  }
  for (const link of document.querySelectorAll("[data-show-control]")) {
    link.addEventListener("click", () => { clear(); byId("filter-control").value = link.dataset.showControl; apply(); });
  }
  for (const link of document.querySelectorAll("[data-show-operation]")) {
    link.addEventListener("click", () => {
      clear();
      byId("filter-text").value = link.dataset.showOperation;
      apply();
      byId("rows").querySelector(".open")?.click();
    });
  }

  // -- one identity over time -----------------------------------------------------------------------------------
  const OFFERED = 200, LANES = 40, TOLD = 200;
  const LEFT = 250, WIDE = 1000, LANE = 26, HEAD = 8;
  const EXCEPTIONS = new Set(["deviation", "indeterminate", "waived"]);
  const [END, CUTOFF] = facts.span;
  let identities = null;  // { id, linked, rows, exceptions, text } in the order in which they are offered

  function gather() {
    if (identities) return;
    load();
    const known = new Map();
    for (let row = 0; row < rows.total; row++) {
      if (value(row, "subject_type") === "feed") continue;
      // What nothing links stands for itself.
      const linked = value(row, "identity_id");
      const id = linked || value(row, "subject_id");
      if (!id) continue;
      let found = known.get(id);
      if (!found) known.set(id, found = { id, linked: Boolean(linked), rows: [], exceptions: 0, names: new Set() });
      found.rows.push(row);
      if (EXCEPTIONS.has(value(row, "outcome"))) found.exceptions++;
      const name = value(row, "subject_name");
      if (name && found.names.size < 20) found.names.add(name);
    }
    identities = [...known.values()];
    for (const identity of identities) identity.text = [identity.id, ...identity.names].join("\n").toLowerCase();
    identities.sort((one, other) => other.exceptions - one.exceptions || other.rows.length - one.rows.length || COLLATE.compare(one.id, other.id));
  }

  function offer() {
    gather();
    const words = byId("identity-text").value.toLowerCase().split(/\s+/).filter(Boolean);
    const matching = identities.filter(({ text }) => words.every((word) => text.includes(word)));
    byId("identity").replaceChildren(...matching.slice(0, OFFERED).map((identity) => {
      const name = identity.names.size === 1 ? [...identity.names][0] : "";
      const count = identity.exceptions ? `${identity.exceptions} of ${identity.rows.length} not in order` : `${identity.rows.length} in order`;
      const option = element("option", "", `${identity.id}${name && name !== identity.id ? ` (${name})` : ""}: ${count}`);
      option.value = identity.id;
      return option;
    }));
    offer.matching = matching.length;
    showIdentity();
  }

  function showIdentity() {
    const identity = identities.find(({ id }) => id === byId("identity").value);
    byId("identity-operations").hidden = !identity;
    const offered = offer.matching > OFFERED ? `The first ${OFFERED} of ${offer.matching.toLocaleString("en")} identities are offered. ` : "";
    if (!identity) {
      byId("identity-status").textContent = "No identity matches.";
      byId("identity-picture").replaceChildren();
      byId("identity-list").replaceChildren();
      return;
    }
    const lanes = new Map();
    for (const row of identity.rows) {
      const key = `${value(row, "control_id")}\n${value(row, "subject_id")}\n${value(row, "entitlement") ?? ""}`;
      if (!lanes.has(key)) lanes.set(key, []);
      lanes.get(key).push(row);
    }
    const drawn = [...lanes.values()].slice(0, LANES);
    const told = [...identity.rows].sort((one, other) => (value(one, "opened_at") ?? 0) - (value(other, "opened_at") ?? 0)).slice(0, TOLD);
    const cut = [
      lanes.size > LANES ? ` The first ${LANES} of ${lanes.size} subjects are drawn.` : "",
      identity.rows.length > TOLD ? ` The first ${TOLD} operations are listed.` : "",
    ].join("");
    byId("identity-status").textContent = `${offered}${identity.rows.length.toLocaleString("en")} ${identity.rows.length === 1 ? "operation" : "operations"} of ${identity.id}${identity.linked ? "" : ", which nothing links to an identity"}; ${identity.exceptions} not in order.${cut}`;
    byId("identity-picture").replaceChildren(timeline(drawn));
    byId("identity-list").replaceChildren(...told.map(line));
  }

  function line(row) {
    const item = element("li");
    const outcome = value(row, "outcome");
    const tag = element("span", `outcome is-${outcome}`);
    tag.append(symbol(outcome), facts.outcomes[outcome] ?? outcome);
    const subject = element("bdi", "name", value(row, "subject_name") ?? value(row, "subject_id"));
    item.append(element("time", "", moment(value(row, "opened_at"))), element("b", "", value(row, "control_id")), tag, subject, element("bdi", "", value(row, "reason_text") ?? ""));
    return item;
  }

  function shape(name, attributes, ...children) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, content] of Object.entries(attributes)) made.setAttribute(key, content);
    made.append(...children);
    return made;
  }

  function timeline(lanes) {
    const foot = HEAD + LANE * lanes.length;
    const at = (seconds) => LEFT + Math.min(Math.max(seconds / END, 0), 1) * (WIDE - LEFT - 10);
    const svg = shape("svg", { viewBox: `0 0 ${WIDE} ${foot + 22}`, role: "img", "aria-label": "Each line is one subject: bars from the begin to the end of an operation, a tick where it was due. The list below says the same in words." });
    if (CUTOFF < END) svg.append(shape("rect", { class: "unknown", x: at(CUTOFF), y: 0, width: at(END) - at(CUTOFF), height: foot }));
    const begin = new Date(facts.origin * 1000), end = new Date((facts.origin + END) * 1000);
    const months = [];
    for (let month = new Date(Date.UTC(begin.getUTCFullYear(), begin.getUTCMonth() + (begin.getUTCDate() > 1 ? 1 : 0), 1)); month < end; month = new Date(Date.UTC(month.getUTCFullYear(), month.getUTCMonth() + 1, 1))) months.push(month);
    const every = Math.ceil(months.length / 12);
    months.filter((_, number) => number % every === 0).forEach((month) => {
      const x = at(month.getTime() / 1000 - facts.origin);
      svg.append(shape("line", { class: "grid", x1: x, x2: x, y1: HEAD - 4, y2: foot }));
      svg.append(shape("text", { class: "tick", x: x + 4, y: foot + 15 }, month.toLocaleDateString("en", { month: "short", year: month.getUTCMonth() && month !== months[0] ? undefined : "numeric", timeZone: "UTC" })));
    });
    lanes.forEach((lane, number) => {
      const y = HEAD + LANE * number;
      const name = value(lane[0], "subject_name") ?? value(lane[0], "subject_id");
      const full = `${value(lane[0], "control_id")} ${value(lane[0], "system") ?? ""} ${name}`;
      svg.append(shape("text", { class: "lane", x: 0, y: y + LANE / 2 + 4 }, full.length > 36 ? `${full.slice(0, 35)}…` : full, shape("title", {}, `${full} ${value(lane[0], "subject_id")}`)));
      svg.append(shape("line", { class: "grid", x1: LEFT, x2: WIDE - 10, y1: y + LANE - 1, y2: y + LANE - 1 }));
      // What went wrong lies above what did not.
      for (const row of [...lane].sort((one, other) => (rank.get(value(other, "outcome")) ?? 9) - (rank.get(value(one, "outcome")) ?? 9))) {
        const outcome = value(row, "outcome");
        const due = value(row, "due_at"), performed = value(row, "performed_at");
        const from = value(row, "opened_at") ?? due ?? performed ?? 0;
        // What belongs to a cycle ends with it; a state that was never put right lasts to the end.
        const until = performed ?? (due !== null && (outcome === "operated" || value(row, "cycle")) ? due : CUTOFF);
        const x = at(Math.min(from, until)), width = Math.max(3, at(Math.max(from, until)) - x);
        const bar = shape("rect", { class: `bar is-${outcome}`, x, y: y + 6, width, height: LANE - 13, rx: 2 });
        bar.append(shape("title", {}, `${facts.outcomes[outcome] ?? outcome}: ${value(row, "reason_text") ?? ""} (${moment(from)} to ${performed === null ? "–" : moment(performed)})`));
        svg.append(bar);
        if (due !== null && due > 0 && due < END) svg.append(shape("line", { class: "due", x1: at(due), x2: at(due), y1: y + 3, y2: y + LANE - 4 }));
      }
    });
    return svg;
  }

  let looking = 0;
  byId("identity-text").addEventListener("input", () => { clearTimeout(looking); looking = setTimeout(offer, 120); });
  byId("identity").addEventListener("change", showIdentity);
  byId("identity-operations").addEventListener("click", () => {
    clear();
    byId("filter-text").value = byId("identity").value;
    apply();
    byId("operations").scrollIntoView();
    byId("filter-text").focus();
  });
  for (const form of document.querySelectorAll(".filters")) form.addEventListener("submit", (event) => event.preventDefault());

  // Parsing waits until somebody comes near.
  for (const [place, begin] of [["explorer", () => { if (byId("filter-status").textContent === "") apply(); }], ["identity-view", () => { if (!identities) offer(); }]]) {
    byId(place).hidden = false;
    const watch = new IntersectionObserver((seen) => {
      if (!seen.some((entry) => entry.isIntersecting)) return;
      watch.disconnect();
      begin();
    }, { rootMargin: "600px" });
    watch.observe(byId(place));
  }
})();
