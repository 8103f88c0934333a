// The pointer shows the tip of the nearest point, where they are crowded too. The points of a
// picture are one stop of the Tab key, within which arrows go from point to point: left and right
// along a series, up and down to the nearest of the next. Escape hides what is shown. Without this
// script each point is a stop, and has its tip where the pointer is on it.
for (const tips of document.querySelectorAll(".tips")) {
  const points = [...tips.querySelectorAll("i")];
  const middle = point => { const box = point.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; };
  const least = (all, far) => all.reduce((best, point) => far(point) < far(best) ? point : best);

  const hold = held => { for (const point of points) point.tabIndex = point === held ? 0 : -1; };
  const beside = (group, from) => group && least([...group.children], point => Math.abs(middle(point)[0] - middle(from)[0]));
  const next = {
    ArrowRight: at => points[points.indexOf(at) + 1],
    ArrowLeft: at => points[points.indexOf(at) - 1],
    ArrowDown: at => beside(at.parentElement.nextElementSibling, at),
    ArrowUp: at => beside(at.parentElement.previousElementSibling, at),
    Home: () => points[0],
    End: () => points.at(-1),
  };
  hold(points[0]);
  tips.addEventListener("focusin", event => { hold(event.target); tips.classList.remove("hushed"); });
  tips.addEventListener("keydown", event => {
    if (!(event.key in next) || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    next[event.key](event.target)?.focus();
  });

  let near = null;
  const show = point => { near?.classList.remove("near"); near = point; near?.classList.add("near"); };
  const point = event => {
    const far = point => Math.hypot(middle(point)[0] - event.clientX, middle(point)[1] - event.clientY);
    // Far from its point but still on it is on the tip, which stays to be read.
    if (!points.length || (event.target === near && far(near) > 12)) return;
    const best = least(points, far), found = far(best) <= 16 ? best : null;
    if (found !== near) { show(found); tips.classList.remove("hushed"); }
  };
  tips.classList.add("led");
  for (const moved of ["pointermove", "pointerdown"]) tips.parentElement.addEventListener(moved, point);
  // A finger that is lifted leaves, too: what it shows stays until the next touch elsewhere.
  tips.parentElement.addEventListener("pointerleave", event => { if (event.pointerType !== "touch") show(null); });
  addEventListener("pointerdown", event => { if (!tips.parentElement.contains(event.target)) show(null); });
}
addEventListener("keydown", event => {
  if (event.key === "Escape") for (const tips of document.querySelectorAll(".tips")) tips.classList.add("hushed");
});
