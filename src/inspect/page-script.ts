/**
 * The program of the page of `page.ts`, as text: it runs in a browser, which nothing else here is compiled for. A test runs
 * it in a real one. It makes all text with `textContent`.
 */
export const pageScript: string = String.raw`
"use strict";
const { names, places, edges, entry, cycles } = JSON.parse(document.getElementById("data").textContent);
const WIDTH = 190, HEIGHT = 22;
const byId = (id) => document.getElementById(id);
const list = byId("list"), picture = byId("picture"), details = byId("details"), search = byId("search");
const outgoing = names.map(() => []), incoming = names.map(() => []);
edges.forEach((edge, index) => { outgoing[edge[0]].push(index); incoming[edge[1]].push(index); });
const inCycle = new Map();
cycles.forEach((members, index) => members.forEach((member) => inCycle.set(member, index)));

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}
function drawn(name, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}
function mark(target, index) {
  target.classList.toggle("entry", index === entry);
  target.classList.toggle("cycle", inCycle.has(index));
  return target;
}
function button(index) {
  const made = mark(element("button", { type: "button", textContent: names[index] }), index);
  made.dataset.source = String(index);
  made.addEventListener("click", () => select(index));
  return made;
}

// The list.
const buttons = names.map((_, index) => button(index));
const items = buttons.map((made) => element("li", {}, made));
list.append(...items);

// The picture: who imports stands to the left of what is imported.
const at = places.map(([column, row]) => [column * WIDTH + 20, row * HEIGHT + 20]);
const lines = edges.map(([from, to, kind]) => {
  const [x1, y1] = at[from], [x2, y2] = at[to];
  const bend = Math.max(30, Math.abs(x2 - x1) / 2);
  const d = "M" + x1 + " " + y1 + " C" + (x1 + bend) + " " + y1 + " " + (x2 - bend) + " " + y2 + " " + x2 + " " + y2;
  return drawn("path", { d, class: kind });
});
const nodes = names.map((name, index) => {
  const [x, y] = at[index];
  const label = name.length > 26 ? "…" + name.slice(-25) : name;
  const title = drawn("title", {});
  title.textContent = name;
  const text = drawn("text", { x: x + 9, y: y + 4 });
  text.textContent = label;
  const group = mark(drawn("g", {}, title, drawn("circle", { cx: x, cy: y, r: 5 }), text), index);
  group.dataset.source = String(index);
  group.addEventListener("click", () => { if (!moved) select(index); });
  return group;
});
picture.append(...lines, ...nodes);

// What a change reloads, and the shortest way from it to the entry.
function reach(start) {
  const by = new Map([[start, -1]]);
  for (const source of by.keys()) {
    for (const index of incoming[source]) if (!by.has(edges[index][0])) by.set(edges[index][0], index);
  }
  return by;
}
function wayToEntry(by) {
  const way = [];
  if (!by.has(entry)) return undefined;
  for (let index = by.get(entry); index !== -1; index = by.get(edges[index][1])) way.push(index);
  return way.reverse();
}
function verb(kind) {
  return { import: "imports", require: "requires", dynamic: "imports, later,", runtime: "asks at run time for", needs: "needs", step: "is made from" }[kind];
}
function section(title, id, children) {
  const body = element("ul", { id });
  body.append(...children.map((child) => element("li", {}, ...[child].flat())));
  return [element("h3", { textContent: title }), body];
}
function edgeItem(index, other) {
  const [from, , kind, where] = edges[index];
  return [button(other), element("span", { className: "why", textContent: names[from] + " " + verb(kind) + " " + JSON.stringify(where) })];
}

let selected = -1;
function select(index) {
  selected = index;
  const by = reach(index), way = wayToEntry(by) ?? [];
  const onWay = new Set(way.flatMap((each) => [edges[each][0], edges[each][1]]));
  const closure = [...by.keys()].sort((a, b) => a - b);
  for (const all of [buttons, nodes]) {
    all.forEach((each, other) => {
      each.classList.toggle("selected", other === index);
      each.classList.toggle("closure", by.has(other));
      each.classList.toggle("way", onWay.has(other));
    });
  }
  const wayLines = new Set(way);
  lines.forEach((line, each) => {
    line.classList.toggle("closure", by.has(edges[each][1]) && by.has(edges[each][0]));
    line.classList.toggle("way", wayLines.has(each));
  });
  picture.classList.add("active");
  const cycle = inCycle.get(index);
  details.replaceChildren(
    element("h2", { id: "selected", textContent: names[index] }),
    ...section("A change of it reloads " + closure.length + (closure.length === 1 ? " source" : " sources") + ", in load order", "closure", closure.map(button)),
    ...section(by.has(entry) ? "Its path to the entry" : "Nothing leads from it to the entry", "way", index === entry ? ["It is the entry."] : way.map((each) => edgeItem(each, edges[each][0]))),
    ...(cycle === undefined ? [] : section("In a cycle with", "cycle", cycles[cycle].filter((each) => each !== index).map(button))),
    ...section("It imports or needs", "imports", outgoing[index].map((each) => edgeItem(each, edges[each][1]))),
    ...section("Imported or needed by", "importers", incoming[index].map((each) => edgeItem(each, edges[each][0]))),
  );
  items[index].scrollIntoView({ block: "nearest" });
  history.replaceState(null, "", "#" + encodeURIComponent(names[index]));
}

// Search.
function filter() {
  const wanted = search.value.trim().toLowerCase();
  let count = 0;
  names.forEach((name, index) => {
    const fits = name.toLowerCase().includes(wanted);
    if (fits) count++;
    items[index].hidden = !fits;
    nodes[index].classList.toggle("hidden", !fits);
  });
  byId("count").textContent = count + " of " + names.length + " sources, in load order" + (cycles.length > 0 ? "; cycles: " + cycles.length : "");
}
search.addEventListener("input", filter);
search.addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  const first = items.findIndex((item) => !item.hidden);
  if (first !== -1) select(first);
});

// Moving and zooming.
let view;
let moved = false;
function show() { picture.setAttribute("viewBox", view.join(" ")); }
function showAll() {
  const right = Math.max(...at.map(([x]) => x)) + WIDTH, bottom = Math.max(...at.map(([, y]) => y)) + 50;
  const { width, height } = picture.getBoundingClientRect();
  // Not so small that nothing can be read: begin at the entry then.
  const scale = Math.min(Math.max(right / width, bottom / height, 0.8), 1.6);
  const w = width * scale, h = height * scale;
  const y = bottom <= h ? (bottom - h) / 2 : Math.min(Math.max(at[entry][1] - h / 2, 0), bottom - h);
  view = [0, y, w, h];
  show();
}
picture.addEventListener("wheel", (event) => {
  event.preventDefault();
  const box = picture.getBoundingClientRect();
  const by = event.deltaY > 0 ? 1.15 : 1 / 1.15;
  const fx = (event.clientX - box.left) / box.width, fy = (event.clientY - box.top) / box.height;
  view = [view[0] + fx * view[2] * (1 - by), view[1] + fy * view[3] * (1 - by), view[2] * by, view[3] * by];
  show();
}, { passive: false });
picture.addEventListener("pointerdown", (event) => {
  const box = picture.getBoundingClientRect();
  const [x, y, w, h] = view, startX = event.clientX, startY = event.clientY;
  moved = false;
  const move = (to) => {
    const dx = to.clientX - startX, dy = to.clientY - startY;
    if (!moved && Math.hypot(dx, dy) < 4) return;
    moved = true;
    view = [x - dx / box.width * w, y - dy / box.height * h, w, h];
    show();
  };
  const end = () => { removeEventListener("pointermove", move); };
  addEventListener("pointermove", move);
  addEventListener("pointerup", end, { once: true });
  addEventListener("pointercancel", end, { once: true });
});

showAll();
filter();
const named = names.indexOf(decodeURIComponent(location.hash.slice(1)));
if (named !== -1) select(named);
`;
