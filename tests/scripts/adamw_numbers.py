"""Numbers of torch.optim.AdamW after torch.nn.utils.clip_grad_norm_, for AdamWOptimizerTests.

Writes tests/Ssl.Estimators.Tests/Training/AdamWNumbers.cs. Run: python3 tests/scripts/adamw_numbers.py
"""
import math
import pathlib
import torch

STEPS = 6


def values(count, phase):
    return torch.tensor([math.sin(0.7 * i + phase) for i in range(count)], dtype=torch.float32)


def run(clip):
    weight = torch.nn.Parameter(values(12, 0.1).reshape(3, 4))
    bias = torch.nn.Parameter(values(4, 0.2))
    optimizer = torch.optim.AdamW(
        [{"params": [weight], "weight_decay": 0.1}, {"params": [bias], "weight_decay": 0.0}],
        lr=1.0, betas=(0.8, 0.95), eps=1e-6)
    norms = []
    for step in range(STEPS):
        weight.grad = values(12, 1.0 + step).reshape(3, 4) * (step + 1)
        # The bias has no gradient in step 3: it and its state must stay.
        bias.grad = None if step == 3 else values(4, 2.0 + step) * (step + 1)
        if clip > 0:
            norms.append(float(torch.nn.utils.clip_grad_norm_([p for p in (weight, bias) if p.grad is not None], clip)))
        for group in optimizer.param_groups:
            group["lr"] = 0.01 * (step + 1)
        optimizer.step()
    return weight.detach().reshape(-1).tolist(), bias.detach().tolist(), norms


def array(numbers):
    return "[" + ", ".join(f"{number!r}" for number in numbers) + "]"


lines = [
    "namespace Ssl.Estimators.Tests.Training;",
    "",
    f"// Written by tests/scripts/adamw_numbers.py with torch {torch.__version__}; do not edit.",
    "internal static class AdamWNumbers",
    "{",
    f"    public const int Steps = {STEPS};",
]
for name, clip in (("Clipped", 1.5), ("Unclipped", 0.0)):
    weight, bias, norms = run(clip)
    lines += [
        "",
        f"    public static readonly double[] {name}Weight =",
        *(f"        {'[' if i == 0 else ' '}{', '.join(repr(v) for v in weight[i:i + 4])}{']' if i == 8 else ''}{';' if i == 8 else ','}"
          for i in (0, 4, 8)),
        "",
        f"    public static readonly double[] {name}Bias =",
        f"        {array(bias)};",
    ]
    if norms:
        lines += ["", "    public static readonly double[] Norms =", f"        {array(norms)};"]
lines += ["}", ""]
target = pathlib.Path(__file__).parent.parent / "Ssl.Estimators.Tests" / "Training" / "AdamWNumbers.cs"
target.write_text("\n".join(lines), encoding="utf-8", newline="\n")
print(f"wrote {target}")
