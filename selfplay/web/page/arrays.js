// What the translated kernels stand on: arrays of up to three dimensions, and what JavaScript's numbers lack.

const ELEMENTS = {
  bool: Uint8Array, int8: Int8Array, uint8: Uint8Array, int16: Int16Array, uint16: Uint16Array,
  int32: Int32Array, int64: BigInt64Array, uint64: BigUint64Array, float32: Float32Array, float64: Float64Array,
};

// A typed array, or a part of one, with a shape: n0, n1, n2; rows lie behind each other, t0 and t1 apart.
class View {
  constructor(data, offset, shape) {
    this.data = data;
    this.offset = offset;
    [this.n0, this.n1, this.n2] = shape;
    this.t1 = shape.length > 2 ? shape[2] : 1;
    this.t0 = shape.length > 1 ? shape[1] * this.t1 : 1;
    this.shape = shape;
  }

  at(i, j) {
    if (j === undefined) return new View(this.data, this.offset + i * this.t0, this.shape.slice(1));
    return new View(this.data, this.offset + i * this.t0 + j * this.t1, this.shape.slice(2));
  }

  part(start, end) {
    return new View(this.data, this.offset + start * this.t0, [end - start, ...this.shape.slice(1)]);
  }

  fill(value) {
    this.data.fill(value, this.offset, this.offset + this.n0 * this.t0);
  }

  flat() {
    return this.data.subarray(this.offset, this.offset + this.n0 * this.t0);
  }

  copy() {
    return new View(this.flat().slice(), 0, this.shape);
  }
}

function zeros(element, ...shape) {
  return new View(new ELEMENTS[element](shape.reduce((size, n) => size * n, 1)), 0, shape);
}

function filled(element, value, ...shape) {
  const array = zeros(element, ...shape);
  array.data.fill(value);
  return array;
}

function modulo(a, b) {
  return ((a % b) + b) % b;
}

const BITS = new Int32Array(1);
const FLOAT_OF_BITS = new Float32Array(BITS.buffer);

function floatOfBits(bits) {
  BITS[0] = bits;
  return FLOAT_OF_BITS[0];
}
