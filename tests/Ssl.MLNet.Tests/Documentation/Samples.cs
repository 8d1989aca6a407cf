using Microsoft.Extensions.VectorData;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.Extensions.VectorData.Tests;

namespace Ssl.MLNet.Tests.Samples;

// What a block of code on a page sees where the comment before it says "sample: Texts": small data, the same on every machine, under the names
// that the pages use. Lower case, since they stand for the reader's own variables.

/// <summary>Short questions with answers, of three teams.</summary>
public static class Texts
{
    public static MLContext mlContext { get; } = new(seed: 1);

    public static SelfSupervisedCatalog ssl { get; } = mlContext.SelfSupervised();

    /// <summary>Columns Text, Question, Answer, Label (a key), Positive, Grade.</summary>
    public static IDataView data { get; } = Labeled(120);

    /// <summary>The same columns, few rows.</summary>
    public static IDataView labeled { get; } = Labeled(24);

    /// <summary>Embeds Question as Features.</summary>
    public static EncoderTransformer encoder
        => field ??= ssl.Text.PairedContrastive("Features", "Question", "Answer", numberOfEpochs: 3).Fit(data);

    private static IDataView Labeled(int count)
    {
        var rows = mlContext.Data.LoadFromEnumerable(Ticket.MakeUp(count).Select(ticket => new TextRow
        {
            Text = $"{ticket.Question}. {ticket.Answer}.", Question = ticket.Question, Answer = ticket.Answer, Team = ticket.Team,
            Positive = ticket.Team == "post", Grade = ticket.Question.Length,
        }));
        return mlContext.Transforms.Conversion.MapValueToKey("Label", "Team").Fit(rows).Transform(rows);
    }

    public sealed class TextRow
    {
        public string Text { get; set; } = "";
        public string Question { get; set; } = "";
        public string Answer { get; set; } = "";
        public string Team { get; set; } = "";
        public bool Positive { get; set; }
        public float Grade { get; set; }
    }
}

/// <summary>Questions with answers and numbers, and a vector store in memory.</summary>
public static class Stores
{
    public static MLContext mlContext { get; } = new(seed: 1);

    public static SelfSupervisedCatalog ssl { get; } = mlContext.SelfSupervised();

    /// <summary>Columns Id, Question, Answer, Team.</summary>
    public static IDataView data { get; } = Numbered(120, 0);

    /// <summary>The same columns, other rows.</summary>
    public static IDataView later { get; } = Numbered(12, 120);

    /// <summary>Embeds Question as Features.</summary>
    public static EncoderTransformer encoder
        => field ??= ssl.Text.PairedContrastive("Features", "Question", "Answer", numberOfEpochs: 3).Fit(data);

    /// <summary>What a store's package would give.</summary>
    public static VectorStoreCollection<string, TicketRecord> OpenCollection()
        => new MemoryCollection<string, TicketRecord>(record => record.Id, record => record.Features);

    private static IDataView Numbered(int count, int first) => mlContext.Data.LoadFromEnumerable(Ticket.MakeUp(count).Select((ticket, i) => new NumberedTicket
    {
        Id = $"ticket {first + i}", Question = ticket.Question, Answer = ticket.Answer, Team = ticket.Team,
    }).ToArray());

    public sealed class NumberedTicket
    {
        public string Id { get; set; } = "";
        public string Question { get; set; } = "";
        public string Answer { get; set; } = "";
        public string Team { get; set; } = "";
    }

    public sealed class TicketRecord
    {
        [VectorStoreKey]
        public string Id { get; set; } = "";

        [VectorStoreData]
        public string Question { get; set; } = "";

        [VectorStoreData(IsIndexed = true)]
        public string Team { get; set; } = "";

        [VectorStoreVector(128, DistanceFunction = DistanceFunction.CosineSimilarity)]
        public ReadOnlyMemory<float> Features { get; set; }
    }
}

/// <summary>People: two numbers that go together, a category, and a label that follows from them.</summary>
public static class Tables
{
    public static MLContext mlContext { get; } = new(seed: 1);

    public static SelfSupervisedCatalog ssl { get; } = mlContext.SelfSupervised();

    /// <summary>Columns Age, HoursPerWeek, Workclass, Label (bool).</summary>
    public static IDataView data { get; } = mlContext.Data.LoadFromEnumerable(Rows(200));

