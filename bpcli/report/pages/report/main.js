// What the page has is started: a comparison of runs has none of it. Where there is room, more of it is open.

for (const [name, start] of Object.entries({ cells: startCells, story: startReplay })) {
  const source = document.getElementById(name);
  if (source) start(JSON.parse(source.textContent));
}

if (matchMedia("(min-width: 1100px)").matches) {
  for (const each of document.querySelectorAll("details.roomy")) each.open = true;
}
