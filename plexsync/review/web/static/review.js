"use strict";
/* Keys press the buttons that bear them, pictures that do not come leave their words, and what
   accepting would change is filled in once it is known. Without this script all buttons work. */

function isTyping(target) {
  return target.matches("input:not([type=checkbox]), select, textarea");
}

function pressKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (isTyping(event.target)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (moveInGrid(event)) return;
  const found = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!found) return;
  event.preventDefault();
  if (found.matches("input, select")) showField(found);
  else found.click();
}

/* What is typed after its key belongs into the field: no letter of it may answer a scene. */
function showField(field) {
  const fold = field.closest("details");
  if (fold) fold.open = true;
  field.focus();
}

/* Arrows go from pair to pair; rows are as long as the page is wide. */
function moveInGrid(event) {
  const boxes = [...document.querySelectorAll(".grid input[type=checkbox]")];
  if (!boxes.length || !event.key.startsWith("Arrow")) return false;
  const at = boxes.indexOf(document.activeElement);
  const tops = boxes.map((box) => box.parentElement.offsetTop);
  const wide = Math.max(1, tops.filter((top) => top === tops[0]).length);
  const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: wide, ArrowUp: -wide }[event.key];
  const next = at < 0 ? 0 : Math.min(Math.max(at + step, 0), boxes.length - 1);
  boxes[next].focus();
  event.preventDefault();
  return true;
}

/* How many an answer settles, less what was taken out; the server counts again. */
function countAgain() {
  const out = document.querySelectorAll(".grid input[type=checkbox]:not(:checked)").length;
  for (const count of document.querySelectorAll(".count")) {
    count.textContent = Math.max(0, Number(count.dataset.all) - out);
  }
}

/* A key held down answers one scene, not the next ones as well. */
function submitOnce(event) {
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "yes";
}

function noPicture(image) {
  const words = document.createElement("span");
  words.className = "empty";
  words.textContent = image.alt ? `No picture: ${image.alt}` : "no picture";
  image.replaceWith(words);
}

function watchPictures(root) {
  for (const image of root.querySelectorAll("img")) {
    if (image.complete && image.naturalWidth === 0 && image.loading !== "lazy") noPicture(image);
    else image.addEventListener("error", () => noPicture(image), { once: true });
  }
}

async function fillPreview() {
  const place = document.querySelector("#preview[data-src]");
  if (!place) return;
  const words = place.querySelector(".changes p");
  try {
    let answer;
    do answer = await fetch(place.dataset.src, { credentials: "same-origin" });
    while (answer.status === 204);
    if (answer.ok) place.innerHTML = await answer.text();
    else words.textContent = "It is unknown; load the page again.";
  } catch {
    words.textContent = "It is unknown: the review does not answer any more.";
  }
}

document.addEventListener("keydown", pressKey);
document.addEventListener("submit", submitOnce);
document.addEventListener("change", countAgain);
window.addEventListener("pageshow", (event) => {
  if (event.persisted) window.location.reload();
});
watchPictures(document);
countAgain();
fillPreview();
