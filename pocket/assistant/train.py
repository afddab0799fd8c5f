#!/usr/bin/env python3
"""Trains the pocket model on the endless stream of generate.py. Seeded; one pass, nothing is seen twice on purpose.

Sentences are packed into rows of fixed length, each attending only to itself; some rows are left as one
conversation, so that the model also answers the last turn of a chat. Loss is taken on the assistant's tokens.
Matrices are trained with Muon (orthogonalised momentum), embeddings and norms with Adam. A running average of the
weights is kept beside them: it is what a checkpoint in the middle of the run is worth.

With a GPU: one process trains, and --feeders processes make its sentences. Without one: a process of one thread per
core, each with its own sentences; gradients are averaged every step. (Threads inside a process were four times slower
as soon as anything else ran on the machine: they spin at every small product.) Products are in bfloat16 on a GPU alone:
processors without instructions for it are many times slower.

The rate falls by steps or by the clock, whichever is further: --minutes counts from the start of the program,
compiling included, and the last weights are written when it is over.
"""

import argparse
import math
import os
import pathlib
import time

import numpy as np
import torch
import torch.distributed as dist
import torch.multiprocessing
import torch.nn.functional as F
from tokenizers import Tokenizer

import generate
import model
import vocabulary

IGNORE = -100
ANSWER_SHARE = 0.58          # of a batch's tokens at most: the targets have a fixed shape, for the compiler
SAVE_EVERY_S = 600
BEGAN = time.time()


class Packer:
    """Rows of `length` ids, the number of the conversation that each token belongs to, and what is to be learnt."""

    def __init__(self, coder, seed, rows, length, chat_share=0.12):
        self.coder, self.rows, self.length, self.chat_share = coder, rows, length, chat_share
        generator = generate.Generator(seed)
        self.rng = generator.rng
        self.stream = generator.stream(held_out=False)
        self.waiting = None

    def next_sentence(self):
        if self.waiting is None:
            row = next(self.stream)
            prompt, answer = self.coder.prompt(row["text"]), self.coder.answer(row["answer"])
            self.waiting = (prompt + answer, [IGNORE] * (len(prompt) - 1) + answer + [IGNORE])
        return self.waiting

    def batch(self):
        """ids and owners [rows, length]; flat positions of answer tokens and the ids wanted there; sentences."""
        ids = np.zeros((self.rows, self.length), np.int32)
        targets = np.full((self.rows, self.length), IGNORE, np.int32)
        owner = np.tile(np.arange(self.length, dtype=np.int16) + 1000, (self.rows, 1))   # padding sees itself only
        sentences = 0
        for row in range(self.rows):
            chat = self.rng.random() < self.chat_share
            at = number = 0
            while True:
                tokens, wanted = self.next_sentence()
                gap = self.coder.between if chat and at else []
                stop = at + len(gap) + len(tokens)
                if stop > self.length:
                    if at == 0:
                        self.waiting = None           # longer than a row: dropped
                        continue
                    break
                ids[row, at:stop] = gap + tokens
                targets[row, at + len(gap):stop] = wanted
                owner[row, at:stop] = 0 if chat else number
                at, number, self.waiting = stop, number + 1, None
                sentences += 1
        return ids, owner, *answer_positions(targets, int(ids.size * ANSWER_SHARE)), sentences


def answer_positions(targets, count):
    """Flat indices of the first `count` answer tokens, padded with an ignored one, and their targets."""
    flat = targets.reshape(-1)
    where = np.flatnonzero(flat != IGNORE)[:count]
    padded, wanted = np.zeros(count, np.int32), np.full(count, IGNORE, np.int64)
    padded[:len(where)] = where
    wanted[:len(where)] = flat[where]
    return padded, wanted


class Batches(torch.utils.data.IterableDataset):
    """The packer's batches without end, from as many processes as the loader has."""

    def __init__(self, *packing):
        self.packing = packing

    def __iter__(self):
        torch.set_num_threads(1)
        coder, seed, rows, length = self.packing
        worker = torch.utils.data.get_worker_info()
        packer = Packer(coder, seed + (worker.id if worker else 0), rows, length)
        while True:
            yield packer.batch()


