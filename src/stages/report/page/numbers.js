// Numbers: decoded from base64 at first use, and formatted as text.

function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i += 1) bytes[i] = text.charCodeAt(i);
  return bytes;
}

const floats = (base64) => (base64 == null ? null : new Float32Array(bytesOf(base64).buffer));

// Decoded arrays by estimate; an estimate is decoded when it is shown for the first time.
const decoded = new WeakMap();

function numbers(estimate) {
  if (!decoded.has(estimate)) {
    const decode = (quantity) => {
      const packed = estimate[quantity];
      if (!packed) return null;
      return {
        mean: floats(packed.mean), low: floats(packed.low), high: floats(packed.high), runs: floats(packed.runs),
        null: floats(estimate[`${quantity}_null`]),
      };
    };
    decoded.set(estimate, { i_xt: decode('i_xt'), i_ty: decode('i_ty') });
  }
  return decoded.get(estimate);
}

const hasNumbers = (array) => array != null && array.some(Number.isFinite);
const unitFactor = () => (state.unit === 'nats' ? Math.LN2 : 1);
const finite = (value) => (Number.isFinite(value) ? value : null);

const decimals = (value, n) => (Number.isFinite(value) ? value.toFixed(n).replace('-', '−') : '–');
const inUnit = (bits) => decimals(bits == null ? NaN : bits * unitFactor(), 3);
const whole = (value) => (value == null ? '–' : String(Math.round(value)));
const significant = (value) => (value == null ? '–' : String(Number(value.toPrecision(4))).replace('-', '−'));
const pValue = (p) => (p == null ? '–' : p < 0.001 ? p.toExponential(1).replace('-', '−') : p.toFixed(3));
const interval = (low, high, format) => (low == null || high == null ? '' : ` [${format(low)}, ${format(high)}]`);

// The shortest decimal that parses to the same 32-bit float.
function exact(value) {
  if (!Number.isFinite(value)) return '';
  for (let digits = 6; digits < 9; digits += 1) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return String(short);
  }
  return String(Number(value.toPrecision(9)));
}
