// The drawings that the reader keeps, each with its class: a folder of pictures for training. They live in memory only.

const UNFIT = /[<>:"/\\|?*]|^\.|[. ]$/g; // what no name of a folder may hold, on any system; a dot would hide the folder

/** Return a folder's name for each class; where they differ by case or unfit characters only, a number tells them apart. */
function folderNames(classes) {
  const taken = new Set();
  return classes.map((name) => {
    const plain = name.replace(UNFIT, "_");
    let folder = plain;
    for (let number = 2; taken.has(folder.toLowerCase()); number++) folder = `${plain}-${number}`;
    taken.add(folder.toLowerCase());
    return folder;
  });
}

/** Return how many drawings of each class there are, such as "3 drawings: “4” (2), “7” (1)". */
function tally(kept, classes) {
  const counts = classes.map((_, place) => kept.filter((each) => each.place === place).length);
  const parts = [...counts.keys()].filter((place) => counts[place]).map((place) => `“${classes[place]}” (${counts[place]})`);
  return `${kept.length} drawing${kept.length === 1 ? "" : "s"}: ${parts.join(", ")}`;
}

/** Return the files of the archive. Their names tell when they were drawn, so that several archives fit in one folder. */
function filesOf(kept, classes) {
  const folders = folderNames(classes);
  return kept.map(({ place, bytes, drawn }) => ({ name: `${folders[place]}/${drawn}.png`, bytes }));
}

/** Return a time for a file's name, such as 2026-03-01-17-05-59-123, in UTC. */
function timeName(date) {
  return date.toISOString().slice(0, -1).replace(/[T:.]/g, "-");
}

/** Let the reader keep `drawing()`, a canvas, under the class that is chosen, take the last back, and save all. */
function collect({ classes }, drawing) {
  const kept = [];
  let unsaved = false;
  const show = () => {
    element("kept").textContent = kept.length ? tally(kept, classes) : "No drawings yet.";
    element("forget").disabled = element("zip").disabled = kept.length === 0;
  };
  const change = (action) => () => {
    action();
    unsaved = kept.length > 0;
    show();
  };
  const keep = () => {
    const place = Number(element("truth").value);
    kept.push({ place, bytes: pngOf(drawing()), drawn: timeName(new Date()) });
  };
  element("keep").addEventListener("click", change(keep));
  element("forget").addEventListener("click", change(() => kept.pop()));
  element("zip").addEventListener("click", () => {
    download("drawings.zip", "application/zip", zipOf(filesOf(kept, classes)));
    unsaved = false;
  });
  addEventListener("beforeunload", (event) => unsaved && event.preventDefault());
  show();
}

/** Return a canvas as the bytes of a PNG file. */
function pngOf(canvas) {
  return bytesOf(canvas.toDataURL("image/png").split(",")[1]);
}

/** Let the browser save bytes as a file. */
function download(name, type, bytes) {
  const link = document.createElement("a");
  link.download = name;
  link.href = URL.createObjectURL(new Blob([bytes], { type }));
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // some browsers read it later than the click
}
