// The page: filters above, images below, one image in a dialog, marks.

import { ask, tell } from "/server.js";
import { create } from "/face.js";
import { Grid } from "/grid.js";
import { Detail } from "/detail.js";

const find = (name) => document.querySelector(name);
const form = find("#filters");
const OFF = { search: "", least: "0", most: "1", sort: "build" }; // what is no condition

function option(text, value) {
  return new Option(text, value);
}

function fillFacets(about) {
  for (const name of ["split", "label", "dataset", "finding", "predicted"]) {
    const select = form.elements[name];
    const values = about.facets[name];
    const counted = values.map(([value, count]) => option(`${value} (${count.toLocaleString("en")})`, value));
    select.replaceChildren(option("all", ""), ...counted);
    select.closest("label").hidden = values.length < (name === "finding" || name === "predicted" ? 1 : 2);
  }
  const predicted = about.facets.predicted.length > 0;
  form.elements.outcome.closest("label").hidden = !predicted;
  find("#confidence").hidden = !predicted;
  form.elements.sort.querySelector("[value=confidence]").hidden = !predicted;
  form.elements.kind.closest("label").hidden = !about.facets.copies;
  for (const name of ["#landmarks", "#detail-landmarks"]) find(name).closest("label").hidden = !about.landmarks;
}

function fillFindings(about) {
  const place = find("#findings");
  place.hidden = !about.findings.length;
  place.querySelector("ul").replaceChildren(...about.findings.map((each) => {
    const item = create("li", `finding ${each.severity}`);
    const title = create("p");
    title.append(create("span", "severity", each.severity), ` ${each.title}`);
    const more = create("details");
    more.append(create("summary", "", each.rule), create("p", "", each.means), create("p", "", each.remedy));
    item.append(title, more);
    if (each.name) {
      const button = create("button", "", "Show images");
      button.type = "button";
      button.addEventListener("click", () => { form.reset(); form.elements.finding.value = each.name; apply(); });
      item.append(button);
    }
    return item;
  }));
}

function showMarks(state) {
  const left = state.dropped ? `, ${state.dropped} to leave out` : "";
  find("#marks").textContent = state.count ? `${state.count} marked${left}${state.unsaved ? ", not saved" : ""}` : "Nothing marked";
  find("#save").disabled = !state.unsaved && !state.count;
  find("#save-list").disabled = !state.dropped;
}

function conditions() {
  const given = [...new FormData(form)].filter(([name, value]) => value !== (OFF[name] ?? ""));
  return Object.fromEntries(given.map(([name, value]) => [name, value === "on" ? "true" : value]));
}

function restore() {
  for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
    const field = form.elements[name];
    if (field?.type === "checkbox") field.checked = true;
    else if (field) field.value = value;
  }
}

let grid;
let about;

function query() {
  return find("#landmarks").checked ? { ...conditions(), landmarks: "true" } : conditions();
}

async function apply() {
  const asked = conditions();
  history.replaceState(null, "", `/#${new URLSearchParams(asked)}`);
  try {
    if (!await grid.show(query())) return;
  } catch (error) {
    if (error.name !== "AbortError") find("#count").textContent = error.message;
    return;
  }
  const [total, all] = [grid.total, about.total].map((number) => number.toLocaleString("en"));
  find("#count").textContent = total === all ? `${all} images` : `${total} of ${all} images`;
  find("#empty").hidden = grid.total > 0;
}

async function setMark(row, chosen) {
  const [mark, label] = chosen.startsWith("label:") ? ["label", chosen.slice(6)] : [chosen, ""];
  try {
    showMarks(await tell("/api/marks", { rows: [row], mark, label }));
  } catch (error) {
    find("#marks").textContent = error.message;
  }
  await grid.remark();
}

// Mark an image with the brush; the same mark again removes it.
async function toggle(place) {
  const row = await grid.rowAt(place);
  const brush = find("#brush").value;
  const now = row.mark === null ? "none" : row.mark === "" ? "drop" : `label:${row.mark}`;
  await setMark(row.row, now === brush ? "none" : brush);
}

async function save(what) {
  try {
    const state = await tell(`/api/save/${what}`);
    showMarks(state);
    find("#marks").textContent = `Saved ${state.saved}`;
  } catch (error) {
    find("#marks").textContent = error.message;
  }
}

async function start() {
  about = await ask("/api/about");
  document.title = `${about.title} – ferdata view`;
  find("#title").textContent = about.title;
  fillFacets(about);
  fillFindings(about);
  find("#notes").replaceChildren(...about.notes.map((text) => create("li", "", text)));
  const labels = about.classes.map((name) => option(name, `label:${name}`));
  find("#brush").append(...labels);
  find("#mark").append(option("none", "none"), option("leave out", "drop"), ...labels.map((each) => each.cloneNode(true)));
  showMarks(about.marks);
  restore();
  grid = new Grid(find("#grid"), about, (place) => detail.open(place), toggle);
  const detail = new Detail(find("#detail"), about, grid, setMark);
  form.addEventListener("input", () => { clearTimeout(form.timer); form.timer = setTimeout(apply, 60); });
  form.addEventListener("reset", () => setTimeout(apply));
  form.addEventListener("submit", (event) => { event.preventDefault(); apply(); });
  find("#landmarks").addEventListener("change", () => { grid.query = query(); grid.refresh(); });
  find("#save").addEventListener("click", () => save("patch"));
  find("#save-list").addEventListener("click", () => save("drop-list"));
  if (window.innerWidth < 800) find("#panel").open = false;
  await apply();
}

start().catch((error) => { find("#count").textContent = error.message; });
