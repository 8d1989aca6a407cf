"""Runs suite, parity and bench cases on the machine's GPU and writes one JSON and one page of Markdown. Started by run.sh, which finds libtorch."""
import argparse, collections, ctypes, datetime, importlib.metadata, json, os, platform, queue, signal, struct, subprocess, sys, tempfile, threading, time

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = os.path.join(HERE, "programs")
# The longest first: what is left at the end is short.
SUITES = ["Ssl.Contract.Images.Tests", "Ssl.Contract.Tests", "Ssl.Estimators.Tests", "Ssl.MLNet.Tests"]
FILTER = "TestCategory!=Long&TestCategory!=Checkout"
TESTS_A_PROCESS = 30
# A process that makes no progress for so long is ended: a deadlock may not take the time of the others.
LONGEST_TEST = 120


def environment(device, threads):
    result = dict(os.environ, SSL_TEST_DEVICE=device, OMP_NUM_THREADS=str(threads), DOTNET_gcServer="0")
    if "SSL_PRELOAD" in os.environ:
        result["LD_PRELOAD"] = os.environ["SSL_PRELOAD"]
    return result


def undefined_names(path):
    """The C++ names that an ELF library takes from others: those of its table of dynamic symbols that stand in no section."""
    data = open(path, "rb").read()
    start, size, count = struct.unpack_from("<Q", data, 40)[0], *struct.unpack_from("<HH", data, 58)
    sections = [struct.unpack_from("<IIQQQQIIQQ", data, start + size * i) for i in range(count)]
    table = next(section for section in sections if section[1] == 11)               # SHT_DYNSYM
    texts = sections[table[6]][4]
    for offset in range(table[4], table[4] + table[5], 24):
        name, info, _, section = struct.unpack_from("<IBBH", data, offset)
        if section == 0 and info >> 4 != 2:                                         # a weak name may be missing
            text = data[texts + name:data.index(b"\0", texts + name)].decode()
            # The standard library's own (VersionMend mends its versions where they are older) are not libtorch's.
            if text.startswith("_Z") and not text.startswith(("_ZSt", "_ZNSt", "_ZNKSt")):
                yield text


def check_library():
    """The names that TorchSharp's native library wants and this libtorch lacks: said here, not by a crash in a test."""
    folder = os.environ["LD_LIBRARY_PATH"].split(":")[0]
    for name in ("libc10.so", "libtorch_cpu.so", "libtorch.so"):
        try:
            ctypes.CDLL(os.path.join(folder, name), mode=os.RTLD_LAZY | os.RTLD_GLOBAL)
        except OSError as error:
            return [f"{name} itself: {error}"]
    find = ctypes.CDLL(None).dlsym
    find.restype, find.argtypes = ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_char_p]
    return [name for name in undefined_names(os.path.join(PROGRAMS, "libLibTorchSharp.so")) if not find(None, name.encode())]


def list_tests(suite, env):
    text = subprocess.run([os.path.join(PROGRAMS, suite), "--list-tests", "json", "--filter", FILTER], env=env, capture_output=True, text=True, check=True).stdout
    tests = json.loads(text)["tests"]
    return [{"suite": suite, "id": test["uid"], "type": f"{test['type']['namespace']}.{test['type']['typeName']}", "name": test["displayName"]} for test in tests]


