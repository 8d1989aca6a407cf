using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Tasks;
using Ssl.Estimators.Transformers;
using Ssl.Estimators.Views;
using Ssl.MLNet;
using static TorchSharp.torch;

namespace Ssl.Bench;

/// <summary>SimCLR with ResNet-18 on CIFAR-10 on a GPU, in mixed precision, against eager PyTorch with the same network and views there.</summary>
/// <remarks>SSL_PYTHON names a Python whose torch knows the GPU. The quick form computes a few steps, on the CPU where there is no GPU.</remarks>
public sealed class ImagesGpu : BenchCase
{
    private const int Neighbors = 20;

    // ResNet-18 with a 3x3 stem, SimCLR's two views drawn batched on the device, autocast to bfloat16.
    private const string PeerProgram =
        """
        import gzip, json, math, os, sys, time
        import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
        data, (n, tests, batch, epochs, width), device = sys.argv[2], map(int, sys.argv[3:8]), sys.argv[8]
        torch.manual_seed(0)
        def read(name, count):
            rows = np.frombuffer(gzip.open(f"{data}/cifar10/{name}.bin.gz").read(), np.uint8).reshape(-1, 3073)[:count]
            return torch.tensor(rows[:, 1:]).view(-1, 3, 32, 32).to(device), torch.tensor(rows[:, 0].astype(np.int64)).to(device)
        class Block(nn.Module):
            def __init__(self, i, o, s):
                super().__init__()
                self.c1, self.b1 = nn.Conv2d(i, o, 3, s, 1, bias=False), nn.BatchNorm2d(o)
                self.c2, self.b2 = nn.Conv2d(o, o, 3, 1, 1, bias=False), nn.BatchNorm2d(o)
                self.short = nn.Sequential() if s == 1 and i == o else nn.Sequential(nn.Conv2d(i, o, 1, s, bias=False), nn.BatchNorm2d(o))
            def forward(self, x):
                return F.relu(self.b2(self.c2(F.relu(self.b1(self.c1(x))))) + self.short(x))
        layers, i = [nn.Conv2d(3, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()], width
        for k, o in enumerate((width, 2 * width, 4 * width, 8 * width)):
            layers += [Block(i, o, 1 if k == 0 else 2), Block(o, o, 1)]; i = o
        encoder = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten()).to(device)
        head = nn.Sequential(nn.Linear(i, i), nn.ReLU(), nn.Linear(i, 128)).to(device)
        X, y = read("train", n); Xte, yte = read("test", tests)
        mean, std = (f(X[:4096].float().div(255), (0, 2, 3), keepdim=True) for f in (torch.mean, torch.std))
        gray_weights = torch.tensor([.2989, .587, .114], device=device).view(1, 3, 1, 1)
        def uniform(n, low, high): return torch.rand(n, 1, 1, 1, device=device) * (high - low) + low
        def hue(x, turn):
            r, g, b = x[:, :1], x[:, 1:2], x[:, 2:]
            value = x.amax(1, keepdim=True); chroma = value - x.amin(1, keepdim=True); none = chroma == 0; d = chroma.masked_fill(none, 1)
            h = torch.where(value == r, (g - b) / d, torch.where(value == g, (b - r) / d + 2, (r - g) / d + 4)).masked_fill(none, 0)
            k = (((h / 6 + turn) % 1) * 6 + torch.tensor([5., 3., 1.], device=device).view(1, 3, 1, 1)) % 6
            return (value - chroma * torch.minimum(k, 4 - k).clamp(0, 1)).clamp(0, 1)
        def view(x):
            m = len(x)
            area, ratio = torch.rand(m, device=device) * .92 + .08, torch.exp((torch.rand(m, device=device) * 2 - 1) * math.log(4 / 3))
            w, h = (area * ratio).sqrt().clamp(max=1), (area / ratio).sqrt().clamp(max=1)
            theta = torch.zeros(m, 2, 3, device=device)
            theta[:, 0, 0] = w * (1 - 2 * (torch.rand(m, device=device) < .5).float()); theta[:, 1, 1] = h
            theta[:, 0, 2] = (torch.rand(m, device=device) * 2 - 1) * (1 - w); theta[:, 1, 2] = (torch.rand(m, device=device) * 2 - 1) * (1 - h)
            x = F.grid_sample(x, F.affine_grid(theta, list(x.shape), align_corners=False), align_corners=False)
            hit = (torch.rand(m, 1, 1, 1, device=device) < .8).float()
            factor = lambda: uniform(m, -.4, .4) * hit + 1
            x = (x * factor()).clamp(0, 1)
            f = factor(); x = (x * f + (1 - f) * (x * gray_weights).sum(1, keepdim=True).mean((1, 2, 3), keepdim=True)).clamp(0, 1)
            f = factor(); x = (x * f + (1 - f) * (x * gray_weights).sum(1, keepdim=True)).clamp(0, 1)
            x = hue(x, uniform(m, -.1, .1) * hit)
            return torch.where(torch.rand(m, 1, 1, 1, device=device) < .2, (x * gray_weights).sum(1, keepdim=True).expand_as(x), x)
        opt = torch.optim.AdamW([*encoder.parameters(), *head.parameters()], 2e-3, weight_decay=1e-4)
        steps, step = epochs * (n // batch), 0
        def sync():
            if device == "cuda": torch.cuda.synchronize()
        def run(epochs, schedule=True):
            global step
            sync(); start, seen = time.perf_counter(), 0
            for _ in range(epochs):
                order = torch.randperm(n, device=device)
                for first in range(0, n - batch + 1, batch):
                    p = (step + .5) / steps; step += schedule
                    for g in opt.param_groups: g["lr"] = 0 if not schedule else 2e-3 * (p / .05 if p < .05 else .5 * (1 + math.cos(math.pi * (p - .05) / .95)))
                    with torch.no_grad():
                        x = X[order[first:first + batch]].float().div(255); v = (torch.cat([view(x), view(x)]) - mean) / std
                    with torch.autocast(device, dtype=torch.bfloat16, enabled=device == "cuda"): e = encoder(v)
                    z = F.normalize(head(e.float()), dim=1); s = z @ z.t() / .5; s.fill_diagonal_(-1e9)
                    loss = F.cross_entropy(s, torch.arange(2 * batch, device=device).roll(batch))
                    opt.zero_grad(set_to_none=True); loss.backward(); torch.nn.utils.clip_grad_norm_(encoder.parameters(), 1.0); opt.step(); seen += batch
            sync(); return seen / (time.perf_counter() - start)
        if device == "cuda": run(1, schedule=False)
        rate = run(epochs)
        encoder.eval()
        with torch.no_grad():
            embed = lambda X: F.normalize(torch.cat([encoder((X[i:i + 500].float().div(255) - mean) / std) for i in range(0, len(X), 500)]), dim=1)
            near = (embed(Xte) @ embed(X).t()).topk(20, 1)[1]
            knn = 100 * (F.one_hot(y[near], 10).sum(1).argmax(1) == yte).float().mean().item()
        json.dump({"rate": rate, "knn": knn}, open(os.environ["PEER_OUT"], "w"))
        """;

