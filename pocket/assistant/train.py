#!/usr/bin/env python3
"""Trains the pocket model on the endless stream of generate.py. Seeded; one pass, nothing is seen twice on purpose.

Sentences are packed into rows of fixed length, each attending only to itself; some rows are left as one
conversation, so that the model also answers the last turn of a chat. Loss is taken on the assistant's tokens.
Matrices are trained with Muon (orthogonalised momentum), embeddings and norms with Adam. A running average of the
weights is kept beside them: it is what a checkpoint in the middle of the run is worth.

One process of one thread per core, each with its own sentences; gradients are averaged every step. Threads inside a
process were four times slower as soon as anything else ran on the machine: they spin at every small product.
"""

import argparse
import math
import os
import pathlib
import time

import torch
import torch.distributed as dist
import torch.multiprocessing
import torch.nn.functional as F
from tokenizers import Tokenizer

import generate
import model
import vocabulary

IGNORE = -100


class Packer:
    """Rows of `length` ids with their targets and the number of the conversation each token belongs to."""

    def __init__(self, coder, seed, rows, length, chat_share):
        self.coder, self.rows, self.length, self.chat_share = coder, rows, length, chat_share
        generator = generate.Generator(seed)
        self.rng = generator.rng
        self.stream = generator.stream(held_out=False)
        self.waiting = None
        self.sentences = 0

    def next_sentence(self):
        if self.waiting is None:
            row = next(self.stream)
            prompt, answer = self.coder.prompt(row["text"]), self.coder.answer(row["answer"])
            self.waiting = (prompt + answer, [IGNORE] * (len(prompt) - 1) + answer + [IGNORE])
        return self.waiting

    def batch(self):
        ids = torch.zeros(self.rows, self.length, dtype=torch.long)
        targets = torch.full((self.rows, self.length), IGNORE)
        owner = torch.arange(self.length).repeat(self.rows, 1) + 1000      # padding sees itself only
        for row in range(self.rows):
            chat = self.rng.random() < self.chat_share
            at = number = 0
            while True:
                tokens, wanted = self.next_sentence()
                gap = self.coder.between if chat and at else []
                if at + len(gap) + len(tokens) > self.length:
                    if at == 0:
                        self.waiting = None           # longer than a row: dropped
                        continue
                    break
                stop = at + len(gap) + len(tokens)
                ids[row, at:stop] = torch.tensor(gap + tokens)
                targets[row, at + len(gap):stop] = torch.tensor(wanted)
                owner[row, at:stop] = 0 if chat else number
                at, number, self.waiting = stop, number + 1, None
                self.sentences += 1
        mask = (owner[:, None, :, None] == owner[:, None, None, :]) & torch.ones(
            self.length, self.length, dtype=torch.bool).tril()
        return ids, targets, mask


def answer_positions(targets, count):
    """Flat indices of the first `count` answer tokens, padded with an ignored one: a fixed shape for the compiler."""
    flat = targets.view(-1)
    where = (flat != IGNORE).nonzero()[:, 0][:count]
    padded = torch.zeros(count, dtype=torch.long)
    padded[:len(where)] = where
    wanted = torch.full((count,), IGNORE)
    wanted[:len(where)] = flat[where]
    return padded, wanted


