// Embeddings in a database: tickets with their vectors into an SQLite file with sqlite-vec, found there by meaning and by team, and out again.
//   dotnet run -c Release --project examples/vector-store [-- --small]
using Microsoft.ML;
using Ssl.Extensions.VectorData;
using Ssl.MLNet;
using VectorStoreExample;
using VectorStoreExample.SqliteVec;

if (SqliteVecLibrary.Find() is null)
{
    Console.Error.WriteLine(SqliteVecLibrary.Missing);
    return 1;
}
var mlContext = new MLContext(seed: 1);
var ssl = mlContext.SelfSupervised();

// 1. An encoder, pretrained on pairs that belong together.
var tickets = mlContext.Data.LoadFromEnumerable(Ticket.MakeUp(args.Contains("--small") ? 300 : 3_000));
using var encoder = ssl.Text.PairedContrastive("Features", "Question", "Answer", numberOfEpochs: 5).Fit(tickets);

// 2. The rows with their embeddings into a collection: any VectorStoreCollection will do.
var path = Path.Combine(Path.GetTempPath(), $"tickets-{Guid.NewGuid():N}.db");
using var collection = new SqliteVecCollection<long, TicketRecord>(path, "tickets");
var written = await ssl.ToVectorStoreAsync(encoder.Transform(tickets), collection, new ToVectorStoreOptions { KeyColumnName = "Number" });
Console.WriteLine($"{written} tickets written");

// 3. The search there as a stage, in the columns of ssl.NearestNeighbors, among the tickets of one team.
var chain = ssl.Embed(encoder).Append(ssl.NearestNeighbors(collection, new VectorStoreSearchOptions<TicketRecord>
{
    NumberOfNeighbors = 3, Filter = ticket => ticket.Team == "finance",
}));
var questions = mlContext.Data.LoadFromEnumerable([new Ticket { Question = "the bill is wrong" }, new Ticket { Question = "my card does not work" }]);
var answers = chain.Fit(questions).Transform(questions);
foreach (var found in mlContext.Data.CreateEnumerable<Found>(answers, reuseRowObject: false))
{
    var nearest = await collection.GetAsync(found.Neighbors[0]);
    Console.WriteLine($"{found.Question}: \"{nearest!.Question}\" ({found.Scores[0]:0.00}), {nearest.Answer}");
}

// 4. And out again, as rows for any trainer: vectors are not computed a second time.
var stored = ssl.FromVectorStore(collection);
var classifier = mlContext.Transforms.Conversion.MapValueToKey("Label", "Team")
    .Append(mlContext.MulticlassClassification.Trainers.LbfgsMaximumEntropy(featureColumnName: "Features", l1Regularization: 0, l2Regularization: .1f));
var metrics = mlContext.MulticlassClassification.CrossValidate(stored, classifier, numberOfFolds: 3);
Console.WriteLine($"team from the stored vectors: accuracy {metrics.Average(fold => fold.Metrics.MicroAccuracy):0.00}");

await collection.EnsureCollectionDeletedAsync();
Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
foreach (var file in Directory.EnumerateFiles(Path.GetTempPath(), $"{Path.GetFileName(path)}*"))
    File.Delete(file);
return 0;
