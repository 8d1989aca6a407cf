using Microsoft.ML;
using Microsoft.ML.Data;
using SearchService.Models;
using Ssl.Estimators;
using Ssl.MLNet;

namespace SearchService.Training;

/// <summary>Makes a model file: an encoder that is pretrained without labels, the search in its embeddings, and a classifier where there are labels.</summary>
public static class TrainCommand
{
    private const int MadeUpRows = 4_000;
    private const int MostMatches = 50;
    private const double HeldOutShare = 0.1;

    /// <summary>Runs the command and says on the console what came of it.</summary>
    /// <returns>The exit code: 2 where the command line or the data are at fault.</returns>
    public static int Run(IReadOnlyList<string> arguments)
    {
        if (arguments.Contains("--help"))
        {
            Console.WriteLine(TrainArguments.Usage);
            return 0;
        }
        try
        {
            Train(TrainArguments.Parse(arguments), Console.WriteLine);
            return 0;
        }
        catch (Exception fault) when (fault is FormatException or IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine(fault.Message);
            Console.Error.WriteLine($"{Environment.NewLine}{TrainArguments.Usage}");
            return 2;
        }
    }

    /// <summary>Trains and writes the model file.</summary>
    /// <param name="arguments">What from, and where to.</param>
    /// <param name="say">Takes lines about what is done.</param>
    public static void Train(TrainArguments arguments, Action<string> say)
    {
        var mlContext = new MLContext(arguments.Seed);
        var rows = arguments.Data is null ? HelpDesk.MakeUp(MadeUpRows, arguments.Seed) : UserTable.Read(mlContext, arguments);
        var catalog = Catalog(rows);
        new Random(arguments.Seed).Shuffle(rows);
        var heldOut = rows[..(int)(rows.Length * HeldOutShare)];
        var training = rows[heldOut.Length..];
        var source = arguments.Data is null ? "made-up questions to a help desk" : Path.GetFileName(arguments.Data);
        say($"{source}: {training.Length:N0} rows to learn from, {heldOut.Length:N0} held out, {catalog.Length:N0} rows in the catalog");

        // 1. Without labels: texts that belong together, or texts alone.
        var data = mlContext.Data.LoadFromEnumerable(training);
        var ssl = mlContext.SelfSupervised();
        var encoderOf = arguments.Transformer ? TextEncoders.Transformer(numberOfLayers: 2, dimension: 128, maximumTokens: 64) : TextEncoders.Bag();
        using var encoder = training[0].Pair == ""
            ? ssl.Text.SimCse("Features", nameof(TrainingRow.Text), encoderOf, numberOfEpochs: arguments.Epochs).Fit(data)
            : ssl.Text.PairedContrastive("Features", nameof(TrainingRow.Text), nameof(TrainingRow.Pair), encoderOf, batchSize: 256,
                numberOfEpochs: arguments.Epochs, learningRate: arguments.Transformer ? 1e-3 : null).Fit(data);

        // 2. The search, in the embeddings of the catalog.
        var catalogRows = mlContext.Data.LoadFromEnumerable(catalog);
        var search = ssl.NearestNeighbors(inputColumnName: "Features", idColumnName: nameof(TrainingRow.Id), numberOfNeighbors: MostMatches)
            .Fit(encoder.Transform(catalogRows));

        // 3. With labels: a stock trainer on the embedding.
        List<ITransformer> stages = [ssl.Embed(encoder).Fit(data), search];
        if (training.Any(row => row.Label != ""))
        {
            var labeled = mlContext.Data.LoadFromEnumerable(training.Where(row => row.Label != ""));
            var keyed = mlContext.Transforms.Conversion.MapValueToKey("Label").Append(ssl.Embed(encoder)).Fit(labeled).Transform(labeled);
            var classifier = mlContext.MulticlassClassification.Trainers.LbfgsMaximumEntropy(l1Regularization: 0, l2Regularization: 0.1f)
                .Append(mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel")).Fit(keyed);
            stages.AddRange(classifier);
        }
        using var chain = new TransformerChain<ITransformer>([.. stages]);
        Evaluate(mlContext, chain, heldOut, catalog, say);

        // 4. One file, which says what it must answer.
        var probe = heldOut.Append(training[0]).First().Text;
        TextOnly[] questions = [new() { Text = probe }];
        ModelFile.Write(arguments.Output, mlContext, chain, mlContext.Data.LoadFromEnumerable(questions).Schema,
            [.. catalog.Select(row => new CatalogRow(row.Id, row.Text, row.Label == "" ? null : row.Label))], source, new Probe(probe, encoder.Embed(probe)));
        say($"wrote {arguments.Output} ({new FileInfo(arguments.Output).Length / 1e6:0.0} MB)");
    }

    // What is found: each text once, under the name of its first row.
    private static TrainingRow[] Catalog(TrainingRow[] rows)
    {
        TrainingRow[] catalog = [.. rows
            .Select((row, number) => new TrainingRow
            {
                Id = row.Id != "" ? row.Id : $"{number + 1}",
                Text = row.Pair != "" ? row.Pair : row.Text,
                Label = row.Label,
            })
            .DistinctBy(row => row.Text)];
        return catalog.CountBy(row => row.Id).FirstOrDefault(id => id.Value > 1) is { Key: { } twice }
            ? throw new FormatException($"The id '{twice}' names several different texts: name a column whose ids differ, or leave --id out.") : catalog;
    }

    // On rows that nothing was learned from, so that nobody serves what did not learn.
    private static void Evaluate(MLContext mlContext, ITransformer chain, TrainingRow[] heldOut, TrainingRow[] catalog, Action<string> say)
    {
        if (heldOut.Length == 0)
            return;
        var classifies = chain.GetOutputSchema(mlContext.Data.LoadFromEnumerable(heldOut).Schema).GetColumnOrNull("PredictedLabel") is not null;
        var answers = mlContext.Data.CreateEnumerable<Answer>(chain.Transform(mlContext.Data.LoadFromEnumerable(heldOut)), reuseRowObject: false,
            ignoreMissingColumns: true).ToArray();
        if (heldOut[0].Pair != "")
        {
            var ids = catalog.ToDictionary(row => row.Text, row => row.Id);
            double Found(int most) => answers.Index().Average(answer => answer.Item.Neighbors.Take(most).Contains(ids[heldOut[answer.Index].Pair]) ? 1.0 : 0);
            say($"what belongs to a held-out text is found first for {Found(1):0.000} of them, among the first five for {Found(5):0.000}");
        }
        if (classifies)
        {
            var labeled = answers.Index().Where(answer => heldOut[answer.Index].Label != "").ToArray();
            if (labeled.Length > 0)
                say($"classes of held-out texts: {labeled.Average(answer => answer.Item.PredictedLabel == heldOut[answer.Index].Label ? 1.0 : 0):0.000} right");
        }
    }

    private sealed class TextOnly
    {
        public string Text { get; set; } = "";
    }

    private sealed class Answer
    {
        public string[] Neighbors { get; set; } = [];

        public string PredictedLabel { get; set; } = "";
    }
}
