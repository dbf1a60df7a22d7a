// Thinks about positions in a worker: the search with onnxruntime-web, or with random playouts.
//
// It gets { load: agent name, model: bytes, runtime }, then { think, variant, actions, agent, plan, simulations },
// and answers with { id, analysis, done } again and again, each analysis with twice the simulations, or with
// { id, error }. A new request ends the one before.

function thinker(engine) {
  const { Position, search, opinion, newCache, CACHE_SLOTS, STREAM_BEGIN } = engine;
  const agents = new Map();
  const memories = new Map();
  let latest = 0;

  // Answers come one message at a time, so that a newer request is seen between two evaluations.
  const breath = () => new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => { port1.close(); resolve(); };
    port2.postMessage(0);
  });

  async function open({ load, model, runtime }) {
    if (typeof ort === "undefined") {
      const url = (text) => URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
      importScripts(url(runtime.script));
      ort.env.wasm.numThreads = 1;
      ort.env.wasm.wasmPaths = { mjs: url(runtime.glue) };
      ort.env.wasm.wasmBinary = runtime.binary;
    }
    agents.set(load, await ort.InferenceSession.create(model));
  }

  function evaluator(session) {
    return async ({ planes, features, rows, columns }) => {
      const [channels, n] = [planes.n1, features.n1];
      const found = await session.run({
        planes: new ort.Tensor("float32", planes.data, [1, channels, rows, columns]),
        rules: new ort.Tensor("float32", features.data, [1, n]),
      }, ["logits", "value_to_play"]);
      await breath();
      return { logits: found.logits.data, valueToPlay: found.value_to_play.data[0] };
    };
  }

  async function think({ id, variant, actions, agent, plan, simulations }) {
    let position = Position.start(variant);
    for (const action of actions) position = position.play(action);
    const evaluate = plan.network ? evaluator(agents.get(agent)) : null;
    if (evaluate && simulations === 0) {
      postMessage({ id, analysis: await opinion(position, evaluate), done: true });
      return;
    }
    const key = `${agent} ${variant.id}`;
    if (!memories.has(key)) memories.set(key, newCache(CACHE_SLOTS, position.nActions));
    for (let spent = Math.min(STREAM_BEGIN, simulations); ; spent = Math.min(2 * spent, simulations)) {
      const options = { ...plan.search, simulations: spent * plan.factor };
      const analysis = await search(position, evaluate, options, memories.get(key), () => id !== latest);
      if (analysis === null || id !== latest) return;
      postMessage({ id, analysis, done: spent === simulations });
      if (spent === simulations) return;
      await breath();
    }
  }

  onmessage = async ({ data }) => {
    if (data.id !== undefined) latest = data.id;
    try {
      if (data.load) {
        await open(data);
        postMessage({ loaded: data.load });
      } else if (data.variant) {
        await think(data);
      }
    } catch (error) {
      postMessage({ id: data.id, loaded: data.load, error: String(error.message ?? error) });
    }
  };
}
