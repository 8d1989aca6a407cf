using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Methods;

namespace Ssl.Estimators.Tests.Methods;

/// <summary>Rules that options state on themselves.</summary>
[TestClass]
public sealed class OptionRuleTests
{
    private sealed class Example
    {
        [OptionRange(Above = 0)]
        public float Temperature { get; set; } = 1;

        [OptionRange(Minimum = 0, Below = 1)]
        public double Momentum { get; set; }

        [OptionRange(Minimum = 2, Maximum = 1000)]
        public int Permutations { get; set; } = 2;

        [OptionRange(Above = 0)]
        public float? Sigma { get; set; }

        [OptionRange(Above = 0)]
        public TimeSpan? Time { get; set; }

        [NotEmpty]
        public string Name { get; set; } = "a";

        [NotEmpty(AllowsNull = true)]
        public string? Path { get; set; }

        public DayOfWeek Day { get; set; }

        public int Free { get; set; } = -1;
    }

    private static string[] Faults(Action<Example> change)
    {
        var example = new Example();
        change(example);
        var faults = new OptionFaults();
        OptionRuleAttribute.Check(example, faults);
        try
        {
            faults.ThrowIfAny();
            return [];
        }
        catch (ArgumentOutOfRangeException fault)
        {
            return [fault.ParamName!, fault.Message];
        }
    }

    [TestMethod]
    public void What_is_allowed_is_not_a_fault()
    {
        Assert.IsEmpty(Faults(_ => { }));
        Assert.IsEmpty(Faults(e => (e.Momentum, e.Permutations, e.Sigma, e.Time) = (0.999, 1000, 0.1f, TimeSpan.FromSeconds(1))));
    }

    [TestMethod]
    public void Edges_and_what_is_no_number()
    {
        foreach (var change in (Action<Example>[])
            [e => e.Temperature = 0, e => e.Temperature = float.NaN, e => e.Temperature = float.PositiveInfinity, e => e.Momentum = 1,
                e => e.Momentum = -1e-9, e => e.Permutations = 1, e => e.Permutations = 1001, e => e.Sigma = 0, e => e.Time = TimeSpan.Zero,
                e => e.Name = " ", e => e.Name = null!, e => e.Path = "", e => e.Day = (DayOfWeek)7])
            Assert.HasCount(2, Faults(change));
    }

    [TestMethod]
    public void All_faults_are_told_at_once_in_the_order_of_the_options()
    {
        var fault = Faults(e => (e.Temperature, e.Momentum, e.Permutations, e.Name, e.Path, e.Day) = (-1, 1, 1, "", " ", (DayOfWeek)8));
        Assert.AreEqual("Temperature", fault[0]);
        Assert.AreEqual("Temperature must be greater than 0, got -1. Momentum must be at least 0 and less than 1, got 1. "
            + "Permutations must be between 2 and 1000, got 1. Name must not be empty, got \"\". Path must not be empty, got \" \". "
            + "Day must be one of Sunday, Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, got 8. (Parameter 'Temperature')", fault[1]);
    }
}
