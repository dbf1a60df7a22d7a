// A game on the page: whose turn it is, what the agent thinks, and every control.

const { Position, FIRST, SECOND, HOLE } = makeEngine();
const at = (id) => document.getElementById(id);
const PAUSE = 350; // milliseconds between the choices of an agent that is watched
const TOP_MOVES = 8;

class App {
  constructor() {
    this.link = SITE.server ? new Server() : new Local();
    this.board = new Board(at("board"), (cell) => this.chooseCell(cell));
    this.line = [];
    this.analysis = null;
    this.hinted = null;
    this.paused = false;
  }

  async begin() {
    this.fillMenus();
    this.listen();
    await this.newGame();
  }

  // --- the game -----------------------------------------------------------------------------------------------

  get position() { return this.line[this.now]; }
  get agent() { return at("agent").value; }
  get level() { return SITE.levels[at("level").value]; }
  get plan() { return this.variant.plans[this.agent]; }

  isHuman(seat) {
    return { first: seat === 0, second: seat === 1, both: true, none: false }[at("seats").value];
  }

  get isMyTurn() { return !this.position.isOver && this.isHuman(this.position.toPlay); }

  async newGame() {
    const id = at("variant").value;
    const variant = await load(`variants/${id}.js`).catch((error) => this.complain(error));
    if (!variant || id !== at("variant").value) return;
    if (variant !== this.variant) this.chooseVariant(variant);
    this.line = [Position.start(variant)];
    this.chances = [];
    this.now = 0;
    this.paused = false;
    this.board.layOut(variant);
    this.turn();
  }

  // Another variant: the agent that knows it best, unless a person's own one was chosen first.
  chooseVariant(variant) {
    const options = [...at("agent").options];
    for (const option of options) option.disabled = !(option.value in variant.plans);
    const kept = this.variant ? variant.best : SITE.start.agent;
    at("agent").value = kept in variant.plans ? kept : variant.best;
    this.variant = variant;
    at("rules").textContent = variant.rules;
    document.title = `${variant.title} – selfplay`;
  }

  // Play an action in the current position; what was taken back is forgotten.
  play(action) {
    this.line = [...this.line.slice(0, this.now + 1), this.position.play(action)];
    this.chances.length = this.now + 1;
    this.now++;
    this.turn();
  }

  // Go to a position of this game.
  goTo(now) {
    this.now = Math.min(Math.max(now, 0), this.line.length - 1);
    this.turn();
  }

  // Take a turn back, down to one in which a person chooses.
  undo() {
    let now = this.now - 1;
    while (now > 0 && !this.isHuman(this.line[now].toPlay)) now--;
    this.goTo(now);
  }

  redo() {
    let now = this.now + 1;
    while (now < this.line.length - 1 && !this.isHuman(this.line[now].toPlay)) now++;
    this.goTo(now);
  }

  swapSides() {
    const other = { first: "second", second: "first" };
    at("seats").value = other[at("seats").value] ?? at("seats").value;
    this.turn();
  }

  chooseCell(cell) {
    if (this.isMyTurn && this.position.legal.includes(cell)) this.play(cell);
    else if (this.isMyTurn && this.variant.drops) this.chooseLane(cell);
  }

  // In a drop game any cell of a lane stands for it.
  chooseLane(cell) {
    const across = this.variant.fallsAlongColumns;
    const lane = (c) => (across ? c % this.variant.columns : Math.floor(c / this.variant.columns));
    const fitting = this.position.legal.filter((a) => a < this.position.nCells && lane(a) === lane(cell));
    if (fitting.length === 1) this.play(fitting[0]);
  }

  // --- thinking -----------------------------------------------------------------------------------------------

  // Show the position, and let whoever is next begin: the agent its move, or the analysis for a person.
  turn() {
    this.analysis = null;
    this.hinted = null;
    this.complain(null);
    this.link.stop();
    this.show();
    if (this.position.isOver) return;
    if (!this.isMyTurn && !this.paused) this.reply();
    else if (at("analyse").checked) this.analyse();
  }

  request(simulations) {
    const { actions } = this.position;
    const { variant, agent, plan } = this;
    if (SITE.server) return { variant: variant.id, actions, agent, simulations, plan };
    return { variant: this.sent, actions, agent, simulations, plan };
  }

  // What a worker can be sent: without the compiled rules.
  get sent() {
    const { compiled, ...plain } = this.variant;
    return plain;
  }

  async think(simulations) {
    const { position } = this;
    const seen = (analysis) => {
      if (this.position !== position) return;
      this.analysis = analysis;
      this.show();
    };
    try {
      return await this.link.think(this.request(simulations), seen);
    } catch (error) {
      this.complain(error);
      return null;
    }
  }

  async reply() {
    const { position, level } = this;
    const began = performance.now();
    const only = position.legal.length === 1;
    const analysis = only ? null : await this.think(level.simulations);
    if (!only && !analysis) return;
    const wait = at("seats").value === "none" ? PAUSE - (performance.now() - began) : 0;
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    if (this.position !== position || this.paused) return;
    if (analysis) this.remember(analysis);
    this.play(only ? position.legal[0] : drawn(analysis, level.temperature));
  }

