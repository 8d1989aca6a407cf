using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static Ssl.StandIns.Tests.TorchSharpTests.Reference;
using static TorchSharp.torch;

namespace Ssl.StandIns.Tests.TorchSharpTests;

/// <summary>Functions, layers, autograd, optimizers: the numbers of Python's torch; modules as in the real TorchSharp.</summary>
[TestClass]
public sealed class NetworkTests
{
    private DisposeScope? _scope;

    [TestInitialize]
    public void Begin() => _scope = NewDisposeScope();

    [TestCleanup]
    public void End() => _scope!.Dispose();

    [TestMethod]
    public void Losses()
    {
        Tensor x = Wave(0, 3, 4), y = Wave(1, 3, 4), ids = tensor(new long[] { 0, 2, 1 });
        AssertEqual("cross_entropy", nn.functional.cross_entropy(x, ids, label_smoothing: 0.1));
        AssertEqual("cross_entropy_ignore", nn.functional.cross_entropy(x, tensor(new long[] { 0, -100, 1 }), reduction: nn.Reduction.Sum));
        AssertEqual("nll_loss", nn.functional.nll_loss(x.log_softmax(1), ids));
        AssertEqual("mse", nn.functional.mse_loss(x, y));
        AssertEqual("smooth_l1", nn.functional.smooth_l1_loss(x, y, beta: 0.5));
        AssertEqual("bce_logits", nn.functional.binary_cross_entropy_with_logits(x, y.sigmoid()));
        AssertEqual("cosine", nn.functional.cosine_similarity(x, y, 1));
        AssertEqual("kl_div", nn.functional.kl_div(x.log_softmax(1), y.log_softmax(1), true, nn.Reduction.Sum));
    }

    [TestMethod]
    public void FunctionsOfLayers()
    {
        Tensor x = Wave(0, 3, 4), image = Wave(3, 2, 3, 6, 6), ids = tensor(new long[] { 0, 2, 1 });
        AssertEqual("gelu", nn.functional.gelu(x));
        AssertEqual("layer_norm", nn.functional.layer_norm(x, [4], Wave(4, 4), Wave(5, 4)));
        AssertEqual("group_norm", nn.functional.group_norm(image, 3));
        AssertEqual("one_hot", nn.functional.one_hot(ids, 4));
        AssertEqual("pad_constant", nn.functional.pad(x, [1, 0, 0, 2], value: 9));
        AssertEqual("pad_reflect", nn.functional.pad(image, [1, 2, 2, 1], PaddingModes.Reflect));
        AssertEqual("interpolate", nn.functional.interpolate(image, [4, 3], mode: InterpolationMode.Bilinear, align_corners: false));
        AssertEqual("interpolate_nearest", nn.functional.interpolate(image, scale_factor: [0.5, 0.5]));
        var theta = tensor(new[] { 0.8f, 0.1f, 0.05f, -0.1f, 0.7f, 0.1f }, [1, 2, 3]).repeat(2, 1, 1);
        var grid = nn.functional.affine_grid(theta, [2, 3, 5, 5]);
        AssertEqual("grid_sample", nn.functional.grid_sample(image, grid, GridSampleMode.Bilinear, GridSamplePaddingMode.Reflection, false));
        AssertEqual("conv2d", nn.functional.conv2d(image, Wave(6, 4, 3, 3, 3), Wave(7, 4), [2, 2], [1, 1]));
        AssertEqual("conv1d", nn.functional.conv1d(Wave(8, 2, 3, 9), Wave(9, 6, 1, 3), dilation: 2, groups: 3));
        AssertEqual("max_pool2d", nn.functional.max_pool2d(image, 2));
        AssertEqual("avg_pool2d", nn.functional.avg_pool2d(image, 3, 2, 1));
        AssertEqual("adaptive", nn.functional.adaptive_avg_pool2d(image, [2, 3]));
    }

    [TestMethod]
    public void Attention()
    {
        Tensor q = Wave(1, 2, 2, 5, 4), k = Wave(2, 2, 2, 5, 4), v = Wave(3, 2, 2, 5, 4);
        var mask = tensor(new[] { true, true, false, true, true }).expand(5, 5);
        AssertEqual("attention", nn.functional.scaled_dot_product_attention(q, k, v, mask));
        AssertEqual("attention_causal", nn.functional.scaled_dot_product_attention(q, k, v, is_casual: true));
    }

