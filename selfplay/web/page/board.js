// The board as SVG: square cells in a grid, hexagonal ones with each row half a cell further right.

const SVG = "http://www.w3.org/2000/svg";
const HEX_HEIGHT = Math.sqrt(3) / 2;

function shape(name, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

class Board {
  // play: called with a cell that was chosen.
  constructor(place, play) {
    this.place = place;
    this.play = play;
    this.cursor = null;
  }

  // Lay out the cells of a variant; `draw` fills them.
  layOut(variant) {
    this.variant = variant;
    this.cursor = null;
    const { rows, columns } = variant;
    const outside = new Set(variant.outside);
    this.cells = [];
    const layer = shape("g");
    for (let cell = 0; cell < rows * columns; cell++) {
      if (outside.has(cell)) continue;
      const group = shape("g", { transform: `translate(${this.centre(cell).join(" ")})`, "data-cell": cell });
      group.addEventListener("click", () => this.play(cell));
      this.cells[cell] = group;
      layer.append(group);
    }
    const [xs, ys] = [0, 1].map((axis) => [...this.cells.keys()].filter((cell) => this.cells[cell])
      .map((cell) => this.centre(cell)[axis]));
    const [left, top] = [Math.min(...xs) - 1.2, Math.min(...ys) - 0.7];
    const size = `${left} ${top} ${Math.max(...xs) + 0.8 - left} ${Math.max(...ys) + 1.1 - top}`;
    this.place.replaceChildren(shape("svg", { viewBox: size, role: "grid" }, layer, ...this.names()));
  }

  centre(cell) {
    const { rows, columns, hexagonal } = this.variant;
    const [row, column] = [Math.floor(cell / columns), cell % columns];
    return hexagonal ? [column + row / 2 + 0.5, row * HEX_HEIGHT + 0.5] : [column + 0.5, row + 0.5];
  }

  // A letter below each column's last cell, a number left of each row's first one.
  names() {
    const { rows, columns, hexagonal } = this.variant;
    const texts = [];
    const size = Math.min(0.26 + columns * 0.012, 0.45); // small cells have larger letters
    const write = (x, y, text) => texts.push(shape("text", { x, y, class: "edge", "font-size": size }, text));
    for (let row = 0; row < rows; row++) {
      const first = [...Array(columns).keys()].find((column) => this.cells[row * columns + column]);
      if (first === undefined) continue;
      const [x, y] = this.centre(row * columns + first);
      write(x - 0.8, y, String(rows - row));
    }
    for (let column = 0; column < columns; column++) {
      const last = [...Array(rows).keys()].findLast((row) => this.cells[row * columns + column]);
      if (last === undefined) continue;
      const [x, y] = this.centre(last * columns + column);
      write(hexagonal ? x + 0.4 : x, y + (hexagonal ? 0.75 : 0.8), String.fromCharCode(97 + column));
    }
    return texts;
  }

  outline() {
    if (!this.variant.hexagonal) return { name: "rect", x: -0.47, y: -0.47, width: 0.94, height: 0.94, rx: 0.08 };
    const corners = [...Array(6).keys()].map((k) => {
      const angle = (Math.PI / 3) * k + Math.PI / 6;
      return `${(0.55 * Math.cos(angle)).toFixed(3)},${(0.55 * Math.sin(angle)).toFixed(3)}`;
    });
    return { name: "polygon", points: corners.join(" ") };
  }

  // Show a position. options: playable (a Set of cells), heat (cell -> share), hint (a cell), touch (whether
  // dots mark the playable cells)
  draw(position, { playable = new Set(), heat = null, hint = null, dots = false } = {}) {
    const { name, ...attributes } = this.outline();
    const goals = position.goals;
    const most = heat ? Math.max(...heat, 1e-9) : 1;
    this.cells.forEach((group, cell) => {
      const content = position.cells[cell];
      const goal = goals[cell] ? ` ${goals[cell]}-goal` : "";
      const parts = [shape(name, { ...attributes, class: `cell${goal}${content === HOLE ? " gone" : ""}` })];
      if (content === FIRST || content === SECOND) parts.push(...this.stone(content));
      if (cell === position.last) parts.push(shape("circle", { r: 0.42, class: "last" }));
      if (heat && heat[cell] > 0.005) {
        parts.push(shape("circle", { r: 0.4, class: "warm", opacity: 0.12 + 0.6 * (heat[cell] / most) }));
        parts.push(shape("text", { class: "share" }, `${Math.round(100 * heat[cell])}`));
      } else if (dots && playable.has(cell)) parts.push(shape("circle", { r: 0.1, class: "dot" }));
      if (cell === hint) parts.push(shape("circle", { r: 0.36, class: "hinted" }));
      group.replaceChildren(...parts);
      const marks = [playable.has(cell) && "playable", cell === position.origin && "origin", cell === this.cursor && "cursor"];
      group.setAttribute("class", marks.filter(Boolean).join(" "));
      group.setAttribute("aria-label", `${position.text(cell)} ${["empty", "first", "second", "gone"][content]}`);
    });
  }

  stone(content) {
    const first = content === FIRST;
    const stone = shape("circle", { r: 0.38, class: `stone ${first ? "first" : "second"}` });
    return first ? [stone] : [stone, shape("circle", { r: 0.2, class: "ring" })];
  }

  // Move the keyboard's cursor by rows and columns to the next cell that exists.
  moveCursor(down, right) {
    const { rows, columns } = this.variant;
    const clamp = (value, most) => Math.min(Math.max(value, 0), most - 1);
    let cell = this.cursor ?? Math.floor(rows / 2) * columns + Math.floor(columns / 2);
    if (this.cursor !== null) {
      for (let step = 1; step < Math.max(rows, columns); step++) {
        const row = clamp(Math.floor(this.cursor / columns) + step * down, rows);
        const column = clamp((this.cursor % columns) + step * right, columns);
        cell = row * columns + column;
        if (this.cells[cell]) break;
      }
    }
    if (this.cells[cell]) this.cursor = cell;
  }
}

// Chances from 0 to 1, one for each position, as a line.
function chart(place, chances) {
  const width = Math.max(chances.length - 1, 1);
  const points = chances.flatMap((chance, i) => (chance === undefined ? [] : [`${i},${(1 - chance) * 100}`]));
  place.replaceChildren(shape("svg", { viewBox: `0 0 ${width} 100`, preserveAspectRatio: "none" },
    shape("line", { x1: 0, x2: width, y1: 50, y2: 50 }),
    shape("path", { d: points.length ? `M${points.join("L")}` : "" })));
}
