// A picture that follows while something moves. One question is under way at a time; the newest
// waits, and those that were passed on the way are never asked. Joined with card.js; gr.HTML runs
// both once, with `element`, `props`, `server` and `watch`.

class Live {
  // find(name) gives the widget's parts "error" and "cost"; show(answer) puts an answer on the page,
  // a promise where that takes time. The root's data say what is pictured and how long it took, for
  // those who measure.
  constructor(root, find, show) {
    Object.assign(this, { root, find, show });
    this.waiting = null; // {what, request, since}: the newest question, not asked yet
    this.asking = false;
    this.latencies = [];
    this.made = {}; // of the picture that is shown
  }

  // Asks for the newest state of things, as soon as the question before it is answered.
  async want(what, request) {
    this.waiting = { what, request, since: performance.now() };
    if (this.asking) return;
    this.asking = true;
    try {
      while (this.waiting) {
        const { what, request, since } = this.waiting;
        this.waiting = null;
        const answer = await this.ask(what, request);
        if (!answer) continue;
        await this.show(answer);
        this.made = answer.made ?? {};
        this.tell(request, performance.now() - since, answer.ms);
      }
    } finally {
      this.asking = false; // also where the browser could not show a picture
    }
  }

  // A picture that was shown, as a file that says what the answer to it said.
  async save(canvas, name) {
    let problem = "";
    try {
      await savePng(canvas, name, this.made);
    } catch (error) {
      problem = `No PNG: ${error.message}`;
    }
    this.complain(problem);
  }

  complain(problem) {
    const box = this.find("error");
    box.textContent = problem;
    box.hidden = !problem;
  }

  tell(request, took, server) {
    this.latencies = [...this.latencies.slice(-49), took];
    this.root.dataset.latencies = this.latencies.map((ms) => ms.toFixed(1)).join(" ");
    this.root.dataset.pictured = request;
    this.root.dataset.shown = Number(this.root.dataset.shown ?? 0) + 1;
    this.find("cost").textContent = `live · shown ${Math.round(took)} ms after the move, ${server} ms of it on the server`;
  }

  // The server's answer, or null with its message on the page.
  async ask(what, request) {
    let answer;
    try {
      answer = await server[what](request);
    } catch (error) {
      answer = { error: `The server did not answer (${error?.message ?? error ?? "no connection"}).` };
    }
    const problem = answer ? answer.error : "The server did not answer.";
    this.complain(problem ?? "");
    return problem ? null : answer;
  }
}
