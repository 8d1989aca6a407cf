namespace Quickstart;

/// <summary>What the user asked for on the command line.</summary>
public sealed class Arguments
{
    /// <summary>The text behind <c>--help</c>.</summary>
    public const string Help = """
        quickstart: learns from text without labels, inside an ML.NET pipeline, and shows what that bought.

          --query TEXT     asks the encoder that an earlier run has saved (or trains one first); may be repeated
          --data PATH      your own text: a folder of .txt files, or one .csv/.tsv file
          --columns A,B,C  the columns of that file: the text, what belongs to it (optional), a label (optional)
          --epochs N       passes over the text (default 12)
          --seed N         seed of the split and of the training (default 0)
          --output DIR     where results.json and the models go (default artifacts/quickstart)
          --small          a few hundred texts and one epoch: shows that everything works, not what it can do
        """;

    /// <summary>Queries of the user.</summary>
    public List<string> Queries { get; } = [];

    /// <summary>The user's own text, or null for the documentation of .NET.</summary>
    public string? Data { get; private set; }

    /// <summary>Columns of the user's own table: text, partner, label.</summary>
    public string[] Columns { get; private set; } = [];

    /// <summary>Passes over the text.</summary>
    public int Epochs { get; private set; } = 12;

    /// <summary>Seed of the split and of the training.</summary>
    public int Seed { get; private set; }

    /// <summary>Folder of the results.</summary>
    public string Output { get; private set; } = Path.Combine("artifacts", "quickstart");

    /// <summary>Whether to take little of everything.</summary>
    public bool Small { get; private set; }

    /// <summary>Whether only help was asked for.</summary>
    public bool WantsHelp { get; private set; }

    /// <summary>Set in the second process: the folder with the model and the questions to answer.</summary>
    public string? AnswerFolder { get; private set; }

    /// <summary>Reads the command line.</summary>
    /// <exception cref="ArgumentException">An argument is unknown or has no value.</exception>
    public static Arguments Parse(string[] args)
    {
        var result = new Arguments();
        for (var i = 0; i < args.Length; i++)
        {
            var name = args[i];
            string Value() => ++i < args.Length ? args[i] : throw new ArgumentException($"{name} needs a value.");
            int Number(int least) => int.TryParse(Value(), out var number) && number >= least
                ? number : throw new ArgumentException($"{name} must be a whole number of at least {least}, got '{args[i]}'.");
            switch (name)
            {
                case "--query": result.Queries.Add(Value()); break;
                case "--data": result.Data = Value(); break;
                case "--columns": result.Columns = Value().Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries); break;
                case "--epochs": result.Epochs = Number(1); break;
                case "--seed": result.Seed = Number(0); break;
                case "--output": result.Output = Value(); break;
                case "--small": result.Small = true; result.Epochs = 1; break;
                case "--answer": result.AnswerFolder = Value(); break;
                case "--help" or "-h" or "-?": result.WantsHelp = true; break;
                default: throw new ArgumentException($"unknown argument '{name}'; --help lists them.");
            }
        }
        return result;
    }
}
