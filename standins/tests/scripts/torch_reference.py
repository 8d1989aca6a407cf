#!/usr/bin/env python3
"""Numbers that the TorchSharp stand-in is tested with, computed by Python's torch.

    python3 torch_reference.py > ../Ssl.StandIns.Tests/TorchSharp/torch-reference.json

Inputs are values of a sine, so that no random numbers have to be stored: wave(seed, *shape).
"""
import json
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.set_num_threads(1)
out = {}


def wave(seed, *shape):
    count = math.prod(shape)
    return torch.tensor([math.sin(0.37 * k + seed) for k in range(count)], dtype=torch.float32).reshape(shape)


def put(name, tensor):
    tensor = tensor.detach()
    out[name] = {"shape": list(tensor.shape), "values": [float(v) for v in tensor.flatten().tolist()]}


x, y, z = wave(0, 3, 4), wave(1, 3, 4), wave(2, 4, 5)
image = wave(3, 2, 3, 6, 6)
ids = torch.tensor([0, 2, 1])

put("add_alpha", torch.add(x, y, alpha=2))
put("rsub", 3 - x)
put("rdiv", 2 / (x + 2))
put("pow", (x + 2) ** 1.5)
put("floor_divide", torch.div(x * 10, 3, rounding_mode="floor"))
put("clamp", x.clamp(-0.5, 0.25))
put("where", torch.where(x > y, x, y))
put("matmul", x @ z)
put("einsum", torch.einsum("ij,kj->ik", x, y))
put("sum_dim", x.sum(1, keepdim=True))
put("mean_all", x.mean())
put("mean_dims", image.mean([2, 3]))
put("var_unbiased", x.var(1))
put("std_biased", x.std(0, unbiased=False))
put("logsumexp", x.logsumexp(1))
put("softmax", x.softmax(-1))
put("log_softmax", x.log_softmax(0))
put("norm", x.norm())
put("norm_dim", x.norm(dim=1, keepdim=True, p=1))
put("cumsum", x.cumsum(1))
put("max_values", x.max(1)[0])
put("max_indices", x.max(1)[1])
put("topk", x.topk(2, 1)[0])
put("sort_descending", x.sort(1, descending=True)[1])
put("argsort", x.argsort(0))
put("gather", x.gather(1, torch.tensor([[0, 1], [2, 3], [3, 0]])))
put("scatter_add", torch.zeros(3, 4).scatter_add(1, torch.tensor([[0, 1], [2, 2], [3, 0]]), x[:, :2].contiguous()))
put("index_add", torch.zeros(3, 4).index_add(0, ids, x, alpha=2))
put("index_select", x.index_select(0, ids))
put("slice", x[1:, ::2])
put("last", x[..., -1])
put("boolean", x[x > 0])
put("index_tensors", x[ids, torch.tensor([1, 2, 3])])
changed = x.clone()
changed[1, 1:3] = 7
changed[ids, torch.tensor([0, 0, 3])] = -1
put("assigned", changed)
put("tril", x.tril(-1))
put("unfold", wave(0, 8).unfold(0, 3, 2))
put("roll", x.roll(1, 1))
put("flip", x.flip(0, 1))
put("repeat_interleave", x.repeat_interleave(2, 0))
put("bincount", torch.bincount(torch.tensor([0, 1, 1, 3]), minlength=5))
put("linspace", torch.linspace(-1, 1, 7))
put("arange", torch.arange(1, 2.5, 0.5))

put("cross_entropy", F.cross_entropy(x, ids, label_smoothing=0.1))
put("cross_entropy_ignore", F.cross_entropy(x, torch.tensor([0, -100, 1]), reduction="sum"))
put("nll_loss", F.nll_loss(x.log_softmax(1), ids))
put("mse", F.mse_loss(x, y))
put("smooth_l1", F.smooth_l1_loss(x, y, beta=0.5))
put("bce_logits", F.binary_cross_entropy_with_logits(x, y.sigmoid()))
put("cosine", F.cosine_similarity(x, y, dim=1))
put("kl_div", F.kl_div(x.log_softmax(1), y.log_softmax(1), reduction="sum", log_target=True))
put("gelu", F.gelu(x))
put("layer_norm", F.layer_norm(x, [4], wave(4, 4), wave(5, 4)))
put("group_norm", F.group_norm(image, 3))
put("one_hot", F.one_hot(ids, 4))
put("pad_constant", F.pad(x, (1, 0, 0, 2), value=9))
put("pad_reflect", F.pad(image, (1, 2, 2, 1), mode="reflect"))
put("interpolate", F.interpolate(image, size=(4, 3), mode="bilinear", align_corners=False))
put("interpolate_nearest", F.interpolate(image, scale_factor=0.5, mode="nearest"))
theta = torch.tensor([[[0.8, 0.1, 0.05], [-0.1, 0.7, 0.1]]] * 2)
put("grid_sample", F.grid_sample(image, F.affine_grid(theta, [2, 3, 5, 5], align_corners=False), mode="bilinear",
                                 padding_mode="reflection", align_corners=False))