  async analyse() {
    const analysis = await this.think(SITE.most);
    if (analysis) this.remember(analysis);
  }

  async hint() {
    if (!this.isMyTurn) return;
    const { position } = this;
    const analysis = await this.think(Math.max(this.level.simulations, 64));
    if (!analysis || this.position !== position) return;
    this.hinted = analysis.action;
    this.show();
  }

  // Keep red's chance to win, for the chart.
  remember(analysis) {
    this.chances[this.now] = redChance(this.position, analysis);
    this.show();
  }

  // --- what is shown ------------------------------------------------------------------------------------------

  show() {
    const { position, analysis } = this;
    const legal = position.legal.filter((action) => action < position.nCells);
    this.board.draw(position, {
      playable: new Set(this.isMyTurn ? legal : []),
      heat: this.heat(),
      hint: this.hinted,
      dots: position.isHalfMade || legal.length < position.nCells / 2,
    });
    at("status").textContent = this.status();
    this.showSpecial();
    this.showAnalysis();
    this.showRecord();
    at("undo").disabled = this.now === 0;
    at("redo").disabled = this.now === this.line.length - 1;
    at("hint").disabled = !this.isMyTurn;
    at("swap").disabled = !["first", "second"].includes(at("seats").value);
    at("pause").hidden = at("seats").value !== "none" && !this.paused;
    at("pause").textContent = this.paused ? "Go on" : "Pause";
  }

  // What the chosen heat map says of every cell, or null.
  heat() {
    const shares = at("heat").value && this.analysis?.[at("heat").value];
    if (!shares) return null;
    const total = shares.reduce((sum, share) => sum + share, 0) || 1;
    return Array.from(shares, (share) => share / total).slice(0, this.position.nCells);
  }

  status() {
    const { position } = this;
    if (position.isOver) return this.outcome();
    const colour = ["red", "blue"][position.colourToMove];
    const who = at("seats").value === "both" ? "To move" : this.isMyTurn ? "Your turn" : this.paused ? "Paused" : "The agent thinks …";
    const parts = [`${who} (${colour})`];
    if (position.isHalfMade) parts.push(`${position.text(position.origin)} ${position.phase}`);
    else if (position.stonesLeft > 1) parts.push(`${position.stonesLeft} in this turn`);
    return parts.join(", ");
  }

  outcome() {
    const { position } = this;
    const [first] = position.returns;
    const lead = position.countLead === null ? "" : ` (${Math.abs(position.countLead)} ahead)`;
    if (first === 0) return "Draw.";
    const winner = first > 0 ? 0 : 1;
    const seats = at("seats").value;
    if (seats === "first" || seats === "second") return (this.isHuman(winner) ? "You win." : "The agent wins.") + lead;
    return `Player ${winner + 1} wins.${lead}`;
  }

  // Pass and swap have no cell.
  showSpecial() {
    const { position } = this;
    const actions = [position.passAction, position.swapAction].filter((action) => position.legal.includes(action));
    at("special").replaceChildren(...(this.isMyTurn ? actions : []).map((action) => {
      const button = document.createElement("button");
      button.textContent = action === position.passAction ? "Pass" : "Swap: take the other side";
      button.onclick = () => this.play(action);
      return button;
    }));
  }

  showAnalysis() {
    const { analysis, position } = this;
    const chance = analysis ? redChance(position, analysis) : this.chances[this.now];
    const text = chance === undefined ? "" : `red ${percent(chance)} · blue ${percent(1 - chance)}`;
    at("chance").hidden = chance === undefined;
    at("chance").firstElementChild.style.width = `${100 * (chance ?? 0)}%`;
    at("chance").lastElementChild.textContent = text;
    at("chance").setAttribute("aria-label", text);
    const chances = [...this.chances];
    if (position.isOver) chances[this.now] = (position.returns[position.redSeat] + 1) / 2;
    chart(at("chart"), chances);
    at("moves").tBodies[0].replaceChildren(...(analysis ? ranked(analysis).map((action) => this.row(action)) : []));
    at("line").textContent = analysis?.line?.length ? `expects ${this.texts(analysis.line)}` : "";
  }

  row(action) {
    const { analysis, position } = this;
    const row = document.createElement("tr");
    const value = analysis.actionValues[action];
    const proven = { "-1": "lost", 0: "draw", 1: "won" }[analysis.proven[action]];
    const chance = proven ?? (Number.isFinite(value) ? percent((value + 1) / 2) : "–");
    for (const text of [position.text(action), analysis.visits[action] || "–", percent(analysis.policy[action]), chance]) {
      row.append(Object.assign(document.createElement("td"), { textContent: text }));
    }
    if (proven) row.lastChild.className = "known";
    return row;
  }

  texts(actions) {
    return actions.map((action) => this.position.text(action)).join(" ");
  }

