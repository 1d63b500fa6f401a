"use strict";
// Text of the project gets into the page by textContent and by the canvas only, never as markup.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { nodes, lanes, files, findings, edges } = data;
  const steps = data.steps.map(([kind, file, at, source]) => ({ kind, file, at, source }));
  // A path is written as its last hop and the path before that.
  const hops = (path) => {
    const found = [];
    for (let at = path; at >= 0; at = data.paths[at][0]) found.unshift(data.paths[at][1]);
    return found;
  };
  nodes.forEach((node) => { node.stays = node.stays.map(([lane, certain, path]) => ({ lane, certain, path })); });
  const $ = (id) => document.getElementById(id);
  const WIDTH = 290, LINE = 17, GAP = 18, BETWEEN = 90, TITLE = 34, MANY = 120, LARGE = 400;

  const element = (tag, text = "", className = "") => {
    const made = document.createElement(tag);
    made.textContent = text;
    if (className) made.className = className;
    return made;
  };
  // Code stands between backquotes.
  const rich = (text) => {
    const made = element("p");
    text.split("`").forEach((part, at) => made.append(at % 2 ? element("code", part) : part));
    return made;
  };
  // A module's own code has no row.
  const place = (thing) => `${files[thing.file]}${thing.at.startsWith("0:") ? "" : `:${thing.at}`}`;
  const shortened = (text, most) => {
    if (text.length <= most) return text;
    const head = Math.ceil((most - 1) / 2);
    return `${text.slice(0, head)}\u2026${text.slice(text.length - (most - 1 - head))}`;
  };
  const cut = (text, most) => (text.length <= most ? text : `${text.slice(0, most - 1)}\u2026`);
  const kindOf = (lane) => lanes[lane].kind || "none";
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

  // A box is a function in a lane; one that runs in two places is drawn in both.
  const boxes = [], boxAt = new Map();
  nodes.forEach((node, index) => {
    node.stays.forEach((stay) => {
      const row = node.at.replace(/:\d+$/, "");
      const lines = [shortened(node.name, 34), shortened(`${files[node.file].split("/").pop()}${row === "0" ? "" : `:${row}`}`, 34)];
      const own = node.findings.filter((at) => findings[at].way.some(([n, lane]) => n === index && lane === stay.lane));
      own.slice(0, 2).forEach((at) => lines.push(cut(`${findings[at].code} ${findings[at].source}`, 34)));
      if (own.length > 2) lines.push(`and ${own.length - 2} more`);
      const box = { id: `b${boxes.length}`, node: index, lane: stay.lane, stay, own, label: lines.join("\n"), height: lines.length * LINE + 16 };
      boxAt.set(`${index}:${stay.lane}`, box);
      boxes.push(box);
    });
  });
  const arrows = new Map();
  const arrow = (from, to, kind, step) => {
    if (!from || !to || from === to) return;
    const key = `${from.id} ${to.id} ${kind}`;
    if (!arrows.has(key)) arrows.set(key, { id: `e${arrows.size}`, from, to, kind, step, way: false });
  };
  for (const [source, leaves, target, enters, kind, step] of edges) {
    arrow(boxAt.get(`${source}:${leaves}`), boxAt.get(`${target}:${enters}`), kind, step);
  }
  const between = new Map();
  for (const one of arrows.values()) {
    const key = `${one.from.id} ${one.to.id}`;
    between.set(key, [...(between.get(key) || []), one]);
  }
  findings.forEach((finding) => {
    finding.boxes = finding.way.map(([node, lane]) => boxAt.get(`${node}:${lane}`)).filter(Boolean);
    finding.arrows = [];
    for (let at = 1; at < finding.boxes.length; at += 1) {
      finding.arrows.push(...(between.get(`${finding.boxes[at - 1].id} ${finding.boxes[at].id}`) || []));
    }
    finding.boxes.forEach((box) => { box.way = true; });
    finding.arrows.forEach((one) => { one.way = true; });
  });

  // Ranks from left to right by the longest way there, so that arrows lead to the right; what leads back is left out.
  function ranked(shown, links) {
    const after = new Map(shown.map((box) => [box, []])), before = new Map(shown.map((box) => [box, []]));
    links.forEach((one) => after.get(one.from).push(one.to));
    const state = new Map(), order = [];
    for (const root of shown) {
      if (state.has(root)) continue;
      const stack = [[root, 0]];
      state.set(root, 1);
      while (stack.length) {
        const top = stack[stack.length - 1], next = after.get(top[0])[top[1]];
        top[1] += 1;
        if (next === undefined) { state.set(top[0], 2); order.push(top[0]); stack.pop(); continue; }
        if (state.get(next) === 1) continue;
        before.get(next).push(top[0]);
        if (!state.has(next)) { state.set(next, 1); stack.push([next, 0]); }
      }
    }
    const rank = new Map();
    order.reverse().forEach((box) => rank.set(box, Math.max(0, ...before.get(box).map((one) => rank.get(one) + 1))));
    // What nothing leads to stands right before what it leads to.
    shown.forEach((box) => {
      const later = after.get(box).map((one) => rank.get(one)).filter((one) => one > rank.get(box));
      if (!before.get(box).length && later.length) rank.set(box, Math.min(...later) - 1);
    });
    return { rank, before };
  }

  // One part of the picture, from `top` down: ranks side by side, each a stack of boxes, or several where it is high.
  function stacked(groups, ranks, most, top, at) {
    const last = Math.max(0, ...ranks.rank.values()), columns = new Array(last + 1).fill(1), lefts = [];
    groups.forEach((cells) => cells.forEach((cell, rank) => { columns[rank] = Math.max(columns[rank], Math.ceil(cell.length / most)); }));
    columns.reduce((left, count, rank) => { lefts[rank] = left; return left + count * (WIDTH + GAP) - GAP + BETWEEN; }, 0);
    const bands = [];
    groups.forEach((cells, lane) => {
      let bottom = top + TITLE;
      [...cells.keys()].sort((a, b) => a - b).forEach((rank) => {
        const cell = cells.get(rank), high = Math.ceil(cell.length / Math.ceil(cell.length / most));
        // Near what leads there, else in the order of the files.
        const wish = (box) => {
          const led = ranks.before.get(box).filter((one) => at.has(one)).map((one) => at.get(one).y);
          return led.length ? led.reduce((sum, y) => sum + y, 0) / led.length : top;
        };
        const sorted = cell.map((box) => [wish(box), box]).sort((a, b) => a[0] - b[0] || a[1].node - b[1].node);
        let y = top + TITLE;
        sorted.forEach(([, box], index) => {
          if (index % high === 0) y = top + TITLE;
          at.set(box, { x: lefts[rank] + Math.floor(index / high) * (WIDTH + GAP) + WIDTH / 2, y: y + box.height / 2 });
          y += box.height + GAP;
          bottom = Math.max(bottom, y);
        });
      });
      bands.push({ lane, top, bottom });
      top = bottom;
    });
    return { bands, width: lefts[last] + columns[last] * (WIDTH + GAP) - GAP };
  }
  function grouped(shown, rank) {
    const groups = new Map();
    [...shown].sort((a, b) => a.lane - b.lane).forEach((box) => {
      if (!groups.has(box.lane)) groups.set(box.lane, new Map());
      const cells = groups.get(box.lane);
      cells.set(rank.get(box), [...(cells.get(rank.get(box)) || []), box]);
    });
    return groups;
  }

  function components(shown, links) {
    const leader = new Map(shown.map((box) => [box, box]));
    const find = (box) => {
      let at = box;
      while (leader.get(at) !== at) { leader.set(at, leader.get(leader.get(at))); at = leader.get(at); }
      return at;
    };
    links.forEach((one) => leader.set(find(one.to), find(one.from)));
    const found = new Map();
    shown.forEach((box) => found.set(find(box), [...(found.get(find(box)) || []), box]));
    return [...found.values()];
  }

  // What hangs together is a block, in which lanes lie one below the other and arrows lead from one to the next. A
  // large one would be mostly empty then: each of its lanes is a block.
  function blocks(shown, links) {
    const swimlanes = (own) => {
      const at = new Map(), inside = new Set(own);
      const ranks = ranked(own, links.filter((one) => inside.has(one.from) && inside.has(one.to)));
      const most = own.length > MANY ? Math.max(3, Math.ceil(Math.sqrt(own.length) * 1.1)) : 12;
      return { at, ...stacked(grouped(own, ranks.rank), ranks, most, 0, at) };
    };
    return components(shown, links).flatMap((own) => {
      if (own.length <= MANY) return [swimlanes(own)];
      return [...new Set(own.map((box) => box.lane))].sort((a, b) => a - b).map((lane) => swimlanes(own.filter((box) => box.lane === lane)));
    });
  }

  // Blocks stand in rows, like words.
  function arranged(shown, links) {
    const parts = blocks(shown, links), at = new Map(), bands = [];
    const height = (part) => part.bands[part.bands.length - 1].bottom;
    const area = parts.reduce((sum, part) => sum + (part.width + 54) * (height(part) + 26), 0);
    // As wide as can be read without scrolling sideways; of very much, in the shape of the window.
    const wish = shown.length > LARGE ? Math.sqrt(area * 1.5) : cy.width() / 0.75;
    const across = Math.max(wish, ...parts.map((part) => part.width));
    let left = 0, top = 0, below = 0;
    parts.forEach((part, block) => {
      if (left && left + part.width > across) { left = 0; top = below + 26; }
      part.at.forEach((where, box) => at.set(box, { x: where.x + left, y: where.y + top }));
      const alone = parts.length === 1;
      part.bands.forEach((band) => bands.push({
        lane: band.lane, block, top: top + band.top, bottom: top + band.bottom,
        left: alone ? -Infinity : left - 14, right: alone ? Infinity : left + part.width + 14,
      }));
      below = Math.max(below, top + height(part));
      left += part.width + 54;
    });
    return { at, bands };
  }

  function styles() {
    const line = colour("faint"), bad = colour("bad"), text = colour("text"), surface = colour("surface");
    return [
      { selector: "node", style: {
        shape: "round-rectangle", width: WIDTH, height: "data(height)", label: "data(label)", "text-wrap": "wrap",
        "text-valign": "center", "text-halign": "center", "font-size": 13, "line-height": 1.3, color: text,
        "font-family": 'Menlo, Consolas, "DejaVu Sans Mono", monospace', "min-zoomed-font-size": 6,
        "background-color": surface, "border-width": 1.5, "border-color": (box) => colour(kindOf(box.data("lane"))) } },
      { selector: "node.bad", style: { "border-width": 4, "border-color": bad, "background-color": colour("bad-soft") } },
      { selector: "edge", style: {
        width: 1.4, "line-color": line, "target-arrow-color": line, "target-arrow-shape": "triangle", "arrow-scale": 1,
        "curve-style": "straight", opacity: 0.75 } },
      { selector: "edge.right", style: {
        "curve-style": "round-taxi", "taxi-direction": "rightward", "taxi-turn": -40, "taxi-radius": 10,
        "source-endpoint": "90deg", "target-endpoint": "270deg" } },
      { selector: "edge.bow", style: {
        "curve-style": "unbundled-bezier", "control-point-distances": 60, "control-point-weights": 0.5 } },
      { selector: "edge.starts", style: { width: 3.2 } },
      { selector: "edge.loop", style: { "line-style": "dashed" } },
      { selector: "edge.across", style: { opacity: 0.3 } },
      { selector: "edge.way", style: { width: 3, "line-color": bad, "target-arrow-color": bad, opacity: 1 } },
      { selector: "node.chosen", style: { "underlay-color": colour("link"), "underlay-opacity": 0.45, "underlay-padding": 7, "underlay-shape": "round-rectangle" } },
      { selector: ".dim", style: { opacity: 0.18 } },
    ];
  }

  const cy = cytoscape({
    container: $("graph"), style: styles(), minZoom: 0.04, maxZoom: 2.5,
    boxSelectionEnabled: false, autoungrabify: true, hideEdgesOnViewport: boxes.length > LARGE,
    textureOnViewport: boxes.length > LARGE,
  });
  let bands = [], visible = new Set();

  function drawBands() {
    const { x, y } = cy.pan(), zoom = cy.zoom(), wide = cy.width();
    const sides = (band) => [Math.max(-9, x + band.left * zoom), Math.min(wide + 9, x + band.right * zoom)];
    $("bands").replaceChildren(...bands.map((band, index) => {
      const made = element("div", "", index % 2 ? "odd" : ""), [left, right] = sides(band);
      made.style.cssText = `left:${left}px;top:${y + band.top * zoom}px;width:${Math.max(0, right - left)}px;height:${(band.bottom - band.top) * zoom}px`;
      return made;
    }));
    $("titles").replaceChildren(...bands.flatMap((band) => {
      // A title stays in sight as long as its lane is, and is left out where it has no room.
      const own = y + band.top * zoom + 3, top = Math.max(own, Math.min(3, y + band.bottom * zoom - 26));
      const [left, right] = sides(band), from = Math.max(8, left + 4);
      if ((band.bottom - band.top) * zoom < 24 || right - from < 60 || top > cy.height() || top < -20) return [];
      const made = element("span", lanes[band.lane].title, top > own ? "stuck" : "");
      made.style.cssText = `top:${top}px;color:${colour(kindOf(band.lane))};left:${from}px;max-width:${right - from - 8}px`;
      return [made];
    }));
  }
  cy.on("viewport resize", drawBands);

  // Of a large graph, the whole would be dots: its beginning can be read.
  function show(whole) {
    cy.resize();
    const chosen = cy.nodes().not(".dim"), all = chosen.length ? chosen : cy.nodes();
    if (!all.length) return;
    cy.fit(all, 50);
    if (cy.zoom() > 1.15) { cy.zoom(1.15); cy.center(all); }
    if (cy.zoom() < 0.8 && whole !== true) {
      const { x1, y1, w } = all.boundingBox();
      cy.zoom(Math.max(0.8, Math.min(0.95, cy.width() / (w + 60))));
      cy.pan({ x: 28 - x1 * cy.zoom(), y: 16 + TITLE * cy.zoom() - y1 * cy.zoom() });
    }
    drawBands();
  }

  function draw() {
    const kinds = new Set([...document.querySelectorAll("input[data-kind]:checked")].map((one) => one.dataset.kind));
    const only = $("only").checked, word = $("search").value.trim().toLowerCase();
    const matches = (box) => !word || `${nodes[box.node].module}.${nodes[box.node].name} ${files[nodes[box.node].file]}`.toLowerCase().includes(word);
    const shown = boxes.filter((box) => kinds.has(kindOf(box.lane)) && (!only || box.way));
    visible = new Set(shown);
    const links = [...arrows.values()].filter((one) => visible.has(one.from) && visible.has(one.to) && (!only || one.way));
    const laid = arranged(shown, links);
    ({ bands } = laid);
    cy.batch(() => {
      cy.elements().remove();
      cy.add(shown.map((box) => ({
        group: "nodes", data: { id: box.id, label: box.label, lane: box.lane, height: box.height }, position: laid.at.get(box),
        classes: `${box.own.length ? "bad" : ""} ${word && !matches(box) ? "dim" : ""}`,
      })));
      cy.add(links.map((one) => {
        const from = laid.at.get(one.from), to = laid.at.get(one.to);
        // Corners where arrows lead from column to column; what leads back, or stays, would run through boxes.
        const form = shown.length > LARGE ? "" : to.x - from.x >= WIDTH + BETWEEN - 1 ? "right" : "bow";
        const across = shown.length > MANY && one.from.lane !== one.to.lane ? "across" : "";
        return { group: "edges", data: { id: one.id, source: one.from.id, target: one.to.id },
          classes: `${one.kind} ${form} ${across} ${one.way ? "way" : ""} ${word && !(matches(one.from) && matches(one.to)) ? "dim" : ""}` };
      }));
    });
    $("note").textContent = `${new Set(shown.map((box) => box.node)).size} of ${nodes.length} functions, ${links.length} of ${arrows.size} arrows`;
    show();
  }

  const hop = (index, off) => {
    const step = steps[index], item = element("li", "", off ? "off" : "on");
    item.append(element("span", step.kind, "kind"), element("span", place(step), "faint"), element("br"), element("span", step.source, "code"));
    return item;
  };
  const path = (last, context) => {
    const list = element("ol", "", "path");
    let off = context !== "loop" && context !== "main";
    hops(last).forEach((index) => {
      if (steps[index].kind === "loop") off = false;
      list.append(hop(index, off));
    });
    return list;
  };
  const row = (text, faint, click) => {
    const button = element("button", text, "row");
    button.type = "button";
    if (faint) button.append(element("br"), element("span", faint, "faint"));
    button.addEventListener("click", click);
    return button;
  };
  const panel = (...parts) => { $("panel").replaceChildren(...parts); $("panel").scrollTop = 0; };
  const mark = (chosen, near) => {
    cy.elements().removeClass("chosen dim");
    if (!chosen) return;
    const kept = new Set(near.map((one) => one.id));
    cy.elements().forEach((one) => { if (!kept.has(one.id())) one.addClass("dim"); });
    cy.getElementById(chosen.id).addClass("chosen");
  };
  const back = () => {
    const button = element("button", "\u2190 All");
    button.type = "button";
    button.addEventListener("click", home);
    return button;
  };

  function told(finding) {
    const parts = [element("p", `${finding.code} ${finding.name}`, "bad"), rich(finding.message), element("div", finding.source, "source code")];
    parts.push(rich(`${finding.confidence}${finding.fix ? `; fix ${finding.fix}` : ""}`));
    parts.push(element("h3", "The path there"), path(finding.path, finding.context));
    return parts;
  }

  function openFinding(index) {
    const finding = findings[index], last = finding.boxes[finding.boxes.length - 1];
    panel(back(), element("h2", place(finding)), ...told(finding));
    if (last && visible.has(last)) {
      mark(last, [...finding.boxes, ...finding.arrows]);
      show();
    }
  }

  function openBox(box) {
    const node = nodes[box.node];
    const parts = [back(), element("h2", node.name), element("p", `${node.module}`, "faint"), element("p", place(node))];
    if (node.source) parts.push(element("div", node.source, "source code"));
    node.findings.forEach((at) => parts.push(...told(findings[at])));
    node.stays.forEach((stay) => {
      parts.push(element("h3", `Runs: ${lanes[stay.lane].name}${stay.certain ? "" : " (likely)"}`));
      if (stay.path >= 0) parts.push(path(stay.path, lanes[stay.lane].kind));
      else parts.push(element("p", "No path is known to here; it starts others.", "faint"));
    });
    const near = [...arrows.values()].filter((one) => one.from === box || one.to === box);
    const others = (title, list) => {
      if (!list.length) return;
      parts.push(element("h3", title));
      list.forEach(([one, other]) => parts.push(row(nodes[other.node].name, `${one.kind}${one.step < 0 ? "" : ` ${place(steps[one.step])}`}`, () => openBox(other))));
    };
    others("Comes from", near.filter((one) => one.to === box).map((one) => [one, one.from]));
    others("Leads to", near.filter((one) => one.from === box).map((one) => [one, one.to]));
    panel(...parts);
    if (visible.has(box)) {
      mark(box, [box, ...near.flatMap((one) => [one, one.from, one.to])]);
      const drawn = cy.getElementById(box.id).renderedBoundingBox();
      if (drawn.x1 < 0 || drawn.y1 < 0 || drawn.x2 > cy.width() || drawn.y2 > cy.height()) cy.center(cy.getElementById(box.id));
    }
  }

  function home() {
    mark(null, []);
    const word = $("search").value.trim().toLowerCase(), parts = [];
    if (word) {
      const found = boxes.filter((box) => visible.has(box) && !cy.getElementById(box.id).hasClass("dim") && `${nodes[box.node].module}.${nodes[box.node].name} ${files[nodes[box.node].file]}`.toLowerCase().includes(word));
      parts.push(element("h2", found.length === 1 ? "1 match" : `${found.length} matches`));
      found.slice(0, 100).forEach((box) => parts.push(row(nodes[box.node].name, `${place(nodes[box.node])}, ${lanes[box.lane].name}`, () => openBox(box))));
    }
    if (!word) {
      parts.push(element("h2", findings.length === 1 ? "1 finding" : `${findings.length} findings`));
      if (!findings.length) parts.push(element("p", "Nothing here is known to touch a loop\u2019s objects from another thread.", "faint"));
      findings.forEach((finding, index) => parts.push(row(`${finding.code} ${cut(finding.source, 90)}`, `${place(finding)} (${finding.confidence})`, () => openFinding(index))));
    }
    panel(...parts);
  }

  cy.on("tap", "node", (event) => openBox(boxes[Number(event.target.id().slice(1))]));
  cy.on("tap", (event) => { if (event.target === cy) home(); });
  const kinds = [...new Set(lanes.map((lane) => lane.kind || "none"))];
  const words = { main: "main thread", loop: "event loops", thread: "threads", caller: "callers", signal: "signal handlers", finalizer: "finalizers", exit: "at exit", none: "not traced" };
  kinds.forEach((kind) => {
    const label = element("label"), box = element("input");
    box.type = "checkbox"; box.checked = true; box.dataset.kind = kind;
    box.addEventListener("change", () => { draw(); home(); });
    const name = element("span", words[kind] || kind);
    name.style.color = `var(--${kind})`;
    label.append(box, name);
    $("kinds").append(label);
  });
  $("only").parentElement.hidden = !findings.length || boxes.every((box) => box.way);
  // Who asked for all of a large project begins with what matters in it.
  $("only").checked = findings.length > 0 && boxes.length > MANY;
  $("only").addEventListener("change", () => { draw(); home(); });
  let waiting = 0;
  $("search").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(() => { draw(); home(); }, boxes.length > LARGE ? 250 : 60); });
  $("in").addEventListener("click", () => cy.zoom({ level: cy.zoom() * 1.3, renderedPosition: { x: cy.width() / 2, y: cy.height() / 2 } }));
  $("out").addEventListener("click", () => cy.zoom({ level: cy.zoom() / 1.3, renderedPosition: { x: cy.width() / 2, y: cy.height() / 2 } }));
  $("fit").addEventListener("click", () => show(true));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { $("search").value = ""; draw(); home(); }
    if (event.key === "/" && document.activeElement !== $("search")) { event.preventDefault(); $("search").focus(); }
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { cy.style(styles()); drawBands(); });
  draw();
  home();
  // A link to the page may say what to open: #finding-1.
  const asked = /^#finding-(\d+)$/.exec(location.hash);
  if (asked && findings[Number(asked[1]) - 1]) openFinding(Number(asked[1]) - 1);
})();
