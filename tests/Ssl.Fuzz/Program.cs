// Reads damaged files of every kind that the product reads. Each must be refused in a sentence or give the same numbers; what was sealed anew
// may be another model. No crash, no second beyond two, no memory beyond three times the file and 200 MB.
//   dotnet run -c Release --project tests/Ssl.Fuzz                        30 minutes, all kinds in turn, each in a process of its own
//   dotnet run -c Release --project tests/Ssl.Fuzz -- [--minutes M] [--seed N] [--kind NAME]
//   dotnet run -c Release --project tests/Ssl.Fuzz -- --count C [--seed N] [--kind NAME]       C files of each kind in this process
// What fails is reported with the smallest damage that still fails and written to artifacts/fuzz; the seed repeats it.
using System.Globalization;
using Ssl.Fuzz;

var options = new Dictionary<string, string>();
for (var i = 0; i + 1 < args.Length; i += 2)
    options[args[i].TrimStart('-')] = args[i + 1];
string? only = options.GetValueOrDefault("kind");
int seed = int.Parse(options.GetValueOrDefault("seed", "1"), CultureInfo.InvariantCulture);
if (args.Length % 2 != 0 || only is not null && !Kinds.Names.Contains(only))
{
    Console.Error.WriteLine($"Options are pairs of a name and a value; kinds are {string.Join(", ", Kinds.Names)}.");
    return 2;
}
string[] names = [.. Kinds.Names.Where(name => only is null || name == only)];
return options.TryGetValue("count", out var count)
    ? FuzzRun.Here(names, int.Parse(count, CultureInfo.InvariantCulture), seed)
    : FuzzRun.InProcesses(names, TimeSpan.FromMinutes(double.Parse(options.GetValueOrDefault("minutes", "30"), CultureInfo.InvariantCulture)), seed);