    [TestMethod]
    public void EmbeddingBagLeavesPaddingOut()
    {
        using var bag = nn.EmbeddingBag_from_pretrained(Wave(0, 5, 3), mode: EmbeddingBagMode.Mean, padding_index: 0);
        AssertEqual("embedding_bag", bag.call(tensor(new long[] { 0, 1, 0, 2, 3, 4 }, [2, 3])));
    }

    [TestMethod]
    public void BatchNormKeepsRunningStatistics()
    {
        using var norm = nn.BatchNorm1d(4, momentum: 0.3);
        norm.call(Wave(0, 3, 4));
        AssertEqual("batch_norm_train", norm.call(Wave(1, 3, 4)));
        AssertEqual("batch_norm_mean", norm.running_mean!);
        AssertEqual("batch_norm_variance", norm.running_var!);
        norm.eval();
        AssertEqual("batch_norm_eval", norm.call(Wave(0, 3, 4)));
        Assert.AreEqual(2, norm.num_batches_tracked!.item<long>());
    }

    [TestMethod]
    public void GradientsAndClipping()
    {
        using var model = Network();
        var loss = nn.functional.cross_entropy(model.call(Wave(0, 3, 4)), tensor(new long[] { 0, 2, 1 }));
        loss.backward();
        AssertEqual("network_loss", loss);
        var weight = ((Linear)model[0]).weight;
        AssertEqual("network_grad", weight.grad!);
        AssertEqual("clip_norm", tensor(nn.utils.clip_grad_norm_(model.parameters(), 0.5)));
        AssertEqual("clipped_grad", weight.grad!);
        model.zero_grad();
        Assert.IsNull(weight.grad);
    }

    [TestMethod]
    [DataRow("sgd")]
    [DataRow("sgd_nesterov")]
    [DataRow("adam")]
    [DataRow("adamw")]
    [DataRow("adamw_amsgrad")]
    public void OptimizersGoPythonsWay(string name)
    {
        using var model = Network();
        using optim.Optimizer optimizer = name switch
        {
            "sgd" => optim.SGD(model.parameters(), 0.1, momentum: 0.9, weight_decay: 0.01),
            "sgd_nesterov" => optim.SGD(model.parameters(), 0.1, momentum: 0.8, nesterov: true),
            "adam" => optim.Adam(model.parameters(), 0.01, 0.8, 0.99, weight_decay: 0.05),
            "adamw" => optim.AdamW(model.parameters(), 0.01, 0.9, 0.95, weight_decay: 0.1),
            _ => optim.AdamW(model.parameters(), 0.01, weight_decay: 0.1, amsgrad: true),
        };
        var ids = tensor(new long[] { 0, 2, 1 });
        for (var step = 0; step < 5; step++)
        {
            optimizer.zero_grad();
            nn.functional.cross_entropy(model.call(Wave(0, 3, 4) + step), ids).backward();
            optimizer.step();
        }
        AssertEqual("optimizer_" + name, cat([.. model.parameters().Select(parameter => parameter.flatten())]), 2e-4);
    }

    [TestMethod]
    public void AdamWOverListsGivesWhatThePassGives()
    {
        Tensor Trained(bool oneStranger)
        {
            // A parameter of another type keeps the whole group from the single pass.
            var stranger = new Parameter(ones(1, dtype: ScalarType.Float64));
            using var model = Network();
            var parameters = oneStranger ? model.parameters().Append(stranger) : model.parameters();
            using var optimizer = optim.AdamW(parameters, 0.01, weight_decay: 0.1);
            for (var step = 0; step < 3; step++)
            {
                optimizer.zero_grad();
                var loss = nn.functional.cross_entropy(model.call(Wave(0, 3, 4) + step), tensor(new long[] { 0, 2, 1 }));
                (loss + stranger.sum().to(ScalarType.Float32)).backward();
                optimizer.step();
            }
            return cat([.. model.parameters().Select(parameter => parameter.flatten())]).detach();
        }
        Assert.IsTrue(Trained(false).allclose(Trained(true), 1e-5, 1e-6));
    }