def chunks(tests):
    """Tests of one class, which share what the class prepares; a large class in parts, small classes of a suite together."""
    classes = collections.OrderedDict()
    for test in tests:
        classes.setdefault(test["type"], []).append(test)
    result, small = [], []
    for members in classes.values():
        if len(members) < 8:
            small += members
            if len(small) >= TESTS_A_PROCESS:
                result.append(small)
                small = []
            continue
        parts = -(-len(members) // TESTS_A_PROCESS)
        result += [members[len(members) * i // parts:len(members) * (i + 1) // parts] for i in range(parts)]
    return result + ([small] if small else [])


class Suite:
    """The chunks, worked off by several processes at once until all are done or time is up."""

    def __init__(self, tests, env, deadline, workers, folder):
        self.tests, self.env, self.deadline, self.workers, self.folder = tests, env, deadline, workers, folder
        self.results = {}           # (suite, id) -> the last line that the recorder wrote
        self.processes = []         # one entry a process
        self.lock, self.queue = threading.Lock(), queue.Queue()

    def run(self):
        for suite in SUITES:
            for chunk in chunks([test for test in self.tests if test["suite"] == suite]):
                self.queue.put(chunk)
        threads = [threading.Thread(target=self.work) for _ in range(self.workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def work(self):
        while time.time() < self.deadline:
            try:
                chunk = self.queue.get_nowait()
            except queue.Empty:
                return
            while chunk and time.time() < self.deadline:
                chunk = self.run_chunk(chunk)

    def run_chunk(self, chunk):
        """Runs the tests in one process; gives those that it left when it died in one of them."""
        suite = chunk[0]["suite"]
        number = self.next_number(suite, chunk)
        record, output = (os.path.join(self.folder, f"{number}.{end}") for end in ("jsonl", "txt"))
        command = [os.path.join(PROGRAMS, suite), "--no-ansi", "--results-directory", self.folder, "--filter-uid", *[test["id"] for test in chunk]]
        started = time.time()
        with open(output, "w") as stream:
            process = subprocess.Popen(command, env=dict(self.env, SSL_TEST_RECORD=record), stdout=stream, stderr=subprocess.STDOUT, start_new_session=True)
            size, changed, stopped = 0, started, None
            while process.poll() is None:
                time.sleep(.2)
                now = time.time()
                if os.path.exists(record) and os.path.getsize(record) != size:
                    size, changed = os.path.getsize(record), now
                if now >= self.deadline or now - changed > LONGEST_TEST:
                    stopped = "the time limit" if now >= self.deadline else f"{LONGEST_TEST} s without a result"
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
        lines = read_lines(record)
        last = {line["id"]: line for line in lines}
        left = [test for test in chunk if test["id"] not in last]
        died = stopped is None and (left or any(line["outcome"] == "started" for line in last.values()))
        tail = open(output, errors="replace").read()[-1500:]
        with self.lock:
            entry = self.processes[number]
            entry.update(seconds=round(time.time() - started, 1), exit=process.returncode, stopped=stopped)
            for test in chunk:
                line = last.get(test["id"])
                if line and line["outcome"] == "started":
                    # A process ended by a signal has its negative number as its exit code.
                    line = dict(line, outcome="not finished" if stopped else "died", message=stopped or f"the process ended with {process.returncode}: {tail}")
                if line:
                    self.results[suite, test["id"]] = line
            if died:
                entry["output"] = tail
        # A process that never reached a test would not in another try.
        return left if last and (died or stopped and time.time() < self.deadline) else []

    def next_number(self, suite, chunk):
        with self.lock:
            self.processes.append({"suite": suite, "first": f"{chunk[0]['type']}.{chunk[0]['name']}", "tests": len(chunk)})
            return len(self.processes) - 1


def read_lines(path):
    """The lines of the recorder; the last one may be cut where the process was ended."""
    result = []
    if os.path.exists(path):
        for line in open(path, errors="replace"):
            try:
                result.append(json.loads(line))
            except ValueError:
                pass
    return result


def run_tests(options, folder):
    env = environment(options.device, max(1, (os.cpu_count() or 1) // options.workers))
    started = time.time()
    tests, faults = [], []
    for suite in SUITES:
        try:
            tests += list_tests(suite, env)
        except (subprocess.CalledProcessError, ValueError) as error:
            faults.append({"suite": suite, "message": f"its tests could not be listed: {error} {getattr(error, 'stderr', '')}"[-2000:]})
    tests = [test for test in tests if options.only in f"{test['type']}.{test['name']}"]
    suite = Suite(tests, env, started + options.tests_limit, options.workers, folder)
    suite.run()
    counts, of = {name: collections.Counter() for name in SUITES}, collections.defaultdict(list)
    for test in tests:
        line = suite.results.get((test["suite"], test["id"]))
        outcome = line["outcome"] if line else "not run"
        counts[test["suite"]][outcome] += 1
        entry = {"suite": test["suite"], "test": f"{test['type']}.{test['name']}"}
        if outcome in ("failed", "died", "not finished", "skipped"):
            entry["message"] = (line["message"] or "")[:2000]
        if outcome == "failed":
            entry["stack"] = (line["stack"] or "").strip().splitlines()[:4]
        of[outcome].append(entry)
    slowest = sorted((line for line in suite.results.values() if line.get("seconds")), key=lambda line: -line["seconds"])[:15]
    return {"seconds": round(time.time() - started, 1), "limit": options.tests_limit, "workers": options.workers,
            "counts": {name: dict(count) for name, count in counts.items()}, "faults": faults, "failed": of["failed"], "died": of["died"],
            "not_finished": of["not finished"], "not_run": [entry["test"] for entry in of["not run"]],
            "skipped": collections.Counter(entry["message"] for entry in of["skipped"]),
            "slowest": [{"test": f"{line['type']}.{line['name']}", "seconds": round(line["seconds"], 1)} for line in slowest],
            "processes": suite.processes}


def run_bench(case, options, folder, limit):
    """A case of the bench: its file of results, which it writes row by row, and how it ended."""
    command = [os.path.join(PROGRAMS, "Ssl.Bench"), case] + (["--quick"] if options.quick else [])
    env = dict(environment(options.device, os.cpu_count() or 1), SSL_PYTHON=sys.executable)
    started, output = time.time(), os.path.join(folder, f"{case}.txt")
    with open(output, "w") as stream:
        process = subprocess.Popen(command, env=env, cwd=folder, stdout=stream, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            process.wait(limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    path = os.path.join(folder, "artifacts", "bench", f"{case}.json")
    result = json.load(open(path)) if os.path.exists(path) else {"rows": [], "notes": []}
    seconds = round(time.time() - started, 1)
    result.update(seconds=seconds, limit=limit, exit=process.returncode, stopped=seconds >= limit)
    if process.returncode != 0:
        result["output"] = open(output, errors="replace").read()[-3000:]
    return result


def machine():
    result = {"system": platform.platform(), "cores": os.cpu_count(), "python": platform.python_version(), "torch_lib": os.environ["LD_LIBRARY_PATH"].split(":")[0]}
    try:
        result["gpu"] = subprocess.run(["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"], capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        result["gpu"] = None
    # Not imported: it would load here what is tested there.
    try:
        result["torch"] = importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        result["torch"] = None
    return result


def page(report):
    lines = [f"# Check on {report['device']}, {report['date']}", "", f"Commit {report['commit']}.", ""]
    lines += [f"- {name}: {value}" for name, value in report["machine"].items()]
    if report["missing"]:
        lines += ["", f"**Names that this libtorch lacks** (what calls them ends its process): {', '.join(report['missing'])}"]
    tests = report.get("tests")
    if tests:
        outcomes = ["passed", "failed", "died", "not finished", "skipped", "not run"]
        lines += ["", f"## Tests ({tests['seconds']} s of {tests['limit']} s, {tests['workers']} processes at once)", "",
                  "| suite | " + " | ".join(outcomes) + " |", "| --- |" + " ---: |" * len(outcomes)]
        lines += [f"| {suite} | " + " | ".join(str(count.get(outcome, 0)) for outcome in outcomes) + " |" for suite, count in tests["counts"].items()]
        for fault in tests["faults"]:
            lines += ["", f"**{fault['suite']}**: {fault['message']}"]
        for title, key in (("Failed", "failed"), ("Their process died", "died"), ("Not finished", "not_finished")):
            if tests[key]:
                lines += ["", f"### {title}", ""]
                lines += [f"- `{entry['test']}`: " + " ".join(entry["message"].split())[:400] for entry in tests[key]]
        ended = [process for process in tests["processes"] if "output" in process]
        if ended:
            lines += ["", "### Last output of processes that died", ""]
            for process in ended:
                lines += [f"`{process['first']}` and {process['tests'] - 1} more, exit code {process['exit']}:", "", "```text", process["output"].strip(), "```", ""]
        if tests["skipped"]:
            lines += ["", "### Skipped", ""] + [f"- {count}: {' '.join(message.split())}" for message, count in tests["skipped"].items()]
        if tests["slowest"]:
            lines += ["", "### Slowest", ""] + [f"- {entry['seconds']} s `{entry['test']}`" for entry in tests["slowest"]]
    for title, key in (("Parity", "parity"), ("Speed", "bench")):
        result = report.get(key)
        if not result:
            continue
        lines += ["", f"## {title} ({result['seconds']} s)", "", "| | value | reference | ratio | |", "| --- | ---: | ---: | ---: | --- |"]
        lines += [f"| {row['name']} | {number(row['value'])} | {number(row.get('reference'))} | {number(row.get('ratio'))} | {row['unit']} |" for row in result["rows"]]
        lines += [""] + [f"- {note}" for note in result["notes"]]
        if result["stopped"]:
            lines += ["", f"**Stopped after {result['limit']} s; the rows behind the last one were not measured.**"]
        elif result["exit"] != 0:
            lines += ["", f"**Ended with {result['exit']}:**", "", "```text", result["output"].strip(), "```"]
    return "\n".join(lines) + "\n"


def number(value):
    return "" if value is None else f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def main():
    parser = argparse.ArgumentParser(prog="run.sh", description=__doc__)
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"], help="where tests compute (SSL_TEST_DEVICE); default cuda")
    parser.add_argument("--output", default="results", help="folder for check.json and check.md; default results")
    parser.add_argument("--tests-limit", type=float, default=240, metavar="SECONDS", help="tests that did not run until then are said to be not run; default 240")
    parser.add_argument("--bench-limit", type=float, default=200, metavar="SECONDS", help="the same for the bench's rows; default 200")
    parser.add_argument("--parity-limit", type=float, default=80, metavar="SECONDS", help="the same for parity; default 80")
    parser.add_argument("--parts", default="tests,parity,bench", help="what is run, of tests,parity,bench; default all")
    parser.add_argument("--quick", action="store_true", help="small networks in parity and bench, which then run on a CPU, too")
    parser.add_argument("--workers", type=int, default=max(1, (os.cpu_count() or 1) - 2), help="test processes at once; default: cores less two")
    parser.add_argument("--only", default="", metavar="TEXT", help="only tests whose full name has this in it")
    options = parser.parse_args()
    os.makedirs(options.output, exist_ok=True)
    with open(os.path.join(HERE, "commit")) as file:
        commit = file.read().strip()
    report = {"date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"), "commit": commit, "device": options.device,
              "machine": machine(), "missing": check_library()}

    def write():
        with open(os.path.join(options.output, "check.json"), "w") as file:
            json.dump(report, file, indent=1)
        with open(os.path.join(options.output, "check.md"), "w") as file:
            file.write(page(report))

    write()
    parts = options.parts.split(",")
    with tempfile.TemporaryDirectory() as folder:
        if "tests" in parts:
            report["tests"] = run_tests(options, folder)
            write()
        if "parity" in parts:
            report["parity"] = run_bench("gpu-parity", options, folder, options.parity_limit)
            write()
        if "bench" in parts:
            report["bench"] = run_bench("gpu", options, folder, options.bench_limit)
            write()
    print(page(report))
    tests = report.get("tests", {})
    faults = any(tests.get(key) for key in ("faults", "failed", "died")) or any(report.get(key, {}).get("exit", 0) != 0 for key in ("parity", "bench"))
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
