"""Losses and gradients of InfoNCE and NT-Xent by Python's torch, for the tests of the objectives.

Writes tests/Ssl.Estimators.Tests/Objectives/ContrastiveNumbers.cs. Run: python3 tests/scripts/contrastive_numbers.py
"""
import math
import pathlib
import torch
import torch.nn.functional as F

N, D = 5, 4


def values(phase):
    return torch.tensor([math.sin(1.3 * i + phase) + 0.3 * math.cos(2.1 * i) for i in range(N * D)], dtype=torch.float64).reshape(N, D)


def info_nce(a, b, temperature):
    s = F.normalize(a, dim=1) @ F.normalize(b, dim=1).t() / temperature
    target = torch.arange(N)
    return (F.cross_entropy(s, target) + F.cross_entropy(s.t(), target)) / 2


def nt_xent(a, b, temperature):
    z = F.normalize(torch.cat([a, b]), dim=1)
    s = z @ z.t() / temperature
    s.fill_diagonal_(-math.inf)
    return F.cross_entropy(s, torch.cat([torch.arange(N) + N, torch.arange(N)]))


def row(numbers):
    return "[" + ", ".join(repr(float(x)) for x in numbers) + "]"


def case(name, loss, temperature):
    a, b = values(0.2).requires_grad_(), values(0.9).requires_grad_()
    result = loss(a, b, temperature)
    result.backward()
    return (f"    public const double {name} = {float(result)!r};\n\n"
            f"    public static readonly double[] {name}FirstGradient =\n        {row(a.grad.flatten())};\n\n"
            f"    public static readonly double[] {name}SecondGradient =\n        {row(b.grad.flatten())};\n")


def wrap(text, width=130):
    lines = []
    for line in text.split("\n"):
        while len(line) > width:
            cut = line.rfind(", ", 0, width) + 1
            lines.append(line[:cut])
            line = "         " + line[cut + 1:]
        lines.append(line)
    return "\n".join(lines)


body = "\n".join([case("InfoNce", info_nce, 0.2), case("NtXent", nt_xent, 0.5)])
path = pathlib.Path(__file__).resolve().parents[1] / "Ssl.Estimators.Tests" / "Objectives" / "ContrastiveNumbers.cs"
path.write_text("namespace Ssl.Estimators.Tests.Objectives;\n\n"
                f"// Written by tests/scripts/contrastive_numbers.py with torch {torch.__version__}; do not edit.\n"
                "internal static class ContrastiveNumbers\n{\n"
                f"    public const int Rows = {N}, Columns = {D};\n\n" + wrap(body) + "}\n", encoding="utf-8")
