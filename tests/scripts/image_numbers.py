"""Results of torchvision's transforms and networks, for the tests of the image views and encoders.

Writes tests/Ssl.Estimators.Tests/Views/Images/ImageNumbers.cs. Run: python3 tests/scripts/image_numbers.py
"""
import math
import pathlib
import torch
import torch.nn as nn
import torchvision
from torchvision import transforms as T
from torchvision.transforms import functional as TF

LINEAR = TF.InterpolationMode.BILINEAR


def image(channels, height, width):
    return torch.tensor([math.sin(0.37 * i) * math.cos(0.11 * i) for i in range(channels * height * width)]).reshape(1, channels, height, width) / 2 + 0.5


def fill(module):
    """Weights that both sides can compute: a sine of the entry's number and the name's letters."""
    with torch.no_grad():
        for name, value in module.items():
            if value.dtype != torch.float32:
                continue
            wave = torch.sin(0.7 * torch.arange(value.numel(), dtype=torch.float64) + sum(ord(c) for c in name))
            if "running_var" in name:
                wave = 1 + 0.5 * wave * wave
            elif value.dim() >= 2:
                wave = wave * (2 / (value.numel() / value.shape[0])) ** 0.5
            elif name.endswith("weight"):
                wave = 1 + 0.1 * wave
            else:
                wave = 0.1 * wave
            value.copy_(wave.reshape(value.shape))


def resnet(build):
    net = build()
    net.fc = nn.Identity()
    fill({k: v for k, v in net.state_dict().items()})
    net.eval()
    with torch.no_grad():
        return net(image(3, 40, 36))[0, :24]