def as_it_is(batch):
    """Arrays travel from feeders through pipes: shared memory can be tiny inside a container."""
    return batch


def orthogonal(matrices, steps=5):
    """Newton-Schulz iteration towards the nearest semi-orthogonal matrices (Jordan et al., Muon): [n, rows, columns]."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = matrices.bfloat16() if matrices.is_cuda else matrices
    flip = x.shape[1] > x.shape[2]
    x = x.mT if flip else x
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return (x.mT if flip else x).float()


class Muon:
    """Matrices of one shape are updated together: few large products instead of many small ones."""

    def __init__(self, weights, momentum=0.95, decay=0.05):
        self.momentum, self.decay = momentum, decay
        shapes = {}
        for weight in weights:
            shapes.setdefault(weight.shape, []).append(weight)
        self.groups = list(shapes.values())
        self.average = [torch.zeros(len(group), *group[0].shape, device=group[0].device) for group in self.groups]

    @torch.no_grad()
    def step(self, rate):
        for group, average in zip(self.groups, self.average):
            gradient = torch.stack([weight.grad for weight in group])
            average.lerp_(gradient, 1 - self.momentum)
            update = orthogonal(gradient.lerp(average, self.momentum))
            scale = max(1.0, update.shape[1] / update.shape[2]) ** 0.5
            torch._foreach_mul_(group, 1 - rate * self.decay)
            torch._foreach_add_(group, list(update.unbind()), alpha=-rate * scale)


@torch.no_grad()
def average_gradients(weights, workers):
    """One exchange between the processes for all of them: as a single flat one."""
    if workers == 1:
        return
    gradients = [weight.grad for weight in weights]
    flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
    dist.all_reduce(flat)
    flat.div_(workers)
    for gradient, part in zip(gradients, flat.split([gradient.numel() for gradient in gradients])):
        gradient.copy_(part.view_as(gradient))


def rate_at(progress):
    """The full rate, then a straight line down over the last half."""
    return min(1.0, (1.0 - progress) / 0.5)


def options_of_run():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--steps", type=int, default=2400)
    parser.add_argument("--minutes", type=float, default=1e9, help="finish the schedule early at this age")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in the work folder")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--workers", type=int, default=2, help="without a GPU: processes that divide a step's rows")
    parser.add_argument("--feeders", type=int, default=0, help="processes that make sentences, for each that trains")
    parser.add_argument("--rows", type=int, default=32)
    parser.add_argument("--length", type=int, default=192)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hidden", type=int, default=384)
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--heads", type=int, default=12)
    parser.add_argument("--kv-heads", type=int, default=4)
    parser.add_argument("--ffn", type=int, default=1024)
    parser.add_argument("--vocab", type=int, default=4096)
    parser.add_argument("--muon-rate", type=float, default=0.02)
    parser.add_argument("--adam-rate", type=float, default=0.003)
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
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    vocabulary_of(options)
    if options.device == "cuda":
        options.workers = 1
    if options.workers == 1:
        train(0, options)
    else:
        (options.work / "meeting").unlink(missing_ok=True)
        torch.multiprocessing.spawn(train, (options,), nprocs=options.workers)


def batches_of(options, rank, steps):
    """What this process trains on; another beginning after each resumption."""
    seed = ((options.seed + steps) * options.workers + rank) * max(1, options.feeders)
    data = Batches(vocabulary_of(options), seed, options.rows // options.workers, options.length)
    return iter(torch.utils.data.DataLoader(data, batch_size=None, num_workers=options.feeders, collate_fn=as_it_is,
                                            prefetch_factor=8 if options.feeders else None))


def loss_function(net, options):
    causal = torch.ones(options.length, options.length, dtype=torch.bool, device=options.device).tril()

    def loss_of(ids, owner, where, wanted):
        mask = (owner[:, None, :, None] == owner[:, None, None, :]) & causal
        with torch.autocast(options.device, torch.bfloat16, enabled=options.device == "cuda"):
            hidden = net(ids.long(), mask=mask).view(-1, net.config.hidden)[where.long()]
            logits = net.logits(hidden)
        return F.cross_entropy(logits.float(), wanted, ignore_index=IGNORE)

    return loss_of if options.no_compile else torch.compile(loss_of, dynamic=False)


def train(rank, options):
    torch.manual_seed(options.seed)
    if options.device == "cpu":
        torch.set_num_threads(1)
    if options.workers > 1:
        dist.init_process_group("gloo", init_method=f"file://{(options.work / 'meeting').resolve()}", rank=rank,
                                world_size=options.workers)
    config = model.Config(vocab=options.vocab, hidden=options.hidden, layers=options.layers, heads=options.heads,
                          kv_heads=options.kv_heads, ffn=options.ffn)
    net = model.Qwen3(config).to(options.device)
    weights = list(net.parameters())
    matrices = [w for n, w in net.named_parameters() if w.dim() == 2 and "embed" not in n]
    others = [w for n, w in net.named_parameters() if w.dim() != 2 or "embed" in n]
    muon = Muon(matrices)
    adam = torch.optim.AdamW(others, betas=(0.9, 0.98), weight_decay=0.0, fused=True)
    mean = {name: weight.detach().clone() for name, weight in net.state_dict().items()}
    latest = list(net.state_dict().values())
    run = {"config": vars(config), "weights": net.state_dict(), "mean": mean, "steps": 0, "sentences": 0, "minutes": 0.0}
    if options.resume:
        run = resume(options.work / "checkpoint.pt", net, mean, muon, adam)
    batches, step_loss = batches_of(options, rank, run["steps"]), loss_function(net, options)
    began, saved, smooth = BEGAN - 60 * run["minutes"], time.time(), None
    while True:
        progress = torch.tensor(max(run["steps"] / options.steps, (time.time() - began) / 60 / options.minutes))
        if options.workers > 1:
            dist.broadcast(progress, 0)
        if progress >= 1:
            break
        *arrays, sentences = next(batches)
        loss = step_loss(*(torch.from_numpy(array).to(options.device, non_blocking=True) for array in arrays))
        loss.backward()
        average_gradients(weights, options.workers)
        rate = rate_at(progress.item()) * min(1.0, (run["steps"] + 1) / 40)
        torch.nn.utils.clip_grad_norm_(others, 1.0)
        for group in adam.param_groups:
            group["lr"] = options.adam_rate * rate
        adam.step()
        muon.step(options.muon_rate * rate)
        net.zero_grad(set_to_none=True)
        run["steps"] += 1
        run["sentences"] += sentences * options.workers
        run["minutes"] = (time.time() - began) / 60
        torch._foreach_lerp_(list(mean.values()), latest, 1 / min(100, run["steps"] + 1))
        smooth = loss.detach() if smooth is None else smooth.lerp(loss.detach(), 0.05)
        if rank == 0 and run["steps"] % 20 == 0:
            note(run, smooth.item(), rate, options.work)
        if rank == 0 and time.time() - saved > SAVE_EVERY_S:
            save({**run, "muon": muon.average, "adam": adam.state_dict()}, options.work / "checkpoint.pt")
            saved = time.time()
    if rank == 0:
        save(finished(run), options.work / "final.pt")
    if options.workers > 1:
        dist.destroy_process_group()


def note(run, loss, rate, work):
    """One line, on the screen and in train.log."""
    if not math.isfinite(loss):
        raise SystemExit(f"step {run['steps']}: the loss is {loss}")
    line = (f"step {run['steps']} loss {loss:.4f} rate {rate:.3f} sentences {run['sentences']} "
            f"minutes {run['minutes']:.2f}")
    print(line, flush=True)
    with (work / "train.log").open("a") as log:
        log.write(line + "\n")


def finished(run):
    """What is exported: the average alone, in half precision (the file will hold 8 bits)."""
    mean = {name: weight.half().cpu() for name, weight in run["mean"].items()}
    return {**{key: run[key] for key in ("config", "steps", "sentences", "minutes")}, "mean": mean}


def save(run, path):
    """Written beside and then renamed: a reader never meets half a file."""
    fresh = path.with_suffix(".new")
    torch.save(run, fresh)
    fresh.replace(path)


def resume(path, net, mean, muon, adam):
    saved = torch.load(path, weights_only=True, map_location="cpu")
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
