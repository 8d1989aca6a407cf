using System.Reflection;
using Ssl.Estimators.Training.Checkpoints;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Training;

[TestClass]
public class RunIdentityTests
{
    private static IEnumerable<Type> OptionTypes => typeof(PretrainingOptions).Assembly.GetTypes()
        .Where(type => (type.IsSubclassOf(typeof(PretrainingOptions)) || type.IsSubclassOf(typeof(FineTuningOptions))) && !type.IsAbstract);

    [TestMethod]
    public void EveryOptionIsPartOfTheIdentityOrSaysWhyNot()
    {
        var seen = new HashSet<string>();
        foreach (Type type in OptionTypes)
        {
            object options = Activator.CreateInstance(type)!;
            string[] names = [.. RunIdentity.OfOptions(options).Values.Keys.Select(name => name.Split('.')[0]).Distinct()];
            foreach (PropertyInfo property in type.GetProperties().Where(property => property.CanWrite))
            {
                if (property.GetCustomAttribute<NotPartOfIdentityAttribute>() is { } excluded)
                {
                    Assert.IsTrue(excluded.Reason.EndsWith('.'), $"{type.FullName}.{property.Name}: a sentence says why");
                    Assert.DoesNotContain(property.Name, names);
                    seen.Add(property.Name);
                }
                else
                {
                    Assert.Contains(property.Name, names, $"{type.FullName}.{property.Name}");
                }
            }
        }
        Assert.IsGreaterThan(30, OptionTypes.Count());
        // What may differ, by name: a new exception has to be thought about here, too.
        CollectionAssert.AreEquivalent(new[]
        {
            "CacheLimit", "CancellationToken", "CheckpointPath", "EarlyStoppingPatience", "Encoder", "IncludeInputFeatures", "MaximumAnswerWords", "MaximumTrainingTime",
            "MinimumNumberOfSteps", "OutputColumnName", "Patience", "Progress", "RecomputesBatchStatistics", "Seed", "ShuffleBufferSize", "TopK",
        }, seen.ToArray());
    }

    [TestMethod]
    public void AnyOtherValueOfANumberOrSwitchIsAnotherIdentity()
    {
        int changed = 0;
        foreach (Type type in OptionTypes)
        {
            IReadOnlyDictionary<string, string> plain = RunIdentity.OfOptions(Activator.CreateInstance(type)!).Values;
            foreach (PropertyInfo property in type.GetProperties().Where(p => p.CanWrite && p.GetCustomAttribute<NotPartOfIdentityAttribute>() is null))
            {
                object options = Activator.CreateInstance(type)!;
                object? other = property.GetValue(options) switch
                {
                    int number => number + 1,
                    float number => MathF.BitIncrement(number),
                    double number => Math.BitIncrement(number),
                    bool flag => !flag,
                    string text => text + "x",
                    _ => null,
                };
                if (other is null)
                    continue;
                property.SetValue(options, other);
                changed++;
                var names = RunIdentity.OfOptions(options).Values.Where(item => plain[item.Key] != item.Value).Select(item => item.Key);
                CollectionAssert.AreEqual(new[] { property.Name }, names.ToArray(), $"{type.FullName}.{property.Name}");
            }
        }
        Assert.IsGreaterThan(300, changed);
    }

    [TestMethod]
    public void JsonBecomesAValueForEachProperty()
    {
        var identity = new RunIdentity().Set("Encoder", null).Set("Encoder", TabularEncoders.Mlp(2, 16).ToJson()).Set("Rows", 96L);
        Assert.IsNull(identity.Find("Encoder"), "the value of before is replaced");
        Assert.AreEqual("tabular.mlp", identity.Find("Encoder.kind"));
        var other = new RunIdentity().Set("Encoder", TabularEncoders.Mlp(3, 16).ToJson()).Set("Rows", 96L);
        var fault = Assert.ThrowsExactly<InvalidOperationException>(() => other.RequireSameAs(identity, "a.run"));
        StringAssert.Matches(fault.Message, new("^CheckpointPath 'a.run' holds a run with Encoder\\.\\w+ 2, this one has 3\\. "));
        identity.RequireSameAs(RunIdentity.FromJson(identity.ToJson()), "a.run");
    }

    [TestMethod]
    public void OfManyDifferencesFiveAreNamed()
    {
        var (one, other) = (new RunIdentity(), new RunIdentity());
        for (int i = 0; i < 8; i++)
        {
            one.Set($"Option{i}", 0);
            other.Set($"Option{i}", 1);
        }
        var fault = Assert.ThrowsExactly<InvalidOperationException>(() => other.RequireSameAs(one, "a.run"));
        StringAssert.Contains(fault.Message, "Option4 0, this one has 1; and 3 more. Delete the file");
    }

    [TestMethod]
    public void AViewIsItsTypesAndNumbers()
    {
        string text = StableText.Of(ImageViews.Compose(new Solarize(share: 0.25), new UsersView(3)));
        StringAssert.Contains(text, "Solarize(");
        StringAssert.Contains(text, "0.25");
        StringAssert.Contains(text, "UsersView(amount: 3)");
        Assert.AreEqual(text, StableText.Of(ImageViews.Compose(new Solarize(share: 0.25), new UsersView(3))));
        Assert.AreNotEqual(text, StableText.Of(ImageViews.Compose(new Solarize(share: 0.26), new UsersView(3))));
        Assert.AreNotEqual(text, StableText.Of(ImageViews.Compose(new Solarize(share: 0.25), new UsersView(4))));
    }

    [TestMethod]
    public void LongTextsAreCutAndStillDiffer()
    {
        int[] many = [.. Enumerable.Range(0, 1000)];
        string text = StableText.Of("Many", many).Single().Text;
        Assert.IsLessThan(200, text.Length);
        StringAssert.StartsWith(text, "[0, 1, 2, ");
        many[^1] = 998;     // as long as before
        Assert.AreNotEqual(text, StableText.Of("Many", many).Single().Text);
    }

    [TestMethod]
    public void WhatHoldsItselfHasAnEnd()
    {
        var loop = new Loop();
        loop.Next = loop;
        StringAssert.StartsWith(StableText.Of(loop), "Loop(Next: Loop(");
    }

    private sealed class Loop
    {
        public Loop? Next { get; set; }
    }

    private sealed class UsersView(int amount) : ImageView
    {
        public override Tensor Apply(Tensor images, Generator generator) => images.roll(amount, 3);
    }
}
