// One image: large, with what is known of it, its copies and those that look like it.

import { ask } from "/server.js";
import { create, describe, frame } from "/face.js";

export class Detail {
  constructor(dialog, about, grid, onMark) {
    this.dialog = dialog;
    this.about = about;
    this.grid = grid;
    this.find = (name) => dialog.querySelector(name);
    this.find("#close").addEventListener("click", () => dialog.close());
    this.find("#previous").addEventListener("click", () => this.step(-1));
    this.find("#next").addEventListener("click", () => this.step(1));
    this.find("#mark").addEventListener("change", async (event) => {
      await onMark(this.row, event.target.value);
      this.show(this.row);
    });
    dialog.addEventListener("close", () => this.grid.focus(this.place));
    dialog.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (step && event.target.tagName !== "SELECT") this.step(step);
    });
  }

  async open(place) {
    const row = await this.grid.rowAt(place);
    if (!row) return;
    this.place = place;
    await this.show(row.row);
    if (!this.dialog.open) this.dialog.showModal();
  }

  step(by) {
    const place = this.place + by;
    if (place >= 0 && place < this.grid.total) this.open(place);
  }

  async show(number) {
    this.row = number;
    const found = await ask(`/api/row/${number}`);
    if (this.row !== number) return;
    this.find("#detail-title").textContent = found.row.id;
    const large = frame(found.row, this.about, true);
    large.querySelector("img")?.setAttribute("alt", describe(found.row));
    this.find("#large").replaceChildren(large);
    this.find("#facts").replaceChildren(...found.facts.flatMap(([name, text]) => [
      create("dt", "", name), create("dd", "", text),
    ]));
    const { mark } = found.row;
    this.find("#mark").value = mark === null ? "none" : mark === "" ? "drop" : `label:${mark}`;
    this.strip("#family", found.family, "This image has no copies.");
    this.strip("#neighbors", found.neighbors, "This image has no perceptual hash.");
  }

  strip(name, rows, otherwise) {
    const faces = rows.map((row) => {
      const button = create("button", "face");
      button.type = "button";
      button.append(frame(row, this.about), create("span", "caption", `${row.label}, ${row.split}: ${row.text}`));
      button.title = row.id;
      if (row.row === this.row) button.setAttribute("aria-current", "true");
      button.addEventListener("click", () => this.show(row.row));
      return button;
    });
    this.find(name).replaceChildren(...(faces.length ? faces : [create("p", "", otherwise)]));
  }
}
