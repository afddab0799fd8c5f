"""Trains the byte-level BPE vocabulary on generated sentences, with Qwen's pre-tokenizer and NFC.

Two rules keep copied names intact. A Han character is never merged with its neighbour, so a label has the same
tokens in the request and in the answer wherever its borders fall; and a space is never merged into an English
word, so "pasta" after a space and "pasta" after a quote are one token. Both come from what the trainer is shown,
not from a special tokenizer: any Qwen tokenizer reads the result.
"""

import collections
import json

import regex
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

# Qwen2's pattern, as published with every Qwen3 tokenizer.
PATTERN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
           r"|\s*[\r\n]+|\s+(?!\S)|\s+")
CONTROL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
MARKS = ["<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>", "<think>", "</think>"]
HAN = regex.compile(r"\p{Han}")


def pieces(text):
    """What may be merged: words without their space, single Han characters, runs of marks."""
    for word in regex.findall(PATTERN, text):
        start = 0
        for han in HAN.finditer(word):
            yield word[start:han.start()]
            yield han.group()
            start = han.end()
        rest = word[start:]
        yield rest[1:] if rest[:1] == " " and rest[1:2].isalpha() else rest


def train(rows, size):
    """rows: dicts with text and answer; size: all tokens, the added ones included."""
    counts = collections.Counter()
    for row in rows:
        answer = regex.split("|".join(map(regex.escape, MARKS)), row["answer"])
        for text in ["user\n", row["text"], "assistant\n", *answer]:
            counts.update(piece for piece in pieces(text) if piece)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(PATTERN), behavior="isolated", invert=False),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=size - len(CONTROL) - len(MARKS), show_progress=False,
                                  initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.train_from_iterator(
        (piece for piece, count in sorted(counts.items()) for _ in range(count)), trainer)
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in CONTROL])
    tokenizer.add_tokens([AddedToken(token, special=False) for token in MARKS])
    found = tokenizer.get_vocab_size()
    if found != size:
        raise SystemExit(f"the vocabulary has {found} tokens, wanted {size}: give it more sentences")
    return tokenizer


def bpe_only(tokenizer):
    """The same tokenizer that recognises no added token: for text from a person."""
    data = json.loads(tokenizer.to_str())
    data["added_tokens"] = []
    return Tokenizer.from_str(json.dumps(data))


class Coder:
    """Sentences to ids in the plain rendering of the chat template, and back."""

    def __init__(self, tokenizer):
        self.tokenizer, self.plain = tokenizer, bpe_only(tokenizer)
        self.start, self.end = (tokenizer.token_to_id(t) for t in ("<|im_start|>", "<|im_end|>"))
        self.head = [self.start] + self.ids("user\n")
        self.tail = [self.end] + self.ids("\n") + [self.start] + self.ids("assistant\n")
        self.between = self.ids("\n")

    def ids(self, text):
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def prompt(self, text):
        return self.head + self.plain.encode(text, add_special_tokens=False).ids + self.tail

    def answer(self, text):
        return self.ids(text) + [self.end]

    def decode(self, ids):
        return self.tokenizer.decode([i for i in ids if i != self.end], skip_special_tokens=False)
