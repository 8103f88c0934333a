// The points of a picture are one stop of the Tab key, within which arrows go from point to point:
// left and right along a series, up and down to the nearest of the next. Escape hides what is
// shown. Without this script each point is a stop.
for (const tips of document.querySelectorAll(".tips")) {
  const points = [...tips.querySelectorAll("i")];
  const hold = held => { for (const point of points) point.tabIndex = point === held ? 0 : -1; };
  const x = point => point.getBoundingClientRect().x;
  const nearest = (group, from) => group && [...group.children].reduce(
    (best, point) => Math.abs(x(point) - x(from)) < Math.abs(x(best) - x(from)) ? point : best);
  const next = {
    ArrowRight: at => points[points.indexOf(at) + 1],
    ArrowLeft: at => points[points.indexOf(at) - 1],
    ArrowDown: at => nearest(at.parentElement.nextElementSibling, at),
    ArrowUp: at => nearest(at.parentElement.previousElementSibling, at),
    Home: () => points[0],
    End: () => points.at(-1),
  };
  hold(points[0]);
  tips.addEventListener("focusin", event => hold(event.target));
  tips.addEventListener("keydown", event => {
    if (!(event.key in next) || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    next[event.key](event.target)?.focus();
  });
  for (const shows of ["pointerover", "focusin"]) tips.addEventListener(shows, () => tips.classList.remove("hushed"));
}
addEventListener("keydown", event => {
  if (event.key === "Escape") for (const tips of document.querySelectorAll(".tips")) tips.classList.add("hushed");
});
