"""Reads a language's grammar (the files of grammar/LANGUAGE) and expands it into sentences with the calls they mean.

The files are data, written by people who speak the language: see grammar/README.md for the notation.
A symbol expands to text and to a list of meanings; a symbol declared `call TOOL` turns the meanings inside
it into one call (or several, when it names several rooms). The normal forms (clock, durations, order of the
arguments) are made in meaning.py, so a grammar never computes.

Refused with file and line: unknown symbols, unbalanced brackets, a call that misses a required argument.
"""

import re

import meaning
import numerals

WEIGHT = re.compile(r"^\s*(\d+)\*")
NUMBER = re.compile(r"^(\w+):(\d+)-(\d+)(?:/(\d+))?(?::(\w+))?$")
HEADER = re.compile(r"^@(\w+)(?: call (\w+))?$")


class GrammarError(Exception):
    pass


class Reader:
    """One line of the notation -> a tree of tuples."""

    def __init__(self, text, where):
        self.text, self.where, self.at = text, where, 0

    def fail(self, what):
        raise GrammarError(f"{self.where}: {what} at column {self.at + 1} of {self.text!r}")

    def choice(self, nested):
        options = []
        while True:
            weight = WEIGHT.match(self.text[self.at:])
            if weight:
                self.at += weight.end()
            options.append((int(weight.group(1)) if weight else 1, self.sequence()))
            if self.at < len(self.text) and self.text[self.at] == "|":
                self.at += 1
                continue
            break
        if nested:
            if self.at >= len(self.text):
                self.fail("a bracket is not closed")
            self.at += 1
        elif self.at < len(self.text):
            self.fail("a closing bracket too many")
        return options[0][1] if len(options) == 1 else ("choice", options)

    def until(self, closing):
        end = self.text.find(closing, self.at)
        if end < 0:
            self.fail(f"{closing} is missing")
        inside, self.at = self.text[self.at:end], end + 1
        return inside.strip()

    def sequence(self):
        parts, plain = [], ""
        while self.at < len(self.text) and self.text[self.at] not in "|)":
            char = self.text[self.at]
            self.at += 1
            if char not in "(<{[":
                plain += char
                continue
            if plain:
                parts.append(("text", plain))
                plain = ""
            parts.append(self.special(char))
        if plain:
            parts.append(("text", plain))
        return ("sequence", parts)

    def special(self, char):
        if char == "(":
            return self.choice(nested=True)
        if char == "<":
            inside = self.until(">")
            if "=" in inside:
                argument, symbol = inside.split("=", 1)
                return ("capture", argument.strip(), symbol.strip())
            return ("symbol", inside)
        if char == "{":
            inside = self.until("}")
            number = NUMBER.match(inside)
            if not number:
                self.fail(f"not a number range: {inside!r}")
            name, low, high, step, style = number.groups()
            return ("number", name, range(int(low), int(high) + 1, int(step or 1)), style)
        meanings = []
        for pair in self.until("]").split(","):
            if "=" not in pair:
                self.fail(f"not a meaning: {pair!r}")
            key, value = pair.split("=", 1)
            meanings.append((key.strip(), value.strip()))
        return ("meaning", meanings)


class Grammar:
    def __init__(self, language, paths, catalogue):
        self.language = language
        self.catalogue = catalogue
        self.symbols, self.tools, self.replies = {}, {}, {}
        for path in paths:
            self.read(path)
        self.check()

    def read(self, path):
        symbol = None
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            where = f"{path.name}:{number}"
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            if line.startswith("@reply "):
                name, text = line[7:].split(" ", 1)
                self.replies[name] = text.strip()
            elif line.startswith("@"):
                header = HEADER.match(line)
                if not header:
                    raise GrammarError(f"{where}: expected '@name' or '@name call tool'")
                symbol, tool = header.groups()
                self.symbols.setdefault(symbol, [])
                if tool:
                    if tool not in self.catalogue:
                        raise GrammarError(f"{where}: the catalogue has no tool {tool}")
                    self.tools[symbol] = tool
            elif symbol is None:
                raise GrammarError(f"{where}: a line before the first @symbol")
            else:
                weight = WEIGHT.match(line)
                tree = Reader(line[weight.end():] if weight else line, where).choice(nested=False)
                self.symbols[symbol].append((int(weight.group(1)) if weight else 1, tree))

    def check(self):
        def walk(tree, symbol):
            if tree[0] in ("symbol", "capture") and not tree[-1].startswith("~"):
                if not self.symbols.get(tree[-1]):
                    raise GrammarError(f"{self.language}: @{symbol} uses the unknown symbol <{tree[-1]}>")
            for child in tree[1] if tree[0] in ("sequence", "choice") else []:
                walk(child[1] if tree[0] == "choice" else child, symbol)
            if tree[0] == "meaning":
                for key, value in tree[1]:
                    if key == "reply" and value not in self.replies:
                        raise GrammarError(f"{self.language}: @{symbol}: no '@reply {value}'")
        for symbol, options in self.symbols.items():
            for _, tree in options:
                walk(tree, symbol)
        self.totals = {}

    def sentence(self, rng):
        """One sentence: (text, meanings of the whole sentence, calls before finishing)."""
        state = numerals.Style(self.language, rng)
        text, meanings = self.expand(("symbol", "sentence"), rng, state)
        return text, meanings

    def pick(self, options, rng):
        key = id(options)
        if key not in self.totals:
            self.totals[key] = ([tree for _, tree in options], [weight for weight, _ in options])
        trees, weights = self.totals[key]
        return rng.choices(trees, weights)[0] if len(trees) > 1 else trees[0]

    def expand(self, tree, rng, style):
        kind = tree[0]
        if kind == "text":
            return tree[1], []
        if kind == "sequence":
            texts, meanings = [], []
            for part in tree[1]:
                text, inner = self.expand(part, rng, style)
                texts.append(text)
                meanings += inner
            return "".join(texts), meanings
        if kind == "choice":
            return self.expand(self.pick(tree[1], rng), rng, style)
        if kind == "meaning":
            return "", list(tree[1])
        if kind == "number":
            value, text = style.number(rng.choice(tree[2]), tree[3])
            return text, [(tree[1], value)]
        if kind == "capture":
            text, _ = self.expand(("symbol", tree[2]), rng, style)
            return text, [(tree[1], meaning.tidy(text, self.language))]
        name = tree[1]
        if name.startswith("~"):
            return numerals.made_up(name[1:], rng), []
        text, meanings = self.expand(self.pick(self.symbols[name], rng), rng, style)
        if name in self.tools:
            meanings = [("call", (self.tools[name], meanings))]
        return text, meanings
