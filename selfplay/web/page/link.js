// Who thinks: a worker in this page, or the server that sent it. Both take the same requests.

class Link {
  constructor() {
    this.id = 0;
    this.waiting = null;
  }

  // Analyse a position after actions; `seen` is called with each analysis, the promise has the last one.
  // Resolves to null if a newer request took its place. simulations 0: the policy alone.
  async think(request, seen = () => {}) {
    this.waiting?.resolve(null);
    this.waiting = null;
    await this.ready(request);
    const id = ++this.id;
    return new Promise((resolve, reject) => {
      this.waiting?.resolve(null);
      this.waiting = { id, resolve, reject, seen };
      this.send({ ...request, id });
    });
  }

  stop() {
    this.waiting?.resolve(null);
    this.waiting = null;
    this.send?.({ id: ++this.id });
  }

  take({ id, analysis, done, error }) {
    if (!this.waiting || id !== this.waiting.id) return;
    const { resolve, reject, seen } = this.waiting;
    if (error) {
      this.waiting = null;
      reject(new Error(error));
      return;
    }
    seen(analysis);
    if (done) {
      this.waiting = null;
      resolve(analysis);
    }
  }
}

function bytesOf(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

// Files of data are scripts that call `deliver`: they load from a disk as well as from a server.
const delivered = new Map();

function deliver(name, data) {
  delivered.get(name)?.(data);
}

const files = new Map();

function load(file) {
  if (!files.has(file)) {
    files.set(file, new Promise((resolve, reject) => {
      delivered.set(file, resolve);
      const script = document.createElement("script");
      script.src = file;
      script.onerror = () => {
        files.delete(file);
        reject(new Error(`${file} can't be loaded`));
      };
      document.head.append(script);
    }));
  }
  return files.get(file);
}

// Thinks in a worker.
class Local extends Link {
  constructor() {
    super();
    const source = `${makeEngine}\n${thinker}\nthinker(makeEngine());`;
    this.worker = new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
    this.loaded = new Map();
    this.worker.onmessage = ({ data }) => (data.loaded ? this.opened(data) : this.take(data));
    this.send = (message) => this.worker.postMessage(message);
  }

  // The agent's file and the runtime, when they are needed for the first time.
  async ready({ agent, plan }) {
    if (!plan.network) return;
    if (!this.loaded.has(agent)) this.loaded.set(agent, this.open(agent));
    await this.loaded.get(agent);
  }

  async open(agent) {
    const file = SITE.agents.find(({ name }) => name === agent).file;
    const [model, runtime] = await Promise.all([load(file), load("runtime.js")]);
    const binary = bytesOf(runtime.binary);
    return new Promise((resolve, reject) => {
      this.opening = { resolve, reject };
      this.send({ load: agent, model: bytesOf(model), runtime: { ...runtime, binary } });
    });
  }

  opened({ loaded, error }) {
    if (!error) return this.opening.resolve();
    this.loaded.delete(loaded);
    return this.opening.reject(new Error(error));
  }
}

// Asks the server.
class Server extends Link {
  async ready() {
    if (this.socket?.readyState === WebSocket.OPEN) return;
    this.socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/think`);
    this.socket.onmessage = ({ data }) => this.take(JSON.parse(data));
    this.send = (message) => this.socket.readyState === WebSocket.OPEN && this.socket.send(JSON.stringify(message));
    await new Promise((resolve, reject) => {
      this.socket.onopen = resolve;
      this.socket.onclose = ({ reason }) => {
        const error = new Error(reason || "the server doesn't answer");
        reject(error);
        this.waiting?.reject(error);
        this.waiting = null;
      };
    });
  }
}
