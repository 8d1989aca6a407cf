// Loads a saved ML.NET model in a process that has done nothing else, and prints what it makes of some rows. The tests start it.
//   Ssl.FreshProcess MODEL ROWS COLUMN
//   Ssl.FreshProcess do:TASK [ARGUMENT...]                     what a crash would take the test host along for; see the classes of tasks
//   Ssl.FreshProcess --train EPOCHS [stress]      (TrainEverything.cs)
// ROWS is a JSON array of {"Text": "...", "Features": [..]}; the result is a JSON array of the column's values, Single as bits.
using System.Diagnostics;
using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.FreshProcess;

// Methods of their own, so that none brings in what only another needs: the one that loads a model must not use the packs before.
if (args[0].StartsWith("do:", StringComparison.Ordinal))
    return Tasks.Run(args[0][3..], args[1..]);
return args[0] == "--train" ? Train(args) : LoadModel(args);

static int Train(string[] args) => TrainEverything.Run(int.Parse(args[1]), args.Length > 2);

static int LoadModel(string[] args)
{
    if (AppDomain.CurrentDomain.GetAssemblies().Any(assembly => assembly.GetName().Name is "Ssl.MLNet" or "Ssl.Estimators"))
        throw new InvalidOperationException("This process has used the packs before it loads the model.");
    var clock = Stopwatch.StartNew();
    var mlContext = new MLContext();
    var model = mlContext.Model.Load(args[0], out _);
    var rows = JsonSerializer.Deserialize<Row[]>(File.ReadAllText(args[1]))!;
    var definition = SchemaDefinition.Create(typeof(Row));
    definition["Features"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, rows[0].Features.Length);
    var view = model.Transform(mlContext.Data.LoadFromEnumerable(rows, definition));
    var column = view.Schema[args[2]];
    object values = column.Type switch
    {
        VectorDataViewType { ItemType: TextDataViewType } =>
            view.GetColumn<ReadOnlyMemory<char>[]>(column).Select(v => v.Select(t => t.ToString()).ToArray()).ToArray(),
        VectorDataViewType { ItemType: var item } when item == NumberDataViewType.Int64 => view.GetColumn<long[]>(column).ToArray(),
        VectorDataViewType => view.GetColumn<float[]>(column).Select(v => v.Select(BitConverter.SingleToInt32Bits).ToArray()).ToArray(),
        TextDataViewType => view.GetColumn<ReadOnlyMemory<char>>(column).Select(t => t.ToString()).ToArray(),
        NumberDataViewType => view.GetColumn<float>(column).Select(v => (int[])[BitConverter.SingleToInt32Bits(v)]).ToArray(),
        var other => throw new NotSupportedException($"Column '{args[2]}' has type {other}."),
    };
    Console.Out.Write(JsonSerializer.Serialize(values));
    Console.Error.WriteLine($"{clock.ElapsedMilliseconds} ms, {Environment.WorkingSet >> 20} MB");
    return 0;
}

namespace Ssl.FreshProcess
{
    /// <summary>A row of every kind of input.</summary>
    internal sealed class Row
    {
        public string Text { get; set; } = "";

        public float[] Features { get; set; } = [0];
    }
}