put("conv2d", F.conv2d(image, wave(6, 4, 3, 3, 3), wave(7, 4), stride=2, padding=1))
put("conv1d", F.conv1d(wave(8, 2, 3, 9), wave(9, 6, 1, 3), groups=3, dilation=2))
put("max_pool2d", F.max_pool2d(image, 2))
put("avg_pool2d", F.avg_pool2d(image, 3, 2, 1))
put("adaptive", F.adaptive_avg_pool2d(image, (2, 3)))
q, k, v = wave(1, 2, 2, 5, 4), wave(2, 2, 2, 5, 4), wave(3, 2, 2, 5, 4)
mask = torch.tensor([[True, True, False, True, True]] * 5)
scores = (q @ k.transpose(-2, -1) / 2).masked_fill(~mask, float("-inf"))
put("attention", scores.softmax(-1) @ v)
scores = (q @ k.transpose(-2, -1) / 2).masked_fill(~torch.ones(5, 5, dtype=torch.bool).tril(), float("-inf"))
put("attention_causal", scores.softmax(-1) @ v)
put("embedding_bag", F.embedding_bag(torch.tensor([[0, 1, 0], [2, 3, 4]]), wave(0, 5, 3), mode="mean", padding_idx=0))

generator = torch.Generator().manual_seed(1234)
put("random_uniform", torch.rand(5, generator=generator))
put("random_normal", torch.randn(20, generator=generator))
put("random_integers", torch.randint(3, 90, (6,), generator=generator))
put("random_permutation", torch.randperm(9, generator=generator))
put("random_bernoulli", torch.empty(12).bernoulli_(0.3, generator=generator))
put("random_multinomial", torch.multinomial(torch.tensor([0.1, 0.5, 0.4]), 8, replacement=True, generator=generator))


def network():
    model = nn.Sequential(nn.Linear(4, 8), nn.LayerNorm(8), nn.GELU(), nn.Linear(8, 3))
    for index, parameter in enumerate(model.parameters()):
        with torch.no_grad():
            parameter.copy_(wave(index, *parameter.shape) * 0.5)
    return model


model = network()
loss = F.cross_entropy(model(x), ids)
loss.backward()
put("network_loss", loss)
put("network_grad", model[0].weight.grad)
put("clip_norm", nn.utils.clip_grad_norm_(model.parameters(), 0.5))
put("clipped_grad", model[0].weight.grad)

makers = {
    "sgd": lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, weight_decay=0.01),
    "sgd_nesterov": lambda p: torch.optim.SGD(p, 0.1, momentum=0.8, nesterov=True),
    "adam": lambda p: torch.optim.Adam(p, 0.01, betas=(0.8, 0.99), weight_decay=0.05),
    "adamw": lambda p: torch.optim.AdamW(p, 0.01, betas=(0.9, 0.95), weight_decay=0.1),
    "adamw_amsgrad": lambda p: torch.optim.AdamW(p, 0.01, weight_decay=0.1, amsgrad=True),
}
for name, make in makers.items():
    model = network()
    optimizer = make(model.parameters())
    for step in range(5):
        optimizer.zero_grad()
        F.cross_entropy(model(x + step), ids).backward()
        optimizer.step()
    put("optimizer_" + name, torch.cat([p.flatten() for p in model.parameters()]))

norm = nn.BatchNorm1d(4, momentum=0.3)
norm(x)
put("batch_norm_train", norm(y))
put("batch_norm_mean", norm.running_mean)
put("batch_norm_variance", norm.running_var)
norm.eval()
put("batch_norm_eval", norm(x))

put("svd_values", torch.linalg.svdvals(x))
symmetric = x @ x.T + torch.eye(3)
put("eigvalsh", torch.linalg.eigvalsh(symmetric))
put("cholesky", torch.linalg.cholesky(symmetric))
put("solve", torch.linalg.solve(symmetric, y))

print(json.dumps(out, indent=None, separators=(",", ":")).replace('},"', '},\n"'))
