// The policy of a Connect Four agent in Node.js, with onnxruntime-node and nothing else.
//
//   npm install --ignore-scripts      (its scripts only fetch CUDA)
//   node move.js ../../models/zoo/connect4.onnx ../connect4_positions.txt
//
// A position is the columns played so far, such as "ddc", or "-" for the empty board. Prints each with the
// policy's move. Planes and rule features are those of docs/onnx.md.

import { readFileSync } from "node:fs";
import { InferenceSession, Tensor } from "onnxruntime-node";

const ROWS = 6;
const COLUMNS = 7;
const CELLS = ROWS * COLUMNS;

const PLANES = 7;
const [ON_BOARD, OWN, OPPONENT, LEGAL_CELL] = [0, 1, 2, 3]; // the other planes stay empty in this game

// Rule features that aren't zero in Connect Four, by their place in the list of docs/onnx.md.
const FEATURES = 73;
const RULES = {
  0: ROWS / 19,
  1: COLUMNS / 19,
  4: 1, // gravity_down
  8: 4 / 6, // line_length
  11: 1 / 4, // stones_per_turn
  12: 1 / 4, // first_turn_stones
  17: 1 / 4, // stones_left in this turn
};
const SECOND_COLOUR = 19;
const PLY = 20;

/** Which player owns each cell (0, 1 or undefined), row 0 at the top. */
function play(moves) {
  const owner = new Array(CELLS);
  [...moves].forEach((letter, ply) => {
    owner[landing(owner, letter.charCodeAt(0) - "a".charCodeAt(0))] = ply % 2;
  });
  return owner;
}

/** The lowest empty cell of a column, or undefined. */
function landing(owner, column) {
  for (let row = ROWS - 1; row >= 0; row--) {
    if (owner[row * COLUMNS + column] === undefined) return row * COLUMNS + column;
  }
  return undefined;
}

/** Cells that are a legal choice, one for each column that isn't full. */
function legalCells(owner) {
  return [...Array(COLUMNS).keys()].map((column) => landing(owner, column)).filter((cell) => cell !== undefined);
}

function encode(owner, ply) {
  const planes = new Float32Array(PLANES * CELLS);
  const toPlay = ply % 2;
  for (let cell = 0; cell < CELLS; cell++) {
    planes[ON_BOARD * CELLS + cell] = 1;
    if (owner[cell] === toPlay) planes[OWN * CELLS + cell] = 1;
    if (owner[cell] === 1 - toPlay) planes[OPPONENT * CELLS + cell] = 1;
  }
  for (const cell of legalCells(owner)) planes[LEGAL_CELL * CELLS + cell] = 1;
  const rules = new Float32Array(FEATURES);
  for (const [place, value] of Object.entries(RULES)) rules[place] = value;
  rules[SECOND_COLOUR] = toPlay;
  rules[PLY] = ply / CELLS; // over the longest game
  return {
    planes: new Tensor("float32", planes, [1, PLANES, ROWS, COLUMNS]),
    rules: new Tensor("float32", rules, [1, FEATURES]),
  };
}

const [agent, positions] = process.argv.slice(2);
const session = await InferenceSession.create(agent);
for (const moves of readFileSync(positions, "utf8").trim().split(/\s+/)) {
  const played = moves === "-" ? "" : moves;
  const owner = play(played);
  const { logits } = await session.run(encode(owner, played.length), ["logits"]);
  const best = legalCells(owner).reduce((a, b) => (logits.data[b] > logits.data[a] ? b : a));
  console.log(moves, String.fromCharCode("a".charCodeAt(0) + (best % COLUMNS)));
}
