// The host's page renews itself: it fetches itself, and changes only what is new, so that nothing
// flickers, scrolls away or loses its selection.
const EVERY = 3000; // milliseconds
const lost = document.getElementById("lost");
let since = new Date();

async function renew() {
  try {
    const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(10000) });
    if (!answer.ok) throw new Error(answer.status);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of fresh.querySelectorAll("dd, tbody")) {
      const here = document.getElementById(part.id);
      if (here.innerHTML !== part.innerHTML) here.innerHTML = part.innerHTML;
    }
    document.getElementById("tiles").className = fresh.getElementById("tiles").className;
    lost.hidden = true;
    since = new Date();
  } catch {
    lost.textContent = `The app has not answered since ${since.toLocaleTimeString()}: these are its last figures.`;
    lost.hidden = false;
  }
  setTimeout(renew, EVERY);
}
setTimeout(renew, EVERY);
