"""From measured turns to ratios, a table in Markdown and a plot in SVG. Pure: no file, no process, no clock."""

import html
import statistics

UNIT = "tokens/s"
BAR_COLOURS = {"inkstone": "#1f6f8b", "llama.cpp": "#c8553d", "openvino": "#8a7fb8", "onnxruntime": "#b7a261",
               "transformers": "#888888"}


def median(values):
    return statistics.median(values) if values else None


def ratio(record, test, peer):
    """Ours over the peer's, of the medians; None where one is missing."""
    ours = median(record["turns"].get("inkstone", {}).get(test, []))
    theirs = median(record["turns"].get(peer, {}).get(test, []))
    return ours / theirs if ours and theirs else None


def share_of_bandwidth(record, test):
    """Of the read bandwidth measured in the same run, as the program stated it; None where it did not."""
    for one in (record.get("ours") or {}).get("tests", []):
        label = f"{one['test']} {one['tokens']}" + (f" at {one['depth']}" if one["depth"] else "")
        if label == test:
            return one["bandwidth_share"]
    return None


def best_flags(trials):
    """Of [(flags, tokens a second)] the flags that gave the most."""
    return max(trials, key=lambda trial: trial[1])[0]


def number(value):
    return "–" if value is None else f"{value:.1f}" if value < 1000 else f"{value:,.0f}"


def cell(record, test, peer):
    measured = median(record["turns"].get(peer, {}).get(test, []))
    if measured is None:
        return "–"
    return f"{number(measured)} ({ratio(record, test, peer):.2f}×)" if ratio(record, test, peer) else number(measured)


def peers_in(records):
    seen = []
    for record in records:
        seen += [peer for peer in record["turns"] if peer != "inkstone" and peer not in seen]
    return seen


def table(records):
    """Tokens a second; behind a peer's number how many times faster we are."""
    peers = peers_in(records)
    lines = ["| model | test | Inkstone | of the read bandwidth | " + " | ".join(peers) + " |",
             "|---|---|---|---|" + "---|" * len(peers)]
    for record in records:
        for test in record["tests"]:
            share = share_of_bandwidth(record, test) if test.startswith("decode") and not record["taken_core"] else None
            lines.append(f"| {record['job']} | {test} | {number(median(record['turns'].get('inkstone', {}).get(test, [])))} | "
                         + (f"{100 * share:.0f} %" if share is not None else "") + " | "
                         + " | ".join(cell(record, test, peer) for peer in peers) + " |")
    return "\n".join(lines)


def first_token_table(records):
    lines = ["| model | engine | start to first token | memory |", "|---|---|---|---|"]
    for record in records:
        for engine, first in record.get("first", {}).items():
            lines.append(f"| {record['job']} | {engine} | {first['seconds']:.2f} s | {first['memory_bytes'] / 2**20:,.0f} MiB |")
    return "\n".join(lines)


def kept_under_load(quiet, taken, engine):
    """Which part of its speed an engine keeps when another process takes a core; None where one is missing."""
    def speed(record):
        tests = record["turns"].get(engine, {})
        return median(next((values for test, values in tests.items() if test.startswith("decode")), []))
    before, after = speed(quiet), speed(taken)
    return after / before if before and after else None


def kept_at_length(record, engine):
    """(tokens, share): which part of its speed at the shortest prompt an engine keeps at the longest; None for one."""
    lengths = sorted(int(test.split()[1]) for test in record["tests"] if test.startswith("prefill") and " at " not in test)
    tests = record["turns"].get(engine, {})
    speeds = [median(tests.get(f"prefill {length}", [])) for length in lengths]
    return (lengths[-1], speeds[-1] / speeds[0]) if len(lengths) > 1 and speeds[0] and speeds[-1] else None


def kept(records):
    """What is kept of the speed with a long prompt, and when another process takes a core: a sentence for each job."""
    sentences = []
    for record in records:
        shares = {engine: kept_at_length(record, engine) for engine in record["turns"]}
        found = [f"{engine} {100 * share[1]:.0f} %" for engine, share in shares.items() if share]
        if found:
            length = next(share[0] for share in shares.values() if share)
            sentences.append(f"{record['job']}: of the speed at the shortest prompt, {length:,} tokens keep {', '.join(found)}.")
        if record["taken_core"]:
            name = record["job"].split(",")[0]
            quiet = [one for one in records if one["job"].startswith(name + " ") and not one["taken_core"]]
            shares = {engine: kept_under_load(quiet[0], record, engine) for engine in record["turns"]} if quiet else {}
            found = [f"{engine} {100 * share:.0f} %" for engine, share in shares.items() if share]
            if found:
                sentences.append(f"{record['job']}: decode keeps {', '.join(found)}.")
    return " ".join(sentences)


def versions_line(record):
    names = [f"Inkstone {record['version']}"]
    for about in record["about"].values():
        names += [f"{name} {version}" for name, version in about["versions"].items()]
    return ", ".join(names)


def conditions(records):
    """One paragraph that says where and how the numbers came about."""
    last = records[-1]
    foreign = [one["foreign_cpus"] for record in records for one in (record.get("ours") or {}).get("tests", [])
               if one["foreign_cpus"] is not None]
    versions = []
    for record in records:
        versions += [part for part in versions_line(record).split(", ") if part not in versions]
    rounds = min((len(values) for record in records for tests in record["turns"].values() for values in tests.values()),
                 default=0)
    return (f"{last['processor']} ({', '.join(last['instruction_sets'])}), {last['threads']} threads, medians of at least "
            f"{rounds} interleaved runs, {last['date']}; {', '.join(versions)}. "
            f"Other processes and the engines beside it kept up to {max(foreign, default=0):.2f} processors busy.")


def plot(records):
    """Horizontal bars, one group for each model and test, as wide as the fastest of the group allows."""
    row, gap, left, width = 15, 10, 190, 430
    parts, y = [], 30
    for record in records:
        for test in record["tests"]:
            speeds = {engine: median(tests[test]) for engine, tests in record["turns"].items() if tests.get(test)}
            if len(speeds) < 2:
                continue
            most = max(speeds.values())
            title = html.escape(f"{record['job']}, {test}")
            parts.append(f'<text x="{left - 8}" y="{y + row * len(speeds) / 2 + 4:.0f}" text-anchor="end">{title}</text>')
            for engine, speed in speeds.items():
                length = width * speed / most
                parts.append(f'<rect x="{left}" y="{y + 1}" width="{length:.1f}" height="{row - 3}" '
                             f'fill="{BAR_COLOURS.get(engine, "#999999")}"/>')
                parts.append(f'<text x="{left + length + 5:.1f}" y="{y + 11}">{number(speed)} {html.escape(engine)}</text>')
                y += row
            y += gap
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 {y + 5}" font-family="sans-serif" font-size="11" '
            f'fill="#222222">\n<rect width="760" height="{y + 5}" fill="#ffffff"/>\n'
            f'<text x="{left}" y="18">{UNIT}, longer is better; each group has its own scale</text>\n'
            + "\n".join(parts) + "\n</svg>\n")


def replace_between(text, name, new):
    """Puts `new` between <!-- name --> and <!-- /name -->, which must both be there."""
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    before, found, rest = text.partition(begin)
    _, found_end, after = rest.partition(end)
    if not found or not found_end:
        raise ValueError(f"no place for {name}: {begin.strip()} … {end}")
    return before + begin + new.rstrip("\n") + "\n" + end + after
