// The search: the translated kernels of Gumbel AlphaZero and PUCT, one position at a time.

const DEFAULTS = {
  method: GUMBEL, simulations: 64, maxConsidered: 16, gumbelScale: 0, valueScale: 0.1, visitOffset: 50,
  exploration: 1.25, explorationBase: 19652, solve: true, rollouts: 0, rolloutShare: 0, rolloutPlies: 200,
};
const CACHE_SLOTS = 4096;
const STREAM_BEGIN = 16; // simulations of the first analysis of a stream

// Visit count that the candidate of each simulation has under sequential halving (Danihelka et al., algorithm 2).
function halvingSchedule(considered, simulations) {
  if (considered === 1) return [...Array(simulations).keys()];
  const phases = Math.ceil(Math.log2(considered));
  const schedule = [];
  let survivors = considered;
  let visits = 0;
  while (schedule.length < simulations) {
    const rounds = Math.max(1, Math.floor(simulations / (phases * survivors)));
    for (let visit = visits; visit < visits + rounds; visit++) {
      for (let i = 0; i < survivors; i++) schedule.push(visit);
    }
    visits += rounds;
    survivors = Math.max(2, Math.floor(survivors / 2));
  }
  return schedule.slice(0, simulations);
}

function settingsOf(config) {
  const { simulations, maxConsidered } = config;
  const considered = zeros("int16", 1, maxConsidered + 1, simulations);
  for (let k = 1; k <= maxConsidered; k++) considered.at(0, k).flat().set(halvingSchedule(k, simulations));
  return {
    method: config.method, gumbel_scale: config.gumbelScale, value_scale: config.valueScale,
    visit_offset: config.visitOffset, exploration: config.exploration, exploration_base: config.explorationBase,
    dirichlet_alpha: 0.3, dirichlet_fraction: 0, solve: config.solve,
    budgets: filled("int32", simulations, 1), considered,
  };
}

function newTree(rules, simulations) {
  const nodes = simulations + 2;
  const edges = (simulations + 1) * flag(rules, MAX_LEGAL) + 1;
  const of = (element, size, ...names) => Object.fromEntries(names.map((name) => [name, zeros(element, size)]));
  return {
    nodes: newState(rules, nodes),
    ...of("float32", nodes, "raw_value"),
    ...of("int32", nodes, "first_edge", "n_edges", "opened", "parent", "parent_edge"),
    ...of("int8", nodes, "node_proven", "floor"),
    ...of("int16", edges, "action", "order"),
    ...of("float32", edges, "logit", "prior", "noise", "value"),
    ...of("int32", edges, "visits", "child"),
    ...of("int8", edges, "proven"),
    ...of("int32", 1, "n_nodes", "n_used_edges", "spent", "leaf", "budget"),
  };
}

function newCache(slots, nActions) {
  return {
    keys: zeros("uint64", slots), logits: zeros("float32", slots, nActions),
    values: zeros("float32", slots), hits: zeros("int64", 1),
  };
}

function newRollouts(rules, config) {
  return {
    most: config.rollouts, plies: config.rolloutPlies, share: filled("float64", config.rolloutShare, 1),
    salt: zeros("uint64", 1), stream: zeros("uint64", 1), scratch: newState(rules, 1),
    actions: zeros("int16", flag(rules, MAX_LEGAL) + 1),
  };
}

// Search one position. evaluate: null for random playouts, else an async function from an observation to
// { logits, valueToPlay }. Resolves to null if `stopped` says so meanwhile.
async function search(position, evaluate, options = {}, memory = null, stopped = () => false) {
  const config = { ...DEFAULTS, ...options };
  const { rules, state, nActions } = position;
  const settings = settingsOf(config);
  const tree = newTree(rules, config.simulations);
  const rng = filled("uint64", BigInt(config.seed ?? 0), 1);
  const games = zeros("int32", 1);
  $plant_rows(rules, tree, settings, state);
  const room = observationRoom(position);
  const cache = memory ?? newCache(CACHE_SLOTS, nActions);
  const rollouts = newRollouts(rules, evaluate ? config : { ...config, rollouts: 0 });
  const logits = zeros("float32", 1, nActions);
  const values = zeros("float32", 1);
  for (;;) {
    if (evaluate) {
      if (!$advance_remembered(rules, tree, settings, rng, games, cache)) break;
      $observe_waiting(rules, tree, games, room.planes, room.legal, room.features);
      const answer = await evaluate(room);
      if (stopped()) return null;
      logits.data.set(answer.logits);
      values.data[0] = answer.valueToPlay;
    } else {
      $roll_out_waiting(rules, tree, rng, games, 1, rollouts.scratch, rollouts.actions, values);
    }
    const kept = evaluate ? cache : NO_CACHE;
    if (!$advance_waiting(rules, tree, settings, rng, games, logits, values, kept, rollouts)) break;
  }
  return result(position, tree, settings, config);
}

const NO_CACHE = newCache(0, 0);

// The network's own opinion, without a search, in the form of a search's result.
async function opinion(position, evaluate) {
  const room = observationRoom(position);
  $observe_rows(position.rules, position.state, room.planes, room.legal, room.features,
    zeros("int16", position.nActions + 1));
  const { logits, valueToPlay } = await evaluate(room);
  const top = Math.max(...position.legal.map((action) => logits[action]));
  const policy = new Float32Array(position.nActions);
  for (const action of position.legal) policy[action] = Math.exp(logits[action] - top);
  const total = policy.reduce((sum, share) => sum + share, 0);
  return {
    action: position.legal.reduce((best, action) => (policy[action] > policy[best] ? action : best)),
    visits: new Int32Array(position.nActions), policy: policy.map((share) => share / total),
    actionValues: new Float32Array(position.nActions).fill(NaN), valueToPlay, line: [], simulations: 0,
    proven: new Int8Array(position.nActions).fill(UNPROVEN),
  };
}

function observationRoom(position) {
  const { rows, columns } = position.variant;
  return {
    rows, columns,
    planes: zeros("float32", 1, N_PLANES, rows * columns),
    legal: zeros("bool", 1, position.nActions),
    features: zeros("float32", 1, position.rules.features.n1),
  };
}

// By action: visits, policy, actionValues (NaN where there is none) and proven (UNPROVEN where nothing is known).
function result(position, tree, settings, config) {
  const n = position.nActions;
  const [action, visits] = [zeros("int32", 1), zeros("int32", 1, n)];
  const [policy, values] = [zeros("float32", 1, n), zeros("float32", 1)];
  const actionValues = filled("float32", NaN, 1, n);
  const proven = filled("int8", UNPROVEN, 1, n);
  const lines = filled("int16", NONE, 1, n, LINE_LENGTH);
  $write_results(position.rules, tree, settings, action, visits, policy, values, actionValues, proven, lines);
  const best = action.data[0];
  const line = [...lines.at(0, best).flat()];
  const end = line.indexOf(NONE);
  return {
    action: best, visits: visits.data, policy: policy.data, actionValues: actionValues.data, proven: proven.data,
    valueToPlay: values.data[0], line: [best, ...line.slice(0, end < 0 ? line.length : end)],
    simulations: config.simulations,
  };
}
