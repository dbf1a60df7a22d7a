// Our engine against GNU Go on 7x7, through the GTP library of the Sabaki GUI: a runner that nobody here wrote.
//
//   npm install
//   node match.js --games 4 --engine "selfplay engine gtp --variant go-7 --agent mcts:300" --gnugo /usr/games/gnugo
//
// Both get every move, both score the end. It fails if one of them refuses a move, or if the scores differ.

const fs = require("node:fs");
const { parseArgs } = require("node:util");
const { Controller } = require("@sabaki/gtp");

const { values: options } = parseArgs({
  options: {
    games: { type: "string", default: "4" },
    engine: { type: "string", default: "selfplay engine gtp --variant go-7 --agent mcts:300" },
    gnugo: { type: "string", default: "gnugo" },
    level: { type: "string", default: "1" },
    json: { type: "string" },
  },
});

const SIZE = 7;
const KOMI = 9; // go-7's own
const MOST_MOVES = 200;

async function ask(engine, name, ...args) {
  const { error, content } = await engine.sendCommand({ name, args });
  if (error) throw new Error(`${engine.title} answers "${name} ${args.join(" ")}" with: ${content}`);
  return content.trim();
}

function started(title, path, args) {
  const engine = Object.assign(new Controller(path, args), { title });
  engine.start();
  return engine;
}

// "W+58" and "W+58.0" are the same score.
function number(score) {
  const [winner, lead] = score.split("+");
  return winner === "0" ? 0 : Number(lead) * (winner === "B" ? 1 : -1);
}

// One game; who won, the moves, and what the engines say about the score.
async function game(black, white) {
  for (const engine of [black, white]) {
    await ask(engine, "boardsize", String(SIZE));
    await ask(engine, "komi", String(KOMI));
    await ask(engine, "clear_board");
  }
  const moves = [];
  while (moves.length < MOST_MOVES && moves.slice(-2).join(" ").toLowerCase() !== "pass pass") {
    const [own, other, colour] = moves.length % 2 ? [white, black, "white"] : [black, white, "black"];
    const move = await ask(own, "genmove", colour);
    moves.push(move);
    if (move.toLowerCase() === "resign") break;
    await ask(other, "play", colour, move);
  }
  const scores = {};
  for (const engine of [black, white]) scores[engine.title] = await ask(engine, "final_score");
  return { black: black.title, moves, scores };
}

async function main() {
  const [command, ...words] = options.engine.split(" ");
  const ours = started("selfplay", command, words);
  const theirs = started("GNU Go", options.gnugo,
    ["--mode", "gtp", "--level", options.level, "--chinese-rules", "--capture-all-dead", "--quiet"]);
  const clients = { name: await ask(theirs, "name"), version: await ask(theirs, "version") };
  const games = [];
  for (let round = 0; round < Number(options.games); round++) {
    const played = await game(...(round % 2 ? [theirs, ours] : [ours, theirs]));
    const [one, two] = Object.values(played.scores);
    console.log(`game ${round + 1}: ${played.black} is black, ${played.moves.length} moves, ${JSON.stringify(played.scores)}`);
    if (played.moves.at(-1).toLowerCase() !== "resign" && number(one) !== number(two)) throw new Error("the scores differ");
    games.push(played);
  }
  await Promise.all([ours, theirs].map((engine) => engine.stop()));
  if (options.json) fs.writeFileSync(options.json, `${JSON.stringify({ clients, games }, null, 1)}\n`);
}

main().catch((error) => {
  console.error(`error: ${error.message}`);
  process.exit(1);
});
