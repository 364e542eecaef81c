// Images as a grid of any length: only the rows in sight are in the page, their data come in pages.

import { ask } from "/server.js";
import { create, describe, frame, markText, percent } from "/face.js";

const PAGE = 60; // rows asked for at once
const PAGES_KEPT = 60;
const TALLEST = 12e6; // CSS pixels: browsers cut off what is taller than some 17 million
const CAPTION = 40;
const GAP = 6;

export class Grid {
  constructor(place, about, onOpen, onMark) {
    this.place = place;
    this.about = about;
    this.onOpen = onOpen;
    this.onMark = onMark;
    this.space = place.querySelector("#space");
    this.window = place.querySelector("#window");
    this.query = {};
    this.total = 0;
    this.active = 0;
    this.lines = new Map();
    this.forget();
    place.addEventListener("scroll", () => this.later());
    place.addEventListener("keydown", (event) => this.key(event));
    place.addEventListener("click", (event) => this.click(event));
    new ResizeObserver(() => this.measure()).observe(place);
  }

  forget() {
    this.pages = new Map();
    this.abort?.abort();
    this.abort = new AbortController();
  }

  // Show what fits a query; resolves when the number of images is known.
  async show(query) {
    this.query = query;
    this.forget();
    this.place.setAttribute("aria-busy", "true");
    const page = await this.page(0);
    if (query !== this.query) return false; // another query came in between
    this.total = page.total;
    this.active = 0;
    this.place.scrollTop = 0;
    this.clear();
    this.measure();
    return true;
  }

  // Ask for the same rows again, after marks or landmarks have changed.
  refresh() {
    this.forget();
    this.clear();
    this.render();
  }

  clear() {
    this.lines.clear();
    this.window.replaceChildren();
  }

  page(number) {
    if (!this.pages.has(number)) {
      const parameters = { ...this.query, start: number * PAGE, count: PAGE };
      const { signal } = this.abort;
      const promise = ask("/api/rows", parameters, { signal });
      promise.then((page) => { promise.page = page; }, () => this.pages.delete(number));
      this.pages.set(number, promise);
      if (this.pages.size > PAGES_KEPT) this.pages.delete(this.pages.keys().next().value);
    }
    return this.pages.get(number);
  }

  row(place) {
    return this.pages.get(Math.floor(place / PAGE))?.page?.rows[place % PAGE];
  }

  async rowAt(place) {
    return (await this.page(Math.floor(place / PAGE))).rows[place % PAGE];
  }

  measure() {
    const width = this.place.clientWidth - GAP;
    const columns = Math.max(2, Math.floor(width / (width < 500 ? 108 : 132)));
    this.side = Math.floor(width / columns) - GAP;
    this.height = this.side + CAPTION + GAP;
    if (columns !== this.columns) this.clear();
    this.columns = columns;
    const full = Math.ceil(this.total / columns) * this.height + GAP;
    const reach = Math.max(1, full - this.place.clientHeight);
    this.scale = full > TALLEST ? reach / (TALLEST - this.place.clientHeight) : 1;
    this.space.style.height = `${Math.min(full, TALLEST)}px`;
    this.place.style.setProperty("--side", `${this.side}px`);
    this.place.setAttribute("aria-rowcount", Math.ceil(this.total / columns));
    this.place.setAttribute("aria-colcount", columns);
    this.render();
  }

  later() {
    this.waiting ??= requestAnimationFrame(() => { this.waiting = undefined; this.render(); });
  }

  render() {
    const top = this.place.scrollTop * this.scale;
    const last = Math.ceil(this.total / this.columns) - 1;
    const first = Math.max(0, Math.floor(top / this.height) - 1);
    const until = Math.min(last, Math.floor((top + this.place.clientHeight) / this.height) + 1);
    for (const [line, element] of this.lines) {
      if (line < first || line > until) this.drop(line, element);
    }
    for (let line = first; line <= until; line += 1) this.line(line);
    for (const [line, element] of this.lines) {
      element.style.transform = `translateY(${this.place.scrollTop + line * this.height - top}px)`;
    }
    this.settle(first, until);
  }

