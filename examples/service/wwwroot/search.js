// The search page: asks /search as one types, shows what is found and why something failed.
const pause = 250; // milliseconds without a key before a question is sent

const element = id => document.getElementById(id);
const [form, text, status, error, results, template] = ["form", "text", "status", "error", "results", "match"].map(element);

let asking = new AbortController();
let timer;

form.addEventListener("submit", event => {
  event.preventDefault();
  search(text.value);
});

text.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(() => text.value.trim() === "" ? clear() : search(text.value), pause);
});

describeModel();

function search(value) {
  return show(`“${value.trim()}”`, signal => fetch("search", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ text: value, count: 8 }),
    signal,
  }));
}

function similar(match) {
  return show(`“${match.text}”`, signal => fetch(`catalog/${encodeURIComponent(match.id)}/similar?count=8`, { signal }));
}

// The last question counts: what was asked before is given up.
async function show(what, ask) {
  clearTimeout(timer);
  asking.abort();
  const mine = asking = new AbortController();
  document.body.classList.add("busy");
  try {
    const answer = await read(await ask(mine.signal));
    if (mine.signal.aborted) return;
    error.hidden = true;
    results.replaceChildren(...answer.matches.map(row));
    status.textContent = answer.matches.length === 0 ? `Nothing is like ${what}.`
      : `${answer.matches.length} ${answer.matches.length === 1 ? "row" : "rows"} nearest to ${what}`;
    describeModel(answer.modelVersion);
  } catch (fault) {
    if (mine.signal.aborted) return;
    clear();
    error.textContent = fault instanceof TypeError ? "The service cannot be reached. Is it running?" : fault.message;
    error.hidden = false;
  } finally {
    if (asking === mine) document.body.classList.remove("busy");
  }
}

function clear() {
  asking.abort();
  document.body.classList.remove("busy");
  results.replaceChildren();
  status.textContent = "";
  error.hidden = true;
}

// A fault says in "detail" what is wrong and what to do.
async function read(response) {
  if (response.ok) return response.json();
  const problem = await response.json().catch(() => ({}));
  throw new Error(problem.detail ?? `The service answered ${response.status}.`);
}

function row(match) {
  const item = template.content.cloneNode(true);
  const find = name => item.querySelector(name);
  find(".text").textContent = match.text;
  find(".label").textContent = match.label ?? "";
  find("meter").value = Math.max(0, match.score);
  find("meter").setAttribute("aria-label", "Similarity");
  find(".number").textContent = match.score.toFixed(2);
  find(".similar").setAttribute("aria-label", `More like this: ${match.text}`);
  find(".similar").addEventListener("click", () => {
    similar(match);
    text.focus();
  });
  return item;
}

let known;

async function describeModel(version) {
  if (version !== undefined && version === known) return;
  try {
    const model = await read(await fetch("model"));
    known = model.version;
    element("model").textContent = `Model ${model.version}: ${model.catalogRows.toLocaleString("en")} rows, trained on ${model.trainedOn}`;
  } catch (fault) {
    element("model").textContent = fault instanceof TypeError ? "The service cannot be reached." : fault.message;
  }
}
