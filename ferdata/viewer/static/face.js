// One image with its landmarks and its mark.

const SVG = "http://www.w3.org/2000/svg";

export function create(name, className = "", text = "") {
  const element = document.createElement(name);
  element.className = className;
  element.textContent = text;
  return element;
}

export function describe(row) {
  const parts = [row.id, row.label, row.split, row.copy ? "copy" : ""];
  if (row.predicted !== null) parts.push(`predicted ${row.predicted} ${percent(row.confidence)}`);
  parts.push(markText(row.mark));
  return parts.filter(Boolean).join(", ");
}

export function percent(share) {
  return `${(100 * share).toFixed(1)}%`;
}

export function markText(mark) {
  if (mark === null) return "";
  return mark === "" ? "leave out" : `rather ${mark}`;
}

// A frame with the image; `about` is what the server said about all images.
export function frame(row, about, full = false) {
  const box = create("span", "frame");
  if (about.images) {
    const image = new Image();
    image.alt = "";
    image.decoding = "async";
    if (about.size) [image.width, image.height] = about.size;
    image.addEventListener("error", () => image.replaceWith(create("span", "lost", "no image")));
    image.src = full ? `/image/${row.row}?full` : row.image || `/image/${row.row}`;
    box.append(image);
  } else {
    box.append(create("span", "lost", "no image"));
  }
  if (row.points) box.append(points(row.points, about.size));
  return box;
}

function points(path, [width, height]) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `-0.5 -0.5 ${width} ${height}`);
  svg.setAttribute("class", "points");
  svg.setAttribute("aria-hidden", "true");
  const drawn = document.createElementNS(SVG, "path");
  drawn.setAttribute("d", path);
  svg.append(drawn);
  return svg;
}
