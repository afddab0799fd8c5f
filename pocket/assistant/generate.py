#!/usr/bin/env python3
"""Sentences and their calls, sampled from the grammar: an endless seeded stream, split once by hash.

    generate.py --count 20 --seed 1 [--lang yue]          look at what the grammar says
    generate.py --heldout 1500 --out heldout.jsonl        the part that is never trained on

A sentence belongs to the held-out part when the hash of its language and text says so, so the same sentence can
never be on both sides. Sentences of the development set are recognised by hash (excluded.txt) and dropped.
"""

import argparse
import hashlib
import json
import pathlib
import random
import re
import unicodedata

import grammar
import meaning

HERE = pathlib.Path(__file__).resolve().parent
LANGUAGES = ("cmn", "yue", "eng")
HELD_OUT_SHARE = 50          # one sentence in so many
ZH_MARKS = "，。？！、"
TYPO_SHARE = {"cmn": 0.03, "yue": 0.08, "eng": 0.04}
HESITANT_SHARE = 0.03
REPEATED = {"cmn": "把给我这那就要帮在请", "yue": "將畀我呢嗰就要幫喺唔同",
            "eng": ("the", "to", "a", "and", "can", "you", "I", "in", "my", "please", "for", "turn", "set")}
OUTER = " ，。？！、,.?!:：;；"


def load_catalogue():
    tools = json.loads((HERE / "catalogue.json").read_text(encoding="utf-8"))
    return {tool["function"]["name"]: tool["function"]["parameters"] for tool in tools}


def digest(language, text):
    """Independent of case, spaces and punctuation, so that a near copy falls on the same side."""
    text = unicodedata.normalize("NFKC", text).casefold()
    text = "".join(c for c in text if not c.isspace() and unicodedata.category(c)[0] != "P")
    return hashlib.sha256(f"{language}\n{text}".encode()).hexdigest()


