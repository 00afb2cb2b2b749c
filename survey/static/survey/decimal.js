// Exact decimal numbers for sums and conversions: whole digits and a count of decimals, never floating point.
(() => {
  "use strict";
  const PLAIN = /^[+-]?(?:\d+\.?\d*|\.\d+)$/;
  const GROUPED = /^[+-]?\d{1,3}(?:[,' ]\d{3})+(?:\.\d+)?$/;
  const LONGEST = 80;
  const power = (places) => BigInt(10) ** BigInt(places);

  // The number in a text of digits, null for anything else: multipliers and units are the server's to read.
  const read = (text) => {
    const folded = text.normalize("NFKC").trim().replace(/[−–]/g, "-").replace(/’/g, "'");
    if (folded.length > LONGEST || !(PLAIN.test(folded) || GROUPED.test(folded))) return null;
    const [whole, rest = ""] = folded.replace(/[,' ]/g, "").replace("+", "").split(".");
    return { digits: BigInt(`${whole || 0}${rest}`.replace(/^-$/, "0")), places: rest.length };
  };
  const at = (one, places) => one.digits * power(places - one.places);
  const plus = (first, second) => {
    const places = Math.max(first.places, second.places);
    return { digits: at(first, places) + at(second, places), places };
  };
  const minus = (first, second) => plus(first, { digits: -second.digits, places: second.places });
  const times = (one, whole) => ({ digits: one.digits * BigInt(whole), places: one.places });
  // The quotient when it ends within these decimals, else null.
  const over = (one, whole, most = 12) => {
    const raised = one.digits * power(Math.max(0, most - one.places));
    const places = Math.max(most, one.places);
    return raised % BigInt(whole) === BigInt(0) ? trimmed({ digits: raised / BigInt(whole), places }) : null;
  };
  const trimmed = ({ digits, places }) => {
    while (places > 0 && digits % BigInt(10) === BigInt(0)) { digits /= BigInt(10); places -= 1; }
    return { digits, places };
  };
  const text = (one) => {
    const { digits, places } = trimmed(one);
    const bare = String(digits < 0 ? -digits : digits).padStart(places + 1, "0");
    const whole = bare.slice(0, bare.length - places).replace(/\B(?=(\d{3})+$)/g, ",");
    return `${digits < 0 ? "-" : ""}${whole}${places ? `.${bare.slice(-places)}` : ""}`;
  };

  window.surveyDecimal = { read, plus, minus, times, over, text, zero: { digits: BigInt(0), places: 0 } };
})();
