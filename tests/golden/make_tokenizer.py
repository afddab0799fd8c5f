"""A small byte-level BPE with Qwen's normaliser, pre-tokenizer and added tokens, trained on our own sentences."""

import gzip
import json
import pathlib
import random
import unicodedata

from texts import GROUPS, TRAINING
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).resolve().parent
MERGES = 400
HEAD = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?"
TAIL = r"|\p{N}| ?[^\s%s\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = HEAD + r"\p{L}+" + TAIL % r"\p{L}"
QWEN35 = HEAD + r"[\p{L}\p{M}]+" + TAIL % r"\p{L}\p{M}"

CONTROL = """<|endoftext|> <|im_start|> <|im_end|> <|object_ref_start|> <|object_ref_end|> <|box_start|> <|box_end|>
<|quad_start|> <|quad_end|> <|vision_start|> <|vision_end|> <|vision_pad|> <|image_pad|> <|video_pad|>""".split()
MARKUP = """<tool_call> </tool_call> <|fim_prefix|> <|fim_middle|> <|fim_suffix|> <|fim_pad|> <|repo_name|> <|file_sep|>
<tool_response> </tool_response> <think> </think>""".split()


def empty(model: models.BPE, pattern: str, nfc: bool = True) -> Tokenizer:
    tokenizer = Tokenizer(model)
    if nfc:
        tokenizer.normalizer = normalizers.NFC()
    options = dict(add_prefix_space=False, trim_offsets=False, use_regex=False)
    split = pre_tokenizers.Split(Regex(pattern), behavior="isolated", invert=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(**options)])
    tokenizer.decoder = decoders.ByteLevel(**options)
    tokenizer.post_processor = processors.ByteLevel(**options)
    return tokenizer


