#:project ../src/Ssl.MLNet/Ssl.MLNet.csproj
#:package Microsoft.Data.Sqlite
#:property PublishAot=false
#:property NeedsNativeTorch=true

// SQL: rows of a database, through ML.NET's own DatabaseLoader. SQLite here; SqlClientFactory, NpgsqlFactory and others take its place.
//   dotnet run examples/SqlDatabases.cs [-- --small]
using Microsoft.Data.Sqlite;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.MLNet;

var small = args.Contains("--small");
var mlContext = new MLContext(seed: 1);
var ssl = mlContext.SelfSupervised();

// Data: orders, in a file of SQLite.
var path = Path.Combine(Path.GetTempPath(), $"orders-{Environment.ProcessId}.db");
var connectionString = $"Data Source={path};Pooling=False";
using (var connection = new SqliteConnection(connectionString))
{
    connection.Open();
    using var transaction = connection.BeginTransaction();
    using var command = connection.CreateCommand();
    command.CommandText = "CREATE TABLE Orders (Amount REAL, Items INTEGER, Country TEXT, Returned INTEGER)";
    command.ExecuteNonQuery();
    command.CommandText = "INSERT INTO Orders VALUES ($amount, $items, $country, $returned)";
    var random = new Random(1);
    string[] countries = ["DE", "FR", "NL", "PL"];
    for (var i = 0; i < (small ? 500 : 4_000); i++)
    {
        var (items, country) = (1 + random.Next(9), random.Next(countries.Length));
        command.Parameters.Clear();
        command.Parameters.AddWithValue("$amount", items * (10 + 5 * country) + 10 * random.NextDouble());
        command.Parameters.AddWithValue("$items", items);
        command.Parameters.AddWithValue("$country", countries[country]);
        command.Parameters.AddWithValue("$returned", (items > 4) == (country > 1) == (random.NextDouble() < 0.9) ? 1 : 0);
        command.ExecuteNonQuery();
    }
    transaction.Commit();
}

// The query runs anew for every pass; rows beyond CacheLimit are streamed. Casts give the types of the columns below.
var loader = mlContext.Data.CreateDatabaseLoader(
    new DatabaseLoader.Column("Amount", System.Data.DbType.Double, 0),
    new DatabaseLoader.Column("Items", System.Data.DbType.Int64, 1),
    new DatabaseLoader.Column("Country", System.Data.DbType.String, 2),
    new DatabaseLoader.Column("Returned", System.Data.DbType.Int64, 3));
var data = loader.Load(new DatabaseSource(SqliteFactory.Instance, connectionString, "SELECT Amount, Items, Country, Returned FROM Orders"));

// Pretraining: an ordinary estimator on the raw columns.
using var encoder = ssl.Tabular.Scarf(new ScarfTrainer.Options
{
    InputColumnNames = ["Amount", "Items", "Country"],
    NumberOfEpochs = small ? 1 : 20,
    IncludeInputFeatures = false,
}).Fit(data);

// Use: what comes back, by the nearest other orders.
var labeled = mlContext.Transforms.Conversion.MapValueToKey("Returned").Fit(data).Transform(data);
var metrics = ssl.EvaluateRepresentation(encoder.Transform(labeled), "Returned");
Console.WriteLine($"returned orders by the nearest ones: {metrics.NearestNeighborAccuracy:0.00}; always the more frequent answer: {metrics.LargestClassShare:0.00}");
File.Delete(path);

// Expected output:
// returned orders by the nearest ones: 0.91; always the more frequent answer: 0.51
