"""Eager PyTorch beside the case `gpu`: the same networks, shapes and steps, autocast to bfloat16 where ours computes in it, views and masks
drawn on the device, the rows held there. `gpu.py DEVICE` takes a row as a line of JSON and answers with one, until its input ends."""
import gc, gzip, json, math, random, sys, time
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F

DEVICE = sys.argv[1]
# Ours rounds products in Float32 only where it is asked to.
torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False


def autocast(bf16):
    return torch.autocast(DEVICE, dtype=torch.bfloat16, enabled=bf16)


def synchronize():
    if DEVICE == "cuda":
        torch.cuda.synchronize()


def train(loss_of, modules, rows, batch, epochs, rate=1e-3, decay=1e-4):
    """AdamW with a warm-up and a cosine, gradients clipped; samples a second from the second epoch on."""
    parameters = [p for module in modules for p in module.parameters()]
    optimizer = torch.optim.AdamW(parameters, rate, weight_decay=decay)
    steps, step = epochs * (rows // batch), 0
    for epoch in range(epochs):
        order = torch.randperm(rows, device=DEVICE)
        for first in range(0, rows - batch + 1, batch):
            p = (step + .5) / steps
            for group in optimizer.param_groups:
                group["lr"] = rate * (p / .05 if p < .05 else .5 * (1 + math.cos(math.pi * (p - .05) / .95)))
            loss = loss_of(order[first:first + batch])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            step += 1
        loss.item()
        if epoch == 0:
            start = time.perf_counter()
    return (epochs - 1) * (rows // batch * batch) / (time.perf_counter() - start)


# ---- images

class ResidualBlock(nn.Module):
    def __init__(self, i, o, stride):
        super().__init__()
        self.c1, self.b1 = nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o)
        self.c2, self.b2 = nn.Conv2d(o, o, 3, 1, 1, bias=False), nn.BatchNorm2d(o)
        self.short = nn.Sequential() if stride == 1 and i == o else nn.Sequential(nn.Conv2d(i, o, 1, stride, bias=False), nn.BatchNorm2d(o))

    def forward(self, x):
        return F.relu(self.b2(self.c2(F.relu(self.b1(self.c1(x))))) + self.short(x))


def resnet18(width):
    """ResNet-18 with a 3x3 stem, and the length of its embedding."""
    layers, i = [nn.Conv2d(3, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()], width
    for k, o in enumerate((width, 2 * width, 4 * width, 8 * width)):
        layers += [ResidualBlock(i, o, 1 if k == 0 else 2), ResidualBlock(o, o, 1)]
        i = o
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten()).to(DEVICE), i


def uniform(n, low, high):
    return torch.rand(n, 1, 1, 1, device=DEVICE) * (high - low) + low


def crop_and_flip(x, least):
    m = len(x)
    area, ratio = torch.rand(m, device=DEVICE) * (1 - least) + least, torch.exp((torch.rand(m, device=DEVICE) * 2 - 1) * math.log(4 / 3))
    w, h = (area * ratio).sqrt().clamp(max=1), (area / ratio).sqrt().clamp(max=1)
    theta = torch.zeros(m, 2, 3, device=DEVICE)
    theta[:, 0, 0] = w * (1 - 2 * (torch.rand(m, device=DEVICE) < .5).float())
    theta[:, 1, 1] = h
    theta[:, 0, 2] = (torch.rand(m, device=DEVICE) * 2 - 1) * (1 - w)
    theta[:, 1, 2] = (torch.rand(m, device=DEVICE) * 2 - 1) * (1 - h)
    return F.grid_sample(x, F.affine_grid(theta, list(x.shape), align_corners=False), align_corners=False)


def hue(x, turn):
    r, g, b = x[:, :1], x[:, 1:2], x[:, 2:]
    value = x.amax(1, keepdim=True)
    chroma = value - x.amin(1, keepdim=True)
    none = chroma == 0
    d = chroma.masked_fill(none, 1)
    h = torch.where(value == r, (g - b) / d, torch.where(value == g, (b - r) / d + 2, (r - g) / d + 4)).masked_fill(none, 0)
    k = (((h / 6 + turn) % 1) * 6 + torch.tensor([5., 3., 1.], device=DEVICE).view(1, 3, 1, 1)) % 6
    return (value - chroma * torch.minimum(k, 4 - k).clamp(0, 1)).clamp(0, 1)


def photo_view(x, gray):
    """SimCLR's view: crop, flip, color jitter, sometimes gray."""
    x = crop_and_flip(x, .08)
    m = len(x)
    hit = (torch.rand(m, 1, 1, 1, device=DEVICE) < .8).float()
    factor = lambda: uniform(m, -.4, .4) * hit + 1
    x = (x * factor()).clamp(0, 1)
    f = factor()
    x = (x * f + (1 - f) * (x * gray).sum(1, keepdim=True).mean((1, 2, 3), keepdim=True)).clamp(0, 1)
    f = factor()
    x = (x * f + (1 - f) * (x * gray).sum(1, keepdim=True)).clamp(0, 1)
    x = hue(x, uniform(m, -.1, .1) * hit)
    return torch.where(torch.rand(m, 1, 1, 1, device=DEVICE) < .2, (x * gray).sum(1, keepdim=True).expand_as(x), x)


def cifar(folder, name, count):
    rows = np.frombuffer(gzip.open(f"{folder}/cifar10/{name}.bin.gz").read(), np.uint8).reshape(-1, 3073)[:count]
    return torch.tensor(rows[:, 1:]).view(-1, 3, 32, 32).to(DEVICE), torch.tensor(rows[:, 0].astype(np.int64)).to(DEVICE)


def simclr(n, batch, epochs, width, bf16, data=None, tests=0):
    """On made-up images, or on CIFAR-10 in a folder and then with the accuracy of 20 nearest neighbors."""
    x, y = cifar(data, "train", n) if data else (torch.randint(0, 256, (n, 3, 32, 32), dtype=torch.uint8).to(DEVICE), None)
    encoder, dimension = resnet18(width)
    head = nn.Sequential(nn.Linear(dimension, dimension), nn.ReLU(), nn.Linear(dimension, 128)).to(DEVICE)
    mean, std = (f(x[:4096].float().div(255), (0, 2, 3), keepdim=True) for f in (torch.mean, torch.std))
    gray = torch.tensor([.2989, .587, .114], device=DEVICE).view(1, 3, 1, 1)

    def loss(rows):
        with torch.no_grad():
            images = x[rows].float().div(255)
            views = (torch.cat([photo_view(images, gray), photo_view(images, gray)]) - mean) / std
        with autocast(bf16):
            z = head(encoder(views))
        z = F.normalize(z.float(), dim=1)
        scores = z @ z.t() / .5
        scores.fill_diagonal_(-1e9)
        return F.cross_entropy(scores, torch.arange(2 * batch, device=DEVICE).roll(batch))

    rate = train(loss, [encoder, head], n, batch, epochs, 2e-3)
    if not data:
        return {"rate": rate}
    test, labels = cifar(data, "test", tests)
    encoder.eval()
    with torch.no_grad():
        embed = lambda images: F.normalize(torch.cat([encoder((part.float().div(255) - mean) / std) for part in images.split(500)]), dim=1)
        near = (embed(test) @ embed(x).t()).topk(20, 1)[1]
        return {"rate": rate, "knn": 100 * (F.one_hot(y[near], 10).sum(1).argmax(1) == labels).float().mean().item()}


# ---- transformers

def attend(q, k, v, mask=None):
    if hasattr(F, "scaled_dot_product_attention"):
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    # torch before 2.0, which only the quick form meets
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    return (scores if mask is None else scores.masked_fill(~mask, float("-inf"))).softmax(-1) @ v


class TransformerBlock(nn.Module):
    """Pre-norm, one product for queries, keys and values, dropout behind attention and feed-forward network."""

    def __init__(self, dimension, heads, dropout):
        super().__init__()
        self.heads, self.dropout = heads, nn.Dropout(dropout)
        self.norm1, self.qkv, self.out = nn.LayerNorm(dimension), nn.Linear(dimension, 3 * dimension), nn.Linear(dimension, dimension)
        self.norm2, self.up, self.down = nn.LayerNorm(dimension), nn.Linear(dimension, 4 * dimension), nn.Linear(4 * dimension, dimension)

    def forward(self, x, mask=None):
        n, length, dimension = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(n, length, 3, self.heads, dimension // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        x = x + self.dropout(self.out(attend(q, k, v, mask).transpose(1, 2).reshape(n, length, dimension)))
        return x + self.dropout(self.down(F.gelu(self.up(self.norm2(x)))))


def blocks(layers, dimension, heads, dropout=0.):
    return nn.ModuleList([TransformerBlock(dimension, heads, dropout) for _ in range(layers)])


def take(x, places):
    return x.gather(1, places[..., None].expand(-1, -1, x.shape[2]))


class MaskedAutoencoder(nn.Module):
    def __init__(self, size, patch, layers, dimension, heads, decoder=64):
        super().__init__()
        self.patch, self.count, length = patch, (size // patch) ** 2, 3 * patch * patch
        self.project, self.token = nn.Linear(length, dimension), nn.Parameter(.02 * torch.randn(1, 1, dimension))
        self.positions = nn.Parameter(.02 * torch.randn(1, self.count, dimension))
        self.encoder, self.norm = blocks(layers, dimension, heads), nn.LayerNorm(dimension)
        self.middle, self.hidden = nn.Linear(dimension, decoder), nn.Parameter(.02 * torch.randn(1, 1, decoder))
        self.register_buffer("decoder_positions", torch.randn(1, self.count, decoder))
        self.decoder, self.decoder_norm, self.out = blocks(1, decoder, 4), nn.LayerNorm(decoder), nn.Linear(decoder, length)

    def forward(self, x):
        patches = F.unfold(x, self.patch, stride=self.patch).transpose(1, 2)
        n, kept = len(patches), self.count // 4
        order = torch.rand(n, self.count, device=DEVICE).argsort(1)
        seen, unseen = order[:, :kept], order[:, kept:]
        tokens = self.project(take(patches, seen)) + take(self.positions.expand(n, -1, -1), seen)
        tokens = torch.cat([self.token.expand(n, -1, -1).to(tokens.dtype), tokens], 1)
        for block in self.encoder:
            tokens = block(tokens)
        at = self.decoder_positions.expand(n, -1, -1)
        tokens = self.middle(self.norm(tokens)[:, 1:]) + take(at, seen)
        tokens = torch.cat([take(at, unseen) + self.hidden, tokens], 1)
        for block in self.decoder:
            tokens = block(tokens)
        return self.out(self.decoder_norm(tokens[:, :len(unseen[0])])), take(patches, unseen)


def mae(n, batch, epochs, size, patch, layers, dimension, heads, bf16):
    x = torch.randint(0, 256, (n, 3, size, size), dtype=torch.uint8).to(DEVICE)
    mean, std = (f(x[:256].float().div(255), (0, 2, 3), keepdim=True) for f in (torch.mean, torch.std))
    model = MaskedAutoencoder(size, patch, layers, dimension, heads).to(DEVICE)

    def loss(rows):
        with torch.no_grad():
            images = (crop_and_flip(x[rows].float().div(255), .2) - mean) / std
        with autocast(bf16):
            rebuilt, target = model(images)
        target = (target - target.mean(2, keepdim=True)) / (target.var(2, keepdim=True) + 1e-6).sqrt()
        return ((rebuilt.float() - target) ** 2).mean()

    return {"rate": train(loss, [model], n, batch, epochs, decay=.05)}


class MaskedLanguageModel(nn.Module):
    """Scores are computed for chosen tokens only and tied to the embeddings."""

    def __init__(self, vocabulary, length, layers, dimension, heads, dropout=.1):
        super().__init__()
        self.words, self.places, self.norm = nn.Embedding(vocabulary, dimension), nn.Embedding(length, dimension), nn.LayerNorm(dimension)
        self.dropout, self.blocks, self.last = nn.Dropout(dropout), blocks(layers, dimension, heads, dropout), nn.LayerNorm(dimension)
        self.transform = nn.Sequential(nn.Linear(dimension, dimension), nn.GELU(), nn.LayerNorm(dimension))
        self.bias = nn.Parameter(torch.zeros(vocabulary))

    def forward(self, ids, chosen):
        mask = (ids != 0)[:, None, None]
        x = self.dropout(self.norm(self.words(ids) + self.places.weight[:ids.shape[1]]))
        for block in self.blocks:
            x = block(x, mask)
        x = self.last(x).flatten(0, 1).index_select(0, chosen)
        return self.transform(x) @ self.words.weight.t() + self.bias


def mlm(n, batch, epochs, vocabulary, length, layers, dimension, heads, bf16):
    x = torch.randint(3, vocabulary, (n, length)).to(DEVICE)
    model = MaskedLanguageModel(vocabulary, length, layers, dimension, heads).to(DEVICE)

    def loss(rows):
        ids, p = x[rows], torch.rand(len(rows), length, device=DEVICE)
        chosen = (p < .15).flatten().nonzero().squeeze(1)
        masked = torch.where(p < .12, 2, torch.where(p < .135, torch.randint(3, vocabulary, ids.shape, device=DEVICE), ids))
        with autocast(bf16):
            scores = model(masked, chosen)
        return F.cross_entropy(scores.float(), ids.flatten()[chosen])

    return {"rate": train(loss, [model], n, batch, epochs, decay=.01)}


# ---- tables and series

def scarf(n, batch, epochs, columns, layers, dimension):
    x = torch.rand(n, columns).to(DEVICE)
    encoder = nn.Sequential(*[m for i in range(layers) for m in (nn.Linear(dimension if i else columns, dimension), nn.ReLU())]).to(DEVICE)
    head = nn.Sequential(nn.Linear(dimension, dimension), nn.ReLU(), nn.Linear(dimension, dimension), nn.ReLU()).to(DEVICE)

    def loss(rows):
        kept = x[rows]
        other = kept.gather(0, torch.randint(0, len(kept), kept.shape, device=DEVICE))
        a, b = F.normalize(head(encoder(torch.cat([kept, torch.where(torch.rand_like(kept) < .6, other, kept)]))), dim=1).chunk(2)
        scores, target = a @ b.t() / .2, torch.arange(len(a), device=DEVICE)
        return (F.cross_entropy(scores, target) + F.cross_entropy(scores.t(), target)) / 2

    return {"rate": train(loss, [encoder, head], n, batch, epochs)}


class DilatedBlock(nn.Module):
    def __init__(self, i, o, dilation, last):
        super().__init__()
        self.c1 = nn.Conv1d(i, o, 3, padding=dilation, dilation=dilation)
        self.c2 = nn.Conv1d(o, o, 3, padding=dilation, dilation=dilation)
        self.project = nn.Conv1d(i, o, 1) if last or i != o else None

    def forward(self, x):
        return self.c2(F.gelu(self.c1(F.gelu(x)))) + (x if self.project is None else self.project(x))


class DilatedConvolutions(nn.Module):
    def __init__(self, hidden=64, output=320, depth=10):
        super().__init__()
        self.input, self.dropout = nn.Linear(1, hidden), nn.Dropout(.1)
        self.blocks = nn.Sequential(*[DilatedBlock(hidden, output if i == depth else hidden, 2 ** i, i == depth) for i in range(depth + 1)])

    def forward(self, x):
        h = self.input(x) * (torch.rand(x.shape[:2], device=DEVICE) >= .5).unsqueeze(-1)
        return self.dropout(self.blocks(h.transpose(1, 2)).transpose(1, 2))


def between_rows(a, b):
    m = a.shape[1]
    if m == 1:
        return a.new_zeros(())
    z = torch.cat([a, b], 1)
    shares = F.log_softmax((z @ z.transpose(1, 2)).masked_fill(torch.eye(2 * m, dtype=torch.bool, device=DEVICE), float("-inf")), -1)
    i = torch.arange(m, device=DEVICE)
    return -(shares[:, i, i + m].mean() + shares[:, i + m, i].mean()) / 2


def hierarchical_contrast(a, b):
    total, scales = 0., 0
    while True:
        total, scales = total + .5 * between_rows(a.transpose(0, 1), b.transpose(0, 1)) + .5 * between_rows(a, b), scales + 1
        if a.shape[1] == 1:
            return total / scales
        a, b = (F.max_pool1d(z.transpose(1, 2), 2).transpose(1, 2) for z in (a, b))


def ts2vec(n, batch, epochs, length):
    x, encoder, draw = torch.rand(n, length, 1).to(DEVICE), DilatedConvolutions().to(DEVICE), random.Random(0)

    def loss(rows):
        overlap = draw.randint(2, length)
        left = draw.randint(0, length - overlap)
        right = left + overlap
        outer_left, outer_right = draw.randint(0, left), draw.randint(right, length)
        span, start = outer_right - outer_left, torch.rand(len(rows), 1, device=DEVICE)
        start = (start * (length - span + 1)).long()
        stretch = lambda first, count: x[rows[:, None], start + first + torch.arange(count, device=DEVICE)]
        a = encoder(stretch(0, right - outer_left))[:, left - outer_left:]
        b = encoder(stretch(left - outer_left, outer_right - left))[:, :overlap]
        return hierarchical_contrast(a, b)

    return {"rate": train(loss, [encoder], n, batch, epochs)}


def matmul(size, bf16):
    """Multiplications and additions a second of one product of square matrices, in units of 10^12."""
    a = torch.randn(size, size, device=DEVICE, dtype=torch.bfloat16 if bf16 else torch.float32)
    best = 0
    for _ in range(3):
        a @ a
        synchronize()
        start = time.perf_counter()
        for _ in range(20):
            a @ a
        synchronize()
        best = max(best, 20 * 2 * size ** 3 / (time.perf_counter() - start) / 1e12)
    return {"rate": best}


def main():
    rows = {row.__name__: row for row in (simclr, mae, mlm, scarf, ts2vec, matmul)}
    for line in sys.stdin:
        request = json.loads(line)
        torch.manual_seed(0)
        try:
            if DEVICE == "cuda":
                torch.cuda.reset_peak_memory_stats()
            answer = rows[request.pop("row")](**request)
            if DEVICE == "cuda":
                answer["memory"] = torch.cuda.max_memory_reserved() / 2 ** 20
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        answer["torch"] = torch.__version__
        print(json.dumps(answer), flush=True)
        gc.collect()
        if DEVICE == "cuda":
            torch.cuda.empty_cache()


if __name__ == "__main__":
    main()
