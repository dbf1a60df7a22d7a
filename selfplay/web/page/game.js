// Rules, states and positions: thin shells around the translated kernels.

// Compiled rules from what Python wrote: every array as [element, shape, values].
function rulesOf(tables) {
  const rules = {};
  for (const [name, [element, shape, values]] of Object.entries(tables)) {
    rules[name] = new View(ELEMENTS[element].from(values), 0, shape);
  }
  return rules;
}

function flag(rules, column) {
  return rules.flags.data[column];
}

function newState(rules, rows) {
  const cells = rules.start.n1;
  const grouped = flag(rules, HAS_GROUPS) ? cells : 0;
  const counts = [SURROUNDS, KEEPS_LIBERTY, CAPTURES_NOTHING].some((column) => flag(rules, column));
  const remembers = flag(rules, REPEAT) === SUPERKO;
  return {
    cells: zeros("int8", rows, cells),
    info: zeros("int16", rows, N_INFO),
    heads: zeros("int16", rows, grouped),
    rings: zeros("int16", rows, grouped),
    members: zeros("int32", rows, grouped),
    liberties: zeros("int64", rows, counts ? cells : 0),
    history: zeros("uint64", rows, remembers ? flag(rules, PLY_CAP) + 1 : 0),
  };
}

function copyOf(struct) {
  return Object.fromEntries(Object.entries(struct).map(([name, array]) => [name, array.copy()]));
}

// One position of one variant, never changed; begin with Position.start.
class Position {
  constructor(variant, state, actions) {
    this.variant = variant;
    this.rules = variant.compiled;
    this.state = state;
    this.actions = actions;
    this.legal = this.listLegal();
  }

  // variant: what Python's page data say; its rules are compiled once.
  static start(variant) {
    variant.compiled ??= rulesOf(variant.tables);
    const state = newState(variant.compiled, 1);
    $reset(variant.compiled, state, 0, 0);
    return new Position(variant, state, []);
  }

  info(column) {
    return this.state.info.data[column];
  }

  listLegal() {
    const listed = zeros("int16", this.nActions + 1);
    const n = $list_legal(this.rules, this.state, 0, listed, 0);
    return [...listed.data.subarray(0, n)].sort((a, b) => a - b);
  }

  play(action) {
    if (!this.legal.includes(action)) throw new RangeError(`${this.text(action)} isn't legal here`);
    const state = copyOf(this.state);
    $play(this.rules, state, 0, action);
    return new Position(this.variant, state, [...this.actions, action]);
  }

  get nCells() { return flag(this.rules, N_CELLS); }
  get nActions() { return this.nCells + 2; }
  get passAction() { return this.nCells; }
  get swapAction() { return this.nCells + 1; }
  get cells() { return this.state.cells.data; }
  get ply() { return this.info(PLY); }
  get last() { return this.info(LAST); }
  get origin() { return this.info(ORIGIN); }
  get stonesLeft() { return this.info(STONES_LEFT); }
  get colourToMove() { return this.info(COLOUR); }
  get toPlay() { return this.info(COLOUR) ^ this.info(SWAPPED); }
  get redSeat() { return this.info(SWAPPED); }
  get isOver() { return this.info(STATUS) !== ONGOING; }
  get isHalfMade() { return !this.isOver && this.info(PHASE) !== BEGIN; }
  get phase() { return { [MOVING]: "moves", [JUMPING]: "may jump on", [SHOOTING]: "shoots" }[this.info(PHASE)] ?? ""; }
  get captured() { return [this.info(TAKEN), this.info(TAKEN_BY_SECOND)]; }

  // -1, 0 or 1 for seat 0 and seat 1.
  get returns() {
    const status = this.info(STATUS);
    if (status === ONGOING || status === DRAW) return [0, 0];
    const winner = (status - FIRST_WINS) ^ this.info(SWAPPED);
    return winner === 0 ? [1, -1] : [-1, 1];
  }

  // What the first colour is ahead by if the game stopped here, or null where nothing is counted.
  get countLead() {
    const count = flag(this.rules, COUNT);
    if (count === NO_COUNT) return null;
    const lead = count === COUNT_AREA ? $area_lead : $stones_lead;
    return lead(this.rules, this.state, 0, 0) - flag(this.rules, KOMI_HALVES) / 2;
  }

  // "first" or "second" for each cell that only this colour has to connect or to reach, else undefined.
  get goals() {
    const sides = [0, 1].map((colour) => flag(this.rules, CONNECT + colour) | flag(this.rules, REACH + colour));
    return Array.from(this.rules.borders.data, (borders) => {
      const [first, second] = sides.map((goal) => (borders & goal) !== 0);
      return first === second ? undefined : first ? "first" : "second";
    });
  }

  text(action) {
    if (action === this.passAction) return "pass";
    if (action === this.swapAction) return "swap";
    const { rows, columns } = this.variant;
    return String.fromCharCode(97 + (action % columns)) + (rows - Math.floor(action / columns));
  }

  // The action that a text means, or null.
  action(text) {
    const word = text.trim().toLowerCase();
    const legal = this.legal.filter((action) => this.text(action) === word);
    if (legal.length) return legal[0];
    if (!this.variant.drops) return null;
    const lane = this.legal.filter((action) => action < this.nCells && this.text(action).includes(word));
    return word && lane.length === 1 ? lane[0] : null;
  }

  // What a network sees, on the board's own canvas: planes [P * H * W], legal [A], rules [F].
  observation() {
    const { rows, columns } = this.variant;
    const planes = zeros("float32", 1, N_PLANES, rows * columns);
    const legal = zeros("bool", 1, this.nActions);
    const features = zeros("float32", 1, this.rules.features.n1);
    $observe_rows(this.rules, this.state, planes, legal, features, zeros("int16", this.nActions + 1));
    return { planes: planes.data, legal: legal.data, rules: features.data, rows, columns };
  }
}