def trained() -> tuple[dict[str, int], list[tuple[str, str]]]:
    tokenizer = empty(models.BPE(), QWEN35)  # so that some merges join a letter and its mark: QWEN2 cannot use them
    trainer = trainers.BpeTrainer(
        vocab_size=256 + MERGES, min_frequency=2, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(TRAINING * 2, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    return model["vocab"], [tuple(pair) for pair in model["merges"]]


def build(vocab, merges, pattern: str, added: bool, nfc: bool = True) -> Tokenizer:
    model = models.BPE(vocab=vocab, merges=merges, continuing_subword_prefix="", end_of_word_suffix="")
    tokenizer = empty(model, pattern, nfc)
    if added:
        tokenizer.add_tokens([AddedToken(text, special=text in CONTROL, normalized=False) for text in CONTROL + MARKUP])
    return tokenizer


def random_texts(rng: random.Random) -> list[str]:
    pool = [text for group in GROUPS.values() for text in group if text]
    spaces = [" ", "  ", "\n", "\n\n", "\r\n", "\t", "\u3000", "\u00a0", "\r"]
    ranges = [(0x20, 0x7E), (0xA0, 0x24F), (0x300, 0x36F), (0x370, 0x6FF), (0x900, 0xE7F), (0x1E00, 0x2BFF), (0x3000, 0x9FFF), (0xAC00, 0xD7A3), (0xF900, 0xFFEF), (0x1F300, 0x1FAFF), (0x20000, 0x2A6DF)]  # fmt: skip
    texts = []
    for _ in range(60):
        texts.append("".join(rng.choice(spaces) if rng.random() < 0.6 else rng.choice(["a", "灯", "1", "!", "'s", "é"]) for _ in range(rng.randint(2, 10))))
    for _ in range(90):
        parts = [text[(start := rng.randrange(len(text))) : start + rng.randint(1, 16)] for text in rng.choices(pool, k=rng.randint(2, 4))]
        texts.append(rng.choice(["", " ", "\n"]).join(parts))
    for _ in range(60):
        texts.append("".join(chr(rng.randint(*rng.choice(ranges))) for _ in range(rng.randint(2, 12))))
    for unit in ["a", " a", "的", "燈", "!", "0", "ab", " ", "\n", "😀", "e\u0301"]:
        texts += [unit * count for count in (2, 17, 90)]
    return texts


def byte_of() -> dict[str, int]:
    kept = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    moved = [byte for byte in range(256) if byte not in kept]
    return {chr(b): b for b in kept} | {chr(0x100 + i): b for i, b in enumerate(moved)}


def decode_rows(tokenizer: Tokenizer, vocab: dict[str, int], rng: random.Random) -> list[dict]:
    table = byte_of()
    raw = {index: bytes(table[c] for c in token) for token, index in vocab.items()}
    raw |= {tokenizer.token_to_id(text): text.encode() for text in CONTROL + MARKUP}
    lists = []
    for group in ("chinese", "pictures", "other", "control"):
        for text in GROUPS[group][:6]:
            ids = tokenizer.encode(text, add_special_tokens=False).ids
            lists += [ids[:cut] for cut in sorted({len(ids), (len(ids) + 1) // 2, max(1, len(ids) - 1)})]
    lists += [[rng.randrange(len(raw)) for _ in range(rng.randint(1, 9))] for _ in range(40)]
    high = [index for index, data in raw.items() if len(data) == 1 and data[0] >= 0x80]
    lists += [[rng.choice(high) for _ in range(rng.randint(1, 5))] for _ in range(20)]
    return [
        {
            "ids": ids,
            "bytes_hex": b"".join(raw[index] for index in ids).hex(),
            "text": tokenizer.decode(ids, skip_special_tokens=False),
            "text_skip_special": tokenizer.decode(ids, skip_special_tokens=True),
        }
        for ids in lists
    ]


def write_lines(path: pathlib.Path, rows: list[dict]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def make() -> None:
    folder = HERE / "tokenizer"
    folder.mkdir(exist_ok=True)
    vocab, merges = trained()
    tokenizer = build(vocab, merges, QWEN2, added=True)
    plain = build(vocab, merges, QWEN2, added=False)
    plain35 = build(vocab, merges, QWEN35, added=False)
    without_nfc = build(vocab, merges, QWEN2, added=False, nfc=False)
    (folder / "tokenizer.json.gz").write_bytes(gzip.compress(tokenizer.to_str().encode(), mtime=0))
    rows = []
    groups = GROUPS | {"training": TRAINING, "random": random_texts(random.Random(5))}
    for group, text in ((group, text) for group, texts in groups.items() for text in texts):
        ids = {key: t.encode(text, add_special_tokens=False).ids for key, t in (("ids", tokenizer), ("plain", plain), ("qwen35", plain35), ("raw", without_nfc))}
        row = {"group": group, "text": text, "ids": ids["ids"]}
        if ids["plain"] != ids["ids"]:
            row["ids_plain"] = ids["plain"]
        if ids["qwen35"] != ids["plain"]:
            row["ids_plain_qwen35"] = ids["qwen35"]
        if ids["raw"] != ids["plain"]:
            row["ids_plain_without_nfc"] = ids["raw"]
        rows.append(row)
    write_lines(folder / "cases.jsonl", rows)
    write_lines(folder / "decode.jsonl", decode_rows(tokenizer, vocab, random.Random(6)))
    summary = {
        "cases": len(rows),
        "cases_changed_by_nfc": sum(unicodedata.normalize("NFC", row["text"]) != row["text"] for row in rows),
        "cases_where_plain_differs": sum("ids_plain" in row for row in rows),
        "cases_where_qwen35_pattern_differs": sum("ids_plain_qwen35" in row for row in rows),
        "cases_where_skipping_nfc_changes_ids": sum("ids_plain_without_nfc" in row for row in rows),
        "pattern_qwen2": QWEN2,
        "pattern_qwen35": QWEN35,
        "vocabulary": len(vocab),
        "merges": len(merges),
        "first_added": tokenizer.token_to_id(CONTROL[0]),
    }
    (folder / "summary.json").write_text(json.dumps(summary, indent=1) + "\n")
    print("tokenizer", {key: value for key, value in summary.items() if "pattern_q" not in key})
