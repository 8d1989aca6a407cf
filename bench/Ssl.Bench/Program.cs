using Ssl.Bench;
using Ssl.Estimators.Native;

// Some sides call TorchSharp before anything of ours.
TorchSharpLibrary.Prepare();

// A case measures some of its sides in processes of their own, so that memory and start-up are theirs alone.
if (args is ["--child", var child, .. var childArguments])
    return ChildProcess.Run(child, childArguments);

BenchCase[] cases =
[
    new QuickstartCase(),
    new MaskedLanguageModelSpeed(),
    new MaskedLanguageModelQuality(),
    new TransformSpeed(),
    new PretrainedSpeed(),
    new PretrainedAdapting(),
    new PretrainedImages(),
    new OnnxExport(),
    new ManyPasses(),
    new FineTuneLabels(),
    new FineTuneText(),
    new TextDenoising(),
    new TokenTasks(),
    new FineTuneSpeed(),
    new MemoryUse(),
    new Saving(),
    new NeighborsSpeed(),
    new NeighborIndexFile(),
    new ImagesSpeed(),
    new ImagesViews(),
    new MaskedAutoencoderCost(),
    new ImagesQuality(),
    new ImagesLearnedView(),
    new ImagesGpu(),
    new GpuSpeed(),
    new GpuParity(),
    new TablesSpeed(),
    new TablesAnomaly(),
    new AnomalyMethods(),
    new TablesLabels(),
    new FewLabelsTables(),
    new FewLabelsText(),
    new FewLabelsSeries(),
    new TimeSeriesProbe(),
    new AudioDigits(),
    new ImageText(),
    new GradientCaching(),
    new Processes(),
];
if (args.Length == 0 || args[0] is "--list" or "--help" or "-h")
{
    Console.WriteLine("bench/run.sh CASE [--quick] [--ours-only] [--peers DIR] [--sets A,B]");
    foreach (var known in cases)
        Console.WriteLine($"  {known.Name,-18} {known.Minutes,3} min   {known.Description}");
    return args.Length == 0 ? 2 : 0;
}

var chosen = cases.FirstOrDefault(known => known.Name == args[0]);
if (chosen is null)
{
    Console.Error.WriteLine($"There is no case '{args[0]}'. Known: {string.Join(", ", cases.Select(known => known.Name))}.");
    return 2;
}
var settings = new BenchSettings();
for (var i = 1; i < args.Length; i++)
{
    switch (args[i])
    {
        case "--quick": settings.Quick = true; break;
        case "--ours-only": settings.OursOnly = true; break;
        case "--sets" when i + 1 < args.Length: settings.Sets = args[++i].Split(','); break;
        case "--draws" when i + 1 < args.Length && int.TryParse(args[i + 1], out var draws) && draws > 0: (settings.Draws, i) = (draws, i + 1); break;
        case "--peers" when i + 1 < args.Length: settings.Peers = args[++i]; break;
        default: Console.Error.WriteLine($"Unknown argument '{args[i]}'."); return 2;
    }
}

var results = new BenchResults(chosen.Name, settings.Quick);
try
{
    chosen.Run(settings, results);
}
catch (BenchUnavailableException reason)
{
    Console.Error.WriteLine($"{chosen.Name}: {reason.Message}");
    return 3;
}
results.Print();
results.Save();
return 0;
