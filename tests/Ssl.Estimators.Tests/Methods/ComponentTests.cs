using System.Reflection;
using Ssl.Estimators.Randomness;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Methods;

/// <summary>What every encoder and method registers: each tensor once, and every one that has to move with the network.</summary>
[TestClass]
public sealed class ComponentTests
{
    private static IEnumerable<(string Name, nn.Module Module)> All(RandomStreams streams)
    {
        foreach (var (name, create) in AllMethods.Encoders)
            yield return (name, create(streams));
        var view = ImageViews.Compose(new LearnableCrop(12, 12, minimumArea: 0.5), new LearnableColorJitter());
        yield return ("SimClr with a learned view",
            new SimClrTrainer.Method((ImageEncoder)AllMethods.Encoders["image.convnet"](streams), streams, new() { View = view }));
        foreach (var type in AllMethods.Methods)
        {
            var made = AllMethods.Make(type, streams).ToArray();
            Assert.IsNotEmpty(made, $"{type.Name} was not made with any encoder.");
            foreach (var (name, method) in made)
                yield return (name, method);
        }
    }

    [TestMethod]
    public void Each_tensor_is_registered_once()
    {
        using var streams = new RandomStreams(1);
        var faults = new List<string>();
        foreach (var (name, module) in All(streams))
        {
            using (module)
            {
                (string Name, Tensor Tensor)[] tensors = [.. module.named_parameters().Select(p => (p.name, (Tensor)p.parameter)),
                    .. module.named_buffers().Select(b => (b.name, b.buffer))];
                faults.AddRange(tensors.GroupBy(t => t.Name).Where(group => group.Count() > 1)
                    .Select(group => $"{name}: two '{group.Key}'"));
                faults.AddRange(tensors.GroupBy(t => t.Tensor.Handle).Where(group => group.Count() > 1)
                    .Select(group => $"{name}: {string.Join(" = ", group.Select(t => t.Name))}"));
                // The same memory under another handle: a state dictionary, and so every checkpoint and archive, would hold it twice.
                faults.AddRange(module.state_dict().Where(t => t.Value.numel() > 0).GroupBy(t => Address(t.Value))
                    .Where(group => group.Count() > 1)
                    .Select(group => $"{name}: one memory {string.Join(" = ", group.Select(t => t.Key))}"));
                if (module.state_dict().Keys.Except(tensors.Select(t => t.Name)).ToArray() is { Length: > 0 } more)
                    faults.Add($"{name}: only in the state dictionary: {string.Join(", ", more)}");
            }
        }
        Assert.IsEmpty(faults, string.Join(Environment.NewLine, faults.Distinct()));
    }

    [TestMethod]
    public void Nothing_that_was_there_before_a_move_is_used_after_it()
    {
        using var streams = new RandomStreams(1);
        var faults = new List<string>();
        var checkedFields = 0;
        foreach (var (name, module) in All(streams))
        {
            using (module)
            {
                module.to(ScalarType.Float64);
                foreach (var (path, tensor) in Tensors(module, name, []))
                {
                    checkedFields++;
                    if (tensor.IsInvalid)
                        faults.Add($"{path} is gone");
                    else if (tensor.is_floating_point() && tensor.dtype != ScalarType.Float64)
                        faults.Add($"{path} stayed {tensor.dtype}");
                }
            }
        }
        Assert.IsGreaterThan(500, checkedFields);
        Assert.IsEmpty(faults, string.Join(Environment.NewLine, faults.Distinct()));
    }

    // Every tensor in a field of a module, of its base classes, and of what it holds.
    private static IEnumerable<(string Path, Tensor Tensor)> Tensors(object owner, string path, HashSet<object> seen)
    {
        if (!seen.Add(owner))
            yield break;
        for (var type = owner.GetType(); type is not null && type.Assembly == typeof(Encoder).Assembly; type = type.BaseType)
        {
            foreach (var field in type.GetFields(BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public
                | BindingFlags.DeclaredOnly))
            {
                var value = field.GetValue(owner);
                if (value is RandomStreams or Generator)
                    continue;
                var items = value is System.Collections.IEnumerable all and not string ? all.Cast<object?>() : [value];
                foreach (var (item, i) in items.Select((item, i) => (item, i)))
                {
                    if (item is Tensor tensor)
                        yield return ($"{path}.{field.Name}[{i}]", tensor);
                    else if (item is not null && item.GetType().Assembly == typeof(Encoder).Assembly && item.GetType().IsClass)
                        foreach (var inner in Tensors(item, $"{path}.{field.Name}[{i}]", seen))
                            yield return inner;
                }
            }
        }
    }

    private static unsafe nint Address(Tensor tensor)
    {
        fixed (byte* first = tensor.bytes)
            return (nint)first;
    }
}
