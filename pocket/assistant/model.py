"""The Qwen3 decoder in plain PyTorch, small enough to train in minutes on a GPU, in hours without one.

It is the published architecture and nothing else: pre-RMSNorm, one RMSNorm per query and key head before
the half-split (NeoX) rotary, grouped-query attention with an explicit head_dim, SwiGLU, no biases, tied
embeddings.

Easy to get wrong: q_norm and k_norm come before the rotary; head_dim * heads need not equal hidden.
"""

import dataclasses

import torch
import torch.nn.functional as F
from torch import nn


@dataclasses.dataclass
class Config:
    vocab: int = 3072
    hidden: int = 192
    layers: int = 4
    heads: int = 6
    kv_heads: int = 2
    head_dim: int = 32
    ffn: int = 384
    eps: float = 1e-6
    rope_base: float = 1e6
    context: int = 512


class RMSNorm(nn.Module):
    def __init__(self, size, eps):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x):
        return F.rms_norm(x, self.weight.shape, self.weight, self.eps)


def rotary_table(config, length):
    """cos and sin of shape [length, head_dim / 2]."""
    half = config.head_dim // 2
    frequency = config.rope_base ** (-torch.arange(half, dtype=torch.float64) / half)
    angle = torch.arange(length, dtype=torch.float64)[:, None] * frequency
    return angle.cos().float(), angle.sin().float()


def rotate(x, cos, sin):
    """x [rows, heads, tokens, head_dim]; pairs are (i, i + head_dim / 2)."""
    a, b = x.chunk(2, dim=-1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), dim=-1)


class Layer(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.c = c
        self.input_layernorm = RMSNorm(c.hidden, c.eps)
        self.q_proj = nn.Linear(c.hidden, c.heads * c.head_dim, bias=False)
        self.k_proj = nn.Linear(c.hidden, c.kv_heads * c.head_dim, bias=False)
        self.v_proj = nn.Linear(c.hidden, c.kv_heads * c.head_dim, bias=False)
        self.o_proj = nn.Linear(c.heads * c.head_dim, c.hidden, bias=False)
        self.q_norm = RMSNorm(c.head_dim, c.eps)
        self.k_norm = RMSNorm(c.head_dim, c.eps)
        self.post_attention_layernorm = RMSNorm(c.hidden, c.eps)
        self.gate_proj = nn.Linear(c.hidden, c.ffn, bias=False)
        self.up_proj = nn.Linear(c.hidden, c.ffn, bias=False)
        self.down_proj = nn.Linear(c.ffn, c.hidden, bias=False)

    def forward(self, x, cos, sin, cache=None, mask=None):
        c = self.c
        rows, tokens, _ = x.shape
        h = self.input_layernorm(x)
        q = self.q_norm(self.q_proj(h).view(rows, tokens, c.heads, c.head_dim)).transpose(1, 2)
        k = self.k_norm(self.k_proj(h).view(rows, tokens, c.kv_heads, c.head_dim)).transpose(1, 2)
        v = self.v_proj(h).view(rows, tokens, c.kv_heads, c.head_dim).transpose(1, 2)
        q, k = rotate(q, cos, sin).type_as(v), rotate(k, cos, sin).type_as(v)
        if cache is not None:
            if "k" in cache:
                k, v = torch.cat((cache["k"], k), 2), torch.cat((cache["v"], v), 2)
            cache["k"], cache["v"] = k, v
        group = c.heads // c.kv_heads
        k, v = k.repeat_interleave(group, 1), v.repeat_interleave(group, 1)
        # A single new token sees everything before it; a fresh row is causal, unless a mask says more.
        a = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=mask is None and tokens > 1)
        x = x + self.o_proj(a.transpose(1, 2).reshape(rows, tokens, c.heads * c.head_dim))
        h = self.post_attention_layernorm(x)
        return x + self.down_proj(F.silu(self.gate_proj(h)) * self.up_proj(h))


class Qwen3(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.embed_tokens = nn.Embedding(config.vocab, config.hidden)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.layers))
        self.norm = RMSNorm(config.hidden, config.eps)
        cos, sin = rotary_table(config, config.context)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        for name, weight in self.named_parameters():
            if weight.dim() == 2:
                scale = 0.02 if "embed" in name else weight.shape[1] ** -0.5 * 0.6
                if name.endswith(("o_proj.weight", "down_proj.weight")):
                    scale /= (2 * config.layers) ** 0.5
                nn.init.normal_(weight, std=scale)

    def forward(self, ids, caches=None, start=0, mask=None):
        """ids [rows, tokens] -> final normed hidden states [rows, tokens, hidden]."""
        x = self.embed_tokens(ids)
        stop = start + ids.shape[1]
        cos, sin = self.cos[start:stop], self.sin[start:stop]
        for index, layer in enumerate(self.layers):
            x = layer(x, cos, sin, None if caches is None else caches[index], mask)
        return self.norm(x)

    def logits(self, hidden):
        return F.linear(hidden, self.embed_tokens.weight)
