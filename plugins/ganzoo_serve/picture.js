// A picture that the GAN made: its value is a data URL and a name for the file it can be saved as.
const image = element.querySelector("img"), link = element.querySelector("a"), frame = element.querySelector("figure");
element.querySelector(".label").textContent = props.label ?? "";

function show() {
  const made = props.value;
  frame.classList.toggle("empty", !made);
  if (!made) return;
  image.src = link.href = made.file;
  image.alt = made.words;
  link.download = made.name;
}

image.addEventListener("load", () => {  // enlarged by whole pixels, as far as there is room: small images have hard edges
  image.classList.toggle("small", image.naturalWidth < 512);
});
watch("value", show);
show();