    private static IEnumerable<Person> Rows(int count)
    {
        var random = new Random(1);
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            var age = 20 + random.Next(40);
            return new Person
            {
                Age = age, HoursPerWeek = age / 2 + random.Next(20), Workclass = age > 40 ? "state" : "private", Label = age > 40 == random.Next(10) > 0,
            };
        })];
    }

    public sealed class Person
    {
        public float Age { get; set; }
        public float HoursPerWeek { get; set; }
        public string Workclass { get; set; } = "";
        public bool Label { get; set; }
    }
}

/// <summary>Gray images of 28 pixels: bright upper or lower halves.</summary>
public static class Images
{
    public static MLContext mlContext { get; } = new(seed: 1);

    public static SelfSupervisedCatalog ssl { get; } = mlContext.SelfSupervised();

    /// <summary>Columns Image ([1, 28, 28] bytes), Label (a key).</summary>
    public static IDataView data { get; } = Rows(16);

    private static IDataView Rows(int count)
    {
        var random = new Random(1);
        var rows = mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, count).Select(i =>
        {
            var image = new byte[28 * 28];
            random.NextBytes(image);
            for (var p = 0; p < image.Length; p++)
                image[p] = (byte)(image[p] / 2 + (p < image.Length / 2 == (i % 2 == 0) ? 127 : 0));
            return new Picture { Image = image, Half = i % 2 == 0 ? "upper" : "lower" };
        }).ToArray());
        return mlContext.Transforms.Conversion.MapValueToKey("Label", "Half").Fit(rows).Transform(rows);
    }

    public sealed class Picture
    {
        [VectorType(1, 28, 28)]
        public byte[] Image { get; set; } = [];
        public string Half { get; set; } = "";
    }
}

/// <summary>Gray images of 16 pixels, bright in one half, with a sentence that says in which.</summary>
public static class ImageTexts
{
    public static MLContext mlContext { get; } = new(seed: 1);

    public static SelfSupervisedCatalog ssl { get; } = mlContext.SelfSupervised();

    /// <summary>Columns Image ([1, 16, 16] bytes), Text.</summary>
    public static IDataView data { get; } = mlContext.Data.LoadFromEnumerable(Rows(24));

    /// <summary>A column Text.</summary>
    public static IDataView questions { get; } = mlContext.Data.LoadFromEnumerable(Rows(2).Select(row => new Question { Text = row.Text }).ToArray());

    private static Drawing[] Rows(int count)
    {
        var random = new Random(1);
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            var image = new byte[16 * 16];
            random.NextBytes(image);
            for (var p = 0; p < image.Length; p++)
                image[p] = (byte)(image[p] / 2 + (p < image.Length / 2 == (i % 2 == 0) ? 127 : 0));
            return new Drawing { Image = image, Text = $"the {(i % 2 == 0 ? "upper" : "lower")} half is bright" };
        })];
    }

    public sealed class Drawing
    {
        [VectorType(1, 16, 16)]
        public byte[] Image { get; set; } = [];
        public string Text { get; set; } = "";
    }

    public sealed class Question
    {
        public string Text { get; set; } = "";
    }
}

/// <summary>Waves of two frequencies.</summary>
public static class Series
{
    public static MLContext mlContext { get; } = new(seed: 1);

    public static SelfSupervisedCatalog ssl { get; } = mlContext.SelfSupervised();

    /// <summary>Columns Series (32 numbers), Label (a key).</summary>
    public static IDataView data { get; } = Rows(24);

    private static IDataView Rows(int count)
    {
        var random = new Random(1);
        var rows = mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, count).Select(i => new Wave
        {
            Series = [.. Enumerable.Range(0, 32).Select(t => MathF.Sin(t * (i % 2 == 0 ? 0.2f : 0.7f)) + 0.1f * random.NextSingle())],
            Kind = i % 2 == 0 ? "slow" : "fast",
        }).ToArray());
        return mlContext.Transforms.Conversion.MapValueToKey("Label", "Kind").Fit(rows).Transform(rows);
    }

    public sealed class Wave
    {
        [VectorType(32)]
        public float[] Series { get; set; } = [];
        public string Kind { get; set; } = "";
    }
}
