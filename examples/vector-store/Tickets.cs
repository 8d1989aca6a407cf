using Microsoft.Extensions.VectorData;

namespace VectorStoreExample;

/// <summary>A row of ML.NET.</summary>
public sealed class Ticket
{
    public long Number { get; set; }

    public string Question { get; set; } = "";

    public string Answer { get; set; } = "";

    public string Team { get; set; } = "";

    public static Ticket[] MakeUp(int count)
    {
        (string Team, string[] Things, string Problem, string Answer)[] kinds =
        [
            ("post", ["parcel", "letter", "package"], "is late", "the depot sends it on today"),
            ("post", ["parcel", "letter", "package"], "was damaged", "a new one is on its way"),
            ("finance", ["invoice", "bill", "receipt"], "names a wrong sum", "accounting corrects it"),
            ("finance", ["card", "payment", "transfer"], "was declined", "the bank has to release it"),
            ("support", ["password", "login", "user"], "is locked", "follow the reset link"),
            ("support", ["screen", "monitor", "display"], "stays dark", "switch it off and on again"),
        ];
        var random = new Random(1);
        return [.. Enumerable.Range(0, count).Select(i => (Number: i, Kind: kinds[i % kinds.Length])).Select(ticket => new Ticket
        {
            Number = ticket.Number,
            Team = ticket.Kind.Team,
            Question = $"{(random.Next(2) == 0 ? "my" : "the")} {ticket.Kind.Things[random.Next(ticket.Kind.Things.Length)]} {ticket.Kind.Problem}",
            Answer = ticket.Kind.Answer,
        })];
    }
}

/// <summary>A record of the store. Its properties take the columns of their names.</summary>
public sealed class TicketRecord
{
    [VectorStoreKey]
    public long Id { get; set; }

    [VectorStoreData]
    public string Question { get; set; } = "";

    [VectorStoreData]
    public string Answer { get; set; } = "";

    [VectorStoreData(IsIndexed = true)]
    public string Team { get; set; } = "";

    [VectorStoreVector(128, DistanceFunction = DistanceFunction.CosineSimilarity)]
    public ReadOnlyMemory<float> Features { get; set; }
}

/// <summary>What the search adds.</summary>
public sealed class Found
{
    public string Question { get; set; } = "";

    public long[] Neighbors { get; set; } = [];

    public float[] Scores { get; set; } = [];
}
