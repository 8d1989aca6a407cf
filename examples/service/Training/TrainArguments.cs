using System.Globalization;

namespace SearchService.Training;

/// <summary>What the command <c>train</c> is told.</summary>
public sealed record TrainArguments
{
    /// <summary>How it is called.</summary>
    public const string Usage = """
        train [--output FILE] [--data FILE --text COLUMN [--pair COLUMN] [--label COLUMN] [--id COLUMN]] [--encoder bag|transformer] [--epochs N] [--seed N]

          --output FILE   the model file; model/model.zip where it is not named
          --data FILE     a table with a header, separated by tabs (.tsv) or commas (.csv); without it questions to a help desk are made up
          --text COLUMN   what people write: is embedded, and classified
          --pair COLUMN   what belongs to it and is to be found, such as an answer; without it the texts themselves are searched
          --label COLUMN  the class; without it the model classifies nothing
          --id COLUMN     the name of what is found; without it the number of its row
          --encoder NAME  bag: fast, words without order (the default); transformer: slower, and reads them in order
          --epochs N      passes over the data
          --seed N        for another training on the same data
        """;

    /// <summary>The model file.</summary>
    public string Output { get; init; } = Path.Combine("model", "model.zip");

    /// <summary>The user's table; null for made-up rows.</summary>
    public string? Data { get; init; }

    /// <summary>The column that is embedded.</summary>
    public string? Text { get; init; }

    /// <summary>The column of what belongs to it.</summary>
    public string? Pair { get; init; }

    /// <summary>The column of classes.</summary>
    public string? Label { get; init; }

    /// <summary>The column of names.</summary>
    public string? Id { get; init; }

    /// <summary>Whether the encoder reads words in their order.</summary>
    public bool Transformer { get; init; }

    /// <summary>Passes over the data; null for the method's default.</summary>
    public int? Epochs { get; init; }

    /// <summary>The seed of data and training.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Reads the command line.</summary>
    /// <exception cref="FormatException">It says something that is not known.</exception>
    public static TrainArguments Parse(IReadOnlyList<string> arguments)
    {
        var read = new TrainArguments();
        for (var i = 0; i < arguments.Count; i += 2)
        {
            var name = arguments[i];
            if (i + 1 == arguments.Count)
                throw new FormatException($"'{name}' needs a value behind it.");
            var value = arguments[i + 1];
            read = name switch
            {
                "--output" => read with { Output = value },
                "--data" => read with { Data = value },
                "--text" => read with { Text = value },
                "--pair" => read with { Pair = value },
                "--label" => read with { Label = value },
                "--id" => read with { Id = value },
                "--encoder" => read with { Transformer = IsTransformer(value) },
                "--epochs" => read with { Epochs = Number(name, value) },
                "--seed" => read with { Seed = Number(name, value) },
                _ => throw new FormatException($"'{name}' is not known."),
            };
        }
        if (read.Data is null != read.Text is null)
            throw new FormatException("--data and --text go together: the table, and its column of texts.");
        if (read.Data is null && (read.Pair ?? read.Label ?? read.Id) is not null)
            throw new FormatException("--pair, --label and --id name columns of the table that --data names.");
        return read;
    }

    /// <summary>Whether an encoder of that name reads words in their order.</summary>
    /// <exception cref="FormatException">There is none of that name.</exception>
    public static bool IsTransformer(string encoder) => encoder switch
    {
        "bag" => false,
        "transformer" => true,
        _ => throw new FormatException($"--encoder is bag or transformer, not '{encoder}'."),
    };

    private static int Number(string name, string value)
        => int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
            : throw new FormatException($"{name} needs a whole number of at least 0, got '{value}'.");
}
