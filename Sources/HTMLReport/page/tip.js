// What stands beside a pointer, or above a drawing that the arrow keys read.
const tip = document.getElementById("tip");

function showTip(words, x, y) {
  tip.textContent = words;
  tip.hidden = false;
  const left = Math.min(x, document.documentElement.clientWidth + scrollX - tip.offsetWidth - 8);
  tip.style.left = `${Math.max(left, 4)}px`;
  tip.style.top = `${y}px`;
}

function hideTip() { tip.hidden = true; }
