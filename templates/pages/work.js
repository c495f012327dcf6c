(function () {
"use strict";
/* SHA-256 (FIPS 180-4) in plain numbers: crypto.subtle is not there where a page comes over http.
   Only as much of it as is needed: the last block of a text that fits into one. */
var K = [], START = [], W = new Int32Array(64);
(function () {
  var prime = 2, found = 0, part = function (x) { return ((x - Math.floor(x)) * 4294967296) | 0; };
  for (; found < 64; prime++) {
    for (var d = 2; d * d <= prime && prime % d; d++);
    if (d * d <= prime) continue;
    if (found < 8) START[found] = part(Math.sqrt(prime));
    K[found++] = part(Math.cbrt(prime));
  }
  K = new Int32Array(K);
})();
function first(block) {
  var i, a = START[0], b = START[1], c = START[2], d = START[3];
  var e = START[4], f = START[5], g = START[6], h = START[7];
  for (i = 0; i < 16; i++) W[i] = block[i];
  for (; i < 64; i++) {
    var x = W[i - 15], y = W[i - 2];
    W[i] = (W[i - 16] + W[i - 7] +
      ((x >>> 7 | x << 25) ^ (x >>> 18 | x << 14) ^ x >>> 3) +
      ((y >>> 17 | y << 15) ^ (y >>> 19 | y << 13) ^ y >>> 10)) | 0;
  }
  for (i = 0; i < 64; i++) {
    var s = h + ((e >>> 6 | e << 26) ^ (e >>> 11 | e << 21) ^ (e >>> 25 | e << 7)) +
      (e & f ^ ~e & g) + K[i] + W[i] | 0;
    var t = ((a >>> 2 | a << 30) ^ (a >>> 13 | a << 19) ^ (a >>> 22 | a << 10)) +
      (a & b ^ a & c ^ b & c) | 0;
    h = g; g = f; f = e; e = d + s | 0; d = c; c = b; b = a; a = s + t | 0;
  }
  return a + START[0] | 0; /* the first 32 bits are all that is asked about */
}
var form = document.getElementById("work"), said = document.getElementById("said");
var text = form.elements.work.value + ".", bits = +form.getAttribute("data-bits");
var block = new Int32Array(16), bytes = new Uint8Array(64), number = 0, done = false, pressed = false;
function say(what) { said.textContent = said.getAttribute("data-" + what); }
function holds(n) {
  var whole = text + n, size = whole.length, i;
  bytes.fill(0);
  for (i = 0; i < size; i++) bytes[i] = whole.charCodeAt(i);
  bytes[size] = 128; bytes[62] = size >>> 5; bytes[63] = size << 3;
  for (i = 0; i < 16; i++) {
    block[i] = bytes[4 * i] << 24 | bytes[4 * i + 1] << 16 | bytes[4 * i + 2] << 8 | bytes[4 * i + 3];
  }
  return first(block) >>> (32 - bits) === 0;
}
function search() {
  /* in short turns, so that the page stays alive */
  for (var until = Date.now() + 40; Date.now() < until;) {
    for (var i = 0; i < 500; i++, number++) {
      if (holds(number)) {
        form.elements.nonce.value = number;
        done = true;
        say("ready");
        if (pressed) form.submit(); /* the person did */
        return;
      }
    }
  }
  setTimeout(search, 0);
}
form.addEventListener("submit", function (event) {
  if (done) return;
  event.preventDefault();
  pressed = true;
  say("pressed");
});
say("busy");
setTimeout(search, 0);
})();
