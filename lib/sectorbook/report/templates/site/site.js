"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const [NAME, SLUG, SECTOR, WORDS, BASES] = [0, 1, 2, 3, 4];
  const ABSENT = { "": "not run", "?": "not published", x: "not shown" };
  const STEP = 30;
  const MOST = 6;
  const byId = (id) => document.getElementById(id);
  const list = (texts) => new Intl.ListFormat("en").format(texts);
  const count = (n, one, many) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
  const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

  // Text only ever enters the page as text.
  const make = (tag, content, attributes = {}) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...[content ?? []].flat());
    return element;
  };

  const number = (text) => {
    const found = parseFloat(text.replace(/[$,%]/g, ""));
    return Number.isNaN(found) ? null : found;
  };
  const read = (finding, region) => {
    const packed = data.values[finding][region];
    if (packed in ABSENT) return { text: ABSENT[packed], value: null, absent: true, low: null, high: null };
    const [text, low, high, sure] = packed.split("|");
    return { text, low: low ? number(low) : null, high: high ? number(high) : null, value: number(text),
      interval: low ? `${low} to ${high}` : "", sure: sure || "" };
  };
  const basis = (finding, region) => data.regions[region][BASES][data.findings[finding][0]];
  const title = (finding) => data.findings[finding][1];
  const names = (regions) => list(regions.map((r) => data.regions[r][NAME]));

  // The guard: the sectors of some regions, and the basis most of them share for one finding.
  const sectorsOf = (regions) => [...new Set(regions.map((r) => data.regions[r][SECTOR]))].sort((a, b) => a - b);
  const usual = (finding, regions) => {
    const counts = new Map();
    for (const r of regions) {
      if (!read(finding, r).absent) counts.set(basis(finding, r), (counts.get(basis(finding, r)) ?? 0) + 1);
    }
    return [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0])[0]?.[0];
  };
  const ordered = (finding, regions, sign) => {
    const common = usual(finding, regions);
    const keyed = regions.map((r) => {
      const { value } = read(finding, r);
      return { r, value, group: value === null ? 2 : basis(finding, r) === common ? 0 : 1 };
    });
    keyed.sort((a, b) => a.group - b.group || (a.group === 0 ? sign * (a.value - b.value) : 0) || a.r - b.r);
    return { order: keyed.map((k) => k.r), apart: keyed.filter((k) => k.group === 1).length,
      ranked: keyed.filter((k) => k.group === 0).length };
  };

  // -- the table of regions -----------------------------------------------------------------------------
  const table = byId("regions");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const words = data.regions.map((region) =>
    plain(`${region[NAME]} ${region[WORDS]} ${data.sectors[region[SECTOR]][1]}`));
  const heads = [...table.tHead.rows[0].cells];
  const first = heads.length - data.key.length;
  const picks = byId("compare") ? rows.map(() => null) : null;
  const state = { sort: null, sign: 1, shown: STEP, chosen: [], counted: "" };

  const found = () => {
    const asked = plain(byId("search").value).split(/\s+/).filter(Boolean);
    const sector = byId("sector")?.value ?? "";
    return rows.map((_, r) => r).filter((r) =>
      asked.every((word) => words[r].includes(word)) && (sector === "" || data.regions[r][SECTOR] === Number(sector)));
  };

  const show = (said = "") => {
    let regions = found();
    if (state.sort !== null) {
      const sectors = sectorsOf(regions);
      if (sectors.length > 1) {
        said = `Not sorted by “${title(state.sort)}”: these regions were run for different sectors ` +
          `(${list(sectors.map((s) => data.sectors[s][1]))}). A finding is compared for one sector only. Choose a sector first.`;
        heads.forEach((head) => head.removeAttribute("aria-sort"));
        state.sort = null;
      } else {
        const { order, apart } = ordered(state.sort, regions, state.sign);
        regions = order;
        said = `Sorted by “${title(state.sort)}”, ${state.sign > 0 ? "smallest" : "largest"} first.` +
          (apart ? ` ${count(apart, "region stands", "regions stand")} at the end, because other data or settings are behind the number.` : "");
      }
    } else if (state.sign < 0) {
      regions.reverse();
    }
    const some = regions.slice(0, state.shown);
    body.replaceChildren(...some.map((r) => rows[r]));
    byId("more").hidden = some.length === regions.length;
    state.counted = `${count(regions.length, "region", "regions")} of ${rows.length.toLocaleString("en")}` +
      (some.length < regions.length ? `, the first ${some.length} shown. ` : ". ");
    say(said);
  };
  const say = (said) => { byId("status").textContent = state.counted + said; };

  const sortBy = (head, finding) => {
    const was = head.getAttribute("aria-sort");
    state.sort = finding;
    // Names begin with A, numbers with the largest.
    const up = was ? was !== "ascending" : finding === null;
    state.sign = up ? 1 : -1;
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    show();
  };

  heads.forEach((head, place) => {
    const finding = place < first ? null : data.key[place - first];
    if (place > 0 && finding === null) return;
    const note = head.querySelector("small");
    const button = make("button", finding === null ? head.textContent : title(finding), { type: "button" });
    button.addEventListener("click", () => sortBy(head, finding));
    head.replaceChildren(button, ...(note ? [note] : []));
  });
  heads[0].setAttribute("aria-sort", "ascending");
  byId("tools").hidden = false;
  byId("tools").addEventListener("submit", (event) => event.preventDefault());
  for (const id of ["search", "sector"]) {
    byId(id)?.addEventListener("input", () => { state.shown = STEP; show(); });
  }
  const more = (shown) => {
    const before = body.rows.length;
    state.shown = shown;
    show();
    body.rows[before]?.querySelector("a").focus();
  };
  byId("more-some").addEventListener("click", () => more(state.shown + STEP));
  byId("more-all").addEventListener("click", () => more(Infinity));

  // -- the comparison -----------------------------------------------------------------------------------
  const compareCells = (finding, regions) => {
    const cells = regions.map((r) => read(finding, r));
    const rest = new Set(regions.filter((_, i) => !cells[i].absent).map((r) => basis(finding, r)));
    if (rest.size > 1) {
      const why = [...rest].map((b) => data.bases[b]).join(" / ");
      return [make("td", ["Not compared: other data or settings. ", make("small", why)], { colspan: regions.length, class: "t" })];
    }
    return cells.map((it) => it.absent ? make("td", make("i", it.text)) :
      make("td", it.interval ? [it.text, make("small", it.interval + (it.sure ? ` (${it.sure})` : ""))] : it.text));
  };

  const drawComparison = () => {
    const chosen = state.chosen;
    byId("compare").hidden = chosen.length === 0;
    byId("chosen").replaceChildren(...chosen.map((r) => {
      const button = make("button", `Remove ${data.regions[r][NAME]}`, { type: "button" });
      button.addEventListener("click", () => {
        choose(r, false);
        (byId("chosen").querySelector("button") ?? byId("search")).focus();
      });
      return make("li", button);
    }));
    const sectors = sectorsOf(chosen);
    const comparison = byId("comparison");
    comparison.replaceChildren();
    if (sectors.length > 1) {
      const parts = sectors.map((s) =>
        `${names(chosen.filter((r) => data.regions[r][SECTOR] === s))}: ${data.sectors[s][1]}`);
      byId("compare-note").textContent =
        `Not compared, because the regions were run for different sectors (${parts.join("; ")}). A share, a quotient or a wage ` +
        "of two sectors is not the same measure. Choose regions of one sector, or run them again for the same one.";
      return;
    }
    byId("compare-note").textContent = chosen.length === 1 ? "Choose another region to compare it with." :
      `Sector: ${data.sectors[sectors[0]]?.[1] ?? ""}. A range below a number is its interval. Overlapping intervals do not mean that regions are alike.`;
    if (!chosen.length) return;
    comparison.append(make("thead", make("tr", [make("th", "Finding", { scope: "col", class: "t" }),
      ...chosen.map((r) => make("th", make("a", data.regions[r][NAME], { href: `regions/${data.regions[r][SLUG]}.html` }), { scope: "col" }))])));
    data.chapters.forEach((chapter, place) => {
      const lines = data.findings.map((_, f) => f).filter((f) =>
        data.findings[f][0] === place && chosen.some((r) => data.values[f][r] !== ""));
      if (!lines.length) return;
      comparison.append(make("tbody", [
        make("tr", make("th", chapter, { scope: "rowgroup", colspan: chosen.length + 1, class: "group" })),
        ...lines.map((f) => make("tr",
          [make("th", [title(f), make("small", data.findings[f][2])], { scope: "row" }), ...compareCells(f, chosen)])),
      ]));
    });
  };

  const choose = (r, wanted) => {
    state.chosen = state.chosen.filter((other) => other !== r);
    if (wanted && state.chosen.length >= MOST) {
      picks[r].checked = false;
      say(`At most ${MOST} regions are compared at a time. Remove one first.`);
      return;
    }
    if (wanted) state.chosen.push(r);
    picks[r].checked = wanted;
    const slugs = state.chosen.map((c) => data.regions[c][SLUG]).join(",");
    history.replaceState(null, "", slugs ? `#compare=${slugs}` : location.pathname + location.search);
    drawComparison();
    const size = state.chosen.length;
    // The rows stay in place: a box that is ticked keeps the focus.
    say(size ? `${count(size, "region is", "regions are")} chosen for comparison, above the table.` : "No region is chosen for comparison.");
  };

  show();
  if (picks) {
    rows.forEach((row, r) => {
      const box = make("input", [], { type: "checkbox", "aria-label": `Compare ${data.regions[r][NAME]}` });
      box.addEventListener("change", () => choose(r, box.checked));
      picks[r] = box;
      const cell = row.cells[0];
      cell.replaceChildren(make("div", [box, make("div", [...cell.childNodes])], { class: "pick" }));
    });
    const asked = new URLSearchParams(location.hash.slice(1)).get("compare")?.split(",") ?? [];
    asked.map((slug) => data.regions.findIndex((region) => region[SLUG] === slug))
      .filter((r, i, all) => r >= 0 && all.indexOf(r) === i).slice(0, MOST).forEach((r) => choose(r, true));
  }

  // -- one finding in every region ----------------------------------------------------------------------
  const ranking = byId("ranking");
  if (!ranking) return;
  const menu = byId("finding");
  const drawn = (tag, attributes) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };
  let whole = false;
  const plot = (it, from, to) => {
    const at = (value) => `${(2 + (96 * (value - from)) / (to - from || 1)).toFixed(2)}%`;
    const svg = drawn("svg", { "aria-hidden": "true", focusable: "false" });
    svg.append(drawn("line", { x1: "0%", x2: "100%", y1: "50%", y2: "50%", stroke: "#dfe4e8" }));
    if (it.low !== null) svg.append(drawn("line", { x1: at(it.low), x2: at(it.high), y1: "50%", y2: "50%", stroke: "#0b4f8a", "stroke-width": 4, opacity: 0.45 }));
    svg.append(drawn("circle", { cx: at(it.value), cy: "50%", r: 4.5, fill: "#0b4f8a" }));
    return svg;
  };
  // -- the map: five classes of as many regions each; stripes where an interval reaches into another class --
  const RAMP = ["#c6dbef", "#8fbcdc", "#4f94c4", "#1f6aa5", "#08396b"];
  const OTHER = "#b3b3b3";
  const stripes = () => {
    const pattern = drawn("pattern", { id: "stripes", width: 26, height: 26, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" });
    pattern.append(drawn("rect", { width: 9, height: 26, fill: "#fff", opacity: 0.75 }));
    const definitions = drawn("defs", {});
    definitions.append(pattern);
    return definitions;
  };
  const swatch = (fill, striped = false) => {
    const svg = drawn("svg", { viewBox: "0 0 112 80", "aria-hidden": "true", focusable: "false" });
    svg.append(drawn("rect", { width: 112, height: 80, fill }));
    if (striped) svg.append(drawn("rect", { width: 112, height: 80, fill: "url(#stripes)" }));
    return svg;
  };
  const classes = (finding, regions) => {
    const sorted = regions.map((r) => ({ r, ...read(finding, r) })).sort((a, b) => a.value - b.value);
    const groups = [];
    sorted.forEach((it, i) => {
      // Equal values are never in two classes.
      const wanted = Math.floor((i * RAMP.length) / sorted.length);
      const last = groups[groups.length - 1];
      if (last && (last.wanted === wanted || last.cells[last.cells.length - 1].value === it.value)) last.cells.push(it);
      else groups.push({ wanted, cells: [it] });
    });
    return groups.map(({ cells }, i) => ({ cells, from: cells[0], to: cells[cells.length - 1],
      fill: RAMP[groups.length === 1 ? 2 : Math.round((i * (RAMP.length - 1)) / (groups.length - 1))] }));
  };
  const drawMap = (finding, order, ranked) => {
    const svg = byId("map").querySelector("svg");
    const { size, ground, regions } = data.map;
    svg.setAttribute("viewBox", `0 0 ${size[0]} ${size[1]}`);
    svg.replaceChildren(stripes(), drawn("path", { d: ground, class: "ground" }));
    const here = (r) => regions[r] !== "";
    const groups = classes(finding, order.slice(0, ranked).filter(here));
    const put = (r, fill, text, striped) => {
      // A state first, an area on it after.
      const path = drawn("path", { d: regions[r], fill, class: "place", "data-region": data.regions[r][SLUG] });
      const titled = drawn("title", {});
      titled.textContent = `${data.regions[r][NAME]}: ${text}`;
      path.append(titled);
      path.addEventListener("click", () => { location.href = `../regions/${data.regions[r][SLUG]}.html`; });
      svg.append(path);
      if (striped) svg.append(drawn("path", { d: regions[r], fill: "url(#stripes)", "pointer-events": "none" }));
    };
    const large = (r) => regions[r].length;
    let unsure = 0;
    const cells = groups.flatMap((group, g) => group.cells.map((it) => ({ ...it, fill: group.fill,
      striped: it.low !== null && ((g > 0 && it.low <= groups[g - 1].to.value) ||
        (g < groups.length - 1 && it.high >= groups[g + 1].from.value)) })));
    const rest = order.slice(ranked).filter(here).map((r) => ({ r, ...read(finding, r), fill: OTHER, striped: false }));
    [...cells, ...rest].sort((a, b) => large(b.r) - large(a.r)).forEach((it) => {
      unsure += it.striped;
      const text = it.absent ? it.text : it.fill === OTHER ? "not compared, other data or settings" :
        it.text + (it.interval ? ` (${it.interval})` : "");
      put(it.r, it.fill, text, it.striped);
    });
    byId("legend").replaceChildren(...groups.map(({ from, to, fill }) =>
      make("li", [swatch(fill), from.text === to.text ? from.text : `${from.text} to ${to.text}`])),
    ...(unsure ? [make("li", [swatch(RAMP[3], true), "striped: the interval reaches into another class"])] : []),
    ...(rest.length ? [make("li", [swatch(OTHER), "no value, or other data or settings"])] : []));
    const away = order.filter((r) => !here(r)).length;
    byId("map").hidden = away === order.length;
    svg.setAttribute("aria-label", `Map of ${title(finding)}. The table below holds the same numbers.`);
    byId("map-note").textContent = away ? `${count(away, "region is", "regions are")} not on the map: ` +
      "the counties are not known here. sectorbook fetch delineations gets them." : "";
  };

  const rank = () => {
    const finding = Number(menu.value);
    const { order, apart, ranked } = ordered(finding, rows.map((_, r) => r), -1);
    const some = whole ? order : order.slice(0, STEP);
    const cells = order.slice(0, ranked).map((r) => read(finding, r));
    const ends = cells.flatMap((it) => [it.value, it.low ?? it.value, it.high ?? it.value]);
    const [from, to] = ends.length ? [ends.reduce((a, b) => Math.min(a, b)), ends.reduce((a, b) => Math.max(a, b))] : [0, 1];
    byId("ranked").replaceChildren(
      make("thead", make("tr", [make("th", "Region", { scope: "col", class: "t" }),
        make("th", [title(finding), make("small", data.findings[finding][2])], { scope: "col" }),
        make("th", "Drawn: value and interval", { scope: "col", class: "t" })])),
      make("tbody", some.map((r, i) => {
        const it = read(finding, r);
        return make("tr", [make("th", make("a", data.regions[r][NAME], { href: `../regions/${data.regions[r][SLUG]}.html` }), { scope: "row" }),
          it.absent ? make("td", make("i", it.text)) : make("td", it.interval ? [it.text, make("small", it.interval)] : it.text),
          make("td", i < ranked ? plot(it, from, to) : it.absent ? "" : "Not compared: other data or settings.", { class: "plot t" })]);
      })));
    drawMap(finding, order, ranked);
    byId("ranked-more").hidden = some.length === order.length;
    const without = order.length - ranked - apart;
    byId("ranking-note").textContent = `${count(ranked, "region", "regions")}, largest first.` +
      (without ? ` ${count(without, "has", "have")} no value and ${without === 1 ? "stands" : "stand"} last.` : "") +
      (apart ? ` ${count(apart, "rests", "rest")} on other data or settings and ${apart === 1 ? "is" : "are"} not ranked.` : "");
  };
  menu.append(...data.chapters.map((chapter, place) =>
    make("optgroup", data.findings.map((f, i) => f[0] === place ? make("option", `${f[1]} (${f[2]})`, { value: i }) : null).filter(Boolean),
      { label: chapter })).filter((group) => group.children.length));
  if (!data.findings.length) return;
  menu.value = String(data.first);
  menu.addEventListener("input", () => { whole = false; rank(); });
  byId("ranked-more").querySelector("button").addEventListener("click", () => { whole = true; rank(); });
  ranking.hidden = false;
  rank();
})();