  showRecord() {
    const moves = [];
    this.line.slice(1).forEach((position, i) => {
      if (!this.line[i].isHalfMade) moves.push({ texts: [] });
      const move = moves[moves.length - 1];
      move.texts.push(this.line[i].text(position.actions[i]));
      move.last = i + 1;
    });
    at("record").replaceChildren(...moves.map(({ texts, last }) => {
      const button = document.createElement("button");
      button.textContent = texts.join("-");
      button.className = last === this.now ? "now" : "";
      button.onclick = () => this.pauseAt(last);
      const item = document.createElement("li");
      item.append(button);
      return item;
    }));
    at("record").querySelector(".now")?.scrollIntoView?.({ block: "nearest" });
  }

  // Look at an earlier position; an agent that would play there waits.
  pauseAt(now) {
    this.paused = !this.isHuman(this.line[now].toPlay) && !this.line[now].isOver;
    this.goTo(now);
  }

  complain(error) {
    at("error").hidden = !error;
    at("error").textContent = error ? error.message : "";
  }

  // --- controls -----------------------------------------------------------------------------------------------

  fillMenus() {
    const groups = new Map();
    for (const { id, title, family, size } of SITE.variants) {
      if (!groups.has(family)) groups.set(family, Object.assign(document.createElement("optgroup"), { label: family }));
      groups.get(family).append(new Option(`${title} · ${size}`, id));
    }
    at("variant").replaceChildren(...groups.values());
    at("variant").value = SITE.start.variant;
    at("agent").replaceChildren(...SITE.agents.map(({ name, title }) => new Option(title, name)));
    at("agent").value = SITE.start.agent;
    at("level").replaceChildren(...SITE.levels.map(({ name }, i) => new Option(name, i)));
    at("level").value = SITE.levels.findIndex(({ name }) => name === "strong");
    at("own").hidden = !SITE.server;
    at("footer").textContent = SITE.footer;
  }

  listen() {
    for (const id of ["variant", "new"]) at(id).addEventListener(id === "new" ? "click" : "change", () => this.newGame());
    for (const id of ["agent", "level", "seats", "analyse"]) at(id).addEventListener("change", () => this.unpause());
    at("heat").addEventListener("change", () => this.show());
    for (const name of ["undo", "redo", "hint"]) at(name).addEventListener("click", () => this[name]());
    at("swap").addEventListener("click", () => this.swapSides());
    at("pause").addEventListener("click", () => this.togglePause());
    at("toml").addEventListener("change", () => this.upload());
    document.addEventListener("keydown", (event) => this.key(event));
  }

  unpause() {
    this.paused = false;
    this.turn();
  }

  togglePause() {
    this.paused = !this.paused;
    this.turn();
  }

  key(event) {
    if (event.target.closest("select, input, button, summary") || event.ctrlKey || event.metaKey || event.altKey) return;
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const commands = { u: "undo", r: "redo", h: "hint", s: "swapSides", n: "newGame" };
    if (steps[event.key]) this.board.moveCursor(...steps[event.key]);
    else if (["Enter", " "].includes(event.key) && this.board.cursor !== null) this.chooseCell(this.board.cursor);
    else if (commands[event.key.toLowerCase()]) this[commands[event.key.toLowerCase()]]();
    else return;
    event.preventDefault();
    this.show();
  }

  // A person's own rules: the server compiles them.
  async upload() {
    const [file] = at("toml").files;
    at("toml").value = "";
    if (!file) return;
    try {
      const answer = await fetch("variants", { method: "POST", body: await file.text() });
      const found = await answer.json();
      if (!answer.ok) throw new Error(found.error);
      SITE.variants = [found, ...SITE.variants.filter(({ id }) => id !== found.id)];
      SITE.start.variant = found.id;
      const chosen = ["agent", "level"].map((id) => [id, at(id).value]);
      this.fillMenus();
      for (const [id, value] of chosen) at(id).value = value;
      await this.newGame();
    } catch (error) {
      this.complain(error);
    }
  }
}

function percent(share) {
  return `${Math.round(100 * share)} %`;
}

// Red's chance to win, a draw being half a win.
function redChance(position, analysis) {
  const chance = (analysis.valueToPlay + 1) / 2;
  return position.colourToMove === 0 ? chance : 1 - chance;
}

// The action that is played, then the others by visits and policy.
function ranked({ action, visits, policy }) {
  const known = [...policy.keys()].filter((a) => a !== action && (visits[a] > 0 || policy[a] > 0.005));
  known.sort((a, b) => visits[b] - visits[a] || policy[b] - policy[a]);
  return [action, ...known].slice(0, TOP_MOVES);
}

// The action to play: the best one, or with a temperature one from policy ** (1 / temperature).
function drawn({ action, policy }, temperature) {
  if (!temperature) return action;
  const weights = Array.from(policy, (share) => share ** (1 / temperature));
  let left = Math.random() * weights.reduce((sum, weight) => sum + weight, 0);
  return weights.findIndex((weight) => (left -= weight) < 0 && weight > 0) ?? action;
}

const app = new App();
app.begin();