class Generator:
    def __init__(self, seed):
        self.catalogue = load_catalogue()
        self.rng = random.Random(seed)
        self.grammars = {language: grammar.Grammar(language, sorted((HERE / "grammar" / language).glob("*.txt")),
                                                 self.catalogue)
                         for language in LANGUAGES}
        self.excluded = set((HERE / "excluded.txt").read_text().split())
        pairs = [line.split() for line in (HERE / "grammar" / "simplified.txt").read_text("utf-8").splitlines()
                 if line and not line.startswith("#")]
        self.to_simplified = str.maketrans({a: b for a, b in pairs})
        self.typos = {language: {} for language in LANGUAGES}
        for line in (HERE / "grammar" / "typos.txt").read_text("utf-8").splitlines():
            if line and not line.startswith("#"):
                language, right, wrong = line.split()
                self.typos[language].setdefault(right, []).append(wrong)

    def sample(self, language=None):
        """A dict of id-less sentence fields, plus `answer` and `held_out`; None when a draw is not usable."""
        language = language or self.rng.choice(LANGUAGES)
        source = self.grammars[language]
        text, meanings = source.sentence(self.rng)
        shared = meaning.collect([m for m in meanings if m[0] != "call"])
        calls = []
        for key, value in meanings:
            if key == "call":
                finished = meaning.finish(value[0], value[1], self.catalogue, shared)
                if finished is None:
                    return None
                calls += finished
        change = self.surface(language)
        text = change(meaning.tidy(text, language), False)
        for call in calls:
            properties = self.catalogue[call["name"]]["properties"]
            for name in call["arguments"]:
                if properties[name].get("copied"):
                    copied = call["arguments"][name] = change(call["arguments"][name], True).strip(OUTER)
                    if not copied or copied not in text:
                        return None
        if self.rng.random() < TYPO_SHARE[language]:
            text = self.misspelt(language, text, calls)
        if self.rng.random() < HESITANT_SHARE:
            text = self.hesitant(language, text, calls)
        reply = "" if calls else source.replies[shared["reply"]]
        key = digest(language, text)
        if not text or key[:16] in self.excluded:
            return None
        return {"lang": language, "text": text, "calls": calls, "answer": meaning.answer(calls, reply),
                "held_out": int(key[:8], 16) % HELD_OUT_SHARE == 0}

    @staticmethod
    def copied(text, calls):
        """Where the words stand that a call copies: a slip there would change the answer."""
        return [range(text.find(value), text.find(value) + len(value)) for call in calls
                for value in call["arguments"].values() if isinstance(value, str) and value in text]

    def hesitant(self, language, text, calls):
        """The text with a filler in the middle, or a small word said twice, outside of what is copied."""
        kept = self.copied(text, calls)
        if language == "eng":
            places = [(space.start(), text[space.end():].split(" ")[0]) for space in re.finditer(" ", text)]
            glue = " "
        else:
            places = [(i, text[i]) for i in range(1, len(text)) if "\u4e00" <= text[i - 1] and "\u4e00" <= text[i]]
            glue = ""
        places = [(i, word) for i, word in places if not any(part[0] < i + len(glue) <= part[-1] for part in kept if part)]
        if not places:
            return text
        filler, _ = self.grammars[language].expand(("symbol", "hesitation"), self.rng, None)
        repeated = [place for place in places if place[1] in REPEATED[language]]
        at, word = self.rng.choice(repeated if repeated and self.rng.random() < 0.4 else places)
        hesitant = text[:at] + glue + (word if (at, word) in repeated and self.rng.random() < 0.7 else filler) + text[at:]
        return hesitant if all(text[part[0]:part[-1] + 1] in hesitant for part in kept if part) else text

    def misspelt(self, language, text, calls):
        """The text with one slip outside of the words that are copied."""
        kept = self.copied(text, calls)
        free = [i for i in range(len(text)) if not any(i in part for part in kept)]
        if language == "eng":
            inner = [i for i in free if i and i + 1 in free and all(c.isalpha() for c in text[i - 1:i + 2])]
            if not inner:
                return text
            i = self.rng.choice(inner)
            slip = self.rng.choice(("", text[i] * 2, text[i + 1] + text[i]))
            return text[:i] + slip + text[i + (2 if len(slip) == 2 and slip[0] != slip[1] else 1):]
        known = [i for i in free if text[i] in self.typos[language]]
        if not known:
            return text
        i = self.rng.choice(known)
        return text[:i] + self.rng.choice(self.typos[language][text[i]]) + text[i + 1:]

    def surface(self, language):
        """How this speaker or recognizer writes: one function for the sentence and for what is copied from it."""
        rng = self.rng
        if language == "eng":
            return self.english_surface()
        bare = rng.random() < 0.35
        spaced = bare and rng.random() < 0.25
        ending = rng.choice("。。。？！.") if rng.random() < 0.15 else ""
        simplified = language == "yue" and rng.random() < 0.2
        lower = rng.random() < 0.2

        def change(text, part):
            if simplified:
                text = text.translate(self.to_simplified)
            if bare:
                text = re.sub(f"[{ZH_MARKS}]", " " if spaced else "", text).strip()
            if lower:
                text = text.lower()
            return text if part else text + ending
        return change

    def english_surface(self):
        rng = self.rng
        case = rng.choice(("lower", "lower", "first", "first", "as is"))
        bare = rng.random() < 0.4
        ending = rng.choice("...!?") if not bare and rng.random() < 0.35 else ""
        apostrophe = rng.choice(("'", "'", "'", "'", "’", ""))

        def change(text, part):
            if bare:
                text = re.sub(r"(?<!\.[a-z])[,.?!](?=\s|$)", "", text)
            if case == "lower":
                text = text.lower()
            text = text.replace("'", apostrophe)
            if not part:
                text = text[:1].upper() + text[1:] if case == "first" else text
                text += "" if text[-1:] in ".?!" else ending
            return text
        return change

    def stream(self, held_out):
        while True:
            row = self.sample()
            if row and row["held_out"] == held_out:
                yield row


def held_out_set(count, seed):
    """`count` different sentences, a third in each language."""
    generator, seen, rows = Generator(seed), set(), []
    wanted = {language: count // 3 + (count % 3 > i) for i, language in enumerate(LANGUAGES)}
    for row in generator.stream(held_out=True):
        key = digest(row["lang"], row["text"])
        if key in seen or not wanted[row["lang"]]:
            continue
        seen.add(key)
        wanted[row["lang"]] -= 1
        rows.append(row)
        if not any(wanted.values()):
            break
    rows.sort(key=lambda row: LANGUAGES.index(row["lang"]))
    return [{"id": f"heldout-{i:04d}", "lang": r["lang"], "text": r["text"], "calls": r["calls"]}
            for i, r in enumerate(rows, 1)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lang", choices=LANGUAGES)
    parser.add_argument("--heldout", type=int)
    parser.add_argument("--out", type=pathlib.Path)
    options = parser.parse_args()
    if options.heldout:
        rows = held_out_set(options.heldout, options.seed)
    else:
        generator = Generator(options.seed)
        rows = []
        while len(rows) < options.count:
            row = generator.sample(options.lang)
            if row:
                rows.append({"lang": row["lang"], "text": row["text"], "answer": row["answer"]})
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    if options.out:
        options.out.write_text(text, encoding="utf-8")
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
