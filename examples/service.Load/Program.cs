// Asks the service from many clients at once, checks every answer, and exchanges its model meanwhile (examples/service/README.md):
//   dotnet run -c Release --project examples/service.Load -- --minutes 10
// Exit code 1 where an answer was wrong or missing, memory grew, or a model file was not followed.
using System.Diagnostics;
using SearchService;
using SearchService.Load;
using SearchService.Training;

if (args.Contains("--help"))
{
    Console.WriteLine(LoadOptions.Usage);
    return 0;
}
LoadOptions options;
try
{
    options = LoadOptions.Parse(args);
}
catch (FormatException fault)
{
    Console.Error.WriteLine($"{fault.Message}\n\n{LoadOptions.Usage}");
    return 2;
}

var folder = Directory.CreateTempSubdirectory("search-service-load-").FullName;
try
{
    // Two trainings of the same data: the same questions, other numbers.
    string[] files = [Path.Combine(folder, "a.zip"), Path.Combine(folder, "b.zip")];
    foreach (var (number, file) in files.Index())
    {
        Console.WriteLine($"training model {number + 1}");
        string[] arguments = ["--output", file, "--seed", $"{number + 1}", "--encoder", options.Transformer ? "transformer" : "bag", "--epochs", options.Transformer ? "4" : "8"];
        TrainCommand.Train(TrainArguments.Parse(arguments), _ => { });
    }
    var rows = HelpDesk.MakeUp(1_000, seed: 3);
    CatalogRow[] catalog = [.. rows.DistinctBy(row => row.Id).Select(row => new CatalogRow(row.Id, row.Pair, row.Label))];
    string[] texts = [.. rows.Select(row => row.Text).Distinct()];
    Expectation[] models = [.. files.Select(file => new Expectation(file, [.. texts, .. catalog.Select(row => row.Text)]))];

    var modelPath = Path.Combine(folder, "model.zip");
    File.Copy(files[0], modelPath);
    using var service = new ServiceProcess(modelPath, options);
    await service.WaitForAsync(models[0].Version);
    var clients = new Clients(service, options, models.ToDictionary(model => model.Version), texts, catalog) { Served = models[0].Version };
    var swaps = new Swaps(service, clients, modelPath, models, TimeSpan.FromSeconds(options.SwapSeconds));

    Console.WriteLine($"{options.Clients} clients for {options.Minutes} minutes");
    using var stop = new CancellationTokenSource();
    var (clock, processor) = (Stopwatch.StartNew(), service.ProcessorTime);
    var work = Task.WhenAll(clients.RunAsync(stop.Token), swaps.RunAsync(stop.Token));
    var memory = new List<long>();
    while (clock.Elapsed < TimeSpan.FromMinutes(options.Minutes) && !work.IsCompleted)
    {
        await Task.Delay(1_000);
        memory.Add(service.Memory);
    }
    var elapsed = clock.Elapsed;
    var cores = (service.ProcessorTime - processor) / elapsed;
    await stop.CancelAsync();
    await work;
    return await Report.PrintAsync(options, service, clients, swaps, new MemoryTrend(memory), elapsed, cores, models) ? 0 : 1;
}
finally
{
    Directory.Delete(folder, recursive: true);
}