  drop(line, element) {
    for (const image of element.querySelectorAll("img")) image.src = "data:,"; // ask no more for it
    element.remove();
    this.lines.delete(line);
  }

  line(line) {
    if (this.lines.has(line)) return;
    const element = create("div", "line");
    element.setAttribute("role", "row");
    element.setAttribute("aria-rowindex", line + 1);
    const end = Math.min(this.total, (line + 1) * this.columns);
    for (let place = line * this.columns; place < end; place += 1) {
      const cell = create("div", "cell");
      cell.setAttribute("role", "gridcell");
      cell.setAttribute("aria-colindex", (place % this.columns) + 1);
      cell.dataset.place = place;
      cell.tabIndex = -1;
      element.append(cell);
      this.fill(cell, place);
    }
    this.lines.set(line, element);
    this.window.append(element);
  }

  async fill(cell, place) {
    const row = this.row(place) ?? await this.rowAt(place).catch(() => undefined);
    if (!row) return;
    const caption = create("span", "caption");
    caption.append(create("b", "", row.label || "no label"));
    if (row.predicted !== null) {
      const wrong = row.predicted === row.label ? "" : " wrong";
      caption.append(create("span", `said${wrong}`, `${row.predicted} ${percent(row.confidence)}`));
    } else {
      caption.append(create("span", "said", row.copy ? `${row.split}, copy` : row.split));
    }
    cell.setAttribute("aria-label", describe(row));
    cell.title = row.id;
    cell.replaceChildren(frame(row, this.about), caption);
    cell.classList.toggle("marked", row.mark !== null);
    if (row.mark !== null) cell.append(create("span", "flag", markText(row.mark)));
  }

  // Let the Tab key lead to one cell: the active one, or the first in sight.
  settle(first, until) {
    const line = Math.floor(this.active / this.columns);
    const place = line >= first && line <= until ? this.active : (first + 1) * this.columns;
    for (const cell of this.window.querySelectorAll("[tabindex='0']")) cell.tabIndex = -1;
    const cell = this.cell(place) ?? this.window.querySelector(".cell");
    if (cell) cell.tabIndex = 0;
    this.place.setAttribute("aria-busy", "false");
  }

  cell(place) {
    return this.window.querySelector(`[data-place="${place}"]`);
  }

  focus(place) {
    this.active = Math.max(0, Math.min(this.total - 1, place));
    const line = Math.floor(this.active / this.columns);
    const top = this.place.scrollTop * this.scale;
    const below = (line + 1) * this.height + GAP - this.place.clientHeight;
    if (line * this.height < top) this.place.scrollTop = (line * this.height) / this.scale;
    else if (below > top) this.place.scrollTop = below / this.scale;
    this.render();
    this.cell(this.active)?.focus({ preventScroll: true });
  }

  key(event) {
    const page = this.columns * Math.max(1, Math.floor(this.place.clientHeight / this.height));
    const steps = {
      ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.columns, ArrowDown: this.columns,
      PageUp: -page, PageDown: page, Home: -Infinity, End: Infinity,
    };
    const place = Number(event.target.closest(".cell")?.dataset.place ?? this.active);
    if (event.key in steps) this.focus(place + steps[event.key]);
    else if (event.key === "Enter") this.onOpen(place);
    else if (event.key === " ") this.onMark(place);
    else return;
    event.preventDefault();
  }

  click(event) {
    const cell = event.target.closest(".cell");
    if (!cell) return;
    this.active = Number(cell.dataset.place);
    cell.focus({ preventScroll: true });
    const painting = document.querySelector("#painting").checked;
    if (painting || event.ctrlKey || event.metaKey) this.onMark(this.active);
    else this.onOpen(this.active);
  }

  // Show a mark that has changed, on all images of the same source.
  async remark() {
    this.forget();
    for (const cell of this.window.querySelectorAll(".cell")) this.fill(cell, Number(cell.dataset.place));
  }
}
