"use strict";
// Progressive: the page is complete without this script, which adds filters and enlarging.
const words = { label: "class", split: "split", dataset: "dataset", severity: "severity", rule: "rule" };

function addFilter(place) {
  const section = place.closest("section");
  const items = [...section.querySelectorAll(place.dataset.items)];
  const chosen = {};
  const apply = () => {
    for (const item of items) {
      item.hidden = Object.entries(chosen).some(([name, value]) => value && item.dataset[name] !== value);
    }
    for (const sheet of section.querySelectorAll(".sheet")) {
      sheet.hidden = !sheet.querySelector("figure:not([hidden])");
    }
  };
  for (const name of Object.keys(words)) {
    const values = [...new Set(items.map((item) => item.dataset[name]).filter(Boolean))];
    if (values.length < 2) continue;
    const label = document.createElement("label");
    const select = document.createElement("select");
    select.append(new Option("all", ""), ...values.map((value) => new Option(value, value)));
    select.addEventListener("change", () => { chosen[name] = select.value; apply(); });
    label.append(`${words[name]} `, select);
    place.append(label);
    place.hidden = false;
  }
}

function addEnlarging(figure, dialog) {
  const frame = figure.querySelector(".frame");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "zoom";
  frame.before(button);
  button.append(frame);
  button.addEventListener("click", () => {
    dialog.querySelector(".stage").replaceChildren(...[...frame.children].map((each) => each.cloneNode(true)));
    dialog.querySelector("p").textContent = frame.querySelector("img").alt;
    dialog.showModal();
  });
}

const dialog = document.querySelector("dialog.large");
document.querySelectorAll(".filter").forEach(addFilter);
document.querySelectorAll("figure.face").forEach((figure) => addEnlarging(figure, dialog));
