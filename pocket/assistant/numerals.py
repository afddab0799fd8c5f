"""How numbers are spelled in the three languages, and words that no list holds.

A sentence keeps one style (digits or words) most of the time, as a speaker or a recognizer does. The made-up
words are there so that the model learns to copy a name it has never seen instead of guessing a known one.
"""

DIGITS = "零一二三四五六七八九"
ONES = ("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen").split()
TENS = "zero ten twenty thirty forty fifty sixty seventy eighty ninety".split()


def chinese(value, rng, cantonese=False):
    if value < 10:
        return DIGITS[value]
    for unit, name in ((10000, "万"), (1000, "千"), (100, "百")):
        if value >= unit:
            count, rest = divmod(value, unit)
            head = chinese(count, rng) + ("萬" if cantonese and name == "万" else name)
            gap = "零" if rest < unit // 10 else "一" if 10 <= rest < 20 else ""
            return head + (gap + chinese(rest, rng, cantonese) if rest else "")
    tens, ones = divmod(value, 10)
    if cantonese and tens == 2 and ones and rng.random() < 0.35:
        return "廿" + DIGITS[ones]
    return ("" if tens == 1 else DIGITS[tens]) + "十" + (DIGITS[ones] if ones else "")


def english(value, rng):
    if value < 20:
        return ONES[value]
    if value >= 1000:
        rest = value % 1000
        head = english(value // 1000, rng) + " thousand"
        return head + ((" and " if rest < 100 else " ") + english(rest, rng) if rest else "")
    if value >= 100:
        rest = value % 100
        head = rng.choice(("a", "one")) if value < 200 else ONES[value // 100]
        return head + " hundred" + (f" and {english(rest, rng)}" if rest else "")
    tens, ones = divmod(value, 10)
    return TENS[tens] + (rng.choice(("-", "-", " ")) + ONES[ones] if ones else "")


class Style:
    """How one speaker says the numbers of one sentence."""

    def __init__(self, language, rng):
        self.language, self.rng = language, rng
        self.words = rng.random() < (0.6 if language != "eng" else 0.5)

    def number(self, value, form):
        """(value, how it is said). `dec`: with one or two decimals added."""
        if form != "dec":
            return value, self.spell(value, form)
        part = self.rng.choice(("5", "5", "25", "75", str(self.rng.randint(1, 9)), f"{self.rng.randint(1, 99):02d}"))
        said = self.spell(value, None)
        if said.isascii() and said.isdigit():
            return f"{value}.{part}", f"{said}.{part}"
        if self.language == "eng":
            return f"{value}.{part}", f"{said} point " + " ".join(ONES[int(d)] for d in part)
        point = "点" if self.language == "cmn" else "點"
        return f"{value}.{part}", said + point + "".join(DIGITS[int(d)] for d in part)

    def spell(self, value, form):
        """form: None; 'two' (2 before a measure word is 两/兩); 'pad' (two digits); 'digit'; 'word'."""
        words = self.words if self.rng.random() > 0.08 else not self.words
        if form == "word":
            words = True
        if form in ("digit", "pad") or not words:
            return f"{value:02d}" if form == "pad" else str(value)
        if self.language == "eng":
            return english(value, self.rng)
        if value == 2 and form == "two":
            return "两" if self.language == "cmn" else "兩"
        if value < 10 and form == "zero":
            return "零" + DIGITS[value]
        return chinese(value, self.rng, self.language == "yue")


def han(codec, first, last):
    """The characters of one level of a national character set: the common ones, in no particular order."""
    found = []
    for high in range(first, last + 1):
        for low in range(0x40, 0xFF):
            try:
                char = bytes((high, low)).decode(codec)
            except UnicodeDecodeError:
                continue
            if "\u4e00" <= char <= "\u9fff":
                found.append(char)
    return found


SIMPLIFIED = han("gb2312", 0xB0, 0xD7)
TRADITIONAL = han("big5", 0xA4, 0xC6)
ONSETS = "b br c ch cl d dr f fl g gr h j k kl l m n p pl pr qu r s sh sl st t th tr v w y z".split()
NUCLEI = "a e i o u ai ea ee oa oo ou ie".split()
CODAS = ["", "", "", "n", "m", "r", "l", "t", "ck", "st", "nd", "s", "sh", "p", "ng", "x"]


def made_up(kind, rng):
    """kind: hans, hant (2-4 characters) or word (an English-looking word)."""
    if kind in ("hans", "hant"):
        source = SIMPLIFIED if kind == "hans" else TRADITIONAL
        return "".join(rng.choice(source) for _ in range(rng.choice((1, 2, 2, 2, 3, 3, 4))))
    if kind == "word":
        return "".join(rng.choice(ONSETS) + rng.choice(NUCLEI) + rng.choice(CODAS)
                       for _ in range(rng.choice((1, 2, 2, 3))))
    raise ValueError(f"no made-up words of kind {kind}")
