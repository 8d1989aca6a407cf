// Search, classification and embeddings over HTTP, from one model file (README.md):
//   dotnet run -c Release --project examples/service -- train      makes model/model.zip
//   dotnet run -c Release --project examples/service               serves it
using SearchService;
using SearchService.Training;

if (args is ["train", .. var arguments])
    return TrainCommand.Run(arguments);

await using var app = SearchApp.Create(args);
await app.RunAsync();
return 0;