    [TestMethod]
    public void OptimizerStateGoesToAnother()
    {
        using var model = Network();
        using var first = optim.AdamW(model.parameters(), 0.02);
        nn.functional.mse_loss(model.call(Wave(0, 3, 4)), zeros(3, 3)).backward();
        first.step();
        using var second = optim.AdamW(model.parameters());
        second.load_state_dict(first.state_dict());
        var state = (AdamW.State)second.state_dict().State[0];
        Assert.AreEqual(1, state.step);
        Assert.IsTrue(state.exp_avg!.Equals(((AdamW.State)first.state_dict().State[0]).exp_avg!));
        Assert.AreEqual(0.02, second.ParamGroups.Single().LearningRate);
    }

    [TestMethod]
    public void GradModes()
    {
        var x = ones(2, requires_grad: true);
        using (no_grad())
        {
            Assert.IsFalse((x * 2).requires_grad);
            using (enable_grad()) Assert.IsTrue((x * 2).requires_grad);
        }
        using (inference_mode()) Assert.IsFalse((x * 2).requires_grad);
        Assert.IsTrue((x * 2).requires_grad);
        var gradient = autograd.grad([(x * x).sum()], [x])[0];
        CollectionAssert.AreEqual(new float[] { 2, 2 }, gradient.data<float>().ToArray());
        Assert.IsNull(x.grad);
    }

    [TestMethod]
    public void NamesFollowFieldsAndAttributes()
    {
        using var model = new Named();
        CollectionAssert.AreEqual(
            new[] { "scale", "_first.weight", "_first.bias", "proj.weight", "_blocks.0.weight", "_blocks.1.weight" },
            model.named_parameters().Select(item => item.name).ToArray());
        CollectionAssert.AreEqual(
            new[] { "scale", "_first.weight", "_first.bias", "proj.weight", "_blocks.0.weight", "_blocks.1.weight", "_table" },
            model.state_dict().Keys.OrderBy(key => key == "_table").ToArray());
        model.eval();
        Assert.IsFalse(model.modules().Any(module => module.training));
    }

    [TestMethod]
    public void StateDictionariesGoAcross()
    {
        using Named one = new(), two = new();
        two.load_state_dict(one.state_dict());
        Assert.IsTrue(one.parameters().Zip(two.parameters()).All(pair => pair.First.Equals(pair.Second)));
        var incomplete = one.state_dict();
        incomplete.Remove("_table");
        Assert.ThrowsExactly<InvalidOperationException>(() => two.load_state_dict(incomplete));
        Assert.AreEqual("_table", two.load_state_dict(incomplete, strict: false).missing_keys.Single());
    }

    [TestMethod]
    public void ConversionReplacesParametersInTheirFields()
    {
        using var model = new Named();
        model.to(ScalarType.Float64);
        Assert.IsTrue(model.parameters().All(parameter => parameter.dtype == ScalarType.Float64));
        Assert.AreEqual(ScalarType.Float64, model.Scale.dtype);
        Assert.AreEqual(ScalarType.Float64, model.First.weight.dtype);
        Assert.IsFalse(model.call(ones(1, 4, dtype: ScalarType.Float64)).IsInvalid);
    }

    private static Sequential Network()
    {
        var model = nn.Sequential(nn.Linear(4, 8), nn.LayerNorm(8), nn.GELU(), nn.Linear(8, 3));
        using var _ = no_grad();
        var index = 0;
        foreach (var parameter in model.parameters()) parameter.copy_(Wave(index++, parameter.shape) * 0.5);
        return model;
    }

    private sealed class Named : nn.Module<Tensor, Tensor>
    {
        private readonly Linear _first = nn.Linear(4, 4);
        [ComponentName(Name = "proj")] private readonly Linear _projection = nn.Linear(4, 2, hasBias: false);
        private readonly ModuleList<Linear> _blocks = nn.ModuleList(nn.Linear(2, 2, hasBias: false), nn.Linear(2, 2, hasBias: false));
        [ComponentName(Name = "scale")] private readonly Parameter _scale = new(ones(2));
        private readonly Tensor _table = ones(3);

        public Named() : base(nameof(Named)) => RegisterComponents();

        public Parameter Scale => _scale;

        public Linear First => _first;

        public override Tensor forward(Tensor input) => _projection.call(_first.call(input)) * _scale + _table.sum() * 0;
    }
}