    /// <inheritdoc/>
    public override string Name => "images-gpu";

    /// <inheritdoc/>
    public override int Minutes => 8;

    /// <inheritdoc/>
    public override string Description
        => "images/s of SimCLR with ResNet-18, batch 512, bfloat16, on a GPU against eager PyTorch on it; neighbors after equal epochs";

    /// <inheritdoc/>
    public override void Run(BenchSettings settings, BenchResults results)
    {
        bool gpu = cuda.is_available();
        if (!gpu && !settings.Quick)
            throw new BenchUnavailableException("images-gpu needs a CUDA GPU and the TorchSharp-cuda package (SslTorch=cuda); --quick shows on the CPU that it works.");
        var (batch, epochs, width) = settings.Quick ? (32, 1, 8) : (512, 60, 64);
        var mlContext = new MLContext(seed: BenchResults.Seed) { GpuDeviceId = gpu ? 0 : null };
        IDataView all = BenchImages.Cifar(mlContext), test = BenchImages.Cifar(mlContext, test: true);
        var training = settings.Quick ? mlContext.Data.TakeRows(all, 16 * batch) : all;
        if (settings.Quick)
            test = mlContext.Data.TakeRows(test, 1_000);
        uint[] labels = [.. training.GetColumn<uint>("Label")], testLabels = [.. test.GetColumn<uint>("Label")];
        var peer = Peer.Run(settings, PeerProgram, Environment.GetEnvironmentVariable("SSL_DATA")!, $"{labels.Length}",
            $"{testLabels.Length}", $"{batch}", $"{epochs}", $"{width}", gpu ? "cuda" : "cpu");

        var trainer = (int passes, double learningRate) => mlContext.SelfSupervised().Images.SimClr(new SimClrTrainer.Options
        {
            Encoder = ImageEncoders.ResNet18(imageSize: 32, channels: 3, stem: ImageStem.Small, width: width),
            View = ImageViews.Photos(new ImageShape(3, 32, 32)),
            BatchSize = batch, NumberOfEpochs = passes, LearningRate = learningRate, Temperature = 0.5f, MixedPrecision = gpu,
        });
        // The first run of a process pays for choosing kernels; both sides leave it out.
        if (gpu)
            trainer(1, 1e-8).Fit(training).Dispose();
        var rate = 0.0;
        using var encoder = Train();
        float[][] Embed(IDataView data) => [.. encoder.Transform(data).GetColumn<float[]>("Features")];
        using var scope = NewDisposeScope();
        var neighbors = new EmbeddingQuality(Embed(training), labels, Embed(test), testLabels).NearestNeighbors(Neighbors);
        results.Add("images/s, reading included", rate, "images/s", (double)peer["rate"]!);
        results.Add($"{Neighbors} nearest neighbors after {epochs} epochs", neighbors, "%", (double)peer["knn"]!);
        results.Note($"CIFAR-10, {labels.Length:N0} images, {epochs} epochs, batch {batch}, ResNet-18 with a 3x3 stem, temperature 0.5, {(gpu ? "bfloat16, one GPU" : $"width {width}, Float32, CPU")}, seed {BenchResults.Seed}.");
        results.Note("Reference: eager PyTorch with autocast, the same network and views drawn on the same device, the images held there.");
        results.Note("lightly reports 84.7 after 200 epochs on all 50,000 images: another length, not to be compared directly.");

        EncoderTransformer Train()
        {
            EncoderTransformer? trained = null;
            var seconds = Measure.Seconds(() => trained = trainer(epochs, 2e-3).Fit(training));
            rate = (double)epochs * (labels.Length / batch * batch) / seconds;
            return trained!;
        }
    }
}
