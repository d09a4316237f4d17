// The picture beneath the mask pad, or a word on why there is none.

const image = element.querySelector("img");
const note = element.querySelector("figcaption");

function show(value) {
  image.hidden = !value?.picture;
  if (value?.picture) image.src = value.picture;
  image.alt = value?.picture ? value.note : "";
  note.textContent = value?.picture ? "" : (value?.note ?? "");
}

watch("value", () => show(props.value));
show(props.value);
