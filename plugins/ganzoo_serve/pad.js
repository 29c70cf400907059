// The drawing pad: black lines on white, or on a picture that was chosen, or holes in one. Its value is the picture as a
// data URL, and its name. A chosen file is sent as it is: what a browser cannot show (TIFF) can be translated, too.
const canvas = element.querySelector("canvas"), pen = canvas.getContext("2d", { willReadFrequently: true });
const picker = element.querySelector("input"), words = element.querySelector(".said"), area = element.querySelector(".pad");
const [height, width] = props.size;
// Lines are drawn finer than the GAN sees them, so that they are soft when scaled; of holes, each pixel is one or is not.
const scale = props.holes ? 1 : Math.max(1, Math.round(512 / Math.max(height, width)));
canvas.width = width * scale;
canvas.height = height * scale;
const thickness = (7 / 256) * Math.max(canvas.width, canvas.height);  // as in the drawings that OpenMoji's artists made
const past = [];
let last = null, erasing = false;
element.querySelector(".label").textContent = props.label ?? "";
element.querySelector(".hint").textContent = props.holes ? "Choose a picture, or drop one here" : "Draw here, or drop a picture";
element.querySelector(".eraser").hidden = props.holes;
if (props.holes) canvas.classList.add("small");

function say(text) { words.textContent = text; }

function clear() {
  pen.fillStyle = "white";
  pen.fillRect(0, 0, canvas.width, canvas.height);
}

function remember() {
  past.push(pen.getImageData(0, 0, canvas.width, canvas.height));
  if (past.length > 30) past.shift();
}

function send(file, name) {
  props.value = { file, name };
  trigger("input");
}

function sendDrawing() { send(canvas.toDataURL("image/png"), "drawing.png"); }

function place(event) {
  const box = canvas.getBoundingClientRect();
  return [((event.clientX - box.left) / box.width) * canvas.width, ((event.clientY - box.top) / box.height) * canvas.height];
}

function hole(x, y, side) {
  const half = Math.floor(side / 2);
  pen.fillStyle = `rgb(${props.ink}, ${props.ink}, ${props.ink})`;
  pen.fillRect(Math.round(x) - half, Math.round(y) - half, Math.max(1, Math.round(side)), Math.max(1, Math.round(side)));
}

function line(from, to) {
  if (props.holes) {
    const steps = Math.ceil(Math.hypot(to[0] - from[0], to[1] - from[1])) + 1;
    for (let step = 0; step <= steps; step++)
      hole(from[0] + ((to[0] - from[0]) * step) / steps, from[1] + ((to[1] - from[1]) * step) / steps, canvas.width / 10);
    return;
  }
  pen.strokeStyle = erasing ? "white" : "black";
  pen.lineWidth = erasing ? 4 * thickness : thickness;
  pen.lineCap = pen.lineJoin = "round";
  pen.beginPath();
  pen.moveTo(...from);
  pen.lineTo(...to);
  pen.stroke();
}

canvas.addEventListener("pointerdown", (event) => {
  if (!event.isPrimary || event.button !== 0) return;
  canvas.setPointerCapture(event.pointerId);
  remember();
  area.classList.add("used");
  last = place(event);
  line(last, last);
});
canvas.addEventListener("pointermove", (event) => {
  if (last === null || !event.isPrimary) return;
  for (const part of event.getCoalescedEvents?.().length ? event.getCoalescedEvents() : [event]) {
    const now = place(part);
    line(last, now);
    last = now;
  }
});
for (const ending of ["pointerup", "pointercancel"])
  canvas.addEventListener(ending, () => {
    if (last === null) return;
    last = null;
    sendDrawing();
  });

function show(file, address) {
  const picture = new Image();
  picture.onload = () => {  // scaled until it covers the pad, the overhang cut off, as the server does
    const factor = Math.max(canvas.width / picture.width, canvas.height / picture.height);
    const [wide, high] = [picture.width * factor, picture.height * factor];
    clear();
    pen.drawImage(picture, (canvas.width - wide) / 2, (canvas.height - high) / 2, wide, high);
    area.classList.add("used");
    if (props.holes) {  // as `--as masked` does, until one is cut by hand
      hole(canvas.width / 2, canvas.height / 2, Math.max(1, Math.floor(Math.min(canvas.width, canvas.height) / 2)));
      sendDrawing();
    }
  };
  picture.onerror = () => {
    clear();
    area.classList.remove("used");
    if (props.holes) send("", file.name);  // which is refused: what was made of another picture goes
    say(props.holes ? `${file.name} is no picture that can be shown` : `${file.name} cannot be shown here`);
  };
  picture.src = address;
}

function choose(file) {
  if (!file) return;
  if (file.size > props.most_bytes) {
    say(`${file.name} is too large: ${props.most} is the most; scale it down`);
    return;
  }
  say("");
  remember();
  const reader = new FileReader();
  reader.onload = () => {
    show(file, reader.result);
    if (!props.holes) send(reader.result, file.name);
  };
  reader.onerror = () => say(`${file.name} cannot be read`);
  reader.readAsDataURL(file);
}

picker.addEventListener("change", () => { choose(picker.files[0]); picker.value = ""; });
area.addEventListener("dragover", (event) => { event.preventDefault(); area.classList.add("over"); });
area.addEventListener("dragleave", () => area.classList.remove("over"));
area.addEventListener("drop", (event) => {
  event.preventDefault();
  area.classList.remove("over");
  choose(event.dataTransfer.files[0]);
});
element.querySelector(".choose").addEventListener("click", () => picker.click());
element.querySelector(".eraser").addEventListener("click", (event) => {
  erasing = !erasing;
  event.currentTarget.setAttribute("aria-pressed", String(erasing));
});
element.querySelector(".undo").addEventListener("click", () => {
  if (!past.length) return;
  pen.putImageData(past.pop(), 0, 0);
  say("");
  sendDrawing();
});
element.querySelector(".wipe").addEventListener("click", () => {
  remember();
  clear();
  say("");
  area.classList.remove("used");
  sendDrawing();
});
clear();
