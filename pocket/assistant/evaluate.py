#!/usr/bin/env python3
"""Measures assistant.gguf as shipped: everything is read back from the file, matrices are the dequantised Q8_0.

    evaluate.py --set heldout.jsonl --program ../../build/release/bin/inkstone [--errors] [--predictions out.jsonl]
    evaluate.py --set heldout.jsonl
    evaluate.py --text "把客厅的灯调暗一点"

With --program the built program answers, held to the catalogue as people get it: these are the card's figures. Without it the
same weights run here, greedy in float32 and free to write anything. exact: all calls right, names and every argument, in order; for a line without
calls: none was made.
"""

import argparse
import collections
import json
import pathlib
import re
import subprocess
import tempfile

import gguf
import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

import export
import model
import vocabulary

HERE = pathlib.Path(__file__).resolve().parent
CALL = re.compile(r"<tool_call>\n(.*?)\n</tool_call>", re.S)


def open_gguf(path):
    """The network and the tokenizer, both from the GGUF file alone."""
    reader = gguf.GGUFReader(path)
    field = {name: f.contents() for name, f in reader.fields.items() if not name.startswith("GGUF.")}
    get = lambda key: field[f"qwen3.{key}"]
    config = model.Config(
        vocab=len(field["tokenizer.ggml.tokens"]), hidden=get("embedding_length"), layers=get("block_count"),
        heads=get("attention.head_count"), kv_heads=get("attention.head_count_kv"),
        head_dim=get("attention.key_length"), ffn=get("feed_forward_length"),
        eps=get("attention.layer_norm_rms_epsilon"), rope_base=get("rope.freq_base"), context=get("context_length"))
    net = model.Qwen3(config)
    tensors = {t.name: gguf.quants.dequantize(t.data, t.tensor_type) for t in reader.tensors}
    with torch.no_grad():
        for name, weight in net.named_parameters():
            weight.copy_(torch.from_numpy(tensors.pop(export.tensor_name(name)).copy()).view_as(weight))
    if tensors:
        raise SystemExit(f"{path}: tensors that no one asked for: {sorted(tensors)}")
    return net.eval(), tokenizer_of(field)


def tokenizer_of(field):
    tokens, kinds = field["tokenizer.ggml.tokens"], field["tokenizer.ggml.token_type"]
    vocab = {t: i for i, (t, k) in enumerate(zip(tokens, kinds)) if k == gguf.TokenType.NORMAL}
    merges = [tuple(m.split(" ", 1)) for m in field["tokenizer.ggml.merges"]]
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=merges))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(vocabulary.PATTERN), behavior="isolated", invert=False),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    for token, kind in zip(tokens, kinds):
        if kind != gguf.TokenType.NORMAL:
            special = kind == gguf.TokenType.CONTROL
            (tokenizer.add_special_tokens if special else tokenizer.add_tokens)([AddedToken(token, special=special)])
    return tokenizer


@torch.no_grad()
def generate(net, coder, texts, limit=200, rows=64):
    """Greedy answers, in the order of the texts."""
    prompts = [coder.prompt(text) for text in texts]
    order = sorted(range(len(texts)), key=lambda i: len(prompts[i]))
    answers = [None] * len(texts)
    for first in range(0, len(order), rows):
        group = order[first:first + rows]
        for i, ids in zip(group, decode_group(net, coder, [prompts[i] for i in group], limit)):
            answers[i] = coder.decode(ids)
    return answers


def decode_group(net, coder, prompts, limit):
    """Shorter prompts are padded at the left and the padding is masked: the rotary sees differences only."""
    length = max(map(len, prompts))
    padding = torch.tensor([length - len(prompt) for prompt in prompts])
    ids = torch.tensor([[coder.end] * (length - len(prompt)) + prompt for prompt in prompts])
    limit = min(limit, net.config.context - length)
    real = (torch.arange(length + limit) >= padding[:, None])[:, None, None, :]
    causal = torch.ones(length, length, dtype=torch.bool).tril()
    mask = (real[..., :length] & causal) | torch.eye(length, dtype=torch.bool)
    caches, at, rows = [{} for _ in net.layers], 0, [[] for _ in prompts]
    done = torch.zeros(len(prompts), dtype=torch.bool)
    for _ in range(limit):
        best = net.logits(net(ids, caches, at, mask)[:, -1]).argmax(-1)
        at += ids.shape[1]
        for row, token in enumerate(best.tolist()):
            if not done[row]:
                rows[row].append(token)
        done |= best == coder.end
        if done.all():
            break
        ids, mask = best[:, None], real[..., :at + 1]
    return rows


def calls_of(answer):
    """The calls of an answer; None when a call does not parse."""
    try:
        return [json.loads(text) for text in CALL.findall(answer)]
    except json.JSONDecodeError:
        return None


def answered_by(program, model_path, rows, threads):
    """The calls that the built program proposes; nothing is done."""
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as lines:
        lines.writelines(json.dumps({"id": row["id"], "text": row["text"]}, ensure_ascii=False) + "\n" for row in rows)
        lines.flush()
        done = subprocess.run([program, "ask", "--json", "--batch", lines.name, "-m", model_path, "--plain",
                               "-t", str(threads)],
                              stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line)["calls"] for line in done.stdout.splitlines()]


def report(rows, predicted, answers, show_errors):
    right, total = collections.Counter(), collections.Counter()
    for row, calls, answer in zip(rows, predicted, answers):
        kinds = [row["lang"], "all"] + sorted({call["name"] for call in row["calls"]} or {"no call"})
        for kind in kinds:
            total[kind] += 1
            right[kind] += calls == row["calls"]
        if show_errors and calls != row["calls"]:
            print(f"{row['id']} {row['text']}\n  wanted {json.dumps(row['calls'], ensure_ascii=False)}\n  got    {answer!r}")
    for kind in total:
        print(f"{kind:14} {right[kind]:5}/{total[kind]:<5} {100 * right[kind] / total[kind]:6.2f} %")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=pathlib.Path, default=HERE / "assistant.gguf")
    parser.add_argument("--set", type=pathlib.Path)
    parser.add_argument("--text")
    parser.add_argument("--errors", action="store_true")
    parser.add_argument("--only", help="comma-separated tools: lines that expect another tool are left out")
    parser.add_argument("--predictions", type=pathlib.Path)
    parser.add_argument("--program", type=pathlib.Path)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.text:
        net, tokenizer = open_gguf(options.model)
        print(generate(net, vocabulary.Coder(tokenizer), [options.text])[0])
        return
    rows = [json.loads(line) for line in options.set.read_text(encoding="utf-8").splitlines()]
    if options.only:
        tools = set(options.only.split(","))
        rows = [row for row in rows if all(call["name"] in tools for call in row["calls"])]
    if options.program:
        predicted = answers = answered_by(options.program, options.model, rows, options.threads)
    else:
        net, tokenizer = open_gguf(options.model)
        answers = generate(net, vocabulary.Coder(tokenizer), [row["text"] for row in rows])
        predicted = [calls_of(answer) for answer in answers]
    report(rows, predicted, answers, options.errors)
    if options.predictions:
        options.predictions.write_text("".join(
            json.dumps({"id": row["id"], "calls": calls or []}, ensure_ascii=False) + "\n"
            for row, calls in zip(rows, predicted)), encoding="utf-8")


if __name__ == "__main__":
    main()
