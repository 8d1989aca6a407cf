using System.Globalization;
using SearchService.Training;

namespace SearchService.Load;

/// <summary>What the load test is told.</summary>
internal sealed record LoadOptions
{
    public const string Usage = """
        dotnet run -c Release --project examples/service.Load -- [--minutes N] [--clients N] [--rate N] [--swap-seconds N] [--encoder bag|transformer]
            [--batch N] [--workers N]

          --minutes N       how long; from 0.1 to 60, 1 where it is not named
          --clients N       requests that are under way at once; from 1 to 256, 16 where it is not named
          --rate N          requests a second, all clients together, due at fixed times; 0, where it is not named: as fast as answers come
          --swap-seconds N  between two exchanges of the model file; 20 where it is not named
          --encoder NAME    of the models that are made for the test; bag where it is not named
          --batch N         the service's BatchLimit, --workers N its Workers; its own defaults where they are not named
        """;

    public double Minutes { get; private init; } = 1;

    public int Clients { get; private init; } = 16;

    public double Rate { get; private init; }

    public double SwapSeconds { get; private init; } = 20;

    public bool Transformer { get; private init; }

    public int? BatchLimit { get; private init; }

    public int? Workers { get; private init; }

    /// <exception cref="FormatException">The command line says something that is not known or outside its range.</exception>
    public static LoadOptions Parse(IReadOnlyList<string> arguments)
    {
        var options = new LoadOptions();
        for (var i = 0; i < arguments.Count; i += 2)
        {
            var (name, value) = (arguments[i], i + 1 < arguments.Count ? arguments[i + 1] : throw new FormatException($"'{arguments[i]}' needs a value behind it."));
            double Number(double least, double most)
                => double.TryParse(value, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most ? number
                    : throw new FormatException(FormattableString.Invariant($"{name} must be from {least} to {most}, got '{value}'."));
            options = name switch
            {
                "--minutes" => options with { Minutes = Number(0.1, 60) },
                "--clients" => options with { Clients = (int)Number(1, 256) },
                "--rate" => options with { Rate = Number(0, 100_000) },
                "--swap-seconds" => options with { SwapSeconds = Number(3, 3600) },
                "--batch" => options with { BatchLimit = (int)Number(1, 1024) },
                "--workers" => options with { Workers = (int)Number(1, 256) },
                "--encoder" => options with { Transformer = TrainArguments.IsTransformer(value) },
                _ => throw new FormatException($"'{name}' is not known."),
            };
        }
        return options;
    }
}