def vit():
    dim, heads, layers, patch, size = 24, 3, 2, 4, 16
    shapes = {"cls_token": (1, 1, dim), "pos_embed": (1, 1 + (size // patch) ** 2, dim), "patch_embed.proj.weight": (dim, 3, patch, patch),
              "patch_embed.proj.bias": (dim,), "norm.weight": (dim,), "norm.bias": (dim,)}
    for k in range(layers):
        b = f"blocks.{k}."
        shapes.update({b + "norm1.weight": (dim,), b + "norm1.bias": (dim,), b + "attn.qkv.weight": (3 * dim, dim), b + "attn.qkv.bias": (3 * dim,),
                       b + "attn.proj.weight": (dim, dim), b + "attn.proj.bias": (dim,), b + "norm2.weight": (dim,), b + "norm2.bias": (dim,),
                       b + "mlp.fc1.weight": (4 * dim, dim), b + "mlp.fc1.bias": (4 * dim,), b + "mlp.fc2.weight": (dim, 4 * dim), b + "mlp.fc2.bias": (dim,)})
    w = {k: torch.zeros(v) for k, v in shapes.items()}
    fill(w)
    with torch.no_grad():
        x = nn.functional.conv2d(image(3, size, size), w["patch_embed.proj.weight"], w["patch_embed.proj.bias"], stride=patch).flatten(2).transpose(1, 2)
        x = torch.cat([w["cls_token"], x], 1) + w["pos_embed"]
        for k in range(layers):
            b = f"blocks.{k}."
            layer = nn.TransformerEncoderLayer(dim, heads, 4 * dim, 0.0, "gelu", 1e-6, batch_first=True, norm_first=True).eval()
            pairs = {"self_attn.in_proj_weight": "attn.qkv.weight", "self_attn.in_proj_bias": "attn.qkv.bias", "self_attn.out_proj.weight": "attn.proj.weight",
                     "self_attn.out_proj.bias": "attn.proj.bias", "linear1.weight": "mlp.fc1.weight", "linear1.bias": "mlp.fc1.bias",
                     "linear2.weight": "mlp.fc2.weight", "linear2.bias": "mlp.fc2.bias", "norm1.weight": "norm1.weight", "norm1.bias": "norm1.bias",
                     "norm2.weight": "norm2.weight", "norm2.bias": "norm2.bias"}
            layer.load_state_dict({ours: w[b + theirs] for ours, theirs in pairs.items()})
            x = layer(x)
        x = nn.functional.layer_norm(x, (dim,), w["norm.weight"], w["norm.bias"], 1e-6)
        return torch.cat([x[0, 0], x[0, 1:].mean(0)])


def quantiles(rows):
    levels = torch.tensor([i / 10 for i in range(1, 10)])
    return torch.quantile(torch.tensor(rows, dtype=torch.float32), levels)


def crops():
    torch.manual_seed(1)
    one = torch.zeros(1, 30, 40)
    boxes = [T.RandomResizedCrop.get_params(one, (0.08, 1.0), (3 / 4, 4 / 3)) for _ in range(20000)]
    return [quantiles([h * w / 1200 for _, _, h, w in boxes]), quantiles([math.log(w / h) for _, _, h, w in boxes]),
            quantiles([float(top) for top, _, _, _ in boxes]), quantiles([float(left) for _, left, _, _ in boxes])]


def erasings():
    torch.manual_seed(1)
    one = torch.zeros(1, 30, 40)
    boxes = [T.RandomErasing.get_params(one, (0.02, 0.33), (0.3, 3.3), [0.0]) for _ in range(20000)]
    return [quantiles([h * w / 1200 for _, _, h, w, _ in boxes]), quantiles([math.log(h / w) for _, _, h, w, _ in boxes])]


small = image(3, 7, 6)
cases = {
    "Crop": TF.resized_crop(small, 1, 2, 4, 3, [5, 6], LINEAR),
    "FlippedCrop": TF.hflip(TF.resized_crop(small, 0, 0, 7, 6, [4, 4], LINEAR)),
    "Rotated": TF.rotate(image(1, 6, 6), 30, LINEAR),
    "Brighter": TF.adjust_brightness(small, 1.3),
    "Contrast": TF.adjust_contrast(small, 0.6),
    "Saturated": TF.adjust_saturation(small, 1.7),
    "Hue": TF.adjust_hue(small, 0.15),
    "HueBack": TF.adjust_hue(small, -0.31),
    "GreyContrast": TF.adjust_contrast(image(1, 7, 6), 1.4),
    "Grey": TF.rgb_to_grayscale(small),
    "Blurred": TF.gaussian_blur(small, [5, 5], [1.3, 1.3]),
    "Solarized": TF.solarize(small, 0.5),
    "Equalized": TF.equalize((small * 255).round().to(torch.uint8)).float(),
    "ResNet18": resnet(torchvision.models.resnet18),
    "ResNet50": resnet(torchvision.models.resnet50),
    "VisionTransformer": vit(),
}
for name, values in zip(["CropArea", "CropRatio", "CropTop", "CropLeft"], crops()):
    cases[name] = values
for name, values in zip(["ErasedArea", "ErasedRatio"], erasings()):
    cases[name] = values


def wrap(numbers):
    lines, line = [], "        ["
    for k, number in enumerate(numbers):
        item = f"{float(number):.6g}" + ("f," if k < len(numbers) - 1 else "f];")
        if len(line) + len(item) > 130:
            lines.append(line.rstrip())
            line = "         "
        line += item + " "
    return "\n".join(lines + [line.rstrip()])


body = "\n\n".join(f"    public static readonly float[] {name} =\n{wrap(values.flatten())}" for name, values in cases.items())
path = pathlib.Path(__file__).resolve().parents[1] / "Ssl.Estimators.Tests" / "Views" / "Images" / "ImageNumbers.cs"
path.write_text("namespace Ssl.Estimators.Tests.Views;\n\n"
                f"// Written by tests/scripts/image_numbers.py with torch {torch.__version__} and torchvision {torchvision.__version__}; do not edit.\n"
                "internal static class ImageNumbers\n{\n" + body + "\n}\n", encoding="utf-8")
