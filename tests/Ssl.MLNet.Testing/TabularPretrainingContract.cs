using Microsoft.ML.Data;
using Ssl.Estimators;

namespace Ssl.MLNet.Testing;

/// <summary>A customer: mixed columns that depend on each other.</summary>
public sealed class CustomerRow : ContractRow
{
    public float Income { get; set; }

    public int Age { get; set; }

    public bool Member { get; set; }

    public string Work { get; set; } = "";

    [VectorType(3)]
    public float[] Visits { get; set; } = [0, 0, 0];
}

/// <summary>The contract of a method for tables.</summary>
public abstract class TabularPretrainingContract : PretrainingContract<CustomerRow>
{
    private static readonly string[] Works = ["farm", "office", "school", "ship"];

    protected static readonly string[] Columns = ["Income", "Age", "Member", "Work", "Visits"];

    protected override IReadOnlyList<string> TrainingColumns => Columns;

    /// <summary>The options of a method, small.</summary>
    protected static TOptions Small<TOptions>(Action<PretrainingOptions>? change, TabularEncoderFactory? encoder = null)
        where TOptions : TabularPretrainingOptions, new()
    {
        var options = new TOptions { InputColumnNames = Columns, Encoder = encoder ?? TabularEncoders.Mlp(2, 16), BatchSize = 16,
            NumberOfEpochs = 2 };
        change?.Invoke(options);
        return options;
    }

    protected override List<CustomerRow> Rows(int count, int seed = 1)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            var kind = random.Next(Works.Length);
            return new CustomerRow
            {
                Id = i,
                Label = Works[kind],
                Numbers = [i, -i],
                Income = i % 11 == 0 ? float.NaN : kind * 10 + random.NextSingle(),
                Age = 20 + 10 * kind + random.Next(5),
                Member = kind > 1,
                Work = i % 13 == 0 ? "" : Works[kind],
                Visits = [kind + random.NextSingle(), -kind + random.NextSingle(), random.NextSingle()],
            };
        })];
    }

    // Integers and booleans are never missing.
    protected override (IReadOnlyList<CustomerRow> Rows, string Word) Unusable => ([], "0 instances");

    protected override IReadOnlyList<CustomerRow> Odd =>
    [
        new() { Income = float.NaN, Work = "", Visits = [float.NaN, float.NaN, float.NaN] },
        new() { Income = float.PositiveInfinity, Age = int.MaxValue, Work = "never seen",
            Visits = [float.NegativeInfinity, 1e30f, -1e30f] },
        new() { Income = float.MaxValue, Age = int.MinValue, Work = new string('x', 100_000) },
        new(),
    ];

    protected override (string Column, string Expected, string Got) Wrong
        => ("Variable", "a number, Boolean, String, Key, DateTime, DateTimeOffset or TimeSpan, or a known-size vector of them", "VarVector<Single>");
}