def orthogonal(matrix, steps=5):
    """Newton-Schulz iteration towards the nearest semi-orthogonal matrix (Jordan et al., Muon)."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = matrix.bfloat16()
    flip = x.shape[0] > x.shape[1]
    x = x.T if flip else x
    x = x / (x.norm() + 1e-7)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return (x.T if flip else x).float()


class Muon:
    def __init__(self, weights, momentum=0.95, decay=0.02):
        self.weights, self.momentum, self.decay = list(weights), momentum, decay
        self.average = [torch.zeros_like(w) for w in self.weights]

    @torch.no_grad()
    def step(self, rate):
        """Each process updates its share of the matrices and gives them to the others."""
        for index, (weight, average) in enumerate(zip(self.weights, self.average)):
            average.lerp_(weight.grad, 1 - self.momentum)
            if index % dist.get_world_size() == dist.get_rank():
                update = orthogonal(weight.grad.lerp(average, self.momentum))
                scale = max(1.0, weight.shape[0] / weight.shape[1]) ** 0.5
                weight.mul_(1 - rate * self.decay).add_(update, alpha=-rate * scale)
        for owner in range(dist.get_world_size()):
            share(self.weights[owner::dist.get_world_size()], lambda flat, owner=owner: dist.broadcast(flat, owner))


@torch.no_grad()
def share(tensors, exchange):
    """One exchange between the processes for many tensors: as a single flat one."""
    flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
    exchange(flat)
    for tensor, part in zip(tensors, flat.split([tensor.numel() for tensor in tensors])):
        tensor.copy_(part.view_as(tensor))


def rate_at(progress):
    """The full rate, then a straight line down over the last half."""
    return min(1.0, (1.0 - progress) / 0.5)


def options_of_run():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--steps", type=int, default=2400)
    parser.add_argument("--minutes", type=float, default=1e9, help="finish the schedule early at this age")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in the work folder")
    parser.add_argument("--workers", type=int, default=2, help="processes; the rows of a step are divided among them")
    parser.add_argument("--rows", type=int, default=32)
    parser.add_argument("--length", type=int, default=192)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hidden", type=int, default=256)
    parser.add_argument("--layers", type=int, default=5)
    parser.add_argument("--heads", type=int, default=8)
    parser.add_argument("--ffn", type=int, default=640)
    parser.add_argument("--vocab", type=int, default=4096)
    parser.add_argument("--muon-rate", type=float, default=0.02)
    parser.add_argument("--adam-rate", type=float, default=0.004)
    parser.add_argument("--no-compile", action="store_true")
    return parser.parse_args()


def vocabulary_of(options):
    """The coder; its tokenizer is made when the work folder has none."""
    path = options.work / "tokenizer.json"
    if not path.exists():
        stream = generate.Generator(options.seed + 1000).stream(held_out=False)
        vocabulary.train([next(stream) for _ in range(120000)], options.vocab).save(str(path))
    return vocabulary.Coder(Tokenizer.from_file(str(path)))


def main():
    options = options_of_run()
    options.work.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(options.work.resolve() / "compiled"))
    vocabulary_of(options)
    meeting = options.work / "meeting"
    meeting.unlink(missing_ok=True)
    torch.multiprocessing.spawn(train, (options, meeting), nprocs=options.workers)


def train(rank, options, meeting):
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    dist.init_process_group("gloo", init_method=f"file://{meeting.resolve()}", rank=rank, world_size=options.workers)
    coder = vocabulary_of(options)
    config = model.Config(vocab=options.vocab, hidden=options.hidden, layers=options.layers, heads=options.heads,
                          ffn=options.ffn)
    net = model.Qwen3(config)
    weights = list(net.parameters())
    matrices = [w for n, w in net.named_parameters() if w.dim() == 2 and "embed" not in n]
    others = [w for n, w in net.named_parameters() if w.dim() != 2 or "embed" in n]
    muon = Muon(matrices)
    adam = torch.optim.AdamW(others, betas=(0.9, 0.98), weight_decay=0.0, fused=True)
    rows = options.rows // options.workers
    count = int(rows * options.length * 0.53)

    def loss_of(ids, mask, where, wanted):
        with torch.autocast("cpu", torch.bfloat16):
            hidden = net(ids, mask=mask).view(-1, config.hidden)[where]
            logits = net.logits(hidden)
        return F.cross_entropy(logits.float(), wanted, ignore_index=IGNORE)

    step_loss = loss_of if options.no_compile else torch.compile(loss_of, dynamic=False)
    mean = {name: weight.detach().clone() for name, weight in net.state_dict().items()}
    run = {"config": vars(config), "weights": net.state_dict(), "mean": mean, "steps": 0, "sentences": 0, "minutes": 0.0}
    if options.resume:
        run = resume(options.work / "checkpoint.pt", net, mean, muon, adam)
    packer = Packer(coder, (options.seed + run["steps"]) * options.workers + rank, rows, options.length, chat_share=0.12)
    began, sentences, smooth = time.time() - 60 * run["minutes"], run["sentences"], None
    while True:
        progress = torch.tensor(max(run["steps"] / options.steps, (time.time() - began) / 60 / options.minutes))
        dist.broadcast(progress, 0)
        if progress >= 1:
            break
        ids, targets, mask = packer.batch()
        loss = step_loss(ids, mask, *answer_positions(targets, count))
        loss.backward()
        share([w.grad for w in weights], dist.all_reduce)
        for weight in weights:
            weight.grad.div_(options.workers)
        rate = rate_at(progress.item()) * min(1.0, (run["steps"] + 1) / 40)
        torch.nn.utils.clip_grad_norm_(others, 1.0)
        for group in adam.param_groups:
            group["lr"] = options.adam_rate * rate
        adam.step()
        muon.step(options.muon_rate * rate)
        net.zero_grad(set_to_none=True)
        run["steps"] += 1
        run["sentences"] = sentences + packer.sentences * options.workers
        run["minutes"] = (time.time() - began) / 60
        for name, weight in net.state_dict().items():
            mean[name].lerp_(weight, 1 / min(100, run["steps"] + 1))
        smooth = loss.item() if smooth is None else 0.95 * smooth + 0.05 * loss.item()
        if not math.isfinite(smooth):
            raise SystemExit(f"step {run['steps']}: the loss is {smooth}")
        if rank == 0:
            note(run, smooth, rate, options.work)
            if run["steps"] % 100 == 0:
                save(run, muon, adam, options.work / "checkpoint.pt")
    if rank == 0:
        save(run, muon, adam, options.work / "final.pt")
    dist.destroy_process_group()


def note(run, smooth, rate, work):
    """One line every 20 steps, on the screen and in train.log."""
    if run["steps"] % 20 == 0:
        line = (f"step {run['steps']} loss {smooth:.4f} rate {rate:.3f} sentences {run['sentences']} "
                f"minutes {run['minutes']:.2f}")
        print(line, flush=True)
        with (work / "train.log").open("a") as log:
            log.write(line + "\n")


def save(run, muon, adam, path):
    """Written beside and then renamed: a reader never meets half a file."""
    fresh = path.with_suffix(".new")
    torch.save({**run, "muon": muon.average, "adam": adam.state_dict()}, fresh)
    fresh.replace(path)


def resume(path, net, mean, muon, adam):
    saved = torch.load(path, weights_only=True)
    net.load_state_dict(saved["weights"])
    for name, weight in saved["mean"].items():
        mean[name].copy_(weight)
    for mine, average in zip(muon.average, saved["muon"]):
        mine.copy_(average)
    adam.load_state_dict(saved["adam"])
    return {**{key: saved[key] for key in ("config", "steps", "sentences", "minutes")},
            "weights": net.state_dict(), "mean": mean}


if __name__ == "__main__":
    main()
